//! How long it takes to judge a head.

use std::hint::black_box;

use criterion::Criterion;
use hauberk_openapi::{Policy, RequestHead};
use hauberk_validation_benchmarks as common;
use http::{HeaderMap, HeaderName, HeaderValue};

const DOCUMENT: &str = r#"
openapi: 3.1.0
info: {title: Heads, version: "1"}
paths:
  /none: {get: {}}
  /things/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, format: uuid}}
  /search:
    get:
      parameters:
        - {name: q, in: query, required: true, schema: {type: string, maxLength: 100}}
        - {name: page, in: query, schema: {type: integer, minimum: 1}}
        - {name: per_page, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: sort, in: query, schema: {type: string, enum: [created, updated, comments]}}
        - {name: since, in: query, schema: {type: string, format: date-time}}
        - {name: labels, in: query, explode: false, schema: {type: array, maxItems: 10, items: {type: string, pattern: "^[a-z-]+$"}}}
        - {name: archived, in: query, schema: {type: boolean}}
  /shop/{shop}/orders/{order}:
    get:
      parameters:
        - {name: shop, in: path, required: true, schema: {type: string, pattern: "^[a-z0-9-]{3,20}$"}}
        - {name: order, in: path, required: true, schema: {type: integer, minimum: 1}}
        - {name: X-Request-Id, in: header, required: true, schema: {type: string, format: uuid}}
        - {name: X-Features, in: header, schema: {type: array, items: {type: string}}}
        - {name: session, in: cookie, required: true, schema: {type: string, minLength: 16}}
        - {name: expand, in: query, schema: {type: array, items: {type: string, enum: [lines, customer]}}}
"#;

/// What ordinary clients send along.
const USUAL: [(&str, &str); 6] = [
    ("host", "api.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    ),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br"),
    ("authorization", "Bearer 2YotnFZFEjr1zCsicMWpAA"),
    ("x-request-id", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
];

struct Case {
    name: &'static str,
    path: &'static str,
    variables: &'static [&'static str],
    query: Option<&'static str>,
    more: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 4] = [
    Case {
        name: "no parameters",
        path: "/none",
        variables: &[],
        query: None,
        more: &[],
    },
    Case {
        name: "a UUID in the path",
        path: "/things/{id}",
        variables: &["6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
        query: None,
        more: &[],
    },
    Case {
        name: "seven query parameters",
        path: "/search",
        variables: &[],
        query: Some(
            "q=mutual%20TLS+gateway&page=2&per_page=50&sort=updated&since=2024-05-01T00%3A00%3A00Z&labels=bug,help-wanted&archived=false",
        ),
        more: &[],
    },
    Case {
        name: "path, query, headers and cookie",
        path: "/shop/{shop}/orders/{order}",
        variables: &["shop-7", "31337"],
        query: Some("expand=lines&expand=customer"),
        more: &[
            ("x-features", "fast, new"),
            (
                "cookie",
                "theme=dark; session=0123456789abcdef0123; lang=en",
            ),
        ],
    },
];

pub fn bench(criterion: &mut Criterion) {
    let document = common::document(DOCUMENT.as_bytes());
    let policy = Policy::default();
    let mut group = criterion.benchmark_group("parameters");
    for case in CASES {
        let operation = document
            .find("GET", case.path)
            .expect("it is in the document");
        let mut headers = HeaderMap::new();
        for (name, value) in USUAL.iter().chain(case.more) {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let head = RequestHead {
            path_variables: case.variables,
            query: case.query,
            headers: &headers,
            has_body: false,
        };
        if let Err(violation) = operation.validate_head(&head, &policy) {
            panic!("{}: {violation}", case.name);
        }
        group.bench_function(case.name, |bencher| {
            bencher.iter(|| operation.validate_head(black_box(&head), &policy));
        });
    }
    group.finish();
}
