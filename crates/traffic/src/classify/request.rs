//! Features of the request's headers and body.
//!
//! A header that was not sent is a 0; a header of which the record cannot tell whether it was sent is left NaN. Access logs keep some
//! headers of the request and say nothing about the others.

use super::feature::{At, Vector};
use super::media::{accepted, kind, lower};
use super::value::{
    contains, destination, is_asset, log2, mode, same_host, site, urgency, user_agent_kind,
};
use crate::borrowed::TransactionRef;

/// Longer names are looked at as far as this.
pub(super) const MAX_NAME_BYTES: usize = 48;

/// How much a record knows of the headers of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Nothing,
    /// What a line of an access log has.
    LogLine,
    All,
}

/// What is 0 unless a header says otherwise, and not known to an access log.
const TOLD_BY_ALL_HEADERS: &[At] = &[
    At::RequestType,
    At::RequestSize,
    At::RequestBody,
    At::Accept,
    At::AcceptRanges,
    At::FetchDestination,
    At::FetchMode,
    At::FetchSite,
    At::RequestedWith,
    At::Upgrade,
    At::Urgency,
    At::Origin,
    At::Authorization,
    At::KeyHeader,
    At::CsrfHeader,
    At::CustomHeaders,
    At::CookiesSent,
    At::Conditional,
    At::Range,
    At::UserAgent,
];

/// What an access log knows too.
const TOLD_BY_LOGS: &[At] = &[At::Referer, At::RefererAsset];

pub(super) fn request_features(transaction: &TransactionRef<'_>, vector: &mut Vector) {
    vector.zero(TOLD_BY_ALL_HEADERS);
    vector.zero(TOLD_BY_LOGS);
    vector.set(At::Urgency, -1_i8);
    let mut request = Request {
        host: &transaction.host,
        content_length: None,
        vector,
    };
    let mut known = Known::Nothing;
    for header in &transaction.request_headers {
        let mut buffer = [0; MAX_NAME_BYTES];
        let name = lower(header.name.as_bytes(), &mut buffer);
        known = known.max(request.header(name, &header.value));
    }
    let content_length = request.content_length;
    body_features(transaction, content_length, vector);
    let seen = |name: &str| transaction.request_header(name).is_some();
    if known < Known::All {
        let (user_agent, authorization) =
            (vector.get(At::UserAgent), vector.get(At::Authorization));
        vector.forget(TOLD_BY_ALL_HEADERS);
        if seen("user-agent") {
            vector.set(At::UserAgent, user_agent);
        }
        if seen("authorization") {
            vector.set(At::Authorization, authorization);
        }
    }
    if known == Known::Nothing {
        vector.forget(TOLD_BY_LOGS);
    }
}

/// Headers on their way into the vector.
struct Request<'t, 'v> {
    host: &'t str,
    content_length: Option<u64>,
    vector: &'v mut Vector,
}

impl Request<'_, '_> {
    /// Notes a header, and says how much a record knows that has it.
    fn header(&mut self, name: &[u8], value: &str) -> Known {
        let vector = &mut *self.vector;
        match name {
            b"user-agent" => {
                vector.set(At::UserAgent, user_agent_kind(value));
                return Known::LogLine;
            }
            b"referer" => {
                vector.set(At::Referer, 1 + u8::from(same_host(value, self.host)));
                vector.set(At::RefererAsset, is_asset(value));
                return Known::LogLine;
            }
            b"authorization" => {
                vector.set(At::Authorization, true);
                return Known::LogLine;
            }
            b"host" | b"x-forwarded-for" => return Known::LogLine,
            b"accept" => {
                vector.set(At::Accept, accepted(value));
                vector.count(At::AcceptRanges, value.split(',').count());
            }
            b"content-type" => vector.set(At::RequestType, kind(value).value()),
            b"content-length" => self.content_length = value.trim().parse().ok(),
            b"sec-fetch-dest" => vector.set(At::FetchDestination, destination(value)),
            b"sec-fetch-mode" => vector.set(At::FetchMode, mode(value)),
            b"sec-fetch-site" => vector.set(At::FetchSite, site(value)),
            b"sec-fetch-user" | b"upgrade-insecure-requests" => vector.set(At::Upgrade, true),
            b"x-requested-with" => {
                let by_script = value.eq_ignore_ascii_case("xmlhttprequest");
                vector.set(At::RequestedWith, 1 + u8::from(by_script));
            }
            b"priority" => vector.set(At::Urgency, urgency(value)),
            b"origin" => {
                let same = u8::from(same_host(value, self.host));
                vector.set(At::Origin, if value == "null" { 1 } else { 2 + same });
            }
            b"cookie" => {
                let cookies = 1 + value.bytes().filter(|byte| *byte == b';').count();
                vector.add(At::CookiesSent, cookies);
            }
            b"if-modified-since" => vector.raise(At::Conditional, 1),
            b"if-none-match" => vector.raise(At::Conditional, 2),
            b"if-match" | b"if-unmodified-since" => vector.raise(At::Conditional, 3),
            b"range" => vector.set(At::Range, true),
            b"accept-encoding"
            | b"accept-language"
            | b"connection"
            | b"cache-control"
            | b"pragma"
            | b"dnt"
            | b"te"
            | b"sec-ch-ua"
            | b"sec-ch-ua-mobile"
            | b"sec-ch-ua-platform" => {}
            _ => other(name, vector),
        }
        Known::All
    }
}

/// Headers that each application calls as it likes.
fn other(name: &[u8], vector: &mut Vector) {
    let ends = |endings: &[&[u8]]| endings.iter().any(|ending| name.ends_with(ending));
    let starts = |starts: &[&[u8]]| starts.iter().any(|start| name.starts_with(start));
    if contains(name, b"csrf") || contains(name, b"xsrf") {
        vector.set(At::CsrfHeader, true);
    } else if ends(&[b"key", b"token", b"signature", b"hmac"]) {
        vector.add(At::KeyHeader, 1);
    } else if name.starts_with(b"x-")
        && !starts(&[b"x-forwarded", b"x-browser-", b"x-devtools-"])
        && !matches!(
            name,
            b"x-real-ip" | b"x-client-data" | b"x-request-id" | b"x-purpose"
        )
    {
        vector.add(At::CustomHeaders, 1);
    }
}

fn body_features(
    transaction: &TransactionRef<'_>,
    content_length: Option<u64>,
    vector: &mut Vector,
) {
    let body = transaction.request_body.as_ref();
    // A body in base64 has a third more bytes, and one with escapes some more: a log2 hardly tells.
    let recorded = body
        .or(transaction.request_body_b64.as_ref())
        .map(|body| body.source().len() as u64)
        .or(transaction.request_body_omitted);
    let size = content_length.or(recorded).unwrap_or(0);
    vector.set(At::RequestSize, log2(size));
    let first = body.and_then(|body| body.source().trim_start().bytes().next());
    let kind = match first {
        Some(b'{' | b'[') => 3,
        Some(b'<') => 2,
        Some(_) => 1,
        None => u8::from(size > 0),
    };
    vector.set(At::RequestBody, kind);
}
