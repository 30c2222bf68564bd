//! The classifier: equal to what was trained, sure of what is plain, and calm whatever it is given.

use hauberk_traffic::classify::{FEATURES, features, likelihood_of_features};
use hauberk_traffic::{API_THRESHOLD, TransactionRef, api_likelihood};
use proptest::prelude::*;

/// Rows of the feature tables, each after its likelihood by `CatBoost` itself; the training writes them with the model.
const TRAINED: &str = include_str!("classifier-rows.csv");

#[test]
fn the_score_is_that_of_catboost() {
    for (number, line) in TRAINED.lines().enumerate() {
        let (expected, values) = line.split_once(',').expect("a likelihood and features");
        let expected: f64 = expected.parse().expect("a likelihood");
        let values: Vec<f32> = values
            .split(',')
            .map(|value| value.parse().unwrap_or(f32::NAN))
            .collect();
        assert_eq!(values.len(), FEATURES.len(), "row {number}");
        let score = likelihood_of_features(&values);
        assert!(
            (score - expected).abs() <= 1e-6,
            "row {number}: {score} is not {expected}"
        );
    }
}

/// A transaction as a line, from request line, headers and response.
fn line(
    request: &str,
    request_headers: &str,
    status: u16,
    content_type: Option<&str>,
    response_headers: &str,
) -> String {
    let (method, url) = request.split_once(' ').expect("method and URL");
    let pairs = |text: &str| -> Vec<(String, String)> {
        text.split('\n')
            .filter_map(|header| header.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    serde_json::json!({
        "host": "shop.example", "method": method, "url": format!("https://shop.example{url}"), "status": status,
        "request_headers": pairs(request_headers), "response_headers": pairs(response_headers),
        "response_content_type": content_type, "response_body_size": 2048,
    })
    .to_string()
}

const PAGE: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
Upgrade-Insecure-Requests: 1
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Sec-Fetch-Site: none";
const SCRIPT: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
Accept: application/json, text/plain, */*
Referer: https://shop.example/cart
Cookie: a=h:1; b=h:2
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: cors
Sec-Fetch-Site: same-origin";
const CURL: &str = "User-Agent: curl/8.5.0\nAccept: */*\nHost: shop.example";
const LOG: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\nReferer: https://shop.example/";

#[test]
fn who_asks_does_not_decide_but_what_for() {
    let server = "Server: nginx\nDate: Sun, 22 Nov 2026 10:00:00 GMT";
    let html = Some("text/html; charset=utf-8");
    let json = Some("application/json");
    let cases = [
        (
            "a page in a browser",
            "GET /cart",
            PAGE,
            html,
            server,
            false,
        ),
        ("a page by curl", "GET /cart", CURL, html, server, false),
        ("a page in a log", "GET /about/team", LOG, None, "", false),
        (
            "an image in a log",
            "GET /images/logo.png",
            LOG,
            None,
            "",
            false,
        ),
        (
            "a form in a log",
            "POST /index.php/contact/",
            LOG,
            None,
            "",
            false,
        ),
        (
            "data for a script",
            "GET /cart/items?page=2",
            SCRIPT,
            json,
            server,
            true,
        ),
        (
            "data for curl",
            "GET /cart/items?page=2",
            CURL,
            json,
            server,
            true,
        ),
        (
            "data under a base path",
            "GET /tools/x/v2/carts/17/items",
            SCRIPT,
            json,
            server,
            true,
        ),
        (
            "a script file",
            "GET /static/app.3f2a91c4.js",
            PAGE,
            Some("text/javascript"),
            server,
            false,
        ),
        (
            "an API in a log",
            "DELETE /api/v1/users/42",
            LOG,
            None,
            "",
            true,
        ),
    ];
    for (what, request, request_headers, content_type, response_headers, expected) in cases {
        let line = line(
            request,
            request_headers,
            200,
            content_type,
            response_headers,
        );
        let transaction = TransactionRef::from_line(&line).expect("a transaction");
        let score = api_likelihood(&transaction);
        assert_eq!(score >= API_THRESHOLD, expected, "{what}: {score}");
    }
}

#[test]
fn what_a_record_does_not_tell_is_not_taken_for_absent() {
    let value = |line: &str, name: &str| {
        let transaction = TransactionRef::from_line(line).expect("a transaction");
        let mut vector = vec![0.0; FEATURES.len()];
        features(&transaction, &mut vector);
        vector[FEATURES
            .iter()
            .position(|feature| feature.name == name)
            .expect("a feature")]
    };
    let full = line("GET /", CURL, 200, None, "Date: today");
    let log = line("GET /", LOG, 200, None, "");
    for name in [
        "origin",
        "fetch_mode",
        "cookies_sent",
        "response_type",
        "cache_age",
        "rate_limit",
    ] {
        assert!(!value(&full, name).is_nan(), "{name}");
        assert!(value(&log, name).is_nan(), "{name}");
    }
    assert!(value(r#"{"host":"","method":"","url":""}"#, "user_agent").is_nan());
}

#[test]
fn a_short_or_long_place_for_the_vector_is_filled_as_far_as_it_goes() {
    let line = line("GET /", PAGE, 200, None, "");
    let transaction = TransactionRef::from_line(&line).expect("a transaction");
    for length in [0, 1, FEATURES.len(), FEATURES.len() + 3] {
        features(&transaction, &mut vec![0.0; length]);
        assert!((0.0..=1.0).contains(&likelihood_of_features(&vec![0.0; length])));
    }
}

proptest! {
    #[test]
    fn any_transaction_has_a_likelihood(
        host in ".{0,40}", method in ".{0,8}", url in ".{0,200}", status: u16, size: Option<u64>,
        headers in prop::collection::vec((header_name(), ".{0,60}"), 0..12), content_type in prop::option::of(".{0,40}"), body in prop::option::of(".{0,40}"),
    ) {
        let line = serde_json::json!({
            "host": host, "method": method, "url": url, "status": status, "request_headers": headers, "response_headers": headers,
            "response_body_size": size, "response_content_type": content_type, "request_body": body,
        }).to_string();
        let transaction = TransactionRef::from_line(&line).expect("a transaction");
        let score = api_likelihood(&transaction);
        prop_assert!((0.0..=1.0).contains(&score));
    }
}

/// Names the features look at, and any others.
fn header_name() -> impl Strategy<Value = String> {
    let known = [
        "Accept",
        "Cache-Control",
        "Content-Type",
        "Content-Length",
        "Cookie",
        "Origin",
        "Priority",
        "Referer",
        "User-Agent",
        "Vary",
        "Content-Disposition",
        "Expires",
        "Sec-Fetch-Dest",
    ];
    prop_oneof![
        prop::sample::select(known.map(str::to_owned).to_vec()),
        ".{0,60}",
    ]
}
