//! Query parameters, by the names they are sent with.

use super::decode;
use super::parameter::Parameters;
use super::seen::Seen;

/// Learns from a query. A pair that cannot be decoded teaches nothing.
pub(super) fn learn_query(query: &str, known: &mut Parameters, seen: &Seen) {
    for (name, value) in decode::pairs(query) {
        if let (Some(name), Some(value)) = (decode::form(name), decode::form(value)) {
            known.add(&name, &value, seen);
        }
    }
}
