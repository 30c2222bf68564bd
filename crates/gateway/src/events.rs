//! What was blocked or logged, in a queue that never makes a request wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde::Serialize;

/// What was done with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventAction {
    /// It was refused.
    Block,
    /// It went on.
    Log,
}

/// Which part of the gateway speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EventSource {
    /// A rule of the zone.
    FirewallCustom,
    /// The schema of the operation.
    ApiShieldSchemaValidation,
    /// The gateway itself: a path that can be read in two ways, a misdirected request.
    ApiShield,
}

impl EventSource {
    /// The name in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirewallCustom => "firewallCustom",
            Self::ApiShieldSchemaValidation => "apiShieldSchemaValidation",
            Self::ApiShield => "apiShield",
        }
    }
}

/// Most violations that one event tells of.
pub const MAX_EVENT_VIOLATIONS: usize = 20;

/// Where and how a request departs from its schema; never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventViolation {
    /// `path`, `query`, `header`, `cookie` or `body`; in a response `response_header` or `response_body`.
    pub location: &'static str,
    /// The parameter's name or the JSON path.
    pub target: String,
    /// The kind of departure.
    pub error_class: &'static str,
    /// More about the kind.
    pub error_detail: Option<String>,
    /// The place of the broken rule in the document, such as `.components.schemas.Temp.properties.unit.enum`; none where no
    /// document speaks.
    pub rule: Option<String>,
}

/// The client certificate of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventCertificate {
    /// In decimal.
    pub serial_number: String,
    /// SHA-256 of the DER in lower-case hex.
    pub fingerprint_sha256: String,
    /// Good under an authority of the host.
    pub verified: bool,
    /// Verified and revoked.
    pub revoked: bool,
}

/// One request that was blocked or logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// 32 hexadecimal digits.
    pub id: String,
    /// RFC 3339 in UTC with milliseconds.
    pub occurred_at: String,
    /// As in the refusal and in `X-Request-Id` towards the upstream.
    pub request_id: String,
    /// The zone of the host.
    pub zone_id: String,
    /// As asked for, in lower case without port.
    pub host: String,
    /// As sent.
    pub method: String,
    /// The operation's endpoint, else the path with what looks like a value masked. Never the query.
    pub path: String,
    /// The saved operation, if one matched.
    pub operation_id: Option<String>,
    /// What was done.
    pub action: EventAction,
    /// Who did it.
    pub source: EventSource,
    /// The code of a refusal, as the client was told it; none when the request went on.
    pub reason: Option<&'static str>,
    /// The rule, if it was one.
    pub rule_id: Option<String>,
    /// The violation, if it was one; of several the first.
    pub violation: Option<EventViolation>,
    /// All violations that were looked for, that one first. In a request that went on at most [`MAX_EVENT_VIOLATIONS`], fewer
    /// if their names are long; in a refused one the one that refused it.
    pub violations: Vec<EventViolation>,
    /// The status of a refusal; none when the request went on.
    pub status: Option<u16>,
    /// The certificate presented, if any.
    pub client_certificate: Option<EventCertificate>,
    /// Address of the peer, without port.
    pub client_address: Option<String>,
}

/// The queue between requests and whoever writes events down.
pub(crate) struct EventQueue {
    waiting: Mutex<VecDeque<Event>>,
    arrived: Condvar,
    capacity: usize,
    dropped: AtomicU64,
}

impl EventQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::new(VecDeque::new()),
            arrived: Condvar::new(),
            capacity,
            dropped: AtomicU64::new(0),
        }
    }

    /// Queues the event, or counts it as dropped. The lock is held for a push only, also by the reader.
    pub(crate) fn push(&self, event: Event) {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= self.capacity {
            drop(waiting);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(event);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// The oldest events, at most `max`; waits up to `wait` for the first.
    pub(crate) fn take(&self, max: usize, wait: Duration) -> Vec<Event> {
        let deadline = Instant::now() + wait;
        let mut waiting = self.waiting.lock();
        while waiting.is_empty() && max > 0 {
            if self.arrived.wait_until(&mut waiting, deadline).timed_out() {
                break;
            }
        }
        let count = max.min(waiting.len());
        if count == waiting.len() {
            std::mem::take(&mut *waiting).into()
        } else {
            waiting.drain(..count).collect()
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
