//! What good requests of an operation look like, summed up: where values stand in a request, which there are, and of what form.
//!
//! [`Learner`] takes transactions, finds the operation of each as gateways do, and adds what it sees to the operation's
//! [`OperationProfile`]. A profile is a function of the requests, not of their order, and profiles of parts merge to that of
//! the whole. What can be said with confidence on such evidence is decided elsewhere, in Python.
//!
//! | Place | Learned by |
//! |---|---|
//! | path, query, headers, cookies | `parameter`, each by its name as sent |
//! | JSON bodies | `tape` (text to tokens), `body` (tokens to places), `node` and `object` (the places) |
//! | forms, multipart | `form`, `multipart`: objects whose members are texts |
//! | values at all of them | `value` |

mod body;
mod classes;
mod cookies;
mod days;
mod decode;
mod delimited;
mod distinct;
mod dump;
mod form;
mod formats;
mod full;
mod hash;
mod headers;
mod held_back;
mod histogram;
mod kmv;
mod learner;
mod masked;
mod media_type;
mod multipart;
mod names;
mod node;
mod number;
mod object;
mod observed;
mod operation;
mod parameter;
mod profile;
mod query;
mod range;
mod route;
mod sample;
mod secret;
mod seen;
mod structures;
mod support;
mod table;
mod tape;
mod value;
mod view;
mod waiting;

pub use dump::DumpError;
pub use hash::hash;
pub use held_back::is_held_back;
pub use kmv::Kmv;
pub use learner::{Learned, Learner, LearnerOptions, Only};
pub use operation::OperationProfile;
pub use seen::{SAMPLES_OF_A_CLIENT, SAMPLES_OF_A_SESSION, Seen};
pub use support::{Few, Support};
pub use value::ValueProfile;
