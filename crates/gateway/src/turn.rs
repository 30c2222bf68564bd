//! The turns of a thread that serves: what its tasks do from one wake-up to the next.
//!
//! What connections have to send is sent at the end of a turn. Head and body of a message leave in one segment, and an
//! origin or client that slept wakes up once for all that the turn has for it.
//!
//! A turn ends with a task of its own, woken when something is held for the first time. Tasks are run in the order in
//! which they were woken, so it comes after all that were waiting by then; it goes to the end of the queue a few times
//! more, since a request that takes a connection out of the pool waits for the task that watched it. Then it ends the
//! turn, whoever else waits: no task that keeps itself busy can put off what others have to send.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::wire::Line;

/// How many connections may have something to send before it is sent.
const MAX_HELD: usize = 32;

/// How often the task that ends a turn lets all others go first: a request, the watcher of its connection, the request.
const LAPS: u8 = 3;

thread_local! {
    /// None on a thread that has no turns.
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

struct Turn {
    /// The connections with something to send.
    held: Vec<Arc<Line>>,
    /// Of the task that ends it.
    end: Waker,
    /// How often that task lets the others go first.
    laps: u8,
}

/// Takes turns on the current thread, for ever; a task of its runtime.
pub(crate) async fn take() {
    poll_fn(|context| {
        begin(context.waker());
        if is_last_lap() {
            end();
        }
        Poll::<()>::Pending
    })
    .await;
}

/// The current thread takes turns from now on, if it does not yet: [`end`] is called once `end` was woken.
pub(crate) fn begin(end: &Waker) {
    TURN.with_borrow_mut(|turn| match turn {
        Some(turn) => turn.end.clone_from(end),
        None => {
            *turn = Some(Turn {
                held: Vec::with_capacity(MAX_HELD),
                end: end.clone(),
                laps: 0,
            });
        }
    });
}

/// Otherwise the task that ends the turn is woken once more.
fn is_last_lap() -> bool {
    TURN.with_borrow_mut(|turn| {
        let Some(turn) = turn else {
            return true;
        };
        turn.laps = turn.laps.saturating_sub(1);
        if turn.laps == 0 || turn.held.is_empty() {
            return true;
        }
        turn.end.wake_by_ref();
        false
    })
}

/// Keeps in mind that a connection has something to send; false on a thread without turns.
pub(crate) fn hold(line: &Arc<Line>) -> bool {
    let is_full = TURN.with_borrow_mut(|turn| {
        let turn = turn.as_mut()?;
        if turn.held.is_empty() {
            turn.laps = LAPS;
            turn.end.wake_by_ref();
        }
        turn.held.push(Arc::clone(line));
        Some(turn.held.len() >= MAX_HELD)
    });
    if is_full == Some(true) {
        end();
    }
    is_full.is_some()
}

/// Sends what was held.
pub(crate) fn end() {
    let held =
        TURN.with_borrow_mut(|turn| turn.as_mut().map(|turn| std::mem::take(&mut turn.held)));
    let Some(mut held) = held else {
        return;
    };
    for line in held.drain(..) {
        line.end_turn();
    }
    TURN.with_borrow_mut(|turn| {
        if let Some(turn) = turn
            && turn.held.is_empty()
        {
            // Its memory, for the next turn.
            turn.held = held;
        }
    });
}
