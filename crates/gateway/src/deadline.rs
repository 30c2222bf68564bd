//! A request's head must be complete in time, however slowly its bytes drip.
//!
//! Pingora bounds the wait for the next bytes, not for the whole head, so a client that sends a byte a minute would
//! keep its connection for hours. Pingora reads the head and serves the request in one future; [`Deadline`] drops that
//! future, and with it the connection, unless the head was complete by then. It learns of that from
//! [`head_was_read`], which the first phase after the head calls in the same poll.

use std::cell::Cell;
use std::future::{Future, Pending, pending};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pingora_timeout::fast_timeout::FastOrTokioTimeout;
use pingora_timeout::{Timeout, timeout};

thread_local! {
    static HEAD_WAS_READ: Cell<bool> = const { Cell::new(false) };
}

/// Tells the [`Deadline`] around the current future that it has no more to watch.
pub(crate) fn head_was_read() {
    HEAD_WAS_READ.set(true);
}

/// A future that ends with none when the head of a request is not complete in time.
pub(crate) struct Deadline<F> {
    future: F,
    wait: Duration,
    stage: Stage,
}

enum Stage {
    /// The connection has served a request. It may be silent for a while before the next, which whatever watches the
    /// silence ends; as many wake-ups as this are let pass before the wait begins.
    Idle(u8),
    /// The head is to come. Most heads come whole, at the first wake-up: there is no timer before.
    Waiting(Option<Timer>),
    /// Nothing is left to watch.
    Read,
}

/// Pingora's timers are shared by all that end within the same hundredth of a second, which makes them cheap.
type Timer = Timeout<Pending<()>, FastOrTokioTimeout>;

impl<F> Deadline<F> {
    /// For the first request of a connection, which may take `wait` from now on.
    pub(crate) fn first(future: F, wait: Duration) -> Self {
        Self {
            future,
            wait,
            stage: Stage::Waiting(None),
        }
    }

    /// For a later one, which may take `wait` from about its first bytes on. The future is looked at once to begin
    /// with, and once more because what ended the exchange before it wakes it up; a timer for that would be made, and
    /// thrown away, for each request. A client that sends one byte and stops is then found by whoever watches the
    /// silence, a client that sends more by this.
    pub(crate) fn next(future: F, wait: Duration) -> Self {
        Self {
            future,
            wait,
            stage: Stage::Idle(2),
        }
    }
}

impl<T, F: Future<Output = Option<T>> + Unpin> Future for Deadline<F> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        let future = Pin::new(&mut this.future);
        if matches!(this.stage, Stage::Read) {
            return future.poll(context);
        }
        HEAD_WAS_READ.set(false);
        let polled = future.poll(context);
        if polled.is_ready() {
            return polled;
        }
        if HEAD_WAS_READ.replace(false) {
            this.stage = Stage::Read;
        }
        match &mut this.stage {
            Stage::Read => Poll::Pending,
            Stage::Idle(passes @ 1..) => {
                *passes -= 1;
                Poll::Pending
            }
            Stage::Idle(0) => {
                this.stage = Stage::Waiting(Some(timeout(this.wait, pending())));
                this.poll_timer(context)
            }
            Stage::Waiting(timer) => {
                timer.get_or_insert_with(|| timeout(this.wait, pending()));
                this.poll_timer(context)
            }
        }
    }
}

impl<F> Deadline<F> {
    fn poll_timer<T>(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        match &mut self.stage {
            Stage::Waiting(Some(timer)) => Pin::new(timer).poll(context).map(|_| None),
            _ => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::time::Duration;

    use super::{Deadline, head_was_read};

    const SHORT: Duration = Duration::from_millis(20);

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime without threads");
        runtime.block_on(future)
    }

    /// Bytes that come one by one, and never make a head.
    async fn drip() -> Option<()> {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[test]
    fn a_head_that_does_not_come_ends_the_wait() {
        let never = pin!(pending::<Option<()>>());
        assert_eq!(run(Deadline::first(never, SHORT)), None);
    }

    #[test]
    fn a_head_that_drips_ends_the_wait() {
        assert_eq!(run(Deadline::first(pin!(drip()), SHORT)), None);
        assert_eq!(run(Deadline::next(pin!(drip()), SHORT)), None);
    }

    #[test]
    fn a_request_may_take_its_time_once_its_head_was_read() {
        let slow = || async {
            tokio::task::yield_now().await;
            head_was_read();
            tokio::time::sleep(5 * SHORT).await;
            Some(())
        };
        let first = pin!(slow());
        assert_eq!(run(Deadline::first(first, SHORT)), Some(()));
        let next = pin!(slow());
        assert_eq!(run(Deadline::next(next, SHORT)), Some(()));
    }
}
