//! Bodies: JSON and URL-encoded forms.

use serde_json::{Map, Value};

use super::coerce;
use super::encoded::{DecodeError, Pairs, PairsError, pairs};
use super::finder::{Finder, Flow};
use super::plan::{Content, Form, Plan, Shape};
use crate::place;
use crate::policy::Policy;
use crate::schema::types::Types;
use crate::schema::{SchemaId, finding, store::Schemas};
use crate::source::json::{self, JsonError, JsonErrorKind, JsonLimits, Step};
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
    let (value, schema) = match (&media.content, is_form) {
        (
            Content::Form(form)
            | Content::Range {
                form: Some(form), ..
            },
            true,
        ) => (
            form_value(form, schemas, bytes, policy, &media.place),
            form.schema,
        ),
        (Content::Json(schema) | Content::Range { schema, .. }, _) => {
            (json_value(bytes, policy, &media.place), *schema)
        }
        (Content::Form(_) | Content::Pass, _) => return finder.add(not_judged(&media.place)),
    };
    match value {
        Ok(value) => check_value(&value, bytes.len(), schema, schemas, &media.place, finder),
        Err(violation) => finder.add(*violation),
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

fn check_value(
    value: &Value,
    size: usize,
    schema: Option<SchemaId>,
    schemas: &Schemas,
    at: &str,
    finder: &mut Finder,
) -> Flow {
    let Some(schema) = schema else {
        return Flow::Continue(());
    };
    let Some(check) = schemas.check(schema) else {
        return finder.add(not_judged(at));
    };
    let found = check.violations(value, size, finder.wants_first(), |error| {
        finding::violation(error, Location::Body, "$", schemas)
    });
    let Ok(found) = found else {
        return finder.add(Violation::new(
            Location::Body,
            "$",
            ErrorClass::ConstraintViolation,
            Some("value_too_deep"),
            at,
        ));
    };
    for violation in found {
        finder.add(violation)?;
    }
    Flow::Continue(())
}

fn json_value(bytes: &[u8], policy: &Policy, at: &str) -> Result<Value, Box<Violation>> {
    let limits = JsonLimits {
        max_depth: policy.max_depth.min(Policy::DEEPEST),
        max_members: policy.max_members,
    };
    json::parse(bytes, limits).map_err(|error| Box::new(json_violation(&error, at)))
}

fn json_violation(error: &JsonError, at: &str) -> Violation {
    let mut target = "$".to_owned();
    for step in error.path() {
        match step {
            Step::Key(key) => place::push_key(&mut target, key),
            Step::Index(index) => place::push_index(&mut target, *index),
        }
    }
    let (class, detail) = match error.kind {
        JsonErrorKind::Syntax(_) => (ErrorClass::InvalidSyntax, Some("invalid_json")),
        JsonErrorKind::InvalidUtf8 | JsonErrorKind::LoneSurrogate => {
            (ErrorClass::InvalidEncoding, Some("invalid_utf8"))
        }
        JsonErrorKind::NumberOutOfRange => {
            (ErrorClass::ConstraintViolation, Some("number_not_in_range"))
        }
        JsonErrorKind::Duplicate => (ErrorClass::DuplicateValue, None),
        JsonErrorKind::TooDeep => (ErrorClass::ConstraintViolation, Some("value_too_deep")),
        JsonErrorKind::TooManyMembers => (ErrorClass::TooManyValues, None),
    };
    // A syntax error, bad bytes or the sheer number of members belong to the body as a whole.
    let is_whole = matches!(
        error.kind,
        JsonErrorKind::Syntax(_) | JsonErrorKind::InvalidUtf8 | JsonErrorKind::TooManyMembers
    );
    // Sixty levels of `[0]` would tell nothing more.
    let target = if is_whole || error.kind == JsonErrorKind::TooDeep {
        "$"
    } else {
        &target
    };
    Violation::new(Location::Body, target, class, detail, at)
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
                let size = texts.iter().map(|text| text.len()).sum();
                let Some(value) = choose(candidates, size, shape, schemas) else {
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
    size: usize,
    shape: &Shape,
    schemas: &Schemas,
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
            .position(|candidate| check.is_valid(candidate, size) == Ok(true))
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
