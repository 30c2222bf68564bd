//! What a large document costs: loading it once, and each request beside the same operation alone in a document.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use hauberk_openapi::{Document, Limits, Policy, Router, RouterBuilder, load};
use hauberk_validation_benchmarks as common;
use serde_json::{Value, json};

const PATH: &str = "/repos/{owner}/{repo}/issues";
const URL: &str = "/repos/octokit/octokit.rb/issues";

struct Side {
    document: Document,
    router: Router<String>,
}

impl Side {
    fn new(source: &[u8]) -> Self {
        let document = common::document(source);
        let mut builder = RouterBuilder::new();
        for operation in document.operations() {
            builder
                .insert(
                    &operation.method,
                    &operation.endpoint,
                    operation.path.clone(),
                )
                .expect("endpoints differ");
        }
        Self {
            document,
            router: builder.build(),
        }
    }

    /// Route, head and body of one request, as often as told.
    fn time(&self, rounds: u64, body: &[u8]) -> Duration {
        let headers = common::headers("application/json");
        let policy = Policy::default();
        let operation = self.document.find("POST", PATH).expect("the operation");
        let begin = Instant::now();
        for _ in 0..rounds {
            let found = self
                .router
                .find("POST", black_box(URL))
                .expect("it is there");
            assert!(common::conforms(
                operation,
                &found.variables,
                &headers,
                black_box(body),
                &policy
            ));
        }
        begin.elapsed()
    }
}

/// The document with nothing but the operation that is asked for.
fn alone(source: &[u8]) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(source).expect("JSON");
    let mut item = document["paths"][PATH].take();
    document["paths"] = json!({PATH: {"post": item["post"].take()}});
    document.to_string().into_bytes()
}

pub fn bench(criterion: &mut Criterion) {
    let Some(data) = common::data() else { return };
    let source = common::github(&data);
    let bodies = common::issues(&data);
    let body = &bodies[bodies.len() / 2];
    let mut group = criterion.benchmark_group("document");
    group.sample_size(10);
    group.bench_function("load 1,223 operations (7 MB)", |bencher| {
        bencher.iter(|| load(black_box(&source), &Limits::default()).is_ok());
    });
    group.sample_size(50);
    let sides = [
        ("one operation: request", Side::new(&alone(&source))),
        ("1,223 operations: request", Side::new(&source)),
    ];
    assert_eq!(sides[1].1.router.len(), 1_223);
    for (name, side) in &sides {
        side.time(20_000, body); // both warm, whichever comes first
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|rounds| side.time(rounds, body))
        });
    }
    group.finish();
}
