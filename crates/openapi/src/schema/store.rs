//! The checks of a document: one for each schema, compiled on first use and shared by all operations that name it.
//!
//! Lowering has found what is wrong with the schemas already, so compiling on first use cannot surprise; large documents
//! load fast, and what no request ever meets costs nothing.

use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, PatternOptions, Registry, Retrieve, ValidationOptions};
use serde_json::{Value, json};

use super::SchemaId;
use super::check::Check;
use super::format::{self, Backtracking, NumericFormat};
use super::meter::Metered;

/// Names the lowered document inside the registry; it is never fetched.
const BASE: &str = "urn:hauberk:document";

/// The schemas of one document.
pub(crate) struct Schemas {
    registry: Registry<'static>,
    checks: Vec<OnceLock<Option<Check>>>,
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
        let schema = json!({"$ref": format!("{BASE}#/$defs/{id}")});
        options()
            .with_registry(&self.registry)
            .build(&schema)
            .map(Check::new)
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

fn options<'i>() -> ValidationOptions<'i, Arc<dyn Retrieve>, Metered> {
    ValidationOptions::default()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        // Names of members only: a `pattern` that takes steps back has a keyword of its own.
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(format::FEW_STEPS_BACK))
        .with_format("byte", format::is_base64)
        .with_keyword(format::NUMERIC_KEYWORD, |_, value, _| {
            Ok(Box::new(NumericFormat::new(
                value.as_str().unwrap_or_default(),
            )))
        })
        .with_keyword(format::BACKTRACKING_KEYWORD, |_, value, _| {
            Ok(Box::new(Backtracking::new(
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

/// Whether matching a pattern can take steps back, because it is none for the engine that never does.
pub(crate) fn takes_steps_back(pattern: &str) -> bool {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(&json!({"pattern": pattern}))
        .is_err()
}
