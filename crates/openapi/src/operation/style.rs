//! How a parameter's text is taken apart: the styles of OpenAPI, which are those of RFC 6570 and three more.
//!
//! Text is split first and decoded then, so that a `%2C` in an item is data. Spaces and bars cannot stand in a URL as they
//! are; where they separate, text is decoded first.

use std::borrow::Cow;

use super::encoded::{DecodeError, decode_bytes};

/// A style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

impl Style {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "simple" => Self::Simple,
            "label" => Self::Label,
            "matrix" => Self::Matrix,
            "form" => Self::Form,
            "spaceDelimited" => Self::SpaceDelimited,
            "pipeDelimited" => Self::PipeDelimited,
            "deepObject" => Self::DeepObject,
            _ => return None,
        })
    }
}

/// How text stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Percent-encoded.
    Percent,
    /// Percent-encoded, and `+` is a space.
    Form,
    /// As it is.
    Plain,
    /// As it is, and white space around items means nothing.
    Header,
}

/// Why text cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Decode(DecodeError),
    /// It does not follow the style.
    Malformed,
    /// A member comes twice.
    Duplicate,
    /// Members of members of members.
    TooDeep,
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl Coding {
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
        match self {
            Self::Percent => decode_bytes(bytes, false),
            Self::Form => decode_bytes(bytes, true),
            Self::Plain => plain(bytes),
            Self::Header => plain(bytes.trim_ascii()),
        }
    }
}

fn plain(bytes: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|_| DecodeError::NotUtf8)
}

/// A style with its `explode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Styled {
    pub(crate) style: Style,
    pub(crate) explode: bool,
}

/// Member names and texts.
pub(crate) type Members<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

impl Styled {
    pub(crate) const FORM: Self = Self {
        style: Style::Form,
        explode: true,
    };

    /// Whether an array is the same name again and again.
    pub(crate) fn repeats(self) -> bool {
        self.explode
            && matches!(
                self.style,
                Style::Form | Style::SpaceDelimited | Style::PipeDelimited
            )
    }

    /// Whether an object is one name for each member.
    pub(crate) fn spreads(self) -> bool {
        self.style == Style::Form && self.explode
    }

    /// The text of a single value.
    pub(crate) fn scalar<'t>(
        self,
        name: &str,
        raw: &'t [u8],
        coding: Coding,
    ) -> Result<Cow<'t, str>, Fault> {
        let raw = match self.style {
            Style::Label => raw.strip_prefix(b".").ok_or(Fault::Malformed)?,
            Style::Matrix => {
                let (key, value) = equation(raw.strip_prefix(b";").ok_or(Fault::Malformed)?);
                if coding.decode(key)? != name {
                    return Err(Fault::Malformed);
                }
                value.unwrap_or_default()
            }
            _ => raw,
        };
        Ok(coding.decode(raw)?)
    }

    /// The texts of the items of an array that comes as one text.
    pub(crate) fn items<'t>(
        self,
        name: &str,
        raw: &'t [u8],
        coding: Coding,
    ) -> Result<Vec<Cow<'t, str>>, Fault> {
        let (raw, separator) = match (self.style, self.explode) {
            (Style::Label, explode) => (
                raw.strip_prefix(b".").ok_or(Fault::Malformed)?,
                if explode { b'.' } else { b',' },
            ),
            (Style::Matrix, true) => {
                let raw = raw.strip_prefix(b";").ok_or(Fault::Malformed)?;
                return raw
                    .split(|byte| *byte == b';')
                    .map(|piece| {
                        let (key, value) = equation(piece);
                        if coding.decode(key)? != name {
                            return Err(Fault::Malformed);
                        }
                        Ok(coding.decode(value.unwrap_or_default())?)
                    })
                    .collect();
            }
            (Style::Matrix, false) => {
                let (key, value) = equation(raw.strip_prefix(b";").ok_or(Fault::Malformed)?);
                if coding.decode(key)? != name {
                    return Err(Fault::Malformed);
                }
                (value.unwrap_or_default(), b',')
            }
            (Style::SpaceDelimited | Style::PipeDelimited, _) => {
                let separator = if self.style == Style::SpaceDelimited {
                    ' '
                } else {
                    '|'
                };
                let text = coding.decode(raw)?;
                if text.is_empty() {
                    return Ok(Vec::new());
                }
                return Ok(match text {
                    Cow::Borrowed(text) => text.split(separator).map(Cow::Borrowed).collect(),
                    Cow::Owned(text) => text
                        .split(separator)
                        .map(|item| Cow::Owned(item.to_owned()))
                        .collect(),
                });
            }
            (Style::Simple | Style::Form | Style::DeepObject, _) => (raw, b','),
        };
        // RFC 6570: an empty list is an empty value.
        if raw.is_empty() {
            return Ok(Vec::new());
        }
        raw.split(|byte| *byte == separator)
            .map(|item| Ok(coding.decode(item)?))
            .collect()
    }

    /// The members of an object that comes as one text.
    pub(crate) fn members<'t>(
        self,
        name: &str,
        raw: &'t [u8],
        coding: Coding,
    ) -> Result<Members<'t>, Fault> {
        let exploded = match (self.style, self.explode) {
            (Style::Simple, true) => Some((raw, b',')),
            (Style::Label, true) => Some((raw.strip_prefix(b".").ok_or(Fault::Malformed)?, b'.')),
            (Style::Matrix, true) => Some((raw.strip_prefix(b";").ok_or(Fault::Malformed)?, b';')),
            _ => None,
        };
        let Some((raw, separator)) = exploded else {
            let mut texts = self.items(name, raw, coding)?.into_iter();
            let mut members = Members::new();
            while let Some(key) = texts.next() {
                members.push((key, texts.next().ok_or(Fault::Malformed)?));
            }
            return Ok(members);
        };
        if raw.is_empty() {
            return Ok(Members::new());
        }
        raw.split(|byte| *byte == separator)
            .map(|piece| {
                let (key, value) = equation(piece);
                // RFC 6570: `;x` is how matrix writes an empty value.
                let value = match value {
                    None if self.style == Style::Matrix => &[][..],
                    value => value.ok_or(Fault::Malformed)?,
                };
                Ok((coding.decode(key)?, coding.decode(value)?))
            })
            .collect()
    }
}

/// `key=value`.
pub(crate) fn equation(piece: &[u8]) -> (&[u8], Option<&[u8]>) {
    let equals = piece.iter().position(|byte| *byte == b'=');
    equals.map_or((piece, None), |at| (&piece[..at], Some(&piece[at + 1..])))
}
