//! How long it takes to judge a body, beside what only reading it takes others.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use hauberk_openapi::{Operation, Policy};
use hauberk_validation_benchmarks as common;
use http::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::Value;

const JSON: &str = "application/json";

/// A body, or several of one operation that are judged one after the other.
struct Case<'c> {
    name: &'static str,
    operation: &'c Operation,
    variables: &'static [&'static str],
    headers: HeaderMap,
    bodies: Vec<Vec<u8>>,
    policy: Policy,
    /// The same schema for the `jsonschema` crate.
    schema: Value,
}

fn measure(criterion: &mut Criterion, case: &Case<'_>) {
    let mut group = criterion.benchmark_group("body");
    let bytes: usize = case.bodies.iter().map(Vec::len).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    let library = jsonschema::options()
        .should_validate_formats(true)
        .build(&case.schema)
        .expect("a schema");
    for body in &case.bodies {
        let judged = common::conforms(
            case.operation,
            case.variables,
            &case.headers,
            body,
            &case.policy,
        );
        assert!(judged, "{}: {}", case.name, String::from_utf8_lossy(body));
        let tree = serde_json::from_slice(body).expect("JSON");
        assert!(
            library.is_valid(&tree),
            "{}: {:?}",
            case.name,
            library.validate(&tree)
        );
    }
    let mut each = |what: &str, call: &dyn Fn(&[u8]) -> bool| {
        group.bench_function(BenchmarkId::new(case.name, what), |bencher| {
            bencher.iter(|| case.bodies.iter().all(|body| call(black_box(body))));
        });
    };
    each("hauberk", &|body| {
        common::conforms(
            case.operation,
            case.variables,
            &case.headers,
            body,
            &case.policy,
        )
    });
    each("serde_json Value", &|body| {
        black_box(serde_json::from_slice::<Value>(body)).is_ok()
    });
    each("serde_json IgnoredAny", &|body| {
        serde_json::from_slice::<IgnoredAny>(body).is_ok()
    });
    each("sonic-rs Value", &|body| {
        black_box(sonic_rs::from_slice::<sonic_rs::Value>(body)).is_ok()
    });
    each("jsonschema on serde_json Value", &|body| {
        serde_json::from_slice(body).is_ok_and(|tree| library.is_valid(&tree))
    });
    group.finish();
}

pub fn bench(criterion: &mut Criterion) {
    let temperatures = include_bytes!("../../../gateway/temperatures.json");
    let reading = include_bytes!("../../../gateway/reading.json");
    let readings = common::document(temperatures);
    let signup = include_bytes!("../../signup.json");
    let signups = common::document(signup);
    let payment = include_bytes!("../../payments.json");
    let payments = common::document(payment);
    let roomy = Policy {
        max_members: 1_000_000,
        ..Policy::default()
    };
    let json =
        |name, document: &'static [u8], operation, path, body: Vec<u8>, policy: &Policy| Case {
            name,
            operation,
            variables: &[],
            headers: common::headers(JSON),
            bodies: vec![body],
            policy: policy.clone(),
            schema: common::schema(document, path, JSON),
        };
    let strict = Policy::default();
    let small = readings.find("POST", "/temps").expect("the operation");
    measure(
        criterion,
        &json(
            "53 B reading",
            temperatures,
            small,
            "/temps",
            reading.to_vec(),
            &strict,
        ),
    );
    let user = signups.find("POST", "/signup").expect("the operation");
    let large = [
        ("32 KB sign-up of 100 users", 100, &strict),
        ("1 MB sign-up of 3,200 users", 3_200, &roomy),
    ];
    for (name, users, policy) in large {
        measure(
            criterion,
            &json(name, signup, user, "/signup", common::signup(users), policy),
        );
    }
    let pay = payments.find("POST", "/payments").expect("the operation");
    let body = include_bytes!("../../payment.body.json").to_vec();
    measure(
        criterion,
        &json(
            "payment, oneOf of 12",
            payment,
            pay,
            "/payments",
            body,
            &strict,
        ),
    );
    if let Some(data) = common::data() {
        let source = common::github(&data);
        let github = common::document(&source);
        let path = "/repos/{owner}/{repo}/issues";
        let case = Case {
            name: "GitHub issues, recorded",
            operation: github.find("POST", path).expect("the operation"),
            variables: &["octokit", "octokit.rb"],
            headers: common::headers(JSON),
            bodies: common::issues(&data),
            policy: strict.clone(),
            schema: common::schema(&source, path, JSON),
        };
        assert!(!case.bodies.is_empty());
        measure(criterion, &case);
    }
    form(
        criterion,
        payments.find("POST", "/charges").expect("the operation"),
        &strict,
    );
}

/// A form has no tree that others build; it stands alone.
fn form(criterion: &mut Criterion, operation: &Operation, policy: &Policy) {
    let body = b"amount=2000&currency=eur&description=Order+6735&receipt_email=jenny%40example.com&capture=true&source=tok_visa&expand=customer&expand=invoice";
    let headers = common::headers("application/x-www-form-urlencoded");
    assert!(common::conforms(operation, &[], &headers, body, policy));
    let mut group = criterion.benchmark_group("body");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function(BenchmarkId::new("charge, a form", "hauberk"), |bencher| {
        bencher.iter(|| common::conforms(operation, &[], &headers, black_box(body), policy));
    });
    group.finish();
}
