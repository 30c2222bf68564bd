//! What is known of values: laws in `laws`, tables beside.

mod laws;

use hauberk_traffic::learn::ValueProfile;

/// As it is kept.
fn bytes(profile: &ValueProfile) -> Vec<u8> {
    postcard::to_allocvec(profile).expect("a profile can be written")
}
