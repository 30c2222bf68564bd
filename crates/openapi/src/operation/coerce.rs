//! Text to values, by the types a schema allows.
//!
//! Spellings are strict, because lenient readers disagree: an integer is `10` and never `0xA`, `1e1`, `010` or `+10`.

use serde_json::Value;
use smallvec::SmallVec;

use super::plan::Shape;
use crate::schema::types::Types;
use crate::source::json::number_of;

/// Values a text can stand for, the most specific first. Few schemas allow more than one.
pub(crate) type Candidates = SmallVec<[Value; 1]>;

/// What one text can stand for as a boolean, number or string.
pub(crate) fn scalars(text: &str, types: Types) -> Candidates {
    let mut candidates = Candidates::new();
    if types.has(Types::BOOLEAN) && matches!(text, "true" | "false") {
        candidates.push(Value::Bool(text == "true"));
    }
    if types.meets(Types::NUMBER)
        && let Some(whole) = json_number(text)
        && (whole || types.has(Types::NUMBER))
    {
        candidates.extend(number_of(text, whole).map(Value::Number));
    }
    if types.has(Types::STRING) {
        candidates.push(Value::String(text.to_owned()));
    }
    candidates
}

/// Whether `text` follows JSON's grammar of numbers, and if so whether it is written as an integer.
pub(crate) fn json_number(text: &str) -> Option<bool> {
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

/// What the texts of one parameter or form field can stand for; empty if nothing the schema allows.
pub(crate) fn values<T: AsRef<str>>(texts: &[T], shape: &Shape) -> Candidates {
    let mut candidates = Candidates::new();
    if let [text] = texts {
        candidates = scalars(text.as_ref(), shape.types);
    }
    if shape.types.has(Types::ARRAY) {
        candidates.extend(arrays(texts, shape));
    }
    candidates
}

/// The arrays that texts can stand for: items as specific as they can be, and all strings if that is another array.
fn arrays<T: AsRef<str>>(texts: &[T], shape: &Shape) -> Candidates {
    let mut specific = Vec::new();
    let mut strings = Vec::new();
    let mut differ = false;
    let mut push = |text: &str| {
        let candidates = scalars(text, shape.items);
        differ |= candidates.len() > 1;
        // A text no item type allows is left as it is: checking the items then names the violation.
        specific.push(
            candidates
                .into_iter()
                .next()
                .unwrap_or_else(|| Value::String(text.to_owned())),
        );
        strings.push(Value::String(text.to_owned()));
    };
    for text in texts {
        match shape.delimiter {
            // RFC 6570: an empty list is an empty value.
            Some(_) if text.as_ref().is_empty() => {}
            Some(delimiter) => text.as_ref().split(delimiter).for_each(&mut push),
            None => push(text.as_ref()),
        }
    }
    let mut arrays = Candidates::new();
    arrays.push(Value::Array(specific));
    if differ {
        arrays.push(Value::Array(strings));
    }
    arrays
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_integer_has_one_spelling() {
        for (text, wanted) in [
            ("10", Some(json!(10))),
            ("-3", Some(json!(-3))),
            ("0", Some(json!(0))),
        ] {
            assert_eq!(
                scalars(text, Types::INTEGER).first().cloned(),
                wanted,
                "{text}"
            );
        }
        for text in [
            "0xA", "1e1", "010", "+10", "1.0", "", " 1", "1 ", "-0", "--1", "1_000", "١",
        ] {
            assert!(scalars(text, Types::INTEGER).is_empty(), "{text}");
        }
    }

    #[test]
    fn numbers_follow_json_and_booleans_are_words() {
        for (text, types, wanted) in [
            ("1.5", Types::NUMBER, vec![json!(1.5)]),
            ("1e3", Types::NUMBER, vec![json!(1000.0)]),
            ("1e400", Types::NUMBER, vec![]),
            (".5", Types::NUMBER, vec![]),
            ("5.", Types::NUMBER, vec![]),
            ("NaN", Types::NUMBER, vec![]),
            ("true", Types::BOOLEAN, vec![json!(true)]),
            ("True", Types::BOOLEAN, vec![]),
            ("1", Types::BOOLEAN, vec![]),
            ("1", Types::ALL, vec![json!(1), json!("1")]),
            ("x", Types::ALL, vec![json!("x")]),
            ("", Types::STRING, vec![json!("")]),
        ] {
            assert_eq!(scalars(text, types).to_vec(), wanted, "{text}");
        }
    }

    #[test]
    fn texts_become_arrays_by_repetition_or_delimiter() {
        let shape = |types, items, delimiter| Shape {
            types,
            items,
            delimiter,
            schema: 0,
            type_only: false,
        };
        let string_or_array = Types::STRING.or(Types::ARRAY);
        for (texts, shape, wanted) in [
            (
                &["1", "2"][..],
                shape(Types::ARRAY, Types::INTEGER, None),
                vec![json!([1, 2])],
            ),
            (
                &["1,2"],
                shape(Types::ARRAY, Types::INTEGER, Some(',')),
                vec![json!([1, 2])],
            ),
            (
                &["1,x"],
                shape(Types::ARRAY, Types::INTEGER, Some(',')),
                vec![json!([1, "x"])],
            ),
            (
                &[""],
                shape(Types::ARRAY, Types::INTEGER, Some(',')),
                vec![json!([])],
            ),
            (
                &["a"],
                shape(string_or_array, Types::STRING, None),
                vec![json!("a"), json!(["a"])],
            ),
            (
                &["a", "b"],
                shape(string_or_array, Types::STRING, None),
                vec![json!(["a", "b"])],
            ),
            (
                &["1"],
                shape(Types::ARRAY, Types::ALL, None),
                vec![json!([1]), json!(["1"])],
            ),
            (&["a", "b"], shape(Types::STRING, Types::ALL, None), vec![]),
        ] {
            assert_eq!(values(texts, &shape).to_vec(), wanted, "{texts:?}");
        }
    }
}
