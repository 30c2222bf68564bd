//! The phases of a request, in the order Pingora calls them.

use std::any::Any;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::{HttpPeer, Peer};
use pingora::{Error, ErrorType};

use crate::admit::admit;
use crate::cork;
use crate::exchange::Exchange;
use crate::failure;
use crate::forward;
use crate::refusal::Refusal;
use crate::report::{Happened, report};
use crate::responses;
use crate::shared::Shared;
use crate::stream;

/// The gateway as Pingora sees it.
pub(crate) struct Shield {
    pub(crate) shared: Arc<Shared>,
}

#[async_trait]
impl ProxyHttp for Shield {
    type CTX = Exchange;

    /// The head of a request has been read.
    fn new_ctx(&self) -> Exchange {
        crate::deadline::head_was_read();
        Exchange::new(self.shared.enforced())
    }

    /// Nothing is done to responses, so no module has to look at them.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(
        &self,
        session: &mut Session,
        exchange: &mut Exchange,
    ) -> pingora::Result<bool> {
        set_timeouts(session, exchange);
        match admit(&self.shared, session, exchange).await {
            Ok(()) => {
                if exchange.was_never_asked() {
                    // The next request makes a connection on which it is asked.
                    session.set_keepalive(None);
                }
                Ok(false)
            }
            Err(refusal) => {
                exchange.release();
                self.refuse(session, exchange, &refusal);
                // A client that is gone gets no answer.
                if refusal.answer(session, exchange.id).await.is_err() {
                    session.set_keepalive(None);
                }
                Ok(true)
            }
        }
    }

    /// Called for each attempt.
    async fn upstream_peer(
        &self,
        _session: &mut Session,
        exchange: &mut Exchange,
    ) -> pingora::Result<Box<HttpPeer>> {
        let route = exchange.route.as_ref();
        let chosen = route.and_then(|route| route.host.upstreams.choose(&exchange.tried));
        chosen.ok_or_else(|| {
            Error::new_up(ErrorType::HTTPStatus(failure::without_upstream(exchange)))
        })
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        peer: &HttpPeer,
        exchange: &mut Exchange,
        mut error: Box<Error>,
    ) -> Box<Error> {
        exchange.upstream_status = failure::upstream_status(&error);
        if let (Some(route), Some(address)) = (&exchange.route, peer.address().as_inet()) {
            route.host.upstreams.failed(*address);
            exchange.tried.push(*address);
        }
        // Nothing was sent, so another upstream may be tried whatever the method; without one `upstream_peer` says so.
        error.set_retry(true);
        error
    }

    /// Called before the head is sent.
    async fn connected_to_upstream(
        &self,
        session: &mut Session,
        _reused: bool,
        peer: &HttpPeer,
        socket: RawFd,
        _digest: Option<&Digest>,
        _exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        if peer.is_tls() && !session.is_body_empty() {
            cork::cork(socket);
        }
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        exchange.held.rewind();
        if let Some(sample) = &mut exchange.sample {
            sample.rewind();
        }
        if let Some(streamed) = &mut exchange.streamed {
            streamed.rewind();
        }
        if exchange.held.was_read() {
            // The client was told to go on.
            request.remove_header(&http::header::EXPECT);
        }
        let Some(route) = &exchange.route else {
            return Ok(());
        };
        let standing = exchange.client.standing(&route.host);
        forward::prepare(
            session,
            request,
            exchange.id,
            &route.host,
            standing.as_ref(),
        )
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        exchange.held.replace(session, body);
        if let (Some(sample), Some(part)) = (&mut exchange.sample, &*body) {
            sample.keep(part);
        }
        if exchange.streamed.is_some()
            && let Err(refusal) = stream::pass(&self.shared, session, exchange, body, end_of_stream)
        {
            exchange.release();
            self.refuse(session, exchange, &refusal);
            exchange.refusal = Some(Box::new(refusal.closing()));
            // As the client's fault, it ends the request to the upstream wherever it stands.
            return Err(Error::new_down(ErrorType::Custom("refused")));
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        responses::begin(&self.shared, session, exchange, response);
        Ok(())
    }

    fn upstream_response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        _end_of_stream: bool,
        exchange: &mut Exchange,
    ) -> pingora::Result<Option<Duration>> {
        if let Some(part) = body {
            responses::keep(&self.shared, exchange, part);
        }
        Ok(None)
    }

    /// An upstream may have handled what it did not answer, so only what does no harm when done twice is sent again.
    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        _exchange: &mut Exchange,
        reused: bool,
    ) -> Box<Error> {
        if session.req_header().method.is_safe() && !session.retry_buffer_truncated() {
            error.retry.decide_reuse(reused);
        } else {
            error.set_retry(false);
        }
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        exchange: &mut Exchange,
    ) -> FailToProxy {
        let error_code = match failure::refusal(session, exchange, error) {
            Some(refusal) => {
                if failure::is_upstream(error)
                    && let Some(route) = &exchange.route
                {
                    route.host.metrics.upstream_errors.inc();
                }
                // A client that is gone gets no answer.
                let _ = refusal.answer(session, exchange.id).await;
                refusal.status
            }
            None => 0,
        };
        FailToProxy {
            error_code,
            can_reuse_downstream: false,
        }
    }

    /// The next request on this connection is not its first; see [`crate::connections`].
    fn persist_connection_context(
        &self,
        _session: &Session,
        _exchange: &Exchange,
    ) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(()))
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, exchange: &mut Exchange) {
        let took = exchange.begun.elapsed();
        let status = session
            .response_written()
            .map(|answer| answer.status.as_u16());
        match &exchange.route {
            Some(route) => route.host.metrics.answered(status),
            None => self.shared.metrics.unrouted.inc(),
        }
        if let Some(operation) = exchange.operation() {
            self.shared.operations.count(&operation.id, status, took);
        }
        if let Some(error) = error {
            failure::log(error, exchange, status);
        }
        responses::end(&self.shared, session, exchange, error.is_none());
        self.shared.requests.count(exchange, status);
        if let Some(sample) = exchange.sample.take() {
            sample.end(&self.shared, session, exchange, took);
        }
    }

    /// Pingora's own lines would tell the path and the query.
    fn suppress_error_log(&self, _session: &Session, _exchange: &Exchange, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _exchange: &Exchange,
        _error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        true
    }

    fn request_summary(&self, _session: &Session, exchange: &Exchange) -> String {
        exchange.id.as_str().to_owned()
    }
}

impl Shield {
    fn refuse(&self, session: &Session, exchange: &Exchange, refusal: &Refusal) {
        exchange.action.refused(refusal);
        if let Some(source) = refusal.source {
            let happened = Happened {
                rule_id: refusal.rule.as_ref().map(|rule| rule.id.to_string()),
                violations: refusal.violation.as_deref().cloned().into_iter().collect(),
                status: Some(refusal.status),
                reason: Some(refusal.code),
            };
            report(&self.shared, session, exchange, source, happened);
        }
    }
}

fn set_timeouts(session: &mut Session, exchange: &Exchange) {
    let Some(enforced) = &exchange.enforced else {
        return;
    };
    let settings = &enforced.settings;
    session.set_read_timeout(Some(Duration::from_secs(settings.body_timeout_seconds)));
    session.set_write_timeout(Some(Duration::from_secs(settings.idle_timeout_seconds)));
    session.set_total_drain_timeout(Some(Duration::from_secs(settings.body_timeout_seconds)));
    if session.get_keepalive().is_some() {
        session.set_keepalive(Some(settings.idle_timeout_seconds));
    }
    session.set_pipelining_enabled(true);
}
