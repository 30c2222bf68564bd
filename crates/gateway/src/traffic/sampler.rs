//! Which exchanges are sampled: a share of them, and no more than so many a second.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The golden ratio less 1, whose multiples modulo 1 are spread evenly; see [`crate::responses`].
const STEP: f64 = 0.618_033_988_749_894_9;

const NANOSECONDS: f64 = 1e9;

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static DRAWN: Cell<f64> = const { Cell::new(0.0) };
    /// The sampler that this thread drew by last, and how many exchanges that one has not sampled since the last one it
    /// did: what passed under other settings is of another time.
    static PASSED: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
}

/// Draws exchanges.
///
/// The rate is kept by one number, as in the generic cell rate algorithm (ITU-T I.371): the moment at which all that was
/// sampled would have been sampled at an even pace. While that is ahead by more than a burst, drawing only reads it, so
/// threads do not take it from each other.
pub(super) struct Sampler {
    /// No other sampler has it.
    number: u64,
    share: f64,
    /// Between two samples at an even pace, in nanoseconds.
    interval: u64,
    /// How far samples may run ahead of that pace: those of one second.
    burst: u64,
    began: Instant,
    /// In nanoseconds since `began`.
    pace: AtomicU64,
}

impl Sampler {
    /// None if nothing is to be sampled.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a cast from a larger number ends at the largest"
    )]
    pub(super) fn new(share: f64, max_per_second: f64) -> Option<Self> {
        if !(share > 0.0 && max_per_second > 0.0) {
            return None;
        }
        let interval = (NANOSECONDS / max_per_second).max(1.0) as u64;
        Some(Self {
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            share,
            interval,
            burst: interval.max(NANOSECONDS as u64),
            began: Instant::now(),
            pace: AtomicU64::new(0),
        })
    }

    /// Whether an exchange that begins now is sampled; if so, for how many of this thread's it stands: itself and those
    /// that were not sampled before it.
    pub(super) fn draw(&self, now: Instant) -> Option<f64> {
        let (number, passed) = PASSED.get();
        let passed = if number == self.number { passed } else { 0 };
        let is_sampled = self.is_drawn() && self.is_in_time(now);
        let kept = if is_sampled {
            0
        } else {
            passed.saturating_add(1)
        };
        PASSED.set((self.number, kept));
        is_sampled.then(|| f64::from(passed) + 1.0)
    }

    fn is_drawn(&self) -> bool {
        if self.share >= 1.0 {
            return true;
        }
        let next = (DRAWN.get() + STEP).fract();
        DRAWN.set(next);
        next < self.share
    }

    fn is_in_time(&self, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.began).as_nanos();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        let next = |pace: u64| {
            let next = pace.max(now).saturating_add(self.interval);
            (next <= now.saturating_add(self.burst)).then_some(next)
        };
        let relaxed = Ordering::Relaxed;
        self.pace.fetch_update(relaxed, relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Sampler;

    /// How many of exchanges at an even pace are sampled, and for how many they stand, on a thread of its own.
    fn sampled(share: f64, max_per_second: f64, seconds: u64, per_second: u64) -> (u64, f64) {
        let draw = move || {
            let sampler = Sampler::new(share, max_per_second).expect("it samples");
            let begun = Instant::now();
            let (mut count, mut weight) = (0, 0.0);
            for number in 0..seconds * per_second {
                let now = begun + Duration::from_nanos(number * 1_000_000_000 / per_second);
                if let Some(stands_for) = sampler.draw(now) {
                    count += 1;
                    weight += stands_for;
                }
            }
            (count, weight)
        };
        std::thread::spawn(draw).join().expect("no panic")
    }

    #[test]
    fn share_and_pace_are_kept_and_weights_add_up_to_all() {
        for (share, max_per_second, per_second, least, most) in [
            // All of it, up to the pace and the burst of one second.
            (1.0, 50.0, 40, 400, 400),
            (1.0, 50.0, 10_000, 545, 551),
            // A share, below and above the pace.
            (0.1, 50.0, 100, 99, 101),
            (0.1, 50.0, 10_000, 545, 551),
            (1.0, 1e9, 1_000, 10_000, 10_000),
            (1.0, 0.5, 1_000, 5, 6),
        ] {
            let (count, weight) = sampled(share, max_per_second, 10, per_second);
            let case = format!("{share} of {per_second}/s, at most {max_per_second}/s: {count}");
            assert!((least..=most).contains(&count), "{case}");
            #[allow(clippy::cast_precision_loss)]
            let all = (10 * per_second) as f64;
            assert!(weight <= all && weight > all * 0.79, "{case}, {weight}");
        }
    }

    #[test]
    fn another_sampler_begins_anew() {
        let draw = || {
            let now = Instant::now();
            let few = Sampler::new(0.001, 1e9).expect("it samples");
            // The first draw may be anywhere in the sequence.
            let first = (0..1000).find(|_| few.draw(now).is_some());
            assert!(first.is_some());
            assert!((0..500).all(|_| few.draw(now).is_none()));
            let all = Sampler::new(1.0, 1e9).expect("it samples");
            assert_eq!(all.draw(now), Some(1.0), "the 500 are of another time");
            assert_eq!(all.draw(now), Some(1.0));
        };
        std::thread::spawn(draw).join().expect("no panic");
    }

    #[test]
    fn nothing_is_sampled_where_nothing_may_be() {
        for (share, max_per_second) in [(0.0, 50.0), (1.0, 0.0), (f64::NAN, 1.0), (-1.0, 1.0)] {
            assert!(Sampler::new(share, max_per_second).is_none());
        }
    }
}
