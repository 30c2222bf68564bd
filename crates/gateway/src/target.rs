//! What a request asks for: the host, and the path as it is matched.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use pingora::http::RequestHeader;
use pingora::http::authority::{RawTargetAuthority, raw_target_authority};

/// What DNS has room for.
const MAX_HOST_BYTES: usize = 253;

/// The host a request is for, in lower case, without port and without the dot that may end it. Pingora has refused
/// requests whose `Host` differs from the authority in the target, and those with two of them.
///
/// None when the request names no host, or something that is none.
pub(crate) fn host(request: &RequestHeader) -> Option<Box<str>> {
    let authority = match request.uri.authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None => match raw_target_authority(request.raw_path()) {
            RawTargetAuthority::Absolute { authority, .. } => authority,
            _ => request.headers.get(http::header::HOST)?.as_bytes(),
        },
    };
    let name = without_port(std::str::from_utf8(authority).ok()?)?;
    let name = name.strip_suffix('.').unwrap_or(name);
    is_host(name).then(|| name.to_ascii_lowercase().into())
}

/// Whether this is a host name (RFC 1123, and the underscore that is met in the wild) or an IPv6 address in brackets.
fn is_host(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_HOST_BYTES).contains(&name.len()) && name.bytes().all(fits)
}

fn without_port(authority: &str) -> Option<&str> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            (&authority[..end + 2], &rest[end + 1..])
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(name)
}

/// Path and query of a request, as the origin will receive them: of an absolute target, what follows the authority.
pub(crate) fn path_and_query(request: &RequestHeader) -> &[u8] {
    match raw_target_authority(request.raw_path()) {
        RawTargetAuthority::Absolute {
            path_and_query: b"",
            ..
        } => b"/",
        RawTargetAuthority::Absolute { path_and_query, .. } => path_and_query,
        _ => request.raw_path(),
    }
}

/// Whether the target is written with scheme and authority, as to a forward proxy.
pub(crate) fn is_absolute(request: &RequestHeader) -> bool {
    matches!(
        raw_target_authority(request.raw_path()),
        RawTargetAuthority::Absolute { .. }
    )
}

/// Path and query apart, without the question mark.
pub(crate) fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|byte| *byte == b'?') {
        Some(mark) => (&target[..mark], Some(&target[mark + 1..])),
        None => (target, None),
    }
}

/// The path as operations and rules see it, or why it can be read in two ways.
///
/// A character that may stand in a path as it is means the same when it is percent-encoded: `/%61dmin` is `/admin`, and
/// `/users%3Abatch` is `/users:batch`. Those are decoded here, or an encoded letter would lead around a rule. What
/// changes the shape of a path when an origin decodes it (slashes, dots, backslashes, control characters) has no
/// honest use and is refused. The origin receives what the client sent.
///
/// # Errors
///
/// What is wrong with the path, in words that quote nothing.
pub fn matched_path(path: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    if path.first() != Some(&b'/') {
        return Err("the path does not begin with a slash");
    }
    let mut decoded: Option<Vec<u8>> = None;
    let mut index = 0;
    while let Some(&byte) = path.get(index) {
        match byte {
            b'%' => {
                let high = path.get(index + 1).and_then(|digit| hex_value(*digit));
                let low = path.get(index + 2).and_then(|digit| hex_value(*digit));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err("the path holds a percent sign that encodes nothing");
                };
                let out = decoded.get_or_insert_with(|| path[..index].to_vec());
                push_decoded(out, high << 4 | low)?;
                index += 3;
                continue;
            }
            b'\\' => return Err("the path holds a backslash"),
            b'#' => return Err("the path holds a number sign that is not percent-encoded"),
            0x21..=0x7e => {}
            _ => return Err("the path holds a byte that must be percent-encoded"),
        }
        if let Some(out) = &mut decoded {
            out.push(byte);
        }
        index += 1;
    }
    let text = match decoded {
        Some(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| NOT_ASCII)?),
        None => Cow::Borrowed(std::str::from_utf8(path).map_err(|_| NOT_ASCII)?),
    };
    check_segments(&text)?;
    if text.contains('%') && percent_decoded(&text).is_err() {
        return Err(NOT_UTF_8);
    }
    Ok(text)
}

const NOT_ASCII: &str = "the path holds a byte that must be percent-encoded";

const NOT_UTF_8: &str = "the path holds encoded bytes that are not UTF-8";

/// The text that is encoded, which must be UTF-8: an overlong slash or dot is none, and decoders fall for it.
fn percent_decoded(text: &str) -> Result<String, std::string::FromUtf8Error> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let digit = |at: usize| bytes.get(at).and_then(|digit| hex_value(*digit));
        if let (b'%', Some(high), Some(low)) = (byte, digit(index + 1), digit(index + 2)) {
            decoded.push(high << 4 | low);
            index += 3;
        } else {
            decoded.push(byte);
            index += 1;
        }
    }
    String::from_utf8(decoded)
}

fn push_decoded(out: &mut Vec<u8>, byte: u8) -> Result<(), &'static str> {
    match byte {
        b'/' | b'\\' => return Err("the path holds an encoded slash or backslash"),
        0x00..=0x1f | 0x7f => return Err("the path holds an encoded control character"),
        _ if may_stand_in_path(byte) => out.push(byte),
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.extend([
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]);
        }
    }
    Ok(())
}

/// `pchar` of RFC 3986.
fn may_stand_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn check_segments(path: &str) -> Result<(), &'static str> {
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        // Some servers cut parameters off a segment before they resolve dots.
        let name = segment.split(';').next().unwrap_or_default();
        if name == "." || name == ".." {
            return Err("the path holds a segment of dots");
        }
        if segment.is_empty() && segments.peek().is_some() {
            return Err("the path holds two slashes in a row");
        }
    }
    Ok(())
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{host, matched_path};
    use pingora::http::RequestHeader;

    #[test]
    fn a_path_is_matched_in_the_one_way_an_origin_can_read_it() {
        for (sent, matched) in [
            ("/", "/"),
            ("/users/42/", "/users/42/"),
            ("/%61dmin", "/admin"),
            ("/users%3abatch", "/users:batch"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b%25", "/a%20b%25"),
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            assert_eq!(
                matched_path(sent.as_bytes()).as_deref(),
                Ok(matched),
                "{sent}"
            );
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused() {
        for sent in [
            "",
            "*",
            "x",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2e/b",
            "/a/.%2E",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/a%0d",
            "/a//b",
            "//",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a/..;x=1/b",
            "/\u{e9}",
            "/a b",
            "/%c0%af",
            "/%e0%80%af",
            "/caf%e9",
            "/a#b",
        ] {
            assert!(matched_path(sent.as_bytes()).is_err(), "{sent}");
        }
    }

    #[test]
    fn the_host_is_compared_in_lower_case_without_port() {
        let long = "a".repeat(254);
        for (written, name) in [
            ("API.example.com", Some("api.example.com")),
            ("api.example.com:8443", Some("api.example.com")),
            ("api.example.com.", Some("api.example.com")),
            ("[::1]:80", Some("[::1]")),
            ("api.example.com:x", None),
            ("a/b", None),
            ("a\"b<x>.example.com", None),
            ("a_b.example.com", Some("a_b.example.com")),
            ("[::x]", None),
            ("[::1", None),
            ("[]", None),
            (&long, None),
            (&long[1..], Some(&long[1..])),
            ("", None),
        ] {
            let mut request = RequestHeader::build("GET", b"/", None).expect("well formed");
            request.insert_header("Host", written).expect("well formed");
            assert_eq!(host(&request).as_deref(), name, "{written}");
        }
    }
}
