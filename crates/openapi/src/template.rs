//! Path templates: `/users/{id}`, `/files/{name}.json`, `/compare/{base}...{head}`.
//!
//! A template is a list of segments. Most segments are a literal or one variable; a segment may also mix the two, and then
//! its variables take as little text as they can, from the left. Text is compared in one spelling, see [`normalise`].

use std::borrow::Cow;

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    /// Text in its normal spelling.
    Literal(String),
    /// A whole segment, not empty.
    Variable,
    /// Literals around variables.
    Mixed(Mixed),
}

/// A segment in which literals and variables take turns: one more literal than variables, the outer ones may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mixed {
    literals: Vec<String>,
}

/// A parsed path template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    /// Variable names, left to right.
    pub(crate) names: Vec<String>,
}

/// Most segments of a template: looking a path up recurses once a segment.
const MAX_SEGMENTS: usize = 128;

impl Template {
    /// Parse a template.
    ///
    /// # Errors
    ///
    /// A clause that says what is wrong with it.
    pub(crate) fn parse(template: &str) -> Result<Self, String> {
        let Some(rest) = template.strip_prefix('/') else {
            return Err("a path begins with `/`".to_owned());
        };
        if template.contains(['?', '#']) {
            return Err("a path holds no query and no fragment".to_owned());
        }
        let mut names = Vec::new();
        let segments = rest
            .split('/')
            .map(|segment| parse_segment(segment, &mut names))
            .collect::<Result<Vec<_>, _>>()?;
        if segments.len() > MAX_SEGMENTS {
            return Err(format!("a path has at most {MAX_SEGMENTS} segments"));
        }
        Ok(Self { segments, names })
    }
}

fn parse_segment(segment: &str, names: &mut Vec<String>) -> Result<Segment, String> {
    let mut literals = Vec::new();
    let mut rest = segment;
    while let Some(open) = rest.find(['{', '}']) {
        let (literal, variable) = rest.split_at(open);
        let close = variable.find('}').filter(|_| variable.starts_with('{'));
        let Some(close) = close else {
            return Err(format!("the braces of the segment `{segment}` do not pair"));
        };
        let name = &variable[1..close];
        if name.is_empty() || name.contains('{') {
            return Err(format!(
                "a variable of the segment `{segment}` has no proper name"
            ));
        }
        if literal.is_empty() && !literals.is_empty() {
            return Err(format!(
                "two variables of the segment `{segment}` touch, so none can tell where one ends"
            ));
        }
        literals.push(normalise(literal).into_owned());
        names.push(name.to_owned());
        rest = &variable[close + 1..];
    }
    let last = normalise(rest).into_owned();
    if literals.is_empty() {
        return Ok(Segment::Literal(last));
    }
    literals.push(last);
    if literals.iter().all(String::is_empty) {
        return Ok(Segment::Variable);
    }
    Ok(Segment::Mixed(Mixed { literals }))
}

impl Mixed {
    /// How much of the segment is literal: the more, the more specific.
    pub(crate) fn literal_bytes(&self) -> usize {
        self.literals.iter().map(String::len).sum()
    }

    /// The same with other literals; what was text stays text.
    pub(crate) fn map_literals(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            literals: self.literals.iter().map(|text| change(text)).collect(),
        }
    }

    /// Report where each variable lies in `segment`, as byte ranges; `false` if the segment does not match.
    pub(crate) fn matches(&self, segment: &str, mut found: impl FnMut(usize, usize)) -> bool {
        let (Some((first, middle)), Some(last)) = (
            self.literals[..self.literals.len() - 1].split_first(),
            self.literals.last(),
        ) else {
            return false;
        };
        let Some(end) = segment
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        let end = first.len() + end.len();
        if !is_boundary(segment, end) {
            return false;
        }
        let mut start = first.len();
        for literal in middle {
            // A variable is never empty, so the search begins one character on.
            let Some(character) = segment[start..end].chars().next() else {
                return false;
            };
            let from = start + character.len_utf8();
            let places = segment[from..end].match_indices(literal.as_str());
            let mut places = places.map(|(offset, _)| from + offset);
            let Some(place) = places.find(|place| is_boundary(segment, *place)) else {
                return false;
            };
            found(start, place);
            start = place + literal.len();
        }
        found(start, end);
        start < end
    }
}

/// Whether a literal may begin here: not amid `%2F`, whose digits are no text. In the normal spelling each `%` begins one.
fn is_boundary(normal: &str, at: usize) -> bool {
    let bytes = &normal.as_bytes()[..at];
    !matches!(bytes, [.., b'%'] | [.., b'%', _])
}

/// One spelling for equal path text: unreserved characters stand for themselves, what cannot stand in a path is
/// percent-encoded, hexadecimal digits are upper case (RFC 3986 §6.2.2), and a `%` that encodes nothing reads `%25`, as
/// which lenient origins take it. Everything else stays: `%2F` is no `/`.
pub(crate) fn normalise(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_normal) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (piece, _) in pieces(text) {
        match piece {
            Piece::Plain(byte) => out.push(char::from(byte)),
            Piece::Encoded(byte) => push_encoded(&mut out, byte),
        }
    }
    Cow::Owned(out)
}

/// [`normalise`], with the offset in `text` of every byte of the result and, at the end, the length of `text`.
pub(crate) fn normalise_with_offsets(text: &str) -> (String, Vec<usize>) {
    let mut out = String::with_capacity(text.len() + 8);
    let mut offsets = Vec::with_capacity(text.len() + 9);
    for (piece, offset) in pieces(text) {
        match piece {
            Piece::Plain(byte) => out.push(char::from(byte)),
            Piece::Encoded(byte) => push_encoded(&mut out, byte),
        }
        offsets.resize(out.len(), offset);
    }
    offsets.push(text.len());
    (out, offsets)
}

/// Whether `text` is in its normal spelling already.
pub(crate) fn is_normalised(text: &str) -> bool {
    text.bytes().all(is_normal)
}

enum Piece {
    /// An ASCII byte that stands for itself.
    Plain(u8),
    /// A byte that is written percent-encoded.
    Encoded(u8),
}

fn pieces(text: &str) -> impl Iterator<Item = (Piece, usize)> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let byte = *bytes.get(at)?;
        let offset = at;
        let decoded = (byte == b'%').then(|| hex_pair(bytes, at + 1)).flatten();
        at += if decoded.is_some() { 3 } else { 1 };
        let piece = match decoded {
            Some(byte) if is_unreserved(byte) => Piece::Plain(byte),
            Some(byte) => Piece::Encoded(byte),
            None if is_normal(byte) => Piece::Plain(byte),
            None => Piece::Encoded(byte),
        };
        Some((piece, offset))
    })
}

fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// The byte that two hexadecimal digits at `at` spell.
pub(crate) fn hex_pair(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |index: usize| {
        bytes
            .get(index)
            .and_then(|byte| char::from(*byte).to_digit(16))
    };
    u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Unreserved characters, sub-delimiters, `:` and `@`: what a segment holds unencoded.
fn is_normal(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_path_text_has_one_spelling() {
        for (text, wanted) in [
            ("temps", "temps"),
            ("%74emps", "temps"),
            ("a%2fb", "a%2Fb"),
            ("a%2Fb", "a%2Fb"),
            ("é", "%C3%A9"),
            ("%c3%A9", "%C3%A9"),
            ("100%", "100%25"),
            ("%%411", "%25A1"),
            ("a b", "a%20b"),
            ("%7e", "~"),
        ] {
            assert_eq!(normalise(text), wanted);
            assert_eq!(normalise_with_offsets(text).0, wanted);
        }
    }

    #[test]
    fn templates_that_cannot_be_matched_are_refused() {
        for (template, part) in [
            ("users", "begins with"),
            ("/a?b=c", "no query"),
            ("/a#b", "no fragment"),
            ("/{a", "do not pair"),
            ("/a}", "do not pair"),
            ("/{}", "proper name"),
            ("/{a{b}}", "proper name"),
            ("/{a}{b}", "touch"),
        ] {
            let error = Template::parse(template).expect_err(template);
            assert!(error.contains(part), "{template}: {error}");
        }
    }

    #[test]
    fn mixed_segments_take_the_shortest_variables_from_the_left() {
        let cases: [(&str, &str, Option<&[&str]>); 12] = [
            ("/{id}.json", "12.json", Some(&["12"])),
            ("/{id}.json", ".json", None),
            ("/a-{id}", "a-1", Some(&["1"])),
            ("/a-{id}", "b-1", None),
            ("/{base}...{head}", "main...dev", Some(&["main", "dev"])),
            ("/{base}...{head}", "main......", Some(&["main", "..."])),
            ("/{a}-{b}-c", "1-2-c", Some(&["1", "2"])),
            ("/{a}-{b}-c", "1-c", None),
            // The digits of an encoded byte are no text.
            ("/{a}5{b}", "x%25y", None),
            ("/{a}5{b}", "x%255y", Some(&["x%25", "y"])),
            ("/{a}F", "x%2F", None),
            ("/{a}%2F{b}", "x%2Fy", Some(&["x", "y"])),
        ];
        for (template, segment, wanted) in cases {
            let parsed = Template::parse(template).expect(template);
            let Segment::Mixed(mixed) = &parsed.segments[0] else {
                panic!("{template} is not mixed")
            };
            let mut found = Vec::new();
            let matched = mixed.matches(segment, |start, end| found.push(&segment[start..end]));
            assert_eq!(
                matched.then_some(found.as_slice()),
                wanted,
                "{template} on {segment}"
            );
        }
    }
}
