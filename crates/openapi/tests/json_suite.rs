//! The JSON parsing suite: what must be accepted is, what must be refused is.

use hauberk_openapi::Policy;
use serde_json::json;

use crate::data;
use crate::request::{Request, judge, one};

#[test]
fn the_parsing_suite_is_followed() {
    let Some(folder) = data::folder() else { return };
    let document = one(
        "3.1.0",
        &json!({"requestBody": {"required": true, "content": {"application/json": {}}}}),
    );
    // The suite nests 500 deep and expects no opinion on numbers beyond binary64; duplicate names it would have accepted.
    let policy = Policy {
        max_depth: 1_000,
        ..Policy::default()
    };
    let (mut accepted, mut refused, mut free, mut stricter) = (0, 0, 0, Vec::new());
    for line in data::lines(&folder.join("suites/json-parsing.ndjson.zst")) {
        let name = line["name"].as_str().expect("a name");
        let bytes = decode_base64(line["b64"].as_str().expect("base64"));
        let is_ok = judge(&document, "POST", &Request::json(&bytes), &policy).is_ok();
        match line["expect"].as_str() {
            Some("accept") if is_ok => accepted += 1,
            Some("accept") => stricter.push(name.to_owned()),
            Some("reject") => {
                assert!(!is_ok, "{name} must be refused");
                refused += 1;
            }
            _ => free += 1,
        }
    }
    eprintln!(
        "{accepted} accepted, {refused} refused, {free} left open, refused on purpose: {stricter:?}"
    );
    // Names that appear twice: readers differ in which of the values they take.
    assert_eq!(
        stricter,
        [
            "y_object_duplicated_key.json",
            "y_object_duplicated_key_and_value.json"
        ]
    );
}

fn decode_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = DIGITS
            .iter()
            .position(|digit| *digit == byte)
            .expect("a base64 digit");
        bits = bits << 6 | u32::try_from(digit).expect("below 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xFF).expect("a byte"));
        }
    }
    out
}
