//! One spelling for paths, the one in which operations are saved and the gateway matches them.
//!
//! The rules are those of the gateway's router and of `normalise_endpoint` in `src/hauberk/operation.py`: unreserved
//! characters are written plainly, everything else that a segment cannot hold is percent-encoded, `.` and `..` are
//! resolved. A trailing slash and empty segments stay: to the router they make another path, so an endpoint found
//! without them would match nothing.

/// The longest path that can be saved as an endpoint, in bytes.
pub(super) const MAX_PATH_BYTES: usize = 4096;
/// The most segments that the gateway's router takes.
pub(super) const MAX_SEGMENTS: usize = 128;

/// The normal spelling of a path as sent; `None` for what can be no endpoint (`*`, too long, too deep, no leading `/`).
pub(super) fn normalise_path(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if !path.starts_with('/') || path.len() > MAX_PATH_BYTES {
        return None;
    }
    let spelled = if path.bytes().all(is_plain) {
        path.to_owned()
    } else {
        spell(path)
    };
    let resolved = without_dot_segments(spelled);
    let fits = resolved.len() <= MAX_PATH_BYTES
        && resolved.bytes().filter(|byte| *byte == b'/').count() <= MAX_SEGMENTS;
    fits.then_some(resolved)
}

/// Spells text of a path; braces are text here.
pub(super) fn spell(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(bytes.len() + 8);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match (byte == b'%').then(|| hex_pair(bytes, at + 1)).flatten() {
            Some(decoded) if is_unreserved(decoded) => out.push(char::from(decoded)),
            Some(decoded) => push_encoded(&mut out, decoded),
            None if is_plain(byte) => out.push(char::from(byte)),
            None => push_encoded(&mut out, byte),
        }
        at += if byte == b'%' && hex_pair(bytes, at + 1).is_some() {
            3
        } else {
            1
        };
    }
    out
}

fn without_dot_segments(path: String) -> String {
    if !path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return path;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            ".." => drop(kept.pop()),
            "." => {}
            _ => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

fn hex_pair(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |index: usize| char::from(*bytes.get(index)?).to_digit(16);
    u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
}

fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What a path holds unencoded, the slash among it.
fn is_plain(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte)
}

/// A host as it is compared: lower case, without a final dot.
pub(super) fn normalise_host(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    // The names of variables are written as they are everywhere.
    host.to_ascii_lowercase().replace("{hostvar", "{hostVar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (path, wanted) in [
            ("/users/%7Esmith", Some("/users/~smith")),
            ("/a%2fb", Some("/a%2Fb")),
            ("/100%", Some("/100%25")),
            ("/é {x}", Some("/%C3%A9%20%7Bx%7D")),
            ("/a/./b/../c", Some("/a/c")),
            ("/a/%2e%2e/b/..", Some("/b/").map(|_| "/")),
            ("/a/b/..", Some("/a/")),
            ("/a//b/", Some("/a//b/")),
            ("/a;v=1?q#f", Some("/a;v=1")),
            ("/", Some("/")),
            ("*", None),
            ("", None),
            ("http://a/b", None),
        ] {
            assert_eq!(normalise_path(path).as_deref(), wanted, "{path}");
        }
        assert_eq!(normalise_path(&format!("/{}", "a".repeat(5000))), None);
        assert_eq!(normalise_path(&"/a".repeat(129)), None);
    }
}
