//! Times a sign-up body of 32 KB, judged while it is read, against `serde_json` building its tree, in the same run.
//!
//! `cargo run --release -p hauberk-openapi --example signup`

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use hauberk_openapi::{Limits, Policy, RequestHead, load};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

fn main() {
    let document = load(document().to_string().as_bytes(), &Limits::default())
        .expect("the document has no errors")
        .document;
    let operation = document.find("POST", "/signup").expect("the operation");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let head = RequestHead {
        path_variables: &[],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let policy = Policy::default();
    let plan = operation
        .validate_head(&head, &policy)
        .expect("the head conforms");
    for users in [1, 10, 100] {
        let text = body(users);
        let judge = || {
            operation
                .validate_body(&plan, black_box(text.as_bytes()), &policy)
                .expect("the body conforms");
        };
        let tree = || {
            let tree: Value = serde_json::from_slice(black_box(text.as_bytes())).expect("JSON");
            black_box(tree);
        };
        // In turns, so that a busy machine is busy for both.
        let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
        for _ in 0..200 {
            ours = ours.min(microseconds(20_000 / (users * 10), judge));
            theirs = theirs.min(microseconds(20_000 / (users * 10), tree));
        }
        println!(
            "{} bytes: judged in {ours:.2} µs, serde_json's tree in {theirs:.2} µs: {:.2} times as fast",
            text.len(),
            theirs / ours
        );
    }
}

/// Of one call, in the mean of a round.
fn microseconds(count: usize, call: impl Fn()) -> f64 {
    let begin = Instant::now();
    for _ in 0..count {
        call();
    }
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(count).expect("few"))
}

fn body(users: usize) -> String {
    let mut text = "{\"users\":[".to_owned();
    for index in 0..users {
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"id":"3f2504e0-4f89-41d3-9a0c-0305e82c{index:04}","email":"user.name{index}@mail.example.com","name":"User Number {index}","created":"2026-03-{:02}T12:34:56.789Z","age":{},"plan":"{}","score":{}.{},"tags":["alpha","beta","gamma"],"active":true,"address":{{"street":"Long Street {index}","zip":"12345-678","city":"Utrecht","country":"NL"}}}}"#,
            index % 28 + 1,
            18 + index % 60,
            ["free", "team", "business"][index % 3],
            index % 100,
            index % 10,
        )
        .expect("writing to a String cannot fail");
    }
    text.push_str("]}");
    text
}

fn document() -> Value {
    let user = json!({
        "type": "object", "required": ["id", "email", "name", "address"], "additionalProperties": false,
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "email": {"type": "string", "format": "email", "maxLength": 254},
            "name": {"type": "string", "minLength": 1, "maxLength": 80},
            "created": {"type": "string", "format": "date-time"},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "plan": {"type": "string", "enum": ["free", "team", "business"]},
            "score": {"type": "number", "minimum": 0, "maximum": 100},
            "tags": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 20}},
            "active": {"type": "boolean"},
            "address": {"$ref": "#/components/schemas/Address"},
        },
    });
    let address = json!({
        "type": "object", "required": ["street", "city"], "additionalProperties": false,
        "properties": {
            "street": {"type": "string", "minLength": 1, "maxLength": 120},
            "zip": {"type": "string", "pattern": "^[0-9]{5}(-[0-9]{3,4})?$"},
            "city": {"type": "string", "pattern": "^[A-Za-z' -]{1,60}$"},
            "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
        },
    });
    let body = json!({"type": "object", "required": ["users"], "properties": {
        "users": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/User"}},
    }});
    json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/signup": {"post": {"requestBody": {"required": true, "content": {"application/json": {"schema": body}}}}}},
        "components": {"schemas": {"User": user, "Address": address}},
    })
}
