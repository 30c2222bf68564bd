//! Which types a lowered schema allows.
//!
//! Parameters and form fields arrive as text, so the types decide what the text can mean.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::SchemaId;

/// A set of JSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(1 << 1);
    pub(crate) const INTEGER: Self = Self(1 << 2);
    /// Numbers, integers included.
    pub(crate) const NUMBER: Self = Self(1 << 3 | 1 << 2);
    pub(crate) const STRING: Self = Self(1 << 4);
    pub(crate) const ARRAY: Self = Self(1 << 5);
    pub(crate) const OBJECT: Self = Self(1 << 6);
    pub(crate) const ALL: Self = Self((1 << 7) - 1);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Boolean, number or string.
    pub(crate) fn scalars(self) -> Self {
        self.and(Self::BOOLEAN.or(Self::NUMBER).or(Self::STRING))
    }

    /// Whether a text can mean several things. No text is both a boolean and a number.
    pub(crate) fn is_ambiguous(self) -> bool {
        let kinds = [
            self.meets(Self::BOOLEAN.or(Self::NUMBER)),
            self.has(Self::STRING),
            self.has(Self::ARRAY),
            self.has(Self::OBJECT),
        ];
        kinds.into_iter().filter(|has| *has).count() > 1
    }

    pub(crate) fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::NONE,
        }
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// What `invalid_type` says is expected.
    pub(crate) fn expected(self) -> &'static str {
        match self.without(Self::NULL) {
            Self::NONE if self == Self::NULL => "expected:null",
            Self::BOOLEAN => "expected:boolean",
            Self::INTEGER => "expected:integer",
            Self::NUMBER => "expected:number",
            Self::STRING => "expected:string",
            Self::ARRAY => "expected:array",
            Self::OBJECT => "expected:object",
            _ => "expected:one_of",
        }
    }
}

/// The lowered schemas of a document, by number.
///
/// Every question visits a schema once however often it is referred to: branches that share references would otherwise
/// multiply.
#[derive(Clone, Copy)]
pub(crate) struct Definitions<'s>(pub(crate) &'s [Value]);

impl<'s> Definitions<'s> {
    /// The number a lowered `$ref` leads to.
    pub(crate) fn target(self, schema: &Map<String, Value>) -> Option<SchemaId> {
        let number = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        number.parse().ok().filter(|number| *number < self.0.len())
    }

    /// The types `schema` allows; more than it really does in doubt, never fewer.
    pub(crate) fn types(self, schema: &Value) -> Types {
        self.types_with(schema, &mut HashMap::new())
    }

    fn types_with(self, schema: &Value, known: &mut HashMap<SchemaId, Types>) -> Types {
        let Some(schema) = schema.as_object() else {
            return if schema == &Value::Bool(false) {
                Types::NONE
            } else {
                Types::ALL
            };
        };
        let mut types = Types::ALL;
        match schema.get("type") {
            Some(Value::String(name)) => types = Types::named(name),
            Some(Value::Array(names)) => {
                types = names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(Types::named)
                    .fold(Types::NONE, Types::or);
            }
            _ => {}
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            types = types.and(
                values
                    .iter()
                    .map(Types::of_value)
                    .fold(Types::NONE, Types::or),
            );
        }
        if let Some(value) = schema.get("const") {
            types = types.and(Types::of_value(value));
        }
        if let Some(target) = self.target(schema) {
            let of_target = if let Some(of_target) = known.get(&target) {
                *of_target
            } else {
                // A schema that is met again while it is looked at adds nothing.
                known.insert(target, Types::ALL);
                let of_target = self.types_with(&self.0[target], known);
                known.insert(target, of_target);
                of_target
            };
            types = types.and(of_target);
        }
        for branch in list(schema, "allOf") {
            types = types.and(self.types_with(branch, known));
        }
        for keyword in ["anyOf", "oneOf"] {
            if schema.contains_key(keyword) {
                let branches = list(schema, keyword).map(|branch| self.types_with(branch, known));
                types = types.and(branches.fold(Types::NONE, Types::or));
            }
        }
        types
    }

    /// Call `found` with every schema of items that `schema` or what it is composed of has.
    pub(crate) fn items(self, schema: &'s Value, found: &mut dyn FnMut(&'s Value)) {
        self.each(schema, &mut |schema| {
            list(schema, "prefixItems").for_each(&mut *found);
            for keyword in ["items", "unevaluatedItems"] {
                schema.get(keyword).into_iter().for_each(&mut *found);
            }
        });
    }

    /// Call `found` with every schema of members that have no name of their own.
    pub(crate) fn additional(self, schema: &'s Value, found: &mut dyn FnMut(&'s Value)) {
        self.each(schema, &mut |schema| {
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                schema.get(keyword).into_iter().for_each(&mut *found);
            }
            let patterns = schema.get("patternProperties").and_then(Value::as_object);
            patterns
                .into_iter()
                .flat_map(Map::values)
                .for_each(&mut *found);
        });
    }

    /// Whether members that no schema names are refused for sure.
    pub(crate) fn is_closed(self, schema: &'s Value) -> bool {
        let (mut closed, mut has_patterns) = (false, false);
        self.always(schema, &mut |schema| {
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                closed |= schema.get(keyword) == Some(&Value::Bool(false));
            }
        });
        self.each(schema, &mut |schema| {
            has_patterns |= schema.contains_key("patternProperties");
        });
        closed && !has_patterns
    }

    /// Fewest and most characters of a string.
    pub(crate) fn lengths(self, schema: &'s Value) -> (u64, u64) {
        let (mut min, mut max) = (0, u64::MAX);
        self.always(schema, &mut |schema| {
            let number = |keyword: &str| {
                let value = schema.get(keyword)?;
                // Counts may be written `5.0`.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let from_float = || value.as_f64().map(|number| number.max(0.0) as u64);
                value.as_u64().or_else(from_float)
            };
            min = number("minLength").unwrap_or(0).max(min);
            max = number("maxLength").unwrap_or(u64::MAX).min(max);
        });
        (min, max)
    }

    /// Call `found` with every property that `schema` or what it is composed of declares.
    pub(crate) fn properties(self, schema: &'s Value, found: &mut dyn FnMut(&'s str, &'s Value)) {
        self.each(schema, &mut |schema| {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                found(name, property);
            }
        });
    }

    /// Whether there can be properties that `schema` does not name.
    pub(crate) fn has_open_properties(self, schema: &'s Value) -> bool {
        let (mut has_names, mut open) = (false, false);
        self.each(schema, &mut |schema| {
            let names = schema.get("properties").and_then(Value::as_object);
            has_names |= names.is_some_and(|names| !names.is_empty());
            let more = schema.get("additionalProperties");
            open |= schema.contains_key("patternProperties")
                || more.is_some_and(|more| more != &Value::Bool(false));
        });
        open || !has_names
    }

    /// Visit `schema` and everything that applies to the same value whatever it is.
    fn always(self, schema: &'s Value, visit: &mut dyn FnMut(&'s Map<String, Value>)) {
        self.visit(schema, &["allOf"], visit);
    }

    /// Visit `schema` and everything that applies to the same value.
    fn each(self, schema: &'s Value, visit: &mut dyn FnMut(&'s Map<String, Value>)) {
        self.visit(schema, &["oneOf", "anyOf", "allOf"], visit);
    }

    fn visit(
        self,
        schema: &'s Value,
        branches: &[&str],
        visit: &mut dyn FnMut(&'s Map<String, Value>),
    ) {
        let mut seen = HashSet::new();
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            let Some(schema) = schema.as_object() else {
                continue;
            };
            visit(schema);
            // Pushed in reverse, so that they are visited in the order of the document.
            for keyword in branches {
                open.extend(list(schema, keyword).rev());
            }
            open.extend(
                self.target(schema)
                    .filter(|target| seen.insert(*target))
                    .map(|target| &self.0[target]),
            );
        }
    }
}

fn list<'s>(
    schema: &'s Map<String, Value>,
    keyword: &str,
) -> impl DoubleEndedIterator<Item = &'s Value> + use<'s> {
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_those_all_parts_allow() {
        let definitions = [
            json!({"type": ["string", "null"]}),
            json!({"anyOf": [{"$ref": "#/$defs/1"}, {"type": "integer"}]}),
        ];
        let definitions = Definitions(&definitions);
        for (schema, wanted) in [
            (json!({}), Types::ALL),
            (json!(false), Types::NONE),
            (json!({"type": "number"}), Types::NUMBER),
            (json!({"$ref": "#/$defs/0"}), Types::STRING.or(Types::NULL)),
            (json!({"$ref": "#/$defs/0", "enum": ["a"]}), Types::STRING),
            (
                json!({"allOf": [{"$ref": "#/$defs/0"}, {"type": ["null", "array"]}]}),
                Types::NULL,
            ),
            (
                json!({"oneOf": [{"type": "array"}, {"const": true}]}),
                Types::ARRAY.or(Types::BOOLEAN),
            ),
            (json!({"$ref": "#/$defs/1"}), Types::ALL),
        ] {
            assert_eq!(definitions.types(&schema), wanted, "{schema}");
        }
    }

    #[test]
    fn branches_that_share_references_are_visited_once() {
        let layer =
            |next: usize| json!({"anyOf": vec![json!({"$ref": format!("#/$defs/{next}")}); 10]});
        let mut definitions: Vec<Value> = (1..60).map(layer).collect();
        definitions
            .push(json!({"type": "array", "items": {"type": "string"}, "properties": {"a": {}}}));
        let all = Definitions(&definitions);
        assert_eq!(all.types(&definitions[0]), Types::ARRAY);
        let mut items = Vec::new();
        all.items(&definitions[0], &mut |item| items.push(item));
        assert_eq!(items, [&json!({"type": "string"})]);
        let mut count = 0;
        all.properties(&definitions[0], &mut |_, _| count += 1);
        assert_eq!(count, 1);
    }
}
