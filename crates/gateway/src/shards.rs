//! What threads count apart from each other. Only whoever takes the counts meets a thread at its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

/// Counts are kept apart for so many threads; more share.
const SHARDS: usize = 64;

/// One `T` for each thread.
pub(crate) struct Shards<T> {
    all: Box<[Shard<T>]>,
}

/// Aligned so that two of them are never in one line of a cache.
#[repr(align(128))]
#[derive(Default)]
struct Shard<T>(Mutex<T>);

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self {
            all: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }
}

impl<T: Default> Shards<T> {
    /// What the current thread counts.
    pub(crate) fn own(&self) -> MutexGuard<'_, T> {
        self.all[index()].0.lock()
    }

    /// What each thread counted; all begin anew.
    pub(crate) fn take(&self) -> impl Iterator<Item = T> {
        self.all
            .iter()
            .map(|shard| std::mem::take(&mut *shard.0.lock()))
    }
}

/// Where the current thread counts.
fn index() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    OWN.get().unwrap_or_else(|| {
        let own = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
        OWN.set(Some(own));
        own
    })
}
