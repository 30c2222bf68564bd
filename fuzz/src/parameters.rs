//! Heads: any path variables, query, headers and cookies are judged by a document with parameters of all kinds.
//!
//! The input is lines: the number of an operation, the path variables with `/` between, the query, then header fields `name: value`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use hauberk_openapi::{Document, Limits, Operation, Policy, RequestHead, load};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::judge::judge;

const SOURCE: &[u8] = include_bytes!("../documents/parameters.yaml");

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    load(SOURCE, &Limits::default())
        .unwrap_or_else(|problems| panic!("the document of this target: {problems:?}"))
        .document
});

/// Most header fields.
const MAX_FIELDS: usize = 64;

/// Judge a request made of the bytes.
///
/// # Panics
///
/// If a law does not hold.
pub fn check(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).ok();
    let (Some(number), Some(path), Some(query)) = (text(), text(), text()) else {
        return;
    };
    let Some(operation) = operation(&DOCUMENT, number) else {
        return;
    };
    let variables: Vec<&str> = path.split('/').collect();
    let mut headers = HeaderMap::new();
    for line in lines.take(MAX_FIELDS) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let value = line[colon + 1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_bytes(value),
        ) {
            headers.append(name, value);
        }
    }
    let head = RequestHead {
        path_variables: &variables,
        query: (!query.is_empty()).then_some(query),
        headers: &headers,
        has_body: false,
    };
    let strict = Policy::default();
    let found = judge(operation, &head, b"", &strict);

    // Who allows more finds nothing new.
    let lenient = Policy {
        undeclared_query: false,
        repeated_parameters: false,
        strict_numbers: false,
        ..strict.clone()
    };
    let allowed = judge(operation, &head, b"", &lenient);
    assert!(!found.is_empty() || allowed.is_empty(), "{allowed:?}");

    // Letters and digits mean the same percent-encoded.
    if !query.contains('%') {
        let encoded = encoded(query);
        let other = RequestHead {
            query: head.query.map(|_| encoded.as_str()),
            ..head
        };
        assert_eq!(judge(operation, &other, b"", &strict), found, "{encoded}");
    }
}

/// The operation of a number, which counts around.
pub(crate) fn operation<'d>(document: &'d Document, number: &str) -> Option<&'d Operation> {
    let known = document.operations();
    let known = &known[number.parse::<usize>().ok()? % known.len()];
    document.find(&known.method, &known.path)
}

fn encoded(query: &str) -> String {
    let mut out = String::with_capacity(query.len() * 3);
    for character in query.chars() {
        if character.is_ascii_alphanumeric() {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{:02X}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}
