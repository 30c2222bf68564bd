//! Values in which a secret was masked teach nothing: what they looked like is gone.

use memchr::memmem;

use super::classes::Classes;

/// What recordings of others put in the place of secrets.
const REDACTED: &str = "REDACTED";

/// Whether a masked secret stands in a text with these classes: `h:` and twelve hex digits, or `REDACTED`.
#[inline]
pub(super) fn is_masked(text: &str, classes: Classes) -> bool {
    let is_redacted =
        classes.has(b'R') && text.len() >= REDACTED.len() && { text.contains(REDACTED) };
    is_redacted || (classes.has(b':') && text.len() >= 14 && holds_hash(text.as_bytes()))
}

fn holds_hash(text: &[u8]) -> bool {
    memmem::find_iter(text, b"h:").any(|at| {
        let digits = text[at + 2..].iter();
        let digits = digits.take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        // In `path:…` it is the end of a word.
        let is_word = at > 0 && text[at - 1].is_ascii_alphanumeric();
        !is_word && digits.take(13).count() == 12
    })
}
