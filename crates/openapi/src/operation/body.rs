//! Bodies that are held: JSON, URL-encoded forms and text.

use super::finder::{Finder, Flow};
use super::form;
use super::plan::{Media, Plan};
use super::text::{Json, push_string};
use super::{ContentCheck, Kind, unpack};
use crate::policy::Policy;
use crate::schema::SchemaId;
use crate::schema::check::{Subject, syntax_violation};
use crate::schema::store::Schemas;
use crate::violation::{ErrorClass, Location, Violation};

/// Judge a body as it came.
pub(super) fn judge(
    plan: &Plan,
    schemas: &Schemas,
    check: ContentCheck,
    bytes: &[u8],
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    let body = plan.body.as_ref();
    let Some((body, media)) = body.and_then(|body| Some((body, body.media.get(check.media)?)))
    else {
        return finder.add(not_judged(&plan.place));
    };
    if bytes.is_empty() {
        // Announced, but nothing came.
        if body.required {
            finder.add(missing(&body.place))?;
        }
        return Flow::Continue(());
    }
    if check.codings.is_none() {
        return unpacked(media, schemas, check.kind, bytes, policy, finder);
    }
    match unpack::whole(check.codings, bytes, policy) {
        Ok(content) => unpacked(media, schemas, check.kind, &content, policy, finder),
        Err(fault) => finder.add(fault.violation(&media.place)),
    }
}

fn unpacked(
    media: &Media,
    schemas: &Schemas,
    kind: Kind,
    bytes: &[u8],
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    match (kind, &media.form) {
        (Kind::Json, _) => json(media.schema, schemas, bytes, &media.place, policy, finder),
        (Kind::Text, _) => text(media, schemas, bytes, policy, finder),
        (Kind::Form, Some(form)) => form::judge(form, schemas, bytes, &media.place, policy, finder),
        _ => finder.add(not_judged(&media.place)),
    }
}

/// Judge JSON.
pub(super) fn json(
    schema: Option<SchemaId>,
    schemas: &Schemas,
    bytes: &[u8],
    at: &str,
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    let subject = Subject {
        location: Location::Body,
        root: "$",
        at,
    };
    let judging = policy.judging();
    let Some(schema) = schema else {
        return match syntax_violation(bytes, judging, subject) {
            Some(violation) => finder.add(violation),
            None => Flow::Continue(()),
        };
    };
    let Some(check) = schemas.check(schema) else {
        return finder.add(not_judged(at));
    };
    for violation in check.violations(bytes, judging, subject, schemas, finder.wants_first()) {
        finder.add(violation)?;
    }
    Flow::Continue(())
}

/// Judge text, which is a string to the schema.
fn text(
    media: &Media,
    schemas: &Schemas,
    bytes: &[u8],
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return finder.add(not_utf8("$", &media.place));
    };
    if media.schema.is_none() {
        return Flow::Continue(());
    }
    let mut string = Json::with_capacity(text.len() + 2);
    push_string(&mut string, text);
    json(media.schema, schemas, &string, &media.place, policy, finder)
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

/// The body is required and there is none.
pub(super) fn missing(place: &str) -> Violation {
    Violation::new(
        Location::Body,
        "$",
        ErrorClass::MissingRequired,
        None,
        place,
    )
}

/// Content that is to be text is none.
pub(super) fn not_utf8(target: &str, place: &str) -> Violation {
    Violation::new(
        Location::Body,
        target,
        ErrorClass::InvalidEncoding,
        Some("invalid_utf8"),
        place,
    )
}
