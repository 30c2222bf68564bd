//! What a failed rule amounts to.
//!
//! | rule that failed | error class | error detail | target |
//! | --- | --- | --- | --- |
//! | `type` | `invalid_type` | `expected:<type>`, `expected:one_of` for several | the value |
//! | `required`, `dependentRequired` | `constraint_violation` | `missing_required_property` | the object |
//! | `additionalProperties: false`, `unevaluatedProperties`, `propertyNames` | `constraint_violation` | `forbidden_value` | the member |
//! | `readOnly`, where the policy refuses to be sent such members | `constraint_violation` | `forbidden_value` | the member |
//! | schema `false` | `constraint_violation` | `forbidden_value` | the value |
//! | `enum` | `constraint_violation` | `invalid_enum_variant` | the value |
//! | `const` | `constraint_violation` | `different_const_value` | the value |
//! | `minimum`, `exclusiveMinimum` | `constraint_violation` | `number_too_small` | the value |
//! | `maximum`, `exclusiveMaximum` | `constraint_violation` | `number_too_big` | the value |
//! | `multipleOf` | `constraint_violation` | `multiple_of` | the value |
//! | `minLength`, `maxLength` | `constraint_violation` | `string_length_not_in_range` | the value |
//! | `pattern` | `constraint_violation` | `pattern_no_match` | the value |
//! | `pattern` that takes more steps than it may | `constraint_violation` | `pattern_too_costly` | the value |
//! | `format` | `constraint_violation` | `format_violation:<format>` | the value |
//! | `minItems`, `maxItems`, `contains` and its counts, `unevaluatedItems` | `constraint_violation` | `invalid_array_item_count` | the array |
//! | `uniqueItems` | `duplicate_value` | | the array |
//! | `minProperties`, `maxProperties` | `constraint_violation` | `invalid_object_property_count` | the object |
//! | judging takes more steps than the text may cost | `constraint_violation` | `value_too_deep` | the whole text |
//! | `anyOf`, `oneOf`, `not` | `constraint_violation` | `any_of`, `one_of`, `not` | the value |
//!
//! `allOf`, `$ref`, `then`, `else` and `dependentSchemas` have no row: what fails inside them is reported itself. So is what
//! fails inside the branch of `anyOf` or `oneOf` that a `discriminator` names.

use std::borrow::Cow;

use crate::violation::ErrorClass;

/// A rule that failed: its keyword, and what that amounts to.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) keyword: &'static str,
    pub(crate) class: ErrorClass,
    pub(crate) detail: Option<Cow<'static, str>>,
}

impl Finding {
    pub(crate) fn of_type(expected: &'static str) -> Self {
        Self {
            keyword: "type",
            class: ErrorClass::InvalidType,
            detail: Some(Cow::Borrowed(expected)),
        }
    }

    pub(crate) fn of_format(name: &str) -> Self {
        Self {
            detail: Some(Cow::Owned(format!("format_violation:{name}"))),
            ..Self::of("format")
        }
    }

    pub(crate) fn too_costly_pattern() -> Self {
        Self {
            detail: Some(Cow::Borrowed("pattern_too_costly")),
            ..Self::of("pattern")
        }
    }

    /// What the failure of a keyword amounts to.
    pub(crate) fn of(keyword: &'static str) -> Self {
        let detail = match keyword {
            "required" | "dependentRequired" => "missing_required_property",
            "enum" => "invalid_enum_variant",
            "const" => "different_const_value",
            "minimum" | "exclusiveMinimum" => "number_too_small",
            "maximum" | "exclusiveMaximum" => "number_too_big",
            "multipleOf" => "multiple_of",
            "minLength" | "maxLength" => "string_length_not_in_range",
            "pattern" => "pattern_no_match",
            "minItems" | "maxItems" | "contains" | "minContains" | "maxContains"
            | "unevaluatedItems" => "invalid_array_item_count",
            "minProperties" | "maxProperties" => "invalid_object_property_count",
            "anyOf" => "any_of",
            "oneOf" => "one_of",
            "not" => "not",
            "uniqueItems" => {
                return Self {
                    keyword,
                    class: ErrorClass::DuplicateValue,
                    detail: None,
                };
            }
            // `unevaluatedProperties`, `propertyNames`, `readOnly` and schemas that are `false`.
            _ => "forbidden_value",
        };
        Self {
            keyword,
            class: ErrorClass::ConstraintViolation,
            detail: Some(Cow::Borrowed(detail)),
        }
    }
}
