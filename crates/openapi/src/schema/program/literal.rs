//! Values of `enum` and `const`, which are compared as JSON Schema says: numbers by value, members in any order.

use serde_json::Value;

use crate::schema::engine::Steps;
use crate::schema::number::{Number, OwnedNumber};
use crate::schema::reader::{Read, Reader};

/// A value of the document.
#[derive(Debug)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    Number(OwnedNumber),
    String(Box<str>),
    Array(Box<[Literal]>),
    Object(Box<[(Box<str>, Literal)]>),
}

/// What a node says of whole values.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    pub(crate) variants: Option<Variants>,
    pub(crate) constant: Option<Variants>,
}

/// Values of which one is meant, by kind.
#[derive(Debug, Default)]
pub(crate) struct Variants {
    pub(crate) null: bool,
    pub(crate) booleans: [bool; 2],
    /// Sorted by value.
    pub(crate) numbers: Vec<OwnedNumber>,
    /// Sorted.
    pub(crate) strings: Vec<Box<str>>,
    pub(crate) arrays: Vec<Literal>,
    pub(crate) objects: Vec<Literal>,
}

/// Bytes of text that cost one step to compare again.
const BYTES_PER_STEP: usize = 16;

/// Up to this many texts are compared one by one.
const FEW_STRINGS: usize = 8;

impl Variants {
    pub(crate) fn new(values: impl IntoIterator<Item = Literal>) -> Self {
        let mut variants = Self::default();
        for value in values {
            match value {
                Literal::Null => variants.null = true,
                Literal::Boolean(value) => variants.booleans[usize::from(value)] = true,
                Literal::Number(number) => variants.numbers.push(number),
                Literal::String(text) => variants.strings.push(text),
                array @ Literal::Array(_) => variants.arrays.push(array),
                object @ Literal::Object(_) => variants.objects.push(object),
            }
        }
        variants.strings.sort_unstable();
        let by_value =
            |one: &OwnedNumber, other: &OwnedNumber| one.number().compare(other.number());
        variants.numbers.sort_unstable_by(by_value);
        variants
    }

    #[inline]
    pub(crate) fn has_string(&self, text: &str) -> bool {
        if self.strings.len() <= FEW_STRINGS {
            return self.strings.iter().any(|known| **known == *text);
        }
        self.strings
            .binary_search_by(|known| (**known).cmp(text))
            .is_ok()
    }

    pub(crate) fn has_number(&self, number: Number<'_>) -> bool {
        self.numbers
            .binary_search_by(|known| known.number().compare(number))
            .is_ok()
    }

    /// Whether the array or object that is next is among the values; `reader` may end anywhere.
    pub(crate) fn has_container(&self, reader: &mut Reader<'_>, steps: &mut Steps) -> Read<bool> {
        let start = reader.at;
        let is_array = reader.peek() == Some(b'[');
        let known = if is_array {
            &self.arrays
        } else {
            &self.objects
        };
        for literal in known {
            reader.at = start;
            let is_next = literal.is_next(reader)?;
            // Each value begins anew.
            steps.charge(((reader.at - start) / BYTES_PER_STEP) as u64 + 1)?;
            if is_next {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Literals {
    /// Both lists.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &Variants> {
        self.variants.iter().chain(&self.constant)
    }
}

impl Literal {
    /// Take a value; `exact` knows the spelling of numbers that `serde_json` rounds, by JSON pointer.
    pub(crate) fn new(
        value: &Value,
        pointer: &mut String,
        exact: &dyn Fn(&str) -> Option<OwnedNumber>,
    ) -> Self {
        let mut child = |token: &str, value: &Value| {
            let length = pointer.len();
            crate::reference::push_token(pointer, token);
            let literal = Self::new(value, pointer, exact);
            pointer.truncate(length);
            literal
        };
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => Self::Number(
                exact(pointer).unwrap_or_else(|| OwnedNumber::new(&number.to_string())),
            ),
            Value::String(text) => Self::String(text.as_str().into()),
            Value::Array(items) => Self::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| child(&index.to_string(), item))
                    .collect(),
            ),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), child(name, value)))
                    .collect(),
            ),
        }
    }

    /// Whether the value that is next, known to be sound, equals this one. Reads no further than to the first difference.
    fn is_next(&self, reader: &mut Reader<'_>) -> Read<bool> {
        match (self, reader.peek()) {
            (Self::Null, Some(b'n')) => reader.word(b"null").map(|()| true),
            (Self::Boolean(true), Some(b't')) => reader.word(b"true").map(|()| true),
            (Self::Boolean(false), Some(b'f')) => reader.word(b"false").map(|()| true),
            (Self::Number(known), Some(b'-' | b'0'..=b'9')) => {
                Ok(reader.number()?.compare(known.number()).is_eq())
            }
            (Self::String(known), Some(b'"')) => Ok(reader.string()?.reads(known)),
            (Self::Array(items), Some(b'[')) => {
                reader.at += 1;
                reader.skip_whitespace();
                if reader.peek() == Some(b']') {
                    reader.at += 1;
                    return Ok(items.is_empty());
                }
                for (index, item) in items.iter().enumerate() {
                    if !item.is_next(reader)? {
                        return Ok(false);
                    }
                    if !reader.more(b']')? {
                        return Ok(index + 1 == items.len());
                    }
                }
                Ok(false)
            }
            (Self::Object(members), Some(b'{')) => {
                reader.at += 1;
                reader.skip_whitespace();
                if reader.peek() == Some(b'}') {
                    reader.at += 1;
                    return Ok(members.is_empty());
                }
                // Names come once, so as many equal members are all members.
                for count in 1..=members.len() {
                    let name = reader.name()?.read();
                    let known = members.iter().find(|(known, _)| **known == *name);
                    let Some((_, value)) = known else {
                        return Ok(false);
                    };
                    if !value.is_next(reader)? {
                        return Ok(false);
                    }
                    if !reader.more(b'}')? {
                        return Ok(count == members.len());
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}
