//! A TCP connection that sends, at the end of a turn of its thread, all that was written in that turn.
//!
//! Pingora writes the head of a request, flushes it, and then writes the body: two segments, two system calls and two
//! wake-ups of the origin, where one would do. Here a flush of little is a promise: the bytes are held, and leave when
//! all tasks of the thread that have something to do were run (see [`turn`](crate::turn)). Nothing is waited for:
//! what is not here by then leaves in the next turn.
//!
//! What is too much to be held is sent at once, from where it is, together with what was held before it.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Write as _};
use std::net::{self, Shutdown as Ways, TcpStream};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    TimingDigest, UniqueID, UniqueIDType,
};
use pingora_timeout::timeout;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::runtime::Handle;

use crate::turn;

/// How much is held for the end of the turn.
const HELD_BYTES: usize = 16 * 1024;

/// What a connection without anything to send keeps for the next time.
const KEPT_BYTES: usize = 4 * 1024;

/// How long a connection that is done with may take to send the rest of what was held.
const LINGER: Duration = Duration::from_secs(5);

/// A connection; Pingora's sessions read and write it.
pub(crate) struct Wire {
    line: Arc<Line>,
    digest: Arc<SocketDigest>,
    /// How long it may rest before it is used again.
    max_rest: Option<Duration>,
    /// Since when it rests, if it does.
    rests_since: Option<Instant>,
}

/// What the end of the turn needs of a connection.
pub(crate) struct Line {
    socket: AsyncFd<TcpStream>,
    out: Mutex<Out>,
}

#[derive(Default)]
struct Out {
    held: Vec<u8>,
    /// How much of it is sent.
    sent: usize,
    /// The end of the turn knows of it.
    queued: bool,
    /// The socket took no more, and a task waits until it does.
    draining: bool,
    /// Sending failed when nobody was there to be told.
    failed: Option<ErrorKind>,
}

impl Wire {
    /// Takes over a connected socket that does not block.
    ///
    /// # Errors
    ///
    /// When the system has no room to watch it.
    pub(crate) fn new(socket: TcpStream, peer: net::SocketAddr) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let digest = SocketDigest::from_raw_fd(socket.as_raw_fd());
        // Known, so that it need not be asked for. The cell is new, so it is free.
        let _ = digest.peer_addr.set(Some(SocketAddr::Inet(peer)));
        // SAFETY: a stream names the same descriptor all its life, and keeps it open.
        let socket = unsafe { AsyncFd::register(socket) }?;
        let out = Mutex::default();
        Ok(Self {
            line: Arc::new(Line { socket, out }),
            digest: Arc::new(digest),
            max_rest: None,
            rests_since: None,
        })
    }

    /// Has a connection that rested longer than this be seen as closed by whoever would use it again.
    pub(crate) fn rests_at_most(mut self, rest: Duration) -> Self {
        self.max_rest = Some(rest);
        self
    }

    /// Whether the connection has rested too long to be used again.
    ///
    /// Pingora asks for a single byte, and for nothing else so few, to learn whether a connection may be kept and, when it
    /// is to be used again, whether it still may. Two looks at the clock are cheaper than a timer for each request.
    fn is_stale(&mut self, asked: usize) -> bool {
        let Some(max_rest) = self.max_rest else {
            return false;
        };
        asked == 1 && self.rests_since.get_or_insert_with(Instant::now).elapsed() > max_rest
    }
}

impl Line {
    /// Sends what was held in the turn that ends.
    pub(crate) fn end_turn(self: &Arc<Self>) {
        let mut out = self.out.lock();
        out.queued = false;
        if out.draining {
            return;
        }
        match self.send_held(&mut out) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                out.draining = true;
                tokio::spawn(Arc::clone(self).drain());
            }
            Err(error) => self.fail(&mut out, &error),
            Ok(()) => {}
        }
    }

    fn send_held(&self, out: &mut Out) -> io::Result<()> {
        while out.sent < out.held.len() {
            let send = |mut socket: &TcpStream| socket.write(&out.held[out.sent..]);
            match self.socket.try_io(Interest::WRITABLE, send) {
                Ok(count) => out.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        out.clear();
        Ok(())
    }

    /// Whoever reads learns of it at once, whoever writes when it does.
    fn fail(&self, out: &mut Out, error: &io::Error) {
        out.clear();
        out.failed = Some(error.kind());
        // It may be gone already.
        let _ = self.socket.get_ref().shutdown(Ways::Both);
    }

    /// Sends what is held as the socket takes it.
    async fn drain(self: Arc<Self>) {
        loop {
            let writable = self.socket.writable().await;
            let mut out = self.out.lock();
            let sent = match writable {
                // Tried although another turn may have found it full again since: then it is waited for again.
                Ok(_) => self.send_held(&mut out),
                Err(error) => Err(error),
            };
            match sent {
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => self.fail(&mut out, &error),
                Ok(()) => {}
            }
            out.draining = false;
            return;
        }
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        out: &mut Out,
        more: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.socket.poll_write_ready(context))?;
            let held = &out.held[out.sent..];
            let parts = [IoSlice::new(held), IoSlice::new(more)];
            match ready.try_io(|socket| socket.get_ref().write_vectored(&parts)) {
                Ok(Ok(count)) if count < held.len() => out.sent += count,
                Ok(Ok(count)) => {
                    let count = count - held.len();
                    out.clear();
                    if count > 0 || more.is_empty() {
                        return Poll::Ready(Ok(count));
                    }
                }
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl Out {
    fn clear(&mut self) {
        if self.held.capacity() > KEPT_BYTES {
            self.held = Vec::new();
        } else {
            self.held.clear();
        }
        self.sent = 0;
    }

    fn is_empty(&self) -> bool {
        self.sent == self.held.len()
    }

    fn check(&self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_stale(buffer.remaining()) {
            return Poll::Ready(Ok(()));
        }
        loop {
            let mut ready = ready!(self.line.socket.poll_read_ready(context))?;
            // SAFETY: nothing is written there but what the system reads.
            let free = unsafe { buffer.unfilled_mut() };
            let receive = |socket: &AsyncFd<TcpStream>| {
                // SAFETY: the descriptor is open, and pointer and length are those of memory that is ours to fill.
                let count = unsafe {
                    libc::recv(socket.as_raw_fd(), free.as_mut_ptr().cast(), free.len(), 0)
                };
                usize::try_from(count).map_err(|_| io::Error::last_os_error())
            };
            match ready.try_io(receive) {
                Ok(Ok(count)) => {
                    if 0 < count && count < free.len() {
                        // There is no more, and the system tells of what comes next.
                        ready.clear_ready();
                    }
                    // SAFETY: the system has filled as much.
                    unsafe { buffer.assume_init(count) };
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.rests_since = None;
        let mut out = self.line.out.lock();
        out.check()?;
        if out.held.len() + bytes.len() <= HELD_BYTES {
            out.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.line.poll_send(context, &mut out, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.line.out.lock();
        out.check()?;
        if out.is_empty() || out.queued || out.draining {
            return Poll::Ready(Ok(()));
        }
        out.queued = true;
        drop(out);
        if turn::hold(&self.line) {
            return Poll::Ready(Ok(()));
        }
        // A thread without turns.
        let mut out = self.line.out.lock();
        out.queued = false;
        self.line.poll_send(context, &mut out, &[]).map_ok(drop)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.line.out.lock();
        if !out.is_empty() {
            ready!(self.line.poll_send(context, &mut out, &[]))?;
        }
        Poll::Ready(self.line.socket.get_ref().shutdown(Ways::Write))
    }
}

impl Drop for Wire {
    /// What was flushed arrives, also when the connection is dropped in the same turn.
    fn drop(&mut self) {
        let mut out = self.line.out.lock();
        if out.is_empty() || out.draining {
            return;
        }
        let Err(error) = self.line.send_held(&mut out) else {
            return;
        };
        if error.kind() == ErrorKind::WouldBlock
            && let Ok(runtime) = Handle::try_current()
        {
            out.draining = true;
            let line = Arc::clone(&self.line);
            runtime.spawn(async { timeout(LINGER, line.drain()).await });
        }
    }
}

#[async_trait]
impl Shutdown for Wire {
    async fn shutdown(&mut self) {
        // The connection ends, this way or that.
        let _ = timeout(LINGER, AsyncWriteExt::shutdown(self)).await;
    }
}

impl UniqueID for Wire {
    fn id(&self) -> UniqueIDType {
        self.line.socket.as_raw_fd()
    }
}

impl Ssl for Wire {}

impl Peek for Wire {}

impl GetTimingDigest for Wire {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for Wire {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for Wire {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(Arc::clone(&self.digest))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Wire").field(&self.id()).finish()
    }
}

#[cfg(test)]
mod tests;
