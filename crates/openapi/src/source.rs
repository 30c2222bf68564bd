//! Text to tree: the strict JSON parser that documents and bodies share, and the YAML reader for documents.

pub(crate) mod json;
pub(crate) mod yaml;
