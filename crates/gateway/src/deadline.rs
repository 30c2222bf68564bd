//! A request's head must be complete in time, however slowly its bytes drip.
//!
//! Pingora bounds the wait for the next bytes, not for the whole head, so a client that sends a byte a minute would
//! keep its connection for hours. Pingora reads the head and serves the request in one future; [`Deadline`] drops that
//! future, and with it the connection, unless the head was complete by then. It learns of that from
//! [`head_was_read`], which the first phase after the head calls in the same poll.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

thread_local! {
    static HEAD_WAS_READ: Cell<bool> = const { Cell::new(false) };
}

/// Tells the [`Deadline`] around the current future that it has no more to watch.
pub(crate) fn head_was_read() {
    HEAD_WAS_READ.set(true);
}

/// A future that ends with none when the head of a request is not complete in time.
pub(crate) struct Deadline<F> {
    future: Pin<Box<F>>,
    /// None once the head was read.
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<F> Deadline<F> {
    pub(crate) fn new(future: F, wait: Duration) -> Self {
        Self {
            future: Box::pin(future),
            timer: Some(Box::pin(tokio::time::sleep(wait))),
        }
    }
}

impl<T, F: Future<Output = Option<T>>> Future for Deadline<F> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        if self.timer.is_none() {
            return self.future.as_mut().poll(context);
        }
        HEAD_WAS_READ.set(false);
        let polled = self.future.as_mut().poll(context);
        if polled.is_ready() {
            return polled;
        }
        if HEAD_WAS_READ.replace(false) {
            self.timer = None;
            return Poll::Pending;
        }
        let timer = self.timer.as_mut().expect("it was there above");
        timer.as_mut().poll(context).map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::{Deadline, head_was_read};

    fn wait_for(future: impl Future<Output = Option<()>>) -> Option<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime without threads");
        runtime.block_on(async { Deadline::new(future, Duration::from_millis(20)).await })
    }

    #[test]
    fn a_head_that_does_not_come_ends_the_wait() {
        let never = async {
            pending::<()>().await;
            Some(())
        };
        assert_eq!(wait_for(never), None);
    }

    #[test]
    fn a_request_may_take_its_time_once_its_head_was_read() {
        let slow = async {
            tokio::task::yield_now().await;
            head_was_read();
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some(())
        };
        assert_eq!(wait_for(slow), Some(()));
    }
}
