//! How long it takes to find the operation of a request, and to build what finds it.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::Criterion;
use hauberk_openapi::{Router, RouterBuilder};
use hauberk_validation_benchmarks as common;

const HOSTS: usize = 100;
const OPERATIONS: usize = 10_000;

/// Host, method, endpoint and a path that is the endpoint's.
struct Route {
    host: String,
    method: &'static str,
    endpoint: String,
    path: String,
}

fn routes() -> Vec<Route> {
    let route = |number: usize| {
        let (host, operation) = (number % HOSTS, number / HOSTS);
        let (method, thing) = (
            ["GET", "POST", "PUT", "DELETE"][operation % 4],
            operation / 4,
        );
        Route {
            host: format!("api{host}.example.com"),
            method,
            endpoint: format!("/v1/accounts/{{var1}}/things{thing}/{{var2}}"),
            path: format!("/v1/accounts/8f14e45f/things{thing}/{number}"),
        }
    };
    (0..OPERATIONS).map(route).collect()
}

fn build(routes: &[Route]) -> HashMap<&str, Router<usize>> {
    let mut builders: HashMap<&str, RouterBuilder<usize>> = HashMap::new();
    for (number, route) in routes.iter().enumerate() {
        let builder = builders.entry(&route.host).or_default();
        builder
            .insert(route.method, &route.endpoint, number)
            .expect("routes differ");
    }
    builders
        .into_iter()
        .map(|(host, builder)| (host, builder.build()))
        .collect()
}

pub fn bench(criterion: &mut Criterion) {
    let routes = routes();
    let mut group = criterion.benchmark_group("router");
    group.bench_function("10,000 operations over 100 hosts: build", |bencher| {
        bencher.iter(|| build(black_box(&routes)));
    });
    let routers = build(&routes);
    let mut at = 0;
    group.bench_function(
        "10,000 operations over 100 hosts: host and route",
        |bencher| {
            bencher.iter(|| {
                at = (at + 7_919) % OPERATIONS;
                let route = &routes[at];
                let found = routers[route.host.as_str()].find(route.method, black_box(&route.path));
                assert_eq!(*found.expect("it is there").value, at);
            });
        },
    );
    let missing = &routers["api0.example.com"];
    group.bench_function("a path that no operation has", |bencher| {
        bencher.iter(|| {
            missing
                .find("GET", black_box("/v1/accounts/1/nothing/2/at/all"))
                .is_none()
        });
    });
    if let Some(data) = common::data() {
        let document = common::document(&common::github(&data));
        let mut builder = RouterBuilder::new();
        let mut paths = Vec::new();
        for operation in document.operations() {
            builder
                .insert(&operation.method, &operation.endpoint, ())
                .expect("endpoints differ");
            let path = operation.endpoint.replace('{', "x").replace('}', "y");
            paths.push((operation.method.as_str(), path));
        }
        let router = builder.build();
        group.bench_function("GitHub's 1,223 operations: route", |bencher| {
            bencher.iter(|| {
                at = (at + 7_919) % paths.len();
                let (method, path) = &paths[at];
                router.find(method, black_box(path)).expect("it is there")
            });
        });
    }
    group.finish();
}
