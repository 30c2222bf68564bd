//! Values in which a secret was masked teach nothing: what they looked like is gone.

use super::classes::Classes;

/// What recordings of others put in the place of secrets.
const REDACTED: &[u8] = b"REDACTED";

/// `h:` and twelve hex digits.
const HASH_BYTES: usize = 14;

/// Whether a masked secret stands in a text with these classes: `h:` and twelve hex digits, or `REDACTED`.
#[inline]
pub(super) fn is_masked(text: &str, classes: Classes) -> bool {
    let text = text.as_bytes();
    (classes.has(b'R') && text.len() >= REDACTED.len() && is_redacted(text))
        || (classes.has(b':') && text.len() >= HASH_BYTES && holds_hash(text))
}

fn is_redacted(text: &[u8]) -> bool {
    memchr::memchr_iter(b'R', text).any(|at| text[at..].starts_with(REDACTED))
}

fn holds_hash(text: &[u8]) -> bool {
    memchr::memchr_iter(b':', text).any(|at| {
        let digits = text[at + 1..].iter();
        let digits = digits.take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        // In `path:…` the `h` is the end of a word.
        let is_mark = match &text[..at] {
            [.., before, b'h'] => !before.is_ascii_alphanumeric(),
            [b'h'] => true,
            _ => false,
        };
        is_mark && digits.take(13).count() == 12
    })
}
