//! Request headers that belong to the API: neither those that HTTP, browsers and proxies have for all, nor credentials.

use super::names::{Cursor, Named};
use super::parameter::Parameters;
use super::secret::{Hiding, hiding};
use super::seen::Seen;
use crate::borrowed::Header;

/// So many spellings of names are remembered; more are classified each time they come.
const MAX_REMEMBERED: usize = 1024;

/// What is done with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Ignored,
    Cookies,
    /// Its name in lower case.
    Parameter(Box<str>),
}

/// Tells headers apart, and remembers what it told.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    known: Named<Part>,
}

/// What takes headers.
pub(super) struct Takers<'t> {
    pub(super) headers: &'t mut Parameters,
    pub(super) cookies: &'t mut Parameters,
}

impl Headers {
    /// Learns from the headers of a request.
    pub(super) fn learn(&mut self, headers: &[Header<'_>], takers: &mut Takers<'_>, seen: &Seen) {
        let mut cursor = Cursor::default();
        for header in headers {
            let name = header.name.as_ref();
            let at = match self.known.find(name, &mut cursor) {
                Some(at) => at,
                None if self.known.len() < MAX_REMEMBERED => {
                    self.known.insert(name, part(name), &mut cursor)
                }
                None => {
                    take(&part(name), &header.value, takers, seen);
                    continue;
                }
            };
            take(&self.known.entry(at).value, &header.value, takers, seen);
        }
    }
}

fn take(part: &Part, value: &str, takers: &mut Takers<'_>, seen: &Seen) {
    match part {
        Part::Ignored => {}
        Part::Cookies => super::cookies::learn_cookies(value, takers.cookies, seen),
        Part::Parameter(name) => takers.headers.add(name, value.trim(), seen),
    }
}

fn part(name: &str) -> Part {
    let lower = name.to_ascii_lowercase();
    if lower == "cookie" {
        Part::Cookies
    } else if is_standard(&lower) || hiding(&lower) > Hiding::Random {
        Part::Ignored
    } else {
        Part::Parameter(lower.into())
    }
}

/// Whether a header (in lower case) says nothing of the API.
fn is_standard(name: &str) -> bool {
    name.starts_with(':')
        || STANDARD.binary_search(&name).is_ok()
        || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// How names begin that browsers, proxies and tracing have for themselves.
const FAMILIES: &[&str] = &[
    "access-control-",
    "baggage",
    "cdn-",
    "cf-",
    "fastly-",
    "fly-",
    "proxy-",
    "sec-",
    "uber-trace-",
    "uberctx-",
    "x-appengine-",
    "x-b3-",
    "x-cloud-trace-",
    "x-datadog-",
    "x-envoy-",
    "x-forwarded",
    "x-middleware-",
    "x-original-",
    "x-ot-span-",
    "x-vercel-",
];

/// RFC 9110 and its kin, what browsers and clients add to any request, proxies, tracing. Sorted.
const STANDARD: &[&str] = &[
    "a-im",
    "accept",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "accept-language",
    "accept-patch",
    "accept-ranges",
    "age",
    "allow",
    "alt-used",
    "amzn-trace-id",
    "authorization",
    "b3",
    "cache-control",
    "client-ip",
    "connection",
    "content-digest",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "correlation-context",
    "date",
    "device-memory",
    "digest",
    "dnt",
    "downlink",
    "early-data",
    "ect",
    "expect",
    "expires",
    "forwarded",
    "from",
    "front-end-https",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-event-id",
    "last-modified",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "purpose",
    "range",
    "referer",
    "repr-digest",
    "request-id",
    "rtt",
    "save-data",
    "sentry-trace",
    "server",
    "service-worker",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "viewport-width",
    "want-digest",
    "warning",
    "width",
    "x-amzn-trace-id",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-correlation-id",
    "x-newrelic-id",
    "x-newrelic-transaction",
    "x-purpose",
    "x-real-ip",
    "x-request-id",
    "x-request-start",
    "x-requested-with",
    "x-trace-id",
    "x-ua-compatible",
    "x-varnish",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_api_are_told_from_those_of_everybody() {
        assert!(STANDARD.is_sorted());
        let parameter = |name: &str| Part::Parameter(name.into());
        let cases = [
            ("User-Agent", Part::Ignored),
            ("Sec-Fetch-Mode", Part::Ignored),
            ("X-Forwarded-For", Part::Ignored),
            ("Authorization", Part::Ignored),
            ("X-Api-Key", Part::Ignored),
            ("X-CSRF-Token", Part::Ignored),
            ("traceparent", Part::Ignored),
            (":path", Part::Ignored),
            ("Cookie", Part::Cookies),
            ("Content-Type", Part::Ignored),
            ("X-GitHub-Api-Version", parameter("x-github-api-version")),
            ("Stripe-Version", parameter("stripe-version")),
            ("Idempotency-Key", parameter("idempotency-key")),
            ("X-Filter", parameter("x-filter")),
        ];
        for (name, wanted) in cases {
            assert_eq!(part(name), wanted, "{name}");
        }
    }
}
