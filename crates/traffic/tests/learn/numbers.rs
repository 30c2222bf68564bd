//! Numbers: exact where it is of use, in order always.

use serde_json::{Value, json};

use super::{names, view_of_numbers, view_of_texts};

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn numbers_are_kept_as_exactly_as_is_of_use() {
    let largest = json!(f64::MAX);
    let cases: [(&str, &str, Value, u64, Value); 27] = [
        // literal, kind, shown, decimals, values
        ("0", "integer", json!(0), 0, json!(0)),
        ("-0", "integer", json!(0), 0, json!(0)),
        ("-0.0", "integer", json!(0), 0, json!(0)),
        ("0e99999999999999999999", "integer", json!(0), 0, json!(0)),
        ("1", "integer", json!(1), 0, json!(1)),
        ("1.0", "integer", json!(1), 0, json!(1)),
        ("10e-1", "integer", json!(1), 0, json!(1)),
        ("1e2", "integer", json!(100), 0, json!(100)),
        ("-12.50", "number", json!(-12.5), 1, json!(-12.5)),
        ("0.1", "number", json!(0.1), 1, json!(0.1)),
        ("1e-3", "number", json!(0.001), 3, json!(0.001)),
        ("2.5E+3", "integer", json!(2500), 0, json!(2500)),
        (
            "999999999999999",
            "integer",
            json!(999_999_999_999_999_i64),
            0,
            json!(999_999_999_999_999_i64),
        ),
        (
            "9007199254740993",
            "integer",
            json!(9_007_199_254_740_993_i64),
            0,
            json!(9_007_199_254_740_993_i64),
        ),
        (
            "-9223372036854775808",
            "integer",
            json!(i64::MIN),
            0,
            json!(i64::MIN),
        ),
        (
            "12345678901234567890",
            "integer",
            json!(12_345_678_901_234_567_890_u64),
            0,
            json!(12_345_678_901_234_567_890_u64),
        ),
        (
            "18446744073709551615",
            "integer",
            json!(u64::MAX),
            0,
            json!(u64::MAX),
        ),
        // Beyond 2^64 the nearest binary64 stands for it, and a list of values would be wrong.
        (
            "18446744073709551616",
            "integer",
            json!(18_446_744_073_709_551_616.0),
            0,
            Value::Null,
        ),
        (
            "-9223372036854775809",
            "integer",
            json!(-9_223_372_036_854_775_808_i64),
            0,
            Value::Null,
        ),
        (
            "123456789012345678901234567890",
            "integer",
            json!(1.234_567_890_123_456_8e29),
            0,
            Value::Null,
        ),
        ("1e308", "integer", json!(1e308), 0, Value::Null),
        ("1e400", "integer", largest.clone(), 0, Value::Null),
        ("-1e400", "integer", json!(f64::MIN), 0, Value::Null),
        ("1e99999999999999999999", "integer", largest, 0, Value::Null),
        ("1e-400", "number", json!(0), 255, Value::Null),
        (
            "2.14159265358979312",
            "number",
            json!(2.141_592_653_589_793),
            17,
            Value::Null,
        ),
        (
            "0.123456789012345678901",
            "number",
            json!(0.123_456_789_012_345_68),
            21,
            Value::Null,
        ),
    ];
    for (literal, kind, shown, decimals, value) in cases {
        let view = view_of_numbers(&[literal]);
        assert_eq!(names(&view["kinds"]), [kind], "{literal}");
        assert_eq!(view["numbers"]["low"][0][0], shown, "{literal}");
        assert_eq!(view["numbers"]["high"][0][0], shown, "{literal}");
        assert_eq!(view["numbers"]["decimals"], decimals, "{literal}");
        let values = match value {
            Value::Null => Value::Null,
            value => {
                json!([{"value": value, "support": {"requests": 1, "samples": 1, "sources": 1}}])
            }
        };
        assert_eq!(view["values"], values, "{literal}");
    }
}

#[test]
fn order_is_never_lost() {
    // Ascending.
    let literals = [
        "-1e400",
        "-1e30",
        "-18446744073709551617",
        "-9223372036854775808",
        "-9007199254740993",
        "-9007199254740992",
        "-1",
        "-0.5",
        "-1e-400",
        "1e-300",
        "0.1",
        "0.10000000000000001",
        "0.5",
        "1",
        "9007199254740992",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551614",
        "18446744073709551615",
        "1e20",
        "1e308",
        "1e309",
    ];
    let view = view_of_numbers(&literals);
    let low = view["numbers"]["low"].as_array().expect("a list");
    let mut high = view["numbers"]["high"].as_array().expect("a list").clone();
    assert_eq!(low.len(), literals.len());
    let exact: Vec<&Value> = low.iter().map(|end| &end[0]).collect();
    assert_eq!(
        exact[4..6],
        [
            &json!(-9_007_199_254_740_993_i64),
            &json!(-9_007_199_254_740_992_i64)
        ]
    );
    assert_eq!(exact[18..20], [&json!(u64::MAX - 1), &json!(u64::MAX)]);
    high.reverse();
    let nearest: Vec<f64> = exact.iter().filter_map(|value| value.as_f64()).collect();
    assert!(nearest.is_sorted());
    let reversed: Vec<f64> = high.iter().filter_map(|end| end[0].as_f64()).collect();
    assert_eq!(nearest, reversed);
}

#[test]
fn equal_numbers_are_one_value() {
    let view = view_of_numbers(&["1", "1.0", "1e0", "10e-1", "0.1e1", "100e-2"]);
    assert_eq!(view["distinct"], 1);
    assert_eq!(view["values"][0]["support"]["requests"], 6);
    assert_eq!(view["numbers"]["histogram"], json!([[1, 6]]));
}

#[test]
fn what_is_no_number_is_not_noted() {
    for literal in [
        "", "-", "abc", "01", "1.", ".5", "+1", "0x10", "1e", "NaN", "Infinity", "1 ", "١",
    ] {
        let view = view_of_numbers(&[literal]);
        assert_eq!(names(&view["kinds"]), Vec::<&str>::new(), "{literal}");
    }
}

#[test]
fn parameters_tell_their_kind_by_their_spelling() {
    for (text, kind) in [
        ("0", "integer"),
        ("-7", "integer"),
        ("12345678901234567890123", "integer"),
        ("1.0", "number"),
        ("1e2", "number"),
        ("-0.5", "number"),
        ("-0", "string"),
        ("007", "string"),
        ("+1", "string"),
        ("1,5", "string"),
        ("0x1F", "string"),
        ("true", "boolean"),
        ("false", "boolean"),
        ("True", "string"),
        ("null", "string"),
        ("", "string"),
        ("NaN", "string"),
    ] {
        let view = view_of_texts(&[text]);
        assert_eq!(names(&view["kinds"]), [kind], "{text}");
        assert_eq!(
            view["values"][0]["value"], text,
            "a parameter is kept as it came"
        );
        assert_eq!(
            view.get("numbers").is_some(),
            kind == "integer" || kind == "number",
            "{text}"
        );
        assert_eq!(view["lengths"]["low"][0][0], text.len(), "{text}");
    }
}

#[test]
fn a_histogram_bounds_its_numbers() {
    let numbers: Vec<String> = (1..=2_000)
        .map(|number| (number * number).to_string())
        .collect();
    let literals: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let view = view_of_numbers(&literals);
    let histogram = view["numbers"]["histogram"].as_array().expect("a list");
    let mut below = 0;
    for (at, bucket) in histogram.iter().enumerate() {
        let bound = bucket[0].as_f64().expect("a bound");
        below += bucket[1].as_u64().expect("a count");
        let expected = numbers
            .iter()
            .filter(|number| number.parse::<f64>().expect("a number") <= bound);
        assert_eq!(below, expected.count() as u64, "{at} {bound}");
    }
    assert_eq!(below, 2_000);
}
