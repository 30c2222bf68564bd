//! Percent-encoded text: path variables, query strings and URL-encoded forms.

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

/// Decode a path variable.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, DecodeError> {
    decode_bytes(text.as_bytes(), false)
}

fn decode_bytes(bytes: &[u8], plus_is_space: bool) -> Result<Cow<'_, str>, DecodeError> {
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
    pub(crate) value: Result<Cow<'t, str>, DecodeError>,
}

/// Decoded pairs, in order.
pub(crate) type Pairs<'t> = SmallVec<[Pair<'t>; 8]>;

/// Why pairs cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairsError {
    /// A name cannot be decoded.
    Name(DecodeError),
    /// More pairs than allowed.
    TooMany,
}

/// Split `a=1&b=2` and decode names and values; `+` is a space. Values that cannot be decoded are kept as such, so that
/// the name can be told.
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
        pairs.push(Pair {
            name,
            value: decode_bytes(value, true),
        });
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_and_decoded() {
        let pair = |name: &'static str, value: &'static str| Pair {
            name: name.into(),
            value: Ok(value.into()),
        };
        let found = pairs(b"a=1&b=x+y&&c&%64=%C3%A9=1", 10).expect("pairs");
        assert_eq!(
            found.to_vec(),
            [
                pair("a", "1"),
                pair("b", "x y"),
                pair("c", ""),
                pair("d", "é=1")
            ]
        );
        assert_eq!(pairs(b"a&b&c", 2), Err(PairsError::TooMany));
        assert_eq!(
            pairs(b"%zz=1", 2),
            Err(PairsError::Name(DecodeError::Malformed))
        );
        assert_eq!(
            pairs(b"a=%ff", 2).expect("pairs")[0].value,
            Err(DecodeError::NotUtf8)
        );
        assert_eq!(decode("a+b%20c").as_deref(), Ok("a+b c"));
        assert_eq!(decode("%f"), Err(DecodeError::Malformed));
        assert_eq!(decode("%c3%28"), Err(DecodeError::NotUtf8));
    }
}
