//! A value at a place of a request, as it came and as it is kept while there are few.

use serde::{Deserialize, Serialize};

use super::distinct::MAX_TEXT_BYTES;

/// A value at a place of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Observed<'v> {
    Null,
    Boolean(bool),
    /// As it was written.
    Number(&'v str),
    String(&'v str),
    /// In a parameter or form: what kind it is can be read from it.
    Text(&'v str),
    /// How many items.
    Array(u64),
    /// How many members.
    Object(u64),
    /// How many values a parameter has in one request.
    Count(u64),
}

/// An [`Observed`] that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kept {
    Null,
    Boolean(bool),
    Number(Box<str>),
    String(Box<str>),
    Text(Box<str>),
    Array(u64),
    Object(u64),
    Count(u64),
}

impl Observed<'_> {
    /// Itself to be kept, if it is not too long for that.
    pub(super) fn keep(&self) -> Option<Kept> {
        Some(match self {
            Self::Null => Kept::Null,
            Self::Boolean(value) => Kept::Boolean(*value),
            Self::Number(literal) => Kept::Number(short(literal)?.into()),
            Self::String(text) => Kept::String(short(text)?.into()),
            Self::Text(text) => Kept::Text(short(text)?.into()),
            Self::Array(items) => Kept::Array(*items),
            Self::Object(members) => Kept::Object(*members),
            Self::Count(values) => Kept::Count(*values),
        })
    }
}

fn short(text: &str) -> Option<&str> {
    (text.len() <= MAX_TEXT_BYTES).then_some(text)
}

impl Kept {
    pub(super) fn as_observed(&self) -> Observed<'_> {
        match self {
            Self::Null => Observed::Null,
            Self::Boolean(value) => Observed::Boolean(*value),
            Self::Number(literal) => Observed::Number(literal),
            Self::String(text) => Observed::String(text),
            Self::Text(text) => Observed::Text(text),
            Self::Array(items) => Observed::Array(*items),
            Self::Object(members) => Observed::Object(*members),
            Self::Count(values) => Observed::Count(*values),
        }
    }
}
