//! What must hold for any bytes from outside.
//!
//! Each module has one function `check`, which takes arbitrary bytes and panics where a law does not hold. Fuzz targets look for such bytes
//! (`README.md` tells how to run them), and `tests/seeds.rs` tries the seeds beside them in every test run. All goes through what the crates
//! make public, so the laws outlive a change of what is behind it.

pub mod body;
pub mod captures;
pub mod discover;
pub mod document;
mod judge;
pub mod parameters;
pub mod router;
pub mod rules;
pub mod values;
