//! What a head says of the body: whether there may be one, and of which type.

use http::{HeaderMap, HeaderValue, header};

use super::finder::{Finder, Flow};
use super::media_type::MediaType;
use super::plan::{Body, Content, Plan};
use super::{PlanBody, RequestHead};
use crate::violation::{ErrorClass, Location, Violation};

/// Judge presence and type of the body, and say what is to be done with it.
pub(super) fn judge(plan: &Plan, head: &RequestHead<'_>, finder: &mut Finder) -> Flow<PlanBody> {
    let Some(body) = &plan.body else {
        if head.has_body {
            finder.add(super::body::not_judged(&plan.place))?;
        }
        return Flow::Continue(PlanBody::None);
    };
    if !head.has_body {
        if body.required {
            finder.add(Violation::new(
                Location::Body,
                "$",
                ErrorClass::MissingRequired,
                None,
                &body.place,
            ))?;
        }
        return Flow::Continue(PlanBody::None);
    }
    match content(body, head.headers) {
        Ok(plan) => Flow::Continue(plan),
        Err(violation) => {
            finder.add(*violation)?;
            Flow::Continue(PlanBody::None)
        }
    }
}

/// What to do with content of the type the headers state.
fn content(body: &Body, headers: &HeaderMap) -> Result<PlanBody, Box<Violation>> {
    let refused = |class, detail| {
        Box::new(Violation::new(
            Location::Body,
            "$",
            class,
            detail,
            &body.place,
        ))
    };
    if body.media.is_empty() {
        return Ok(PlanBody::Pass);
    }
    let mut stated = headers.get_all(header::CONTENT_TYPE).iter();
    let media_type = match (stated.next(), stated.next()) {
        (Some(value), None) => value.to_str().ok().and_then(MediaType::parse),
        // None, or several for readers to choose from.
        _ => None,
    };
    let Some(media_type) = media_type else {
        return Err(refused(
            ErrorClass::InvalidMediaType,
            Some("invalid_content_type"),
        ));
    };
    let ranked = body
        .media
        .iter()
        .enumerate()
        .filter_map(|(index, media)| Some((media.range.specificity(&media_type)?, index)));
    // Of equals the first: `max_by_key` would take the last.
    let best = ranked.fold(None, |best: Option<(usize, usize)>, next| {
        if best.is_none_or(|best| next.0 > best.0) {
            Some(next)
        } else {
            best
        }
    });
    let Some((_, index)) = best else {
        return Err(refused(
            ErrorClass::InvalidMediaType,
            Some("invalid_media_type"),
        ));
    };
    let is_form = match &body.media[index].content {
        Content::Json(_) => false,
        Content::Form(_) => true,
        Content::Pass => return Ok(PlanBody::Pass),
        Content::Range {
            form, others_pass, ..
        } => match (media_type.is_json(), media_type.is_form(), form) {
            (true, ..) => false,
            (_, true, Some(_)) => true,
            _ if *others_pass => return Ok(PlanBody::Pass),
            _ => {
                return Err(refused(
                    ErrorClass::InvalidMediaType,
                    Some("invalid_media_type"),
                ));
            }
        },
    };
    if media_type
        .parameter("charset")
        .is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8"))
    {
        return Err(refused(
            ErrorClass::UnsupportedMediaType,
            Some("unsupported_media_type_parameter"),
        ));
    }
    if headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(is_coded)
    {
        return Err(refused(ErrorClass::UnsupportedMediaType, None));
    }
    Ok(PlanBody::Check {
        media: index,
        is_form,
    })
}

/// Whether a `Content-Encoding` says that the bytes are not the content itself.
fn is_coded(value: &HeaderValue) -> bool {
    !value
        .as_bytes()
        .trim_ascii()
        .eq_ignore_ascii_case(b"identity")
}
