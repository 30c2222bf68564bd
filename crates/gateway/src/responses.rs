//! Judging what upstreams answer, for a share of the responses, only to tell of it.
//!
//! A copy of the body is kept as it goes by, and judged when all of it is on its way to the client: nothing waits for the
//! verdict, and nothing comes of it but an event.

use std::cell::Cell;

use bytes::Bytes;
use hauberk_openapi::{ErrorClass, Operation};
use http::{HeaderMap, Method, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use crate::body::Parts;
use crate::events::EventSource;
use crate::exchange::Exchange;
use crate::judge;
use crate::report::{Happened, report};
use crate::room::Share;
use crate::shared::Shared;
use crate::snapshot::Settings;
use crate::turn;

/// The golden ratio less 1. Its multiples modulo 1 are spread evenly, and so is each n-th of them: a pattern in the traffic
/// does not meet one in the draws.
const STEP: f64 = 0.618_033_988_749_894_9;

thread_local! {
    static DRAWN: Cell<f64> = const { Cell::new(0.0) };
}

/// A response that will be judged.
pub(crate) struct Watched {
    status: u16,
    headers: HeaderMap,
    /// Of other content it only matters whether there is any.
    is_json: bool,
    body: Parts,
    share: Share,
}

/// The head of a response is there. Decides whether it is looked at.
pub(crate) fn begin(
    shared: &Shared,
    session: &Session,
    exchange: &mut Exchange,
    head: &ResponseHeader,
) {
    exchange.watched = None;
    let Some(settings) = exchange.enforced.as_ref().map(|one| &one.settings) else {
        return;
    };
    let share = settings.response_validation;
    // One that is informational comes before the response, or ends HTTP.
    if share <= 0.0
        || head.status.is_informational()
        || operation(exchange).is_none()
        || !is_drawn(share)
    {
        return;
    }
    let is_json = is_json(&head.headers);
    if session.req_header().method == Method::HEAD
        // A part of what the document describes.
        || head.status == StatusCode::PARTIAL_CONTENT
        || (is_json && is_oversize(&head.headers, settings))
    {
        shared.metrics.responses.skipped.inc();
        return;
    }
    exchange.watched = Some(Box::new(Watched {
        status: head.status.as_u16(),
        headers: head.headers.clone(),
        is_json,
        body: Parts::default(),
        share: shared.room.share(),
    }));
}

/// A part of the body goes by.
pub(crate) fn keep(shared: &Shared, exchange: &mut Exchange, part: &Bytes) {
    let (Some(watched), Some(enforced)) = (&mut exchange.watched, &exchange.enforced) else {
        return;
    };
    if !watched.keep(part, &enforced.settings) {
        exchange.watched = None;
        shared.metrics.responses.skipped.inc();
    }
}

/// The response was sent. Judges what was kept of it, if it is whole.
pub(crate) fn end(shared: &Shared, session: &Session, exchange: &mut Exchange, is_whole: bool) {
    let Some(watched) = exchange.watched.take() else {
        return;
    };
    let (Some(operation), Some(enforced)) = (operation(exchange), &exchange.enforced) else {
        return;
    };
    let counters = &shared.metrics.responses;
    if !is_whole {
        counters.skipped.inc();
        return;
    }
    // What clients are to be sent does not wait for it, the end of this response included.
    turn::end();
    let (body, policy) = (watched.body.joined(), &enforced.response_policy);
    let found = operation.validate_response(watched.status, &watched.headers, &body, policy);
    if found.is_empty() {
        counters.conforming.inc();
        return;
    }
    // It is larger unpacked than what is judged, which is no fault of it.
    if found
        .iter()
        .any(|one| one.error_class == ErrorClass::BodySize)
    {
        counters.skipped.inc();
        return;
    }
    counters.departing.inc();
    let mut violations = judge::told(found);
    for violation in &mut violations {
        violation.location = match violation.location {
            "header" => "response_header",
            _ => "response_body",
        };
    }
    let happened = Happened {
        violations,
        ..Happened::default()
    };
    let source = EventSource::ApiShieldSchemaValidation;
    report(shared, session, exchange, source, happened);
}

impl Watched {
    /// Keeps a part of the body; false if there would be too much of it.
    fn keep(&mut self, part: &Bytes, settings: &Settings) -> bool {
        if part.is_empty() {
            return true;
        }
        if !self.is_json {
            if self.body.len() == 0 {
                self.body.push(Bytes::from_static(b"."));
            }
            return true;
        }
        // Half of the room is left to requests, which would be refused without.
        let fits = self.body.len() + part.len() <= settings.max_body_bytes
            && self.share.grow(part.len(), settings.max_held_bytes / 2);
        if fits {
            self.body.push(part.clone());
        }
        fits
    }
}

/// The operation that responses are judged by, if there is something to judge them by.
fn operation(exchange: &Exchange) -> Option<&Operation> {
    let judged_by = &exchange.operation()?.validation.as_ref()?.operation;
    judged_by.judges_responses().then_some(judged_by)
}

fn is_drawn(share: f64) -> bool {
    DRAWN.with(|drawn| {
        let next = (drawn.get() + STEP).fract();
        drawn.set(next);
        next < share
    })
}

/// Whether the content may be JSON: each such media type has the word in it.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    types.any(|one| {
        let mut words = one.as_bytes().windows(4);
        words.any(|word| word.eq_ignore_ascii_case(b"json"))
    })
}

fn is_oversize(headers: &HeaderMap, settings: &Settings) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > settings.max_body_bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::is_drawn;

    #[test]
    fn the_share_is_met_also_by_each_nth_response() {
        for share in [0.0, 0.01, 0.25, 0.5, 0.99, 1.0] {
            for nth in [1, 2, 3, 10] {
                let mut drawn = 0;
                for index in 0..10_000 * nth {
                    let is_drawn = is_drawn(share);
                    drawn += i32::from(is_drawn && index % nth == 0);
                }
                let wanted = 10_000.0 * share;
                assert!(
                    (f64::from(drawn) - wanted).abs() <= 20.0,
                    "{share} of each {nth}th: {drawn}"
                );
            }
        }
    }
}
