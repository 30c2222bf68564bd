//! Between which numbers something stays: the extremes of each source, how often which size, and how both went by day.
//!
//! Extremes are those of different sources, so that one caller is one of them, however much it sends.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::number::Number;
use super::seen::Seen;

/// How much a range keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct RangeLimits {
    /// Sources at each end.
    pub(super) sources: usize,
    pub(super) days: usize,
    pub(super) buckets: usize,
}

/// Between which numbers something stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    low: Extremes<false>,
    high: Extremes<true>,
    histogram: super::histogram::Histogram,
    /// The newest, in order.
    days: Vec<Day>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    /// Since 1970.
    number: i32,
    low: Number,
    high: Number,
    requests: u64,
}

impl Range {
    #[inline]
    pub(super) fn add(&mut self, number: Number, seen: &Seen, limits: &RangeLimits) {
        self.low.add(number, seen.source, limits.sources);
        self.high.add(number, seen.source, limits.sources);
        self.histogram.add(number, limits.buckets);
        if limits.days > 0
            && let Some(day) = seen.day()
        {
            let (low, high) = (number, number);
            self.add_day(day, low, high, 1, limits.days);
        }
    }

    pub(super) fn merge(&mut self, other: &Self, limits: &RangeLimits) {
        self.low.merge(&other.low, limits.sources);
        self.high.merge(&other.high, limits.sources);
        self.histogram.merge(&other.histogram, limits.buckets);
        for day in &other.days {
            self.add_day(day.number, day.low, day.high, day.requests, limits.days);
        }
    }

    #[inline]
    fn add_day(&mut self, day: i32, low: Number, high: Number, requests: u64, most: usize) {
        // Nearly always the newest.
        let found = match self.days.last() {
            Some(last) if last.number == day => Ok(self.days.len() - 1),
            _ => self.days.binary_search_by_key(&day, |known| known.number),
        };
        match found {
            Ok(at) => {
                let known = &mut self.days[at];
                known.low = known.low.min(low);
                known.high = known.high.max(high);
                known.requests = known.requests.saturating_add(requests);
            }
            Err(0) if self.days.len() >= most => {}
            Err(at) => {
                let new = Day {
                    number: day,
                    low,
                    high,
                    requests,
                };
                self.days.insert(at, new);
                if self.days.len() > most {
                    self.days.remove(0);
                }
            }
        }
    }

    pub(super) fn is_sound(&self, limits: &RangeLimits) -> bool {
        self.low.is_sound(limits.sources)
            && self.high.is_sound(limits.sources)
            && self.histogram.is_sound(limits.buckets)
            && self.days.len() <= limits.days
            && self.days.is_sorted_by(|one, two| one.number < two.number)
    }

    /// As it stands in profiles. `is_whole`: all numbers are integers.
    pub(super) fn view(&self, is_whole: bool) -> Map<String, Value> {
        let days = self
            .days
            .iter()
            .map(|day| json!([day.number, day.low.view(), day.high.view(), day.requests]));
        let mut shown = Map::new();
        shown.insert("low".to_owned(), self.low.view());
        shown.insert("high".to_owned(), self.high.view());
        shown.insert("histogram".to_owned(), self.histogram.view(is_whole));
        shown.insert("by_day".to_owned(), days.collect());
        shown
    }
}

/// Of each source its own extreme, and the sources with the outermost; outermost first. Where nobody can be told, each
/// number is a source of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Extremes<const HIGH: bool>(Vec<(Number, u64)>);

impl<const HIGH: bool> Extremes<HIGH> {
    #[inline]
    fn order(one: &(Number, u64), two: &(Number, u64)) -> Ordering {
        let outward = if HIGH {
            two.0.cmp(&one.0)
        } else {
            one.0.cmp(&two.0)
        };
        outward.then(one.1.cmp(&two.1))
    }

    #[inline]
    fn add(&mut self, number: Number, source: u64, most: usize) {
        let new = (number, source);
        if self.0.len() >= most
            && let Some(last) = self.0.last()
            && Self::order(&new, last).is_ge()
        {
            return;
        }
        let Err(at) = self.0.binary_search_by(|known| Self::order(known, &new)) else {
            return;
        };
        self.insert(at, new, most);
    }

    fn insert(&mut self, at: usize, new: (Number, u64), most: usize) {
        let known = match new.1 {
            0 => None,
            source => self.0.iter().position(|known| known.1 == source),
        };
        match known {
            // The source has been further out.
            Some(known) if known < at => {}
            Some(known) => {
                self.0[at..=known].rotate_right(1);
                self.0[at] = new;
            }
            None => {
                if self.0.len() >= most {
                    self.0.pop();
                }
                self.0.insert(at, new);
            }
        }
    }

    fn merge(&mut self, other: &Self, most: usize) {
        for (number, source) in &other.0 {
            self.add(*number, *source, most);
        }
    }

    fn is_sound(&self, most: usize) -> bool {
        let mut sources: Vec<u64> = self.0.iter().map(|known| known.1).collect();
        sources.retain(|source| *source != 0);
        sources.sort_unstable();
        self.0.len() <= most
            && self
                .0
                .is_sorted_by(|one, two| Self::order(one, two).is_lt())
            && sources.is_sorted_by(|one, two| one < two)
    }

    fn view(&self) -> Value {
        let shown = self
            .0
            .iter()
            .map(|(number, source)| json!([number.view(), format!("{source:016x}")]));
        shown.collect()
    }
}
