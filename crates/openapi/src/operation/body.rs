//! Bodies: JSON and URL-encoded forms.

use serde_json::{Map, Value};

use super::coerce;
use super::encoded::{DecodeError, Pairs, PairsError, pairs};
use super::finder::{Finder, Flow};
use super::plan::{Content, Form, Plan, Shape};
use crate::place;
use crate::policy::Policy;
use crate::schema::check::{Judging, Subject, syntax_violation};
use crate::schema::types::Types;
use crate::schema::{SchemaId, store::Schemas};
use crate::source::json::JsonLimits;
use crate::violation::{ErrorClass, Location, Violation};

/// Judge a body.
pub(super) fn judge(
    plan: &Plan,
    schemas: &Schemas,
    media: usize,
    is_form: bool,
    bytes: &[u8],
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    let body = plan.body.as_ref();
    let Some((body, media)) = body.and_then(|body| Some((body, body.media.get(media)?))) else {
        return finder.add(not_judged(&plan.place));
    };
    if bytes.is_empty() {
        // Announced, but nothing came.
        if body.required {
            finder.add(Violation::new(
                Location::Body,
                "$",
                ErrorClass::MissingRequired,
                None,
                &body.place,
            ))?;
        }
        return Flow::Continue(());
    }
    let subject = Subject {
        location: Location::Body,
        root: "$",
        at: &media.place,
    };
    match (&media.content, is_form) {
        (
            Content::Form(form)
            | Content::Range {
                form: Some(form), ..
            },
            true,
        ) => match form_value(form, schemas, bytes, policy, &media.place) {
            Ok(value) => {
                let text = value.to_string();
                check_text(
                    text.as_bytes(),
                    form.schema,
                    schemas,
                    policy,
                    subject,
                    finder,
                )
            }
            Err(violation) => finder.add(*violation),
        },
        (Content::Json(schema) | Content::Range { schema, .. }, _) => {
            check_text(bytes, *schema, schemas, policy, subject, finder)
        }
        (Content::Form(_) | Content::Pass, _) => finder.add(not_judged(&media.place)),
    }
}

/// The violation of a body that the plan cannot judge, which a head of the same operation never asks for.
pub(super) fn not_judged(place: &str) -> Violation {
    Violation::new(
        Location::Body,
        "$",
        ErrorClass::ConstraintViolation,
        Some("forbidden_value"),
        place,
    )
}

pub(super) fn judging(policy: &Policy) -> Judging {
    Judging {
        limits: JsonLimits {
            max_depth: policy.max_depth.min(Policy::DEEPEST),
            max_members: policy.max_members,
        },
        refuse_read_only: false,
    }
}

fn check_text(
    text: &[u8],
    schema: Option<SchemaId>,
    schemas: &Schemas,
    policy: &Policy,
    subject: Subject<'_>,
    finder: &mut Finder,
) -> Flow {
    let judging = judging(policy);
    let Some(schema) = schema else {
        return match syntax_violation(text, judging, subject) {
            Some(violation) => finder.add(violation),
            None => Flow::Continue(()),
        };
    };
    let Some(check) = schemas.check(schema) else {
        return finder.add(not_judged(subject.at));
    };
    for violation in check.violations(text, judging, subject, schemas, finder.wants_first()) {
        finder.add(violation)?;
    }
    Flow::Continue(())
}

fn form_value(
    form: &Form,
    schemas: &Schemas,
    bytes: &[u8],
    policy: &Policy,
    at: &str,
) -> Result<Value, Box<Violation>> {
    let refused = |target: &str, class, detail| {
        Box::new(Violation::new(Location::Body, target, class, detail, at))
    };
    let undecodable = |target: &str, error| match error {
        DecodeError::Malformed => refused(
            target,
            ErrorClass::InvalidSyntax,
            Some("invalid_form_urlencoded"),
        ),
        DecodeError::NotUtf8 => refused(target, ErrorClass::InvalidEncoding, Some("invalid_utf8")),
    };
    let pairs = pairs(bytes, policy.max_members).map_err(|error| match error {
        PairsError::Name(error) => undecodable("$", error),
        PairsError::TooMany => refused("$", ErrorClass::TooManyValues, None),
    })?;
    let mut members = Map::new();
    for (name, texts) in grouped(&pairs) {
        let target = place::key("$", name);
        let texts = texts
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| undecodable(&target, error))?;
        let value = match form.fields.iter().find(|(known, _)| known == name) {
            None => undeclared_field(&texts),
            Some((_, shape)) => {
                if texts.len() > 1 && !shape.types.has(Types::ARRAY) {
                    return Err(refused(&target, ErrorClass::DuplicateValue, None));
                }
                let candidates = coerce::values(&texts, shape);
                let Some(value) = choose(candidates, shape, schemas, policy) else {
                    return Err(refused(
                        &target,
                        ErrorClass::InvalidType,
                        Some(shape.types.without(Types::OBJECT).expected()),
                    ));
                };
                value
            }
        };
        members.insert(name.to_owned(), value);
    }
    Ok(Value::Object(members))
}

/// The meaning that the field's own schema allows, or else the most specific one.
fn choose(
    mut candidates: coerce::Candidates,
    shape: &Shape,
    schemas: &Schemas,
    policy: &Policy,
) -> Option<Value> {
    if candidates.is_empty() {
        return None;
    }
    let check = if shape.type_only || candidates.len() == 1 {
        None
    } else {
        schemas.check(shape.schema)
    };
    let chosen = check.and_then(|check| {
        candidates
            .iter()
            .position(|candidate| check.conforms(candidate.to_string().as_bytes(), judging(policy)))
    });
    Some(candidates.swap_remove(chosen.unwrap_or(0)))
}

/// Text, or the list of texts of a field that is repeated.
fn undeclared_field(texts: &[&str]) -> Value {
    match texts {
        [text] => Value::from(*text),
        texts => Value::from(texts.to_vec()),
    }
}

type Field<'p> = (&'p str, Vec<Result<&'p str, DecodeError>>);

/// Fields with all their texts, in the order they first appear.
fn grouped<'p>(pairs: &'p Pairs<'_>) -> Vec<Field<'p>> {
    let mut order: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let mut fields: Vec<Field<'p>> = Vec::new();
    for pair in pairs {
        let at = *order.entry(pair.name.as_ref()).or_insert_with(|| {
            fields.push((pair.name.as_ref(), Vec::new()));
            fields.len() - 1
        });
        fields[at]
            .1
            .push(pair.value.as_deref().map_err(|error| *error));
    }
    fields
}
