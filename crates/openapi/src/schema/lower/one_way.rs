//! `readOnly` and `writeOnly` properties: what goes the other way only need not be there, even where it is `required`.

use serde_json::{Map, Value};

use super::{Direction, Lowering};
use crate::schema::READ_ONLY_KEYWORD;

impl Lowering<'_> {
    /// Take the properties that go the other way only out of `required`, which for them is about the other direction.
    /// Those that a request should not have are noted.
    pub(super) fn one_way(
        &self,
        schema: &Map<String, Value>,
        pointer: &str,
        out: &mut Map<String, Value>,
    ) {
        if !out.contains_key("properties") {
            return;
        }
        let keyword = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let names: Vec<Value> = properties
            .into_iter()
            .flatten()
            .filter(|(_, property)| self.says(keyword, property, pointer))
            .map(|(name, _)| Value::from(name.as_str()))
            .collect();
        if names.is_empty() {
            return;
        }
        if let Some(Value::Array(required)) = out.get_mut("required") {
            required.retain(|name| !names.contains(name));
        }
        if self.direction == Direction::Request {
            out.insert(READ_ONLY_KEYWORD.to_owned(), Value::Array(names));
        }
    }

    /// Whether the property, or what it refers to, has the keyword `true`.
    fn says(&self, keyword: &str, property: &Value, pointer: &str) -> bool {
        // No document needs more hops; a circle, reported elsewhere, needs endless ones.
        const MAX_HOPS: usize = 32;
        let (mut schema, mut pointer) = (property, pointer.to_owned());
        for _ in 0..MAX_HOPS {
            let reference = schema.get("$ref").and_then(Value::as_str);
            // Nothing counts beside a reference in 3.0.
            let counts = reference.is_none() || !self.is_v30();
            if counts && schema.get(keyword) == Some(&Value::Bool(true)) {
                return true;
            }
            let Some(target) =
                reference.and_then(|reference| self.names.resolve(reference, &pointer).ok())
            else {
                return false;
            };
            let Some(next) = self.document.pointer(&target) else {
                return false;
            };
            (schema, pointer) = (next, target);
        }
        false
    }
}
