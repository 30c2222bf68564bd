//! The verdict of a schema on the body of a request, and what follows from a violation.

use std::time::{Duration, Instant};

use hauberk_openapi::{BodyPlan, Violation};
use pingora::proxy::Session;

use crate::body::{self, Held, Read};
use crate::events::EventSource;
use crate::exchange::Exchange;
use crate::refusal::{Refusal, event_violation, oversize_violation, query_violation};
use crate::report::{Happened, report};
use crate::shared::Shared;
use crate::snapshot::{Enforced, Mitigation, OversizeBody, Settings};

/// A body that is judged in a few microseconds.
const SOON_JUDGED_BYTES: usize = 4 * 1024;

/// Holds the body until it is judged. What passes is left in the exchange for its forwarding.
///
/// # Errors
///
/// The refusal, if it is one: by the schema, or because the body is too large, too slow or broken off.
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
    let limit = settings.max_body_bytes;
    if body::declared_length(session).is_some_and(|length| length > limit as u64) {
        return oversize(shared, session, exchange, settings, validation.action);
    }
    let wait = Duration::from_secs(settings.body_timeout_seconds);
    let body = match body::read(session, limit, wait).await? {
        Read::Whole(body) => body,
        Read::TooLarge(beginning) => {
            oversize(shared, session, exchange, settings, validation.action)?;
            exchange.held = Held::Beginning(beginning, false);
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
        Err(violation) => mitigate(shared, session, exchange, validation.action, violation),
    }
}

/// Does about a violation what the operation says.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn mitigate(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
    violation: Violation,
) -> Result<(), Refusal> {
    if action == Mitigation::Block {
        return Err(Refusal::by_schema(violation));
    }
    let happened = Happened {
        violation: Some(event_violation(violation)),
        ..Happened::default()
    };
    report(
        shared,
        session,
        exchange,
        EventSource::ApiShieldSchemaValidation,
        happened,
    );
    Ok(())
}

/// Does about a query that is not text what the operation says: whoever blocks cannot tell what the origin would read.
///
/// # Errors
///
/// The refusal, when the action is block.
pub(crate) fn mitigate_query(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    action: Mitigation,
) -> Result<(), Refusal> {
    if action == Mitigation::Block {
        return Err(Refusal::by_shield(
            400,
            "ambiguous_query",
            "the query holds a byte that must be percent-encoded",
        ));
    }
    let happened = Happened {
        violation: Some(query_violation()),
        ..Happened::default()
    };
    report(
        shared,
        session,
        exchange,
        EventSource::ApiShieldSchemaValidation,
        happened,
    );
    Ok(())
}

/// An operation that only logs lets a body pass that cannot be judged; one that blocks does as the settings say.
fn oversize(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    settings: &Settings,
    action: Mitigation,
) -> Result<(), Refusal> {
    if action == Mitigation::Block && settings.oversize_body == OversizeBody::Reject {
        return Err(Refusal::body_too_large(settings.max_body_bytes));
    }
    let happened = Happened {
        violation: Some(oversize_violation()),
        ..Happened::default()
    };
    report(
        shared,
        session,
        exchange,
        EventSource::ApiShieldSchemaValidation,
        happened,
    );
    Ok(())
}
