//! Bounds and choices where OpenAPI is silent.

/// How strictly requests are judged where the document says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a query parameter that the document does not declare is a violation. Default `true`.
    pub undeclared_query: bool,
    /// Deepest nesting of arrays and objects in a body. Default 64; values above [`Policy::DEEPEST`] count as that.
    pub max_depth: usize,
    /// Most array items, object members and form fields in one body, together. Default 10,000.
    pub max_members: usize,
    /// Most parameters in one query string. Default 1,000.
    pub max_query_parameters: usize,
}

impl Policy {
    /// The deepest nesting that [`Policy::max_depth`] can ask for: judging a body recurses, so the stack sets a bound.
    pub const DEEPEST: usize = 256;
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            undeclared_query: true,
            max_depth: 64,
            max_members: 10_000,
            max_query_parameters: 1_000,
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 32 * 1024 * 1024,
            max_depth: 128,
            max_nodes: 5_000_000,
            max_operations: 10_000,
        }
    }
}
