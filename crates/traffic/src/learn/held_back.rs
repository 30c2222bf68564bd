//! Which requests are not learned from, so that there is something to try a schema on.

use super::hash::mix;
use super::seen::Seen;

/// One of so many sources is held back.
const ONE_OF: u64 = 10;

/// Tells the hash that chooses sources from others.
const CHOICE: u64 = 2;

/// Whether a request is kept for trials: those of about every tenth source, and where nobody can be told, about every tenth
/// request. The answer is the same for all requests of a source, and always.
pub fn is_held_back(seen: &Seen) -> bool {
    let key = if seen.source == 0 {
        seen.sample
    } else {
        seen.source
    };
    // Not the hash that samples are chosen by: those with the smallest would all be on one side.
    mix(key, CHOICE).is_multiple_of(ONE_OF)
}
