//! Which transactions of a capture count, and what becomes of those that do.

use hauberk_traffic::discover::{Discovery, DiscoveryLimits, OwnerRules};
use hauberk_traffic::{SessionIdentifiers, Survey, Tally, TransactionRef};
use serde_json::{Value, json};

fn survey(identifiers: &[&str], hosts: &[&str], is_scored: bool) -> Survey {
    Survey::new(
        Discovery::new(DiscoveryLimits::default()),
        SessionIdentifiers::parse(identifiers.iter().copied()).expect("identifiers"),
        hosts.iter().map(ToString::to_string).collect(),
        is_scored,
    )
}

/// A call answered with JSON, with some members changed.
fn call(changes: &Value) -> String {
    let mut line = json!({
        "host": "api.example.com", "method": "GET", "url": "https://api.example.com/v1/users", "status": 200,
        "request_headers": [["Accept", "application/json"]], "response_headers": [["Content-Type", "application/json"]],
        "response_content_type": "application/json",
    });
    for (name, value) in changes.as_object().expect("an object") {
        line[name] = value.clone();
    }
    line.to_string()
}

fn tally(survey: &mut Survey, changes: &Value) -> Tally {
    let line = call(changes);
    survey.see(&TransactionRef::from_line(&line).expect("a transaction"));
    survey.tally()
}

#[test]
fn only_successful_requests_that_an_api_could_declare_count() {
    let preflight = json!({
        "method": "OPTIONS", "request_headers": [["Access-Control-Request-Method", "PUT"]],
    });
    for (changes, counts) in [
        (json!({}), true),
        (json!({"status": 204}), true),
        (json!({"status": 199}), false),
        (json!({"status": 304}), false),
        (json!({"status": 404}), false),
        (json!({"status": 0}), false),
        (json!({"method": "PROPFIND"}), false),
        (json!({"method": "get"}), false),
        (json!({"method": "OPTIONS"}), true),
        (preflight, false),
        (
            json!({"url": "https://api.example.com/cdn-cgi/trace"}),
            false,
        ),
    ] {
        let seen = tally(&mut survey(&[], &[], true), &changes);
        assert_eq!(seen.transactions, 1, "{changes}");
        assert_eq!(seen.counted, u64::from(counts), "{changes}");
    }
}

#[test]
fn hosts_are_asked_for_with_or_without_their_port() {
    for (host, asked, counts) in [
        ("api.example.com", "API.example.com", true),
        ("api.example.com:8443", "api.example.com", true),
        ("api.example.com:8443", "api.example.com:8443", true),
        ("api.example.com:8443", "api.example.com:9443", false),
        ("api.example.com", "example.com", false),
        ("[2001:db8::1]:8080", "[2001:db8::1]", true),
        ("[2001:db8::1]", "[2001:db8::1]", true),
    ] {
        let seen = tally(&mut survey(&[], &[asked], true), &json!({"host": host}));
        assert_eq!(seen.of_hosts, u64::from(counts), "{host} {asked}");
    }
}

#[test]
fn what_discovery_has_no_room_for_is_counted() {
    let limits = DiscoveryLimits {
        max_hosts: 2,
        ..DiscoveryLimits::default()
    };
    let mut survey = Survey::new(
        Discovery::new(limits),
        SessionIdentifiers::default(),
        Vec::new(),
        true,
    );
    for host in ["a.example", "b.example", "c.example"] {
        tally(&mut survey, &json!({"host": host}));
    }
    assert_eq!((survey.tally().counted, survey.tally().left_out), (3, 1));
}

#[test]
fn a_page_is_no_api_call_unless_all_traffic_is() {
    let page = json!({
        "url": "https://www.example.com/about.html", "request_headers": [["Accept", "text/html"], ["Sec-Fetch-Dest", "document"]],
        "response_headers": [["Content-Type", "text/html"]], "response_content_type": "text/html",
    });
    assert_eq!(tally(&mut survey(&[], &[], true), &page).api, 0);
    assert_eq!(tally(&mut survey(&[], &[], false), &page).api, 1);
    assert_eq!(tally(&mut survey(&[], &[], true), &json!({})).api, 1);
}

#[test]
fn requests_with_a_session_identifier_are_counted_for_their_operation() {
    let mut survey = survey(&["cookie:sid", "header:authorization"], &[], true);
    for (url, headers) in [
        (
            "/v1/users/1",
            json!([["Cookie", "lang=en; sid=h:012345678901"]]),
        ),
        (
            "/v1/users/2",
            json!([["Authorization", "Bearer h:012345678901"]]),
        ),
        ("/v1/users/3", json!([["Cookie", "lang=en"]])),
    ] {
        tally(
            &mut survey,
            &json!({"url": url, "request_headers": headers}),
        );
    }
    assert_eq!(survey.tally().with_session, 2);
    let operations = survey.discovery().operations(&OwnerRules::default());
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].endpoint, "/v1/users/{var1}");
    assert_eq!((operations[0].requests, operations[0].with_session), (3, 2));
}
