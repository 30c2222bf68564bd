//! What is known of values, in little memory while they are few: then they are kept as they came.

use serde::{Deserialize, Serialize};

use super::full::{Full, Limits};
use super::observed::{Kept, Observed};
use super::seen::Seen;
use super::support::Support;

/// So many values are kept as they came. Most places of most requests never have more.
const MAX_KEPT: usize = 32;

/// What is known of the values at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Profile {
    /// Those that came, in order.
    Few(Vec<(Kept, Seen)>),
    Full(Box<Full>),
}

impl Default for Profile {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Profile {
    #[inline]
    pub(super) fn add(&mut self, observed: Observed<'_>, seen: &Seen, limits: &Limits) {
        match self {
            Self::Full(full) => full.add(observed, seen, limits),
            Self::Few(few) => match observed.keep() {
                Some(kept) if few.len() < MAX_KEPT => {
                    let new = (kept, *seen);
                    let at = few.partition_point(|known| *known < new);
                    few.insert(at, new);
                }
                _ => self.fill(limits).add(observed, seen, limits),
            },
        }
    }

    /// Ends keeping values as they came.
    fn fill(&mut self, limits: &Limits) -> &mut Full {
        if let Self::Few(few) = self {
            *self = Self::Full(Box::new(full_of(few, limits)));
        }
        match self {
            Self::Full(full) => full,
            Self::Few(_) => unreachable!("it has been filled"),
        }
    }

    pub(super) fn merge(&mut self, other: &Self, limits: &Limits) {
        match other {
            Self::Full(other) => self.fill(limits).merge(other, limits),
            Self::Few(others) => {
                for (kept, seen) in others {
                    self.add(kept.as_observed(), seen, limits);
                }
            }
        }
    }

    /// How often there was a value of any kind.
    pub(super) fn support(&self) -> Support {
        match self {
            Self::Full(full) => full.support(),
            Self::Few(few) => {
                let mut support = Support::default();
                let values = few
                    .iter()
                    .filter(|(kept, _)| !matches!(kept, Kept::Count(_)));
                values.for_each(|(_, seen)| support.add(seen));
                support
            }
        }
    }

    /// Whether it can have come from here.
    pub(super) fn is_sound(&self, limits: &Limits) -> bool {
        match self {
            Self::Full(full) => full.is_sound(limits),
            Self::Few(few) => {
                few.len() <= MAX_KEPT
                    && few.is_sorted()
                    && few
                        .iter()
                        .all(|(kept, _)| kept.as_observed().keep().is_some())
            }
        }
    }

    /// All that is known, for showing it.
    pub(super) fn with_full<T>(&self, limits: &Limits, show: impl FnOnce(&Full) -> T) -> T {
        match self {
            Self::Full(full) => show(full),
            Self::Few(few) => show(&full_of(few, limits)),
        }
    }
}

fn full_of(few: &[(Kept, Seen)], limits: &Limits) -> Full {
    let mut full = Full::default();
    for (kept, seen) in few {
        full.add(kept.as_observed(), seen, limits);
    }
    full
}
