//! What the tests lean on.

pub mod client;
pub mod gateway;
pub mod http2;
pub mod origin;
pub mod pki;
pub mod secure_origin;
pub mod sink;
pub mod snapshot;

pub use client::{Answer, Client};
pub use gateway::Running;
pub use origin::Origin;
pub use pki::{Authority, Identity};
pub use snapshot::Snapshot;
