//! How often numbers of which size were seen, in buckets whose bounds grow by a constant factor.
//!
//! Sixteen buckets to a doubling: a bound is less than 5 % above what it holds. When more than so many buckets are in
//! use, pairs of them become one (as in `UDDSketch`: Epicoco et al., "`UDDSketch`: accurate tracking of
//! quantiles in data streams", 2020); how often depends only on the numbers, so the parts of a whole always fit together.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::number::Number;

/// About two to the power of 0/16 … 16/16; written out, because libraries of mathematics differ in the last digit.
const STEPS: [f64; 17] = [
    1.0, 1.044, 1.091, 1.139, 1.189, 1.242, 1.297, 1.354, 1.414, 1.477, 1.542, 1.61, 1.682, 1.756,
    1.834, 1.915, 2.0,
];

/// How many steps are below 1, 1 + 1/32, 1 + 2/32, …; between two of these is at most one.
const STEPS_BELOW: [u8; 32] = {
    let mut below = [0; 32];
    let (mut part, mut start) = (0, 1.0);
    while part < 32 {
        while STEPS[below[part] as usize] < start {
            below[part] += 1;
        }
        part += 1;
        start += 1.0 / 32.0;
    }
    below
};

/// The powers of two between which sizes are told apart.
const SMALLEST: i16 = -20;
const LARGEST: i16 = 64;

/// The bucket of what is larger than the largest bound.
const LAST: i16 = (LARGEST - SMALLEST) * 16 + 2;

/// Counts by size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Histogram {
    /// So often pairs of buckets became one.
    level: u8,
    /// The numbers of those in use, in order. Negative ones are those of negative numbers, 0 is that of 0.
    buckets: Vec<i16>,
    /// Of each of them.
    counts: Vec<u64>,
}

impl Histogram {
    /// Counts a number; at most `most` buckets are in use.
    #[inline]
    pub(super) fn add(&mut self, number: Number, most: usize) {
        let bucket = at_level(bucket_of(number.nearest()), self.level);
        self.count(bucket, 1);
        self.shrink(most);
    }

    pub(super) fn merge(&mut self, other: &Self, most: usize) {
        if self.level < other.level {
            self.coarsen(other.level);
        }
        let further = self.level - other.level.min(self.level);
        for (bucket, count) in other.iter() {
            self.count(at_level(bucket, further), count);
        }
        self.shrink(most);
    }

    #[inline]
    fn count(&mut self, bucket: i16, count: u64) {
        // Counted, not searched: numbers of two bytes are compared many at a time, and no branch is guessed wrong.
        let below: u16 = self
            .buckets
            .iter()
            .map(|known| u16::from(*known < bucket))
            .sum();
        let at = usize::from(below);
        if self.buckets.get(at) == Some(&bucket) {
            self.counts[at] = self.counts[at].saturating_add(count);
        } else {
            self.buckets.insert(at, bucket);
            self.counts.insert(at, count);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (i16, u64)> {
        self.buckets
            .iter()
            .copied()
            .zip(self.counts.iter().copied())
    }

    #[inline]
    fn shrink(&mut self, most: usize) {
        while self.buckets.len() > most {
            self.coarsen(self.level + 1);
        }
    }

    fn coarsen(&mut self, level: u8) {
        let further = level - self.level;
        let finer = std::mem::take(self);
        self.level = level;
        for (bucket, count) in finer.iter() {
            self.count(at_level(bucket, further), count);
        }
    }

    /// Whether it can have come from here.
    pub(super) fn is_sound(&self, most: usize) -> bool {
        let last = at_level(LAST, self.level);
        self.level <= 11
            && self.buckets.len() <= most
            && self.buckets.len() == self.counts.len()
            && self.buckets.is_sorted_by(|one, two| one < two)
            && self
                .buckets
                .iter()
                .all(|bucket| (-last..=last).contains(bucket))
    }

    /// As it stands in profiles: upper bounds and counts. `is_whole`: the bounds of integers are integers.
    pub(super) fn view(&self, is_whole: bool) -> Value {
        let bounds = self.iter().map(|(bucket, count)| {
            let bound = self.bound(bucket);
            let bound = if is_whole { bound.floor() } else { bound };
            json!([bound_view(bound), count])
        });
        bounds.collect()
    }

    /// The largest number a bucket holds.
    fn bound(&self, bucket: i16) -> f64 {
        // Of a negative number the bound nearer to 0, which is that of the bucket before.
        let magnitude = if bucket < 0 { -bucket - 1 } else { bucket };
        let wide = i32::from(magnitude) << self.level;
        let bound = match wide {
            0 => 0.0,
            _ if wide >= i32::from(LAST) => f64::MAX,
            _ => {
                let steps = wide - 1;
                let step = STEPS[usize::try_from(steps.rem_euclid(16)).unwrap_or(0)];
                step * 2.0_f64.powi(steps.div_euclid(16) + i32::from(SMALLEST))
            }
        };
        if bucket < 0 { 0.0 - bound } else { bound }
    }
}

/// Bounds that are integers are shown as such.
#[allow(
    clippy::cast_possible_truncation,
    reason = "it is integral and in range"
)]
fn bound_view(bound: f64) -> Value {
    if bound.fract() == 0.0 && bound.abs() < 2.0_f64.powi(53) {
        (bound as i64).into()
    } else {
        bound.into()
    }
}

/// A bucket after pairs of buckets became one so often; the upper bound of the last of them is that of all.
#[inline]
fn at_level(bucket: i16, level: u8) -> i16 {
    let magnitude = i32::from(bucket.unsigned_abs());
    let wide = (magnitude + (1 << level) - 1) >> level;
    let wide = i16::try_from(wide).unwrap_or(i16::MAX);
    if bucket < 0 { -wide } else { wide }
}

/// 0 for 0; 1 for what is up to the smallest bound, and so on; negative for negative numbers.
#[inline]
fn bucket_of(value: f64) -> i16 {
    if value == 0.0 {
        return 0;
    }
    let bits = value.abs().to_bits();
    let exponent = i16::try_from(bits >> 52).unwrap_or(i16::MAX) - 1023;
    // Between 1 and 2.
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1.0_f64.to_bits());
    let magnitude = if exponent < SMALLEST {
        1
    } else if exponent > LARGEST || (exponent == LARGEST && mantissa > 1.0) {
        LAST
    } else {
        let below = STEPS_BELOW[(bits >> 47 & 31) as usize];
        let step = i16::from(below) + i16::from(STEPS[usize::from(below)] < mantissa);
        (exponent - SMALLEST) * 16 + step + 1
    };
    if value < 0.0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::number::Literal;

    fn number(text: &str) -> Number {
        Literal::read(text).expect("a number").number
    }

    #[test]
    fn a_bound_is_little_above_what_it_holds() {
        for text in [
            "1",
            "2",
            "3",
            "5",
            "7.25",
            "1000",
            "1024",
            "1025",
            "86400",
            "1e18",
            "0.001",
            "0.1",
            "123456789",
            "1.044",
            "1.9999999999999998",
        ] {
            let mut histogram = Histogram::default();
            histogram.add(number(text), 512);
            let value = number(text).nearest();
            let bound = histogram.bound(histogram.buckets[0]);
            assert!(bound >= value && bound <= value * 1.05, "{text}: {bound}");
            let mut below = Histogram::default();
            below.add(number(&format!("-{text}")), 512);
            let bound = below.bound(below.buckets[0]);
            assert!(
                bound >= -value && bound <= -value / 1.05,
                "-{text}: {bound}"
            );
        }
    }

    #[test]
    fn bounds_of_integers_are_integers() {
        let mut histogram = Histogram::default();
        for text in ["0", "1", "1", "3", "100", "-2", "1e300"] {
            histogram.add(number(text), 512);
        }
        let whole = histogram.view(true);
        let expected = json!([[-2, 1], [0, 1], [1, 2], [3, 1], [103, 1], [f64::MAX, 1]]);
        assert_eq!(whole, expected);
    }

    #[test]
    fn bounds_stay_above_when_buckets_become_one() {
        for level in 0..=11 {
            for value in [1e-30, 1e-6, 0.3, 1.0, 1.5, 2.0, 7.0, 1e10, 1e19, 1e30] {
                for value in [value, -value] {
                    let bucket = at_level(bucket_of(value), level);
                    let histogram = Histogram {
                        level,
                        ..Histogram::default()
                    };
                    assert!(histogram.bound(bucket) >= value, "{value} {level}");
                    // And the bucket before ends below, or where this one begins.
                    assert!(histogram.bound(bucket - 1) <= value, "{value} {level}");
                }
            }
        }
    }
}
