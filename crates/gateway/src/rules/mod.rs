//! The Rules language, as far as mutual TLS needs it: which requests a rule is about.
//!
//! An expression is compiled once, when a snapshot is applied, and evaluated for each request:
//!
//! ```text
//! http.host in {"api.example.com"}
//! and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked)
//! ```
//!
//! Comparisons bind tightest, then `not`, `and`, `or`; the C-like spellings `== != ! && ||` mean the same. What a
//! matching rule does (block, log, skip) is not said here, and neither is where the values come from: they are asked
//! from a [`FieldSource`] one by one, and only those that decide the answer.

mod canonical;
mod error;
mod expression;
mod fields;
mod lexer;
mod parser;
mod tree;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;

pub use error::SyntaxError;
pub use expression::Expression;
pub use fields::{Field, FieldSource, FlagField, TextField};

/// The longest expression in characters. More than any rule written by hand needs, and it bounds what an upload costs.
pub const MAX_CHARACTERS: usize = 4096;

/// How many parentheses may stand inside each other: the parser and the evaluation recurse once for each.
pub const MAX_NESTING: usize = 64;

/// How many strings a list in braces may hold.
pub const MAX_LIST_ENTRIES: usize = 1000;

/// Compiles an expression.
///
/// # Errors
///
/// The first thing from the left that cannot be understood, with its column and what would have been right: a misspelt
/// field or operator, a comparison that does not fit the type of its field, or an expression beyond [`MAX_CHARACTERS`],
/// [`MAX_NESTING`] or [`MAX_LIST_ENTRIES`].
pub fn compile(expression: &str) -> Result<Expression, SyntaxError> {
    parser::parse(expression).map(Expression::new)
}
