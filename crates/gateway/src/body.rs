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

/// What Pingora's retry buffer takes.
const REPLAYED_BYTES: u64 = 64 * 1024;

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
    /// The beginning of a body that is too large to be judged and goes on all the same. The flag is the same.
    Beginning(Bytes, bool),
}

/// What came of reading.
pub(crate) enum Read {
    /// The whole body.
    Whole(Bytes),
    /// More than the limit; what was read so far.
    TooLarge(Bytes),
}

/// The length the client declared.
pub(crate) fn declared_length(session: &Session) -> Option<u64> {
    let length = session.req_header().headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Reads the body up to `limit` bytes, in at most [`WAITS`] times `wait` altogether, and each part in `wait`.
///
/// # Errors
///
/// 408 when the client takes longer, 400 when it ends early or garbles the framing.
pub(crate) async fn read(
    session: &mut Session,
    limit: usize,
    wait: Duration,
) -> Result<Read, Refusal> {
    let deadline = Instant::now() + WAITS * wait;
    let mut remaining = declared_length(session);
    invite(session).await?;
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        // With a known length only the end goes into the buffer, so that it is never too small to be the cue.
        if remaining.is_none_or(|remaining| remaining <= REPLAYED_BYTES) {
            session.enable_retry_buffering();
        }
        // A timer is made only if the bytes are not here yet.
        let remaining_time = deadline.saturating_duration_since(Instant::now());
        let read = timeout(remaining_time.min(wait), session.read_request_body());
        let chunk = match read.await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return Err(broken(&error)),
            Err(_) => return Err(too_slow()),
        };
        if let Some(remaining) = &mut remaining {
            *remaining = remaining.saturating_sub(chunk.len() as u64);
        }
        let Some(before) = &first else {
            first = Some(chunk);
            continue;
        };
        if rest.is_empty() {
            rest.extend_from_slice(before);
        }
        rest.extend_from_slice(&chunk);
        if rest.len() > limit {
            return Ok(Read::TooLarge(rest.freeze()));
        }
    }
    let body = if rest.is_empty() {
        first.unwrap_or_default()
    } else {
        rest.freeze()
    };
    if body.len() > limit {
        return Ok(Read::TooLarge(body));
    }
    if session.retry_buffer_truncated() {
        held_session::hold(session, body.clone());
    }
    Ok(Read::Whole(body))
}

/// Tells a client that waits for it to go on sending.
async fn invite(session: &mut Session) -> Result<(), Refusal> {
    let expects = session.req_header().headers.get(header::EXPECT);
    if expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        let invited = session.write_continue_response().await;
        invited.map_err(|error| broken(&error))?;
    }
    Ok(())
}

fn broken(error: &pingora::Error) -> Refusal {
    if matches!(error.etype(), ErrorType::ReadTimedout) {
        return too_slow();
    }
    Refusal::new(
        400,
        "body_incomplete",
        "the body ended early or is framed wrongly",
    )
    .closing()
}

fn too_slow() -> Refusal {
    Refusal::new(408, "body_timeout", "the body did not come in time").closing()
}

impl Held {
    /// Whether all of the body is here.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(..))
    }

    /// A new attempt to reach an upstream begins.
    pub(crate) fn rewind(&mut self) {
        if let Self::Whole(_, sent) | Self::Beginning(_, sent) = self {
            *sent = false;
        }
    }

    /// Puts what was held in the place of what Pingora is about to send.
    pub(crate) fn replace(&mut self, session: &Session, chunk: &mut Option<Bytes>) {
        match self {
            Self::Nothing => {}
            Self::Whole(body, sent) => {
                *chunk = (!std::mem::replace(sent, true)).then(|| body.clone());
            }
            Self::Beginning(beginning, sent) => {
                // A buffer that is still whole has seen the beginning, and is what Pingora sends first.
                let replayed = !session.retry_buffer_truncated();
                if !std::mem::replace(sent, true) && !replayed {
                    *chunk = Some(match chunk.take() {
                        Some(next) => [&beginning[..], &next[..]].concat().into(),
                        None => beginning.clone(),
                    });
                }
            }
        }
    }
}
