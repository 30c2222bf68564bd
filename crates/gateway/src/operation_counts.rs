//! What is counted for each saved operation: requests, errors, how long they took. All requests count, sampled or not.

use std::collections::HashMap;
use std::time::Duration;

use hauberk_traffic::Sketch;
use serde::Serialize;

use crate::clock;
use crate::shards::Shards;

/// Counts nobody takes are kept for so many hours; older ones are dropped, so that memory is bounded.
const MAX_HOURS: usize = 24;

const HOUR_SECONDS: i64 = 3600;

/// What happened to one saved operation since it was last told, within one hour of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationMetrics {
    /// As in the snapshot.
    pub operation_id: String,
    /// When the hour began, in seconds since 1970; a multiple of 3600.
    pub hour: i64,
    /// All requests, refused ones included.
    pub requests: u64,
    /// Of these, answered with 400 to 499.
    pub client_errors: u64,
    /// Of these, answered with 500 to 599.
    pub server_errors: u64,
    /// When the last of them ended, in seconds since 1970.
    pub last_seen: i64,
    /// Microseconds from the head of the request to the end of the response, as [`Sketch::to_text`] writes them.
    pub latency: String,
}

/// The counts of all threads.
#[derive(Default)]
pub(crate) struct OperationCounts {
    threads: Shards<Vec<Hour>>,
}

/// By the id of the operation.
struct Hour {
    began: i64,
    operations: HashMap<Box<str>, Counts>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    client_errors: u64,
    server_errors: u64,
    last_seen: i64,
    latency: Sketch,
}

impl OperationCounts {
    /// A request of the operation has ended; without a status the client was gone before.
    pub(crate) fn count(&self, operation_id: &str, status: Option<u16>, took: Duration) {
        self.count_at(clock::unix_seconds(), operation_id, status, took);
    }

    fn count_at(&self, now: i64, operation_id: &str, status: Option<u16>, took: Duration) {
        let mut hours = self.threads.own();
        let hour = now - now.rem_euclid(HOUR_SECONDS);
        // A new hour has begun, or the clock was set.
        if hours.last().is_none_or(|last| last.began != hour) {
            if hours.len() >= MAX_HOURS {
                hours.remove(0);
            }
            hours.push(Hour {
                began: hour,
                operations: HashMap::new(),
            });
        }
        let operations = &mut hours.last_mut().expect("it was pushed").operations;
        let counts = match operations.get_mut(operation_id) {
            Some(counts) => counts,
            None => operations.entry(operation_id.into()).or_default(),
        };
        counts.requests += 1;
        match status {
            Some(400..=499) => counts.client_errors += 1,
            Some(500..=599) => counts.server_errors += 1,
            _ => {}
        }
        counts.last_seen = counts.last_seen.max(now);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counts.latency.record(microseconds);
    }

    /// All that was counted since the last call, an entry for each operation and hour.
    pub(crate) fn take(&self) -> Vec<OperationMetrics> {
        let mut all: HashMap<(i64, Box<str>), Counts> = HashMap::new();
        for hour in self.threads.take().flatten() {
            for (operation_id, counts) in hour.operations {
                all.entry((hour.began, operation_id))
                    .or_default()
                    .merge(&counts);
            }
        }
        let metrics = all
            .into_iter()
            .map(|((hour, operation_id), counts)| OperationMetrics {
                operation_id: operation_id.into(),
                hour,
                requests: counts.requests,
                client_errors: counts.client_errors,
                server_errors: counts.server_errors,
                last_seen: counts.last_seen,
                latency: counts.latency.to_text(),
            });
        let mut metrics: Vec<_> = metrics.collect();
        metrics.sort_by(|one, other| {
            (one.hour, &one.operation_id).cmp(&(other.hour, &other.operation_id))
        });
        metrics
    }
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
        self.last_seen = self.last_seen.max(other.last_seen);
        self.latency.merge(&other.latency);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{MAX_HOURS, OperationCounts};

    #[test]
    fn counts_of_all_threads_are_told_once_by_operation_and_hour() {
        let counts = Arc::new(OperationCounts::default());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let counts = Arc::clone(&counts);
                std::thread::spawn(move || {
                    let took = Duration::from_millis(2);
                    for status in [Some(200), Some(404), Some(503), None] {
                        counts.count_at(7_199, "a", status, took);
                    }
                    counts.count_at(7_200, "a", Some(200), took);
                    counts.count_at(7_300, "b", Some(200), took);
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        let told = counts.take();
        let ids: Vec<_> = told
            .iter()
            .map(|one| (one.hour, &*one.operation_id, one.requests, one.last_seen))
            .collect();
        assert_eq!(
            ids,
            [
                (3_600, "a", 16, 7_199),
                (7_200, "a", 4, 7_200),
                (7_200, "b", 4, 7_300)
            ]
        );
        assert_eq!((told[0].client_errors, told[0].server_errors), (4, 4));
        assert_eq!(told[0].latency.split_once(':').unwrap().1, "16");
        assert!(counts.take().is_empty());
    }

    #[test]
    fn what_nobody_takes_is_bounded() {
        let counts = OperationCounts::default();
        for hour in 0..100 {
            counts.count_at(hour * 3600, "a", Some(200), Duration::ZERO);
        }
        let told = counts.take();
        assert_eq!(told.len(), MAX_HOURS);
        assert_eq!(told[0].hour, 76 * 3600);
    }
}
