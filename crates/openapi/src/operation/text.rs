//! Text to JSON text, by the types a schema allows.
//!
//! Spellings are strict, because lenient readers disagree: an integer is `10` and never `0xA`, `1e1`, `010` or `+10`. A
//! policy may allow the last three. Numbers keep their digits, so that they are compared exactly.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::schema::types::Types;

/// JSON text in the making.
pub(crate) type Json = SmallVec<[u8; 64]>;

/// What a text can stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scalar<'t> {
    /// `true`, `false` or a number, as JSON spells it.
    Word(Cow<'t, str>),
    String,
}

/// What a text can stand for, the most specific first.
pub(crate) type Scalars<'t> = SmallVec<[Scalar<'t>; 2]>;

/// What `text` can stand for as a boolean, number or string.
pub(crate) fn scalars(text: &str, types: Types, strict: bool) -> Scalars<'_> {
    let mut found = Scalars::new();
    if types.has(Types::BOOLEAN) && matches!(text, "true" | "false") {
        found.push(Scalar::Word(Cow::Borrowed(text)));
    }
    if types.meets(Types::NUMBER)
        && let Some(number) = number(text, types, strict)
    {
        found.push(Scalar::Word(number));
    }
    if types.has(Types::STRING) {
        found.push(Scalar::String);
    }
    found
}

/// The number that `text` spells, in JSON's spelling.
fn number(text: &str, types: Types, strict: bool) -> Option<Cow<'_, str>> {
    if let Some(whole) = json_number(text) {
        return (whole || !strict || types.has(Types::NUMBER)).then_some(Cow::Borrowed(text));
    }
    if strict {
        return None;
    }
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let zeros = digits.bytes().take_while(|byte| *byte == b'0').count();
    let mut digits = &digits[zeros..];
    let mut zero = "";
    if zeros > 0 && !digits.starts_with(|first: char| first.is_ascii_digit()) {
        (zero, digits) = ("0", digits);
    }
    if digits.starts_with('-') {
        return None;
    }
    let spelt = format!("{sign}{zero}{digits}");
    (spelt == "-0" || json_number(&spelt).is_some()).then_some(Cow::Owned(spelt))
}

/// Whether `text` follows JSON's grammar of numbers, and if so whether it is written as an integer. `-0` does not, as a
/// second spelling of 0.
///
/// ```
/// use hauberk_openapi::json_number;
///
/// assert_eq!(json_number("10"), Some(true));
/// assert_eq!(json_number("1e1"), Some(false));
/// assert_eq!(json_number("010"), None);
/// ```
pub fn json_number(text: &str) -> Option<bool> {
    fn digits(bytes: &[u8]) -> (usize, &[u8]) {
        let count = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        (count, &bytes[count..])
    }
    let bytes = text.as_bytes();
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (count, mut rest) = digits(bytes);
    if count == 0 || (count > 1 && bytes[0] == b'0') {
        return None;
    }
    let mut whole = true;
    if let [b'.', fraction @ ..] = rest {
        let (count, after) = digits(fraction);
        if count == 0 {
            return None;
        }
        (whole, rest) = (false, after);
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent
            .strip_prefix(b"+")
            .or_else(|| exponent.strip_prefix(b"-"))
            .unwrap_or(exponent);
        let (count, after) = digits(exponent);
        if count == 0 {
            return None;
        }
        (whole, rest) = (false, after);
    }
    // `-0` is a second spelling of zero.
    (rest.is_empty() && !(whole && text == "-0")).then_some(whole)
}

/// Append `text` as what it stands for.
pub(crate) fn push_scalar(out: &mut Json, text: &str, scalar: &Scalar<'_>) {
    match scalar {
        Scalar::Word(word) => out.extend_from_slice(word.as_bytes()),
        Scalar::String => push_string(out, text),
    }
}

/// Append a JSON string.
pub(crate) fn push_string(out: &mut Json, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1F) {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        if *byte < 0x20 {
            out.extend_from_slice(b"\\u00");
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', *byte]);
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, types: Types, strict: bool) -> Vec<String> {
        let show = |scalar: &Scalar<'_>| {
            let mut out = Json::new();
            push_scalar(&mut out, text, scalar);
            String::from_utf8(out.to_vec()).expect("UTF-8")
        };
        scalars(text, types, strict).iter().map(show).collect()
    }

    #[test]
    fn an_integer_has_one_spelling_unless_the_policy_says_otherwise() {
        for text in ["10", "-3", "0", "123456789012345678901234567890"] {
            assert_eq!(shown(text, Types::INTEGER, true), [text]);
        }
        for (text, lenient) in [
            ("+10", Some("10")),
            ("010", Some("10")),
            ("-007", Some("-7")),
            ("000", Some("0")),
            ("1e1", Some("1e1")),
            ("1.0", Some("1.0")),
            ("-0", Some("-0")),
            ("00.5", Some("0.5")),
            ("0xA", None),
            ("", None),
            ("+", None),
            ("-", None),
            (" 1", None),
            ("1 ", None),
            ("--1", None),
            ("+-1", None),
            ("1_000", None),
            ("١", None),
        ] {
            assert!(shown(text, Types::INTEGER, true).is_empty(), "{text}");
            let wanted: Vec<String> = lenient.map(str::to_owned).into_iter().collect();
            assert_eq!(shown(text, Types::INTEGER, false), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_follow_json_and_booleans_are_words() {
        for (text, types, wanted) in [
            ("1.5", Types::NUMBER, &["1.5"][..]),
            ("1e3", Types::NUMBER, &["1e3"]),
            ("1e400", Types::NUMBER, &["1e400"]),
            (".5", Types::NUMBER, &[]),
            ("5.", Types::NUMBER, &[]),
            ("NaN", Types::NUMBER, &[]),
            ("true", Types::BOOLEAN, &["true"]),
            ("True", Types::BOOLEAN, &[]),
            ("1", Types::BOOLEAN, &[]),
            ("1", Types::ALL, &["1", "\"1\""]),
            ("x", Types::ALL, &["\"x\""]),
            ("", Types::STRING, &["\"\""]),
            (
                "a\"\\\n\u{1f}é",
                Types::STRING,
                &["\"a\\\"\\\\\\u000a\\u001fé\""],
            ),
        ] {
            assert_eq!(shown(text, types, true), wanted, "{text}");
        }
    }
}
