//! What it costs to tell whether a transaction is an API call, with features and on one core.
//!
//! `cargo bench -p hauberk-traffic --bench classify`. The transactions are made up and stand for what a gateway sees: a call by a script in a page with all
//! headers of a browser and a talkative server, one by a client library, a page, and a line of an access log.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hauberk_traffic::classify::{FEATURES, features, likelihood_of_features};
use hauberk_traffic::{TransactionRef, api_likelihood};

const LINES: &[(&str, &str)] = &[
    (
        "script in a page",
        include_str!("transactions/script-in-page.json"),
    ),
    (
        "client library",
        include_str!("transactions/client-library.json"),
    ),
    ("page", include_str!("transactions/page.json")),
    ("log line", include_str!("transactions/log-line.json")),
];

fn likelihood(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("api_likelihood");
    for (name, line) in LINES {
        let transaction = TransactionRef::from_line(line).expect("a transaction");
        group.bench_function(*name, |bencher| {
            bencher.iter(|| api_likelihood(black_box(&transaction)));
        });
    }
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let transaction = TransactionRef::from_line(LINES[0].1).expect("a transaction");
    let mut vector = vec![0.0; FEATURES.len()];
    criterion.bench_function("features alone", |bencher| {
        bencher.iter(|| features(black_box(&transaction), &mut vector));
    });
    features(&transaction, &mut vector);
    criterion.bench_function("trees alone", |bencher| {
        bencher.iter(|| likelihood_of_features(black_box(&vector)));
    });
}

criterion_group!(benches, likelihood, parts);
criterion_main!(benches);
