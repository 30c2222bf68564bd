//! The verdict of a schema on the body of a request, and what follows from a violation.

use std::time::{Duration, Instant};

use hauberk_openapi::{BodyPlan, Violation};
use pingora::proxy::Session;

use crate::admit::with_head;
use crate::body::{self, Bounds, Held, Read, Stopped};
use crate::events::{EventSource, EventViolation, MAX_EVENT_VIOLATIONS};
use crate::exchange::Exchange;
use crate::refusal::{Refusal, event_violation, unjudged_violation};
use crate::report::{Happened, report};
use crate::shared::Shared;
use crate::snapshot::{Enforced, Mitigation, OversizeBody, Settings};

/// An event tells of no more violations once their places take so much.
const TOLD_BYTES: usize = 4096;

/// A body that is judged in a few microseconds.
const SOON_JUDGED_BYTES: usize = 4 * 1024;

/// Holds the body until it is judged. What passes is left in the exchange for its forwarding.
///
/// # Errors
///
/// The refusal, if it is one: by the schema, or because the body is broken off; when the action is block also because it
/// is too large or too slow, or there is no memory to hold it.
pub(crate) async fn judge_body(
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
    let give_up = |session: &Session, exchange: &Exchange, why: Stopped| {
        let action = match why {
            Stopped::TooLarge => oversize_action(settings, validation.action),
            _ => validation.action,
        };
        let max_bytes = settings.max_body_bytes as u64;
        give_up(shared, session, exchange, action, why, max_bytes)
    };
    if is_oversize(session, settings) {
        return give_up(session, exchange, Stopped::TooLarge);
    }
    let body = match hold(shared, session, exchange, settings).await? {
        Read::Whole(body) => body,
        Read::Part(beginning, why) => {
            give_up(session, exchange, why)?;
            exchange.held = Held::beginning(session, beginning);
            return Ok(());
        }
    };
    if body.len() > SOON_JUDGED_BYTES {
        // What others have to send does not wait for it.
        crate::turn::end();
    }
    let begun = Instant::now();
    let judged = validation
        .operation
        .validate_body(plan, &body, &enforced.policy);
    shared.metrics.validated(begun.elapsed());
    if let Err(violation) = judged {
        let mut found = vec![violation];
        if validation.action == Mitigation::Log
            && let Some(all) = find_all(session, exchange, enforced, &body)
        {
            found = all;
        }
        mitigate_violations(shared, session, exchange, validation.action, found)?;
    }
    exchange.held = Held::whole(session, body);
    Ok(())
}

/// Tells all that is wrong with a request whose head departs from the schema, and lets it go on. The body is held for
/// that if it can be.
///
/// # Errors
///
/// 400 when the body is broken off.
pub(crate) async fn log_all(
    shared: &Shared,
    session: &mut Session,
    exchange: &mut Exchange,
    enforced: &Enforced,
    first: Violation,
) -> Result<(), Refusal> {
    let settings = &enforced.settings;
    let has_body = !session.is_body_empty();
    let of_head = with_head(session, exchange, has_body, |operation, head| {
        operation.head_violations(head, &enforced.policy)
    });
    let (mut found, plan) = of_head.unwrap_or((Vec::new(), BodyPlan::Pass));
    if matches!(plan, BodyPlan::Check(_)) && !is_oversize(session, settings) {
        match hold(shared, session, exchange, settings).await? {
            Read::Whole(body) => {
                found = find_all(session, exchange, enforced, &body).unwrap_or(found);
                exchange.held = Held::whole(session, body);
            }
            Read::Part(beginning, _) => exchange.held = Held::beginning(session, beginning),
        }
    }
    if found.is_empty() {
        found.push(first);
    }
    mitigate_violations(shared, session, exchange, Mitigation::Log, found)
}

fn find_all(
    session: &Session,
    exchange: &Exchange,
    enforced: &Enforced,
    body: &[u8],
) -> Option<Vec<Violation>> {
    let all = with_head(session, exchange, true, |operation, head| {
        operation.violations(head, body, &enforced.policy)
    });
    all.filter(|found| !found.is_empty())
}

fn is_oversize(session: &Session, settings: &Settings) -> bool {
    body::declared_length(session).is_some_and(|length| length > settings.max_body_bytes as u64)
}

async fn hold(
    shared: &Shared,
    session: &mut Session,
    exchange: &mut Exchange,
    settings: &Settings,
) -> Result<Read, Refusal> {
    let bounds = Bounds {
        max_bytes: settings.max_body_bytes,
        max_held_bytes: settings.max_held_bytes,
        wait: Duration::from_secs(settings.body_timeout_seconds),
    };
    exchange.share = shared.room.share();
    body::read(session, &bounds, &mut exchange.share).await
}

/// What is done about a body that is too large to be judged.
pub(crate) fn oversize_action(settings: &Settings, action: Mitigation) -> Mitigation {
    if settings.oversize_body == OversizeBody::Pass {
        Mitigation::Log
    } else {
        action
    }
}

/// Does about a body that cannot be judged what the operation says; `max_bytes` is the largest that could.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn give_up(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
    why: Stopped,
    max_bytes: u64,
) -> Result<(), Refusal> {
    let found = vec![unjudged_violation(why)];
    mitigate(shared, session, exchange, action, found, |_| {
        Refusal::of_unjudged(why, max_bytes)
    })
}

/// Does about violations of the schema what the operation says.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn mitigate_violations(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
    found: Vec<Violation>,
) -> Result<(), Refusal> {
    let told = told(found);
    mitigate(shared, session, exchange, action, told, Refusal::by_schema)
}

/// What one event tells of violations.
pub(crate) fn told(found: Vec<Violation>) -> Vec<EventViolation> {
    let mut bytes = 0;
    let told = found.into_iter().take(MAX_EVENT_VIOLATIONS);
    let told = told.take_while(|violation| {
        // The client chooses the names, and many events wait in memory.
        let fits = bytes < TOLD_BYTES;
        bytes += violation.target.len() + violation.rule.len();
        fits
    });
    told.map(event_violation).collect()
}

/// Does about violations what the operation says: log them, or refuse the request in the given words for the first.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn mitigate(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
    found: Vec<EventViolation>,
    refuse: impl FnOnce(EventViolation) -> Refusal,
) -> Result<(), Refusal> {
    match action {
        Mitigation::None => Ok(()),
        Mitigation::Log => {
            let happened = Happened {
                violations: found,
                ..Happened::default()
            };
            let source = EventSource::ApiShieldSchemaValidation;
            report(shared, session, exchange, source, happened);
            Ok(())
        }
        Mitigation::Block => match found.into_iter().next() {
            Some(first) => Err(refuse(first)),
            None => Ok(()),
        },
    }
}
