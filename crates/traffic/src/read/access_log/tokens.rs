//! The words of a log line.

use std::borrow::Cow;

use percent_encoding::percent_encode_byte;

/// A word up to a blank, or a text in quotes or square brackets without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Quoted(&'a str),
    Bracketed(&'a str),
}

impl<'a> Token<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Quoted(text) | Self::Bracketed(text) => text,
        }
    }

    /// What stands in quotes, its escapes undone; none for `-`.
    pub(super) fn quoted(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Quoted(text) if !matches!(text, "-" | "") => Some(unescaped(text)),
            _ => None,
        }
    }
}

/// Takes tokens from the start of a line.
pub(super) struct Tokens<'a>(pub(super) &'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    /// None at the end, and where quotes or brackets are not closed.
    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.0.trim_start_matches([' ', '\t']);
        let (token, length) = match text.as_bytes().first()? {
            b'"' => {
                let length = closing_quote(&text[1..])?;
                (Token::Quoted(&text[1..=length]), length + 2)
            }
            b'[' => {
                let length = text.find(']')?;
                (Token::Bracketed(&text[1..length]), length + 1)
            }
            _ => {
                let length = text.find([' ', '\t']).unwrap_or(text.len());
                (Token::Word(&text[..length]), length)
            }
        };
        self.0 = &text[length..];
        Some(token)
    }
}

/// Where the quote stands that ends a text: the first one without a backslash before it. Old servers do not escape quotes; a quote before a
/// letter or digit cannot be the last one, so it belongs to the text.
fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'\\' {
            at = (at + 2).min(bytes.len());
        } else if bytes
            .get(at + 1)
            .is_some_and(|next| !matches!(next, b' ' | b'\t'))
        {
            at += 1;
        } else {
            return Some(at);
        }
    }
}

/// Undoes `\"`, `\\`, `\t`, … and `\x22`. Bytes that are no printable ASCII become percent-encoded, which they should have been in a request.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        plain.push_str(before);
        let hex = escape.strip_prefix(['x', 'X']).and_then(|hex| hex.get(..2));
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            push(&mut plain, byte);
            rest = &escape[3..];
            continue;
        }
        let Some(character) = escape.chars().next() else {
            rest = "";
            break;
        };
        match character {
            't' => push(&mut plain, b'\t'),
            'n' => push(&mut plain, b'\n'),
            'r' => push(&mut plain, b'\r'),
            other => plain.push(other),
        }
        rest = &escape[character.len_utf8()..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn push(text: &mut String, byte: u8) {
    if byte == b' ' || byte.is_ascii_graphic() {
        text.push(char::from(byte));
    } else {
        text.push_str(percent_encode_byte(byte));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_into_words_quotes_and_brackets() {
        use Token::{Bracketed, Quoted, Word};
        let cases: [(&str, &[Token<'_>]); 5] = [
            (
                r#"a - [b c] "d e" 1"#,
                &[
                    Word("a"),
                    Word("-"),
                    Bracketed("b c"),
                    Quoted("d e"),
                    Word("1"),
                ],
            ),
            (r#""a \"b\" c" """#, &[Quoted(r#"a \"b\" c"#), Quoted("")]),
            (r#""a "b"c" d"#, &[Quoted(r#"a "b"c"#), Word("d")]),
            (r#"a "b"#, &[Word("a")]),
            (r"", &[]),
        ];
        for (line, wanted) in cases {
            assert_eq!(Tokens(line).collect::<Vec<_>>(), wanted, "{line}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        let cases = [
            ("plain", "plain"),
            (r#"a\"b\\c"#, r#"a"b\c"#),
            (r"\x22\x16\xC3\xa9", "\"%16%C3%A9"),
            (r"\xZZ\", "xZZ"),
            (r"a\tb", "a%09b"),
            (r"\é", "é"),
        ];
        for (text, wanted) in cases {
            assert_eq!(unescaped(text), wanted, "{text}");
        }
    }
}
