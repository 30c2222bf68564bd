//! The checks of a document: one for each schema, compiled on first use and shared by all operations that name it.
//!
//! Lowering has found what is wrong with the schemas already, so compiling on first use cannot surprise; large documents
//! load fast, and what no request ever meets costs nothing.

use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, PatternOptions, Registry, ValidationOptions, Validator};
use serde_json::{Value, json};

use super::SchemaId;
use super::format::{self, NumericFormat};

/// Names the lowered document inside the registry; it is never fetched.
const BASE: &str = "urn:hauberk:document";

/// How many steps a pattern with backreferences or lookaround may take back before it counts as not matching.
const BACKTRACK_LIMIT: usize = 100_000;

/// The schemas of one document.
pub(crate) struct Schemas {
    registry: Registry<'static>,
    checks: Vec<OnceLock<Option<Validator>>>,
    places: Vec<String>,
}

impl Schemas {
    /// Take lowered schemas and the place of each in the document.
    ///
    /// # Errors
    ///
    /// If the schemas cannot be indexed, with the reason.
    pub(crate) fn new(definitions: Vec<Value>, places: Vec<String>) -> Result<Arc<Self>, String> {
        let checks = definitions.iter().map(|_| OnceLock::new()).collect();
        let numbered: serde_json::Map<String, Value> = definitions
            .into_iter()
            .enumerate()
            .map(|(number, schema)| (number.to_string(), schema))
            .collect();
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(BASE, json!({"$defs": numbered}))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(Self {
            registry,
            checks,
            places,
        }))
    }

    /// The check of a schema; `None` if it does not compile, and then nothing conforms.
    pub(crate) fn check(&self, id: SchemaId) -> Option<&Validator> {
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
    pub(crate) fn compile(&self, id: SchemaId) -> Result<Validator, String> {
        let schema = json!({"$ref": format!("{BASE}#/$defs/{id}")});
        options()
            .with_registry(&self.registry)
            .build(&schema)
            .map_err(|error| error.to_string())
    }

    /// The place of a schema in the document.
    pub(crate) fn place(&self, id: SchemaId) -> &str {
        self.places.get(id).map_or("", String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.checks.len()
    }
}

fn options<'i>() -> ValidationOptions<'i> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
        .with_format("byte", format::is_base64)
        .with_keyword(format::NUMERIC_KEYWORD, |_, value, _| {
            Ok(Box::new(NumericFormat::new(
                value.as_str().unwrap_or_default(),
            )))
        })
}

/// What is wrong with a pattern, asked of the engine that will match it.
pub(crate) fn pattern_fault(pattern: &str) -> Option<String> {
    options()
        .build(&json!({"pattern": pattern}))
        .err()
        .map(|error| error.to_string())
}
