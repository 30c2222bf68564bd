//! Texts: formats, classes, structures, secrets, items.

use hauberk_traffic::learn::ValueProfile;
use serde_json::{Value, json};

use super::{names, seen, view_of_texts};

#[test]
fn a_text_is_of_each_format_it_matches() {
    let cases: [(&str, &[&str]); 49] = [
        ("", &[]),
        ("word", &[]),
        ("7", &["integer", "number"]),
        ("-7.5", &["number"]),
        ("007", &[]),
        ("true", &["boolean"]),
        ("TRUE", &[]),
        ("1700000000", &["integer", "number", "unix-seconds"]),
        ("1700000000000", &["integer", "number", "unix-milliseconds"]),
        ("946684799", &["integer", "number"]),
        ("1700000000.5", &["number"]),
        ("2026-11-22", &["date"]),
        ("2026-02-30", &[]),
        ("20261122", &["integer", "number"]),
        ("2026-11-22T10:00:00Z", &["date-time"]),
        ("2026-11-22T10:00:00.123+02:00", &["date-time"]),
        ("2026-11-22T10:00:00", &[]),
        ("2026-11-22 10:00:00", &[]),
        ("10:00:00Z", &["time"]),
        ("2eb8aa08-aa98-11ea-b4aa-73b441d16380", &["uuid"]),
        ("2EB8AA08-AA98-11EA-B4AA-73B441D16380", &["uuid"]),
        ("12345678-1234-1234-1234-123456789012", &["uuid"]),
        ("2eb8aa08-aa98-11ea-b4aa-73b441d1638", &[]),
        ("jo@example.com", &["email"]),
        ("jo.b+x@mail.example.org", &["email"]),
        ("jo@", &[]),
        ("@jo", &[]),
        ("https://example.com/a?b=c", &["uri"]),
        ("mailto:jo@example.com", &["uri"]),
        ("urn:isbn:0451450523", &["uri"]),
        ("note: this", &[]),
        ("/relative", &[]),
        ("example.com", &["hostname"]),
        ("a-b.example.co.uk", &["hostname"]),
        ("localhost", &[]),
        ("1.2.3", &[]),
        ("v1.2", &[]),
        ("-a.example", &[]),
        ("192.0.2.1", &["ipv4"]),
        ("192.0.2.256", &[]),
        ("1.5", &["number"]),
        ("2001:db8::1", &["ipv6"]),
        ("::1", &["ipv6"]),
        ("2001:db8::g", &[]),
        ("SGVsbG8gd29ybGQhIQ==", &["byte"]),
        ("SGVsbG8gd29ybGQh", &["byte"]),
        ("aGk=", &[]),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJqbyJ9.", &["jwt"]),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2lnbmF0dXJl",
            &["hostname", "jwt"],
        ),
    ];
    for (text, formats) in cases {
        let view = view_of_texts(&[text]);
        let mut expected = formats.to_vec();
        expected.sort_unstable();
        assert_eq!(names(&view["texts"]["formats"]), expected, "{text}");
        let mut json = ValueProfile::default();
        json.string(text, &seen(0));
        assert_eq!(
            json.view()["texts"],
            view["texts"],
            "strings of JSON are the same"
        );
    }
}

#[test]
fn classes_of_characters_are_told() {
    for (text, classes) in [
        ("", &[] as &[&str]),
        ("abc", &["lower"]),
        ("aB-1_2", &["-", "_", "digit", "lower", "upper"]),
        ("a b\tc\r\n", &["control", "line-break", "lower", "space"]),
        ("\u{0}\u{7f}", &["control"]),
        ("né", &["letter", "lower"]),
        ("日本", &["letter"]),
        ("☃\u{a0}١", &["other"]),
        (
            "!\"#$%&'()*+,-./",
            &[
                "!", "\"", "#", "$", "%", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/",
            ],
        ),
        (
            ":;<=>?@[\\]^_`{|}~",
            &[
                ":", ";", "<", "=", ">", "?", "@", "[", "\\", "]", "^", "_", "`", "{", "|", "}",
                "~",
            ],
        ),
    ] {
        let view = view_of_texts(&[text]);
        let mut expected = classes.to_vec();
        expected.sort_unstable();
        assert_eq!(names(&view["texts"]["classes"]), expected, "{text:?}");
    }
}

/// `class least most text` of each run.
fn runs(structure: &Value) -> Vec<String> {
    let runs = structure["runs"].as_array().expect("a list").iter();
    let shown = runs.map(|run| {
        let text = run["text"]
            .as_str()
            .map_or("?".to_owned(), |text| format!("{text:?}"));
        let class = run["class"].as_str().expect("a name");
        format!("{class} {} {} {text}", run["least"], run["most"])
    });
    shown.collect()
}

#[test]
fn structures_tell_what_texts_are_made_of() {
    for (texts, expected) in [
        (
            &["id-7"][..],
            &[&["lower 2 2 \"id\"", "- 1 1 \"-\"", "digit 1 1 \"7\""][..]][..],
        ),
        (
            &["id00042-a", "id00043-b", "id99999-z"],
            &[&[
                "lower 2 2 \"id\"",
                "digit 5 5 ?",
                "- 1 1 \"-\"",
                "lower 1 1 ?",
            ]],
        ),
        (&["ab", "abcd"], &[&["lower 2 4 ?"]]),
        (
            &["a--b", "a-b"],
            &[&["lower 1 1 \"a\"", "- 1 2 ?", "lower 1 1 \"b\""]],
        ),
        (
            &["a b", "Ü.x"],
            &[
                &["lower 1 1 \"a\"", "space 1 1 \" \"", "lower 1 1 \"b\""],
                &["letter 1 1 \"Ü\"", ". 1 1 \".\"", "lower 1 1 \"x\""],
            ],
        ),
        (&[""], &[&[]]),
        // What stands in a text of more than 32 bytes is not kept, but marks show themselves.
        (
            &["abcdefghijklmnopqrstuvwxyzabcdefgh-1"],
            &[&["lower 34 34 ?", "- 1 1 \"-\"", "digit 1 1 ?"]],
        ),
    ] {
        let view = view_of_texts(texts);
        let structures = view["texts"]["structures"].as_array().expect("a list");
        let shown: Vec<_> = structures.iter().map(runs).collect();
        assert_eq!(shown, expected, "{texts:?}");
        let requests: u64 = structures
            .iter()
            .filter_map(|one| one["support"]["requests"].as_u64())
            .sum();
        assert_eq!(requests, texts.len() as u64);
    }
}

#[test]
fn structures_end_with_too_many() {
    let distinct = |count: usize| -> Vec<String> {
        // Numbers in base two, of a letter and a digit: each a structure of its own.
        let texts =
            (0..count).map(|number| format!("{number:b}").replace('0', "-").replace('1', "a-"));
        texts.map(|text| text.replace("--", "+")).collect()
    };
    let view = |texts: &[String]| {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        view_of_texts(&texts)["texts"]["structures"].clone()
    };
    let many = distinct(400);
    assert_eq!(view(&many), Value::Null);
    let few = view(&many[..20]);
    assert!(few.as_array().is_some_and(|few| few.len() > 10), "{few}");
    let runs = |count: usize| "a1".repeat(count / 2);
    assert_eq!(view(&[runs(24)]).as_array().map(Vec::len), Some(1));
    assert_eq!(view(&[runs(26)]), Value::Null);
}

#[test]
fn masked_secrets_teach_nothing() {
    for (text, is_secret) in [
        ("h:0123456789ab", true),
        ("Bearer h:0123456789ab", true),
        ("https://example.com/?token=h:0123456789ab&x=1", true),
        ("REDACTED0123456789ab", true),
        ("token-REDACTED", true),
        ("h:0123456789a", false),
        ("h:0123456789abc", false),
        ("h:0123456789AB", false),
        ("path:0123456789ab", false),
        ("h:", false),
        ("REDACTE", false),
        ("redacted", false),
    ] {
        let view = view_of_texts(&[text, "plain"]);
        let count = if is_secret { 1 } else { 2 };
        assert_eq!(view["kinds"]["string"]["requests"], count, "{text}");
        assert_eq!(view["distinct"], count, "{text}");
        assert_eq!(view.get("secret").is_some(), is_secret, "{text}");
        assert!(
            !is_secret || !view.to_string().contains("0123456789"),
            "{text}"
        );
    }
}

#[test]
fn lengths_are_characters_and_texts_are_kept_cut() {
    let long = "é".repeat(1000);
    let view = view_of_texts(&[&long, "日本語"]);
    assert_eq!(view["lengths"]["high"][0][0], 1000);
    assert_eq!(view["lengths"]["low"][0][0], 3);
    assert_eq!(
        view["values"],
        Value::Null,
        "a long text is no member of an enumeration"
    );
    assert_eq!(view["distinct"], 2);
    let sample = view["sample"].as_array().expect("a list");
    let cut = "é".repeat(32);
    assert!(sample.iter().any(|pick| pick["value"] == *cut));
}

#[test]
fn values_are_exact_until_there_are_more_than_sixty_four() {
    let texts: Vec<String> = (0..65).map(|number| format!("v{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let view = view_of_texts(&texts[..64]);
    assert_eq!(view["values"].as_array().map(Vec::len), Some(64));
    assert_eq!(view["distinct"], 64);
    let view = view_of_texts(&texts);
    assert_eq!(view["values"], Value::Null);
    assert!(view["distinct"].as_u64().is_some_and(|count| count > 64));
    assert_eq!(view["sample"].as_array().map(Vec::len), Some(65));
}

#[test]
fn items_of_delimited_texts_are_told_by_the_mark() {
    let view = view_of_texts(&["id,name", "name,-created", "id", "read|write", "a b"]);
    assert_eq!(names(&view["delimited"]), [" ", ",", "|"]);
    let comma = &view["delimited"][","];
    let values: Vec<&Value> = comma["values"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["value"])
        .collect();
    assert_eq!(values, [&json!("-created"), &json!("id"), &json!("name")]);
    assert_eq!(comma["counts"]["high"][0][0], 2);
    assert_eq!(comma["kinds"]["string"]["requests"], 4);
    let view = view_of_texts(&["1,2,3", "4,5"]);
    assert_eq!(names(&view["delimited"][","]["kinds"]), ["integer"]);
    assert_eq!(view["delimited"][","]["numbers"]["high"][0][0], 5);
    // The first of the marks counts.
    assert_eq!(names(&view_of_texts(&["a, b|c"])["delimited"]), [","]);
    let mut json = ValueProfile::default();
    json.string("a,b", &seen(0));
    assert_eq!(
        json.view().get("delimited"),
        None,
        "strings of JSON have no items"
    );
}

#[test]
fn running_text_has_no_items() {
    let long = format!("a {}", "b".repeat(65));
    let view = view_of_texts(&[&long, "a b"]);
    assert_eq!(view["delimited"], json!({}));
    let texts = [
        "The (quick) brown; \"fox\" jumps!",
        "Over: the & lazy_dog. 12 $ #1 *~* why? so/then @home +1 = é",
    ];
    let all: Vec<&str> = texts.iter().copied().cycle().take(20).collect();
    assert_eq!(view_of_texts(&all)["delimited"], json!({}));
}
