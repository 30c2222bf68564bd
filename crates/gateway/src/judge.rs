//! The verdict of a schema on the body of a request, and what follows from a violation.

use std::time::{Duration, Instant};

use hauberk_openapi::{BodyPlan, Violation};
use pingora::proxy::Session;

use crate::body::{self, Bounds, Held, Read, Stopped};
use crate::events::{EventSource, EventViolation};
use crate::exchange::Exchange;
use crate::refusal::{Refusal, event_violation, unjudged_violation};
use crate::report::{Happened, report};
use crate::shared::Shared;
use crate::snapshot::{Enforced, Mitigation, OversizeBody};

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
    let operation = exchange
        .route
        .as_ref()
        .and_then(|route| route.operation.clone());
    let Some(validation) = operation.as_ref().and_then(|one| one.validation.as_ref()) else {
        return Ok(());
    };
    let settings = &enforced.settings;
    let bounds = Bounds {
        max_bytes: settings.max_body_bytes,
        max_held_bytes: settings.max_held_bytes,
        wait: Duration::from_secs(settings.body_timeout_seconds),
    };
    let give_up = |session: &Session, exchange: &Exchange, why: Stopped| {
        let action = match why {
            Stopped::TooLarge if settings.oversize_body == OversizeBody::Pass => Mitigation::Log,
            _ => validation.action,
        };
        mitigate(
            shared,
            session,
            exchange,
            action,
            unjudged_violation(why),
            |_| Refusal::of_unjudged(why, settings.max_body_bytes),
        )
    };
    if body::declared_length(session).is_some_and(|length| length > bounds.max_bytes as u64) {
        return give_up(session, exchange, Stopped::TooLarge);
    }
    exchange.share = shared.room.share();
    let body = match body::read(session, &bounds, &mut exchange.share).await? {
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
    exchange.held = Held::Whole(body, false);
    match judged {
        Ok(()) => Ok(()),
        Err(violation) => {
            mitigate_violation(shared, session, exchange, validation.action, violation)
        }
    }
}

/// Does about a violation of the schema what the operation says.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn mitigate_violation(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
    violation: Violation,
) -> Result<(), Refusal> {
    let violation = event_violation(violation);
    mitigate(
        shared,
        session,
        exchange,
        action,
        violation,
        Refusal::by_schema,
    )
}

/// Does about a violation what the operation says: log it, or refuse the request in the given words.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn mitigate(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
    violation: EventViolation,
    refuse: impl FnOnce(EventViolation) -> Refusal,
) -> Result<(), Refusal> {
    match action {
        Mitigation::None => Ok(()),
        Mitigation::Log => {
            let happened = Happened {
                violation: Some(violation),
                ..Happened::default()
            };
            let source = EventSource::ApiShieldSchemaValidation;
            report(shared, session, exchange, source, happened);
            Ok(())
        }
        Mitigation::Block => Err(refuse(violation)),
    }
}
