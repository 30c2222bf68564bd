//! What passed through the gateway, in a form that may be kept: the record of a transaction, the masking of what is
//! secret or personal in it, and the likelihood that it is an API call.
//!
//! Nothing here does I/O. Two kinds of masking serve two uses:
//!
//! - [`mask_path`] makes a path fit for logs and events: whatever looks like a value is gone, not hashed.
//! - [`Masker`] makes a transaction fit for the traffic store, where discovery and learning read it: secrets become
//!   keyed hashes, so equal secrets stay equal and requests of one session can still be told to belong together.

mod borrowed;
pub mod classify;
mod cookie;
mod json;
mod mask;
mod path;
mod secrets;
mod text;
mod transaction;

pub use borrowed::{Header, LazyText, TransactionRef};
pub use classify::{API_THRESHOLD, api_likelihood};
pub use mask::Masker;
pub use path::{MAX_MASKED_PATH_BYTES, mask_path};
pub use transaction::{LineError, Transaction};
