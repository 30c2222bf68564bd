//! The reverse proxy of hauberk.
//!
//! A [`Gateway`] listens, terminates TLS, asks for client certificates where a host wants them, finds the saved
//! operation, evaluates the zone's rules, validates the request against its schema, and forwards what is left. What it
//! enforces is one immutable snapshot at a time, swapped behind an atomic pointer; no request waits for a disk, a lock
//! held by a reader, or another process.

mod error;
mod events;
mod options;
pub mod rules;
mod server;

pub use error::{Error, ErrorKind, Refused};
pub use events::{Event, EventAction, EventCertificate, EventSource, EventViolation};
pub use options::Options;
pub use server::{Applied, Gateway};
