//! The gateway as its owner sees it: made, given snapshots, run, stopped.

use std::net::SocketAddr;
use std::time::Duration;

use crate::error::{Error, Refused};
use crate::events::{Event, EventQueue};
use crate::options::Options;

/// What came of applying a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The version now enforced.
    pub version: u64,
    /// What was loaded but will not be enforced, for people to read.
    pub warnings: Vec<String>,
}

/// A reverse proxy that enforces the newest snapshot it was given.
pub struct Gateway {
    options: Options,
    events: EventQueue,
}

impl Gateway {
    /// Binds the addresses; connections wait in the backlog until [`Gateway::run`].
    ///
    /// # Errors
    ///
    /// An address that is in use or not ours, named in the message.
    pub fn new(options: Options) -> Result<Self, Error> {
        let events = EventQueue::new(options.event_queue);
        Ok(Self { options, events })
    }

    /// The bound addresses with TLS, in the order of the options.
    pub fn https_addresses(&self) -> &[SocketAddr] {
        &self.options.https
    }

    /// The bound addresses without TLS, in the order of the options.
    pub fn http_addresses(&self) -> &[SocketAddr] {
        &self.options.http
    }

    /// Checks a snapshot and enforces it from the next request on.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it; what was enforced stays.
    pub fn apply_snapshot(&self, bytes: &[u8]) -> Result<Applied, Refused> {
        Err(Refused::new("header", bytes.len()))
    }

    /// The version enforced, if any.
    pub fn version(&self) -> Option<u64> {
        None
    }

    /// Serves until [`Gateway::stop`]. Installs no signal handlers.
    ///
    /// # Errors
    ///
    /// When threads cannot be had, or it ran before.
    pub fn run(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Stops accepting, lets requests in flight finish for up to `grace`, then lets [`Gateway::run`] return.
    pub fn stop(&self, _grace: Duration) {}

    /// The oldest events, at most `max`; waits up to `wait` for the first.
    pub fn take_events(&self, max: usize, wait: Duration) -> Vec<Event> {
        self.events.take(max, wait)
    }

    /// How many events were dropped because nobody took them.
    pub fn events_dropped(&self) -> u64 {
        self.events.dropped()
    }

    /// The counters in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        String::new()
    }
}
