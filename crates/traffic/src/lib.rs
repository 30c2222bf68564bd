//! What passed through the gateway, in a form that may be kept: the record of a transaction, and the masking of what is
//! secret or personal in it.
//!
//! Nothing here does I/O. Two kinds of masking serve two uses:
//!
//! - [`mask_path`] makes a path fit for logs and events: whatever looks like a value is gone, not hashed.
//! - [`Masker`] makes a transaction fit for the traffic store, where discovery and learning read it: secrets become
//!   keyed hashes, so equal secrets stay equal and requests of one session can still be told to belong together.

mod borrowed;
mod cookie;
pub mod discover;
mod json;
mod mask;
mod path;
mod secrets;
mod text;
mod transaction;

pub use borrowed::{Header, LazyText, TransactionRef};
pub use mask::Masker;
pub use path::{MAX_MASKED_PATH_BYTES, mask_path};
pub use transaction::{LineError, Transaction};
