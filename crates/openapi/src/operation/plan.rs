//! What is judged of the requests of one operation, ready to be used.

use super::media_type::{MediaType, Range};
use super::response::Declared;
use super::shape::Shape;
use super::style::Styled;
use crate::schema::SchemaId;
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
    pub(crate) other_query_names: Vec<String>,
    pub(crate) body: Option<Body>,
    /// Whether a query parameter that is not declared is a violation; `None`: as the policy says.
    pub(crate) refuses_undeclared_query: Option<bool>,
    /// Whether a body is a violation where none is declared; `None`: as the policy says. `Some(false)`: one of a media type that
    /// is not declared passes, too.
    pub(crate) refuses_undeclared_body: Option<bool>,
    /// What a body without a `Content-Type` is taken for.
    pub(crate) untyped_body: Option<MediaType>,
    /// `None`: responses were not read, or none is declared.
    pub(crate) responses: Option<Declared>,
    /// The operation's place in the document.
    pub(crate) place: String,
}

impl Plan {
    /// Whether a query name is declared without being judged.
    pub(crate) fn names_otherwise(&self, name: &str) -> bool {
        self.other_query_names.iter().any(|known| known == name)
    }
}

/// A variable of the path.
#[derive(Debug)]
pub(crate) struct PathVariable {
    pub(crate) name: String,
    /// `None`: any text that is not empty.
    pub(crate) parameter: Option<Parameter>,
}

/// A declared parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) location: Location,
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) allow_empty: bool,
    pub(crate) reading: Reading,
    /// The parameter's place in the document.
    pub(crate) place: String,
}

/// How a parameter is read.
#[derive(Debug)]
pub(crate) enum Reading {
    /// By a style, and then checked.
    Styled { styled: Styled, shape: Shape },
    /// As JSON text, and then checked if there is a schema.
    Json(Option<SchemaId>),
    /// Declared, required perhaps, but not judged.
    Unchecked,
}

/// A declared request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    /// Empty: nothing is declared about the content, which passes.
    pub(crate) media: Vec<Media>,
    pub(crate) place: String,
}

/// One media type or range of a body, and how content of each kind it names is judged.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) range: Range,
    /// The schema, for what is JSON and for text.
    pub(crate) schema: Option<SchemaId>,
    /// For URL-encoded forms.
    pub(crate) form: Option<Form>,
    /// For multipart forms.
    pub(crate) parts: Option<Parts>,
    /// For content of other kinds.
    pub(crate) other: Other,
    /// The place of the media type object in the document.
    pub(crate) place: String,
}

/// What is done with content that is neither JSON nor a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    /// The schema asks for what only JSON and forms have.
    Refuse,
    /// It is declared, but its schema cannot be applied.
    Pass,
    /// The schema can be met by text and bytes.
    Bytes(Size),
}

/// How many bytes content may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Size {
    pub(crate) const ANY: Self = Self {
        min: 0,
        max: u64::MAX,
    };
}

/// A URL-encoded form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// Outline of the schema; `None`: there is none, and any form conforms.
    pub(crate) shape: Option<Shape>,
    /// Fields that are not written in the default way.
    pub(crate) encodings: Vec<(String, Encoding)>,
}

/// How a field of a form is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding {
    pub(crate) styled: Styled,
    /// Its text is JSON.
    pub(crate) is_json: bool,
}

/// A multipart form.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// What the form as a whole is checked by, files standing in it as empty strings.
    pub(crate) form: Form,
    pub(crate) files: Vec<(String, File)>,
    /// Media types of parts that the document lists.
    pub(crate) types: Vec<(String, Vec<Range>)>,
    /// Whether parts that the schema does not name are allowed.
    pub(crate) is_open: bool,
}

/// A part that is bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    pub(crate) size: Size,
    /// There may be several.
    pub(crate) is_list: bool,
}
