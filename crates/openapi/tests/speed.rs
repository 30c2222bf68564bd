//! Times, printed for people; nothing is asserted of them.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use hauberk_openapi::{BodyPlan, Policy, RequestHead, RouterBuilder};
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::request::one;

/// Nanoseconds of one call, in the best of ten rounds: the others shared the core with somebody.
fn nanoseconds(count: u32, mut call: impl FnMut(u32)) -> u128 {
    let mut round = || {
        let begin = Instant::now();
        for index in 0..count / 10 {
            call(index);
        }
        begin.elapsed().as_nanos() / u128::from(count / 10)
    };
    (0..10).map(|_| round()).min().unwrap_or_default()
}

#[test]
fn a_route_among_ten_thousand_is_found() {
    let mut builder = RouterBuilder::new();
    let mut paths = Vec::new();
    for index in 0..10_000 {
        let (area, thing) = (index % 100, index / 100);
        let endpoint = format!("/api/v1/area{area}/{{var1}}/thing{thing}/{{var2}}");
        builder
            .insert("GET", &endpoint, index)
            .expect("endpoints differ");
        paths.push(format!("/api/v1/area{area}/12345/thing{thing}/abcdef"));
    }
    let router = builder.build();
    let time = nanoseconds(200_000, |index| {
        let at = index as usize * 7_919 % paths.len();
        let found = router
            .find("GET", black_box(&paths[at]))
            .expect("it matches");
        assert_eq!(*found.value, at);
    });
    eprintln!("{} routes: {time} ns a lookup", router.len());
}

#[test]
fn small_and_large_bodies_are_judged() {
    let user = json!({
        "type": "object", "required": ["name", "email"], "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 80}, "email": {"type": "string", "format": "email"},
            "age": {"type": "integer", "minimum": 0, "maximum": 150}, "tags": {"type": "array", "items": {"type": "string"}},
            "address": {"type": "object", "additionalProperties": false, "properties": {
                "street": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}, "city": {"type": "string"},
                "country": {"enum": ["DE", "FR", "NL"]},
            }},
        },
    });
    let schema =
        json!({"type": "object", "properties": {"users": {"type": "array", "items": user}}});
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}),
    );
    let operation = document.find("POST", "/t").expect("the operation");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let head = RequestHead {
        path_variables: &[],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let policy = Policy::default();
    for (users, count) in [(0, 100_000), (1, 50_000), (130, 1_000)] {
        let mut text = "{\"users\":[".to_owned();
        for index in 0..users {
            let comma = if index == 0 { "" } else { "," };
            write!(
                text,
                r#"{comma}{{"name":"User Number {index}","email":"user{index}@example.com","age":{},"tags":["a","bc","def"],"address":{{"street":"Long Street {index}","zip":"12345","city":"Utrecht","country":"NL"}}}}"#,
                index % 100,
            )
            .expect("writing to a String cannot fail");
        }
        text.push_str("]}");
        let time = nanoseconds(count, |_| {
            let plan = operation
                .validate_head(&head, &policy)
                .expect("the head conforms");
            assert!(matches!(plan, BodyPlan::Check(_)));
            operation
                .validate_body(&plan, black_box(text.as_bytes()), &policy)
                .expect("the body conforms");
        });
        let tree = nanoseconds(count, |_| {
            let tree: serde_json::Value = serde_json::from_str(black_box(&text)).expect("JSON");
            black_box(tree);
        });
        eprintln!(
            "{} bytes: {time} ns for head and body; serde_json takes {tree} ns for its tree alone",
            text.len()
        );
    }
}

#[test]
fn the_deepest_body_fits_a_small_stack() {
    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/t": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}},
        "components": {"schemas": {
            "A": {"anyOf": [{"allOf": [{"oneOf": [{"$ref": "#/components/schemas/B"}]}]}]},
            "B": {"type": ["object", "array"], "items": {"$ref": "#/components/schemas/A"}, "maxItems": 1,
                  "additionalProperties": {"$ref": "#/components/schemas/A"}, "unevaluatedProperties": false},
        }},
    });
    let document = crate::request::document(&source.to_string()).document;
    let policy = Policy {
        max_depth: Policy::DEEPEST,
        ..Policy::default()
    };
    let judge = move || {
        let depth = Policy::DEEPEST;
        for (open, leaf, close, wanted) in [
            ("[", "[]", "]", true),
            ("{\"a\":", "{}", "}", true),
            ("[", "[1]", "]", false),
        ] {
            let text = format!(
                "{}{leaf}{}",
                open.repeat(depth - 1),
                close.repeat(depth - 1)
            );
            let operation = document.find("POST", "/t").expect("the operation");
            let mut headers = HeaderMap::new();
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            let head = RequestHead {
                path_variables: &[],
                query: None,
                headers: &headers,
                has_body: true,
            };
            let violations = operation.violations(&head, text.as_bytes(), &policy);
            assert_eq!(violations.is_empty(), wanted, "{violations:?}");
        }
    };
    // The stack that Rust and most servers give a thread.
    std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(judge)
        .expect("a thread")
        .join()
        .expect("no overflow");
}

#[test]
fn heads_with_a_few_parameters_are_judged() {
    let schemas = [
        json!({"type": "string"}),
        json!({"type": "integer"}),
        json!({"type": "integer", "minimum": 1, "maximum": 100}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "enum": ["asc", "desc"]}),
        json!({"type": "array", "items": {"type": "integer"}}),
    ];
    let texts = [
        "a0=some+text",
        "a1=12345",
        "a2=50",
        "a3=123e4567-e89b-12d3-a456-426614174000",
        "a4=desc",
        "a5=1&a5=2&a5=3",
    ];
    let headers = HeaderMap::new();
    let policy = Policy::default();
    for count in [0, 1, 2, 3, 4, 5, 6] {
        let parameters: Vec<_> = schemas[..count]
            .iter()
            .enumerate()
            .map(|(index, schema)| json!({"name": format!("a{index}"), "in": "query", "schema": schema}))
            .collect();
        let document = one("3.0.3", &json!({"parameters": parameters}));
        let operation = document.find("POST", "/t").expect("the operation");
        let query = texts[..count].join("&");
        let head = RequestHead {
            path_variables: &[],
            query: Some(&query),
            headers: &headers,
            has_body: false,
        };
        let time = nanoseconds(100_000, |_| {
            let plan = operation.validate_head(black_box(&head), &policy);
            assert_eq!(plan, Ok(BodyPlan::None));
        });
        eprintln!("{count} query parameters: {time} ns");
    }
}
