//! How many connections there may be at a time, so that clients cannot use up the descriptors of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The connections of a gateway, from accepted to closed.
pub(crate) struct Seats {
    taken: AtomicUsize,
    max: usize,
}

/// The place of one connection, until it is dropped.
pub(crate) struct Seat(Arc<Seats>);

impl Seats {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            taken: AtomicUsize::new(0),
            max,
        })
    }

    /// None when all are taken.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Seat> {
        let seat = Seat(Arc::clone(self));
        // One that came too late gives it back at once.
        (self.taken.fetch_add(1, Ordering::Relaxed) < self.max).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
