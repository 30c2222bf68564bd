//! Judging values by one schema, at a bounded cost.

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::finding;
use super::meter::{Meter, Metered, Node};
use super::store::Schemas;
use crate::operation::MAX_VIOLATIONS;
use crate::place;
use crate::source::json::{self, JsonError, JsonErrorKind, JsonLimits, Step};
use crate::violation::{ErrorClass, Location, Violation};

/// What a text may cost and how strictly it is read.
#[derive(Clone, Copy)]
pub(crate) struct Judging {
    pub(crate) limits: JsonLimits,
    #[allow(dead_code)] // the engine reads it
    pub(crate) refuse_read_only: bool,
}

/// Where a violation is reported.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) location: Location,
    pub(crate) root: &'a str,
    pub(crate) at: &'a str,
}

/// The same for JSON without a schema: syntax only.
pub(crate) fn syntax_violation(
    text: &[u8],
    judging: Judging,
    subject: Subject<'_>,
) -> Option<Violation> {
    json::parse(text, judging.limits)
        .err()
        .map(|error| json_violation(&error, subject))
}

fn json_violation(error: &JsonError, subject: Subject<'_>) -> Violation {
    let mut target = subject.root.to_owned();
    for step in error.path() {
        match step {
            Step::Key(key) => place::push_key(&mut target, key),
            Step::Index(index) => place::push_index(&mut target, *index),
        }
    }
    let (class, detail) = match error.kind {
        JsonErrorKind::Syntax(_) => (ErrorClass::InvalidSyntax, Some("invalid_json")),
        JsonErrorKind::InvalidUtf8 | JsonErrorKind::LoneSurrogate => {
            (ErrorClass::InvalidEncoding, Some("invalid_utf8"))
        }
        JsonErrorKind::NumberOutOfRange => {
            (ErrorClass::ConstraintViolation, Some("number_not_in_range"))
        }
        JsonErrorKind::Duplicate => (ErrorClass::DuplicateValue, None),
        JsonErrorKind::TooDeep => (ErrorClass::ConstraintViolation, Some("value_too_deep")),
        JsonErrorKind::TooManyMembers => (ErrorClass::TooManyValues, None),
    };
    // A syntax error, bad bytes or the sheer number of members belong to the body as a whole.
    let is_whole = matches!(
        error.kind,
        JsonErrorKind::Syntax(_) | JsonErrorKind::InvalidUtf8 | JsonErrorKind::TooManyMembers
    );
    // Sixty levels of `[0]` would tell nothing more.
    let target =
        if subject.location != Location::Body || is_whole || error.kind == JsonErrorKind::TooDeep {
            subject.root
        } else {
            &target
        };
    Violation::new(subject.location, target, class, detail, subject.at)
}

/// Steps that every value may take, however small.
const BASE_STEPS: u64 = 100_000;

/// Steps that a value may take for each byte of its text. Ordinary schemas need less than one.
const STEPS_PER_BYTE: u64 = 100;

/// Steps that no value may exceed, however large.
const MOST_STEPS: u64 = 20_000_000;

/// Steps that finding out what is wrong with a value may take, however small it is. They cost more: each can make an error.
const BASE_EXPLAINING_STEPS: u64 = 4_000;

/// Steps that finding out what is wrong may take for each byte.
const EXPLAINING_STEPS_PER_BYTE: u64 = 4;

/// Steps that it may take for each that finding out that something is wrong has taken.
const EXPLAINING_STEPS_PER_STEP: u64 = 8;

/// Steps that finding out what is wrong may not exceed: errors take memory.
const MOST_EXPLAINING_STEPS: u64 = 2_000_000;

/// The value cannot be judged at the cost it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooCostly;

/// One schema, compiled.
pub(crate) struct Check {
    validator: Validator<Metered>,
}

impl Check {
    pub(crate) fn new(validator: Validator<Metered>) -> Self {
        Self { validator }
    }

    /// Whether the text is JSON within the limits and conforms.
    pub(crate) fn conforms(&self, text: &[u8], judging: Judging) -> bool {
        json::parse(text, judging.limits)
            .is_ok_and(|value| self.is_valid(&value, text.len()) == Ok(true))
    }

    /// What is wrong with the text.
    pub(crate) fn violations(
        &self,
        text: &[u8],
        judging: Judging,
        subject: Subject<'_>,
        schemas: &Schemas,
        first_only: bool,
    ) -> Vec<Violation> {
        let value = match json::parse(text, judging.limits) {
            Ok(value) => value,
            Err(error) => return vec![json_violation(&error, subject)],
        };
        let found = self.found(&value, text.len(), first_only, |error| {
            finding::violation(error, subject.location, subject.root, schemas)
        });
        found.unwrap_or_else(|TooCostly| {
            vec![Violation::new(
                subject.location,
                subject.root,
                ErrorClass::ConstraintViolation,
                Some("value_too_deep"),
                subject.at,
            )]
        })
    }

    /// Whether a value conforms that came as `size` bytes.
    fn is_valid(&self, value: &Value, size: usize) -> Result<bool, TooCostly> {
        self.judge(value, size).map(|(conforms, _)| conforms)
    }

    /// What is wrong with a value that came as `size` bytes: the first violation or all, at most [`MAX_VIOLATIONS`].
    ///
    /// Whether anything is wrong at all is found out first: that is what most requests need, and it never costs much
    /// because the engine remembers which parts it has judged. It does not when it gathers errors.
    fn found(
        &self,
        value: &Value,
        size: usize,
        first_only: bool,
        violation: impl Fn(&ValidationError<'_>) -> Violation,
    ) -> Result<Vec<Violation>, TooCostly> {
        let (conforms, taken) = self.judge(value, size)?;
        if conforms {
            return Ok(Vec::new());
        }
        let steps = EXPLAINING_STEPS_PER_BYTE
            .saturating_mul(size as u64)
            .saturating_add(taken.saturating_mul(EXPLAINING_STEPS_PER_STEP))
            .saturating_add(BASE_EXPLAINING_STEPS)
            .min(MOST_EXPLAINING_STEPS);
        let first = Meter::run(steps, |meter| {
            let error = self.validator.validate(Node::new(value, meter)).err()?;
            Some(violation(&error))
        });
        let Some((Some(first), _)) = first else {
            return Err(TooCostly);
        };
        if first_only {
            return Ok(vec![first]);
        }
        let all = Meter::run(MOST_EXPLAINING_STEPS.min(allowed(size)), |meter| {
            self.validator
                .iter_errors(Node::new(value, meter))
                .take(MAX_VIOLATIONS)
                .map(|error| violation(&error))
                .collect::<Vec<_>>()
        });
        // All that is wrong may be too much to gather where the first thing is not.
        Ok(all.map_or_else(|| vec![first], |(all, _)| all))
    }

    /// Whether a value conforms, and how many steps it took to tell.
    fn judge(&self, value: &Value, size: usize) -> Result<(bool, u64), TooCostly> {
        Meter::run(allowed(size), |meter| {
            self.validator.is_valid(Node::new(value, meter))
        })
        .ok_or(TooCostly)
    }
}

/// The steps that judging a value of so many bytes may take.
fn allowed(size: usize) -> u64 {
    STEPS_PER_BYTE
        .saturating_mul(size as u64)
        .saturating_add(BASE_STEPS)
        .min(MOST_STEPS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::store::Schemas;

    #[test]
    fn ordinary_values_need_far_fewer_steps_than_they_may_take() {
        let user = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 80},
                "age": {"type": "integer", "minimum": 0, "maximum": 150},
                "tags": {"type": "array", "uniqueItems": true, "items": {"type": "string", "pattern": "^[a-z]+$"}},
                "kind": {"oneOf": [{"enum": ["a", "b"]}, {"type": "integer"}]},
            },
        });
        let schemas = Schemas::new(
            vec![json!({"type": "array", "items": user})],
            vec![".".to_owned()],
        )
        .expect("the schema is sound");
        let check = schemas.check(0).expect("the schema compiles");
        let one = json!({"name": "Ada Lovelace", "age": 36, "tags": ["one", "two"], "kind": "b"});
        let many = Value::Array(vec![one; 1_000]);
        let size = many.to_string().len();
        let (conforms, taken) = check.judge(&many, size).expect("within the bound");
        eprintln!("{taken} steps for {size} bytes");
        assert!(conforms);
        assert!(taken < STEPS_PER_BYTE / 50 * size as u64, "{taken}");
        assert_eq!(check.is_valid(&many, 0), Ok(true));
        let enormous = Value::Array(vec![many; 10]);
        assert_eq!(check.is_valid(&enormous, 0), Ok(false));
    }
}
