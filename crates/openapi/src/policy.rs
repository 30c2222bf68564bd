//! Bounds and choices where OpenAPI is silent.

use crate::schema::check::Judging;
use crate::source::json::JsonLimits;

/// What is done with a body that carries a `Content-Encoding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentEncoding {
    /// It is refused as `unsupported_media_type`.
    #[default]
    Refuse,
    /// It is unpacked to be judged: gzip, deflate and br. What is forwarded stays packed.
    Unpack,
}

/// What is done with content that a document declares and that cannot be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unchecked {
    /// It is refused as `unsupported_media_type`.
    #[default]
    Refuse,
    /// It passes unchecked.
    Pass,
}

/// How strictly requests are judged where the document says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a choice of its own
pub struct Policy {
    /// Whether a query parameter that the document does not declare is a violation. Default `true`.
    pub undeclared_query: bool,
    /// Whether a body is a violation where the document declares none. Default `true`; otherwise such a body passes
    /// unchecked.
    pub undeclared_body: bool,
    /// Whether a parameter or cookie of a single value is a violation if it comes twice. Default `true`; otherwise every
    /// value it comes with is judged.
    pub repeated_parameters: bool,
    /// Whether an integer outside JSON has one spelling, `10`. Default `true`; otherwise `+10`, `010`, `1e1` and `10.0` are
    /// taken as the number they spell.
    pub strict_numbers: bool,
    /// What is done with a body that carries a `Content-Encoding`. Default: it is refused.
    pub content_encoding: ContentEncoding,
    /// Most bytes that a body is unpacked to, for [`ContentEncoding::Unpack`]. Default 1 MiB.
    pub max_unpacked_bytes: usize,
    /// Most bytes that a packed body may stand for, for each byte that came. Default 100. What unpacks to 64 KiB or less is
    /// not asked.
    pub max_unpack_ratio: u32,
    /// What is done with XML. Default: it is refused.
    pub xml: Unchecked,
    /// Whether a `readOnly` property in a request is a violation. Default `false`.
    pub read_only: bool,
    /// Deepest nesting of arrays and objects in a body. Default 64; values above [`Policy::DEEPEST`] count as that.
    pub max_depth: usize,
    /// Most array items, object members and form fields in one body, together. Default 10,000.
    pub max_members: usize,
    /// Most parameters in one query string. Default 1,000.
    pub max_query_parameters: usize,
    /// Most parts of one multipart body. Default 100.
    pub max_part_count: usize,
}

impl Policy {
    /// The deepest nesting that [`Policy::max_depth`] can ask for: judging a body recurses, so the stack sets a bound.
    pub const DEEPEST: usize = 256;

    pub(crate) fn judging(&self) -> Judging {
        Judging {
            limits: JsonLimits {
                max_depth: self.max_depth.min(Self::DEEPEST),
                max_members: self.max_members,
            },
            refuse_read_only: self.read_only,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            undeclared_query: true,
            undeclared_body: true,
            repeated_parameters: true,
            strict_numbers: true,
            content_encoding: ContentEncoding::Refuse,
            max_unpacked_bytes: 1024 * 1024,
            max_unpack_ratio: 100,
            xml: Unchecked::Refuse,
            read_only: false,
            max_depth: 64,
            max_members: 10_000,
            max_query_parameters: 1_000,
            max_part_count: 100,
        }
    }
}

/// Bounds on a document that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest document, in bytes. Default 32 MiB.
    pub max_bytes: usize,
    /// Deepest nesting of arrays and objects. Default 128; at most 256.
    pub max_depth: usize,
    /// Most nodes (scalars, arrays, objects) of a document, counted after the aliases of YAML are expanded. Default 5,000,000.
    pub max_nodes: usize,
    /// Most operations (method and path). Default 10,000.
    pub max_operations: usize,
    /// Whether responses are read too, for [`Operation::validate_response`](crate::Operation::validate_response). Default
    /// `false`: in many documents they are most of the text, and what is not judged costs no time and memory.
    pub responses: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 32 * 1024 * 1024,
            max_depth: 128,
            max_nodes: 5_000_000,
            max_operations: 10_000,
            responses: false,
        }
    }
}
