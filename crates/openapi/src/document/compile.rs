//! Walks the paths of a document and makes the plan of each operation.

mod body;
mod discriminator;
mod form;
mod parameter;
mod parts;
mod response;
mod shape;

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::servers::{Base, bases};
use super::{Compiled, DocumentOperation, Planned};
use crate::operation::media_type::MediaType;
use crate::operation::plan::Plan;
use crate::policy::Limits;
use crate::problem::{self, Problems};
use crate::reference::{child, follow, place_of};
use crate::schema::lower::{Direction, Lowering, Version, report_reference};
use crate::template::{Segment, Template};

pub(super) use self::response::compile as responses;

/// On an operation: `allow` or `reject` query parameters that it does not declare, whatever the policy says.
const UNDECLARED_QUERY: &str = "x-hauberk-undeclared-query";

/// On an operation that declares no body: `allow` or `reject` one, whatever the policy says. On one that declares a body: `allow`
/// those of other media types, unchecked.
const UNDECLARED_BODY: &str = "x-hauberk-undeclared-body";

/// On an operation: the media type that a body without a `Content-Type` is judged by.
const UNTYPED_BODY: &str = "x-hauberk-untyped-body";

const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

pub(super) fn compile(
    document: &Value,
    version: Version,
    limits: &Limits,
    problems: &mut Problems,
) -> Compiled {
    let mut compiler = Compiler::new(document, version, Direction::Request, problems);
    compiler.paths(version, limits);
    compiler.discriminators();
    let Compiler {
        lowering,
        problems,
        operations,
        plans,
        ..
    } = compiler;
    Compiled {
        operations,
        plans,
        schemas: lowering.finish(problems),
    }
}

struct Compiler<'d, 'p> {
    document: &'d Value,
    lowering: Lowering<'d>,
    problems: &'p mut Problems,
    operations: Vec<DocumentOperation>,
    plans: Vec<Planned>,
    /// Method and segments of the path → the number of the plan they were first seen with.
    endpoints: HashMap<(String, Vec<Segment>), usize>,
}

/// An object of the document and where it is.
#[derive(Clone)]
struct Found<'d> {
    value: &'d Value,
    pointer: String,
}

impl<'d, 'p> Compiler<'d, 'p> {
    fn new(
        document: &'d Value,
        version: Version,
        direction: Direction,
        problems: &'p mut Problems,
    ) -> Self {
        Self {
            document,
            lowering: Lowering::new(document, version, direction),
            problems,
            operations: Vec::new(),
            plans: Vec::new(),
            endpoints: HashMap::new(),
        }
    }

    fn place(&self, pointer: &str) -> String {
        place_of(self.document, pointer)
    }

    /// Follow references; a failure is reported.
    fn follow(&mut self, value: &'d Value, pointer: &str) -> Option<Found<'d>> {
        match follow(self.document, value, pointer) {
            Ok((value, pointer)) => Some(Found { value, pointer }),
            Err(error) => {
                let reference = value
                    .get("$ref")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                report_reference(error, reference, self.place(pointer), self.problems);
                None
            }
        }
    }

    fn paths(&mut self, version: Version, limits: &Limits) {
        if !self.document.get("info").is_some_and(Value::is_object) {
            self.problems.add(
                problem::SHAPE,
                ".",
                "`info` is missing; it holds `title` and `version`",
            );
        }
        let paths = match self.document.get("paths") {
            Some(Value::Object(paths)) => paths,
            None if version == Version::V31 => return,
            _ => {
                self.problems.add(
                    problem::SHAPE,
                    ".",
                    "`paths` is missing; it is an object with a member for each path",
                );
                return;
            }
        };
        let servers = bases(self.document.get("servers"), ".servers", self.problems);
        for (path, item) in paths {
            if path.starts_with("x-") {
                continue;
            }
            self.path(path, item, &servers);
        }
        if self.plans.len() > limits.max_operations {
            let message = format!(
                "the document has {} operations; at most {} are enforced",
                self.plans.len(),
                limits.max_operations
            );
            self.problems
                .add(problem::TOO_MANY_OPERATIONS, ".paths", message);
        }
    }

    fn path(&mut self, path: &str, item: &'d Value, servers: &[Base]) {
        let pointer = child("/paths", path);
        if path.contains('#') {
            // Documents tell variants of an operation apart so. No client sends a fragment.
            let place = self.place(&pointer);
            let shown: String = path.chars().take(200).collect();
            let message = format!(
                "the operations of `{shown}` are ignored: no request has a fragment; requests of the path before `#` are judged by the operation there"
            );
            self.problems.add(problem::IGNORED, place, message);
            return;
        }
        let template = match Template::parse(path) {
            Ok(template) => template,
            Err(reason) => {
                let place = self.place(&pointer);
                self.problems.add(
                    problem::PATH,
                    place,
                    format!("the path cannot be matched: {reason}"),
                );
                return;
            }
        };
        let Some(item) = self.follow(item, &pointer) else {
            return;
        };
        let Some(members) = item.value.as_object() else {
            let place = self.place(&pointer);
            self.problems
                .add(problem::SHAPE, place, "a path item is an object");
            return;
        };
        let own_servers = members.get("servers").map(|servers| {
            bases(
                Some(servers),
                &self.place(&child(&item.pointer, "servers")),
                self.problems,
            )
        });
        let servers = own_servers.as_deref().unwrap_or(servers);
        let shared = self.parameters(
            members.get("parameters"),
            &child(&item.pointer, "parameters"),
        );
        for method in METHODS {
            let Some(operation) = members.get(*method) else {
                continue;
            };
            let pointer = child(&item.pointer, method);
            let Some(operation) = operation.as_object() else {
                let place = self.place(&pointer);
                self.problems
                    .add(problem::SHAPE, place, "an operation is an object");
                continue;
            };
            self.operation(
                path, &template, method, operation, &pointer, &shared, servers,
            );
        }
    }

    #[allow(clippy::too_many_arguments)] // one call; a struct for it would only rename them
    fn operation(
        &mut self,
        path: &str,
        template: &Template,
        method: &str,
        operation: &'d Map<String, Value>,
        pointer: &str,
        shared: &[Found<'d>],
        servers: &[Base],
    ) {
        let place = self.place(pointer);
        let method = method.to_ascii_uppercase();
        let next = self.plans.len();
        let first = *self
            .endpoints
            .entry((method.clone(), template.segments.clone()))
            .or_insert(next);
        let is_second = first != next;
        if is_second && !self.join(first, path, &place) {
            return;
        }
        let own_servers = operation.get("servers").map(|servers| {
            bases(
                Some(servers),
                &self.place(&child(pointer, "servers")),
                self.problems,
            )
        });
        let own = self.parameters(operation.get("parameters"), &child(pointer, "parameters"));
        let parameters = parameter::merge(own, shared);
        let mut plan = Plan {
            place: place.clone(),
            refuses_undeclared_query: self.refuses(operation, UNDECLARED_QUERY, &place),
            refuses_undeclared_body: self.refuses(operation, UNDECLARED_BODY, &place),
            untyped_body: self.untyped_body(operation, &place),
            ..Plan::default()
        };
        self.plan_parameters(template, parameters, &mut plan);
        self.security_names(operation, &mut plan.other_query_names);
        plan.body = self.body(operation, pointer);
        self.plans.push(Planned {
            path: path.to_owned(),
            method: method.clone(),
            pointer: pointer.to_owned(),
            plan,
            twin: is_second.then_some(first),
        });
        if is_second {
            return;
        }
        let text = |key: &str| {
            operation
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        for base in own_servers.as_deref().unwrap_or(servers) {
            let endpoint = number_variables(&format!("{}{path}", base.path));
            if let Err(reason) = Template::parse(&endpoint) {
                let message =
                    format!("the path cannot be matched under its server's base path: {reason}");
                self.problems.add(problem::PATH, &place, message);
                continue;
            }
            self.operations.push(DocumentOperation {
                method: method.clone(),
                path: path.to_owned(),
                hosts: base.hosts.clone(),
                endpoint,
                operation_id: text("operationId"),
                summary: text("summary"),
                deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
            });
        }
    }

    /// What an operation says itself about things it does not declare.
    fn refuses(&mut self, operation: &Map<String, Value>, key: &str, place: &str) -> Option<bool> {
        match operation.get(key)?.as_str() {
            Some("reject") => Some(true),
            Some("allow") => Some(false),
            _ => {
                let message = format!("`{key}` is neither `allow` nor `reject`");
                self.problems.add(problem::SHAPE, place, message);
                None
            }
        }
    }

    /// What an operation takes a body without a `Content-Type` for.
    fn untyped_body(&mut self, operation: &Map<String, Value>, place: &str) -> Option<MediaType> {
        let stated = operation.get(UNTYPED_BODY)?;
        let media_type = stated.as_str().and_then(MediaType::parse);
        if media_type.is_none() {
            let message = format!("`{UNTYPED_BODY}` is no media type");
            self.problems.add(problem::SHAPE, place, message);
        }
        media_type
    }

    /// Note that `path` is the endpoint of the plan `first` once more; `false` if there are too many.
    fn join(&mut self, first: usize, path: &str, place: &str) -> bool {
        let other = self.plans[first].path.clone();
        let same = format!(
            "`{other}` and `{path}` are the same endpoint, because names of variables make no difference"
        );
        if self.plans[first].twin.is_some() {
            let message = format!("{same}; more than two cannot be told apart");
            self.problems
                .add(problem::DUPLICATE_OPERATION, place, message);
            return false;
        }
        self.plans[first].twin = Some(self.plans.len());
        let message = format!("{same}: a request conforms if it conforms to either");
        self.problems.add(problem::EITHER_OPERATION, place, message);
        true
    }
}

/// Rename variables to `{var1}`, `{var2}`, … left to right.
fn number_variables(endpoint: &str) -> String {
    let mut out = String::with_capacity(endpoint.len());
    let mut rest = endpoint;
    let mut count = 0;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else {
            break;
        };
        count += 1;
        // Writing to a String cannot fail.
        let _ = write!(out, "{before}{{var{count}}}");
        rest = after;
    }
    out.push_str(rest);
    out
}
