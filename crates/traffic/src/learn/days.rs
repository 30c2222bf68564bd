//! When requests came: on which days, and at which hours of the week.

use std::collections::BTreeMap;

/// So many days are kept, the newest.
const MAX_DAYS: usize = 64;

pub(super) const HOURS_OF_WEEK: usize = 168;

const SECONDS_OF_DAY: i64 = 86_400;

/// Counts of requests by time, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Times {
    /// Unix seconds.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    /// By the number of the day, from 1 January 1970.
    pub(super) days: BTreeMap<i64, u64>,
    /// From Monday, 0 o'clock.
    pub(super) hours: Box<[u64; HOURS_OF_WEEK]>,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            first: None,
            last: None,
            days: BTreeMap::new(),
            hours: Box::new([0; HOURS_OF_WEEK]),
        }
    }
}

impl Times {
    pub(super) fn add(&mut self, at: i64) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.add_day(at.div_euclid(SECONDS_OF_DAY), 1);
        let hour = &mut self.hours[hour_of_week(at)];
        *hour = hour.saturating_add(1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        // `None` is less than any time.
        self.first = match (self.first, other.first) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        self.last = self.last.max(other.last);
        for (day, requests) in &other.days {
            self.add_day(*day, *requests);
        }
        for (hour, more) in self.hours.iter_mut().zip(other.hours.iter()) {
            *hour = hour.saturating_add(*more);
        }
    }

    fn add_day(&mut self, day: i64, requests: u64) {
        if let Some(known) = self.days.get_mut(&day) {
            *known = known.saturating_add(requests);
            return;
        }
        self.days.insert(day, requests);
        if self.days.len() > MAX_DAYS {
            self.days.pop_first();
        }
    }
}

/// 1 January 1970 was a Thursday.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 167"
)]
fn hour_of_week(at: i64) -> usize {
    (at.div_euclid(3600) + 3 * 24).rem_euclid(7 * 24) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_count_from_monday() {
        // 2024-01-01 was a Monday.
        assert_eq!(hour_of_week(1_704_067_200), 0);
        assert_eq!(hour_of_week(1_704_067_199), 167);
        assert_eq!(hour_of_week(1_704_067_200 + 25 * 3600), 25);
        assert_eq!(hour_of_week(-1), 3 * 24 - 1);
    }

    #[test]
    fn the_newest_days_are_kept_in_whatever_order_they_come() {
        let days = |order: &mut dyn Iterator<Item = i64>| {
            let mut times = Times::default();
            order.for_each(|day| times.add(day * SECONDS_OF_DAY));
            times
        };
        let (up, down) = (days(&mut (0..100)), days(&mut (0..100).rev()));
        assert_eq!(up, down);
        assert_eq!(up.days.len(), MAX_DAYS);
        assert_eq!(up.days.first_key_value(), Some((&36, &1)));
        assert_eq!((up.first, up.last), (Some(0), Some(99 * SECONDS_OF_DAY)));
    }
}
