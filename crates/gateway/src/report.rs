//! From what happened to a request to the event that tells of it.

use hauberk_traffic::mask_path;
use pingora::proxy::Session;

use crate::clock;
use crate::events::{Event, EventAction, EventCertificate, EventSource, EventViolation};
use crate::exchange::{Exchange, Route};
use crate::identity::Standing;
use crate::request_id::RequestId;
use crate::shared::Shared;
use crate::target;

/// What happened.
#[derive(Default)]
pub(crate) struct Happened {
    pub(crate) rule_id: Option<String>,
    /// The first is the one that decided.
    pub(crate) violations: Vec<EventViolation>,
    /// Of the refusal; none when the request goes on.
    pub(crate) status: Option<u16>,
    /// The code of the refusal.
    pub(crate) reason: Option<&'static str>,
}

/// Queues an event and counts it.
pub(crate) fn report(
    shared: &Shared,
    session: &Session,
    exchange: &Exchange,
    source: EventSource,
    happened: Happened,
) {
    let Some(route) = &exchange.route else {
        return;
    };
    let action = if happened.status.is_some() {
        route.host.metrics.refused(source);
        EventAction::Block
    } else {
        route.host.metrics.logged(source);
        exchange.action.logged();
        EventAction::Log
    };
    let standing = exchange.client.standing(&route.host);
    shared.events.push(Event {
        id: RequestId::new().as_str().to_owned(),
        occurred_at: clock::rfc3339(),
        request_id: exchange.id.as_str().to_owned(),
        zone_id: route.host.zone.id.to_string(),
        host: route.host_name.to_string(),
        method: session.req_header().method.to_string(),
        path: path(session, route),
        operation_id: route.operation.as_ref().map(|one| one.id.to_string()),
        action,
        source,
        reason: happened.reason,
        rule_id: happened.rule_id,
        violation: happened.violations.first().cloned(),
        violations: happened.violations,
        status: happened.status,
        client_certificate: standing.as_ref().map(certificate),
        client_address: session
            .client_addr()
            .and_then(|address| address.as_inet())
            .map(|address| address.ip().to_canonical().to_string()),
    });
}

fn path(session: &Session, route: &Route) -> String {
    if let Some(operation) = &route.operation {
        return operation.endpoint.to_string();
    }
    let sent = target::path_and_query(session.req_header());
    let (path, _) = target::split_query(sent);
    mask_path(&String::from_utf8_lossy(path))
}

fn certificate(standing: &Standing<'_>) -> EventCertificate {
    let facts = &standing.presented.facts;
    EventCertificate {
        serial_number: facts.serial_decimal.clone(),
        fingerprint_sha256: facts.fingerprint_sha256.clone(),
        verified: standing.verified,
        revoked: standing.revoked,
    }
}
