//! What is counted for each host and minute: what became of its requests. All of them count, sampled or not.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::clock;
use crate::exchange::Exchange;
use crate::shards::Shards;
use crate::verdict::Verdict;

/// Counts nobody takes are kept for so many minutes, and so many entries in a thread; the oldest minutes are dropped
/// first, so that memory is bounded.
const MAX_MINUTES: usize = 24 * 60;
const MAX_ENTRIES: usize = 20_000;

const MINUTE_SECONDS: i64 = 60;

/// What became of the requests to one host since it was last told, within one minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestMetrics {
    /// As in the snapshot.
    pub zone_id: String,
    /// The entry of the snapshot that serves it; a wildcard is one host.
    pub host: String,
    /// When the minute began, in seconds since 1970; a multiple of 60.
    pub minute: i64,
    /// The counts.
    #[serde(flatten)]
    pub counts: RequestTally,
}

/// Requests by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RequestTally {
    /// All that ended; the next six add up to it.
    pub requests: u64,
    /// Went on, and nothing was said about them.
    pub passed: u64,
    /// Went on with an event.
    pub logged: u64,
    /// Refused by a rule that asks about the client certificate.
    pub blocked_certificate: u64,
    /// Refused by another rule.
    pub blocked_rule: u64,
    /// Refused by the schema of their operation.
    pub blocked_schema: u64,
    /// Refused for what they are: ambiguous, misdirected, malformed, beyond a limit.
    pub blocked_other: u64,
    /// Refused, judged by the schema of their operation, or such that a rule would have refused them without a client
    /// certificate.
    pub protected: u64,
    /// Came with a client certificate that is verified and not revoked.
    pub with_certificate: u64,
    /// For no saved operation; those refused before that was looked up are left out.
    pub fallthrough: u64,
    /// Went on and were answered with 400 to 499.
    pub client_errors: u64,
    /// Went on and were answered with 500 to 599, also where no upstream answered.
    pub server_errors: u64,
}

/// Whose requests are counted together.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) zone_id: Box<str>,
    pub(crate) host: Box<str>,
}

/// The counts of all threads.
#[derive(Default)]
pub(crate) struct RequestCounts {
    threads: Shards<Vec<Minute>>,
}

struct Minute {
    began: i64,
    places: HashMap<Arc<Place>, RequestTally>,
}

impl RequestCounts {
    /// A request has ended; without a status the client was gone before.
    pub(crate) fn count(&self, exchange: &Exchange, status: Option<u16>) {
        if let Some(route) = &exchange.route {
            let one = RequestTally::of(exchange, status);
            self.count_at(clock::unix_seconds(), &route.host.place, &one);
        }
    }

    fn count_at(&self, now: i64, place: &Arc<Place>, one: &RequestTally) {
        let mut minutes = self.threads.own();
        let began = now - now.rem_euclid(MINUTE_SECONDS);
        // A new minute has begun, or the clock was set.
        if minutes.last().is_none_or(|last| last.began != began) {
            let mut entries: usize = minutes.iter().map(|minute| minute.places.len()).sum();
            while minutes.len() >= MAX_MINUTES || entries > MAX_ENTRIES {
                entries -= minutes.remove(0).places.len();
            }
            minutes.push(Minute {
                began,
                places: HashMap::new(),
            });
        }
        let places = &mut minutes.last_mut().expect("it was pushed").places;
        match places.get_mut(place) {
            Some(tally) => tally.add(one),
            None => {
                places.insert(Arc::clone(place), *one);
            }
        }
    }

    /// All that was counted since the last call, an entry for each host and minute.
    pub(crate) fn take(&self) -> Vec<RequestMetrics> {
        let mut all: HashMap<(i64, Arc<Place>), RequestTally> = HashMap::new();
        for minute in self.threads.take().flatten() {
            for (place, tally) in minute.places {
                all.entry((minute.began, place)).or_default().add(&tally);
            }
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        let told = all
            .into_iter()
            .map(|((minute, place), counts)| RequestMetrics {
                zone_id: place.zone_id.to_string(),
                host: place.host.to_string(),
                minute,
                counts,
            });
        told.collect()
    }
}

impl RequestTally {
    /// The count of one request.
    fn of(exchange: &Exchange, status: Option<u16>) -> Self {
        let mut one = Self {
            requests: 1,
            ..Self::default()
        };
        let verdict = exchange.action.verdict();
        *one.of_verdict(verdict) = 1;
        let operation = exchange.operation();
        let is_judged = operation.is_some_and(|operation| operation.validation.is_some());
        let is_protected = verdict.is_blocked() || is_judged || exchange.is_demanded;
        one.protected = u64::from(is_protected);
        let standing = exchange.route.as_ref();
        let standing = standing.and_then(|route| exchange.client.standing(&route.host));
        one.with_certificate = u64::from(standing.is_some_and(|one| one.verified && !one.revoked));
        let is_fallthrough = operation.is_none() && verdict != Verdict::BlockedOtherwise;
        one.fallthrough = u64::from(is_fallthrough);
        match status {
            _ if verdict.is_blocked() => {}
            Some(400..=499) => one.client_errors = 1,
            Some(500..=599) => one.server_errors = 1,
            _ => {}
        }
        one
    }

    fn of_verdict(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Logged => &mut self.logged,
            Verdict::BlockedOtherwise => &mut self.blocked_other,
            Verdict::BlockedBySchema => &mut self.blocked_schema,
            Verdict::BlockedByRule => &mut self.blocked_rule,
            Verdict::BlockedForCertificate => &mut self.blocked_certificate,
        }
    }

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.passed += other.passed;
        self.logged += other.logged;
        self.blocked_certificate += other.blocked_certificate;
        self.blocked_rule += other.blocked_rule;
        self.blocked_schema += other.blocked_schema;
        self.blocked_other += other.blocked_other;
        self.protected += other.protected;
        self.with_certificate += other.with_certificate;
        self.fallthrough += other.fallthrough;
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MAX_ENTRIES, MAX_MINUTES, Place, RequestCounts, RequestTally};

    const ONE: RequestTally = RequestTally {
        requests: 1,
        passed: 1,
        logged: 0,
        blocked_certificate: 0,
        blocked_rule: 0,
        blocked_schema: 0,
        blocked_other: 0,
        protected: 0,
        with_certificate: 0,
        fallthrough: 1,
        client_errors: 0,
        server_errors: 0,
    };

    fn place(host: &str) -> Arc<Place> {
        Arc::new(Place {
            zone_id: "z".into(),
            host: host.into(),
        })
    }

    #[test]
    fn counts_of_all_threads_are_told_once_by_host_and_minute() {
        let counts = Arc::new(RequestCounts::default());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let counts = Arc::clone(&counts);
                std::thread::spawn(move || {
                    // The same host of two snapshots is one.
                    for place in [place("a"), place("a"), place("b")] {
                        counts.count_at(119, &place, &ONE);
                    }
                    counts.count_at(120, &place("a"), &ONE);
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        let told: Vec<_> = counts
            .take()
            .into_iter()
            .map(|one| (one.minute, one.host, one.counts.requests))
            .collect();
        let told: Vec<_> = told
            .iter()
            .map(|(at, host, count)| (*at, &**host, *count))
            .collect();
        assert_eq!(told, [(60, "a", 8), (60, "b", 4), (120, "a", 4)]);
        assert!(counts.take().is_empty());
    }

    #[test]
    fn what_nobody_takes_is_bounded() {
        let counts = RequestCounts::default();
        for minute in 0..3000 {
            counts.count_at(minute * 60, &place("a"), &ONE);
        }
        let told = counts.take();
        assert_eq!(told.len(), MAX_MINUTES);
        assert_eq!(told.last().map(|one| one.minute), Some(2999 * 60));
        let places: Vec<_> = (0..1000)
            .map(|number| place(&format!("h{number}")))
            .collect();
        for minute in 0..50 {
            for place in &places {
                counts.count_at(minute * 60, place, &ONE);
            }
        }
        let told = counts.take();
        assert!(told.len() <= MAX_ENTRIES + places.len(), "{}", told.len());
        assert_eq!(told.last().map(|one| one.minute), Some(49 * 60));
    }
}
