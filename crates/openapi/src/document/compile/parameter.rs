//! Parameters: which are declared, and how their text is read.

use serde_json::{Map, Value};

use super::{Compiler, Found};
use crate::operation::media_type::Range;
use crate::operation::plan::{Parameter, PathVariable, Plan, Reading};
use crate::operation::style::{Style, Styled};
use crate::problem;
use crate::reference::{child, follow};
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
            let parameter = self.parameter(&found, location, name);
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

    fn parameter(&mut self, found: &Found<'d>, location: Location, name: &str) -> Parameter {
        let value = found.value;
        let place = self.place(&found.pointer);
        let is_true = |key: &str| value.get(key) == Some(&Value::Bool(true));
        Parameter {
            location,
            name: name.to_owned(),
            required: is_true("required"),
            allow_empty: location == Location::Query && is_true("allowEmptyValue"),
            reading: self.reading(found, location, &place),
            place,
        }
    }

    pub(super) fn reading(
        &mut self,
        found: &Found<'d>,
        location: Location,
        place: &str,
    ) -> Reading {
        let value = found.value;
        if let Some(content) = value.get("content") {
            return self.content(content, &child(&found.pointer, "content"), location, place);
        }
        let pointer = child(&found.pointer, "schema");
        if value.get("schema").is_none() {
            self.problems.add(
                problem::PARAMETER,
                place,
                "a parameter has a `schema` or `content`",
            );
            return Reading::Unchecked;
        }
        let styled = self.styled(value, location, place);
        let schema = self.lowering.schema(&pointer, self.problems);
        let shape = self.shape(schema, &pointer);
        Reading::Styled { styled, shape }
    }

    /// How a parameter is written.
    fn styled(&mut self, value: &Value, location: Location, place: &str) -> Styled {
        let default = if matches!(location, Location::Query | Location::Cookie) {
            Style::Form
        } else {
            Style::Simple
        };
        let stated = value.get("style").and_then(Value::as_str);
        let style = stated.map(|stated| {
            Style::named(stated).filter(|style| match location {
                Location::Path => matches!(style, Style::Simple | Style::Label | Style::Matrix),
                Location::Query => matches!(
                    style,
                    Style::Form | Style::SpaceDelimited | Style::PipeDelimited | Style::DeepObject
                ),
                _ => *style == default,
            })
        });
        let style = style.unwrap_or(Some(default)).unwrap_or_else(|| {
            let shown: String = stated.unwrap_or_default().chars().take(40).collect();
            let message = format!(
                "there is no style `{shown}` in this place, so the parameter is read in the default style"
            );
            self.problems.add(problem::IGNORED, place, message);
            default
        });
        let explode = value.get("explode").and_then(Value::as_bool);
        Styled {
            style,
            explode: explode.unwrap_or(matches!(style, Style::Form | Style::DeepObject)),
        }
    }

    /// How a parameter is read that is described by `content`.
    fn content(
        &mut self,
        content: &'d Value,
        pointer: &str,
        location: Location,
        place: &str,
    ) -> Reading {
        let mut entries = content.as_object().into_iter().flatten();
        let (Some((key, media)), None) = (entries.next(), entries.next()) else {
            let message = "`content` of a parameter has one media type";
            self.problems.add(problem::PARAMETER, place, message);
            return Reading::Unchecked;
        };
        let pointer = child(&child(pointer, key), "schema");
        let range = Range::parse(key);
        let schema = media
            .get("schema")
            .map(|_| self.lowering.schema(&pointer, self.problems));
        match (&range, schema) {
            (Some(range), schema) if range.is_json() => Reading::Json(schema),
            (Some(range), Some(schema)) if range.is_text() || range.is_range() => {
                let style = if matches!(location, Location::Query | Location::Cookie) {
                    Style::Form
                } else {
                    Style::Simple
                };
                let styled = Styled {
                    style,
                    explode: true,
                };
                let shape = self.shape(schema, &pointer);
                Reading::Styled { styled, shape }
            }
            (Some(_), None) => Reading::Unchecked,
            _ => {
                let shown: String = key.chars().take(100).collect();
                let message = format!(
                    "the parameter's value is not enforced: it is content of the type `{shown}`, of which only JSON and text can be judged"
                );
                self.problems
                    .add(problem::PARAMETER_NOT_ENFORCED, place, message);
                Reading::Unchecked
            }
        }
    }

    /// Query parameters that carry an API key are declared by the security scheme.
    pub(super) fn security_names(
        &mut self,
        operation: &Map<String, Value>,
        names: &mut Vec<String>,
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
                names.push(name.to_owned());
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
