//! Holding a body until it is judged, and handing it on unchanged.
//!
//! Nothing is sent upstream before the verdict, so the body is read before Pingora looks for an upstream. Pingora then
//! believes it has sent nothing yet: what it replays for retries is its own buffer of at most 64 KiB. That buffer is
//! the cue to forward, and in its place goes what was held, whatever its size. Only a body of unknown length beyond
//! 64 KiB leaves no cue; [`held_session`] gives one.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header;
use pingora::ErrorType;
use pingora::proxy::Session;
use pingora_timeout::timeout;

use crate::held_session;
use crate::refusal::Refusal;
use crate::room::Share;

/// What Pingora's retry buffer takes.
const REPLAYED_BYTES: u64 = 64 * 1024;

/// A client that is silent for so long within the beginning of a body sends it bit by bit, and so it is forwarded.
const PAUSE: Duration = Duration::from_millis(50);

/// How much longer than one part of a held body all of it may take.
const WAITS: u32 = 10;

/// What the gateway has of the body of a request.
#[derive(Default)]
pub(crate) enum Held {
    /// Nothing: the body streams.
    #[default]
    Nothing,
    /// All of it. The flag tells whether this attempt to reach an upstream has sent it: Pingora hands on what it has of
    /// a body once more when trailers follow, and what was judged must arrive once.
    Whole(Bytes, bool),
    /// The beginning of a body that cannot be judged and goes on all the same.
    Beginning(Beginning),
}

/// What was read of a body before its reading was given up.
pub(crate) struct Beginning {
    bytes: Bytes,
    /// How many bytes at its end are in Pingora's buffer as well, which it sends first.
    buffered: usize,
    /// Whether this attempt to reach an upstream has sent it.
    sent: bool,
}

/// What came of reading.
pub(crate) enum Read {
    /// The whole body.
    Whole(Bytes),
    /// What was read, and why no more.
    Part(Bytes, Stopped),
}

/// What came of reading the beginning.
pub(crate) enum Start {
    /// The whole body.
    Whole(Bytes),
    /// What there is so far.
    Beginning(Bytes),
    /// Nothing came in time.
    TooSlow,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It is larger than what is judged.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// Held bodies take all the memory they may.
    NoRoom,
}

/// How much may be read, and for how long.
pub(crate) struct Bounds {
    /// Of this body.
    pub(crate) max_bytes: usize,
    /// Of all bodies held.
    pub(crate) max_held_bytes: usize,
    /// For one part of the body. All of it may take [`WAITS`] times as long.
    pub(crate) wait: Duration,
}

/// The length the client declared.
pub(crate) fn declared_length(session: &Session) -> Option<u64> {
    let length = session.req_header().headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Reads the body to its end, or as far as the bounds let.
///
/// # Errors
///
/// 400 when the client ends early or garbles the framing.
pub(crate) async fn read(
    session: &mut Session,
    bounds: &Bounds,
    share: &mut Share,
) -> Result<Read, Refusal> {
    let deadline = Instant::now() + WAITS * bounds.wait;
    let mut remaining = declared_length(session);
    invite(session).await?;
    let mut body = Parts::default();
    loop {
        // With a known length only the end goes into the buffer, so that it is never too small to be the cue.
        if remaining.is_none_or(|remaining| remaining <= REPLAYED_BYTES) {
            session.enable_retry_buffering();
        }
        // A timer is made only if the bytes are not here yet.
        let remaining_time = deadline.saturating_duration_since(Instant::now());
        let read = timeout(remaining_time.min(bounds.wait), session.read_request_body());
        let chunk = match read.await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(error)) if !matches!(error.etype(), ErrorType::ReadTimedout) => {
                return Err(broken());
            }
            Ok(Err(_)) | Err(_) => return Ok(Read::Part(body.joined(), Stopped::TooSlow)),
        };
        if let Some(remaining) = &mut remaining {
            *remaining = remaining.saturating_sub(chunk.len() as u64);
        }
        let has_room = share.grow(chunk.len(), bounds.max_held_bytes);
        body.push(chunk);
        if body.len() > bounds.max_bytes {
            return Ok(Read::Part(body.joined(), Stopped::TooLarge));
        }
        if !has_room {
            return Ok(Read::Part(body.joined(), Stopped::NoRoom));
        }
    }
    Ok(Read::Whole(body.joined()))
}

/// Reads what comes of a body without a pause, up to about what Pingora replays.
///
/// # Errors
///
/// 400 when the client ends early or garbles the framing.
pub(crate) async fn read_beginning(
    session: &mut Session,
    wait: Duration,
) -> Result<Start, Refusal> {
    invite(session).await?;
    session.enable_retry_buffering();
    let deadline = Instant::now() + wait;
    let mut body = Parts::default();
    while (body.len() as u64) < REPLAYED_BYTES {
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = if body.len() == 0 {
            left
        } else {
            PAUSE.min(left)
        };
        match timeout(patience, session.read_request_body()).await {
            Ok(Ok(Some(chunk))) => body.push(chunk),
            Ok(Ok(None)) => return Ok(Start::Whole(body.joined())),
            Ok(Err(error)) if !matches!(error.etype(), ErrorType::ReadTimedout) => {
                return Err(broken());
            }
            Ok(Err(_)) | Err(_) if body.len() == 0 => return Ok(Start::TooSlow),
            Ok(Err(_)) | Err(_) => break,
        }
        if session.is_body_done() {
            return Ok(Start::Whole(body.joined()));
        }
    }
    Ok(Start::Beginning(body.joined()))
}

/// What was read so far. A body that comes in one part is never copied.
#[derive(Default)]
pub(crate) struct Parts {
    first: Option<Bytes>,
    all: BytesMut,
}

impl Parts {
    pub(crate) fn push(&mut self, part: Bytes) {
        let Some(first) = &self.first else {
            self.first = Some(part);
            return;
        };
        if self.all.is_empty() {
            self.all.extend_from_slice(first);
        }
        self.all.extend_from_slice(&part);
    }

    pub(crate) fn len(&self) -> usize {
        let first = self.first.as_ref().map_or(0, Bytes::len);
        self.all.len().max(first)
    }

    pub(crate) fn joined(self) -> Bytes {
        if self.all.is_empty() {
            self.first.unwrap_or_default()
        } else {
            self.all.freeze()
        }
    }
}

/// Tells a client that waits for it to go on sending.
async fn invite(session: &mut Session) -> Result<(), Refusal> {
    let expects = session.req_header().headers.get(header::EXPECT);
    if expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        let invited = session.write_continue_response().await;
        invited.map_err(|_| broken())?;
    }
    Ok(())
}

/// The client ended early, or garbled the framing.
pub(crate) fn broken() -> Refusal {
    Refusal::new(
        400,
        "body_incomplete",
        "the body ended early or is framed wrongly",
    )
    .closing()
}

impl Held {
    /// Lets a body go on that was read to its end.
    pub(crate) fn whole(session: &mut Session, bytes: Bytes) -> Self {
        // Nothing will follow that could be the cue to send it.
        if session.retry_buffer_truncated() {
            held_session::hold(session, bytes.clone());
        }
        Self::Whole(bytes, false)
    }

    /// Lets a body go on of which only the beginning was read.
    pub(crate) fn beginning(session: &mut Session, bytes: Bytes) -> Self {
        if session.is_body_done() {
            return Self::whole(session, bytes);
        }
        Self::Beginning(Beginning {
            buffered: session.get_retry_buffer().map_or(0, |buffer| buffer.len()),
            bytes,
            sent: false,
        })
    }

    /// Whether the client was told to go on.
    pub(crate) fn was_read(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// A new attempt to reach an upstream begins.
    pub(crate) fn rewind(&mut self) {
        match self {
            Self::Nothing => {}
            Self::Whole(_, sent) => *sent = false,
            Self::Beginning(beginning) => beginning.sent = false,
        }
    }

    /// Puts what was held in the place of what Pingora is about to send.
    pub(crate) fn replace(&mut self, session: &Session, chunk: &mut Option<Bytes>) {
        match self {
            Self::Nothing => {}
            Self::Whole(body, sent) => {
                *chunk = (!std::mem::replace(sent, true)).then(|| body.clone());
            }
            Self::Beginning(beginning) => beginning.precede(session, chunk),
        }
    }
}

impl Beginning {
    fn precede(&mut self, session: &Session, chunk: &mut Option<Bytes>) {
        if std::mem::replace(&mut self.sent, true) {
            return;
        }
        let mut next = chunk.take().unwrap_or_default();
        // A buffer that is whole begins with bytes that are here too; what it has behind them came later.
        if !session.retry_buffer_truncated() {
            next = next.slice(self.buffered.min(next.len())..);
        }
        *chunk = Some(if next.is_empty() {
            self.bytes.clone()
        } else {
            [&self.bytes[..], &next[..]].concat().into()
        });
    }
}
