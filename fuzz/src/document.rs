//! Loading: any bytes become a document that can be enforced, or a list of what is wrong with them.

use hauberk_openapi::{
    CODES, Document, Limits, Loaded, MAX_LOCATIONS, Policy, Problem, RequestHead, RouteError,
    RouterBuilder, Severity, load, to_json,
};
use http::HeaderMap;

use crate::judge::judge;

/// Longer ones say nothing that shorter ones do not, and slow the fuzzer down.
const MAX_BYTES: usize = 64 * 1024;

/// Operations that are tried with a request.
const TRIED: usize = 20;

fn limits() -> Limits {
    Limits {
        max_bytes: MAX_BYTES,
        max_depth: 64,
        max_nodes: 20_000,
        max_operations: 200,
        responses: true,
    }
}

/// Load the bytes as a document.
///
/// # Panics
///
/// If a law does not hold.
pub fn check(data: &[u8]) {
    let loaded = load(data, &limits());
    match (&loaded, load(data, &limits())) {
        (Ok(one), Ok(two)) => same(one, &two),
        (Err(one), Err(two)) => assert_eq!(*one, two, "the same bytes have the same problems"),
        _ => panic!("the same bytes are loaded once and refused once"),
    }
    match loaded {
        Ok(loaded) => enforceable(data, &loaded),
        Err(problems) => refused(&problems),
    }
}

fn refused(problems: &[Problem]) {
    let worst = problems.first().expect("a refusal has a reason");
    assert!(worst.severity < Severity::Warning, "{worst:?}");
    assert!(
        problems.is_sorted_by_key(|problem| problem.severity),
        "the worst comes first"
    );
    described(problems);
}

fn described(problems: &[Problem]) {
    for problem in problems {
        assert!(
            CODES.contains(&(problem.severity, problem.code)),
            "{problem:?}"
        );
        assert!(!problem.message.is_empty());
        assert!(problem.locations.len() <= MAX_LOCATIONS);
    }
}

fn same(one: &Loaded, two: &Loaded) {
    assert_eq!(one.warnings, two.warnings);
    assert_eq!(one.document.title(), two.document.title());
    assert_eq!(
        one.document.openapi_version(),
        two.document.openapi_version()
    );
    assert_eq!(one.document.operations(), two.document.operations());
}

fn enforceable(data: &[u8], loaded: &Loaded) {
    described(&loaded.warnings);
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| warning.severity == Severity::Warning)
    );
    // What was YAML means the same written as JSON, where aliases are spelt out.
    let json = to_json(data, &limits())
        .expect("it was read before")
        .to_string();
    let roomy = Limits {
        max_bytes: usize::MAX,
        ..limits()
    };
    match load(json.as_bytes(), &roomy) {
        Ok(again) => same(loaded, &again),
        Err(problems) => panic!("as JSON it is refused: {problems:?}"),
    }
    if let Err(reason) = loaded.document.compile_all() {
        panic!("a document was loaded that cannot be enforced: {reason}");
    }
    routed(&loaded.document);
}

/// Operations can be found by both of their keys, and judge a request without anything.
fn routed(document: &Document) {
    let mut builder = RouterBuilder::new();
    for operation in document.operations() {
        match builder.insert(&operation.method, &operation.endpoint, ()) {
            // A base path of one server may be a part of the path under another one.
            Ok(()) | Err(RouteError::Duplicate { .. }) => {}
            Err(error) => panic!("an endpoint that cannot be saved: {error}"),
        }
    }
    let headers = HeaderMap::new();
    for known in document.operations().iter().take(TRIED) {
        let operation = document
            .find(&known.method, &known.path)
            .expect("what is listed is found");
        for has_body in [false, true] {
            let head = RequestHead {
                path_variables: &["1", "2", "3", "4"],
                query: Some("a=1&b=x"),
                headers: &headers,
                has_body,
            };
            judge(operation, &head, b"{}", &Policy::default());
        }
    }
}
