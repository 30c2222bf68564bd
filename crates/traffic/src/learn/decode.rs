//! Percent-encoded text of URLs and forms.

use std::borrow::Cow;

/// Undoes percent-encoding, `+` being a blank. None if a `%` encodes nothing or the bytes are no UTF-8: a gateway refuses
/// such text whatever the schema says, so there is nothing to learn from it.
pub(super) fn form(text: &str) -> Option<Cow<'_, str>> {
    decode(text, true)
}

/// Undoes percent-encoding, as of a path.
pub(super) fn path(text: &str) -> Option<Cow<'_, str>> {
    decode(text, false)
}

#[inline]
fn decode(text: &str, plus_is_blank: bool) -> Option<Cow<'_, str>> {
    let is_coded = |byte: u8| byte == b'%' || (plus_is_blank && byte == b'+');
    let Some(first) = text.bytes().position(is_coded) else {
        return Some(Cow::Borrowed(text));
    };
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
                out.push(u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()?);
                at += 3;
                continue;
            }
            b'+' if plus_is_blank => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// The pairs of a query or a form, as they are written.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}
