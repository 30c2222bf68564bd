//! From a failed check to a violation.
//!
//! | rule that failed | error class | error detail | target |
//! | --- | --- | --- | --- |
//! | `type` | `invalid_type` | `expected:<type>`, `expected:one_of` for several | the value |
//! | `required`, `dependentRequired` | `constraint_violation` | `missing_required_property` | the object |
//! | `additionalProperties`, `unevaluatedProperties`, `propertyNames` | `constraint_violation` | `forbidden_value` | the member |
//! | schema `false` | `constraint_violation` | `forbidden_value` | the value |
//! | `enum` | `constraint_violation` | `invalid_enum_variant` | the value |
//! | `const` | `constraint_violation` | `different_const_value` | the value |
//! | `minimum`, `exclusiveMinimum` | `constraint_violation` | `number_too_small` | the value |
//! | `maximum`, `exclusiveMaximum` | `constraint_violation` | `number_too_big` | the value |
//! | a number beyond binary64 | `constraint_violation` | `number_not_in_range` | the value |
//! | `multipleOf` | `constraint_violation` | `multiple_of` | the value |
//! | `minLength`, `maxLength` | `constraint_violation` | `string_length_not_in_range` | the value |
//! | `pattern` | `constraint_violation` | `pattern_no_match` | the value |
//! | `format` | `constraint_violation` | `format_violation:<format>` | the value |
//! | `minItems`, `maxItems`, `contains`, `unevaluatedItems`, items beyond a list | `constraint_violation` | `invalid_array_item_count` | the array |
//! | `uniqueItems` | `duplicate_value` | | the array |
//! | `minProperties`, `maxProperties` | `constraint_violation` | `invalid_object_property_count` | the object |
//! | judging takes more steps than the value may cost | `constraint_violation` | `value_too_deep` | the whole body |
//! | `anyOf`, `oneOf`, `not` | `constraint_violation` | `any_of`, `one_of`, `not` | the value |
//!
//! `allOf` has no row: what fails inside it is reported itself.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::format;
use super::store::Schemas;
use crate::place;
use crate::violation::{ErrorClass, Location, Violation};

/// The violation that a failed check amounts to; `root` is what the target begins with.
pub(crate) fn violation(
    error: &ValidationError<'_>,
    location: Location,
    root: &str,
    schemas: &Schemas,
) -> Violation {
    let (class, detail, member) = classify(error.kind());
    let mut target = root.to_owned();
    // A parameter's name is the whole target: an item of `ids` is still reported as `ids`.
    if location == Location::Body {
        for segment in error.instance_path().segments() {
            match segment {
                LocationSegment::Property(name) => place::push_key(&mut target, &name),
                LocationSegment::Index(index) => place::push_index(&mut target, index),
            }
        }
        if let Some(member) = member {
            place::push_key(&mut target, &member);
        }
    }
    let rule = rule(error, schemas);
    Violation::new(location, &target, class, detail.as_deref(), &rule)
}

fn classify(kind: &ValidationErrorKind) -> (ErrorClass, Option<String>, Option<String>) {
    use ErrorClass::{ConstraintViolation, DuplicateValue, InvalidType};
    use ValidationErrorKind as Kind;
    let constraint = |detail: &str| (ConstraintViolation, Some(detail.to_owned()), None);
    match kind {
        Kind::Type { kind } => (InvalidType, Some(expected(kind).to_owned()), None),
        Kind::Required { .. } => constraint("missing_required_property"),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => (
            ConstraintViolation,
            Some("forbidden_value".to_owned()),
            unexpected.first().cloned(),
        ),
        Kind::PropertyNames { error } => {
            let member = error.instance().as_str().map(str::to_owned);
            (
                ConstraintViolation,
                Some("forbidden_value".to_owned()),
                member,
            )
        }
        Kind::Enum { .. } => constraint("invalid_enum_variant"),
        Kind::Constant { .. } => constraint("different_const_value"),
        Kind::Minimum { .. } | Kind::ExclusiveMinimum { .. } => constraint("number_too_small"),
        Kind::Maximum { .. } | Kind::ExclusiveMaximum { .. } => constraint("number_too_big"),
        Kind::MultipleOf { .. } => constraint("multiple_of"),
        Kind::MinLength { .. } | Kind::MaxLength { .. } => constraint("string_length_not_in_range"),
        Kind::Pattern { .. }
        | Kind::BacktrackLimitExceeded { .. }
        | Kind::RegexEngineFailure { .. } => constraint("pattern_no_match"),
        Kind::Format { format } => constraint(&format!("format_violation:{format}")),
        Kind::Custom { message, .. } if message == format::BACKTRACKING_KEYWORD => {
            constraint("pattern_no_match")
        }
        // The other keyword of our own is the one for numeric formats; its message is the format's name.
        Kind::Custom { message, .. } => constraint(&format!("format_violation:{message}")),
        Kind::MinItems { .. }
        | Kind::MaxItems { .. }
        | Kind::AdditionalItems { .. }
        | Kind::UnevaluatedItems { .. }
        | Kind::Contains => constraint("invalid_array_item_count"),
        Kind::UniqueItems => (DuplicateValue, None, None),
        Kind::MinProperties { .. } | Kind::MaxProperties { .. } => {
            constraint("invalid_object_property_count")
        }
        Kind::AnyOf { .. } => constraint("any_of"),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => constraint("one_of"),
        Kind::Not { .. } => constraint("not"),
        // What is left does not come from lowered schemas, `false` apart; whatever it is, it does not conform.
        _ => constraint("forbidden_value"),
    }
}

fn expected(kind: &TypeKind) -> &'static str {
    let mut named = match kind {
        TypeKind::Single(single) => return expected_type(*single),
        TypeKind::Multiple(set) => set.iter().filter(|single| *single != JsonType::Null),
    };
    match (named.next(), named.next()) {
        (Some(single), None) => expected_type(single),
        _ => "expected:one_of",
    }
}

fn expected_type(json_type: JsonType) -> &'static str {
    match json_type {
        JsonType::Array => "expected:array",
        JsonType::Boolean => "expected:boolean",
        JsonType::Integer => "expected:integer",
        JsonType::Null => "expected:null",
        JsonType::Number => "expected:number",
        JsonType::Object => "expected:object",
        JsonType::String => "expected:string",
    }
}

/// The place of the rule: the failed keyword's location starts at `/$defs/<number>`, which has a place in the document.
fn rule(error: &ValidationError<'_>, schemas: &Schemas) -> String {
    let mut out = String::new();
    let mut segments = error.schema_path().segments().peekable();
    if segments.peek() == Some(&LocationSegment::Property("$defs".into())) {
        segments.next();
        let number = match segments.next() {
            Some(LocationSegment::Index(number)) => Some(number),
            Some(LocationSegment::Property(text)) => text.parse().ok(),
            None => None,
        };
        out.push_str(number.map_or("", |number| schemas.place(number)));
    }
    for segment in segments {
        match segment {
            LocationSegment::Property(name) if name == format::NUMERIC_KEYWORD => {
                place::push_key(&mut out, "format");
            }
            LocationSegment::Property(name) if name == format::BACKTRACKING_KEYWORD => {
                place::push_key(&mut out, "pattern");
            }
            LocationSegment::Property(name) => place::push_key(&mut out, &name),
            LocationSegment::Index(index) => place::push_index(&mut out, index),
        }
    }
    // The name of a missing property comes from the document, so it may be told.
    if let ValidationErrorKind::Required {
        property: Value::String(name),
    } = error.kind()
    {
        place::push_key(&mut out, name);
    }
    out
}
