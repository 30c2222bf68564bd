//! Responses: which statuses are declared, and what is asked of each.
//!
//! They are compiled apart from requests: what is wrong with them refuses no document and is listed apart, and what an
//! error was found in is not judged by.

use std::collections::HashMap;

use serde_json::Value;

use super::super::Planned;
use super::{Compiler, Found};
use crate::operation::media_type::Range;
use crate::operation::plan::{Parameter, Reading};
use crate::operation::response::{Content, Declared, Response, Responses, Rule, Status};
use crate::problem::{self, Problem, Problems};
use crate::reference::child;
use crate::schema::lower::{Direction, Lowered, Version, unusable};
use crate::schema::store::Schemas;
use crate::violation::Location;

/// Compile the responses of all operations, and note in each plan which are its own.
pub(in crate::document) fn compile(
    document: &Value,
    version: Version,
    plans: &mut [Planned],
) -> (Responses, Vec<Problem>) {
    let mut problems = Problems::default();
    let mut compiler = Compiler::new(document, version, Direction::Response, &mut problems);
    let mut gathered = Gathered::default();
    for planned in plans {
        let operation = document.pointer(&planned.pointer).unwrap_or(&Value::Null);
        let mut declared = compiler.declared(operation, &planned.pointer, &mut gathered);
        if let Some(declared) = &mut declared {
            declared.is_head = planned.method == "HEAD";
        }
        planned.plan.responses = declared;
    }
    let Lowered {
        definitions,
        places,
        faulty,
    } = compiler.lowering.finish(compiler.problems);
    let unusable = unusable(&definitions, &faulty);
    for response in &mut gathered.list {
        leave_out(response, &unusable);
    }
    let responses = Responses {
        list: gathered.list,
        schemas: Schemas::new(definitions, places),
    };
    // As a list it is the same whether it has errors or not.
    let problems = problems.into_result().unwrap_or_else(|problems| problems);
    (responses, problems)
}

/// The responses of a document; those that several operations refer to are there once.
#[derive(Default)]
struct Gathered {
    list: Vec<Response>,
    /// The pointer of a response → its number.
    numbers: HashMap<String, usize>,
}

impl Gathered {
    fn add(&mut self, response: Response) -> usize {
        self.list.push(response);
        self.list.len() - 1
    }
}

impl<'d> Compiler<'d, '_> {
    fn declared(
        &mut self,
        operation: &'d Value,
        pointer: &str,
        gathered: &mut Gathered,
    ) -> Option<Declared> {
        let pointer = child(pointer, "responses");
        let place = self.place(&pointer);
        let Some(members) = operation.get("responses")?.as_object() else {
            let message = "`responses` is an object with a member for each status";
            self.problems.add(problem::SHAPE, place, message);
            return None;
        };
        let mut statuses = Vec::with_capacity(members.len());
        let mut others = None;
        for (key, value) in members {
            if key.starts_with("x-") {
                continue;
            }
            let pointer = child(&pointer, key);
            if let Some(status) = Status::parse(key) {
                statuses.push((status, self.response(value, &pointer, gathered)));
            } else {
                let place = self.place(&pointer);
                let message = "the key is no status (`200`, `2XX` or `default`), so statuses that are not declared are taken to be its own, and pass";
                self.problems.add(problem::IGNORED, place.clone(), message);
                others = Some(place);
            }
        }
        if let Some(place) = others
            && !statuses
                .iter()
                .any(|(status, _)| *status == Status::Default)
        {
            let number = gathered.add(Response::unjudged(place));
            statuses.push((Status::Default, number));
        }
        (!statuses.is_empty()).then_some(Declared {
            statuses,
            is_head: false,
            place,
        })
    }

    /// The number of a response, references followed.
    fn response(&mut self, value: &'d Value, pointer: &str, gathered: &mut Gathered) -> usize {
        let Some(found) = self.follow(value, pointer) else {
            let place = self.place(pointer);
            return gathered.add(Response::unjudged(place));
        };
        if let Some(number) = gathered.numbers.get(&found.pointer) {
            return *number;
        }
        let place = self.place(&found.pointer);
        if !found.value.is_object() {
            self.problems
                .add(problem::SHAPE, place.clone(), "a response is an object");
        }
        let headers = self.response_headers(&found);
        let content = self.response_content(&found);
        let number = gathered.add(Response {
            headers,
            content,
            place,
        });
        gathered.numbers.insert(found.pointer, number);
        number
    }

    fn response_headers(&mut self, response: &Found<'d>) -> Vec<Parameter> {
        let headers = response.value.get("headers").and_then(Value::as_object);
        let pointer = child(&response.pointer, "headers");
        let mut declared = Vec::new();
        for (name, value) in headers.into_iter().flatten() {
            // OpenAPI: `content` says it, so a header of that name is ignored.
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let Some(found) = self.follow(value, &child(&pointer, name)) else {
                continue;
            };
            let place = self.place(&found.pointer);
            // Cookies are one a line and hold commas, which no style can write.
            let reading = if name.eq_ignore_ascii_case("set-cookie") {
                Reading::Unchecked
            } else {
                self.reading(&found, Location::Header, &place)
            };
            declared.push(Parameter {
                location: Location::Header,
                name: name.clone(),
                required: found.value.get("required") == Some(&Value::Bool(true)),
                allow_empty: false,
                reading,
                place,
            });
        }
        declared
    }

    fn response_content(&mut self, response: &Found<'d>) -> Vec<Content> {
        let content = response.value.get("content").and_then(Value::as_object);
        let pointer = child(&response.pointer, "content");
        let mut declared = Vec::new();
        for (key, value) in content.into_iter().flatten() {
            let pointer = child(&pointer, key);
            let place = self.place(&pointer);
            let Some(range) = Range::parse(key) else {
                let message = "the key is no media type, so types that are not declared are taken to be its own, and pass";
                self.problems.add(problem::IGNORED, place.clone(), message);
                declared.extend(Range::parse("*/*").map(|range| Content {
                    range,
                    rule: Rule::None,
                    place,
                }));
                continue;
            };
            let rule = if !range.is_json() && !range.is_range() {
                Rule::None
            } else if value.get("schema").is_some() {
                let pointer = child(&pointer, "schema");
                Rule::Schema(self.lowering.schema(&pointer, self.problems))
            } else {
                Rule::Json
            };
            declared.push(Content { range, rule, place });
        }
        declared
    }
}

/// Leave out the rules of a response that cannot be used.
fn leave_out(response: &mut Response, unusable: &[bool]) {
    for header in &mut response.headers {
        let schema = match &header.reading {
            Reading::Styled { shape, .. } => Some(shape.schema),
            Reading::Json(schema) => *schema,
            Reading::Unchecked => None,
        };
        if schema.is_some_and(|schema| unusable[schema]) {
            header.reading = Reading::Unchecked;
        }
    }
    for content in &mut response.content {
        if matches!(content.rule, Rule::Schema(schema) if unusable[schema]) {
            content.rule = Rule::Unusable;
        }
    }
}
