//! How places are written: in the document (`.paths["/x"].put`) and in a body (`$.items[3].name`).

use std::fmt::Write as _;

/// Append an object member to a place.
pub(crate) fn push_key(place: &mut String, key: &str) {
    if is_plain(key) {
        place.push('.');
        place.push_str(key);
    } else {
        // Debug of a str escapes quotes, backslashes and control characters, much as JSON does.
        write!(place, "[{key:?}]").expect("writing to a String cannot fail");
    }
}

/// Append an array item to a place.
pub(crate) fn push_index(place: &mut String, index: usize) {
    write!(place, "[{index}]").expect("writing to a String cannot fail");
}

fn is_plain(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_' || first == b'$')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-'))
}

/// `place` with a member appended.
pub(crate) fn key(place: &str, key: &str) -> String {
    let mut out = place.to_owned();
    push_key(&mut out, key);
    out
}

/// `place` with an item appended.
pub(crate) fn index(place: &str, index: usize) -> String {
    let mut out = place.to_owned();
    push_index(&mut out, index);
    out
}
