//! Connections from accepted to closed: counted, timed, and let go when the gateway stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora::protocols::{ALPN, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use pingora_timeout::timeout;
use prometheus::IntGauge;

use crate::cork::Turns;
use crate::deadline::Deadline;
use crate::dial::Dial;
use crate::proxy::Shield;
use crate::shared::Shared;

/// Streams one HTTP/2 connection may have open at a time.
const MAX_STREAMS: u32 = 128;

/// Streams a client may open and reset before the connection is closed, against rapid resets.
const MAX_RESET_STREAMS: usize = 50;

/// What a client may send on one HTTP/2 stream, and on one connection, before it was read.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// What a listener does with a connection: counts it and hands it to the requests in it.
#[derive(Clone)]
pub(crate) struct Connections {
    requests: Arc<Requests>,
}

impl Connections {
    pub(crate) fn new(proxy: HttpProxy<Shield, Dial>, shared: Arc<Shared>) -> Self {
        Self {
            requests: Arc::new(Requests {
                proxy: Arc::new(proxy),
                shared,
                options: Mutex::default(),
            }),
        }
    }
}

#[async_trait]
impl ServerApp for Connections {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let shared = &self.requests.shared;
        let _seat = match stream.get_ssl_digest() {
            // It took one with its hello.
            Some(_) => None,
            None => Some(shared.seat()?),
        };
        shared.metrics.connections.inc();
        let _open = Open::new(&shared.metrics.open_connections);
        if !matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
            return self.requests.process_new(stream, shutdown).await;
        }
        let http2 = Arc::new(Http2 {
            requests: Arc::clone(&self.requests),
            has_asked: AtomicBool::new(false),
        });
        let wait = shared.settings(|settings| settings.header_timeout_seconds);
        let mut serving = http2.process_new(stream, shutdown);
        match timeout(Duration::from_secs(wait), &mut serving).await {
            Ok(ended) => ended,
            Err(_) if http2.has_asked.load(Ordering::Relaxed) => serving.await,
            Err(_) => None,
        }
    }

    async fn cleanup(&self) {
        self.requests.cleanup().await;
    }
}

/// Counts a connection for as long as it lives.
struct Open<'a>(&'a IntGauge);

impl<'a> Open<'a> {
    fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// One connection of HTTP/2, whose first request must come in time: Pingora waits for its preface for ever.
struct Http2 {
    requests: Arc<Requests>,
    /// A request has come.
    has_asked: AtomicBool,
}

#[async_trait]
impl HttpServerApp for Http2 {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        self.has_asked.store(true, Ordering::Relaxed);
        self.requests.process_new_http(session, shutdown).await
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.requests.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.requests.server_options()
    }
}

/// The requests of all connections, with the timeouts and limits of the snapshot in force.
struct Requests {
    proxy: Arc<HttpProxy<Shield, Dial>>,
    shared: Arc<Shared>,
    /// By the idle timeout in seconds. Pingora borrows the options for as long as it likes, so each set lives on.
    options: Mutex<Vec<(u64, &'static HttpServerOptions)>>,
}

#[async_trait]
impl HttpServerApp for Requests {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        if session.is_http2() {
            // Its head is here already.
            return Turns(self.proxy.process_new_http(session, shutdown)).await;
        }
        let head = self
            .shared
            .settings(|settings| settings.header_timeout_seconds);
        let head = Duration::from_secs(head);
        let is_first = session.take_connection_user_context().is_none();
        let exchange = Turns(self.proxy.process_new_http(session, shutdown));
        if is_first {
            Deadline::first(exchange, head).await
        } else {
            // The connection may be silent for a while before: Pingora bounds that, as its keep-alive timeout.
            Deadline::next(exchange, head).await
        }
    }

    fn h2_options(&self) -> Option<H2Options> {
        let max_header_bytes = self.shared.settings(|settings| settings.max_header_bytes);
        let mut options = default_h2_options();
        options
            // Room for the 32 bytes that HTTP/2 counts for each field, so that a head beyond the limit gets an answer.
            .max_header_list_size(u32::try_from(max_header_bytes).unwrap_or(u32::MAX / 4) * 2)
            .max_concurrent_streams(MAX_STREAMS)
            .max_concurrent_reset_streams(MAX_RESET_STREAMS)
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        Some(options)
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        let seconds = self
            .shared
            .settings(|settings| settings.idle_timeout_seconds);
        let mut known = self.options.lock();
        if let Some((_, options)) = known.iter().find(|(idle, _)| *idle == seconds) {
            return Some(options);
        }
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(Duration::from_secs(seconds));
        // Some fifty bytes for each value the setting ever has.
        let options: &'static HttpServerOptions = Box::leak(Box::new(options));
        known.push((seconds, options));
        Some(options)
    }

    async fn http_cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}
