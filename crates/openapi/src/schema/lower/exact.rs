//! Numbers of the document that `serde_json` rounds: their spelling is kept beside.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::schema::EXACT_KEYWORD;
use crate::source::json;

/// Keywords whose numbers matter.
const KEYWORDS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "enum",
    "const",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
];

/// The schema with rounded numbers, and the spelling of those by JSON pointer.
pub(super) fn rounded(
    schema: &Map<String, Value>,
) -> (Cow<'_, Map<String, Value>>, Map<String, Value>) {
    let mut exact = Map::new();
    let is_spelled = |keyword: &&str| schema.get(*keyword).is_some_and(has_spelling);
    if !KEYWORDS.iter().any(is_spelled) {
        return (Cow::Borrowed(schema), exact);
    }
    let mut schema = schema.clone();
    for keyword in KEYWORDS {
        if let Some(value) = schema.get_mut(*keyword) {
            json::round(
                value,
                &mut format!("/{keyword}"),
                &mut |pointer, spelling| {
                    exact.insert(pointer.to_owned(), Value::from(spelling));
                },
            );
        }
    }
    (Cow::Owned(schema), exact)
}

fn has_spelling(value: &Value) -> bool {
    json::spelling(value).is_some()
        || match value {
            Value::Array(items) => items.iter().any(has_spelling),
            Value::Object(members) => members.values().any(has_spelling),
            _ => false,
        }
}

/// Keep the spellings in a lowered schema.
pub(super) fn insert(
    mut exact: Map<String, Value>,
    schema: &Map<String, Value>,
    out: &mut Map<String, Value>,
) {
    // OpenAPI 3.0 says of a bound that it is exclusive; lowered, the bound itself is.
    for (inclusive, exclusive) in [
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ] {
        if schema.get(exclusive) == Some(&Value::Bool(true))
            && let Some(spelling) = exact.remove(&format!("/{inclusive}"))
        {
            exact.insert(format!("/{exclusive}"), spelling);
        }
    }
    out.insert(EXACT_KEYWORD.to_owned(), Value::Object(exact));
}
