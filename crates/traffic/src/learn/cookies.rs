//! Cookies: which are there. Their values are secrets, and counted as such.

use super::parameter::Parameters;
use super::seen::Seen;

/// Learns from the value of a `Cookie` header; HTTP/2 may spread cookies over several.
pub(super) fn learn_cookies(value: &str, known: &mut Parameters, seen: &Seen) {
    for cookie in value.split(';') {
        if let Some((name, _)) = cookie.split_once('=') {
            known.add_hidden(name.trim(), seen);
        }
    }
}
