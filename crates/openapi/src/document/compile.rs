//! Walks the paths of a document and makes the plan of each operation.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::servers::{Base, bases};
use super::{Compiled, DocumentOperation};
use crate::operation::media_type::Range;
use crate::operation::plan::{Body, Content, Form, Media, Parameter, PathVariable, Plan, QueryNames, Shape};
use crate::policy::Limits;
use crate::problem::{self, Problems};
use crate::reference::{child, follow, place_of};
use crate::schema::lower::{Lowering, Version, report_reference};
use crate::schema::types::{Definitions, Types};
use crate::template::{Segment, Template};
use crate::violation::Location;

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

pub(super) fn compile(document: &Value, version: Version, limits: &Limits, problems: &mut Problems) -> Compiled {
    let mut compiler = Compiler {
        document,
        lowering: Lowering::new(document, version),
        problems,
        operations: Vec::new(),
        plans: Vec::new(),
        endpoints: HashMap::new(),
    };
    compiler.paths(version, limits);
    let Compiler { lowering, problems, operations, plans, .. } = compiler;
    Compiled { operations, plans, schemas: lowering.finish(problems) }
}

struct Compiler<'d, 'p> {
    document: &'d Value,
    lowering: Lowering<'d>,
    problems: &'p mut Problems,
    operations: Vec<DocumentOperation>,
    plans: Vec<(String, String, Plan)>,
    /// Method and segments of the path → the path they were first seen with.
    endpoints: HashMap<(String, Vec<Segment>), String>,
}

/// An object of the document and where it is.
#[derive(Clone)]
struct Found<'d> {
    value: &'d Value,
    pointer: String,
}

impl<'d> Compiler<'d, '_> {
    fn place(&self, pointer: &str) -> String {
        place_of(self.document, pointer)
    }

    /// Follow references; a failure is reported.
    fn follow(&mut self, value: &'d Value, pointer: &str) -> Option<Found<'d>> {
        match follow(self.document, value, pointer) {
            Ok((value, pointer)) => Some(Found { value, pointer }),
            Err(error) => {
                let reference = value.get("$ref").and_then(Value::as_str).unwrap_or_default();
                report_reference(error, reference, self.place(pointer), self.problems);
                None
            }
        }
    }

    fn paths(&mut self, version: Version, limits: &Limits) {
        if !self.document.get("info").is_some_and(Value::is_object) {
            self.problems.add(problem::SHAPE, ".", "`info` is missing; it holds `title` and `version`");
        }
        let paths = match self.document.get("paths") {
            Some(Value::Object(paths)) => paths,
            None if version == Version::V31 => return,
            _ => {
                self.problems.add(problem::SHAPE, ".", "`paths` is missing; it is an object with a member for each path");
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
            let message = format!("the document has {} operations; at most {} are enforced", self.plans.len(), limits.max_operations);
            self.problems.add(problem::TOO_MANY_OPERATIONS, ".paths", message);
        }
    }

    fn path(&mut self, path: &str, item: &'d Value, servers: &[Base]) {
        let pointer = child("/paths", path);
        let template = match Template::parse(path) {
            Ok(template) => template,
            Err(reason) => {
                let place = self.place(&pointer);
                self.problems.add(problem::PATH, place, format!("the path cannot be matched: {reason}"));
                return;
            }
        };
        let Some(item) = self.follow(item, &pointer) else { return };
        let Some(members) = item.value.as_object() else {
            let place = self.place(&pointer);
            self.problems.add(problem::SHAPE, place, "a path item is an object");
            return;
        };
        let own_servers = members
            .get("servers")
            .map(|servers| bases(Some(servers), &self.place(&child(&item.pointer, "servers")), self.problems));
        let servers = own_servers.as_deref().unwrap_or(servers);
        let shared = self.parameters(members.get("parameters"), &child(&item.pointer, "parameters"));
        for method in METHODS {
            let Some(operation) = members.get(*method) else { continue };
            let pointer = child(&item.pointer, method);
            let Some(operation) = operation.as_object() else {
                let place = self.place(&pointer);
                self.problems.add(problem::SHAPE, place, "an operation is an object");
                continue;
            };
            self.operation(path, &template, method, operation, &pointer, &shared, servers);
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
        if let Some(first) = self.endpoints.insert((method.clone(), template.segments.clone()), path.to_owned()) {
            let message = format!("`{first}` and `{path}` are the same endpoint: names of variables make no difference");
            self.problems.add(problem::DUPLICATE_OPERATION, place, message);
            return;
        }
        let own_servers = operation
            .get("servers")
            .map(|servers| bases(Some(servers), &self.place(&child(pointer, "servers")), self.problems));
        let own = self.parameters(operation.get("parameters"), &child(pointer, "parameters"));
        let parameters = merge(own, shared);
        let mut plan = Plan { place: place.clone(), ..Plan::default() };
        self.plan_parameters(template, parameters, &mut plan);
        self.security_names(operation, &mut plan.other_query_names);
        plan.body = self.body(operation, pointer);
        self.plans.push((path.to_owned(), method.clone(), plan));
        let text = |key: &str| operation.get(key).and_then(Value::as_str).map(str::to_owned);
        for base in own_servers.as_deref().unwrap_or(servers) {
            self.operations.push(DocumentOperation {
                method: method.clone(),
                path: path.to_owned(),
                hosts: base.hosts.clone(),
                endpoint: number_variables(&format!("{}{path}", base.path)),
                operation_id: text("operationId"),
                summary: text("summary"),
                deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
            });
        }
    }

    /// The parameter objects of a list, references followed; duplicates are reported.
    fn parameters(&mut self, list: Option<&'d Value>, pointer: &str) -> Vec<Found<'d>> {
        let list = match list {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                let place = self.place(pointer);
                self.problems.add(problem::SHAPE, place, "`parameters` is a list");
                return Vec::new();
            }
        };
        let mut found: Vec<Found<'d>> = Vec::with_capacity(list.len());
        for (index, parameter) in list.iter().enumerate() {
            let pointer = child(pointer, &index.to_string());
            let Some(parameter) = self.follow(parameter, &pointer) else { continue };
            let place = self.place(&pointer);
            let Some(key) = key_of(parameter.value) else {
                let message = "a parameter has a `name` and an `in`, which is path, query, header or cookie";
                self.problems.add(problem::PARAMETER, place, message);
                continue;
            };
            if found.iter().any(|known| key_of(known.value) == Some(key)) {
                self.problems.add(problem::PARAMETER, place, "the parameter is declared twice");
                continue;
            }
            found.push(parameter);
        }
        found
    }

    fn plan_parameters(&mut self, template: &Template, parameters: Vec<Found<'d>>, plan: &mut Plan) {
        plan.path = template.names.iter().map(|name| PathVariable { name: name.clone(), parameter: None }).collect();
        for found in parameters {
            let Some((location, name)) = key_of(found.value) else { continue };
            // OpenAPI: these three are described elsewhere in the document, so a parameter of that name is ignored.
            let is_described_elsewhere =
                location == Location::Header && ["accept", "content-type", "authorization"].iter().any(|known| name.eq_ignore_ascii_case(known));
            if is_described_elsewhere {
                continue;
            }
            let parameter = self.parameter(&found, location, name, plan);
            match location {
                Location::Path => match plan.path.iter_mut().find(|variable| variable.name == name) {
                    Some(variable) => variable.parameter = Some(parameter),
                    None => self.problems.add(
                        problem::UNUSED_VARIABLE,
                        parameter.place,
                        "the path has no variable of this name, so the parameter is ignored",
                    ),
                },
                Location::Query => plan.query.push(parameter),
                Location::Header => plan.headers.push(parameter),
                Location::Cookie | Location::Body => plan.cookies.push(parameter),
            }
        }
        for variable in plan.path.iter().filter(|variable| variable.parameter.is_none()) {
            let message = format!("the path variable `{}` is not declared, so any text is accepted", variable.name);
            self.problems.add(problem::UNDECLARED_VARIABLE, plan.place.clone(), message);
        }
    }

    fn parameter(&mut self, found: &Found<'d>, location: Location, name: &str, plan: &mut Plan) -> Parameter {
        let value = found.value;
        let place = self.place(&found.pointer);
        let is_true = |key: &str| value.get(key) == Some(&Value::Bool(true));
        let mut parameter = Parameter {
            location,
            name: name.to_owned(),
            required: is_true("required"),
            allow_empty: location == Location::Query && is_true("allowEmptyValue"),
            shape: None,
            place: place.clone(),
        };
        let default_style = if matches!(location, Location::Query | Location::Cookie) { "form" } else { "simple" };
        let style = value.get("style").and_then(Value::as_str).unwrap_or(default_style);
        let explode = value.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
        if style == "deepObject" && location == Location::Query {
            plan.other_query_names.bracketed.push(name.to_owned());
        }
        if value.get("content").is_some() {
            self.not_enforced(place, "it is described by `content`");
            return parameter;
        }
        if value.get("schema").is_none() {
            self.problems.add(problem::PARAMETER, place, "a parameter has a `schema` or `content`");
            return parameter;
        }
        let schema = self.lowering.schema(&child(&found.pointer, "schema"), self.problems);
        let definitions = Definitions(self.lowering.definitions());
        let lowered = &definitions.0[schema];
        let types = definitions.types(lowered);
        // Without any statement of types an object is as good as ruled out: text is what arrives.
        if types.meets(Types::OBJECT) && types != Types::ALL {
            if style == "form" && explode && location == Location::Query {
                exploded_names(definitions, lowered, &mut plan.other_query_names);
                // Its own name never arrives, so it cannot be asked for.
                parameter.required = false;
            }
            self.not_enforced(place, "it can be an object");
            return parameter;
        }
        match separator(location, style, explode) {
            Some(delimiter) => parameter.shape = Some(shape(definitions, schema, delimiter)),
            None if types.meets(Types::ARRAY) || matches!(style, "matrix" | "label") => {
                self.not_enforced(place, &format!("its style `{style}` is not supported in this place"));
            }
            None => parameter.shape = Some(shape(definitions, schema, None)),
        }
        parameter
    }

    fn not_enforced(&mut self, place: String, reason: &str) {
        let message = format!("the parameter's value is not enforced: {reason}");
        self.problems.add(problem::PARAMETER_NOT_ENFORCED, place, message);
    }

    /// Query parameters that carry an API key are declared by the security scheme.
    fn security_names(&mut self, operation: &Map<String, Value>, names: &mut QueryNames) {
        let security = operation.get("security").or_else(|| self.document.get("security"));
        let requirements = security.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
        for scheme in requirements.flat_map(Map::keys) {
            let pointer = child("/components/securitySchemes", scheme);
            let Some(scheme) = self.document.pointer(&pointer) else { continue };
            let Ok((scheme, _)) = follow(self.document, scheme, &pointer) else { continue };
            let text = |key: &str| scheme.get(key).and_then(Value::as_str);
            if let (Some("apiKey"), Some("query"), Some(name)) = (text("type"), text("in"), text("name")) {
                names.exact.push(name.to_owned());
            }
        }
    }

    fn body(&mut self, operation: &'d Map<String, Value>, pointer: &str) -> Option<Body> {
        let pointer = child(pointer, "requestBody");
        let body = self.follow(operation.get("requestBody")?, &pointer)?;
        let place = self.place(&body.pointer);
        let required = body.value.get("required") == Some(&Value::Bool(true));
        let mut media = Vec::new();
        match body.value.get("content").and_then(Value::as_object) {
            Some(content) if !content.is_empty() => {
                let pointer = child(&body.pointer, "content");
                for (key, value) in content {
                    media.extend(self.media(key, value, &child(&pointer, key)));
                }
                if media.is_empty() {
                    self.problems.add(problem::SHAPE, place.clone(), "no media type of the body can be read");
                }
            }
            _ => {
                let message = "the request body declares no `content`, so bodies pass unchecked";
                self.problems.add(problem::NO_CONTENT, place.clone(), message);
            }
        }
        Some(Body { required, media, place })
    }

    fn media(&mut self, key: &str, value: &'d Value, pointer: &str) -> Option<Media> {
        let place = self.place(pointer);
        let Some(range) = Range::parse(key) else {
            let message = "the key is no media type, so bodies of it are refused";
            self.problems.add(problem::IGNORED, place, message);
            return None;
        };
        let schema = |compiler: &mut Self| {
            value.get("schema").map(|_| compiler.lowering.schema(&child(pointer, "schema"), compiler.problems))
        };
        let content = if range.is_json() {
            Content::Json(schema(self))
        } else if range.is_form() {
            let schema = schema(self);
            match self.form(schema, value, pointer) {
                Ok(form) => Content::Form(form),
                Err(reason) => {
                    let message = format!("forms pass unchecked: {reason}");
                    self.problems.add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
                    Content::Pass
                }
            }
        } else if range.is_range() {
            let schema = schema(self);
            let definitions = Definitions(self.lowering.definitions());
            let others_pass = schema.is_none_or(|schema| definitions.types(&definitions.0[schema]).meets(Types::STRING));
            let form = self.form(schema, value, pointer).ok();
            if !others_pass {
                let message = "of this range only JSON and URL-encoded forms are accepted: other types cannot be checked by the schema";
                self.problems.add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
            } else if schema.is_some() {
                let message = "of this range only JSON and URL-encoded forms are checked; other types pass unchecked";
                self.problems.add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
            }
            Content::Range { schema, form, others_pass }
        } else {
            let shown: String = key.split(';').next().unwrap_or_default().chars().take(100).collect();
            let message = format!("the media type `{shown}` is not supported: bodies of it pass unchecked");
            self.problems.add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
            Content::Pass
        };
        Some(Media { range, content, place })
    }

    /// The fields of a form.
    ///
    /// # Errors
    ///
    /// Why forms of this schema cannot be read without guessing.
    fn form(&mut self, schema: Option<usize>, media: &Value, pointer: &str) -> Result<Form, &'static str> {
        let Some(schema) = schema else { return Ok(Form::default()) };
        let encoding = media.get("encoding").and_then(Value::as_object);
        let definitions = Definitions(self.lowering.definitions());
        let mut fields: Vec<(String, Field)> = Vec::new();
        let mut unreadable = None;
        definitions.properties(&definitions.0[schema], &mut |name, property| {
            let encoding = encoding.and_then(|encoding| encoding.get(name));
            match Field::of(definitions, property, encoding) {
                Ok(field) => match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => known.merge(field),
                    None => fields.push((name.to_owned(), field)),
                },
                Err(reason) => unreadable = Some(reason),
            }
        });
        if let Some(reason) = unreadable {
            return Err(reason);
        }
        let mut form = Form { schema: Some(schema), fields: Vec::with_capacity(fields.len()) };
        for (name, field) in fields {
            // Only a text with several meanings needs its own check, to tell which of them is meant.
            let type_only = !field.is_ambiguous();
            let schema = if type_only { schema } else { self.lowering.part(field.schema, pointer) };
            let Field { types, items, delimiter, .. } = field;
            form.fields.push((name, Shape { types, items, delimiter, schema, type_only }));
        }
        Ok(form)
    }
}

/// A property of a form's schema.
struct Field {
    types: Types,
    items: Types,
    delimiter: Option<char>,
    schema: Value,
}

impl Field {
    fn of(definitions: Definitions<'_>, property: &Value, encoding: Option<&Value>) -> Result<Self, &'static str> {
        let types = definitions.types(property);
        let items = definitions.items(property).map_or(Types::ALL, |items| definitions.types(items));
        let nested = types.meets(Types::ARRAY) && items != Types::ALL && items.meets(Types::OBJECT.or(Types::ARRAY));
        if nested || (types.meets(Types::OBJECT) && types != Types::ALL) {
            return Err("a field can be an object, or a list of them");
        }
        let text = |key: &str| encoding.and_then(|encoding| encoding.get(key)).and_then(Value::as_str);
        if text("contentType").is_some() || text("style").is_some_and(|style| style != "form") {
            return Err("a field has an encoding of its own");
        }
        let explode = encoding.and_then(|encoding| encoding.get("explode")).and_then(Value::as_bool).unwrap_or(true);
        let delimiter = (!explode).then_some(',');
        Ok(Self { types, items, delimiter, schema: property.clone() })
    }

    /// The same property, declared once more by another part of the schema.
    fn merge(&mut self, other: Self) {
        self.types = self.types.or(other.types);
        self.items = self.items.or(other.items);
        let schemas = [std::mem::take(&mut self.schema), other.schema];
        self.schema = serde_json::json!({"anyOf": schemas});
    }

    fn is_ambiguous(&self) -> bool {
        let several = |types: Types| !types.is_one_scalar();
        let types = self.types.without(Types::NULL.or(Types::OBJECT));
        if types.has(Types::ARRAY) { types != Types::ARRAY || several(self.items) } else { several(types) }
    }
}

/// Own parameters, then the path's that are not declared anew.
fn merge<'d>(mut own: Vec<Found<'d>>, shared: &[Found<'d>]) -> Vec<Found<'d>> {
    for parameter in shared {
        if !own.iter().any(|known| key_of(known.value) == key_of(parameter.value)) {
            own.push(parameter.clone());
        }
    }
    own
}

fn key_of(parameter: &Value) -> Option<(Location, &str)> {
    let location = match parameter.get("in")?.as_str()? {
        "path" => Location::Path,
        "query" => Location::Query,
        "header" => Location::Header,
        "cookie" => Location::Cookie,
        _ => return None,
    };
    Some((location, parameter.get("name")?.as_str()?))
}

/// What separates the items of an array: `Some(None)` is repetition, `None` a style that is not supported.
#[allow(clippy::option_option)] // the two levels answer two questions
fn separator(location: Location, style: &str, explode: bool) -> Option<Option<char>> {
    match (location, style, explode) {
        (Location::Path | Location::Header, "simple", _) | (Location::Query | Location::Cookie, "form", false) => Some(Some(',')),
        (Location::Query, "form" | "spaceDelimited" | "pipeDelimited", true) => Some(None),
        (Location::Query, "spaceDelimited", false) => Some(Some(' ')),
        (Location::Query, "pipeDelimited", false) => Some(Some('|')),
        _ => None,
    }
}

fn shape(definitions: Definitions<'_>, schema: usize, delimiter: Option<char>) -> Shape {
    let lowered = &definitions.0[schema];
    let type_only = lowered.as_object().is_some_and(|keywords| keywords.keys().all(|keyword| keyword == "type"));
    Shape {
        types: definitions.types(lowered),
        items: definitions.items(lowered).map_or(Types::ALL, |items| definitions.types(items)),
        delimiter,
        schema,
        type_only,
    }
}

fn exploded_names<'s>(definitions: Definitions<'s>, schema: &'s Value, names: &mut QueryNames) {
    definitions.properties(schema, &mut |name, _| names.exact.push(name.to_owned()));
    names.any |= definitions.has_open_properties(schema);
}

/// Rename variables to `{var1}`, `{var2}`, … left to right.
fn number_variables(endpoint: &str) -> String {
    let mut out = String::with_capacity(endpoint.len());
    let mut rest = endpoint;
    let mut count = 0;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        count += 1;
        out.push_str(before);
        out.push_str(&format!("{{var{count}}}"));
        rest = after;
    }
    out.push_str(rest);
    out
}
