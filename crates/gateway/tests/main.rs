//! The gateway against real listeners: TLS on loopback, certificates made here, an origin that records what it gets.

mod support;

mod forwarding;
mod framing;
mod identity;
mod resumption;
mod schema;
mod snapshots;
mod upstreams;
