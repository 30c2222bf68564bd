//! Quantiles of durations in little memory, from parts that can be put together in any order.
//!
//! Values fall into buckets whose bounds grow by a constant factor, as in `DDSketch` (Masson, Rim, Lee: "`DDSketch`: a fast and
//! fully-mergeable quantile sketch with relative-error guarantees", 2019). The factor is fixed, so that sketches of all
//! gateways and all times fit together.

use std::fmt;

/// A quantile is this near to the value that stands there, as a share of that value.
pub const MAX_RELATIVE_ERROR: f64 = 0.02;

/// What the buckets are made for: a little less than promised, so that rounding breaks no promise.
const ERROR: f64 = 0.0199;

/// By how much bounds of buckets grow.
const GROWTH: f64 = (1.0 + ERROR) / (1.0 - ERROR);

/// The last bucket: from about 19 hours on, in microseconds.
const LAST: u16 = 627;

/// How often values were seen, by size.
///
/// ```
/// use hauberk_traffic::Sketch;
///
/// let mut sketch = Sketch::default();
/// for value in 1..=100 {
///     sketch.record(value * 1_000);
/// }
/// let median = sketch.quantile(0.5).unwrap();
/// assert!((median - 50_000.0).abs() <= 1_000.0);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Those that are not empty, in order: number and count.
    buckets: Vec<(u16, u64)>,
}

impl Sketch {
    /// Counts a value, such as microseconds. 0 counts as 1, and what is over 2^36 as about that.
    pub fn record(&mut self, value: u64) {
        self.add(bucket_of(value), 1);
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.add(*bucket, *count);
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The value that a share `quantile` (0 to 1) of the others is not larger than, within [`MAX_RELATIVE_ERROR`]; none if
    /// nothing was counted.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among more than 2^53 values need not be exact"
    )]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        let rank = (quantile.clamp(0.0, 1.0) * last as f64) as u64;
        let mut seen: u64 = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen > rank
        });
        found
            .or(self.buckets.last())
            .map(|(bucket, _)| middle(*bucket))
    }

    /// As text, e.g. `237:12 240:1`: bucket and count, in order.
    pub fn to_text(&self) -> String {
        let parts = self.buckets.iter();
        let parts: Vec<_> = parts
            .map(|(bucket, count)| format!("{bucket}:{count}"))
            .collect();
        parts.join(" ")
    }

    /// Reads what [`Sketch::to_text`] wrote.
    ///
    /// # Errors
    ///
    /// Text of another form: buckets that do not exist or are not in order, counts that are none.
    pub fn from_text(text: &str) -> Result<Self, SketchError> {
        let mut buckets: Vec<(u16, u64)> = Vec::new();
        for part in text.split_ascii_whitespace() {
            let (bucket, count) = part.split_once(':').ok_or(SketchError)?;
            let bucket = bucket.parse().map_err(|_| SketchError)?;
            let count = count.parse().map_err(|_| SketchError)?;
            let is_next = buckets.last().is_none_or(|(before, _)| *before < bucket);
            if !is_next || bucket > LAST || count == 0 {
                return Err(SketchError);
            }
            buckets.push((bucket, count));
        }
        Ok(Self { buckets })
    }

    fn add(&mut self, bucket: u16, count: u64) {
        match self
            .buckets
            .binary_search_by_key(&bucket, |(known, _)| *known)
        {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(count),
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }
}

/// A bucket holds what is larger than the bound before it, up to its own, which is the growth to the power of its number.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to LAST"
)]
fn bucket_of(value: u64) -> u16 {
    let bucket = (value.max(1) as f64).ln() / GROWTH.ln();
    (bucket.ceil() as u16).min(LAST)
}

/// The value that is as near to the lower as to the upper bound, as a share of either.
fn middle(bucket: u16) -> f64 {
    2.0 * GROWTH.powi(i32::from(bucket)) / (GROWTH + 1.0)
}

/// A text that is no sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SketchError;

impl fmt::Display for SketchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a sketch should read bucket:count, in order and with blanks between, e.g. 237:12 240:1")
    }
}

impl std::error::Error for SketchError {}
