//! Path variables, query, headers, cookies, and what the head says about the body.

use http::{HeaderMap, header};
use smallvec::SmallVec;

use super::encoded::{Pair, Pairs, PairsError, pairs};
use super::finder::{Finder, Flow};
use super::nested::Entry;
use super::parameter::{Judge, fault_violation, faulty, missing, violation};
use super::plan::{Parameter, Plan, Reading};
use super::shape::{Node, Shape};
use super::style::{Coding, Fault, Style, Styled};
use super::value::Source;
use super::{PlanBody, RequestHead, content};
use crate::policy::Policy;
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
    judge.query(head.query.unwrap_or_default(), finder)?;
    judge.headers(head.headers, finder)?;
    judge.cookies(head.headers, finder)?;
    content::judge(plan, head, policy, finder)
}

impl Judge<'_> {
    fn refuses_undeclared_query(&self) -> bool {
        let own = self.plan.refuses_undeclared_query;
        own.unwrap_or(self.policy.undeclared_query)
    }

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
            if let Err(error) = Coding::Percent.decode(text.as_bytes()) {
                let fault = Fault::Decode(error);
                finder.add(fault_violation(
                    Location::Path,
                    &variable.name,
                    fault,
                    place,
                ))?;
                continue;
            }
            if let Some(parameter) = &variable.parameter {
                let source = Source::text(&variable.name, text.as_bytes(), Coding::Percent);
                self.parameter(parameter, &source, finder)?;
            }
        }
        Flow::Continue(())
    }

    fn query(&self, query: &str, finder: &mut Finder) -> Flow {
        let pairs = match pairs(query.as_bytes(), self.policy.max_query_parameters) {
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
                let fault = Fault::Decode(error);
                return finder.add(fault_violation(
                    Location::Query,
                    "",
                    fault,
                    &self.plan.place,
                ));
            }
        };
        let mut taken: SmallVec<[bool; 8]> = SmallVec::from_elem(false, pairs.len());
        let parameters = &self.plan.query;
        self.pairs(parameters, &pairs, &mut taken, Coding::Form, finder)?;
        for (index, pair) in pairs.iter().enumerate() {
            if taken[index] {
                continue;
            }
            if let Err(error) = Coding::Form.decode(pair.raw) {
                let fault = Fault::Decode(error);
                finder.add(fault_violation(
                    Location::Query,
                    &pair.name,
                    fault,
                    &self.plan.place,
                ))?;
            } else if self.refuses_undeclared_query()
                && !self.plan.names_otherwise(&pair.name)
                && !pairs[..index]
                    .iter()
                    .any(|earlier| earlier.name == pair.name)
            {
                finder.add(Violation::new(
                    Location::Query,
                    &pair.name,
                    ErrorClass::ConstraintViolation,
                    Some("forbidden_value"),
                    &self.plan.place,
                ))?;
            }
        }
        Flow::Continue(())
    }

    /// Judge parameters that come as `name=value`, and note the pairs that are theirs.
    fn pairs(
        &self,
        parameters: &[Parameter],
        pairs: &Pairs<'_>,
        taken: &mut [bool],
        coding: Coding,
        finder: &mut Finder,
    ) -> Flow {
        for (index, pair) in pairs.iter().enumerate() {
            taken[index] = parameters
                .iter()
                .any(|parameter| parameter.name == pair.name);
        }
        for parameter in parameters {
            let mut source = Source::nothing(&parameter.name, coding);
            source.plain.extend(
                pairs
                    .iter()
                    .filter(|pair| pair.name == parameter.name)
                    .map(|pair| pair.raw),
            );
            if let Reading::Styled { styled, shape } = &parameter.reading
                && let Err(fault) =
                    self.members(parameter, *styled, shape, pairs, taken, &mut source)
            {
                finder.add(faulty(parameter, fault))?;
                continue;
            }
            if source.is_nothing() {
                if parameter.required && !is_empty_object(self, parameter) {
                    finder.add(missing(parameter))?;
                }
                continue;
            }
            let is_empty = parameter.allow_empty
                && source.bracketed.is_empty()
                && source.members.is_empty()
                && source.plain.iter().all(|raw| raw.is_empty());
            if !is_empty {
                self.parameter(parameter, &source, finder)?;
            }
        }
        Flow::Continue(())
    }

    /// Take the pairs that are members of a parameter.
    fn members<'t>(
        &self,
        parameter: &'t Parameter,
        styled: Styled,
        shape: &Shape,
        pairs: &'t Pairs<'_>,
        taken: &mut [bool],
        source: &mut Source<'t>,
    ) -> Result<(), Fault> {
        if styled.style == Style::DeepObject {
            for (index, pair) in pairs.iter().enumerate() {
                if let Some(brackets) = pair.brackets(&parameter.name).filter(|_| !taken[index]) {
                    taken[index] = true;
                    source.bracketed.push(Entry::new(brackets, pair.raw)?);
                }
            }
            if !source.plain.is_empty() && !source.bracketed.is_empty() {
                return Err(Fault::Malformed);
            }
            return Ok(());
        }
        let types = shape.types();
        if !styled.spreads() || !types.has(Types::OBJECT) || types == Types::ALL {
            return Ok(());
        }
        let Some(object) = shape.node(Shape::ROOT) else {
            return Ok(());
        };
        for (index, pair) in pairs.iter().enumerate() {
            let is_known = taken[index] || self.plan.names_otherwise(&pair.name);
            if let Some((name, brackets)) = member(object, shape, pair).filter(|_| !is_known) {
                taken[index] = true;
                source.members.push((name, brackets, pair.raw));
            }
        }
        // Its own name is a value of another type, or nothing.
        if !source.plain.is_empty() && !source.members.is_empty() {
            return Err(Fault::Malformed);
        }
        Ok(())
    }

    fn headers(&self, headers: &HeaderMap, finder: &mut Finder) -> Flow {
        for parameter in &self.plan.headers {
            self.header(parameter, headers, finder)?;
        }
        Flow::Continue(())
    }

    /// Judge a header field by its declaration.
    pub(super) fn header(
        &self,
        parameter: &Parameter,
        headers: &HeaderMap,
        finder: &mut Finder,
    ) -> Flow {
        let joined;
        let mut lines: SmallVec<[&[u8]; 4]> = SmallVec::new();
        lines.extend(
            headers
                .get_all(parameter.name.as_str())
                .iter()
                .map(|value| value.as_bytes().trim_ascii()),
        );
        if lines.iter().any(|line| std::str::from_utf8(line).is_err()) {
            return finder.add(violation(
                parameter,
                ErrorClass::InvalidEncoding,
                Some("invalid_utf8"),
            ));
        }
        if lines.is_empty() {
            if parameter.required {
                finder.add(missing(parameter))?;
            }
            return Flow::Continue(());
        }
        let is_list = match &parameter.reading {
            Reading::Styled { shape, .. } => {
                let types = shape.types();
                types.has(Types::ARRAY) || (types.has(Types::OBJECT) && types != Types::ALL)
            }
            _ => false,
        };
        // RFC 9110 §5.3: lines of a list are one list.
        if is_list && lines.len() > 1 {
            joined = lines.join(&b","[..]);
            lines.clear();
            lines.push(&joined);
        }
        let mut source = Source::nothing(&parameter.name, Coding::Header);
        source.plain = lines;
        self.parameter(parameter, &source, finder)
    }

    fn cookies(&self, headers: &HeaderMap, finder: &mut Finder) -> Flow {
        if self.plan.cookies.is_empty() {
            return Flow::Continue(());
        }
        let mut pairs = Pairs::new();
        // HTTP/2 may send one cookie a line.
        for value in headers.get_all(header::COOKIE) {
            for piece in value.as_bytes().split(|byte| *byte == b';') {
                let piece = piece.trim_ascii();
                let equals = piece.iter().position(|byte| *byte == b'=');
                let (name, raw) =
                    equals.map_or((piece, &[][..]), |at| (&piece[..at], &piece[at + 1..]));
                // Names of parameters are text, so a name that is none is of no parameter.
                if let Ok(name) = std::str::from_utf8(name) {
                    let name = name.into();
                    pairs.push(Pair { name, raw });
                }
            }
        }
        let mut taken: SmallVec<[bool; 8]> = SmallVec::from_elem(false, pairs.len());
        let cookies = &self.plan.cookies;
        self.pairs(cookies, &pairs, &mut taken, Coding::Plain, finder)
    }
}

/// The member of an object that a pair is, and the brackets after its name.
fn member<'p>(object: &Node, shape: &Shape, pair: &'p Pair<'_>) -> Option<(&'p str, &'p str)> {
    let name = pair.name.as_ref();
    if object.property(name).is_some() {
        return Some((name, ""));
    }
    let (base, brackets) = pair.split();
    let is_composed = object
        .property(base)
        .and_then(|node| shape.node(node))
        .is_some_and(|node| node.types.meets(Types::ARRAY.or(Types::OBJECT)));
    if is_composed && !brackets.is_empty() {
        return Some((base, brackets));
    }
    object.is_open.then_some((name, ""))
}

/// Whether nothing at all is how a value of the parameter is written: RFC 6570 writes an empty object so.
fn is_empty_object(judge: &Judge<'_>, parameter: &Parameter) -> bool {
    let Reading::Styled { styled, shape } = &parameter.reading else {
        return false;
    };
    let types = shape.types();
    styled.spreads()
        && types.has(Types::OBJECT)
        && types != Types::ALL
        && judge
            .schemas
            .check(shape.schema)
            .is_some_and(|check| check.conforms(b"{}", judge.policy.judging()))
}
