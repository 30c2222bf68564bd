//! Features of the headers, each read in one pass.
//!
//! A header that was not sent is a 0; a header of which the record cannot tell whether it was sent is left NaN. Access logs keep some
//! headers of the request and none of the response, and say nothing about the others.

use super::feature::{At, Vector};
use super::media::{accepted, kind, lower};
use crate::borrowed::{Header, TransactionRef};

/// Longer names are looked at as far as this.
const MAX_NAME_BYTES: usize = 48;

/// How much a record knows of the headers of a request or response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Nothing,
    /// What a line of an access log has.
    LogLine,
    All,
}

/// What is gathered of the request's headers.
struct Request<'a> {
    known: Known,
    accept: Option<&'a str>,
    content_type: Option<&'a str>,
    content_length: Option<u64>,
    destination: u8,
    mode: u8,
    site: u8,
    requested_with: u8,
    upgrade: bool,
    urgency: i8,
    origin: Option<&'a str>,
    referer: Option<&'a str>,
    authorization: bool,
    keys: usize,
    csrf: bool,
    custom: usize,
    cookies: usize,
    conditional: u8,
    range: bool,
    user_agent: Option<&'a str>,
}

pub(super) fn request_features(transaction: &TransactionRef<'_>, vector: &mut Vector) {
    let request = Request::read(&transaction.request_headers);
    if let Some(referer) = request.referer {
        vector.set(
            At::Referer,
            1 + u8::from(same_host(referer, &transaction.host)),
        );
        vector.set(At::RefererAsset, is_asset(referer));
    } else if request.known >= Known::LogLine {
        vector.set(At::Referer, 0_u8);
        vector.set(At::RefererAsset, 0_u8);
    }
    if let Some(user_agent) = request.user_agent {
        vector.set(At::UserAgent, user_agent_kind(user_agent));
    } else if request.known == Known::All {
        vector.set(At::UserAgent, 0_u8);
    }
    if request.known == Known::All {
        request.set(transaction, vector);
    } else if request.authorization {
        vector.set(At::Authorization, true);
    }
}

impl<'a> Request<'a> {
    fn read(headers: &'a [Header<'_>]) -> Self {
        let mut request = Self {
            known: Known::Nothing,
            accept: None,
            content_type: None,
            content_length: None,
            destination: 0,
            mode: 0,
            site: 0,
            requested_with: 0,
            upgrade: false,
            urgency: -1,
            origin: None,
            referer: None,
            authorization: false,
            keys: 0,
            csrf: false,
            custom: 0,
            cookies: 0,
            conditional: 0,
            range: false,
            user_agent: None,
        };
        for header in headers {
            let mut buffer = [0; MAX_NAME_BYTES];
            let name = lower(header.name.as_bytes(), &mut buffer, |_| false);
            let known = request.header(name, &header.value);
            request.known = request.known.max(known);
        }
        request
    }

    /// Notes a header, and says how much a record knows that has it.
    fn header(&mut self, name: &[u8], value: &'a str) -> Known {
        match name {
            b"user-agent" => {
                self.user_agent = Some(value);
                return Known::LogLine;
            }
            b"referer" => {
                self.referer = Some(value);
                return Known::LogLine;
            }
            b"authorization" => {
                self.authorization = true;
                return Known::LogLine;
            }
            b"host" | b"x-forwarded-for" => return Known::LogLine,
            b"accept" => self.accept = Some(value),
            b"content-type" => self.content_type = Some(value),
            b"content-length" => self.content_length = value.trim().parse().ok(),
            b"sec-fetch-dest" => self.destination = destination(value),
            b"sec-fetch-mode" => self.mode = mode(value),
            b"sec-fetch-site" => self.site = site(value),
            b"sec-fetch-user" | b"upgrade-insecure-requests" => self.upgrade = true,
            b"x-requested-with" => {
                self.requested_with = 1 + u8::from(value.eq_ignore_ascii_case("xmlhttprequest"));
            }
            b"priority" => self.urgency = urgency(value),
            b"origin" => self.origin = Some(value),
            b"cookie" => self.cookies += 1 + value.bytes().filter(|byte| *byte == b';').count(),
            b"if-modified-since" => self.conditional = self.conditional.max(1),
            b"if-none-match" => self.conditional = self.conditional.max(2),
            b"if-match" | b"if-unmodified-since" => self.conditional = 3,
            b"range" => self.range = true,
            _ => self.other(name),
        }
        Known::All
    }

    fn other(&mut self, name: &[u8]) {
        let has = |needle: &[u8]| name.windows(needle.len()).any(|window| window == needle);
        if has(b"csrf") || has(b"xsrf") {
            self.csrf = true;
        } else if name.ends_with(b"key")
            || name.ends_with(b"token")
            || name.ends_with(b"signature")
            || name.ends_with(b"hmac")
        {
            self.keys += 1;
        } else if name.starts_with(b"x-")
            && !name.starts_with(b"x-forwarded")
            && !matches!(
                name,
                b"x-real-ip" | b"x-client-data" | b"x-request-id" | b"x-purpose"
            )
            && !name.starts_with(b"x-browser-")
            && !name.starts_with(b"x-devtools-")
        {
            self.custom += 1;
        }
    }

    fn set(&self, transaction: &TransactionRef<'_>, vector: &mut Vector) {
        vector.set(At::Accept, self.accept.map_or(0, accepted));
        let types = self.accept.map_or(0, |value| value.split(',').count());
        vector.count(At::AcceptRanges, types);
        vector.set(
            At::RequestType,
            self.content_type.map_or(0.0, |value| kind(value).value()),
        );
        self.set_body(transaction, vector);
        vector.set(At::FetchDestination, self.destination);
        vector.set(At::FetchMode, self.mode);
        vector.set(At::FetchSite, self.site);
        vector.set(At::RequestedWith, self.requested_with);
        vector.set(At::Upgrade, self.upgrade);
        vector.set(At::Urgency, self.urgency);
        let origin = match self.origin {
            None => 0,
            Some("null") => 1,
            Some(origin) => 2 + u8::from(same_host(origin, &transaction.host)),
        };
        vector.set(At::Origin, origin);
        vector.set(At::Authorization, self.authorization);
        vector.count(At::KeyHeader, self.keys);
        vector.set(At::CsrfHeader, self.csrf);
        vector.count(At::CustomHeaders, self.custom);
        vector.count(At::CookiesSent, self.cookies);
        vector.set(At::Conditional, self.conditional);
        vector.set(At::Range, self.range);
    }

    fn set_body(&self, transaction: &TransactionRef<'_>, vector: &mut Vector) {
        // A body in base64 has a third more bytes, and one with escapes some more: a log2 hardly tells.
        let recorded = transaction
            .request_body
            .as_ref()
            .or(transaction.request_body_b64.as_ref())
            .map(|body| body.source().len() as u64)
            .or(transaction.request_body_omitted);
        let size = self.content_length.or(recorded).unwrap_or(0);
        vector.set(At::RequestSize, log2(size));
        let first = transaction.request_body.as_ref().and_then(|body| {
            let start = body.source().trim_start();
            start.bytes().next()
        });
        let body = match first {
            Some(b'{' | b'[') => 3,
            Some(b'<') => 2,
            Some(_) => 1,
            None => u8::from(size > 0),
        };
        vector.set(At::RequestBody, body);
    }
}

/// What is gathered of the response's headers.
#[derive(Default)]
struct Response<'a> {
    known: bool,
    content_type: Option<&'a str>,
    content_length: Option<u64>,
    disposition: u8,
    store: u8,
    max_age: Option<u64>,
    etag: u8,
    last_modified: bool,
    expires: u8,
    age: bool,
    accept_ranges: bool,
    vary: u8,
    rate_limit: usize,
    request_id: bool,
    timing: bool,
    api: usize,
    paging: bool,
    cors_origin: u8,
    cors_others: usize,
    policy: u8,
    frame: bool,
    no_sniff: bool,
    language: bool,
    location: bool,
    authenticate: bool,
    allow: bool,
    cookies: usize,
}

pub(super) fn response_features(transaction: &TransactionRef<'_>, vector: &mut Vector) {
    let mut response = Response::default();
    for header in &transaction.response_headers {
        let mut buffer = [0; MAX_NAME_BYTES];
        let name = lower(header.name.as_bytes(), &mut buffer, |_| false);
        response.known |= response.header(name, &header.value);
    }
    let content_type = transaction
        .response_content_type
        .as_deref()
        .or(response.content_type);
    if let Some(content_type) = content_type {
        vector.set(At::ResponseType, kind(content_type).value());
        vector.set(At::ResponseCharset, content_type.contains("charset"));
    } else if response.known {
        vector.set(At::ResponseType, 0_u8);
        vector.set(At::ResponseCharset, 0_u8);
    }
    if let Some(size) = transaction.response_body_size.or(response.content_length) {
        vector.set(At::ResponseSize, log2(size));
    }
    if response.known {
        response.set(vector);
    }
}

impl<'a> Response<'a> {
    /// Notes a header, and says whether it is one that only a record of all headers has.
    fn header(&mut self, name: &[u8], value: &'a str) -> bool {
        match name {
            b"content-type" => {
                self.content_type = Some(value);
                return false;
            }
            b"content-length" => {
                self.content_length = value.trim().parse().ok();
                return false;
            }
            b"cache-control" => {
                let (store, max_age) = cache_control(value);
                self.store = self.store.max(store);
                self.max_age = max_age.or(self.max_age);
            }
            b"etag" => self.etag = 1 + u8::from(!value.starts_with("W/")),
            b"last-modified" => self.last_modified = true,
            b"expires" => self.expires = 1 + u8::from(!value.contains(':')),
            b"age" => self.age = true,
            b"accept-ranges" => self.accept_ranges = value.eq_ignore_ascii_case("bytes"),
            b"vary" => self.vary = self.vary.max(vary(value)),
            b"content-disposition" => {
                let start = value.as_bytes().get(..6).unwrap_or_default();
                self.disposition = 2 - u8::from(start.eq_ignore_ascii_case(b"inline"));
            }
            b"set-cookie" => self.cookies += 1,
            b"content-security-policy" => {
                let nothing = value.contains("default-src 'none'");
                self.policy = 2 - u8::from(nothing && self.policy != 2);
            }
            b"x-frame-options" => self.frame = true,
            b"x-content-type-options" => self.no_sniff = true,
            b"content-language" => self.language = true,
            b"location" => self.location = true,
            b"www-authenticate" => self.authenticate = true,
            b"allow" => self.allow = true,
            b"access-control-allow-origin" => self.cors_origin = 2 - u8::from(value == "*"),
            b"retry-after" => self.rate_limit += 1,
            b"server-timing" | b"x-runtime" | b"x-response-time" | b"x-process-time" => {
                self.timing = true;
            }
            b"link" => self.paging |= value.contains("next"),
            b"date" | b"server" | b"connection" | b"content-encoding" | b"transfer-encoding" => {}
            _ => self.other(name),
        }
        true
    }

    fn other(&mut self, name: &[u8]) {
        let has = |needle: &[u8]| name.windows(needle.len()).any(|window| window == needle);
        if name.starts_with(b"access-control-") {
            self.cors_others += 1;
        } else if has(b"ratelimit") || has(b"rate-limit") {
            self.rate_limit += 1;
        } else if has(b"request-id") || has(b"requestid") || has(b"correlation-id") || has(b"trace")
        {
            self.request_id = true;
        } else if has(b"-ms") && has(b"processing") || has(b"service-time") {
            self.timing = true;
        } else if has(b"total-count") || has(b"x-total") || has(b"next-page") {
            self.paging = true;
        } else if has(b"api") || has(b"scopes") || name.ends_with(b"-version") && !has(b"aspnet") {
            self.api += 1;
        }
    }

    fn set(&self, vector: &mut Vector) {
        vector.set(At::Disposition, self.disposition);
        vector.count(At::CookiesSet, self.cookies);
        vector.set(At::CacheStore, self.store);
        vector.set(At::CacheAge, self.max_age.map_or(-1.0, log2));
        vector.set(At::Etag, self.etag);
        vector.set(At::LastModified, self.last_modified);
        vector.set(At::Expires, self.expires);
        vector.set(At::Age, self.age);
        vector.set(At::AcceptRangesSent, self.accept_ranges);
        vector.set(At::VaryAccept, self.vary);
        vector.count(At::RateLimit, self.rate_limit);
        vector.set(At::RequestId, self.request_id);
        vector.set(At::Timing, self.timing);
        vector.count(At::ApiHeader, self.api);
        vector.set(At::Paging, self.paging);
        vector.set(At::CorsOrigin, self.cors_origin);
        vector.count(At::CorsOthers, self.cors_others);
        vector.set(At::Policy, self.policy);
        vector.set(At::Frame, self.frame);
        vector.set(At::NoSniff, self.no_sniff);
        vector.set(At::Language, self.language);
        vector.set(At::Location, self.location);
        vector.set(At::Authenticate, self.authenticate);
        vector.set(At::Allow, self.allow);
    }
}

/// log2 of 1 + n, in whole and quarter steps: the same on every machine, as the mathematical library of none is asked.
fn log2(number: u64) -> f32 {
    let number = number.saturating_add(1);
    let whole = number.ilog2();
    // The two bits below the leading one.
    let quarters = if whole >= 2 {
        (number >> (whole - 2)) & 3
    } else {
        (number << (2 - whole)) & 3
    };
    #[expect(clippy::cast_precision_loss, reason = "at most 63 and 3")]
    let log = whole as f32 + quarters as f32 / 4.0;
    log
}

fn destination(value: &str) -> u8 {
    match value {
        "image" => 1,
        "font" | "audio" | "video" | "track" => 2,
        "style" | "xslt" => 3,
        "script" | "worker" | "sharedworker" | "serviceworker" | "audioworklet"
        | "paintworklet" => 4,
        "document" | "iframe" | "frame" | "embed" | "object" | "fencedframe" => 5,
        "empty" => 7,
        _ => 6,
    }
}

fn mode(value: &str) -> u8 {
    match value {
        "navigate" | "nested-navigate" => 1,
        "no-cors" => 2,
        "same-origin" => 4,
        "cors" => 5,
        _ => 3,
    }
}

fn site(value: &str) -> u8 {
    match value {
        "none" => 1,
        "cross-site" => 2,
        "same-site" => 3,
        _ => 4,
    }
}

fn urgency(value: &str) -> i8 {
    match value.as_bytes() {
        [b'u', b'=', digit @ b'0'..=b'7', ..] => (digit - b'0').cast_signed(),
        // The default of RFC 9218.
        _ => 3,
    }
}

/// Class of `Cache-Control` and its `max-age`.
fn cache_control(value: &str) -> (u8, Option<u64>) {
    let (mut class, mut age) = (1, None);
    for directive in value.split(',').take(8) {
        let mut buffer = [0; 24];
        match lower(directive.trim().as_bytes(), &mut buffer, |byte| {
            byte == b'='
        }) {
            b"no-store" => class = 4,
            b"no-cache" => class = class.max(3),
            b"private" | b"must-revalidate" => class = class.max(2),
            b"max-age" => {
                let seconds = directive.split_once('=').map(|(_, seconds)| seconds);
                age = seconds.and_then(|seconds| seconds.trim().trim_matches('"').parse().ok());
            }
            _ => {}
        }
    }
    (class, age)
}

fn vary(value: &str) -> u8 {
    let mut class = 0;
    for name in value.split(',').take(8) {
        let mut buffer = [0; 24];
        match lower(name.trim().as_bytes(), &mut buffer, |_| false) {
            b"accept" | b"authorization" => class = class.max(1),
            b"origin" => class = 2,
            _ => {}
        }
    }
    class
}

/// Whether a URL or origin is on the host; ports count only where both have one.
fn same_host(url: &str, host: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = |host: &'_ str| -> usize { host.rfind(':').unwrap_or(host.len()) };
    authority[..name(authority)].eq_ignore_ascii_case(&host[..name(host)])
}

fn is_asset(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.ends_with(".css") || path.ends_with(".js")
}

/// As the feature `user_agent` numbers it.
fn user_agent_kind(value: &str) -> u8 {
    let mut buffer = [0; 160];
    let text = lower(value.as_bytes(), &mut buffer, |_| false);
    if text.is_empty() || text == b"-" {
        return 0;
    }
    let crawls = text.windows(4).any(|window| {
        window.starts_with(b"bot") && !window[3].is_ascii_lowercase()
            || matches!(window, b"craw" | b"spid" | b"feed" | b"scan" | b"http")
                && text.starts_with(b"mozilla/")
    }) || text.ends_with(b"bot");
    if crawls {
        2
    } else if text.starts_with(b"mozilla/") || text.starts_with(b"opera/") {
        1
    } else {
        3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_in_quarters_of_a_doubling() {
        for (number, expected) in [
            (0, 0.0),
            (1, 1.0),
            (2, 1.5),
            (3, 2.0),
            (4, 2.25),
            (1023, 10.0),
            (u64::MAX, 63.75),
        ] {
            assert!((log2(number) - expected).abs() < 1e-6, "{number}");
        }
    }

    #[test]
    fn hosts_are_compared_without_port() {
        for (url, host, expected) in [
            ("https://a.example/x", "a.example", true),
            ("https://A.example:8443/x", "a.example", true),
            ("https://b.example", "a.example", false),
            ("null", "a.example", false),
            ("", "a.example", false),
        ] {
            assert_eq!(same_host(url, host), expected, "{url}");
        }
    }

    #[test]
    fn clients_have_their_kind() {
        for (value, expected) in [
            ("-", 0),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                1,
            ),
            (
                "Mozilla/5.0 (compatible; Examplebot/2.1; +http://example.com/bot.html)",
                2,
            ),
            ("ExampleBot", 2),
            ("curl/8.5.0", 3),
            ("python-requests/2.32", 3),
        ] {
            assert_eq!(user_agent_kind(value), expected, "{value}");
        }
    }
}
