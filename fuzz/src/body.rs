//! Bodies: any bytes are judged by schemas with all keywords.
//!
//! The input is two lines and the body: the number of an operation with the name of a content coding behind it if the body is packed, the
//! content type, and all that follows.

use std::sync::LazyLock;

use hauberk_openapi::{ContentEncoding, Document, Limits, Policy, RequestHead, load};
use http::{HeaderMap, HeaderValue, header};
use serde::de::IgnoredAny;

use crate::judge::judge;
use crate::parameters::operation;

const SOURCE: &[u8] = include_bytes!("../documents/body.yaml");

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    load(SOURCE, &Limits::default())
        .unwrap_or_else(|problems| panic!("the document of this target: {problems:?}"))
        .document
});

/// Judge a body made of the bytes.
///
/// # Panics
///
/// If a law does not hold.
pub fn check(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let number = std::str::from_utf8(parts.next().unwrap_or_default()).ok();
    let content_type = HeaderValue::from_bytes(parts.next().unwrap_or_default()).ok();
    let (Some(number), Some(content_type), Some(body)) = (number, content_type, parts.next())
    else {
        return;
    };
    let (number, coding) = number.split_once(' ').unwrap_or((number, ""));
    let (Some(operation), Ok(coding)) =
        (operation(&DOCUMENT, number), HeaderValue::from_str(coding))
    else {
        return;
    };
    let is_json = content_type == "application/json" && coding.is_empty();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type);
    if !coding.is_empty() {
        headers.insert(header::CONTENT_ENCODING, coding);
    }
    let head = RequestHead {
        path_variables: &[],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let policy = Policy {
        content_encoding: ContentEncoding::Unpack,
        max_unpacked_bytes: 256 * 1024,
        read_only: true,
        ..Policy::default()
    };
    let found = judge(operation, &head, body, &policy);
    // A body that is announced and does not come is none, which an operation may allow.
    if !is_json || body.is_empty() {
        return;
    }
    if found.is_empty() {
        assert!(std::str::from_utf8(body).is_ok(), "what passes is UTF-8");
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
            panic!("what passes is JSON to others as well: {error}");
        }
    }
    // White space around a document means nothing. It only adds to what may be spent on it.
    let mut padded = body.to_vec();
    padded.insert(0, b'\n');
    padded.extend(b" \t");
    let again = judge(operation, &head, &padded, &policy);
    let is_spent = |detail: &Option<String>| detail.as_deref() == Some("value_too_deep");
    if !found
        .iter()
        .any(|violation| is_spent(&violation.error_detail))
    {
        assert_eq!(again, found, "with white space around it");
    }
}
