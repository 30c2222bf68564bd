//! Path variables, query, headers, cookies, and what the head says about the body.

use std::borrow::Cow;

use http::{HeaderMap, header};
use smallvec::SmallVec;

use super::coerce;
use super::encoded::{DecodeError, Pair, PairsError, decode, pairs};
use super::finder::{Finder, Flow};
use super::plan::{Parameter, Plan, Shape};
use super::{PlanBody, RequestHead, content};
use crate::policy::Policy;
use crate::schema::check::Subject;
use crate::schema::store::Schemas;
use crate::schema::types::Types;
use crate::violation::{ErrorClass, Location, Violation};

/// Judge a head and say what is to be done with the body.
pub(super) fn judge(
    plan: &Plan,
    schemas: &Schemas,
    head: &RequestHead<'_>,
    policy: &Policy,
    finder: &mut Finder,
) -> Flow<PlanBody> {
    let judge = Judge {
        plan,
        schemas,
        policy,
    };
    judge.path(head.path_variables, finder)?;
    judge.query(head.query.unwrap_or_default(), policy, finder)?;
    judge.headers(head.headers, finder)?;
    judge.cookies(head.headers, finder)?;
    content::judge(plan, head, finder)
}

struct Judge<'p> {
    plan: &'p Plan,
    schemas: &'p Schemas,
    policy: &'p Policy,
}

type Texts<'t> = SmallVec<[Cow<'t, str>; 4]>;

impl Judge<'_> {
    fn path(&self, variables: &[&str], finder: &mut Finder) -> Flow {
        let declared = &self.plan.path;
        if variables.len() < declared.len() {
            // The caller matched another endpoint than this operation's: nothing can be said for its path.
            let violation = Violation::new(
                Location::Path,
                "",
                ErrorClass::MissingRequired,
                None,
                &self.plan.place,
            );
            return finder.add(violation);
        }
        let own = &variables[variables.len() - declared.len()..];
        for (variable, text) in declared.iter().zip(own) {
            let place = variable
                .parameter
                .as_ref()
                .map_or(&self.plan.place, |parameter| &parameter.place);
            let text = match decode(text) {
                Ok(text) => text,
                Err(error) => {
                    finder.add(undecodable(Location::Path, &variable.name, error, place))?;
                    continue;
                }
            };
            if let Some(parameter) = &variable.parameter {
                self.parameter(parameter, &[text], finder)?;
            }
        }
        Flow::Continue(())
    }

    fn query(&self, query: &str, policy: &Policy, finder: &mut Finder) -> Flow {
        let pairs = match pairs(query.as_bytes(), policy.max_query_parameters) {
            Ok(pairs) => pairs,
            Err(PairsError::TooMany) => {
                let violation = Violation::new(
                    Location::Query,
                    "",
                    ErrorClass::TooManyValues,
                    None,
                    &self.plan.place,
                );
                return finder.add(violation);
            }
            Err(PairsError::Name(error)) => {
                return finder.add(undecodable(Location::Query, "", error, &self.plan.place));
            }
        };
        for parameter in &self.plan.query {
            let found = pairs.iter().filter(|pair| pair.name == parameter.name);
            let mut texts = Texts::new();
            let mut undecoded = None;
            for Pair { value, .. } in found {
                match value {
                    Ok(value) => texts.push(Cow::Borrowed(value.as_ref())),
                    Err(error) => undecoded = Some(*error),
                }
            }
            if let Some(error) = undecoded {
                finder.add(undecodable(
                    Location::Query,
                    &parameter.name,
                    error,
                    &parameter.place,
                ))?;
                continue;
            }
            if texts.is_empty() {
                let has_bracketed = || {
                    pairs.iter().any(|pair| {
                        pair.name
                            .strip_prefix(parameter.name.as_str())
                            .is_some_and(|rest| rest.starts_with('['))
                    })
                };
                if parameter.required && (parameter.shape.is_some() || !has_bracketed()) {
                    finder.add(missing(parameter))?;
                }
                continue;
            }
            let is_empty = parameter.allow_empty && texts.iter().all(|text| text.is_empty());
            if !is_empty {
                self.parameter(parameter, &texts, finder)?;
            }
        }
        for (index, pair) in pairs.iter().enumerate() {
            let is_declared = self
                .plan
                .query
                .iter()
                .any(|parameter| parameter.name == pair.name);
            if is_declared {
                continue;
            }
            if let Err(error) = pair.value {
                finder.add(undecodable(
                    Location::Query,
                    &pair.name,
                    error,
                    &self.plan.place,
                ))?;
            } else if policy.undeclared_query
                && !self.plan.other_query_names.has(&pair.name)
                && !pairs[..index]
                    .iter()
                    .any(|earlier| earlier.name == pair.name)
            {
                finder.add(forbidden(Location::Query, &pair.name, &self.plan.place))?;
            }
        }
        Flow::Continue(())
    }

    fn headers(&self, headers: &HeaderMap, finder: &mut Finder) -> Flow {
        for parameter in &self.plan.headers {
            let mut texts = Texts::new();
            let mut is_text = true;
            for value in headers.get_all(parameter.name.as_str()) {
                match std::str::from_utf8(value.as_bytes()) {
                    Ok(text) => texts.push(Cow::Borrowed(text.trim_matches([' ', '\t']))),
                    Err(_) => is_text = false,
                }
            }
            if !is_text {
                finder.add(undecodable(
                    Location::Header,
                    &parameter.name,
                    DecodeError::NotUtf8,
                    &parameter.place,
                ))?;
                continue;
            }
            if texts.is_empty() {
                if parameter.required {
                    finder.add(missing(parameter))?;
                }
                continue;
            }
            let is_array = parameter
                .shape
                .as_ref()
                .is_some_and(|shape| shape.types.has(Types::ARRAY));
            if is_array {
                // RFC 9110 §5.3: lines of a list are one list, and white space around its items means nothing.
                let items: Vec<&str> = texts
                    .iter()
                    .flat_map(|text| text.split(','))
                    .map(|item| item.trim_matches([' ', '\t']))
                    .collect();
                let joined = items.join(",");
                texts.clear();
                texts.push(Cow::Owned(joined));
            }
            self.parameter(parameter, &texts, finder)?;
        }
        Flow::Continue(())
    }

    fn cookies(&self, headers: &HeaderMap, finder: &mut Finder) -> Flow {
        if self.plan.cookies.is_empty() {
            return Flow::Continue(());
        }
        let mut pairs: SmallVec<[(&[u8], &[u8]); 8]> = SmallVec::new();
        // HTTP/2 may send one cookie a line.
        for value in headers.get_all(header::COOKIE) {
            for piece in value.as_bytes().split(|byte| *byte == b';') {
                let piece = piece.trim_ascii();
                let equals = piece.iter().position(|byte| *byte == b'=');
                pairs.push(equals.map_or((piece, &[][..]), |at| (&piece[..at], &piece[at + 1..])));
            }
        }
        for parameter in &self.plan.cookies {
            let mut texts = Texts::new();
            let mut is_text = true;
            for (_, value) in pairs
                .iter()
                .filter(|(name, _)| *name == parameter.name.as_bytes())
            {
                match std::str::from_utf8(value) {
                    Ok(text) => texts.push(Cow::Borrowed(text)),
                    Err(_) => is_text = false,
                }
            }
            if !is_text {
                finder.add(undecodable(
                    Location::Cookie,
                    &parameter.name,
                    DecodeError::NotUtf8,
                    &parameter.place,
                ))?;
            } else if !texts.is_empty() {
                self.parameter(parameter, &texts, finder)?;
            } else if parameter.required {
                finder.add(missing(parameter))?;
            }
        }
        Flow::Continue(())
    }

    /// Judge the texts of one parameter; there is at least one.
    fn parameter(
        &self,
        parameter: &Parameter,
        texts: &[Cow<'_, str>],
        finder: &mut Finder,
    ) -> Flow {
        let Some(shape) = &parameter.shape else {
            return Flow::Continue(());
        };
        let is_repeatable = shape.types.has(Types::ARRAY) && shape.delimiter.is_none();
        if texts.len() > 1 && !is_repeatable {
            return finder.add(violation(parameter, ErrorClass::DuplicateValue, None));
        }
        if conforms_by_type(shape, texts) {
            return Flow::Continue(());
        }
        let candidates = coerce::values(texts, shape);
        if candidates.is_empty() {
            let expected = shape.types.and(Types::ARRAY.or(Types::ALL.scalars()));
            return finder.add(violation(
                parameter,
                ErrorClass::InvalidType,
                Some(expected.expected()),
            ));
        }
        let Some(check) = self.schemas.check(shape.schema) else {
            return finder.add(violation(
                parameter,
                ErrorClass::ConstraintViolation,
                Some("forbidden_value"),
            ));
        };
        let judging = super::body::judging(self.policy);
        let texts: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        if texts
            .iter()
            .any(|text| check.conforms(text.as_bytes(), judging))
        {
            return Flow::Continue(());
        }
        let subject = Subject {
            location: parameter.location,
            root: &parameter.name,
            at: &parameter.place,
        };
        let found = check.violations(
            texts[0].as_bytes(),
            judging,
            subject,
            self.schemas,
            finder.wants_first(),
        );
        for violation in found {
            finder.add(violation)?;
        }
        Flow::Continue(())
    }
}

/// Whether every value that can be made of the texts conforms, and one can: most parameters are plain strings.
fn conforms_by_type(shape: &Shape, texts: &[Cow<'_, str>]) -> bool {
    shape.type_only && texts.len() == 1 && shape.types.has(Types::STRING)
}

fn violation(parameter: &Parameter, class: ErrorClass, detail: Option<&str>) -> Violation {
    Violation::new(
        parameter.location,
        &parameter.name,
        class,
        detail,
        &parameter.place,
    )
}

fn missing(parameter: &Parameter) -> Violation {
    violation(parameter, ErrorClass::MissingRequired, None)
}

fn forbidden(location: Location, target: &str, place: &str) -> Violation {
    Violation::new(
        location,
        target,
        ErrorClass::ConstraintViolation,
        Some("forbidden_value"),
        place,
    )
}

/// A value that is no text. A stray `%` is reported as such in a query, which has a grammar for it in the taxonomy.
fn undecodable(location: Location, target: &str, error: DecodeError, place: &str) -> Violation {
    let (class, detail) = match (error, location) {
        (DecodeError::Malformed, Location::Query | Location::Body) => {
            (ErrorClass::InvalidSyntax, "invalid_form_urlencoded")
        }
        _ => (ErrorClass::InvalidEncoding, "invalid_utf8"),
    };
    Violation::new(location, target, class, Some(detail), place)
}
