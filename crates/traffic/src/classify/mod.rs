//! Tells API calls from all that else passes: pages, scripts, images, beacons.
//!
//! A transaction becomes a vector of numbers ([`features`]), each of which is documented in [`FEATURES`], and boosted decision trees score
//! the vector. They were trained by `training/` and lie beside this file as `model.bin`; `docs/classifier.md` says on what, and how well
//! they do on sites they were not trained on.
//!
//! What a record does not tell is NaN, which the trees know as a value of its own: a line of an access log, with no headers, is scored on
//! its request line, status and size. No feature rests on a host, a name of a product, or the value
//! of a credential; masking a transaction changes lengths only, and so hardly its score.

mod feature;

mod media;
mod model;
mod path;
mod query;
mod request;
mod response;
mod value;
mod words;

pub use feature::{FEATURES, Feature, Group};
pub use model::API_THRESHOLD;

use crate::borrowed::TransactionRef;
use feature::{At, Vector};

/// How likely the transaction is an API call, from 0 to 1.
///
/// An API call is a request by a program for data or an action, whether the program is a client library or a script in a page. From
/// [`API_THRESHOLD`] on it counts as one.
///
/// ```
/// use hauberk_traffic::{TransactionRef, api_likelihood};
///
/// let line = r#"{"host": "a.example", "method": "GET", "url": "/logo.png", "status": 200, "response_content_type": "image/png"}"#;
/// let image = TransactionRef::from_line(line).unwrap();
/// assert!(api_likelihood(&image) < 0.1);
/// ```
pub fn api_likelihood(transaction: &TransactionRef<'_>) -> f64 {
    model::likelihood(&vector(transaction).0)
}

/// Writes the feature vector of the transaction, as far as there is room: a place for each of [`FEATURES`].
pub fn features(transaction: &TransactionRef<'_>, out: &mut [f32]) {
    for (slot, value) in out.iter_mut().zip(vector(transaction).0) {
        *slot = value;
    }
}

/// The score of a feature vector, which has a value for each of [`FEATURES`]; missing ones count as NaN.
pub fn likelihood_of_features(values: &[f32]) -> f64 {
    let mut vector = Vector::new();
    for (slot, value) in vector.0.iter_mut().zip(values) {
        *slot = *value;
    }
    model::likelihood(&vector.0)
}

fn vector(transaction: &TransactionRef<'_>) -> Vector {
    let mut vector = Vector::new();
    vector.set(At::Method, method(&transaction.method));
    vector.set(At::Status, transaction.status);
    path::path_features(transaction.path(), &mut vector);
    query::query_features(transaction.query(), &mut vector);
    query::host_features(&transaction.host, &mut vector);
    request::request_features(transaction, &mut vector);
    response::response_features(transaction, &mut vector);
    vector
}

fn method(method: &str) -> u8 {
    match method {
        "GET" => 0,
        "HEAD" => 1,
        "OPTIONS" => 2,
        "POST" => 3,
        "PUT" => 4,
        "PATCH" => 5,
        "DELETE" => 6,
        _ => 7,
    }
}
