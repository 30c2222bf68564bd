//! A queue that takes what fits, and never makes anybody wait to put something in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Items in the order they came, at most so many and so large.
pub(super) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    arrived: Condvar,
    max_items: usize,
    max_bytes: usize,
}

struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    /// Whether everybody who takes should stop waiting.
    ended: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(max_items: usize, max_bytes: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                items: VecDeque::new(),
                bytes: 0,
                ended: false,
            }),
            arrived: Condvar::new(),
            max_items,
            max_bytes,
        }
    }

    /// Queues an item; false, and the item is gone, if there is no room for it.
    pub(super) fn push(&self, item: T, bytes: usize) -> bool {
        let mut waiting = self.waiting.lock();
        let fits = waiting.items.len() < self.max_items && waiting.bytes + bytes <= self.max_bytes;
        if fits {
            waiting.items.push_back((item, bytes));
            waiting.bytes += bytes;
        }
        let is_first = fits && waiting.items.len() == 1;
        drop(waiting);
        if is_first {
            self.arrived.notify_one();
        }
        fits
    }

    /// Waits until there is something, or the end. True if it was told to end.
    pub(super) fn wait(&self) -> bool {
        let mut waiting = self.waiting.lock();
        while waiting.items.is_empty() && !waiting.ended {
            self.arrived.wait(&mut waiting);
        }
        waiting.ended
    }

    /// Nobody waits for items any more.
    pub(super) fn end(&self) {
        self.waiting.lock().ended = true;
        self.arrived.notify_all();
    }

    /// The oldest items of about so many bytes together, at least one if there is any; waits for the first.
    pub(super) fn take(&self, most_bytes: usize, wait: Duration) -> Vec<T> {
        let deadline = Instant::now() + wait;
        let mut waiting = self.waiting.lock();
        while waiting.items.is_empty() && !waiting.ended {
            if self.arrived.wait_until(&mut waiting, deadline).timed_out() {
                break;
            }
        }
        let mut taken = Vec::new();
        let mut bytes: usize = 0;
        while let Some((_, size)) = waiting.items.front() {
            if !taken.is_empty() && bytes + size > most_bytes {
                break;
            }
            bytes += size;
            taken.extend(waiting.items.pop_front().map(|(item, _)| item));
        }
        waiting.bytes -= bytes;
        if waiting.items.is_empty() {
            // A burst must not keep its memory.
            waiting.items.shrink_to(1024);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Queue;

    #[test]
    fn it_takes_what_fits_and_gives_it_in_order() {
        let queue = Queue::new(3, 100);
        assert!(queue.push("a", 60));
        assert!(!queue.push("too large", 41));
        assert!(queue.push("b", 40));
        assert_eq!(queue.take(60, Duration::ZERO), ["a"]);
        assert!(queue.push("c", 60));
        assert!(!queue.push("d", 1));
        assert_eq!(queue.take(99, Duration::ZERO), ["b"]);
        for item in ["d", "e"] {
            assert!(queue.push(item, 0));
        }
        assert!(!queue.push("too many", 0));
        assert_eq!(queue.take(1, Duration::ZERO), ["c"], "at least one");
        assert_eq!(queue.take(usize::MAX, Duration::ZERO), ["d", "e"]);
        assert!(queue.take(1, Duration::from_millis(1)).is_empty());
        assert!(queue.push("all room is back", 100));
        queue.end();
        assert!(queue.wait());
        assert_eq!(queue.take(1, Duration::from_mins(10)).len(), 1);
        assert!(queue.take(1, Duration::from_mins(10)).is_empty());
    }
}
