//! Tests of the public API. One binary, so that it links once.

mod bodies;
mod corpus;
mod cost;
mod data;
mod documents;
mod json_suite;
mod laws;
mod parameters;
mod request;
mod speed;
mod verdicts;
