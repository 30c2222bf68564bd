//! How many different hashes were seen: the smallest of them tell (Bar-Yossef et al., "Counting distinct elements in a
//! data stream", 2002). Exact as long as all are kept.
//!
//! Only the upper half of each hash is kept: among so few the halves of two hashes are equal once in millions of
//! profiles, and it halves what thousands of profiles take.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The `K` smallest of the hashes seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kmv<const K: usize> {
    /// In order, each once.
    least: Vec<u32>,
    /// How far the largest of them is below the largest that there is; 0 while there is room for more. Apart from them, so
    /// that what is too large to be kept is told without a look at them.
    below: u32,
    /// Whether there were others.
    is_more: bool,
}

impl<const K: usize> Kmv<K> {
    /// Notes a hash.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        self.add_half(upper(hash));
    }

    #[inline]
    fn add_half(&mut self, half: u32) {
        if half > u32::MAX - self.below {
            self.is_more = true;
            return;
        }
        if let Err(at) = self.least.binary_search(&half) {
            if self.least.len() >= K {
                self.least.pop();
                self.is_more = true;
            }
            self.least.insert(at, half);
            self.below = below(&self.least, K);
        }
    }

    /// Adds what another has noted.
    pub fn merge(&mut self, other: &Self) {
        self.is_more |= other.is_more;
        for half in &other.least {
            self.add_half(*half);
        }
    }

    /// How many there were: exact up to `K`, else within about `1 / sqrt(K)` of it.
    pub fn count(&self) -> u64 {
        estimate(&self.least, self.is_more)
    }
}

/// What [`Kmv::below`] is for these.
fn below(least: &[u32], full: usize) -> u32 {
    match least.last() {
        Some(greatest) if least.len() >= full => u32::MAX - greatest,
        _ => 0,
    }
}

/// The 8 smallest of the hashes seen, where there are many to keep: nothing is allocated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Least {
    halves: [u32; 8],
    count: u8,
    is_more: bool,
}

impl Least {
    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        self.add_half(upper(hash));
    }

    #[inline]
    fn add_half(&mut self, half: u32) {
        let count = usize::from(self.count);
        let is_full = count == self.halves.len();
        if is_full && self.halves[7] < half {
            self.is_more = true;
            return;
        }
        let known = &self.halves[..count];
        let at = known.iter().filter(|one| **one < half).count();
        if known.get(at) == Some(&half) {
            return;
        }
        if is_full {
            self.is_more = true;
            self.halves.copy_within(at..7, at + 1);
        } else {
            self.halves.copy_within(at..count, at + 1);
            self.count += 1;
        }
        self.halves[at] = half;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.is_more |= other.is_more;
        for half in other.halves() {
            self.add_half(*half);
        }
    }

    pub(super) fn merge_larger<const K: usize>(&mut self, other: &Kmv<K>) {
        self.is_more |= other.is_more;
        for half in &other.least {
            self.add_half(*half);
        }
    }

    pub(super) fn count(&self) -> u64 {
        estimate(self.halves(), self.is_more)
    }

    fn halves(&self) -> &[u32] {
        &self.halves[..usize::from(self.count)]
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the upper half fits")]
fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate below 2^40"
)]
fn estimate(least: &[u32], is_more: bool) -> u64 {
    let count = least.len() as u64;
    let Some(largest) = least.last().filter(|_| is_more) else {
        return count;
    };
    let share = (f64::from(*largest) + 1.0) / 2.0_f64.powi(32);
    let estimate = (count - 1) as f64 / share;
    (estimate.round() as u64).max(count + 1)
}

/// As bytes, because formats write those without a mark for each.
fn write<S: Serializer>(
    halves: &[u32],
    is_more: bool,
    full: usize,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(halves.len() * 4 + 1);
    for half in halves {
        bytes.extend_from_slice(&half.to_be_bytes());
    }
    if halves.len() == full {
        bytes.push(is_more.into());
    }
    to.serialize_bytes(&bytes)
}

/// What [`write`] wrote: the halves, and whether there were more.
fn read(bytes: &[u8], full: usize) -> Option<(Vec<u32>, bool)> {
    let is_full = bytes.len() == full * 4 + 1;
    let (words, is_more) = match bytes {
        [words @ .., more @ (0 | 1)] if is_full => (words, *more == 1),
        words => (words, false),
    };
    let (words, rest) = words.as_chunks::<4>();
    let least: Vec<u32> = words.iter().map(|half| u32::from_be_bytes(*half)).collect();
    let is_sound = rest.is_empty()
        && is_full == (least.len() == full)
        && least.len() <= full
        && least.is_sorted_by(|one, two| one < two);
    is_sound.then_some((least, is_more))
}

impl<const K: usize> Serialize for Kmv<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write(&self.least, self.is_more, K, to)
    }
}

impl<'de, const K: usize> Deserialize<'de> for Kmv<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = from.deserialize_bytes(Bytes)?;
        let (least, is_more) = read(&bytes, K).ok_or_else(|| D::Error::custom(UNSOUND))?;
        Ok(Self {
            below: below(&least, K),
            least,
            is_more,
        })
    }
}

impl Serialize for Least {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write(self.halves(), self.is_more, 8, to)
    }
}

impl<'de> Deserialize<'de> for Least {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = from.deserialize_bytes(Bytes)?;
        let (least, is_more) = read(&bytes, 8).ok_or_else(|| D::Error::custom(UNSOUND))?;
        let mut read = Self {
            count: u8::try_from(least.len()).unwrap_or(8),
            is_more,
            ..Self::default()
        };
        read.halves[..least.len()].copy_from_slice(&least);
        Ok(read)
    }
}

const UNSOUND: &str = "hashes that are not in order, or too many";

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
