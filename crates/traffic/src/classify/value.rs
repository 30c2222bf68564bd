//! What single header values say, as numbers.

use super::media::lower;

/// Whether a short text holds another.
pub(super) fn contains(text: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    let Some(last_start) = text.len().checked_sub(needle.len()) else {
        return false;
    };
    (0..=last_start).any(|at| text[at] == *first && text[at + 1..].starts_with(rest))
}

/// log2 of 1 + n, in whole and quarter steps: the same on every machine, as the mathematical library of none is asked.
pub(super) fn log2(number: u64) -> f32 {
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

/// `Sec-Fetch-Dest`, as the feature `fetch_destination` numbers it.
pub(super) fn destination(value: &str) -> u8 {
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

/// `Sec-Fetch-Mode`, as the feature `fetch_mode` numbers it.
pub(super) fn mode(value: &str) -> u8 {
    match value {
        "navigate" | "nested-navigate" => 1,
        "no-cors" => 2,
        "same-origin" => 4,
        "cors" => 5,
        _ => 3,
    }
}

/// `Sec-Fetch-Site`, as the feature `fetch_site` numbers it.
pub(super) fn site(value: &str) -> u8 {
    match value {
        "none" => 1,
        "cross-site" => 2,
        "same-site" => 3,
        _ => 4,
    }
}

/// The urgency that `Priority` tells.
pub(super) fn urgency(value: &str) -> i8 {
    match value.as_bytes() {
        [b'u', b'=', digit @ b'0'..=b'7', ..] => (digit - b'0').cast_signed(),
        // The default of RFC 9218.
        _ => 3,
    }
}

/// Class of `Cache-Control` and its `max-age`.
pub(super) fn cache_control(value: &str) -> (u8, Option<u64>) {
    let (mut class, mut age) = (1, None);
    for directive in value.split(',').take(8) {
        let mut buffer = [0; 24];
        let (name, seconds) = directive.split_once('=').unwrap_or((directive, ""));
        match lower(name.trim().as_bytes(), &mut buffer) {
            b"no-store" => class = 4,
            b"no-cache" => class = class.max(3),
            b"private" | b"must-revalidate" => class = class.max(2),
            b"max-age" => age = seconds.trim().trim_matches('"').parse().ok(),
            _ => {}
        }
    }
    (class, age)
}

/// `Vary`, as the feature `vary_accept` numbers it.
pub(super) fn vary(value: &str) -> u8 {
    let mut class = 0;
    for name in value.split(',').take(8) {
        let mut buffer = [0; 24];
        match lower(name.trim().as_bytes(), &mut buffer) {
            b"accept" | b"authorization" => class = class.max(1),
            b"origin" => class = 2,
            _ => {}
        }
    }
    class
}

/// Whether a URL or origin is on the host; ports count only where both have one.
pub(super) fn same_host(url: &str, host: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = |host: &'_ str| -> usize { host.rfind(':').unwrap_or(host.len()) };
    authority[..name(authority)].eq_ignore_ascii_case(&host[..name(host)])
}

/// Whether a URL is that of a style sheet or script.
pub(super) fn is_asset(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| matches!(ending, "css" | "js"))
}

/// As the feature `user_agent` numbers it.
pub(super) fn user_agent_kind(value: &str) -> u8 {
    let mut buffer = [0; 160];
    let text = lower(value.as_bytes(), &mut buffer);
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
