//! Schemas: from the document's dialect to one that is checked, and the checking.
//!
//! [`lower`] rewrites every schema that a request can meet into plain JSON Schema 2020-12, whatever the OpenAPI version,
//! and finds what is wrong with it; [`store`] compiles the result on first use and keeps it; [`types`] tells which types a
//! schema allows, which decides how text becomes a value; [`check`] judges values within bounds that [`meter`] sets on
//! what that may cost; [`finding`] turns a failed check into a violation.

pub(crate) mod check;
pub(crate) mod finding;
pub(crate) mod format;
pub(crate) mod lower;
pub(crate) mod meter;
pub(crate) mod store;
pub(crate) mod types;

/// The number of a schema among those a document uses.
pub(crate) type SchemaId = usize;
