//! Tests of the public API. One binary, so that it links once.

mod bodies;
mod corpus;
mod cost;
mod data;
mod documents;
mod examples;
mod forms;
mod json_suite;
mod laws;
mod multipart;
mod mutations;
mod parameters;
mod policy;
mod request;
mod responses;
mod speed;
mod styles;
mod verdicts;
