//! What is judged of the requests of one operation, ready to be used.

use crate::schema::SchemaId;
use crate::schema::types::Types;
use crate::violation::Location;

/// Everything judged of one operation.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Path parameters in the order of the path's variables.
    pub(crate) path: Vec<PathVariable>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: Vec<Parameter>,
    pub(crate) cookies: Vec<Parameter>,
    /// Query names that are declared without being judged.
    pub(crate) other_query_names: QueryNames,
    pub(crate) body: Option<Body>,
    /// The operation's place in the document.
    pub(crate) place: String,
}

/// A variable of the path.
#[derive(Debug)]
pub(crate) struct PathVariable {
    pub(crate) name: String,
    /// `None`: any text that is not empty.
    pub(crate) parameter: Option<Parameter>,
}

/// Query names that are declared without being judged.
#[derive(Debug, Default)]
pub(crate) struct QueryNames {
    pub(crate) exact: Vec<String>,
    /// `filter` stands for `filter[…]`.
    pub(crate) bracketed: Vec<String>,
    /// A declared parameter can take any name, so none is undeclared.
    pub(crate) any: bool,
}

impl QueryNames {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.any
            || self.exact.iter().any(|exact| exact == name)
            || self.bracketed.iter().any(|prefix| {
                name.strip_prefix(prefix.as_str())
                    .is_some_and(|rest| rest.starts_with('['))
            })
    }
}

/// A declared parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) location: Location,
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) allow_empty: bool,
    /// `None`: declared, required perhaps, but not judged.
    pub(crate) shape: Option<Shape>,
    /// The parameter's place in the document.
    pub(crate) place: String,
}

/// How text becomes a value and what the value must be.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) types: Types,
    /// Types of the items, if the value can be an array.
    pub(crate) items: Types,
    /// What separates the items of an array; `None`: the parameter is repeated.
    pub(crate) delimiter: Option<char>,
    pub(crate) schema: SchemaId,
    /// The schema says nothing beyond the type, so a value that could be made conforms.
    pub(crate) type_only: bool,
}

/// A declared request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    /// Empty: nothing is declared about the content, which passes.
    pub(crate) media: Vec<Media>,
    pub(crate) place: String,
}

/// One media type of a body.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) range: super::media_type::Range,
    pub(crate) content: Content,
    /// The place of the media type object in the document.
    pub(crate) place: String,
}

/// How content of a media type is judged.
#[derive(Debug)]
pub(crate) enum Content {
    /// Parsed as JSON, then checked if there is a schema.
    Json(Option<SchemaId>),
    /// Parsed as a form, then checked if there is a schema.
    Form(Form),
    /// A range (`*/*`): JSON and forms are judged by one schema, other types pass only if the schema can be met by bytes.
    Range {
        schema: Option<SchemaId>,
        form: Option<Form>,
        others_pass: bool,
    },
    /// Not judged.
    Pass,
}

/// A form and its fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) schema: Option<SchemaId>,
    pub(crate) fields: Vec<(String, Shape)>,
}
