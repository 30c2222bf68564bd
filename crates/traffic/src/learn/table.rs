//! Supports of a few things out of at most 64.

use serde::{Deserialize, Serialize};

use super::seen::Seen;
use super::support::Few;

/// The supports of those that were seen, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    /// A bit for each that was seen.
    present: u64,
    supports: Vec<Few>,
}

impl Table {
    /// Notes all whose bits are set.
    #[inline]
    pub(super) fn add(&mut self, bits: u64, seen: &Seen) {
        let mut left = bits;
        while left != 0 {
            self.get(left & left.wrapping_neg()).add(seen);
            left &= left - 1;
        }
    }

    #[inline]
    fn get(&mut self, bit: u64) -> &mut Few {
        let at = (self.present & (bit - 1)).count_ones() as usize;
        if self.present & bit == 0 {
            self.present |= bit;
            self.supports.insert(at, Few::default());
        }
        &mut self.supports[at]
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let mut left = other.present;
        for support in &other.supports {
            self.get(left & left.wrapping_neg()).merge(support);
            left &= left - 1;
        }
    }

    /// A bit for each that was seen.
    pub(super) fn present(&self) -> u64 {
        self.present
    }

    /// Whether it can have come from here, with so many things.
    pub(super) fn is_sound(&self, things: usize) -> bool {
        self.present.count_ones() as usize == self.supports.len()
            && self
                .present
                .checked_shr(u32::try_from(things).unwrap_or(64))
                .unwrap_or(0)
                == 0
    }

    /// The number of each that was seen, and its support.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, &Few)> {
        let numbers = (0..64).filter(|number| self.present & (1 << number) != 0);
        numbers.zip(&self.supports)
    }
}
