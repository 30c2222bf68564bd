//! What is known of the requests of an operation, in summaries that can be put together in any order and parts.
//!
//! [`Seen`] tells who sent a request and how much it may count, [`ValueProfile`] is what is known of the values at one
//! place, [`Support`] how often something was seen.

mod classes;
mod delimited;
mod distinct;
mod formats;
mod full;
mod hash;
mod histogram;
mod kmv;
mod masked;
mod number;
mod observed;
mod profile;
mod range;
mod sample;
mod seen;
mod structures;
mod support;
mod table;
mod value;

pub use hash::hash;
pub use kmv::Kmv;
pub use seen::{SAMPLES_OF_A_CLIENT, SAMPLES_OF_A_SESSION, Seen};
pub use support::{Few, Support};
pub use value::ValueProfile;
