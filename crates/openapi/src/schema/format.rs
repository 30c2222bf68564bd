//! Formats that are asserted, beyond those `jsonschema` knows.

use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Keyword, PatternOptions, ValidationError, Validator};
use serde_json::{Number, Value, json};

use super::meter::{Metered, Node};

/// Formats of text that `jsonschema` checks itself. `password` is a hint for forms and holds nothing to check; other
/// names are ignored, as JSON Schema asks.
const TEXT: &[&str] = &[
    "date-time",
    "time",
    "date",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
    "byte",
];

/// Formats of numbers; text in such a format is not looked at.
const NUMERIC: &[&str] = &["int32", "int64", "uint64", "float", "double"];

/// The keyword that stands for `format` when the format is one of numbers: `jsonschema` offers formats text only.
pub(crate) const NUMERIC_KEYWORD: &str = "x-hauberk-numeric-format";

/// The keyword that asserts the format `name`, if it is asserted at all.
pub(crate) fn keyword_of(name: &str) -> Option<&'static str> {
    if TEXT.contains(&name) {
        Some("format")
    } else if NUMERIC.contains(&name) {
        Some(NUMERIC_KEYWORD)
    } else {
        None
    }
}

/// Checks [`NUMERIC_KEYWORD`].
pub(crate) struct NumericFormat {
    name: Arc<str>,
}

impl NumericFormat {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.into() }
    }

    fn allows(&self, value: &Value) -> bool {
        value
            .as_number()
            .is_none_or(|number| in_format(&self.name, number))
    }
}

impl<'i> Keyword<'i, Metered> for NumericFormat {
    fn validate(&self, instance: Node<'i>) -> Result<(), ValidationError<'i>> {
        // The message carries the name of the format, from the document; the finding needs nothing else.
        if self.allows(instance.value()) {
            Ok(())
        } else {
            Err(ValidationError::custom(self.name.to_string()))
        }
    }

    fn is_valid(&self, instance: Node<'i>) -> bool {
        self.allows(instance.value())
    }
}

/// The keyword that stands for `pattern` when matching may have to take steps back, as backreferences and lookaround do.
pub(crate) const BACKTRACKING_KEYWORD: &str = "x-hauberk-backtracking-pattern";

/// How many steps back a pattern may take before it counts as not matching.
const MOST_STEPS_BACK: usize = 100_000;

/// How many are tried first. Most matches need no more, and how many a match took is not told, so it is paid for in two rates.
pub(crate) const FEW_STEPS_BACK: usize = 1_000;

/// Steps back that cost one step of the meter.
const STEPS_BACK_PER_STEP: usize = 4;

/// Checks [`BACKTRACKING_KEYWORD`].
pub(crate) struct Backtracking {
    /// The pattern and the steps back it may take, the fewest first. `None` if it is no pattern, and then nothing matches.
    tries: Option<[(Validator, usize); 2]>,
}

impl Backtracking {
    pub(crate) fn new(pattern: &str) -> Self {
        let engine = |limit| {
            let validator = jsonschema::options()
                .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(limit))
                .build(&json!({"pattern": pattern}))
                .ok()?;
            Some((validator, limit))
        };
        let tries = engine(FEW_STEPS_BACK)
            .zip(engine(MOST_STEPS_BACK))
            .map(|(few, most)| [few, most]);
        Self { tries }
    }

    fn allows(&self, node: Node<'_>) -> bool {
        let value = node.value();
        let Some(text) = value.as_str() else {
            return true;
        };
        let Some(tries) = &self.tries else {
            return false;
        };
        for (validator, limit) in tries {
            node.charge((limit / STEPS_BACK_PER_STEP + text.len()) as u64);
            let Err(error) = validator.validate(value) else {
                return true;
            };
            if !matches!(
                error.kind(),
                ValidationErrorKind::BacktrackLimitExceeded { .. }
            ) {
                return false;
            }
        }
        false
    }
}

impl<'i> Keyword<'i, Metered> for Backtracking {
    fn validate(&self, instance: Node<'i>) -> Result<(), ValidationError<'i>> {
        if self.allows(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom(BACKTRACKING_KEYWORD))
        }
    }

    fn is_valid(&self, instance: Node<'i>) -> bool {
        self.allows(instance)
    }
}

fn in_format(name: &str, number: &Number) -> bool {
    match name {
        "int32" => whole(number).is_some_and(|whole| i32::try_from(whole).is_ok()),
        "int64" => whole(number).is_some_and(|whole| i64::try_from(whole).is_ok()),
        "uint64" => whole(number).is_some_and(|whole| u64::try_from(whole).is_ok()),
        "float" => number
            .as_f64()
            .is_some_and(|number| number.abs() <= f64::from(f32::MAX)),
        // The parser has refused what is beyond binary64.
        _ => true,
    }
}

/// The number as an integer, if it is one; `1.0` counts as 1.
pub(crate) fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i128() {
        return Some(whole);
    }
    let float = number.as_f64()?;
    // 2^100 is beyond every integer format and within i128, so the cast below is exact.
    #[allow(clippy::cast_possible_truncation)]
    (float.fract() == 0.0 && float.abs() < 2f64.powi(100)).then_some(float as i128)
}

/// Base64 as RFC 4648 §4 writes it, padding included; line breaks are refused.
pub(crate) fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return false;
    }
    let padding = bytes
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    bytes[..bytes.len() - padding]
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numeric_formats_bound_numbers_only() {
        for (name, value, wanted) in [
            ("int32", json!(2_147_483_647), true),
            ("int32", json!(2_147_483_648_u64), false),
            ("int32", json!(1.0), true),
            ("int32", json!(1.5), false),
            ("int32", json!("x"), true),
            ("int64", json!(i64::MIN), true),
            ("int64", json!(9_223_372_036_854_775_808_u64), false),
            ("uint64", json!(u64::MAX), true),
            ("uint64", json!(-1), false),
            ("uint64", json!(1e40), false),
            ("float", json!(3.5), true),
            ("float", json!(1e39), false),
            ("double", json!(1e300), true),
        ] {
            assert_eq!(
                NumericFormat::new(name).allows(&value),
                wanted,
                "{name} {value}"
            );
        }
    }

    #[test]
    fn base64_has_its_padding() {
        for (text, wanted) in [
            ("", true),
            ("aGk=", true),
            ("aA==", true),
            ("aGk", false),
            ("aG k", false),
            ("=aaa", false),
            ("a===", false),
            ("a-_=", false),
        ] {
            assert_eq!(is_base64(text), wanted, "{text}");
        }
    }
}
