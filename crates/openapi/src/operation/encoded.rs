//! Percent-encoded text, and the pairs of query strings and URL-encoded forms.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::template::hex_pair;

/// Why encoded text cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// A `%` without two hexadecimal digits.
    Malformed,
    /// The bytes are no UTF-8.
    NotUtf8,
}

pub(crate) fn decode_bytes(bytes: &[u8], plus_is_space: bool) -> Result<Cow<'_, str>, DecodeError> {
    if !bytes
        .iter()
        .any(|byte| *byte == b'%' || (plus_is_space && *byte == b'+'))
    {
        return std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| DecodeError::NotUtf8);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'%' => {
                out.push(hex_pair(bytes, at + 1).ok_or(DecodeError::Malformed)?);
                at += 3;
                continue;
            }
            b'+' if plus_is_space => out.push(b' '),
            other => out.push(*other),
        }
        at += 1;
    }
    String::from_utf8(out)
        .map(Cow::Owned)
        .map_err(|_| DecodeError::NotUtf8)
}

/// One `name=value`; a name without `=` has an empty value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'t> {
    pub(crate) name: Cow<'t, str>,
    /// As it came: what separates items is looked for before anything is decoded.
    pub(crate) raw: &'t [u8],
}

impl Pair<'_> {
    /// What follows `name` if it is brackets.
    pub(crate) fn brackets(&self, name: &str) -> Option<&str> {
        self.name
            .strip_prefix(name)
            .filter(|rest| rest.starts_with('['))
    }

    /// The name before the first bracket, and the brackets.
    pub(crate) fn split(&self) -> (&str, &str) {
        // A name that begins with a bracket is a name.
        let at = self.name.match_indices('[').map(|(at, _)| at);
        let at = at.filter(|at| *at > 0).min();
        self.name.split_at(at.unwrap_or(self.name.len()))
    }
}

/// Pairs, in order.
pub(crate) type Pairs<'t> = SmallVec<[Pair<'t>; 8]>;

/// Why pairs cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairsError {
    /// A name cannot be decoded.
    Name(DecodeError),
    /// More pairs than allowed.
    TooMany,
}

/// Split `a=1&b=2` and decode the names; `+` is a space.
pub(crate) fn pairs(text: &[u8], max: usize) -> Result<Pairs<'_>, PairsError> {
    let mut pairs = Pairs::new();
    for piece in text
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
    {
        if pairs.len() == max {
            return Err(PairsError::TooMany);
        }
        let equals = piece.iter().position(|byte| *byte == b'=');
        let (name, value) = equals.map_or((piece, &[][..]), |at| (&piece[..at], &piece[at + 1..]));
        let name = decode_bytes(name, true).map_err(PairsError::Name)?;
        pairs.push(Pair { name, raw: value });
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_and_decoded() {
        let pair = |name: &'static str, raw: &'static str| Pair {
            name: name.into(),
            raw: raw.as_bytes(),
        };
        let found = pairs(b"a=1&b=x+y&&c&%64=%C3%A9=1", 10).expect("pairs");
        assert_eq!(
            found.to_vec(),
            [
                pair("a", "1"),
                pair("b", "x+y"),
                pair("c", ""),
                pair("d", "%C3%A9=1")
            ]
        );
        assert_eq!(pairs(b"a&b&c", 2), Err(PairsError::TooMany));
        assert_eq!(
            pairs(b"%zz=1", 2),
            Err(PairsError::Name(DecodeError::Malformed))
        );
        let decode = |text: &'static str, form| decode_bytes(text.as_bytes(), form);
        assert_eq!(decode("a+b%20c", false).as_deref(), Ok("a+b c"));
        assert_eq!(decode("a+b%20c", true).as_deref(), Ok("a b c"));
        assert_eq!(decode("%f", false), Err(DecodeError::Malformed));
        assert_eq!(decode("%c3%28", false), Err(DecodeError::NotUtf8));
        assert_eq!(pair("a[b][]", "").split(), ("a", "[b][]"));
        assert_eq!(pair("[a]", "").split(), ("[a]", ""));
        assert_eq!(pair("é[]", "").split(), ("é", "[]"));
    }
}
