//! Hosts and URLs as recorders write them.

use std::borrow::Cow;

/// Whether and how a URL names what was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Url<'a> {
    /// Scheme and authority of HTTP or WebSocket.
    Absolute(&'a str, &'a str),
    /// A request target without a host.
    Target,
    /// Nothing that is asked for by HTTP: `data:`, `blob:`, `about:`, `chrome-extension:` …
    Other,
}

pub(super) fn split(url: &str) -> Url<'_> {
    if let Some((scheme, rest)) = url.split_once("://")
        && is_scheme(scheme)
    {
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        return match default_port(scheme) {
            Some(_) if !authority.is_empty() => Url::Absolute(scheme, authority),
            _ => Url::Other,
        };
    }
    let scheme = url.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let follows = &url[scheme.len()..];
    // `data:…`, but not `host:443`, which CONNECT asks for.
    let is_port = follows[1.min(follows.len())..]
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    if follows.starts_with(':') && is_scheme(scheme) && !is_port {
        Url::Other
    } else {
        Url::Target
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme.len() {
        4 if scheme.eq_ignore_ascii_case("http") => Some(":80"),
        5 if scheme.eq_ignore_ascii_case("https") => Some(":443"),
        2 if scheme.eq_ignore_ascii_case("ws") => Some(":80"),
        3 if scheme.eq_ignore_ascii_case("wss") => Some(":443"),
        _ => None,
    }
}

/// The host of an authority: in lower case, without the port that the scheme has anyway.
pub(super) fn host<'a>(scheme: Option<&str>, authority: &'a str) -> Cow<'a, str> {
    let is_default = |port: &&str| authority.ends_with(*port);
    let port = match scheme {
        Some(scheme) => default_port(scheme).filter(is_default),
        None => [":443", ":80"].into_iter().find(is_default),
    };
    let host = &authority[..authority.len() - port.map_or(0, str::len)];
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// The one spelling of an HTTP version, of which recorders have many: `h2`, `http/2.0`, `HTTP/2`, `h3-29`. None if it is not known.
pub(super) fn http_version(written: &str) -> Option<Cow<'_, str>> {
    const KNOWN: [(&str, &str); 12] = [
        ("HTTP/1.1", "HTTP/1.1"),
        ("HTTP/2", "HTTP/2"),
        ("HTTP/2.0", "HTTP/2"),
        ("h2", "HTTP/2"),
        ("h2c", "HTTP/2"),
        ("HTTP/3", "HTTP/3"),
        ("HTTP/3.0", "HTTP/3"),
        ("h3", "HTTP/3"),
        ("HTTP/1.0", "HTTP/1.0"),
        ("spdy", "HTTP/2"),
        ("unknown", ""),
        ("-", ""),
    ];
    let written = written.trim_ascii();
    let known = KNOWN
        .iter()
        .find(|(spelling, _)| spelling.eq_ignore_ascii_case(written));
    match known {
        Some((_, "")) => None,
        Some((_, version)) => Some(Cow::Borrowed(version)),
        None if written.is_empty() => None,
        // Drafts of HTTP/3 and what came before it: `h3-29`, `http/2+quic/46`.
        None if written.starts_with("h3-") || written.to_ascii_lowercase().contains("quic") => {
            Some(Cow::Borrowed("HTTP/3"))
        }
        // Insomnia and some logs write the number alone.
        None if matches!(written, "1.0" | "1.1") => Some(Cow::Owned(format!("HTTP/{written}"))),
        None if matches!(written, "2" | "2.0") => Some(Cow::Borrowed("HTTP/2")),
        None if matches!(written, "3" | "3.0") => Some(Cow::Borrowed("HTTP/3")),
        None => Some(Cow::Borrowed(written)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_host_or_is_none_of_http() {
        let cases = [
            ("https://a.example/x", Url::Absolute("https", "a.example")),
            (
                "HTTP://u:p@A.example:8080?x",
                Url::Absolute("HTTP", "A.example:8080"),
            ),
            ("wss://[::1]:443#x", Url::Absolute("wss", "[::1]:443")),
            ("/x?u=https://b.example", Url::Target),
            ("a.example:443", Url::Target),
            ("*", Url::Target),
            ("", Url::Target),
            ("data:text/plain,x://y", Url::Other),
            ("blob:https://a.example/1", Url::Other),
            ("chrome-extension://abc/x.js", Url::Other),
            ("about:blank", Url::Other),
            ("https:///x", Url::Other),
        ];
        for (url, wanted) in cases {
            assert_eq!(split(url), wanted, "{url}");
        }
    }

    #[test]
    fn a_host_has_no_port_that_goes_without_saying() {
        let cases = [
            (Some("https"), "A.example:443", "a.example"),
            (Some("https"), "a.example:80", "a.example:80"),
            (Some("http"), "a.example:80", "a.example"),
            (None, "a.example:443", "a.example"),
            (None, "a.example:8080", "a.example:8080"),
            (Some("ws"), "[::1]:80", "[::1]"),
        ];
        for (scheme, authority, wanted) in cases {
            assert_eq!(host(scheme, authority), wanted);
        }
    }

    #[test]
    fn versions_have_one_spelling() {
        let cases = [
            ("http/1.1", Some("HTTP/1.1")),
            ("h2", Some("HTTP/2")),
            ("http/2.0", Some("HTTP/2")),
            ("h3-29", Some("HTTP/3")),
            ("http/2+quic/46", Some("HTTP/3")),
            ("1.1", Some("HTTP/1.1")),
            ("unknown", None),
            ("", None),
            ("HTTP/0.9", Some("HTTP/0.9")),
        ];
        for (written, wanted) in cases {
            assert_eq!(http_version(written).as_deref(), wanted, "{written}");
        }
    }
}
