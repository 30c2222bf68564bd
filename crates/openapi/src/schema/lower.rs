//! From the schemas of a document to JSON Schema 2020-12.
//!
//! OpenAPI 3.0 schemas follow JSON Schema draft 4 with changes of their own (`nullable`, boolean `exclusiveMinimum`,
//! nothing beside `$ref`); 3.1 is 2020-12. Both come out as one plain form: annotations are gone, every keyword has a value
//! it can have, every `$ref` reads `#/$defs/<number>`. Only schemas that requests can meet are lowered, so what is wrong
//! with a response refuses nobody's document. `1.0` counts as an integer in both versions.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{SchemaId, format, store};
use crate::problem::{self, Problems};
use crate::reference::{Names, ReferenceError, child, place_of, push_token};

/// The OpenAPI version, as far as schemas care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V30,
    V31,
}

/// Keywords that only describe, in both versions.
const ANNOTATIONS: &[&str] = &[
    "title", "description", "default", "example", "examples", "externalDocs", "xml", "deprecated", "readOnly", "writeOnly",
    "discriminator", "$comment", "$schema", "$id", "$anchor", "$dynamicAnchor", "$vocabulary", "$defs", "definitions", "id",
    "contentEncoding", "contentMediaType", "contentSchema",
];

/// Keywords of later drafts, which have no meaning in OpenAPI 3.0.
const LATER: &[&str] = &[
    "const", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames", "prefixItems",
    "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties",
];

const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];

/// Lowers schemas as they are asked for.
pub(crate) struct Lowering<'d> {
    document: &'d Value,
    version: Version,
    names: Names,
    numbers: HashMap<String, SchemaId>,
    definitions: Vec<Value>,
    pointers: Vec<String>,
    /// How many of `definitions` are lowered; the rest wait, so that long chains of references keep the stack flat.
    done: usize,
    patterns: HashMap<String, Option<String>>,
}

impl<'d> Lowering<'d> {
    pub(crate) fn new(document: &'d Value, version: Version) -> Self {
        let names = if version == Version::V31 { Names::of(document) } else { Names::default() };
        Self {
            document,
            version,
            names,
            numbers: HashMap::new(),
            definitions: Vec::new(),
            pointers: Vec::new(),
            done: 0,
            patterns: HashMap::new(),
        }
    }

    /// The number of the schema at `pointer`, lowered with everything it refers to.
    pub(crate) fn schema(&mut self, pointer: &str, problems: &mut Problems) -> SchemaId {
        let mut id = self.number(pointer);
        while self.done < self.definitions.len() {
            let pointer = self.pointers[self.done].clone();
            let schema = self.document.pointer(&pointer).unwrap_or(&Value::Null);
            let lowered = self.lower(schema, &mut pointer.clone(), problems);
            self.definitions[self.done] = lowered;
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
        self.done = self.definitions.len();
        self.definitions.len() - 1
    }

    /// The lowered schemas so far.
    pub(crate) fn definitions(&self) -> &[Value] {
        &self.definitions
    }

    /// The lowered schemas and the place of each in the document.
    pub(crate) fn finish(self, problems: &mut Problems) -> (Vec<Value>, Vec<String>) {
        let places: Vec<String> = self.pointers.iter().map(|pointer| place_of(self.document, pointer)).collect();
        find_circles(&self.definitions, &places, problems);
        (self.definitions, places)
    }

    fn number(&mut self, pointer: &str) -> SchemaId {
        if let Some(number) = self.numbers.get(pointer) {
            return *number;
        }
        let number = self.definitions.len();
        self.numbers.insert(pointer.to_owned(), number);
        self.definitions.push(Value::Bool(true));
        self.pointers.push(pointer.to_owned());
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
                problems.add(problem::KEYWORD, self.place(pointer), "a schema is an object");
                return Value::Bool(true);
            }
        };
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
        if self.is_v30() {
            self.nullable(schema, &mut out, pointer, problems);
        }
        Value::Object(out)
    }

    fn note_ignored_siblings(&self, schema: &Map<String, Value>, pointer: &str, problems: &mut Problems) {
        let ignored = schema.keys().any(|keyword| {
            keyword != "$ref" && keyword != "nullable" && !ANNOTATIONS.contains(&keyword.as_str()) && !keyword.starts_with("x-")
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
            if found { Ok(target) } else { Err(ReferenceError::Dangling) }
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
            let message = format!("`{keyword}` has no meaning in OpenAPI 3.0 and is ignored; OpenAPI 3.1 has it");
            problems.add(problem::KEYWORD_WITHOUT_MEANING, self.place(pointer), message);
            return;
        }
        let lowered = match keyword {
            "type" => self.types(value, pointer, problems),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.schema_list(keyword, value, pointer, problems),
            "not" | "if" | "then" | "else" | "contains" | "propertyNames" | "items" | "additionalProperties"
            | "unevaluatedItems" | "unevaluatedProperties" => Some(self.lower(value, pointer, problems)),
            "properties" | "patternProperties" | "dependentSchemas" => self.schema_map(keyword, value, pointer, problems),
            "required" => self.required(value, pointer, problems),
            "dependentRequired" => self.dependent_required(value, pointer, problems),
            "enum" => self.check(value.as_array().is_some_and(|values| !values.is_empty()), value, pointer, "a list of values", problems),
            "const" => Some(value.clone()),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
            | "maxContains" => self.count(value, pointer, problems),
            "minimum" | "maximum" => {
                let exclusive = if keyword == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
                // The exclusive form stands for both, see `exclusive`.
                if schema.get(exclusive) == Some(&Value::Bool(true)) {
                    return;
                }
                self.check(value.is_number(), value, pointer, "a number", problems)
            }
            "exclusiveMinimum" | "exclusiveMaximum" => self.exclusive(schema, keyword, value, pointer, problems),
            "multipleOf" => {
                let positive = value.as_f64().is_some_and(|number| number > 0.0);
                self.check(positive, value, pointer, "a number above 0", problems)
            }
            "uniqueItems" => self.check(value.is_boolean(), value, pointer, "`true` or `false`", problems),
            "pattern" => self.pattern(value, pointer, problems),
            "format" => {
                match value.as_str() {
                    Some(name) => {
                        if let Some(asserted) = format::keyword_of(name) {
                            out.insert(asserted.to_owned(), value.clone());
                        }
                    }
                    None => problems.add(problem::KEYWORD, self.place(pointer), "`format` is text"),
                }
                None
            }
            "$dynamicRef" => {
                self.dynamic_reference(value, pointer, out, problems);
                None
            }
            "nullable" if !self.is_v30() => {
                let message = "`nullable` has no meaning in OpenAPI 3.1 and is ignored; add \"null\" to `type`";
                problems.add(problem::KEYWORD_WITHOUT_MEANING, self.place(pointer), message);
                None
            }
            "dependencies" => {
                let message = "`dependencies` is ignored; OpenAPI 3.1 has `dependentRequired` and `dependentSchemas`";
                problems.add(problem::KEYWORD_WITHOUT_MEANING, self.place(pointer), message);
                None
            }
            // `$ref` and `nullable` are dealt with by the caller; annotations and unknown keywords say nothing to check.
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

    fn check(&self, fits: bool, value: &Value, pointer: &str, wanted: &str, problems: &mut Problems) -> Option<Value> {
        if fits {
            return Some(value.clone());
        }
        let keyword = pointer.rsplit('/').next().unwrap_or_default();
        problems.add(problem::KEYWORD, self.place(pointer), format!("`{keyword}` is {wanted}"));
        None
    }

    fn types(&self, value: &Value, pointer: &str, problems: &mut Problems) -> Option<Value> {
        let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
        match value {
            Value::Array(names) => {
                if self.is_v30() {
                    let message = "a list of types belongs to OpenAPI 3.1; it is read as there";
                    problems.add(problem::KEYWORD_OF_OTHER_VERSION, self.place(pointer), message);
                }
                let fits = !names.is_empty() && names.iter().all(known);
                self.check(fits, value, pointer, "a list of JSON types", problems)
            }
            Value::String(name) if name == "null" && self.is_v30() => {
                let message = "the type `null` belongs to OpenAPI 3.1; it is read as there";
                problems.add(problem::KEYWORD_OF_OTHER_VERSION, self.place(pointer), message);
                Some(value.clone())
            }
            _ => self.check(known(value), value, pointer, "one of boolean, integer, number, string, array, object", problems),
        }
    }

    fn schema_list(&mut self, keyword: &str, value: &Value, pointer: &mut String, problems: &mut Problems) -> Option<Value> {
        let Some(branches) = value.as_array() else {
            return self.check(false, value, pointer, "a list of schemas", problems);
        };
        if branches.is_empty() {
            let message = format!("an empty `{keyword}` is ignored");
            problems.add(problem::IGNORED, self.place(pointer), message);
            return None;
        }
        let mut lowered = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let length = pointer.len();
            push_token(pointer, &index.to_string());
            lowered.push(self.lower(branch, pointer, problems));
            pointer.truncate(length);
        }
        Some(Value::Array(lowered))
    }

    fn schema_map(&mut self, keyword: &str, value: &Value, pointer: &mut String, problems: &mut Problems) -> Option<Value> {
        let Some(members) = value.as_object() else {
            return self.check(false, value, pointer, "an object of schemas", problems);
        };
        let mut lowered = Map::new();
        for (name, member) in members {
            let length = pointer.len();
            push_token(pointer, name);
            if keyword == "patternProperties" {
                self.check_pattern(name, pointer, problems);
            }
            let schema = self.lower(member, pointer, problems);
            pointer.truncate(length);
            lowered.insert(name.clone(), schema);
        }
        Some(Value::Object(lowered))
    }

    fn required(&self, value: &Value, pointer: &str, problems: &mut Problems) -> Option<Value> {
        match value {
            // A habit from draft 3, where a property said of itself that it is required.
            Value::Bool(_) => {
                let message = "`required` of a schema lists property names; `true` and `false` are ignored";
                problems.add(problem::KEYWORD_WITHOUT_MEANING, self.place(pointer), message);
                None
            }
            _ => self.check(is_text_list(value), value, pointer, "a list of property names", problems),
        }
    }

    fn dependent_required(&self, value: &Value, pointer: &str, problems: &mut Problems) -> Option<Value> {
        let fits = value.as_object().is_some_and(|lists| lists.values().all(is_text_list));
        self.check(fits, value, pointer, "an object of lists of property names", problems)
    }

    fn count(&self, value: &Value, pointer: &str, problems: &mut Problems) -> Option<Value> {
        let count = value.as_u64().or_else(|| {
            let number = value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0 && *number < 9e15)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole and within range, just checked
            Some(number as u64)
        });
        match count {
            Some(count) => Some(count.into()),
            None => self.check(false, value, pointer, "a whole number, 0 or more", problems),
        }
    }

    fn exclusive(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        let inclusive = if keyword == "exclusiveMinimum" { "minimum" } else { "maximum" };
        let foreign = if self.is_v30() { value.is_number() } else { value.is_boolean() };
        if foreign {
            let form = if self.is_v30() { "a number" } else { "a boolean" };
            let message = format!("`{keyword}` as {form} is the form of another OpenAPI version; it is read as there");
            problems.add(problem::KEYWORD_OF_OTHER_VERSION, self.place(pointer), message);
        }
        match value {
            Value::Bool(true) => schema.get(inclusive).filter(|bound| bound.is_number()).cloned(),
            Value::Bool(false) => None,
            _ => self.check(value.is_number(), value, pointer, "a boolean in OpenAPI 3.0, a number in 3.1", problems),
        }
    }

    fn pattern(&mut self, value: &Value, pointer: &str, problems: &mut Problems) -> Option<Value> {
        let Some(pattern) = value.as_str() else {
            return self.check(false, value, pointer, "text", problems);
        };
        self.check_pattern(pattern, pointer, problems).then(|| value.clone())
    }

    fn check_pattern(&mut self, pattern: &str, pointer: &str, problems: &mut Problems) -> bool {
        let fault = self.patterns.entry(pattern.to_owned()).or_insert_with(|| store::pattern_fault(pattern));
        if let Some(fault) = fault {
            let message = format!("the pattern cannot be used: {fault}");
            problems.add(problem::PATTERN, self.place(pointer), message);
            return false;
        }
        true
    }

    fn dynamic_reference(&mut self, value: &Value, pointer: &str, out: &mut Map<String, Value>, problems: &mut Problems) {
        let anchor = value.as_str().and_then(|reference| reference.rsplit_once('#')).map(|(_, anchor)| anchor);
        let several = anchor.is_some_and(|anchor| self.names.is_dynamic(anchor));
        if several || out.contains_key("$ref") {
            let message = "`$dynamicRef` with several targets is not supported; refer to one of them by `$ref`";
            problems.add(problem::DIALECT, self.place(pointer), message);
            return;
        }
        if let Value::Object(target) = self.reference(value, pointer, problems) {
            out.extend(target);
        }
    }

    fn dialect(&self, value: &Value, pointer: &str, problems: &mut Problems) {
        if !is_supported_dialect(value) {
            let message = "the JSON Schema dialect is not supported; 2020-12 is";
            problems.add(problem::DIALECT, self.place(pointer), message);
        }
    }

    fn nullable(&self, schema: &Map<String, Value>, out: &mut Map<String, Value>, pointer: &str, problems: &mut Problems) {
        match schema.get("nullable") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => match out.remove("type") {
                Some(types) => {
                    let mut names = match types {
                        Value::Array(names) => names,
                        name => vec![name],
                    };
                    if !names.iter().any(|name| name == "null") {
                        names.push(Value::from("null"));
                    }
                    out.insert("type".to_owned(), Value::Array(names));
                    let lists_null = |values: &Value| values.as_array().is_none_or(|values| values.contains(&Value::Null));
                    if !out.get("enum").is_none_or(lists_null) {
                        let message = "`nullable` has no effect because `enum` does not list null";
                        problems.add(problem::NULLABLE_WITHOUT_EFFECT, self.place(pointer), message);
                    }
                }
                None if out.is_empty() => {}
                None => {
                    let message = "`nullable` has no effect because there is no `type` beside it";
                    problems.add(problem::NULLABLE_WITHOUT_EFFECT, self.place(pointer), message);
                }
            },
            Some(_) => {
                let place = self.place(&child(pointer, "nullable"));
                problems.add(problem::KEYWORD, place, "`nullable` is `true` or `false`");
            }
        }
    }
}

/// Whether schemas of this dialect mean what OpenAPI 3.1 says.
pub(crate) fn is_supported_dialect(dialect: &Value) -> bool {
    dialect.as_str().is_some_and(|dialect| {
        let dialect = dialect.trim_end_matches('#');
        dialect == "https://json-schema.org/draft/2020-12/schema" || dialect.starts_with("https://spec.openapis.org/oas/3.1/dialect/")
    })
}

/// Say what is wrong with a reference and what would be right.
pub(crate) fn report_reference(error: ReferenceError, reference: &str, place: String, problems: &mut Problems) {
    let reference: String = reference.chars().take(200).collect();
    match error {
        ReferenceError::External => problems.add(
            problem::EXTERNAL_REFERENCE,
            place,
            format!("`{reference}` leads outside the document; bundle the files into one document"),
        ),
        ReferenceError::Dangling => {
            problems.add(problem::DANGLING_REFERENCE, place, format!("`{reference}` leads nowhere"));
        }
        ReferenceError::Circular => {
            problems.add(problem::CIRCULAR_REFERENCE, place, format!("`{reference}` leads back to itself"));
        }
    }
}

fn is_text_list(value: &Value) -> bool {
    value.as_array().is_some_and(|names| names.iter().all(Value::is_string))
}

fn reference_number(reference: &Value) -> Option<SchemaId> {
    reference.as_str()?.strip_prefix("#/$defs/")?.parse().ok()
}

/// Find schemas that apply themselves to the same value again: checking them would never end.
fn find_circles(definitions: &[Value], places: &[String], problems: &mut Problems) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let edges: Vec<Vec<SchemaId>> = definitions
        .iter()
        .map(|schema| {
            let mut targets = Vec::new();
            in_place_targets(schema, &mut targets);
            targets
        })
        .collect();
    let mut marks = vec![Mark::New; definitions.len()];
    for root in 0..definitions.len() {
        if marks[root] != Mark::New {
            continue;
        }
        let mut stack = vec![(root, 0)];
        marks[root] = Mark::Open;
        while let Some((node, edge)) = stack.last_mut() {
            let Some(target) = edges[*node].get(*edge).copied() else {
                marks[*node] = Mark::Done;
                stack.pop();
                continue;
            };
            *edge += 1;
            match marks[target] {
                Mark::New => {
                    marks[target] = Mark::Open;
                    stack.push((target, 0));
                }
                Mark::Open => {
                    let message = "the schema refers back to itself without a property or item in between";
                    problems.add(problem::CIRCULAR_REFERENCE, places[target].clone(), message);
                }
                Mark::Done => {}
            }
        }
    }
}

/// References in `schema` that apply to the very value the schema applies to.
fn in_place_targets(schema: &Value, targets: &mut Vec<SchemaId>) {
    let Some(schema) = schema.as_object() else { return };
    targets.extend(schema.get("$ref").and_then(reference_number));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            in_place_targets(branch, targets);
        }
    }
    for keyword in ["not", "if", "then", "else"] {
        if let Some(branch) = schema.get(keyword) {
            in_place_targets(branch, targets);
        }
    }
    for branch in schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values) {
        in_place_targets(branch, targets);
    }
}
