//! What is fixed for the life of a gateway. Everything else comes with the snapshot, or is told while it runs.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How a gateway listens and runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Addresses with TLS; port 0 asks the system for a free one.
    pub https: Vec<SocketAddr>,
    /// Addresses without TLS: behind another proxy, or for benchmarks. No client certificate can come in here.
    pub http: Vec<SocketAddr>,
    /// Worker threads; 0 is one per core.
    pub threads: usize,
    /// How many events wait for [`Gateway::take_events`](crate::Gateway::take_events); beyond that they are dropped
    /// and counted.
    pub event_queue: usize,
    /// Connections that may be open at a time, those in a handshake included; beyond that, new ones are closed at once
    /// and counted.
    pub max_connections: usize,
    /// Authorities (PEM) that sign the certificates of `https://` upstreams; none means those of the system.
    pub upstream_ca_file: Option<PathBuf>,
    /// How many bytes of masked transactions wait for [`Gateway::take_transactions`](crate::Gateway::take_transactions);
    /// beyond that they are dropped and counted.
    pub traffic_queue_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            https: Vec::new(),
            http: Vec::new(),
            threads: 0,
            event_queue: 10_000,
            max_connections: 20_000,
            upstream_ca_file: None,
            traffic_queue_bytes: 32 * 1024 * 1024,
        }
    }
}
