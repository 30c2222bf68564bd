//! The turns of a thread that serves: what it does between two waits for events.
//!
//! What connections have to send is sent at the end of a turn. Head and body of a message leave in one segment, and an
//! origin or client that slept wakes up once for all that the turn has for it.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::runtime::Builder;

use crate::wire::Line;

/// How many connections may have something to send before it is sent, so that nobody waits for a long turn.
const MAX_HELD: usize = 16;

thread_local! {
    /// The connections with something to send; none on a thread that has no turns.
    static HELD: RefCell<Option<Vec<Arc<Line>>>> = const { RefCell::new(None) };
}

/// Makes the thread that will run this runtime take turns, once it [`begin`]s.
pub(crate) fn taken_by(runtime: &mut Builder) -> &mut Builder {
    // Called when no task is left to be run, before the thread waits for events.
    runtime.on_thread_park(end)
}

/// The current thread takes turns from now on: [`end`] will be called.
pub(crate) fn begin() {
    HELD.set(Some(Vec::with_capacity(MAX_HELD)));
}

/// Keeps in mind that a connection has something to send; false on a thread without turns.
pub(crate) fn hold(line: &Arc<Line>) -> bool {
    let is_full = HELD.with_borrow_mut(|held| {
        let held = held.as_mut()?;
        held.push(Arc::clone(line));
        Some(held.len() >= MAX_HELD)
    });
    if is_full == Some(true) {
        end();
    }
    is_full.is_some()
}

/// Sends what was held.
pub(crate) fn end() {
    let mut lines =
        HELD.with_borrow_mut(|held| held.as_mut().map(std::mem::take).unwrap_or_default());
    for line in lines.drain(..) {
        line.end_turn();
    }
    HELD.with_borrow_mut(|held| {
        if let Some(held) = held
            && held.is_empty()
        {
            // Its memory, for the next turn.
            *held = lines;
        }
    });
}
