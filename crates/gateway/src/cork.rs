//! Head and body of a request in one segment, where the connection to the origin has TLS. Without it, the connection is
//! a [`Wire`](crate::wire::Wire), which sees to that by itself.
//!
//! Pingora sends the head as soon as it is written, and then the body: two segments, two interrupts and two wake-ups of
//! the origin, where one would do. `TCP_CORK` holds the head back. It is taken out at the end of the very turn in which
//! it was put in: what is here of the body by then leaves with the head, and what is not is not waited for.

use std::cell::Cell;
use std::future::Future;
use std::os::fd::RawFd;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    /// The socket that is corked in this turn.
    static CORKED: Cell<Option<RawFd>> = const { Cell::new(None) };
}

/// Holds back what is written to a socket, until the current [`Turns`] end their turn.
pub(crate) fn cork(socket: RawFd) {
    // A second attempt in the same turn: the first socket is no longer of interest, or not even open.
    uncork();
    set(socket, true);
    CORKED.set(Some(socket));
}

fn uncork() {
    if let Some(socket) = CORKED.take() {
        set(socket, false);
    }
}

/// A future at the end of whose every turn nothing stays corked.
pub(crate) struct Turns<F>(pub(crate) F);

impl<F: Future + Unpin> Future for Turns<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let polled = Pin::new(&mut self.0).poll(context);
        uncork();
        polled
    }
}

/// Does its best: a request arrives either way.
#[cfg(target_os = "linux")]
fn set(socket: RawFd, corked: bool) {
    let corked = libc::c_int::from(corked);
    // SAFETY: the option is an int that outlives the call. The descriptor need not be that of an open socket: it was
    // when Pingora named it, but an exchange that failed within its turn has closed it. Then the call fails, or, if
    // another thread was given the number since, finds a socket that is not corked or that loses its cork a few
    // microseconds early, which costs that request a segment and nothing else. Nothing stays corked by mistake, since
    // only the end of a turn can meet a descriptor of somebody else's.
    unsafe {
        libc::setsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_CORK,
            (&raw const corked).cast(),
            libc::socklen_t::try_from(size_of_val(&corked)).expect("an int has four bytes"),
        );
    }
}

/// Other systems have no cork of this kind.
#[cfg(not(target_os = "linux"))]
fn set(_socket: RawFd, _corked: bool) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    use super::{Turns, cork};

    #[test]
    fn what_is_written_in_a_turn_leaves_when_it_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut far = listener.accept().unwrap().0;
        far.set_nonblocking(true).unwrap();
        let mut seen = [0; 16];
        let turn = Cell::new(0);
        let mut future = Turns(std::future::poll_fn(|_| {
            turn.set(turn.get() + 1);
            cork(near.as_raw_fd());
            near.write_all(b"head ").unwrap();
            assert!(far.read(&mut seen).is_err(), "it is held back");
            near.write_all(b"body").unwrap();
            std::task::Poll::<()>::Pending
        }));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(
            std::pin::Pin::new(&mut future)
                .poll(&mut context)
                .is_pending()
        );
        far.set_nonblocking(false).unwrap();
        far.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let count = far.read(&mut seen).unwrap();
        assert_eq!(&seen[..count], b"head body");
        assert_eq!(turn.get(), 1);
        assert!(
            !is_corked(&near),
            "not only because Linux lets go after 200 ms"
        );
    }

    fn is_corked(stream: &TcpStream) -> bool {
        let mut corked: libc::c_int = -1;
        let mut length = libc::socklen_t::try_from(size_of_val(&corked)).unwrap();
        // SAFETY: the socket is open, and both pointers are of the types the call wants.
        let got = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_CORK,
                (&raw mut corked).cast(),
                &raw mut length,
            )
        };
        assert_eq!(got, 0);
        corked != 0
    }
}
