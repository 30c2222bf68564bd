//! A request that goes no further: why, in the words a client sees.
//!
//! The answer is `application/problem+json` (RFC 9457). It names parameters and places, never values.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use hauberk_openapi::Violation;
use http::header;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use serde::Serialize;

use crate::body::Stopped;
use crate::events::{EventSource, EventViolation};
use crate::request_id::RequestId;
use crate::snapshot::Rule;

/// A body up to this size is read to its end after a refusal, so that the connection can be used again.
const DRAINED_BYTES: u64 = 64 * 1024;

/// How long a client that is still sending may go on doing so after the answer before the connection is closed. Closed
/// at once, the system would throw away an answer the client has not read yet.
const LINGER: Duration = Duration::from_secs(10);

/// How long it may be silent during that time.
const LINGER_SILENCE: Duration = Duration::from_secs(2);

/// Why a request is refused, and with what.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    detail: Cow<'static, str>,
    /// Who refuses, if it is worth an event.
    pub(crate) source: Option<EventSource>,
    pub(crate) rule: Option<Box<RefusedBy>>,
    pub(crate) violation: Option<Box<EventViolation>>,
    client_certificate: Option<String>,
    /// The connection is of no more use.
    close: bool,
    /// It may be otherwise in a moment.
    again: bool,
}

/// The rule that refused.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedBy {
    pub(crate) id: Box<str>,
    description: Box<str>,
    #[serde(skip)]
    pub(crate) asks_for_certificate: bool,
}

impl Refusal {
    /// A refusal for which there is no event: the request itself is broken, or nothing was there to serve it.
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            source: None,
            rule: None,
            violation: None,
            client_certificate: None,
            close: false,
            again: false,
        }
    }

    /// The gateway's own decision, worth an event.
    pub(crate) fn by_shield(
        status: u16,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            source: Some(EventSource::ApiShield),
            ..Self::new(status, code, detail)
        }
    }

    /// A rule with the action block matched.
    pub(crate) fn by_rule(rule: &Rule, client_certificate: String) -> Self {
        Self {
            source: Some(EventSource::FirewallCustom),
            rule: Some(Box::new(RefusedBy {
                id: rule.id.clone(),
                description: rule.description.clone(),
                asks_for_certificate: rule.asks_for_certificate,
            })),
            client_certificate: Some(client_certificate),
            ..Self::new(
                403,
                "blocked_by_rule",
                "a rule of this zone refuses the request",
            )
        }
    }

    /// The request departs from the schema of its operation.
    pub(crate) fn by_schema(violation: EventViolation) -> Self {
        let detail = violation_text(&violation);
        Self {
            source: Some(EventSource::ApiShieldSchemaValidation),
            violation: Some(Box::new(violation)),
            ..Self::new(403, "schema_violation", detail)
        }
    }

    /// The query is not text: whoever blocks cannot tell what the origin would read.
    pub(crate) fn ambiguous_query() -> Self {
        Self::by_shield(
            400,
            "ambiguous_query",
            "the query holds a byte that must be percent-encoded",
        )
    }

    /// The body cannot be judged; `max_bytes` is the largest that could.
    pub(crate) fn of_unjudged(why: Stopped, max_bytes: u64) -> Self {
        let refusal = match why {
            Stopped::TooLarge => Self::new(
                413,
                "body_too_large",
                format!("the body of this operation may have {max_bytes} bytes"),
            ),
            Stopped::TooSlow => {
                // Nothing the operator has to know: a client went away.
                return Self::new(408, "body_timeout", "the body did not come in time").closing();
            }
            Stopped::NoRoom => Self {
                again: true,
                ..Self::new(
                    503,
                    "no_room",
                    "the gateway holds as many bodies as it may; try again in a moment",
                )
            },
        };
        Self {
            source: Some(EventSource::ApiShieldSchemaValidation),
            violation: Some(Box::new(unjudged_violation(why))),
            ..refusal
        }
    }

    /// The same refusal, with the hint that a new connection may be answered otherwise.
    pub(crate) fn on_another_connection(self) -> Self {
        Self {
            status: 421,
            close: true,
            ..self
        }
    }

    /// The connection is closed after the answer.
    pub(crate) fn closing(self) -> Self {
        Self {
            close: true,
            ..self
        }
    }

    /// Sends the answer and leaves the connection ready for the next request, or closed.
    ///
    /// # Errors
    ///
    /// When the client is gone.
    pub(crate) async fn answer(&self, session: &mut Session, id: RequestId) -> pingora::Result<()> {
        let body = Bytes::from(self.body(id));
        let rest = Rest::of(session);
        match rest {
            Rest::Nothing => {}
            Rest::Little => {
                session.set_close_on_response_before_downstream_finish(false);
                session.set_total_drain_timeout(Some(LINGER_SILENCE));
            }
            Rest::Much => session.set_keepalive(None),
        }
        if self.close {
            session.set_keepalive(None);
        }
        let mut header = ResponseHeader::build(self.status, Some(6))?;
        header.insert_header(header::CONTENT_TYPE, "application/problem+json")?;
        header.insert_header(header::CONTENT_LENGTH, body.len())?;
        header.insert_header(header::CACHE_CONTROL, "no-store")?;
        header.insert_header("X-Request-Id", id.as_str())?;
        if self.again {
            header.insert_header(header::RETRY_AFTER, "1")?;
        }
        session
            .write_response_header(Box::new(header), false)
            .await?;
        session.write_response_body(Some(body), true).await?;
        if matches!(rest, Rest::Much) {
            linger(session).await;
        }
        Ok(())
    }

    fn body(&self, id: RequestId) -> Vec<u8> {
        let problem = Problem {
            r#type: format!("urn:hauberk:problem:{}", self.code),
            title: title(self.status),
            status: self.status,
            detail: &self.detail,
            code: self.code,
            request_id: id.as_str(),
            violation: self.violation.as_deref().map(Told::of),
            client_certificate: self.client_certificate.as_deref(),
            rule: self.rule.as_deref(),
        };
        serde_json::to_vec(&problem).expect("strings and numbers are always JSON")
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a RefusedBy>,
}

/// What a client is told of a violation: not the place of the rule, which is for those who know the document.
#[derive(Serialize)]
struct Told<'a> {
    location: &'a str,
    target: &'a str,
    error_class: &'a str,
    error_detail: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(violation: &'a EventViolation) -> Self {
        Self {
            location: violation.location,
            target: &violation.target,
            error_class: violation.error_class,
            error_detail: violation.error_detail.as_deref(),
        }
    }
}

fn title(status: u16) -> &'static str {
    let status = http::StatusCode::from_u16(status).ok();
    status
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Refused")
}

/// How much of the request the client has still to send.
enum Rest {
    Nothing,
    /// It is read and forgotten.
    Little,
    /// Or nobody knows; the connection ends.
    Much,
}

impl Rest {
    fn of(session: &mut Session) -> Self {
        // A stream of HTTP/2 ends alone.
        if session.is_http2() || session.is_body_done() {
            return Self::Nothing;
        }
        let headers = &session.req_header().headers;
        let length = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        // A client that waits for leave to send its body will not get it.
        let waits = headers.contains_key(header::EXPECT);
        match length {
            Some(length) if length <= DRAINED_BYTES && !waits => Self::Little,
            _ => Self::Much,
        }
    }
}

async fn linger(session: &mut Session) {
    session.set_read_timeout(Some(LINGER_SILENCE));
    let drained = async { while let Ok(Some(_)) = session.read_request_body().await {} };
    // Either way the connection is closed next.
    let _ = tokio::time::timeout(LINGER, drained).await;
}

/// The violation of a body that cannot be judged.
pub(crate) fn unjudged_violation(why: Stopped) -> EventViolation {
    let (error_class, error_detail) = match why {
        Stopped::TooLarge => ("body_size", None),
        Stopped::TooSlow => ("not_evaluated", Some("body_timeout")),
        Stopped::NoRoom => ("not_evaluated", Some("no_room")),
    };
    EventViolation {
        location: "body",
        target: "$".to_owned(),
        error_class,
        error_detail: error_detail.map(str::to_owned),
        rule: None,
    }
}

/// The violation of a path that is another spelling of an operation's.
pub(crate) fn lookalike_violation(endpoint: &str) -> EventViolation {
    EventViolation {
        location: "path",
        target: endpoint.to_owned(),
        error_class: "constraint_violation",
        error_detail: Some("lookalike_path".to_owned()),
        rule: None,
    }
}

/// The violation of a query that is not text.
pub(crate) fn query_violation() -> EventViolation {
    EventViolation {
        location: "query",
        target: String::new(),
        error_class: "invalid_encoding",
        error_detail: Some("invalid_utf8".to_owned()),
        rule: None,
    }
}

/// What events and answers tell of a violation.
pub(crate) fn event_violation(violation: Violation) -> EventViolation {
    EventViolation {
        location: violation.location.as_str(),
        target: violation.target,
        error_class: violation.error_class.as_str(),
        error_detail: violation.error_detail,
        rule: Some(violation.rule).filter(|rule| !rule.is_empty()),
    }
}

fn violation_text(violation: &EventViolation) -> String {
    let mut text = format!(
        "{} {:?}: {}",
        violation.location, violation.target, violation.error_class
    );
    if let Some(detail) = &violation.error_detail {
        text.push_str(", ");
        text.push_str(detail);
    }
    text
}
