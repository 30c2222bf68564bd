//! What passed through the gateway, in a form that may be kept: the record of a transaction, the masking of what is
//! secret or personal in it, and the likelihood that it is an API call.
//!
//! Nothing here opens files or sockets; [`read`] takes captures from anything that is [`std::io::Read`]. Two kinds of masking serve two uses:
//!
//! - [`mask_path`] makes a path fit for logs and events: whatever looks like a value is gone, not hashed.
//! - [`Masker`] makes a transaction fit for the traffic store, where discovery and learning read it: secrets become
//!   keyed hashes, so equal secrets stay equal and requests of one session can still be told to belong together.

mod borrowed;
pub mod classify;
mod cookie;
pub mod discover;
mod json;
pub mod learn;
mod mask;
mod path;
pub mod read;
mod secrets;
mod session;
mod sketch;
mod survey;
mod text;
mod transaction;

pub use borrowed::{Header, LazyText, TransactionRef};
pub use classify::{API_THRESHOLD, api_likelihood};
pub use mask::Masker;
pub use path::{MAX_MASKED_PATH_BYTES, mask_path};
pub use session::{
    MAX_SESSION_IDENTIFIERS, SessionIdentifier, SessionIdentifierError, SessionIdentifierType,
    SessionIdentifiers,
};
pub use sketch::{MAX_RELATIVE_ERROR, Sketch, SketchError};
pub use survey::{Survey, Tally};
pub use transaction::{LineError, Transaction};
