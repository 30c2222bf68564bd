//! What holds for every text, tried on many.

use hauberk_traffic::{Masker, Transaction};
use proptest::prelude::*;

use crate::{hash, masker, transaction};

/// A secret of letters that stand nowhere else in the texts of the laws below.
fn secret() -> impl Strategy<Value = String> {
    "[Q-Z]{6}[Q-Z0-9+/=._-]{0,20}"
}

/// Innocent text, with all that delimits something somewhere.
fn noise() -> impl Strategy<Value = String> {
    "(?s)[a-p \"'&;,=?#%:/@{}\\[\\]<>()\\\\|.\n-]{0,12}|(token=|://|%3D|password|\\{\"){0,4}"
}

type Pass = fn(&Masker, &str) -> String;

proptest! {
    // Failures are printed; a file of them beside the tests would have to be kept in step by hand.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn masking_is_idempotent(parts in prop::collection::vec(prop_oneof![noise(), secret(), "\\PC{0,6}"], 0..8)) {
        let (masker, text) = (masker(), parts.concat());
        let passes: [(&str, Pass); 7] = [
            ("query", Masker::mask_query),
            ("url", Masker::mask_url),
            ("json", Masker::mask_json),
            ("header", |masker, text| masker.mask_header("X-Note", text)),
            ("cookie", |masker, text| masker.mask_header("Cookie", text)),
            ("set-cookie", |masker, text| masker.mask_header("Set-Cookie", text)),
            ("authorization", |masker, text| masker.mask_header("Authorization", text)),
        ];
        for (name, mask) in passes {
            let once = mask(&masker, &text);
            prop_assert_eq!(mask(&masker, &once), once, "{} of {:?}", name, text);
        }
    }

    #[test]
    fn a_secret_never_survives_and_equal_ones_stay_equal(
        secret in secret(),
        name in prop::sample::select(&["token", "X-Api-Key", "client_secret", "user[password]", "sessionid"][..]),
        (before, after) in ("([a-p]{1,4}=[a-p%/.]{0,4}&){0,3}", "(&[a-p]{1,4}=[a-p%/.]{0,4}){0,3}"),
    ) {
        let masker = masker();
        let hashed = hash(&secret);
        let masked = [
            masker.mask_query(&format!("{before}{name}={secret}{after}")),
            masker.mask_url(&format!("https://a.example/p?{before}{name}={secret}{after}")),
            masker.mask_header(name, &secret),
            masker.mask_header("Referer", &format!("https://a.example/p?{before}{name}={secret}{after}")),
            masker.mask_header("Cookie", &format!("a=b; {name}={secret}")),
            masker.mask_header("Set-Cookie", &format!("{name}={secret}; Path=/")),
            masker.mask_header("Authorization", &format!("Bearer {secret}")),
            masker.mask_json(&format!("{{\"a\":\"{before}\",\"{name}\":\"{secret}\",\"b\":[1]}}")),
            masker.mask_json(&format!("[{{\"{name}\":[{{\"a\":\"{secret}\"")),
        ];
        for text in masked {
            prop_assert!(!text.contains(&secret), "{}", text);
            prop_assert!(text.contains(&hashed), "{}", text);
        }
    }

    #[test]
    fn what_holds_no_secret_stays_byte_for_byte(text in "[a-p ,;:/?&._-]{0,40}") {
        let masker = masker();
        prop_assert_eq!(masker.mask_query(&text), text.clone());
        prop_assert_eq!(masker.mask_header("X-Note", &text), text.clone());
        let json = serde_json::json!({ "a": text, "b": [1.5, "{}"] }).to_string();
        prop_assert_eq!(masker.mask_json(&json), json.clone());
    }

    #[test]
    fn a_line_written_is_read_as_the_same_transaction(url in "\\PC{0,20}", body in "(?s).{0,20}", status in any::<u16>()) {
        let transaction = Transaction { url, request_body: Some(body), status, ..transaction() };
        prop_assert_eq!(Transaction::from_line(&transaction.to_line()).unwrap(), transaction);
    }
}
