//! Which types a lowered schema allows.
//!
//! Parameters and form fields arrive as text, so the types decide what the text can mean.

use serde_json::{Map, Value};

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

    /// Whether a text can mean one thing at most.
    pub(crate) fn is_one_scalar(self) -> bool {
        matches!(self.without(Self::NULL), Self::BOOLEAN | Self::INTEGER | Self::NUMBER | Self::STRING)
    }

    fn named(name: &str) -> Self {
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

/// How far references are followed; recursive schemas allow every type beyond.
const MAX_HOPS: usize = 24;

/// The lowered schemas of a document, by number.
#[derive(Clone, Copy)]
pub(crate) struct Definitions<'s>(pub(crate) &'s [Value]);

impl<'s> Definitions<'s> {
    /// The target of a lowered `$ref`.
    pub(crate) fn target(self, reference: &Value) -> Option<&'s Value> {
        let number = reference.as_str()?.strip_prefix("#/$defs/")?;
        self.0.get(number.parse::<usize>().ok()?)
    }

    /// The types `schema` allows; more than it really does in doubt, never fewer.
    pub(crate) fn types(self, schema: &Value) -> Types {
        self.types_within(schema, MAX_HOPS)
    }

    fn types_within(self, schema: &Value, hops: usize) -> Types {
        let Some(schema) = schema.as_object() else {
            return if schema == &Value::Bool(false) { Types::NONE } else { Types::ALL };
        };
        if hops == 0 {
            return Types::ALL;
        }
        let mut types = Types::ALL;
        match schema.get("type") {
            Some(Value::String(name)) => types = Types::named(name),
            Some(Value::Array(names)) => {
                types = names.iter().filter_map(Value::as_str).map(Types::named).fold(Types::NONE, Types::or);
            }
            _ => {}
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            types = types.and(values.iter().map(Types::of_value).fold(Types::NONE, Types::or));
        }
        if let Some(value) = schema.get("const") {
            types = types.and(Types::of_value(value));
        }
        if let Some(target) = schema.get("$ref").and_then(|reference| self.target(reference)) {
            types = types.and(self.types_within(target, hops - 1));
        }
        for branch in list(schema, "allOf") {
            types = types.and(self.types_within(branch, hops - 1));
        }
        for keyword in ["anyOf", "oneOf"] {
            if schema.contains_key(keyword) {
                let any = list(schema, keyword).map(|branch| self.types_within(branch, hops - 1)).fold(Types::NONE, Types::or);
                types = types.and(any);
            }
        }
        types
    }

    /// The schema of the items of an array that `schema` allows, the first found.
    pub(crate) fn items(self, schema: &'s Value) -> Option<&'s Value> {
        self.first(schema, MAX_HOPS, &mut |schema| schema.get("items"))
    }

    fn first<'f>(
        self,
        schema: &'s Value,
        hops: usize,
        find: &'f mut dyn FnMut(&'s Map<String, Value>) -> Option<&'s Value>,
    ) -> Option<&'s Value> {
        let schema = schema.as_object().filter(|_| hops > 0)?;
        if let Some(found) = find(schema) {
            return Some(found);
        }
        let target = schema.get("$ref").and_then(|reference| self.target(reference));
        let branches = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|keyword| list(schema, keyword));
        for branch in target.into_iter().chain(branches) {
            if let Some(found) = self.first(branch, hops - 1, find) {
                return Some(found);
            }
        }
        None
    }

    /// Call `found` with every property that `schema` or what it is composed of declares.
    pub(crate) fn properties(self, schema: &'s Value, found: &mut dyn FnMut(&'s str, &'s Value)) {
        self.each(schema, MAX_HOPS, &mut |schema| {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                found(name, property);
            }
        });
    }

    /// Whether `schema` names all properties there can be, as far as can be told without a value.
    pub(crate) fn has_open_properties(self, schema: &'s Value) -> bool {
        let (mut named, mut open) = (false, false);
        self.each(schema, MAX_HOPS, &mut |schema| {
            named |= schema.get("properties").and_then(Value::as_object).is_some_and(|names| !names.is_empty());
            open |= schema.contains_key("patternProperties")
                || schema.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        });
        open || !named
    }

    fn each(self, schema: &'s Value, hops: usize, visit: &mut dyn FnMut(&'s Map<String, Value>)) {
        let Some(schema) = schema.as_object().filter(|_| hops > 0) else { return };
        visit(schema);
        let target = schema.get("$ref").and_then(|reference| self.target(reference));
        let branches = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|keyword| list(schema, keyword));
        for branch in target.into_iter().chain(branches) {
            self.each(branch, hops - 1, visit);
        }
    }
}

fn list<'s>(schema: &'s Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}
