//! The values of keywords: each is checked, and rewritten where OpenAPI 3.0 has a form of its own.

use serde_json::{Map, Value};

use super::{Lowering, TYPES, is_supported_dialect};
use crate::problem::{self, Problems};
use crate::reference::{child, push_token};
use crate::schema::format;
use crate::schema::pattern::fault;

impl Lowering<'_> {
    pub(super) fn check(
        &self,
        fits: bool,
        value: &Value,
        pointer: &str,
        wanted: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        if fits {
            return Some(value.clone());
        }
        let keyword = pointer.rsplit('/').next().unwrap_or_default();
        problems.add(
            problem::KEYWORD,
            self.place(pointer),
            format!("`{keyword}` is {wanted}"),
        );
        None
    }

    pub(super) fn types(
        &self,
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
        match value {
            Value::Array(names) => {
                if self.is_v30() {
                    let message = "a list of types belongs to OpenAPI 3.1; it is read as there";
                    problems.add(
                        problem::KEYWORD_OF_OTHER_VERSION,
                        self.place(pointer),
                        message,
                    );
                }
                let fits = !names.is_empty() && names.iter().all(known);
                self.check(fits, value, pointer, "a list of JSON types", problems)
            }
            Value::String(name) if name == "null" && self.is_v30() => {
                let message = "the type `null` belongs to OpenAPI 3.1; it is read as there";
                problems.add(
                    problem::KEYWORD_OF_OTHER_VERSION,
                    self.place(pointer),
                    message,
                );
                Some(value.clone())
            }
            _ => self.check(
                known(value),
                value,
                pointer,
                "one of boolean, integer, number, string, array, object",
                problems,
            ),
        }
    }

    pub(super) fn schema_list(
        &mut self,
        keyword: &str,
        value: &Value,
        pointer: &mut String,
        problems: &mut Problems,
    ) -> Option<Value> {
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

    pub(super) fn schema_map(
        &mut self,
        keyword: &str,
        value: &Value,
        pointer: &mut String,
        problems: &mut Problems,
    ) -> Option<Value> {
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

    pub(super) fn required(
        &self,
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        match value {
            // A habit from draft 3, where a property said of itself that it is required.
            Value::Bool(_) => {
                let message =
                    "`required` of a schema lists property names; `true` and `false` are ignored";
                problems.add(
                    problem::KEYWORD_WITHOUT_MEANING,
                    self.place(pointer),
                    message,
                );
                None
            }
            _ => self.check(
                is_text_list(value),
                value,
                pointer,
                "a list of property names",
                problems,
            ),
        }
    }

    pub(super) fn dependent_required(
        &self,
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        let fits = value
            .as_object()
            .is_some_and(|lists| lists.values().all(is_text_list));
        self.check(
            fits,
            value,
            pointer,
            "an object of lists of property names",
            problems,
        )
    }

    pub(super) fn count(
        &self,
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        let count = value.as_u64().or_else(|| {
            let number = value
                .as_f64()
                .filter(|number| *number >= 0.0 && number.fract() == 0.0 && *number < 9e15)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // whole and within range, just checked
            Some(number as u64)
        });
        match count {
            Some(count) => Some(count.into()),
            None => self.check(false, value, pointer, "a whole number, 0 or more", problems),
        }
    }

    pub(super) fn exclusive(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Value> {
        let inclusive = if keyword == "exclusiveMinimum" {
            "minimum"
        } else {
            "maximum"
        };
        let foreign = if self.is_v30() {
            value.is_number()
        } else {
            value.is_boolean()
        };
        if foreign {
            let form = if self.is_v30() {
                "a number"
            } else {
                "a boolean"
            };
            let message = format!(
                "`{keyword}` as {form} is the form of another OpenAPI version; it is read as there"
            );
            problems.add(
                problem::KEYWORD_OF_OTHER_VERSION,
                self.place(pointer),
                message,
            );
        }
        match value {
            Value::Bool(true) => schema
                .get(inclusive)
                .filter(|bound| bound.is_number())
                .cloned(),
            Value::Bool(false) => None,
            _ => self.check(
                value.is_number(),
                value,
                pointer,
                "a boolean in OpenAPI 3.0, a number in 3.1",
                problems,
            ),
        }
    }

    pub(super) fn pattern(
        &mut self,
        value: &Value,
        pointer: &str,
        out: &mut Map<String, Value>,
        problems: &mut Problems,
    ) {
        let Some(pattern) = value.as_str() else {
            self.check(false, value, pointer, "text", problems);
            return;
        };
        if self.check_pattern(pattern, pointer, problems) {
            out.insert("pattern".to_owned(), value.clone());
        }
    }

    /// Whether the pattern is one.
    pub(super) fn check_pattern(
        &mut self,
        pattern: &str,
        pointer: &str,
        problems: &mut Problems,
    ) -> bool {
        let known = self
            .patterns
            .entry(pattern.to_owned())
            .or_insert_with(|| fault(pattern))
            .clone();
        let Some(reason) = known else {
            return true;
        };
        let message = format!("the pattern cannot be used: {reason}");
        problems.add(problem::PATTERN, self.place(pointer), message);
        false
    }

    pub(super) fn dialect(&self, value: &Value, pointer: &str, problems: &mut Problems) {
        if !is_supported_dialect(value) {
            let message = "the JSON Schema dialect is not supported; 2020-12 is";
            problems.add(problem::DIALECT, self.place(pointer), message);
        }
    }

    pub(super) fn nullable(
        &self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        pointer: &str,
        problems: &mut Problems,
    ) {
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
                    let lists_null = |values: &Value| {
                        values
                            .as_array()
                            .is_none_or(|values| values.contains(&Value::Null))
                    };
                    if !out.get("enum").is_none_or(lists_null) {
                        let message = "`nullable` has no effect because `enum` does not list null";
                        problems.add(
                            problem::NULLABLE_WITHOUT_EFFECT,
                            self.place(pointer),
                            message,
                        );
                    }
                }
                None if out.is_empty() => {}
                None => {
                    let message = "`nullable` has no effect because there is no `type` beside it";
                    problems.add(
                        problem::NULLABLE_WITHOUT_EFFECT,
                        self.place(pointer),
                        message,
                    );
                }
            },
            Some(_) => {
                let place = self.place(&child(pointer, "nullable"));
                problems.add(problem::KEYWORD, place, "`nullable` is `true` or `false`");
            }
        }
    }

    pub(super) fn format(
        &self,
        value: &Value,
        pointer: &str,
        out: &mut Map<String, Value>,
        problems: &mut Problems,
    ) {
        match value.as_str() {
            Some(name) => {
                if let Some(asserted) = format::keyword_of(name) {
                    out.insert(asserted.to_owned(), value.clone());
                }
            }
            None => problems.add(problem::KEYWORD, self.place(pointer), "`format` is text"),
        }
    }

    /// Note a keyword that this version does not have.
    pub(super) fn without_meaning(
        &self,
        keyword: &str,
        version: &str,
        advice: &str,
        pointer: &str,
        problems: &mut Problems,
    ) {
        let message =
            format!("`{keyword}` has no meaning in OpenAPI {version} and is ignored; {advice}");
        problems.add(
            problem::KEYWORD_WITHOUT_MEANING,
            self.place(pointer),
            message,
        );
    }
}

fn is_text_list(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|names| names.iter().all(Value::is_string))
}
