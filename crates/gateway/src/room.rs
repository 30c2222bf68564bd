//! The memory that held bodies may take altogether, so that many clients cannot use up that of the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes are held in all requests of a gateway.
#[derive(Default)]
pub(crate) struct Room {
    taken: AtomicUsize,
}

/// What one request has taken, until it is dropped.
#[derive(Default)]
pub(crate) struct Share {
    room: Option<Arc<Room>>,
    bytes: usize,
}

impl Room {
    /// A share of no bytes yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share {
            room: Some(Arc::clone(self)),
            bytes: 0,
        }
    }
}

impl Share {
    /// Takes `bytes` more, or nothing if all shares together would exceed `max`.
    pub(crate) fn grow(&mut self, bytes: usize, max: usize) -> bool {
        let Some(room) = &self.room else {
            return false;
        };
        // One that came too late gives back at once.
        let before = room.taken.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.checked_add(bytes).is_some_and(|taken| taken <= max);
        if fits {
            self.bytes += bytes;
        } else {
            room.taken.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Room;
    use std::sync::Arc;

    #[test]
    fn shares_fit_into_the_room_and_leave_it() {
        let room = Arc::new(Room::default());
        let (mut one, mut other) = (room.share(), room.share());
        assert!(one.grow(60, 100));
        assert!(other.grow(40, 100));
        assert!(!other.grow(1, 100));
        drop(one);
        assert!(other.grow(60, 100));
        assert!(!other.grow(usize::MAX, 100));
        drop(other);
        assert!(room.share().grow(100, 100));
    }
}
