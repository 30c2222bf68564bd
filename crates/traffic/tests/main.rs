//! The public face of the crate: tables in `masking`, `session`, `sketch` and `transaction`, laws in `laws` and
//! beside the tables, recorded traffic in `records`.

mod classify;
mod discover;
mod laws;
mod learn;
mod masking;
mod reading;
mod records;
mod session;
mod sketch;
mod survey;
mod transaction;

use hauberk_traffic::{Masker, Transaction};

fn masker() -> Masker {
    Masker::new([7; 32])
}

/// The hash of a secret, as it stands in all masked texts.
fn hash(secret: &str) -> String {
    masker().mask_header("X-Api-Key", secret)
}

/// Fills each `<…>` in with the hash of what it holds, so that tables stay legible.
fn expected(pattern: &str) -> String {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('<') {
        let (secret, after) = after.split_once('>').expect("a closing bracket");
        filled.push_str(before);
        filled.push_str(&hash(secret));
        rest = after;
    }
    filled + rest
}

fn transaction() -> Transaction {
    Transaction {
        host: "a.example".to_owned(),
        method: "POST".to_owned(),
        url: "https://a.example/x?token=k".to_owned(),
        http_version: None,
        request_headers: vec![("Cookie".to_owned(), "s=k".to_owned())],
        request_body: Some(r#"{"password":"k"}"#.to_owned()),
        request_body_b64: None,
        request_body_omitted: None,
        status: 200,
        response_headers: vec![("X-Auth-Token".to_owned(), "k".to_owned())],
        response_body_size: Some(13),
        response_content_type: Some("application/json".to_owned()),
        response_body: Some(r#"{"token":"k"}"#.to_owned()),
        resource_type: None,
        time: Some("2026-11-22T10:00:00Z".to_owned()),
        client: Some("192.0.2.1".to_owned()),
        ..Transaction::default()
    }
}
