//! The gateway against real listeners: TLS on loopback, certificates made here, an origin that records what it gets.

#![allow(clippy::format_collect, reason = "speed is not what tests are about")]
#![allow(clippy::too_many_lines, reason = "a table of cases belongs together")]

mod support;

mod connections;
mod forwarding;
mod framing;
mod held;
mod identity;
mod request_counts;
mod responses;
mod resumption;
mod schema;
mod segments;
mod smuggling;
mod snapshots;
mod spellings;
mod streams;
mod threads;
mod traffic;
mod uploads;
mod upstreams;
