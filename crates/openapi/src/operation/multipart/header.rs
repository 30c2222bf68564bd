//! The header of a part: its name, whether it is a file, and its media type.

use super::super::media_type::{MediaType, is_token};

/// The header of one part.
pub(crate) struct PartHeader<'b> {
    pub(crate) name: std::borrow::Cow<'b, str>,
    pub(crate) content_type: ContentType,
    /// Whether the content is coded in a way of its own (`Content-Transfer-Encoding`).
    pub(crate) is_coded: bool,
}

/// What a part says of its type.
pub(crate) enum ContentType {
    /// Nothing, which means `text/plain`.
    Unstated,
    Stated(MediaType),
    Unreadable,
}

impl<'b> PartHeader<'b> {
    /// Parse the lines of a header; `None` if readers could disagree about it.
    pub(super) fn parse(lines: &'b [u8]) -> Option<Self> {
        let lines = std::str::from_utf8(lines).ok()?;
        let mut name = None;
        let mut content_type = None;
        let mut coding = None;
        for line in lines.split("\r\n") {
            let (field, value) = line.split_once(':')?;
            let is_text = value
                .chars()
                .all(|character| !character.is_control() || character == '\t');
            if !is_token(field) || !is_text {
                return None;
            }
            let value = value.trim_matches([' ', '\t']);
            let is_new = if field.eq_ignore_ascii_case("content-disposition") {
                name.replace(form_name(value)?).is_none()
            } else if field.eq_ignore_ascii_case("content-type") {
                content_type.replace(value).is_none()
            } else if field.eq_ignore_ascii_case("content-transfer-encoding") {
                coding.replace(value).is_none()
            } else {
                true
            };
            if !is_new {
                return None;
            }
        }
        let is_plain = |coding: &str| {
            ["7bit", "8bit", "binary"]
                .iter()
                .any(|plain| coding.eq_ignore_ascii_case(plain))
        };
        Some(Self {
            name: name?.into(),
            content_type: content_type.map_or(ContentType::Unstated, |value| {
                MediaType::parse(value).map_or(ContentType::Unreadable, ContentType::Stated)
            }),
            is_coded: coding.is_some_and(|coding| !is_plain(coding)),
        })
    }
}

/// The name in `form-data; name="x"; filename="y"`.
fn form_name(value: &str) -> Option<&str> {
    let (kind, mut rest) = value.split_at(value.find(';')?);
    if !kind.trim_end().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut name = None;
    let mut has_filename = false;
    while let Some(after) = rest.strip_prefix(';') {
        let (key, after) = after.split_once('=')?;
        let key = key.trim_matches([' ', '\t']);
        // `x; name="a"; name="b"`: what has no value would hide what follows it.
        if !is_token(key) {
            return None;
        }
        let (text, after) = if let Some(quoted) = after.strip_prefix('"') {
            let (text, after) = quoted.split_once('"')?;
            // `\"` ends the text to some readers and not to others.
            if text.ends_with('\\') {
                return None;
            }
            (text, after)
        } else {
            let (text, after) = after.split_at(after.find(';').unwrap_or(after.len()));
            // A quote begins a text to some readers wherever it stands, and a `;` is no end then.
            if text.contains(['"', '\\']) {
                return None;
            }
            (text.trim_end_matches([' ', '\t']), after)
        };
        let is_new = if key.eq_ignore_ascii_case("name") {
            // A backslash is itself to some readers and gone to others.
            !text.contains('\\') && name.replace(text).is_none()
        } else if key.eq_ignore_ascii_case("filename") {
            !std::mem::replace(&mut has_filename, true)
        } else {
            // RFC 7578 §4.2 lets nobody write `name*`, nor `name*0`, which readers of RFC 2231 take for a name.
            !key.get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case("name*"))
        };
        if !is_new {
            return None;
        }
        rest = after.trim_start_matches([' ', '\t']);
    }
    name.filter(|_| rest.is_empty())
}
