//! Features of the response's headers.
//!
//! As with requests, a header that was not sent is a 0, and one of which the record cannot tell is left NaN: access logs keep none.

use super::feature::{At, Vector};
use super::media::{kind, lower};
use super::request::MAX_NAME_BYTES;
use super::value::{cache_control, contains, log2, vary};
use crate::borrowed::TransactionRef;

/// What is 0 unless a header says otherwise, and not known to a record without headers.
const TOLD_BY_ALL_HEADERS: &[At] = &[
    At::Disposition,
    At::CookiesSet,
    At::CacheStore,
    At::CacheAge,
    At::Etag,
    At::LastModified,
    At::Expires,
    At::Age,
    At::AcceptRangesSent,
    At::VaryAccept,
    At::RateLimit,
    At::RequestId,
    At::Timing,
    At::ApiHeader,
    At::Paging,
    At::CorsOrigin,
    At::CorsOthers,
    At::Policy,
    At::Frame,
    At::NoSniff,
    At::Language,
    At::Location,
    At::Authenticate,
    At::Allow,
];

pub(super) fn response_features(transaction: &TransactionRef<'_>, vector: &mut Vector) {
    vector.zero(TOLD_BY_ALL_HEADERS);
    vector.set(At::CacheAge, -1_i8);
    let (mut known, mut content_type, mut content_length) = (false, None, None);
    for header in &transaction.response_headers {
        let mut buffer = [0; MAX_NAME_BYTES];
        match lower(header.name.as_bytes(), &mut buffer) {
            // Logs may have these two.
            b"content-type" => content_type = Some(header.value.as_ref()),
            b"content-length" => content_length = header.value.trim().parse().ok(),
            name => {
                known = true;
                note(name, &header.value, vector);
            }
        }
    }
    if !known {
        vector.forget(TOLD_BY_ALL_HEADERS);
    }
    let named = transaction.response_content_type.as_deref();
    if let Some(content_type) = named.or(content_type) {
        vector.set(At::ResponseType, kind(content_type).value());
        vector.set(At::ResponseCharset, content_type.contains("charset"));
    } else if known {
        vector.zero(&[At::ResponseType, At::ResponseCharset]);
    }
    if let Some(size) = transaction.response_body_size.or(content_length) {
        vector.set(At::ResponseSize, log2(size));
    }
}

fn note(name: &[u8], value: &str, vector: &mut Vector) {
    match name {
        b"cache-control" => {
            let (store, max_age) = cache_control(value);
            vector.raise(At::CacheStore, store);
            if let Some(seconds) = max_age {
                vector.set(At::CacheAge, log2(seconds));
            }
        }
        b"etag" => vector.set(At::Etag, 1 + u8::from(!value.starts_with("W/"))),
        b"last-modified" => vector.set(At::LastModified, true),
        b"expires" => vector.set(At::Expires, 1 + u8::from(!value.contains(':'))),
        b"age" => vector.set(At::Age, true),
        b"accept-ranges" => {
            vector.set(At::AcceptRangesSent, value.eq_ignore_ascii_case("bytes"));
        }
        b"vary" => vector.raise(At::VaryAccept, vary(value)),
        b"content-disposition" => {
            let start = value.as_bytes().get(..6).unwrap_or_default();
            let inline = start.eq_ignore_ascii_case(b"inline");
            vector.set(At::Disposition, 2 - u8::from(inline));
        }
        b"set-cookie" => vector.add(At::CookiesSet, 1),
        b"content-security-policy" => {
            let nothing = value.contains("default-src 'none'");
            vector.raise(At::Policy, 2 - u8::from(nothing));
        }
        b"x-frame-options" => vector.set(At::Frame, true),
        b"x-content-type-options" => vector.set(At::NoSniff, true),
        b"content-language" => vector.set(At::Language, true),
        b"location" => vector.set(At::Location, true),
        b"www-authenticate" => vector.set(At::Authenticate, true),
        b"allow" => vector.set(At::Allow, true),
        b"access-control-allow-origin" => vector.set(At::CorsOrigin, 2 - u8::from(value == "*")),
        b"retry-after" => vector.add(At::RateLimit, 1),
        b"server-timing" | b"x-runtime" | b"x-response-time" | b"x-process-time" => {
            vector.set(At::Timing, true);
        }
        b"link" => vector.raise(At::Paging, u8::from(value.contains("next"))),
        // Frequent, and nothing below is in their names.
        b"date"
        | b"server"
        | b"connection"
        | b"content-encoding"
        | b"transfer-encoding"
        | b"via"
        | b"pragma"
        | b"x-cache"
        | b"x-powered-by"
        | b"strict-transport-security"
        | b"x-xss-protection"
        | b"referrer-policy"
        | b"alt-svc"
        | b"p3p"
        | b"keep-alive"
        | b"status"
        | b"permissions-policy"
        | b"cross-origin-resource-policy"
        | b"nel"
        | b"timing-allow-origin"
        | b"report-to"
        | b"x-amz-cf-id"
        | b"x-amz-cf-pop" => {}
        _ => other(name, vector),
    }
}

/// Headers that each server calls as it likes.
fn other(name: &[u8], vector: &mut Vector) {
    let has = |needle: &[u8]| contains(name, needle);
    if name.starts_with(b"access-control-") {
        vector.add(At::CorsOthers, 1);
    } else if has(b"ratelimit") || has(b"rate-limit") {
        vector.add(At::RateLimit, 1);
    } else if has(b"request-id") || has(b"requestid") || has(b"correlation-id") || has(b"trace") {
        vector.set(At::RequestId, true);
    } else if has(b"-ms") && has(b"processing") || has(b"service-time") {
        vector.set(At::Timing, true);
    } else if has(b"total-count") || has(b"x-total") || has(b"next-page") {
        vector.set(At::Paging, true);
    } else if has(b"api") || has(b"scopes") || name.ends_with(b"-version") && !has(b"aspnet") {
        vector.add(At::ApiHeader, 1);
    }
}
