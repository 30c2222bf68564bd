//! Reads OpenAPI 3.0 and 3.1 documents and judges requests, and responses if asked to, by them.
//!
//! [`load`] turns a document into operations and lists every problem with its place. [`Router`] finds the operation a
//! request is for. [`Operation`] judges the request: first its head, then, if the head says so, its body. What departs is
//! a [`Violation`]: location, target, error class and detail, and the place of the rule; never a value. With
//! [`Limits::responses`] it also judges what the answer was, see [`Operation::validate_response`].
//!
//! There is no I/O here, and nothing knows of the proxy in front.
//!
//! ```
//! use hauberk_openapi::{BodyPlan, Limits, Policy, RequestHead, load};
//!
//! let document = br#"
//! openapi: 3.1.0
//! info: {title: Temperatures, version: "1"}
//! paths:
//!   /temps:
//!     post:
//!       requestBody:
//!         required: true
//!         content:
//!           application/json:
//!             schema:
//!               type: object
//!               required: [value]
//!               additionalProperties: false
//!               properties: {value: {type: number, maximum: 100}}
//! "#;
//! let loaded = load(document, &Limits::default()).expect("the document has no errors");
//! let operation = loaded.document.find("POST", "/temps").expect("the document has the operation");
//!
//! let mut headers = http::HeaderMap::new();
//! headers.insert("content-type", "application/json".parse().expect("a header value"));
//! let head = RequestHead { path_variables: &[], query: None, headers: &headers, has_body: true };
//! let policy = Policy::default();
//! let plan = operation.validate_head(&head, &policy).expect("the head conforms");
//! assert!(matches!(plan, BodyPlan::Check(_)));
//! assert!(operation.validate_body(&plan, br#"{"value": 21.5}"#, &policy).is_ok());
//!
//! let violation = operation.validate_body(&plan, br#"{"value": 210}"#, &policy).expect_err("too hot");
//! assert_eq!(violation.target, "$.value");
//! assert_eq!(violation.error_detail.as_deref(), Some("number_too_big"));
//! ```

mod document;
mod lookalike;
mod operation;
mod place;
mod policy;
mod problem;
mod reference;
mod router;
mod schema;
mod source;
mod template;
mod violation;

pub use document::{Document, DocumentOperation, Loaded, ResponseSchemas, load, to_json};
pub use lookalike::loosest_reading;
pub use operation::{
    BodyCheck, BodyPlan, BodyStream, MAX_VIOLATIONS, Operation, RequestHead, StreamCheck,
    json_number,
};
pub use policy::{ContentEncoding, Limits, Policy, Unchecked};
pub use problem::{CODES, MAX_LOCATIONS, Problem, Severity};
pub use router::{Match, RouteError, Router, RouterBuilder, Variables};
pub use schema::format::TextFormat as Format;
pub use violation::{ErrorClass, Location, MAX_TARGET_CHARS, Violation};
