//! RFC 8259 to the letter, with bounds.
//!
//! A shield has to see the same value as the origin behind it, so whatever parsers read in different ways is refused here:
//! duplicate member names, invalid UTF-8, lone surrogates, a byte order mark, `NaN`, trailing text. `serde_json` on its
//! own keeps the last of two equal names and has no bound on members.
//!
//! Integers that fit 64 bits and numbers that binary64 spells the same are kept as such, others as their spelling, see
//! [`number_value`].

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::schema::number::is_same;

/// Bounds on one text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonLimits {
    /// Deepest nesting of arrays and objects; `[]` is one deep.
    pub(crate) max_depth: usize,
    /// Most array items and object members together.
    pub(crate) max_members: usize,
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    Syntax(&'static str),
    InvalidUtf8,
    LoneSurrogate,
    Duplicate,
    TooDeep,
    TooManyMembers,
}

/// One step of the way from the root to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A refusal: what, where in the text, and where in the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) kind: JsonErrorKind,
    /// Offset in bytes.
    pub(crate) offset: usize,
    /// From the innermost step to the outermost, as it is gathered while the parser unwinds.
    steps: Vec<Step>,
}

impl JsonError {
    /// The steps from the root to the value at fault.
    pub(crate) fn path(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().rev()
    }

    fn within(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// Parse one JSON text.
pub(crate) fn parse(text: &[u8], limits: JsonLimits) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(text).map_err(|error| JsonError {
        kind: JsonErrorKind::InvalidUtf8,
        offset: error.valid_up_to(),
        steps: Vec::new(),
    })?;
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        members: 0,
        limits,
    };
    parser.skip_whitespace();
    let value = parser.value(0)?;
    parser.skip_whitespace();
    if parser.at < parser.bytes.len() {
        return Err(parser.syntax("text after the value"));
    }
    Ok(value)
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    members: usize,
    limits: JsonLimits,
}

impl Parser<'_> {
    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError {
            kind,
            offset: self.at,
            steps: Vec::new(),
        }
    }

    fn syntax(&self, expected: &'static str) -> JsonError {
        self.error(JsonErrorKind::Syntax(expected))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.syntax("a value expected")),
            None => Err(self.syntax("the text ends where a value is expected")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax("a value expected"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn enter(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > self.limits.max_depth {
            return Err(self.error(JsonErrorKind::TooDeep));
        }
        self.at += 1;
        self.skip_whitespace();
        Ok(())
    }

    fn count_member(&mut self) -> Result<(), JsonError> {
        self.members += 1;
        if self.members > self.limits.max_members {
            return Err(self.error(JsonErrorKind::TooManyMembers));
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            self.count_member()?;
            let item = self
                .value(depth)
                .map_err(|error| error.within(Step::Index(items.len())))?;
            items.push(item);
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                _ => return Err(self.syntax("`,` or `]` expected")),
            }
            self.skip_whitespace();
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut members = Map::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member name in double quotes expected"));
            }
            self.count_member()?;
            let name_at = self.at;
            let name = self.string()?;
            self.skip_whitespace();
            if self.peek() != Some(b':') {
                return Err(self.syntax("`:` expected"));
            }
            self.at += 1;
            self.skip_whitespace();
            let value = match self.value(depth) {
                Ok(value) => value,
                Err(error) => return Err(error.within(Step::Key(name))),
            };
            match members.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => {
                    let name = entry.key().clone();
                    let error = JsonError {
                        kind: JsonErrorKind::Duplicate,
                        offset: name_at,
                        steps: Vec::new(),
                    };
                    return Err(error.within(Step::Key(name)));
                }
            }
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(members));
                }
                _ => return Err(self.syntax("`,` or `}` expected")),
            }
            self.skip_whitespace();
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    // Both ends are ASCII quotes, so the slice lies on character boundaries.
                    let text = self.text[start..self.at].to_owned();
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => return self.string_with_escapes(start),
                Some(0..=0x1F) => {
                    return Err(self.syntax("a control character in a string must be escaped"));
                }
                Some(_) => self.at += 1,
                None => return Err(self.syntax("the text ends inside a string")),
            }
        }
    }

    /// The rest of a string whose first backslash is at `self.at`.
    fn string_with_escapes(&mut self, start: usize) -> Result<String, JsonError> {
        let mut out = self.text[start..self.at].to_owned();
        let mut run = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    out.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    out.push(self.escape()?);
                    run = self.at;
                }
                Some(0..=0x1F) => {
                    return Err(self.syntax("a control character in a string must be escaped"));
                }
                Some(_) => self.at += 1,
                None => return Err(self.syntax("the text ends inside a string")),
            }
        }
    }

    /// The character of the escape whose backslash was just passed.
    fn escape(&mut self) -> Result<char, JsonError> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.syntax("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.four_hex_digits()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.bytes[self.at..].starts_with(b"\\u") {
                    return Err(self.error(JsonErrorKind::LoneSurrogate));
                }
                self.at += 2;
                let second = self.four_hex_digits()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.error(JsonErrorKind::LoneSurrogate));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.error(JsonErrorKind::LoneSurrogate))
    }

    fn four_hex_digits(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16
                + digit
                    .ok_or_else(|| self.syntax("four hexadecimal digits expected after `\\u`"))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax("a digit expected"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.syntax("a number has no leading zero"));
            }
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(number_value(&self.text[start..self.at], whole))
    }
}

/// The only member of an object that stands for a number whose value `serde_json` cannot hold; its text is the number's.
const SPELLED: &str = "\0number";

/// The number that `text`, already known to be one, spells: as a number if that keeps the value, else as its spelling.
pub(crate) fn number_value(text: &str, whole: bool) -> Value {
    match number_of(text, whole) {
        // Integers are kept as they are; of the others the shortest spelling is shown.
        Some(number) if !number.is_f64() || is_same(text, &number.to_string()) => {
            Value::Number(number)
        }
        _ => Value::Object(Map::from_iter([(
            SPELLED.to_owned(),
            Value::from(text.trim_start_matches('+')),
        )])),
    }
}

/// The spelling of a number that is kept as such.
pub(crate) fn spelling(value: &Value) -> Option<&str> {
    value.as_object()?.get(SPELLED)?.as_str()
}

/// The nearest number to one that is kept as its spelling.
pub(crate) fn nearest(spelling: &str) -> Number {
    let most = if spelling.starts_with('-') {
        f64::MIN
    } else {
        f64::MAX
    };
    let number = spelling.parse().ok().and_then(Number::from_f64);
    number
        .or_else(|| Number::from_f64(most))
        .unwrap_or_else(|| 0.into())
}

/// Replace the numbers that are kept as their spelling by the nearest ones; `replaced` is told of each, by its JSON
/// pointer below `pointer`.
pub(crate) fn round(value: &mut Value, pointer: &mut String, replaced: &mut dyn FnMut(&str, &str)) {
    if let Some(spelling) = spelling(value) {
        let number = nearest(spelling);
        replaced(pointer, spelling);
        *value = Value::Number(number);
        return;
    }
    let mut child = |token: &str, value: &mut Value| {
        let length = pointer.len();
        crate::reference::push_token(pointer, token);
        round(value, pointer, replaced);
        pointer.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                child(&index.to_string(), item);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                child(name, member);
            }
        }
        _ => {}
    }
}

/// The number that `text`, already known to follow JSON's grammar, spells; `None` beyond binary64.
pub(crate) fn number_of(text: &str, whole: bool) -> Option<Number> {
    if whole {
        if let Ok(number) = text.parse::<u64>() {
            return Some(number.into());
        }
        // `-0` stays a float below, as everywhere else.
        if let Ok(number) = text.parse::<i64>()
            && number != 0
        {
            return Some(number.into());
        }
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: JsonLimits = JsonLimits {
        max_depth: 4,
        max_members: 8,
    };

    #[test]
    fn values_are_read_as_written() {
        for (text, wanted) in [
            ("null", json!(null)),
            (" [1 , -2,3.5]\n", json!([1, -2, 3.5])),
            (
                r#"{"a":{"b":[true,false]}}"#,
                json!({"a": {"b": [true, false]}}),
            ),
            (r#""\u00e9\ud83d\ude00\n\/""#, json!("é😀\n/")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1E2", json!(100.0)),
        ] {
            assert_eq!(
                parse(text.as_bytes(), LIMITS).as_ref(),
                Ok(&wanted),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_that_binary64_rounds_are_kept_as_their_spelling() {
        for (text, is_kept) in [
            ("0.1", true),
            ("1e2", true),
            ("-0.0", true),
            ("18446744073709551615", true),
            // Shown as 18446744073709552000.
            ("18446744073709551616", false),
            ("18446744073709551617", false),
            ("0.1000000000000000055511151231257827", false),
            ("1e400", false),
            ("1e-400", false),
        ] {
            let mut value = parse(text.as_bytes(), LIMITS).expect("a number");
            assert_eq!(value.is_number(), is_kept, "{text}");
            assert_eq!(spelling(&value), (!is_kept).then_some(text));
            let mut spellings = Vec::new();
            round(
                &mut value,
                &mut "/x".to_owned(),
                &mut |pointer, spelling| {
                    spellings.push((pointer.to_owned(), spelling.to_owned()));
                },
            );
            assert!(value.is_number());
            assert_eq!(spellings.is_empty(), is_kept);
        }
    }

    #[test]
    fn what_parsers_read_in_different_ways_is_refused() {
        use JsonErrorKind::{Duplicate, InvalidUtf8, LoneSurrogate, TooDeep, TooManyMembers};
        for (text, wanted) in [
            (&br#"{"a":1,"a":2}"#[..], Duplicate),
            (br#"{"a":1,"\u0061":2}"#, Duplicate),
            (b"\"\xff\"", InvalidUtf8),
            (br#""\ud800""#, LoneSurrogate),
            (br#""\udc00""#, LoneSurrogate),
            (br#""\ud800\u0041""#, LoneSurrogate),
            (b"[[[[[1]]]]]", TooDeep),
            (b"[1,2,3,4,5,6,7,8,9]", TooManyMembers),
        ] {
            let error = parse(text, LIMITS).expect_err("refused");
            assert_eq!(error.kind, wanted, "{}", String::from_utf8_lossy(text));
        }
        for text in [
            "",
            "\u{feff}1",
            "NaN",
            "01",
            "+1",
            "1.",
            ".5",
            "1 2",
            "[1,]",
            "{,}",
            "'a'",
            "tru",
            "\"\t\"",
            "-",
            "1e",
        ] {
            let error = parse(text.as_bytes(), LIMITS).expect_err("refused");
            assert!(
                matches!(error.kind, JsonErrorKind::Syntax(_)),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn an_error_knows_its_place_in_the_value() {
        let error = parse(br#"{"a":[0,{"b":1,"b":2}]}"#, LIMITS).expect_err("refused");
        let path: Vec<_> = error.path().cloned().collect();
        assert_eq!(
            path,
            [Step::Key("a".into()), Step::Index(1), Step::Key("b".into())]
        );
    }
}
