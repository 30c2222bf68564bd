//! The reverse proxy of hauberk.
//!
//! A [`Gateway`] listens, terminates TLS, asks for client certificates where a host wants them, finds the saved
//! operation, evaluates the zone's rules, validates the request against its schema, and forwards what is left. What it
//! enforces is one immutable snapshot at a time, swapped behind an atomic pointer; no request waits for a disk, a lock
//! held by a reader, or another process.

mod accept;
mod admit;
mod body;
mod clock;
mod connections;
mod cork;
mod deadline;
mod dial;
mod error;
mod events;
mod exchange;
mod failure;
mod fields;
mod forward;
mod held_session;
mod host;
mod identity;
mod judge;
mod limits;
mod listen;
mod logger;
mod method;
mod metrics;
mod names;
mod operation_counts;
mod options;
mod proxy;
mod refusal;
mod report;
mod request_counts;
mod request_id;
mod responses;
mod room;
pub mod rules;
mod seats;
mod server;
mod shards;
mod shared;
mod snapshot;
mod stream;
mod target;
mod tls;
mod traffic;
mod turn;
mod upstream;
mod verdict;
mod wire;
mod workers;

pub use error::{Error, ErrorKind, Refused};
pub use events::{
    Event, EventAction, EventCertificate, EventSource, EventViolation, MAX_EVENT_VIOLATIONS,
};
pub use log::LevelFilter;
pub use logger::{init_default_logging, init_logging};
pub use method::is_overridden;
pub use operation_counts::OperationMetrics;
pub use options::Options;
pub use request_counts::{RequestMetrics, RequestTally};
pub use server::{Applied, Gateway};
pub use target::matched_path;
pub use traffic::Sampling;
