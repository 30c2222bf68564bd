//! Parameters: which are declared, and how their text is read.

use serde_json::{Map, Value};

use super::{Compiler, Found};
use crate::operation::plan::{Parameter, PathVariable, Plan, QueryNames, Shape};
use crate::problem;
use crate::reference::{child, follow};
use crate::schema::types::{Definitions, Types};
use crate::template::Template;
use crate::violation::Location;

impl<'d> Compiler<'d, '_> {
    /// The parameter objects of a list, references followed; duplicates are reported.
    pub(super) fn parameters(&mut self, list: Option<&'d Value>, pointer: &str) -> Vec<Found<'d>> {
        let list = match list {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                let place = self.place(pointer);
                self.problems
                    .add(problem::SHAPE, place, "`parameters` is a list");
                return Vec::new();
            }
        };
        let mut found: Vec<Found<'d>> = Vec::with_capacity(list.len());
        for (index, parameter) in list.iter().enumerate() {
            let pointer = child(pointer, &index.to_string());
            let Some(parameter) = self.follow(parameter, &pointer) else {
                continue;
            };
            let place = self.place(&pointer);
            let Some(key) = key_of(parameter.value) else {
                let message =
                    "a parameter has a `name` and an `in`, which is path, query, header or cookie";
                self.problems.add(problem::PARAMETER, place, message);
                continue;
            };
            if found.iter().any(|known| key_of(known.value) == Some(key)) {
                self.problems
                    .add(problem::PARAMETER, place, "the parameter is declared twice");
                continue;
            }
            found.push(parameter);
        }
        found
    }

    pub(super) fn plan_parameters(
        &mut self,
        template: &Template,
        parameters: Vec<Found<'d>>,
        plan: &mut Plan,
    ) {
        plan.path = template
            .names
            .iter()
            .map(|name| PathVariable {
                name: name.clone(),
                parameter: None,
            })
            .collect();
        for found in parameters {
            let Some((location, name)) = key_of(found.value) else {
                continue;
            };
            // OpenAPI: these three are described elsewhere in the document, so a parameter of that name is ignored.
            let is_described_elsewhere = location == Location::Header
                && ["accept", "content-type", "authorization"]
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known));
            if is_described_elsewhere {
                continue;
            }
            let parameter = self.parameter(&found, location, name, plan);
            match location {
                Location::Path => match plan.path.iter_mut().find(|variable| variable.name == name)
                {
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
        for variable in plan
            .path
            .iter()
            .filter(|variable| variable.parameter.is_none())
        {
            let message = format!(
                "the path variable `{}` is not declared, so any text is accepted",
                variable.name
            );
            self.problems
                .add(problem::UNDECLARED_VARIABLE, plan.place.clone(), message);
        }
    }

    fn parameter(
        &mut self,
        found: &Found<'d>,
        location: Location,
        name: &str,
        plan: &mut Plan,
    ) -> Parameter {
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
        let default_style = if matches!(location, Location::Query | Location::Cookie) {
            "form"
        } else {
            "simple"
        };
        let style = value
            .get("style")
            .and_then(Value::as_str)
            .unwrap_or(default_style);
        let explode = value
            .get("explode")
            .and_then(Value::as_bool)
            .unwrap_or(style == "form");
        if style == "deepObject" && location == Location::Query {
            plan.other_query_names.bracketed.push(name.to_owned());
        }
        if value.get("content").is_some() {
            self.not_enforced(place, "it is described by `content`");
            return parameter;
        }
        if value.get("schema").is_none() {
            self.problems.add(
                problem::PARAMETER,
                place,
                "a parameter has a `schema` or `content`",
            );
            return parameter;
        }
        let schema = self
            .lowering
            .schema(&child(&found.pointer, "schema"), self.problems);
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
                self.not_enforced(
                    place,
                    &format!("its style `{style}` is not supported in this place"),
                );
            }
            None => parameter.shape = Some(shape(definitions, schema, None)),
        }
        parameter
    }

    fn not_enforced(&mut self, place: String, reason: &str) {
        let message = format!("the parameter's value is not enforced: {reason}");
        self.problems
            .add(problem::PARAMETER_NOT_ENFORCED, place, message);
    }

    /// Query parameters that carry an API key are declared by the security scheme.
    pub(super) fn security_names(
        &mut self,
        operation: &Map<String, Value>,
        names: &mut QueryNames,
    ) {
        let security = operation
            .get("security")
            .or_else(|| self.document.get("security"));
        let requirements = security
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object);
        for scheme in requirements.flat_map(Map::keys) {
            let pointer = child("/components/securitySchemes", scheme);
            let Some(scheme) = self.document.pointer(&pointer) else {
                continue;
            };
            let Ok((scheme, _)) = follow(self.document, scheme, &pointer) else {
                continue;
            };
            let text = |key: &str| scheme.get(key).and_then(Value::as_str);
            if let (Some("apiKey"), Some("query"), Some(name)) =
                (text("type"), text("in"), text("name"))
            {
                names.exact.push(name.to_owned());
            }
        }
    }
}

/// Own parameters, then the path's that are not declared anew.
pub(super) fn merge<'d>(mut own: Vec<Found<'d>>, shared: &[Found<'d>]) -> Vec<Found<'d>> {
    for parameter in shared {
        if !own
            .iter()
            .any(|known| key_of(known.value) == key_of(parameter.value))
        {
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
        (Location::Path | Location::Header, "simple", _)
        | (Location::Query | Location::Cookie, "form", false) => Some(Some(',')),
        (Location::Query, "form" | "spaceDelimited" | "pipeDelimited", true) => Some(None),
        (Location::Query, "spaceDelimited", false) => Some(Some(' ')),
        (Location::Query, "pipeDelimited", false) => Some(Some('|')),
        _ => None,
    }
}

fn shape(definitions: Definitions<'_>, schema: usize, delimiter: Option<char>) -> Shape {
    let lowered = &definitions.0[schema];
    let type_only = lowered
        .as_object()
        .is_some_and(|keywords| keywords.keys().all(|keyword| keyword == "type"));
    Shape {
        types: definitions.types(lowered),
        items: definitions
            .items(lowered)
            .map_or(Types::ALL, |items| definitions.types(items)),
        delimiter,
        schema,
        type_only,
    }
}

fn exploded_names<'s>(definitions: Definitions<'s>, schema: &'s Value, names: &mut QueryNames) {
    definitions.properties(schema, &mut |name, _| names.exact.push(name.to_owned()));
    names.any |= definitions.has_open_properties(schema);
}
