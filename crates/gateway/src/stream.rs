//! Judging a body while it goes to the upstream: what is too large to be held, or need not be.
//!
//! The beginning is judged before an upstream is chosen, so that a small form is judged as a whole like a held body. From
//! then on each piece is judged before it is sent, and the end of the body is kept until the verdict on all of it: no
//! upstream sees a complete request, nor a form's last boundary, that was not judged.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hauberk_openapi::{BodyPlan, BodyStream, Violation};
use pingora::proxy::Session;

use crate::body::{self, Held, Start, Stopped};
use crate::exchange::Exchange;
use crate::judge::{give_up, mitigate_violations, oversize_action};
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::snapshot::{Enforced, Mitigation};

/// How much of the end waits for the verdict. A form's last boundary with its dashes and line ends has at most 78 bytes
/// (RFC 2046 section 5.1.1), and nothing else may follow it.
const KEPT_BYTES: usize = 80;

/// A body that is judged as it streams.
pub(crate) struct Streamed {
    /// None once there is a verdict that lets the body go on.
    judge: Option<BodyStream>,
    action: Mitigation,
    /// What is done about a body that is too large.
    oversize_action: Mitigation,
    max_bytes: u64,
    max_held_bytes: usize,
    /// How much of the body has been judged.
    judged: u64,
    /// How much of it came by in this attempt to reach an upstream.
    passed: u64,
    /// What came by last and was not sent yet.
    kept: Bytes,
    /// What the share of the exchange has for what the judge holds.
    held: usize,
    took: Duration,
}

/// Why a body does not go on as it should.
enum Fault {
    Violations(Vec<Violation>),
    Unjudged(Stopped),
}

/// Judges the beginning of a body, all of it if it is small, and leaves in the exchange what judges the rest.
///
/// # Errors
///
/// The refusal, if it is one: by the schema, or because the body is broken off; when the action is block also because it
/// is too large or does not come, or there is no memory for what is held of it.
pub(crate) async fn begin(
    shared: &Shared,
    session: &mut Session,
    exchange: &mut Exchange,
    enforced: &Enforced,
    plan: &BodyPlan,
) -> Result<(), Refusal> {
    let operation = exchange.operation().cloned();
    let Some(validation) = operation.as_ref().and_then(|one| one.validation.as_ref()) else {
        return Ok(());
    };
    let settings = &enforced.settings;
    let mut streamed = Streamed {
        judge: Some(validation.operation.body_stream(plan, &enforced.policy)),
        action: validation.action,
        oversize_action: oversize_action(settings, validation.action),
        max_bytes: settings.max_stream_bytes,
        max_held_bytes: settings.max_held_bytes,
        judged: 0,
        passed: 0,
        kept: Bytes::new(),
        held: 0,
        took: Duration::ZERO,
    };
    if body::declared_length(session).is_some_and(|length| length > streamed.max_bytes) {
        return streamed.settle(
            shared,
            session,
            exchange,
            Fault::Unjudged(Stopped::TooLarge),
        );
    }
    exchange.share = shared.room.share();
    let wait = Duration::from_secs(settings.body_timeout_seconds);
    let (beginning, is_whole) = match body::read_beginning(session, wait).await? {
        Start::Whole(body) => (body, true),
        Start::Beginning(beginning) => (beginning, false),
        Start::TooSlow => {
            let fault = Fault::Unjudged(Stopped::TooSlow);
            streamed.settle(shared, session, exchange, fault)?;
            exchange.held = Held::beginning(session, Bytes::new());
            return Ok(());
        }
    };
    let has_room = exchange
        .share
        .grow(beginning.len(), settings.max_held_bytes);
    let judged = if has_room {
        streamed.judge(shared, exchange, &beginning, is_whole)
    } else {
        Err(Fault::Unjudged(Stopped::NoRoom))
    };
    if let Err(fault) = judged {
        streamed.settle(shared, session, exchange, fault)?;
    }
    if is_whole {
        exchange.held = Held::whole(session, beginning);
    } else {
        exchange.held = Held::beginning(session, beginning);
        exchange.streamed = Some(Box::new(streamed));
    }
    Ok(())
}

/// Judges the next piece before it is sent, and keeps its end back until the verdict on the whole.
///
/// # Errors
///
/// The refusal, when the action is block: nothing more may be sent.
pub(crate) fn pass(
    shared: &Shared,
    session: &Session,
    exchange: &mut Exchange,
    chunk: &mut Option<Bytes>,
    is_end: bool,
) -> Result<(), Refusal> {
    let Some(mut streamed) = exchange.streamed.take() else {
        return Ok(());
    };
    let is_end = is_end || chunk.is_none();
    let came = chunk.take().unwrap_or_default();
    // What is sent again to another upstream has been judged.
    let known = streamed.judged.saturating_sub(streamed.passed);
    let known = usize::try_from(known).map_or(came.len(), |known| known.min(came.len()));
    streamed.passed += came.len() as u64;
    if let Err(fault) = streamed.judge(shared, exchange, &came[known..], is_end) {
        streamed.settle(shared, session, exchange, fault)?;
    }
    *chunk = streamed.keep_end(came, is_end);
    exchange.streamed = Some(streamed);
    Ok(())
}

impl Streamed {
    /// A new attempt to reach an upstream begins.
    pub(crate) fn rewind(&mut self) {
        self.passed = 0;
        self.kept = Bytes::new();
    }

    fn judge(
        &mut self,
        shared: &Shared,
        exchange: &mut Exchange,
        bytes: &[u8],
        is_end: bool,
    ) -> Result<(), Fault> {
        let Some(mut judge) = self.judge.take() else {
            return Ok(());
        };
        self.judged += bytes.len() as u64;
        if self.judged > self.max_bytes {
            return Err(Fault::Unjudged(Stopped::TooLarge));
        }
        let begun = Instant::now();
        let pushed = judge.push(bytes);
        if let Err(violation) = pushed {
            shared.metrics.validated(self.took + begun.elapsed());
            return Err(Fault::Violations(vec![violation]));
        }
        let more = judge.held_bytes().saturating_sub(self.held);
        if more > 0 && !exchange.share.grow(more, self.max_held_bytes) {
            return Err(Fault::Unjudged(Stopped::NoRoom));
        }
        self.held += more;
        if !is_end {
            self.took += begun.elapsed();
            self.judge = Some(judge);
            return Ok(());
        }
        let found = if self.action == Mitigation::Log {
            judge.finish_all()
        } else {
            judge.finish().err().into_iter().collect()
        };
        shared.metrics.validated(self.took + begun.elapsed());
        if found.is_empty() {
            Ok(())
        } else {
            Err(Fault::Violations(found))
        }
    }

    fn settle(
        &self,
        shared: &Shared,
        session: &Session,
        exchange: &Exchange,
        fault: Fault,
    ) -> Result<(), Refusal> {
        match fault {
            Fault::Violations(found) => {
                mitigate_violations(shared, session, exchange, self.action, found)
            }
            Fault::Unjudged(why) => {
                let action = match why {
                    Stopped::TooLarge => self.oversize_action,
                    _ => self.action,
                };
                let max_bytes = self.max_bytes;
                give_up(shared, session, exchange, action, why, max_bytes)
            }
        }
    }

    /// What may be sent of all that came.
    fn keep_end(&mut self, came: Bytes, is_end: bool) -> Option<Bytes> {
        let kept = std::mem::take(&mut self.kept);
        let mut all = if kept.is_empty() {
            came
        } else if came.is_empty() {
            kept
        } else {
            [kept, came].concat().into()
        };
        if is_end {
            return (!all.is_empty()).then_some(all);
        }
        self.kept = all.split_off(all.len().saturating_sub(KEPT_BYTES));
        Some(all)
    }
}
