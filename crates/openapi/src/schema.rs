//! Schemas: from the document's dialect to one that is checked, and the checking.
//!
//! [`lower`] rewrites every schema that a request or response can meet into plain JSON Schema 2020-12, whatever the OpenAPI version,
//! and finds what is wrong with it; [`types`] tells which types a schema allows, which decides how text becomes a value;
//! [`program`] is a lowered schema as the [`engine`] runs it over JSON text, without building a tree; [`store`] compiles on
//! first use and keeps the result; [`check`] is what the rest of the crate asks; [`finding`] says what a failed rule
//! amounts to. The others are what these lean on: [`reader`] reads JSON, [`number`] compares decimals, [`names`] finds
//! member names, [`pattern`] and [`format`](self::format) match strings.

pub(crate) mod check;
mod engine;
mod finding;
pub(crate) mod format;
pub(crate) mod lower;
mod names;
pub(crate) mod number;
pub(crate) mod pattern;
mod program;
mod reader;
pub(crate) mod store;
pub(crate) mod types;

pub(crate) use self::program::compile::{DISCRIMINATOR_KEYWORD, EXACT_KEYWORD, READ_ONLY_KEYWORD};

/// The number of a schema among those a document uses.
pub(crate) type SchemaId = usize;
