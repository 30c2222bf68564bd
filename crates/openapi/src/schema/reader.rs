//! JSON text under a cursor: RFC 8259 to the letter, nothing kept.
//!
//! A shield has to see the same value as the origin behind it, so whatever parsers read in different ways is refused:
//! duplicate member names, lone surrogates, a byte order mark, `NaN`, trailing text. Names are compared as they read, so
//! `"a"` and `"\u0061"` are equal.

use std::borrow::Cow;

use super::number::Number;
use crate::source::json::JsonLimits;

/// Why reading or judging ends before the text does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text is not JSON.
    Syntax,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A member name for the second time.
    Duplicate,
    /// Nesting beyond the limit.
    TooDeep,
    /// More members and items than the limit.
    TooManyMembers,
    /// Judging takes more steps than it may.
    TooCostly,
    /// The value does not conform. What follows in the text has not been read.
    Mismatch,
}

pub(crate) type Read<T = ()> = Result<T, Stop>;

/// A string in the text, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'t> {
    pub(crate) text: &'t str,
    pub(crate) has_escapes: bool,
    pub(crate) is_ascii: bool,
}

impl<'t> Raw<'t> {
    /// The string as it reads.
    #[inline]
    pub(crate) fn read(self) -> Cow<'t, str> {
        if self.has_escapes {
            Cow::Owned(unescape(self.text))
        } else {
            Cow::Borrowed(self.text)
        }
    }

    /// Whether this reads as `text`.
    pub(crate) fn reads(self, text: &str) -> bool {
        if !self.has_escapes {
            return self.text == text;
        }
        // What has escapes is longer than it reads, and at most six times as long.
        (text.len()..=text.len() * 6).contains(&self.text.len()) && unescape(self.text) == text
    }

    /// Whether both read the same.
    pub(crate) fn reads_as(self, other: Raw<'_>) -> bool {
        if self.has_escapes || other.has_escapes {
            self.read() == other.read()
        } else {
            self.text == other.text
        }
    }
}

/// The text and how far it is read.
pub(crate) struct Reader<'t> {
    text: &'t str,
    pub(crate) at: usize,
    /// Members and items so far.
    pub(crate) members: usize,
    pub(crate) limits: JsonLimits,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str, limits: JsonLimits) -> Self {
        Self {
            text,
            at: 0,
            members: 0,
            limits,
        }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    #[inline]
    pub(crate) fn skip_whitespace(&mut self) {
        // Most texts have none.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.skip_some_whitespace();
        }
    }

    #[cold]
    fn skip_some_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Pass the bracket that opens a container at `depth`.
    #[inline]
    pub(crate) fn enter(&mut self, depth: usize) -> Read {
        if depth > self.limits.max_depth {
            return Err(Stop::TooDeep);
        }
        self.at += 1;
        self.skip_whitespace();
        Ok(())
    }

    #[inline]
    pub(crate) fn count_member(&mut self) -> Read {
        self.members += 1;
        if self.members > self.limits.max_members {
            return Err(Stop::TooManyMembers);
        }
        Ok(())
    }

    /// After a value in a container: whether another follows; white space is passed.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Read<bool> {
        self.skip_whitespace();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_whitespace();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(Stop::Syntax),
        }
    }

    /// The name of a member; white space is passed up to the value.
    #[inline]
    pub(crate) fn name(&mut self) -> Read<Raw<'t>> {
        if self.peek() != Some(b'"') {
            return Err(Stop::Syntax);
        }
        let name = self.string()?;
        self.colon()?;
        Ok(name)
    }

    #[inline]
    pub(crate) fn colon(&mut self) -> Read {
        if self.peek() != Some(b':') {
            self.skip_whitespace();
            if self.peek() != Some(b':') {
                return Err(Stop::Syntax);
            }
        }
        self.at += 1;
        self.skip_whitespace();
        Ok(())
    }

    /// The string whose opening quote is next.
    #[inline]
    pub(crate) fn string(&mut self) -> Read<Raw<'t>> {
        self.at += 1;
        let start = self.at;
        let bytes = self.bytes();
        let mut seen = 0;
        loop {
            let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) else {
                return self.string_by_bytes(start, seen);
            };
            let word = u64::from_le_bytes(*chunk);
            let ends = special_bytes(word);
            if ends == 0 {
                seen |= word;
                self.at += 8;
                continue;
            }
            let count = ends.trailing_zeros() as usize / 8;
            // The bytes before the one found.
            seen |= word & !(u64::MAX << (count * 8));
            self.at += count;
            return match bytes[self.at] {
                b'"' => Ok(self.close_string(start, false, seen & HIGHS == 0)),
                b'\\' => self.string_with_escapes(start),
                _ => Err(Stop::Syntax),
            };
        }
    }

    #[inline]
    fn close_string(&mut self, start: usize, has_escapes: bool, is_ascii: bool) -> Raw<'t> {
        // Both ends are ASCII quotes, so the slice lies on character boundaries.
        let text = &self.text[start..self.at];
        self.at += 1;
        Raw {
            text,
            has_escapes,
            is_ascii,
        }
    }

    /// The last bytes of the text.
    fn string_by_bytes(&mut self, start: usize, seen: u64) -> Read<Raw<'t>> {
        let mut is_ascii = seen & HIGHS == 0;
        loop {
            match self.peek() {
                Some(b'"') => return Ok(self.close_string(start, false, is_ascii)),
                Some(b'\\') => return self.string_with_escapes(start),
                Some(0..=0x1F) | None => return Err(Stop::Syntax),
                Some(byte) => {
                    is_ascii &= byte.is_ascii();
                    self.at += 1;
                }
            }
        }
    }

    /// The rest of a string whose first backslash is next.
    #[cold]
    fn string_with_escapes(&mut self, start: usize) -> Read<Raw<'t>> {
        loop {
            match self.peek() {
                Some(b'"') => return Ok(self.close_string(start, true, false)),
                Some(b'\\') => self.escape()?,
                Some(0..=0x1F) | None => return Err(Stop::Syntax),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Read {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                match self.four_hex_digits()? {
                    0xD800..=0xDBFF => {
                        if !self.bytes()[self.at..].starts_with(b"\\u") {
                            return Err(Stop::LoneSurrogate);
                        }
                        self.at += 2;
                        if !(0xDC00..=0xDFFF).contains(&self.four_hex_digits()?) {
                            return Err(Stop::LoneSurrogate);
                        }
                    }
                    0xDC00..=0xDFFF => return Err(Stop::LoneSurrogate),
                    _ => {}
                }
            }
            _ => return Err(Stop::Syntax),
        }
        Ok(())
    }

    fn four_hex_digits(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(Stop::Syntax)?;
            self.at += 1;
        }
        Ok(code)
    }

    /// The number that is next.
    #[inline]
    pub(crate) fn number(&mut self) -> Read<Number<'t>> {
        let bytes = self.bytes();
        let start = self.at;
        let negative = bytes[start] == b'-';
        let mut at = start + usize::from(negative);
        let first = at;
        let mut mantissa = 0_u64;
        while let Some(digit) = digit_at(bytes, at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        let mut digits = at - first;
        if digits == 0 || (digits > 1 && bytes[first] == b'0') {
            return Err(Stop::Syntax);
        }
        let mut scale = 0;
        let mut is_simple = true;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            let behind = at;
            while let Some(digit) = digit_at(bytes, at) {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
                at += 1;
            }
            scale = at - behind;
            if scale == 0 {
                return Err(Stop::Syntax);
            }
            digits += scale;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1;
            if let Some(b'+' | b'-') = bytes.get(at) {
                at += 1;
            }
            let behind = at;
            while digit_at(bytes, at).is_some() {
                at += 1;
            }
            if at == behind {
                return Err(Stop::Syntax);
            }
            is_simple = false;
        }
        self.at = at;
        let text = &self.text[start..at];
        if is_simple && digits <= 18 {
            // At most 18 digits, so both conversions keep the value.
            #[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation)]
            let (mantissa, scale) = (mantissa as i64, scale as u8);
            let mantissa = if negative { -mantissa } else { mantissa };
            Ok(Number::simple(text, mantissa, scale))
        } else {
            Ok(Number::new(text))
        }
    }

    /// `true`, `false` or `null`, whose first letter is next.
    #[inline]
    pub(crate) fn word(&mut self, word: &[u8]) -> Read {
        if !self.bytes()[self.at..].starts_with(word) {
            return Err(Stop::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    /// Whether only white space is left.
    pub(crate) fn end(&mut self) -> Read {
        self.skip_whitespace();
        if self.at < self.text.len() {
            return Err(Stop::Syntax);
        }
        Ok(())
    }
}

#[inline]
fn digit_at(bytes: &[u8], at: usize) -> Option<u64> {
    let digit = bytes.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

/// The high bits of the bytes that end a run of plain string bytes: quotes, backslashes, control characters.
///
/// Bytes above the lowest one marked can be marked wrongly, as subtraction borrows from them; the lowest is right.
#[inline]
fn special_bytes(word: u64) -> u64 {
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zero_bytes(word ^ (ONES * u64::from(b'"')));
    let backslashes = zero_bytes(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

/// What a string with sound escapes reads as.
pub(crate) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (character, length) = unescape_one(&rest[at + 1..]);
        out.push(character);
        rest = &rest[at + 1 + length..];
    }
    out.push_str(rest);
    out
}

/// The character after a backslash, and the bytes it takes.
fn unescape_one(rest: &str) -> (char, usize) {
    let code = |at: usize| {
        rest.get(at..at + 4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .unwrap_or(0xFFFD)
    };
    let character = match rest.as_bytes().first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let first = code(1);
            let (code, length) = if (0xD800..0xDC00).contains(&first) {
                let low = code(7).wrapping_sub(0xDC00) & 0x3FF;
                (0x1_0000 + ((first - 0xD800) << 10) + low, 11)
            } else {
                (first, 5)
            };
            return (
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                length,
            );
        }
        Some(byte) => char::from(*byte),
        None => return (char::REPLACEMENT_CHARACTER, 0),
    };
    (character, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: JsonLimits = JsonLimits {
        max_depth: 64,
        max_members: 100,
    };

    #[test]
    fn strings_end_where_they_should_wherever_they_begin() {
        for before in 0..17 {
            for (text, wanted) in [
                (r#"""#, Ok("")),
                (r#"abc""#, Ok("abc")),
                (r#"sixteen bytes ok"x"#, Ok("sixteen bytes ok")),
                (r#"é😀é😀é😀""#, Ok("é😀é😀é😀")),
                (r#"a\"b\\""#, Ok("a\"b\\")),
                (r#"\ud83d\ude00\u00e9\n\/""#, Ok("😀é\n/")),
                ("a\tb\"", Err(Stop::Syntax)),
                ("abc", Err(Stop::Syntax)),
                (r#"\x""#, Err(Stop::Syntax)),
                (r#"\u12g4""#, Err(Stop::Syntax)),
                (r#"\ud83d""#, Err(Stop::LoneSurrogate)),
                (r#"\ude00""#, Err(Stop::LoneSurrogate)),
                (r#"\ud83d\u0041""#, Err(Stop::LoneSurrogate)),
            ] {
                let padded = format!("{}\"{text}", " ".repeat(before));
                let mut reader = Reader::new(&padded, LIMITS);
                reader.at = before;
                let read = reader.string().map(|raw| raw.read().into_owned());
                assert_eq!(read.as_deref(), wanted.as_ref().copied(), "{padded}");
            }
        }
    }

    #[test]
    fn control_characters_and_bytes_of_other_scripts_are_told_apart() {
        for byte in 0..=0x7F_u8 {
            for place in 0..9 {
                let mut text = "aaaaaaaaaaaaa".to_owned();
                text.replace_range(place..=place, &char::from(byte).to_string());
                let quoted = format!("\"{text}\"   ");
                let mut reader = Reader::new(&quoted, LIMITS);
                let ends = byte == b'"' || byte == b'\\' || byte < 0x20;
                let whole = reader
                    .string()
                    .is_ok_and(|raw| raw.text == text && raw.is_ascii);
                assert_eq!(whole, !ends, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for (text, wanted) in [
            ("0", true),
            ("-0", true),
            ("10", true),
            ("1.5", true),
            ("1e5", true),
            ("1E+5", true),
            ("-1.25e-7", true),
            ("123456789012345678901234567890", true),
            ("-", false),
            ("01", false),
            ("-01", false),
            ("1.", false),
            ("1e", false),
            ("1e+", false),
            ("1.e5", false),
        ] {
            let mut reader = Reader::new(text, LIMITS);
            let read = reader.number().is_ok() && reader.at == text.len();
            assert_eq!(read, wanted, "{text}");
        }
    }
}
