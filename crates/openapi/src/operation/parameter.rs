//! Judging one parameter.

use smallvec::SmallVec;

use super::finder::{Finder, Flow};
use super::plan::{Parameter, Reading};
use super::shape::Shape;
use super::style::{Coding, Fault, Styled};
use super::text::{Json, scalars};
use super::value::{Raw, Source, Writer, meanings};
use super::{encoded::DecodeError, plan::Plan};
use crate::policy::Policy;
use crate::schema::SchemaId;
use crate::schema::check::{Subject, syntax_violation};
use crate::schema::store::Schemas;
use crate::schema::types::Types;
use crate::violation::{ErrorClass, Location, Violation};

/// Judges the head of a request by one plan, or a response to it.
pub(super) struct Judge<'p> {
    pub(super) plan: &'p Plan,
    pub(super) schemas: &'p Schemas,
    pub(super) policy: &'p Policy,
}

impl<'p> Judge<'p> {
    /// Judge what came of one parameter; something did.
    pub(super) fn parameter(
        &self,
        parameter: &'p Parameter,
        source: &Source<'_>,
        finder: &mut Finder,
    ) -> Flow {
        let is_one = match &parameter.reading {
            Reading::Styled { styled, shape } => {
                !(styled.repeats() && shape.types().has(Types::ARRAY))
            }
            Reading::Json(_) => true,
            Reading::Unchecked => return Flow::Continue(()),
        };
        if is_one && source.plain.len() > 1 {
            if self.policy.repeated_parameters {
                return finder.add(violation(parameter, ErrorClass::DuplicateValue, None));
            }
            for raw in &source.plain {
                let one = Source::text(source.name, raw, source.coding);
                self.one(parameter, &one, finder)?;
            }
            return Flow::Continue(());
        }
        self.one(parameter, source, finder)
    }

    fn one(&self, parameter: &'p Parameter, source: &Source<'_>, finder: &mut Finder) -> Flow {
        match &parameter.reading {
            Reading::Styled { styled, shape } => {
                self.styled(parameter, *styled, shape, source, finder)
            }
            Reading::Json(schema) => {
                let raw = source.plain.first().copied().unwrap_or_default();
                match source.coding.decode(raw) {
                    Ok(text) => self.json(parameter, *schema, text.as_bytes(), finder),
                    Err(error) => finder.add(faulty(parameter, Fault::Decode(error))),
                }
            }
            Reading::Unchecked => Flow::Continue(()),
        }
    }

    fn styled(
        &self,
        parameter: &'p Parameter,
        styled: Styled,
        shape: &Shape,
        source: &Source<'_>,
        finder: &mut Finder,
    ) -> Flow {
        let meanings = match meanings(source, styled, shape, Some(Shape::ROOT)) {
            Ok(meanings) => meanings,
            Err(Fault::Malformed) if !source.bracketed.is_empty() => {
                return finder.add(faulty(parameter, Fault::Malformed));
            }
            Err(fault) => return finder.add(faulty(parameter, fault)),
        };
        if let [Raw::Text(text)] = &meanings[..] {
            let found = scalars(text, shape.types(), self.policy.strict_numbers);
            if found.is_empty() {
                let expected = shape.types().and(
                    Types::ARRAY
                        .or(Types::OBJECT)
                        .or(Types::ALL.scalars())
                        .or(Types::NULL),
                );
                return finder.add(violation(
                    parameter,
                    ErrorClass::InvalidType,
                    Some(expected.expected()),
                ));
            }
            // Most parameters are plain text or a number without bounds.
            if shape.type_only {
                return Flow::Continue(());
            }
        }
        let mut text = Json::new();
        let mut writer = Writer::new(shape, self.schemas, self.policy);
        if writer.choose(&meanings, Some(Shape::ROOT), &mut text) {
            return Flow::Continue(());
        }
        if writer.had_choice && self.conforms_as_strings(&mut writer, &meanings, shape, &text) {
            return Flow::Continue(());
        }
        self.json(parameter, Some(shape.schema), &text, finder)
    }

    /// Whether the value does not conform, but would if every text that can be a string were one.
    fn conforms_as_strings(
        &self,
        writer: &mut Writer<'_>,
        meanings: &[Raw<'_>],
        shape: &Shape,
        text: &[u8],
    ) -> bool {
        let Some(check) = self.schemas.check(shape.schema) else {
            return false;
        };
        let judging = self.policy.judging();
        if check.conforms(text, judging) {
            return false;
        }
        writer.strings = true;
        let mut strings = Json::new();
        writer.choose(meanings, Some(Shape::ROOT), &mut strings)
            || check.conforms(&strings, judging)
    }

    fn json(
        &self,
        parameter: &'p Parameter,
        schema: Option<SchemaId>,
        text: &[u8],
        finder: &mut Finder,
    ) -> Flow {
        let subject = Subject {
            location: parameter.location,
            root: &parameter.name,
            at: &parameter.place,
        };
        let judging = self.policy.judging();
        let Some(schema) = schema else {
            return match syntax_violation(text, judging, subject) {
                Some(violation) => finder.add(violation),
                None => Flow::Continue(()),
            };
        };
        let Some(check) = self.schemas.check(schema) else {
            return finder.add(violation(
                parameter,
                ErrorClass::ConstraintViolation,
                Some("forbidden_value"),
            ));
        };
        for violation in
            check.violations(text, judging, subject, self.schemas, finder.wants_first())
        {
            finder.add(violation)?;
        }
        Flow::Continue(())
    }
}

impl<'t> Source<'t> {
    /// One text.
    pub(super) fn text(name: &'t str, raw: &'t [u8], coding: Coding) -> Self {
        Self {
            name,
            coding,
            plain: SmallVec::from_slice(&[raw]),
            bracketed: Vec::new(),
            members: Vec::new(),
            may_be_json: false,
        }
    }

    /// Nothing yet.
    pub(super) fn nothing(name: &'t str, coding: Coding) -> Self {
        Self {
            name,
            coding,
            plain: SmallVec::new(),
            bracketed: Vec::new(),
            members: Vec::new(),
            may_be_json: false,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.plain.is_empty() && self.bracketed.is_empty() && self.members.is_empty()
    }
}

pub(super) fn violation(
    parameter: &Parameter,
    class: ErrorClass,
    detail: Option<&str>,
) -> Violation {
    Violation::new(
        parameter.location,
        &parameter.name,
        class,
        detail,
        &parameter.place,
    )
}

pub(super) fn missing(parameter: &Parameter) -> Violation {
    violation(parameter, ErrorClass::MissingRequired, None)
}

/// What came of a parameter cannot be taken apart.
pub(super) fn faulty(parameter: &Parameter, fault: Fault) -> Violation {
    fault_violation(parameter.location, &parameter.name, fault, &parameter.place)
}

pub(super) fn fault_violation(
    location: Location,
    target: &str,
    fault: Fault,
    place: &str,
) -> Violation {
    let is_pairs = matches!(location, Location::Query | Location::Body);
    let (class, detail) = match fault {
        // A stray `%` is reported as such where the taxonomy has a grammar for it.
        Fault::Decode(DecodeError::Malformed) if is_pairs => {
            (ErrorClass::InvalidSyntax, Some("invalid_form_urlencoded"))
        }
        Fault::Decode(_) => (ErrorClass::InvalidEncoding, Some("invalid_utf8")),
        Fault::Malformed => (
            ErrorClass::InvalidSyntax,
            is_pairs.then_some("invalid_form_urlencoded"),
        ),
        Fault::Duplicate => (ErrorClass::DuplicateValue, None),
        Fault::TooDeep => (ErrorClass::ConstraintViolation, Some("value_too_deep")),
    };
    Violation::new(location, target, class, detail, place)
}
