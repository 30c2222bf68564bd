//! How much of a document's responses can be judged.

use super::Document;
use crate::operation::response::{Content, Rule};

/// The schemas of JSON in the responses of a document; one that several operations refer to counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseSchemas {
    /// Schemas there are.
    pub declared: usize,
    /// Those that JSON is judged by; the others have an error.
    pub usable: usize,
}

impl Document {
    /// Compile the schemas of responses now instead of on first use, and count them. None if responses were not read.
    pub fn response_schemas(&self) -> ResponseSchemas {
        let mut count = ResponseSchemas::default();
        let Some(responses) = &self.responses else {
            return count;
        };
        let contents = responses.list.iter().flat_map(|response| &response.content);
        for Content { rule, .. } in contents {
            match rule {
                Rule::None | Rule::Json => {}
                Rule::Unusable => count.declared += 1,
                Rule::Schema(schema) => {
                    count.declared += 1;
                    count.usable += usize::from(responses.schemas.check(*schema).is_some());
                }
            }
        }
        count
    }
}
