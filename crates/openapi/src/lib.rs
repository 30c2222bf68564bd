//! Reads OpenAPI documents and judges requests by them.
mod policy;
mod problem;
mod violation;
mod stub;
pub use policy::{Limits, Policy};
pub use problem::{Problem, Severity};
pub use violation::{ErrorClass, Location, MAX_TARGET_CHARS, Violation};
pub use stub::*;
