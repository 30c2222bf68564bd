//! A sampled exchange, from its beginning to what is left of it for the thread that masks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Version, header};
use pingora::proxy::Session;

use super::Drawing;
use crate::body;
use crate::exchange::Exchange;
use crate::host::Host;
use crate::request_id::RequestId;
use crate::room::Share;
use crate::shared::Shared;
use crate::snapshot::SavedOperation;
use crate::target;

/// An exchange under way that was sampled.
pub(crate) struct Sample {
    drawing: Arc<Drawing>,
    weight: f64,
    began: SystemTime,
    body: Copied,
}

/// What is kept of a request's body.
enum Copied {
    /// It is of no kind that is kept, or turned out too large.
    Nothing,
    Part {
        bytes: Vec<u8>,
        share: Share,
        /// What the share has grown to; the body of a second attempt needs no more.
        granted: usize,
        max_bytes: usize,
        max_held_bytes: usize,
    },
}

impl Sample {
    /// Decides whether an exchange whose host is known now is sampled.
    pub(crate) fn draw(
        shared: &Shared,
        session: &Session,
        exchange: &Exchange,
    ) -> Option<Box<Self>> {
        let drawing = shared.traffic.drawing.load();
        let drawing = drawing.as_ref()?;
        let weight = drawing.sampler.draw(exchange.begun)?;
        Some(Box::new(Self {
            drawing: Arc::clone(drawing),
            weight,
            began: SystemTime::now(),
            body: Copied::begin(shared, drawing.max_body_bytes, session, exchange),
        }))
    }

    /// A new attempt to reach an upstream begins, and the body goes by once more.
    pub(crate) fn rewind(&mut self) {
        if let Copied::Part { bytes, .. } = &mut self.body {
            bytes.clear();
        }
    }

    /// A part of the request's body goes by.
    pub(crate) fn keep(&mut self, part: &Bytes) {
        let Copied::Part {
            bytes,
            share,
            granted,
            max_bytes,
            max_held_bytes,
        } = &mut self.body
        else {
            return;
        };
        // Half of the room is left to bodies that are judged, which would be refused without.
        let size = bytes.len() + part.len();
        let more = size.saturating_sub(*granted);
        let fits = size <= *max_bytes && share.grow(more, *max_held_bytes / 2);
        if fits {
            *granted += more;
            bytes.extend_from_slice(part);
        } else {
            self.body = Copied::Nothing;
        }
    }

    /// The response has gone. Leaves what the exchange was to be masked.
    pub(crate) fn end(
        self,
        shared: &Shared,
        session: &Session,
        exchange: &Exchange,
        took: Duration,
    ) {
        let Some(route) = &exchange.route else {
            return;
        };
        let head = session.req_header();
        let response = session.response_written();
        let (body, share) = match self.body {
            Copied::Nothing => (Vec::new(), Share::default()),
            Copied::Part { bytes, share, .. } => (bytes, share),
        };
        let certificate = exchange.client.standing(&route.host);
        let certificate = certificate.filter(|one| one.verified && !one.revoked);
        let exchanged = Exchanged {
            drawing: self.drawing,
            weight: self.weight,
            began: self.began,
            took,
            host: Arc::clone(&route.host),
            host_name: route.host_name.clone(),
            is_tls: exchange.client.connection().is_some(),
            method: head.method.clone(),
            version: head.version,
            target: target::path_and_query(head).into(),
            request_headers: head.headers.clone(),
            request_body: body,
            request_body_bytes: session.body_bytes_read() as u64,
            status: response.map_or(0, |response| response.status.as_u16()),
            response_headers: response.map(|response| response.headers.clone()),
            response_body_bytes: session.body_bytes_sent() as u64,
            operation: route.operation.clone(),
            request_id: exchange.id,
            action: exchange.action.name(),
            client: session
                .client_addr()
                .and_then(|address| address.as_inet())
                .map(|address| address.ip().to_canonical()),
            certificate: certificate.map(|one| (*one.presented.facts.fingerprint_sha256).into()),
            _share: share,
        };
        shared.traffic.leave(exchanged, &shared.metrics);
    }
}

impl Copied {
    fn begin(shared: &Shared, max_bytes: usize, session: &Session, exchange: &Exchange) -> Self {
        let Some(enforced) = exchange.enforced.as_ref().filter(|_| max_bytes > 0) else {
            return Self::Nothing;
        };
        let is_large = body::declared_length(session).is_some_and(|bytes| bytes > max_bytes as u64);
        if is_large || !is_kept(&session.req_header().headers) {
            return Self::Nothing;
        }
        Self::Part {
            bytes: Vec::new(),
            share: shared.room.share(),
            granted: 0,
            max_bytes,
            max_held_bytes: enforced.settings.max_held_bytes,
        }
    }
}

/// Whether the body is one that can be masked: JSON or a form, and not packed.
fn is_kept(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.map_or(&b""[..], http::HeaderValue::as_bytes);
    let has = |word: &[u8]| {
        content_type
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
    };
    !headers.contains_key(header::CONTENT_ENCODING)
        && (has(b"json") || has(b"x-www-form-urlencoded"))
}

/// What an exchange was; nothing in it is masked.
pub(super) struct Exchanged {
    pub(super) drawing: Arc<Drawing>,
    pub(super) weight: f64,
    pub(super) began: SystemTime,
    pub(super) took: Duration,
    pub(super) host: Arc<Host>,
    pub(super) host_name: Box<str>,
    pub(super) is_tls: bool,
    pub(super) method: Method,
    pub(super) version: Version,
    /// Path and query.
    pub(super) target: Box<[u8]>,
    pub(super) request_headers: HeaderMap,
    /// Empty if none was kept.
    pub(super) request_body: Vec<u8>,
    pub(super) request_body_bytes: u64,
    /// 0 if there was no response.
    pub(super) status: u16,
    pub(super) response_headers: Option<HeaderMap>,
    pub(super) response_body_bytes: u64,
    pub(super) operation: Option<Arc<SavedOperation>>,
    pub(super) request_id: RequestId,
    pub(super) action: &'static str,
    pub(super) client: Option<IpAddr>,
    /// The fingerprint of the client certificate, if it is good.
    pub(super) certificate: Option<Box<str>>,
    /// The room the body takes, given back once it is masked.
    _share: Share,
}

impl Exchanged {
    /// About how much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let of_headers = |headers: &HeaderMap| -> usize {
            let fields = headers.iter();
            fields
                .map(|(name, value)| name.as_str().len() + value.len() + 64)
                .sum()
        };
        size_of::<Self>()
            + self.target.len()
            + self.request_body.len()
            + of_headers(&self.request_headers)
            + self.response_headers.as_ref().map_or(0, of_headers)
    }
}
