//! Judging values by one schema, at a bounded cost.

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::meter::{Meter, Metered, Node};
use crate::operation::MAX_VIOLATIONS;
use crate::violation::Violation;

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

    /// Whether a value conforms that came as `size` bytes.
    pub(crate) fn is_valid(&self, value: &Value, size: usize) -> Result<bool, TooCostly> {
        self.judge(value, size).map(|(conforms, _)| conforms)
    }

    /// What is wrong with a value that came as `size` bytes: the first violation or all, at most [`MAX_VIOLATIONS`].
    ///
    /// Whether anything is wrong at all is found out first: that is what most requests need, and it never costs much
    /// because the engine remembers which parts it has judged. It does not when it gathers errors.
    pub(crate) fn violations(
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
