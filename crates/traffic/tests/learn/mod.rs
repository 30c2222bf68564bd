//! What is known of values: laws in `laws`, what one caller can do in `callers`, how large it gets in `size`, tables of
//! texts and numbers in `texts` and `numbers`. Of whole requests: tables in `learner`, laws in `parts`.

mod callers;
mod laws;
mod learner;
mod numbers;
mod parts;
mod size;
mod texts;

use hauberk_traffic::learn::{Seen, ValueProfile};
use serde_json::Value;

/// As it is kept.
fn bytes(profile: &ValueProfile) -> Vec<u8> {
    postcard::to_allocvec(profile).expect("a profile can be written")
}

/// The request of this number, each of a session of its own, at an hour of its own.
fn seen(number: u64) -> Seen {
    let request = hauberk_traffic::learn::hash(&number.to_le_bytes());
    let session = format!("session {number}");
    let at = 1_780_000_000 + i64::try_from(number).expect("a small number") * 3600;
    Seen::new(Some(&session), None, None, request, Some(at))
}

/// What is known of these parameters.
fn view_of_texts(texts: &[&str]) -> Value {
    let mut profile = ValueProfile::default();
    for (number, text) in (0..).zip(texts) {
        profile.text(text, &seen(number));
    }
    profile.view()
}

/// What is known of these numbers of JSON.
fn view_of_numbers(literals: &[&str]) -> Value {
    let mut profile = ValueProfile::default();
    for (number, literal) in (0..).zip(literals) {
        profile.number(literal, &seen(number));
    }
    profile.view()
}

/// The names of what was seen.
fn names(of: &Value) -> Vec<&str> {
    let names = of.as_object().expect("an object").keys();
    names.map(String::as_str).collect()
}
