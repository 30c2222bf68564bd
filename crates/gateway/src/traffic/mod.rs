//! Whole exchanges for the traffic store: a share of them, chosen when they begin, masked before anybody can read them.
//!
//! A sampled exchange leaves copies of its heads behind when its response has gone. A thread of its own masks and scores
//! them and queues the lines; whoever keeps traffic takes those. Requests wait for none of it: what does not fit into a
//! queue is dropped and counted.

mod queue;
mod recorder;
mod sample;
mod sampler;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use hauberk_traffic::Masker;

pub(crate) use recorder::Recorder;
pub(crate) use sample::Sample;

use crate::metrics::Metrics;
use queue::Queue;
use sample::Exchanged;
use sampler::Sampler;

/// How traffic is sampled.
#[derive(Clone)]
pub struct Sampling {
    /// Hides secrets, and tells sessions and clients apart, under a key that others do not know.
    pub masker: Masker,
    /// The share of exchanges that is sampled, from 0 to 1.
    pub sample_rate: f64,
    /// Most exchanges sampled in a second, by all threads together.
    pub max_per_second: f64,
    /// Largest request body (JSON or form) that is recorded, in bytes; 0 records none.
    pub max_body_bytes: usize,
}

impl fmt::Debug for Sampling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sampling")
            .field("sample_rate", &self.sample_rate)
            .field("max_per_second", &self.max_per_second)
            .field("max_body_bytes", &self.max_body_bytes)
            .finish_non_exhaustive()
    }
}

/// Exchanges that wait to be masked, in count and bytes. A thread that keeps up has fewer than this each time it looks.
const WAITING: usize = 4096;
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Masked transactions that wait to be taken, counted; in bytes it is an option.
const MASKED: usize = 100_000;

/// Between a request and whoever keeps traffic.
pub(crate) struct Traffic {
    /// None if nothing is sampled.
    drawing: ArcSwapOption<Drawing>,
    /// Unmasked.
    waiting: Queue<Exchanged>,
    masked: Queue<Box<str>>,
    dropped: AtomicU64,
}

/// Sampling in force; an exchange that was drawn ends under the one it was drawn by.
struct Drawing {
    sampler: Sampler,
    masker: Masker,
    max_body_bytes: usize,
}

impl Traffic {
    /// Samples nothing yet; beyond `queue_bytes` of masked transactions that wait, more are dropped.
    pub(crate) fn new(queue_bytes: usize) -> Self {
        Self {
            drawing: ArcSwapOption::empty(),
            waiting: Queue::new(WAITING, WAITING_BYTES),
            masked: Queue::new(MASKED, queue_bytes),
            dropped: AtomicU64::new(0),
        }
    }

    /// Samples like this from the next exchange on.
    pub(crate) fn sample(&self, sampling: Option<Sampling>) {
        let drawing = sampling.and_then(|sampling| {
            Some(Arc::new(Drawing {
                sampler: Sampler::new(sampling.sample_rate, sampling.max_per_second)?,
                masker: sampling.masker,
                max_body_bytes: sampling.max_body_bytes,
            }))
        });
        self.drawing.store(drawing);
    }

    /// Leaves an exchange to be masked.
    fn leave(&self, exchanged: Exchanged, metrics: &Metrics) {
        metrics.transactions.sampled.inc();
        let bytes = exchanged.size();
        if !self.waiting.push(exchanged, bytes) {
            self.dropped(1, metrics);
        }
    }

    /// The oldest masked transactions, each a line, of about so many bytes together and at least one; waits up to `wait`
    /// for the first.
    pub(crate) fn take(&self, most_bytes: usize, wait: Duration) -> Vec<u8> {
        let mut lines = Vec::new();
        for line in self.masked.take(most_bytes, wait) {
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
        }
        lines
    }

    fn dropped(&self, count: u64, metrics: &Metrics) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
        metrics.transactions.dropped_in_queue.inc_by(count);
    }

    /// How many were dropped here.
    pub(crate) fn dropped_count(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
