//! The engine against its judges: the JSON Schema test suite and the `jsonschema` crate.

#[path = "engine/beyond.rs"]
mod beyond;
#[path = "data.rs"]
#[allow(dead_code)] // shared with the other tests
mod data;
#[path = "engine/random.rs"]
mod random;
#[path = "engine/suite.rs"]
mod suite;
#[path = "engine/wrapped.rs"]
mod wrapped;
