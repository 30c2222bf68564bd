//! Secrets are counted and never learned, also in captures that nobody has masked.

use crate::secrets::{Secrecy, find_token, secrecy};

/// What stands for a secret: the form that a masked store has.
pub(super) const SECRET: &str = "h:000000000000";

/// Which values under a name are secrets.
pub(super) type Hiding = Secrecy;

/// Which values under a name are secrets; the name alone tells.
pub(super) fn hiding(name: &str) -> Hiding {
    secrecy(name)
}

/// Whether a value must not be learned.
#[inline]
pub(super) fn is_secret(value: &str, hiding: Hiding) -> bool {
    match hiding {
        Secrecy::Open => holds_token(value),
        hiding => !value.is_empty() && (hiding.hides(value) || holds_token(value)),
    }
}

/// Whether a well-known token stands in a text. The password in a URL is not looked for.
fn holds_token(text: &str) -> bool {
    // The shortest tokens have more.
    if text.len() < 15 {
        return false;
    }
    let is_end = |byte: u8| !(byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let mut rest = text;
    while rest.len() >= 15 {
        let end = rest.bytes().position(is_end).unwrap_or(rest.len());
        if end >= 15 && find_token(&rest[..end]).is_some() {
            return true;
        }
        let Some(after) = rest.get(end..) else { break };
        rest = after.trim_start_matches(|character: char| !character.is_ascii_alphanumeric());
        if rest.len() == after.len() {
            break;
        }
    }
    false
}
