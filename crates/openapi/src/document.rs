//! Loading: text to operations, with every problem listed.

mod compile;
mod responses;
mod servers;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::operation::Operation;
use crate::operation::plan::Plan;
use crate::operation::response::Responses;
use crate::place;
use crate::policy::Limits;
use crate::problem::{self, Problem, Problems};
use crate::schema::lower::{Lowered, Version, is_supported_dialect};
use crate::schema::store::Schemas;
use crate::source::json::{self, JsonError, JsonErrorKind, JsonLimits, Step};
use crate::source::yaml::{self, YamlLimits};

pub use responses::ResponseSchemas;

/// A document that can be enforced.
pub struct Document {
    title: String,
    version: String,
    operations: Vec<DocumentOperation>,
    /// Path as in the document → methods.
    by_path: HashMap<String, Vec<(String, Operation)>>,
    schemas: Arc<Schemas>,
    /// `None`: they were not read.
    responses: Option<Arc<Responses>>,
}

/// A document and what will not be enforced of it.
#[derive(Debug)]
pub struct Loaded {
    /// The document.
    pub document: Document,
    /// What will not be enforced as written.
    pub warnings: Vec<Problem>,
    /// What is wrong with its responses, if they were read. A response's schema in which an error was found is not judged
    /// by; the rest of the response is.
    pub response_problems: Vec<Problem>,
}

/// An operation as it can be saved: one for each base path of its servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentOperation {
    /// The method, upper case.
    pub method: String,
    /// The key in the document's `paths`, byte for byte.
    pub path: String,
    /// Hosts of absolute server URLs, lower case, with the port if it is not the scheme's own; a label that varies reads
    /// `{hostVar1}`. Empty if the document names none.
    pub hosts: Vec<String>,
    /// Base path of the servers and path, variables renamed to `{var1}`, `{var2}`, … left to right.
    pub endpoint: String,
    /// The document's `operationId`.
    pub operation_id: Option<String>,
    /// The document's `summary`.
    pub summary: Option<String>,
    /// Whether the document calls the operation deprecated.
    pub deprecated: bool,
}

impl Document {
    /// `info.title`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The document's `openapi`, e.g. `3.0.3`.
    pub fn openapi_version(&self) -> &str {
        &self.version
    }

    /// All operations, in the order of paths; those of one path together. Of two that have the same method and endpoint
    /// only the first is listed; [`Document::find`] finds both by either.
    pub fn operations(&self) -> &[DocumentOperation] {
        &self.operations
    }

    /// The operation of a method (upper case) and a path, which is the key in the document's `paths`, byte for byte.
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let methods = self.by_path.get(path)?;
        methods
            .iter()
            .find(|(known, _)| known == method)
            .map(|(_, operation)| operation)
    }

    /// Compile every schema now instead of on first use.
    ///
    /// Loading has found what is wrong with the schemas, so this is for measuring and for those who would rather wait at
    /// the start. Returns how many schemas there are.
    ///
    /// # Errors
    ///
    /// If a schema does not compile: its place and the reason.
    pub fn compile_all(&self) -> Result<usize, String> {
        for id in 0..self.schemas.len() {
            if self.schemas.check(id).is_none() {
                let reason = self.schemas.compile(id).err().unwrap_or_default();
                return Err(format!("{}: {reason}", self.schemas.place(id)));
            }
        }
        Ok(self.schemas.len())
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("title", &self.title)
            .field("version", &self.version)
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}

/// Load an OpenAPI 3.0 or 3.1 document, JSON or YAML.
///
/// Schemas that no request can meet (callbacks, webhooks, responses unless [`Limits::responses`] is set) are not looked at.
///
/// # Errors
///
/// All problems found, the worst first, warnings included; those of responses refuse no document.
pub fn load(source: &[u8], limits: &Limits) -> Result<Loaded, Vec<Problem>> {
    let document = read(source, limits).map_err(|problem| vec![problem])?;
    let version = version(&document).map_err(|problem| vec![problem])?;
    let mut problems = Problems::default();
    if let Some(dialect) = document.get("jsonSchemaDialect")
        && version == Version::V31
        && !is_supported_dialect(dialect)
    {
        let message = "the JSON Schema dialect is not supported; leave `jsonSchemaDialect` out";
        problems.add(problem::DIALECT, ".jsonSchemaDialect", message);
    }
    let mut compiled = compile::compile(&document, version, limits, &mut problems);
    let warnings = problems.into_result()?;
    let schemas = Schemas::new(compiled.schemas.definitions, compiled.schemas.places);
    let (responses, response_problems) = limits
        .responses
        .then(|| compile::responses(&document, version, &mut compiled.plans))
        .unzip();
    let responses = responses.map(Arc::new);
    let mut by_path: HashMap<String, Vec<(String, Operation)>> = HashMap::new();
    let twins: Vec<Option<usize>> = compiled.plans.iter().map(|planned| planned.twin).collect();
    let mut keys = Vec::with_capacity(compiled.plans.len());
    let mut plans = Vec::with_capacity(compiled.plans.len());
    for Planned {
        path, method, plan, ..
    } in compiled.plans
    {
        keys.push((path, method));
        plans.push(Arc::new(plan));
    }
    for (number, (path, method)) in keys.into_iter().enumerate() {
        // Both of two equal endpoints are judged in the same order, whichever path is asked for.
        let mut numbers = vec![number];
        numbers.extend(twins[number]);
        numbers.sort_unstable();
        let own = numbers
            .into_iter()
            .map(|number| Arc::clone(&plans[number]))
            .collect();
        let operation = Operation::new(own, Arc::clone(&schemas), responses.clone());
        by_path.entry(path).or_default().push((method, operation));
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let document = Document {
        title: text(document.pointer("/info/title")),
        version: text(document.get("openapi")),
        operations: compiled.operations,
        by_path,
        schemas,
        responses,
    };
    Ok(Loaded {
        document,
        warnings,
        response_problems: response_problems.unwrap_or_default(),
    })
}

/// Deepest nesting that [`Limits::max_depth`] can ask for: reading and lowering recurse.
const DEEPEST: usize = 256;

/// Reads a document, JSON or YAML, and gives it as JSON; nothing of `OpenAPI` is checked.
///
/// # Errors
///
/// If the text cannot be read, or is over the limits.
pub fn to_json(source: &[u8], limits: &Limits) -> Result<Value, Problem> {
    let mut document = read(source, limits)?;
    json::round(&mut document, &mut String::new(), &mut |_, _| {});
    Ok(document)
}

/// Reads a document, JSON or YAML; numbers that `serde_json` cannot hold are kept as their spelling.
fn read(source: &[u8], limits: &Limits) -> Result<Value, Problem> {
    if source.len() > limits.max_bytes {
        let message = format!(
            "the document has {} bytes; at most {} are read",
            source.len(),
            limits.max_bytes
        );
        return Err(Problem::new(problem::TOO_LARGE, message));
    }
    // Many editors begin a file with a byte order mark; in a document, unlike in a request, it means nothing.
    let source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
    let max_depth = limits.max_depth.min(DEEPEST);
    let unreadable = |message: String| Problem::new(problem::UNREADABLE, message);
    let begins_as_json = source
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| matches!(byte, b'{' | b'['));
    if begins_as_json {
        let error = match json::parse(
            source,
            JsonLimits {
                max_depth,
                max_members: limits.max_nodes,
            },
        ) {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        // YAML's own braces look like JSON at first sight.
        let yaml = matches!(error.kind, JsonErrorKind::Syntax(_))
            .then(|| std::str::from_utf8(source).ok())
            .flatten()
            .and_then(|text| {
                yaml::parse(
                    text,
                    YamlLimits {
                        max_depth,
                        max_nodes: limits.max_nodes,
                    },
                )
                .ok()
            });
        return yaml.ok_or_else(|| unreadable(describe(&error, source, limits, max_depth)));
    }
    let text = std::str::from_utf8(source).map_err(|error| {
        let line = line_of(&source[..error.valid_up_to()]);
        unreadable(format!("line {line}: the document is not UTF-8"))
    })?;
    yaml::parse(
        text,
        YamlLimits {
            max_depth,
            max_nodes: limits.max_nodes,
        },
    )
    .map_err(|error| {
        unreadable(format!(
            "line {}, column {}: {}",
            error.line, error.column, error.message
        ))
    })
}

fn describe(error: &JsonError, source: &[u8], limits: &Limits, max_depth: usize) -> String {
    let before = &source[..error.offset.min(source.len())];
    let line = line_of(before);
    let column = 1 + before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    let what = match error.kind {
        JsonErrorKind::Syntax(expected) => format!("not JSON: {expected}"),
        JsonErrorKind::InvalidUtf8 => "the document is not UTF-8".to_owned(),
        JsonErrorKind::LoneSurrogate => "half of a surrogate pair in a string".to_owned(),
        JsonErrorKind::Duplicate => "the member name appears twice in one object".to_owned(),
        JsonErrorKind::TooDeep => format!("nesting is deeper than {max_depth}"),
        JsonErrorKind::TooManyMembers => {
            format!("the document has more than {} nodes", limits.max_nodes)
        }
    };
    let mut place = String::new();
    for step in error.path() {
        match step {
            Step::Key(key) => place::push_key(&mut place, key),
            Step::Index(index) => place::push_index(&mut place, *index),
        }
    }
    let within = if place.is_empty() {
        String::new()
    } else {
        format!(" at {place}")
    };
    format!("line {line}, column {column}{within}: {what}")
}

/// The number of the line that `before` leads to, from 1.
fn line_of(before: &[u8]) -> usize {
    before.split(|byte| *byte == b'\n').count()
}

fn version(document: &Value) -> Result<Version, Problem> {
    let Some(root) = document.as_object() else {
        return Err(Problem::new(
            problem::NOT_OPENAPI,
            "the document is not an object with `openapi`, `info` and `paths`",
        ));
    };
    if root.contains_key("swagger") {
        let message = "Swagger 2.0 is not supported; convert the document to OpenAPI 3.0, for example with swagger2openapi";
        return Err(Problem::new(problem::VERSION, message));
    }
    let Some(openapi) = root.get("openapi") else {
        return Err(Problem::new(
            problem::NOT_OPENAPI,
            "the document has no `openapi`, e.g. `openapi: 3.1.0`",
        ));
    };
    let openapi = openapi.as_str().unwrap_or_default();
    let version = match openapi.split('.').collect::<Vec<_>>()[..] {
        ["3", "0", ..] => Some(Version::V30),
        ["3", "1", ..] => Some(Version::V31),
        _ => None,
    };
    let shown: String = openapi.chars().take(20).collect();
    version.ok_or_else(|| {
        Problem::new(
            problem::VERSION,
            format!("OpenAPI `{shown}` is not supported; 3.0.x and 3.1.x are"),
        )
    })
}

/// What compiling a document gives.
struct Compiled {
    operations: Vec<DocumentOperation>,
    plans: Vec<Planned>,
    schemas: Lowered,
}

/// The plan of one operation of the document.
struct Planned {
    path: String,
    method: String,
    /// Where the operation is.
    pointer: String,
    plan: Plan,
    /// The number of the plan of the same method and endpoint, if there is one.
    twin: Option<usize>,
}
