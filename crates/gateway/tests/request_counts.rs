//! What is counted of requests: each by what became of it, for its host.

use std::time::{Duration, Instant};

use hauberk_gateway::RequestTally;
use serde_json::json;

use crate::support::snapshot::GOOD_READING;
use crate::support::{Authority, Origin, Running, Snapshot};

const HOST: &str = "api.example.com";

/// The counts of a host once so many requests have been counted.
fn counted(running: &Running, host: &str, requests: u64) -> RequestTally {
    let begun = Instant::now();
    let mut sum = RequestTally::default();
    while sum.requests < requests {
        assert!(begun.elapsed() < Duration::from_secs(20), "{sum:?}");
        for one in running.gateway.take_request_metrics() {
            assert_eq!(one.minute % 60, 0);
            assert_eq!((one.zone_id.len(), &*one.host), (32, host));
            let counts = one.counts;
            let verdicts = counts.passed
                + counts.logged
                + counts.blocked_certificate
                + counts.blocked_rule
                + counts.blocked_schema
                + counts.blocked_other;
            assert_eq!(verdicts, counts.requests);
            sum.requests += counts.requests;
            sum.passed += counts.passed;
            sum.logged += counts.logged;
            sum.blocked_certificate += counts.blocked_certificate;
            sum.blocked_rule += counts.blocked_rule;
            sum.blocked_schema += counts.blocked_schema;
            sum.blocked_other += counts.blocked_other;
            sum.protected += counts.protected;
            sum.with_certificate += counts.with_certificate;
            sum.fallthrough += counts.fallthrough;
            sum.client_errors += counts.client_errors;
            sum.server_errors += counts.server_errors;
        }
    }
    assert!(running.gateway.take_request_metrics().is_empty());
    sum
}

#[test]
fn requests_without_the_demanded_certificate_are_told_from_other_refusals() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    snapshot.add_rule("block", r#"http.request.uri.path eq "/closed""#);
    snapshot.add_rule("log", r#"http.request.uri.path eq "/watched""#);
    let running = Running::start(&snapshot);
    let device = authority.client("device");
    let mut client = running.tls(Some(&device));
    for (target, status) in [
        ("/a", 200),
        ("/watched", 200),
        ("/closed", 403),
        ("/%2", 400),
    ] {
        assert_eq!(client.get(HOST, target).status, status, "{target}");
    }
    assert_eq!(running.get(None, "/a").status, 403);
    let expected = RequestTally {
        requests: 5,
        passed: 1,
        logged: 1,
        blocked_certificate: 1,
        blocked_rule: 1,
        blocked_other: 1,
        protected: 5,
        with_certificate: 4,
        fallthrough: 4,
        ..RequestTally::default()
    };
    assert_eq!(counted(&running, HOST, 5), expected);
}

#[test]
fn what_no_schema_judges_and_no_rule_demands_counts_as_unprotected() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    // A certificate is asked for and shown, but nothing depends on it.
    let mut snapshot = Snapshot::new(&origin.url())
        .validate("block")
        .require(&authority);
    snapshot.zone()["rules"] = json!([]);
    let running = Running::start(&snapshot);
    let device = authority.client("device");
    let mut client = running.tls(Some(&device));
    assert_eq!(client.get(HOST, "/elsewhere").status, 200);
    assert_eq!(client.post_json(HOST, "/temps", GOOD_READING).status, 201);
    assert_eq!(client.post_json(HOST, "/temps", "{}").status, 403);
    let expected = RequestTally {
        requests: 3,
        passed: 2,
        blocked_schema: 1,
        protected: 2,
        with_certificate: 3,
        fallthrough: 1,
        ..RequestTally::default()
    };
    assert_eq!(counted(&running, HOST, 3), expected);
}

#[test]
fn errors_count_where_the_request_went_on() {
    let mut snapshot = Snapshot::new("http://127.0.0.1:9");
    snapshot.host(0)["name"] = json!("*.example.com");
    let running = Running::start(&snapshot);
    let mut client = running.plain();
    // Both are the wildcard's; a host that nobody serves is nobody's.
    assert_eq!(client.get("a.example.com", "/").status, 502);
    assert_eq!(running.plain().get("b.example.com", "/").status, 502);
    assert_eq!(running.plain().get("elsewhere.test", "/").status, 404);
    let expected = RequestTally {
        requests: 2,
        passed: 2,
        fallthrough: 2,
        server_errors: 2,
        ..RequestTally::default()
    };
    assert_eq!(counted(&running, "*.example.com", 2), expected);
}
