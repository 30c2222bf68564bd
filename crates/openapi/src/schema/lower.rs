//! From the schemas of a document to JSON Schema 2020-12.
//!
//! OpenAPI 3.0 schemas follow JSON Schema draft 4 with changes of their own (`nullable`, boolean `exclusiveMinimum`,
//! nothing beside `$ref`); 3.1 is 2020-12. Both come out as one plain form: annotations are gone, every keyword has a value
//! it can have, every `$ref` reads `#/$defs/<number>`. Requests and responses are lowered apart: `required` means other
//! properties there, and what is wrong with a response refuses nobody's document. `1.0` counts as an integer in both versions.

mod circle;
mod discriminator;
mod exact;
mod fault;
mod keyword;
mod one_way;
mod scope;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

pub(crate) use self::fault::unusable;
use self::scope::{ScopeId, Scopes};
use super::SchemaId;
use crate::problem::{self, Problems};
use crate::reference::{Names, ReferenceError, place_of, push_token};

/// The OpenAPI version, as far as schemas care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V30,
    V31,
}

/// Which way the values go that schemas are lowered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// Lowered schemas.
pub(crate) struct Lowered {
    pub(crate) definitions: Vec<Value>,
    /// The place of each in the document.
    pub(crate) places: Vec<String>,
    /// Those that an error was found in.
    pub(crate) faulty: Vec<SchemaId>,
}

/// Keywords that only describe, in both versions.
const ANNOTATIONS: &[&str] = &[
    "title",
    "description",
    "default",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "$comment",
    "$schema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$vocabulary",
    "$defs",
    "definitions",
    "id",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// Keywords of later drafts, which have no meaning in OpenAPI 3.0.
const LATER: &[&str] = &[
    "const",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
];

const TYPES: &[&str] = &[
    "null", "boolean", "integer", "number", "string", "array", "object",
];

/// Lowers schemas as they are asked for.
pub(crate) struct Lowering<'d> {
    document: &'d Value,
    version: Version,
    direction: Direction,
    names: Names,
    /// The same schema in two dynamic scopes is two definitions.
    numbers: HashMap<(String, ScopeId), SchemaId>,
    definitions: Vec<Value>,
    pointers: Vec<String>,
    scoped: Vec<ScopeId>,
    scopes: Scopes,
    /// The dynamic scope of the schema that is being lowered.
    scope: ScopeId,
    /// How many of `definitions` are lowered; the rest wait, so that long chains of references keep the stack flat.
    done: usize,
    /// Definitions that an error was found in.
    faulty: Vec<SchemaId>,
    /// Patterns and what is wrong with them.
    patterns: HashMap<String, Option<String>>,
}

impl<'d> Lowering<'d> {
    pub(crate) fn new(document: &'d Value, version: Version, direction: Direction) -> Self {
        let names = if version == Version::V31 {
            Names::of(document)
        } else {
            Names::default()
        };
        Self {
            document,
            version,
            direction,
            names,
            numbers: HashMap::new(),
            definitions: Vec::new(),
            pointers: Vec::new(),
            scoped: Vec::new(),
            scopes: Scopes::default(),
            scope: ScopeId::default(),
            done: 0,
            faulty: Vec::new(),
            patterns: HashMap::new(),
        }
    }

    /// The number of the schema at `pointer`, lowered with everything it refers to.
    pub(crate) fn schema(&mut self, pointer: &str, problems: &mut Problems) -> SchemaId {
        self.scope = ScopeId::default();
        let mut id = self.number(pointer);
        while self.done < self.definitions.len() {
            let pointer = self.pointers[self.done].clone();
            self.scope = self.scoped[self.done];
            let schema = self.document.pointer(&pointer).unwrap_or(&Value::Null);
            let errors = problems.errors();
            let lowered = self.lower(schema, &mut pointer.clone(), problems);
            self.definitions[self.done] = lowered;
            if problems.errors() > errors {
                self.faulty.push(self.done);
            }
            self.done += 1;
        }
        // A schema that is nothing but a reference is the schema it refers to: both share one compiled check.
        for _ in 0..self.definitions.len() {
            let next = self.definitions[id]
                .as_object()
                .filter(|schema| schema.len() == 1)
                .and_then(|schema| reference_number(schema.get("$ref")?));
            match next {
                Some(next) => id = next,
                None => break,
            }
        }
        id
    }

    /// Number a lowered schema that is a part of another; `pointer` is where people find it.
    pub(crate) fn part(&mut self, lowered: Value, pointer: &str) -> SchemaId {
        self.definitions.push(lowered);
        self.pointers.push(pointer.to_owned());
        self.scoped.push(ScopeId::default());
        self.done = self.definitions.len();
        self.definitions.len() - 1
    }

    /// The lowered schemas so far.
    pub(crate) fn definitions(&self) -> &[Value] {
        &self.definitions
    }

    /// The lowered schemas.
    pub(crate) fn finish(mut self, problems: &mut Problems) -> Lowered {
        let places: Vec<String> = self
            .pointers
            .iter()
            .map(|pointer| place_of(self.document, pointer))
            .collect();
        let circles = circle::find_circles(&self.definitions, &places, problems);
        self.faulty.extend(circles);
        Lowered {
            definitions: self.definitions,
            places,
            faulty: self.faulty,
        }
    }

    /// The number of the schema at `pointer`, when it is entered from the one that is being lowered.
    fn number(&mut self, pointer: &str) -> SchemaId {
        let scope = self.scopes.within(self.scope, pointer, &self.names);
        let key = (pointer.to_owned(), scope);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.definitions.len();
        self.numbers.insert(key, number);
        self.definitions.push(Value::Bool(true));
        self.pointers.push(pointer.to_owned());
        self.scoped.push(scope);
        number
    }

    fn place(&self, pointer: &str) -> String {
        place_of(self.document, pointer)
    }

    fn is_v30(&self) -> bool {
        self.version == Version::V30
    }

    fn lower(&mut self, schema: &Value, pointer: &mut String, problems: &mut Problems) -> Value {
        let schema = match schema {
            Value::Bool(whole) => return Value::Bool(*whole),
            Value::Object(schema) => schema,
            _ => {
                problems.add(
                    problem::KEYWORD,
                    self.place(pointer),
                    "a schema is an object",
                );
                return Value::Bool(true);
            }
        };
        let (schema, exact) = exact::rounded(schema);
        let outer = self.scope;
        if schema.contains_key("$id") {
            self.scope = self.scopes.within(outer, pointer, &self.names);
        }
        let lowered = self.lower_object(&schema, exact, pointer, problems);
        self.scope = outer;
        lowered
    }

    fn lower_object(
        &mut self,
        schema: &Map<String, Value>,
        exact: Map<String, Value>,
        pointer: &mut String,
        problems: &mut Problems,
    ) -> Value {
        let mut out = Map::new();
        if let Some(reference) = schema.get("$ref") {
            let target = self.reference(reference, pointer, problems);
            if self.is_v30() {
                self.note_ignored_siblings(schema, pointer, problems);
                return target;
            }
            if let Value::Object(target) = target {
                out.extend(target);
            }
        }
        for (keyword, value) in schema {
            let length = pointer.len();
            push_token(pointer, keyword);
            self.keyword(schema, keyword, value, pointer, &mut out, problems);
            pointer.truncate(length);
        }
        if let Some(value @ Value::Object(_)) = schema.get("type") {
            let length = pointer.len();
            push_token(pointer, "type");
            let message = "a schema as `type` belongs to JSON Schema draft 3; it is read as there";
            problems.add(
                problem::KEYWORD_OF_OTHER_VERSION,
                self.place(pointer),
                message,
            );
            let lowered = self.lower(value, pointer, problems);
            pointer.truncate(length);
            match out.get_mut("allOf") {
                Some(Value::Array(branches)) => branches.push(lowered),
                _ => {
                    out.insert("allOf".to_owned(), json!([lowered]));
                }
            }
        }
        if self.is_v30() {
            self.nullable(schema, &mut out, pointer, problems);
        } else if let Some(reference) = schema.get("$dynamicRef") {
            self.dynamic_reference(reference, &mut out, pointer, problems);
        }
        if !exact.is_empty() {
            exact::insert(exact, schema, &mut out);
        }
        self.one_way(schema, pointer, &mut out);
        self.discriminator(schema, pointer, &mut out);
        Value::Object(out)
    }

    fn note_ignored_siblings(
        &self,
        schema: &Map<String, Value>,
        pointer: &str,
        problems: &mut Problems,
    ) {
        let ignored = schema.keys().any(|keyword| {
            keyword != "$ref"
                && keyword != "nullable"
                && !ANNOTATIONS.contains(&keyword.as_str())
                && !keyword.starts_with("x-")
        });
        if ignored {
            let message = "OpenAPI 3.0 ignores what stands beside `$ref`; put the reference into `allOf` to combine them";
            problems.add(problem::BESIDE_REFERENCE, self.place(pointer), message);
        }
    }

    fn reference(&mut self, reference: &Value, pointer: &str, problems: &mut Problems) -> Value {
        let place = self.place(pointer);
        let Some(reference) = reference.as_str() else {
            problems.add(problem::KEYWORD, place, "`$ref` is text");
            return Value::Bool(true);
        };
        let target = self.names.resolve(reference, pointer).and_then(|target| {
            let found = self.document.pointer(&target).is_some();
            if found {
                Ok(target)
            } else {
                Err(ReferenceError::Dangling)
            }
        });
        match target {
            Ok(target) => json!({"$ref": format!("#/$defs/{}", self.number(&target))}),
            Err(error) => {
                report_reference(error, reference, place, problems);
                Value::Bool(true)
            }
        }
    }

    fn keyword(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        value: &Value,
        pointer: &mut String,
        out: &mut Map<String, Value>,
        problems: &mut Problems,
    ) {
        if self.is_v30() && LATER.contains(&keyword) {
            self.without_meaning(keyword, "3.0", "3.1 has it", pointer, problems);
            return;
        }
        let lowered = match keyword {
            // A schema in the place of a type is dealt with by the caller.
            "type" if value.is_object() => None,
            "type" => self.types(value, pointer, problems),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                self.schema_list(keyword, value, pointer, problems)
            }
            "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "items"
            | "additionalProperties"
            | "unevaluatedItems"
            | "unevaluatedProperties" => Some(self.lower(value, pointer, problems)),
            "properties" | "patternProperties" | "dependentSchemas" => {
                self.schema_map(keyword, value, pointer, problems)
            }
            "required" => self.required(value, pointer, problems),
            "dependentRequired" => self.dependent_required(value, pointer, problems),
            "enum" => self.check(
                value.as_array().is_some_and(|values| !values.is_empty()),
                value,
                pointer,
                "a list of values",
                problems,
            ),
            "const" => Some(value.clone()),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" | "minContains" | "maxContains" => {
                self.count(value, pointer, problems)
            }
            "minimum" | "maximum" => {
                let exclusive = if keyword == "minimum" {
                    "exclusiveMinimum"
                } else {
                    "exclusiveMaximum"
                };
                // The exclusive form stands for both, see `exclusive`.
                if schema.get(exclusive) == Some(&Value::Bool(true)) {
                    return;
                }
                self.check(value.is_number(), value, pointer, "a number", problems)
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {
                self.exclusive(schema, keyword, value, pointer, problems)
            }
            "multipleOf" => {
                let positive = value.as_f64().is_some_and(|number| number > 0.0);
                self.check(positive, value, pointer, "a number above 0", problems)
            }
            "uniqueItems" => self.check(
                value.is_boolean(),
                value,
                pointer,
                "`true` or `false`",
                problems,
            ),
            "pattern" => {
                self.pattern(value, pointer, out, problems);
                None
            }
            "format" => {
                self.format(value, pointer, out, problems);
                None
            }
            "nullable" if !self.is_v30() => {
                let advice = "add \"null\" to `type`";
                self.without_meaning(keyword, "3.1", advice, pointer, problems);
                None
            }
            "dependencies" => {
                let advice = "3.1 has `dependentRequired` and `dependentSchemas`";
                self.without_meaning(keyword, "3", advice, pointer, problems);
                None
            }
            // `$ref`, `$dynamicRef` and `nullable` are dealt with by the caller; annotations and unknown keywords say nothing to check.
            _ => {
                if keyword == "$schema" {
                    self.dialect(value, pointer, problems);
                }
                None
            }
        };
        if let Some(lowered) = lowered {
            out.insert(keyword.to_owned(), lowered);
        }
    }
}

/// Whether schemas of this dialect mean what OpenAPI 3.1 says.
pub(crate) fn is_supported_dialect(dialect: &Value) -> bool {
    dialect.as_str().is_some_and(|dialect| {
        let dialect = dialect.trim_end_matches('#');
        dialect == "https://json-schema.org/draft/2020-12/schema"
            || dialect.starts_with("https://spec.openapis.org/oas/3.1/dialect/")
    })
}

/// Say what is wrong with a reference and what would be right.
pub(crate) fn report_reference(
    error: ReferenceError,
    reference: &str,
    place: String,
    problems: &mut Problems,
) {
    let reference: String = reference.chars().take(200).collect();
    match error {
        ReferenceError::External => problems.add(
            problem::EXTERNAL_REFERENCE,
            place,
            format!("`{reference}` leads outside the document; bundle the files into one document"),
        ),
        ReferenceError::Dangling => {
            problems.add(
                problem::DANGLING_REFERENCE,
                place,
                format!("`{reference}` leads nowhere"),
            );
        }
        ReferenceError::Circular => {
            problems.add(
                problem::CIRCULAR_REFERENCE,
                place,
                format!("`{reference}` leads back to itself"),
            );
        }
    }
}

fn reference_number(reference: &Value) -> Option<SchemaId> {
    reference.as_str()?.strip_prefix("#/$defs/")?.parse().ok()
}
