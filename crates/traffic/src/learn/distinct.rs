//! Which different values there are: all of them while they are few, and how many.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::hash::{hash_with, mix};
use super::kmv::Kmv;
use super::number::Number;
use super::seen::Seen;
use super::support::Few;

/// Longer texts are kept cut, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 64;

/// A value as it came.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'v> {
    Boolean(bool),
    Number(Number),
    Text(&'v str),
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kept {
    Boolean(bool),
    Number(Number),
    /// Of at most [`MAX_TEXT_BYTES`].
    Text(Box<str>),
}

impl Scalar<'_> {
    /// Equal values have equal ones.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        match self {
            Self::Boolean(value) => mix(u64::from(*value), 1),
            Self::Number(number) => {
                let (nearest, rest) = number.bits();
                mix(nearest, u64::from(rest) << 8 | 2)
            }
            Self::Text(text) => hash_with(text.as_bytes(), 3),
        }
    }

    pub(super) fn keep(&self) -> Kept {
        match self {
            Self::Boolean(value) => Kept::Boolean(*value),
            Self::Number(number) => Kept::Number(*number),
            Self::Text(text) => Kept::Text(cut(text).into()),
        }
    }

    #[inline]
    pub(super) fn is_short(&self) -> bool {
        match self {
            Self::Text(text) => text.len() <= MAX_TEXT_BYTES,
            _ => true,
        }
    }

    /// As the value of which only the beginning is kept.
    #[inline]
    pub(super) fn cut(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(cut(text)),
            other => other,
        }
    }
}

impl Kept {
    #[inline]
    pub(super) fn as_scalar(&self) -> Scalar<'_> {
        match self {
            Self::Boolean(value) => Scalar::Boolean(*value),
            Self::Number(number) => Scalar::Number(*number),
            Self::Text(text) => Scalar::Text(text),
        }
    }

    fn is(&self, other: &Scalar<'_>) -> bool {
        match (self, other) {
            (Self::Boolean(one), Scalar::Boolean(two)) => one == two,
            (Self::Number(one), Scalar::Number(two)) => one == two,
            (Self::Text(one), Scalar::Text(two)) => **one == **two,
            _ => false,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => 0,
        }
    }

    pub(super) fn view(&self) -> Value {
        match self {
            Self::Boolean(value) => (*value).into(),
            Self::Number(number) => number.view(),
            Self::Text(text) => (**text).into(),
        }
    }
}

/// The beginning of a text.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

/// How many different values are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueLimits {
    pub(super) values: usize,
    /// Bytes of all texts together.
    pub(super) bytes: usize,
}

/// The different values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Distinct {
    /// Some hashes of the values.
    count: Kmv<64>,
    values: Values,
}

/// All different values; `None` once there are too many, or one that cannot be kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Values(Option<List>);

/// Values in the order of `(hash, value)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct List {
    /// Apart from the values, so that what is searched is near together in memory.
    hashes: Vec<u64>,
    known: Vec<Known>,
}

impl Default for Values {
    fn default() -> Self {
        Self(Some(List::default()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    value: Kept,
    support: Few,
}

impl Distinct {
    /// Notes a value and its hash. `is_exact`: it can be kept as it is.
    #[inline]
    pub(super) fn add(
        &mut self,
        value: &Scalar<'_>,
        hash: u64,
        is_exact: bool,
        seen: &Seen,
        limits: &ValueLimits,
    ) {
        self.count.add(hash);
        let Some(values) = &mut self.values.0 else {
            return;
        };
        if !is_exact {
            self.values.0 = None;
            return;
        }
        let mut at = values.hashes.partition_point(|known| *known < hash);
        while values.hashes.get(at) == Some(&hash) {
            let known = &mut values.known[at];
            if known.value.is(value) {
                known.support.add(seen);
                return;
            }
            at += 1;
        }
        let mut support = Few::default();
        support.add(seen);
        let value = value.keep();
        self.values.insert(hash, Known { value, support }, limits);
    }

    pub(super) fn merge(&mut self, other: &Self, limits: &ValueLimits) {
        self.count.merge(&other.count);
        match &other.values.0 {
            None => self.values.0 = None,
            Some(others) => {
                for (hash, known) in others.hashes.iter().zip(&others.known) {
                    self.values.insert(*hash, known.clone(), limits);
                }
            }
        }
    }

    pub(super) fn is_sound(&self, limits: &ValueLimits) -> bool {
        let Some(values) = &self.values.0 else {
            return true;
        };
        let order = values.hashes.iter().zip(&values.known);
        values.known.len() <= limits.values
            && values.bytes() <= limits.bytes
            && order.is_sorted_by(|(hash, known), (next_hash, next)| {
                (hash, &known.value) < (next_hash, &next.value)
            })
            && values
                .known
                .iter()
                .all(|known| known.value.bytes() <= MAX_TEXT_BYTES)
    }

    /// How many there are, about.
    pub(super) fn count(&self) -> u64 {
        self.count.count()
    }

    /// As it stands in profiles: in the order of the values.
    pub(super) fn view(&self) -> Value {
        let Some(values) = &self.values.0 else {
            return Value::Null;
        };
        let mut values: Vec<_> = values.known.iter().collect();
        values.sort_by(|one, two| one.value.cmp(&two.value));
        let shown = values
            .into_iter()
            .map(|known| json!({"value": known.value.view(), "support": known.support.view()}));
        shown.collect()
    }
}

impl Values {
    fn insert(&mut self, hash: u64, new: Known, limits: &ValueLimits) {
        let Some(list) = &mut self.0 else { return };
        let mut at = list.hashes.partition_point(|known| *known < hash);
        while list.hashes.get(at) == Some(&hash) && list.known[at].value < new.value {
            at += 1;
        }
        if list.hashes.get(at) == Some(&hash) && list.known[at].value == new.value {
            list.known[at].support.merge(&new.support);
            return;
        }
        list.hashes.insert(at, hash);
        list.known.insert(at, new);
        if list.known.len() > limits.values || list.bytes() > limits.bytes {
            self.0 = None;
        }
    }
}

impl List {
    /// Of all texts together.
    fn bytes(&self) -> usize {
        self.known.iter().map(|known| known.value.bytes()).sum()
    }
}

/// Hashes are not written: they follow from the values.
impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().map(|list| &list.known).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let known = Option::<Vec<Known>>::deserialize(from)?;
        Ok(Self(known.map(|known| {
            List {
                hashes: known
                    .iter()
                    .map(|known| known.value.as_scalar().hash())
                    .collect(),
                known,
            }
        })))
    }
}
