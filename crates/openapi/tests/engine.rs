//! The engine against its judges: the JSON Schema test suite and the `jsonschema` crate.

#[path = "data.rs"]
mod data;
#[path = "engine/random.rs"]
mod random;
#[path = "engine/suite.rs"]
mod suite;
#[path = "engine/wrapped.rs"]
mod wrapped;
