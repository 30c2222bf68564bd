//! A session whose body has been read to its end already, however large.
//!
//! What Pingora replays of a body is its own copy of at most 64 KiB. With a declared length the end of the body can be
//! kept within that (see [`body`](crate::body)); a longer body of unknown length cannot. Its session is put into this
//! shell, which answers everything as the session inside does, and shows the held body where Pingora looks for its copy.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::Digest;
use pingora::protocols::http::custom::CustomMessageWrite;
use pingora::protocols::http::custom::server::Session as CustomSession;
use pingora::protocols::http::{HttpTask, ServerSession};
use pingora::protocols::l4::socket::SocketAddr;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

/// Messages beside the exchange, which only Pingora's custom protocols have.
type Messages = Box<dyn Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>;

struct HeldSession {
    inner: Box<ServerSession>,
    body: Bytes,
    /// The answer was sent to its end.
    answered: bool,
}

/// Puts the session of a request into the shell. Pingora ends a connection of HTTP/1.1 after a session it does not
/// know; that is said to the client.
pub(crate) fn hold(session: &mut Session, body: Bytes) {
    session.set_keepalive(None);
    let placeholder = Box::new(ServerSession::new_custom(Box::new(())));
    let inner = std::mem::replace(&mut session.downstream_session, placeholder);
    *session.downstream_session = ServerSession::new_custom(Box::new(HeldSession {
        inner,
        body,
        answered: false,
    }));
}

#[async_trait]
impl CustomSession for HeldSession {
    fn get_retry_buffer(&self) -> Option<Bytes> {
        Some(self.body.clone())
    }

    fn retry_buffer_truncated(&self) -> bool {
        false
    }

    fn enable_retry_buffering(&mut self) {}

    fn is_body_empty(&mut self) -> bool {
        false
    }

    /// Twice for one exchange: after the answer's body, and when the exchange is over.
    async fn finish(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.answered, true) {
            if !self.inner.is_http2() {
                self.inner.shutdown().await;
            }
            return Ok(());
        }
        self.inner.finish_body().await
    }

    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }

    fn req_header(&self) -> &RequestHeader {
        self.inner.req_header()
    }

    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.inner.req_header_mut()
    }

    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        self.inner.read_request_body().await
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.inner.drain_request_body().await
    }

    async fn write_response_header(
        &mut self,
        header: Box<ResponseHeader>,
        _end: bool,
    ) -> Result<()> {
        self.inner.write_response_header(header).await
    }

    async fn write_response_header_ref(
        &mut self,
        header: &ResponseHeader,
        _end: bool,
    ) -> Result<()> {
        self.inner.write_response_header_ref(header).await
    }

    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.inner.write_response_body(data, end).await
    }

    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.inner.write_response_trailers(trailers).await
    }

    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        self.inner.response_duplex_vec(tasks).await
    }

    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.set_read_timeout(timeout);
    }

    fn get_read_timeout(&self) -> Option<Duration> {
        self.inner.get_read_timeout()
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.set_write_timeout(timeout);
    }

    fn get_write_timeout(&self) -> Option<Duration> {
        self.inner.get_write_timeout()
    }

    fn set_total_drain_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.set_total_drain_timeout(timeout);
    }

    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.inner.get_total_drain_timeout()
    }

    fn request_summary(&self) -> String {
        String::new()
    }

    fn response_written(&self) -> Option<&ResponseHeader> {
        self.inner.response_written()
    }

    async fn shutdown(&mut self, _code: u32, _context: &str) {
        self.inner.shutdown().await;
    }

    fn is_body_done(&mut self) -> bool {
        self.inner.is_body_done()
    }

    async fn read_body_or_idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        self.inner.read_body_or_idle(no_body_expected).await
    }

    fn body_bytes_sent(&self) -> usize {
        self.inner.body_bytes_sent()
    }

    fn body_bytes_read(&self) -> usize {
        self.inner.body_bytes_read()
    }

    fn digest(&self) -> Option<&Digest> {
        self.inner.digest()
    }

    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.inner.digest_mut()
    }

    fn client_addr(&self) -> Option<&SocketAddr> {
        self.inner.client_addr()
    }

    fn server_addr(&self) -> Option<&SocketAddr> {
        self.inner.server_addr()
    }

    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.inner.to_h1_raw()
    }

    fn take_custom_message_reader(&mut self) -> Option<Messages> {
        None
    }

    fn restore_custom_message_reader(&mut self, _reader: Messages) -> Result<()> {
        no_messages()
    }

    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }

    fn restore_custom_message_writer(
        &mut self,
        _writer: Box<dyn CustomMessageWrite>,
    ) -> Result<()> {
        no_messages()
    }
}

/// What was never taken is not given back.
fn no_messages() -> Result<()> {
    Error::e_explain(ErrorType::InternalError, "HTTP has no messages beside it")
}
