//! The checks of a document: one for each schema, compiled on first use and shared by all operations that name it.
//!
//! Lowering has found what is wrong with the schemas already, so compiling on first use cannot surprise; large documents
//! load fast, and what no request ever meets costs nothing.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::SchemaId;
use super::check::Check;
use super::program::compile;

/// The schemas of one document, for requests or for responses.
#[derive(Debug)]
pub(crate) struct Schemas {
    definitions: Vec<Value>,
    checks: Vec<OnceLock<Option<Check>>>,
    places: Vec<String>,
}

impl Schemas {
    /// Take lowered schemas and the place of each in the document.
    pub(crate) fn new(definitions: Vec<Value>, places: Vec<String>) -> Arc<Self> {
        let checks = definitions.iter().map(|_| OnceLock::new()).collect();
        Arc::new(Self {
            definitions,
            checks,
            places,
        })
    }

    /// The check of a schema; `None` if it does not compile, and then nothing conforms.
    pub(crate) fn check(&self, id: SchemaId) -> Option<&Check> {
        self.checks
            .get(id)?
            .get_or_init(|| self.compile(id).ok())
            .as_ref()
    }

    /// Compile a schema now.
    ///
    /// # Errors
    ///
    /// If it does not compile, with the reason.
    pub(crate) fn compile(&self, id: SchemaId) -> Result<Check, String> {
        compile::compile(&self.definitions, id).map(Check::new)
    }

    /// The place of a schema in the document.
    pub(crate) fn place(&self, id: SchemaId) -> &str {
        self.places.get(id).map_or("", String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.checks.len()
    }
}
