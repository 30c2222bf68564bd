//! What a head says of the body: whether there may be one, of which type, and how it is coded.

use http::{HeaderMap, header};

use super::body::{missing, not_judged};
use super::finder::{Finder, Flow};
use super::media_type::{MediaType, Range};
use super::multipart::Boundary;
use super::plan::{Body, Media, Other, Plan, Size};
use super::unpack::Codings;
use super::{Kind, PlanBody, RequestHead};
use crate::policy::{ContentEncoding, Policy, Unchecked};
use crate::violation::{ErrorClass, Location, Violation};

/// Judge presence and type of the body, and say what is to be done with it.
pub(super) fn judge(
    plan: &Plan,
    head: &RequestHead<'_>,
    policy: &Policy,
    finder: &mut Finder,
) -> Flow<PlanBody> {
    let Some(body) = &plan.body else {
        if !head.has_body {
            return Flow::Continue(PlanBody::None);
        }
        if plan
            .refuses_undeclared_body
            .unwrap_or(policy.undeclared_body)
        {
            finder.add(not_judged(&plan.place))?;
            return Flow::Continue(PlanBody::None);
        }
        return Flow::Continue(PlanBody::Pass);
    };
    if !head.has_body {
        if body.required {
            finder.add(missing(&body.place))?;
        }
        return Flow::Continue(PlanBody::None);
    }
    match content(body, plan.untyped_body.as_ref(), head.headers, policy) {
        Ok(plan) => Flow::Continue(plan),
        Err(UNDECLARED | UNREADABLE) if plan.refuses_undeclared_body == Some(false) => {
            Flow::Continue(PlanBody::Pass)
        }
        Err((class, detail)) => {
            finder.add(Violation::new(
                Location::Body,
                "$",
                class,
                detail,
                &body.place,
            ))?;
            Flow::Continue(PlanBody::None)
        }
    }
}

pub(super) type Refused = (ErrorClass, Option<&'static str>);

pub(super) const UNDECLARED: Refused = (ErrorClass::InvalidMediaType, Some("invalid_media_type"));
pub(super) const UNREADABLE: Refused = (ErrorClass::InvalidMediaType, Some("invalid_content_type"));
pub(super) const OTHER_PARAMETER: Refused = (
    ErrorClass::UnsupportedMediaType,
    Some("unsupported_media_type_parameter"),
);
const UNSUPPORTED: Refused = (ErrorClass::UnsupportedMediaType, None);

/// What to do with content of the type the headers state.
fn content(
    body: &Body,
    untyped: Option<&MediaType>,
    headers: &HeaderMap,
    policy: &Policy,
) -> Result<PlanBody, Refused> {
    if body.media.is_empty() {
        return Ok(PlanBody::Pass);
    }
    let untyped = untyped.filter(|_| !headers.contains_key(header::CONTENT_TYPE));
    let stated = stated(headers);
    let media_type = stated.as_ref().or(untyped).ok_or(UNREADABLE)?;
    let ranges = body.media.iter().map(|media| &media.range);
    let media = most_specific(ranges, media_type).ok_or(UNDECLARED)?;
    let Some(kind) = kind(&body.media[media], media_type, policy)? else {
        return Ok(PlanBody::Pass);
    };
    if kind.is_text() && media_type.has_other_charset() {
        return Err(OTHER_PARAMETER);
    }
    let codings = codings(headers).ok_or(UNSUPPORTED)?;
    if policy.content_encoding == ContentEncoding::Refuse && !codings.is_none() {
        return Err(UNSUPPORTED);
    }
    let boundary = if kind == Kind::Multipart {
        Some(
            media_type
                .parameter("boundary")
                .and_then(Boundary::new)
                .ok_or(UNREADABLE)?,
        )
    } else {
        None
    };
    Ok(PlanBody::Check {
        media,
        kind,
        codings,
        boundary,
    })
}

/// The media type that headers state, if they state one.
pub(super) fn stated(headers: &HeaderMap) -> Option<MediaType> {
    let mut stated = headers.get_all(header::CONTENT_TYPE).iter();
    match (stated.next(), stated.next()) {
        (Some(value), None) => value.to_str().ok().and_then(MediaType::parse),
        // None, or several for readers to choose from.
        _ => None,
    }
}

/// The number of the range that names a media type most specifically, of equals the first.
pub(super) fn most_specific<'r>(
    ranges: impl Iterator<Item = &'r Range>,
    media_type: &MediaType,
) -> Option<usize> {
    let ranked = ranges
        .enumerate()
        .filter_map(|(index, range)| Some((range.specificity(media_type)?, index)));
    // `max_by_key` would take the last of equals.
    let best = ranked.fold(None, |best: Option<(usize, usize)>, next| {
        if best.is_none_or(|best| next.0 > best.0) {
            Some(next)
        } else {
            best
        }
    });
    best.map(|(_, index)| index)
}

/// How content of a type is judged that a media type object names; `None`: not at all.
fn kind(media: &Media, media_type: &MediaType, policy: &Policy) -> Result<Option<Kind>, Refused> {
    if media_type.is_json() {
        return Ok(Some(Kind::Json));
    }
    if media_type.is_form() && media.form.is_some() {
        return Ok(Some(Kind::Form));
    }
    if media_type.is_multipart_form() && media.parts.is_some() {
        return Ok(Some(Kind::Multipart));
    }
    if media_type.is_xml() {
        return match policy.xml {
            Unchecked::Refuse => Err(UNSUPPORTED),
            Unchecked::Pass => Ok(None),
        };
    }
    match media.other {
        Other::Refuse => Err(UNDECLARED),
        Other::Bytes(_) if media_type.is_text() => Ok(Some(Kind::Text)),
        Other::Pass | Other::Bytes(Size::ANY) => Ok(None),
        Other::Bytes(_) => Ok(Some(Kind::Bytes)),
    }
}

/// The codings that content has to be freed of; `None` if one is not known.
pub(super) fn codings(headers: &HeaderMap) -> Option<Codings> {
    let mut codings = Codings::default();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.as_bytes().split(|byte| *byte == b',') {
            let name = name.trim_ascii();
            if !name.eq_ignore_ascii_case(b"identity") {
                codings.push(name)?;
            }
        }
    }
    Some(codings)
}
