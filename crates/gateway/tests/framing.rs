//! Requests that two servers could read differently, and heads that are too much.

use crate::support::http2::Http2;
use crate::support::{Origin, Running, Snapshot};

#[test]
fn requests_that_can_be_read_in_two_ways_are_refused() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()));
    let host = "Host: api.example.com\r\n";
    for (what, request) in [
        (
            "both framings",
            format!(
                "POST / HTTP/1.1\r\n{host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "both, the other way",
            format!(
                "POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "two lengths",
            format!("POST / HTTP/1.1\r\n{host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        ),
        (
            "two lengths in one",
            format!("POST / HTTP/1.1\r\n{host}Content-Length: 3, 4\r\n\r\nabcd"),
        ),
        (
            "a length with a sign",
            format!("POST / HTTP/1.1\r\n{host}Content-Length: +3\r\n\r\nabc"),
        ),
        (
            "a folded line",
            format!("GET / HTTP/1.1\r\n{host}X-Folded: a\r\n b\r\n\r\n"),
        ),
        (
            "a space before the colon",
            format!("POST / HTTP/1.1\r\n{host}Content-Length : 3\r\n\r\nabc"),
        ),
        (
            "a coding besides chunked",
            format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "two codings",
            format!(
                "POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "chunked in HTTP/1.0",
            format!("POST / HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("two hosts", format!("GET / HTTP/1.1\r\n{host}{host}\r\n")),
        ("no host", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (
            "an empty host",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
        ),
        ("not HTTP", "nonsense\r\n\r\n".to_owned()),
    ] {
        let mut client = running.plain();
        assert_eq!(client.request(&request).status, 400, "{what}");
        assert!(client.is_closed(), "{what}");
    }
    assert!(origin.received().is_empty());
}

#[test]
fn paths_that_can_be_read_in_two_ways_are_refused_where_the_path_decides() {
    let origin = Origin::start();
    let open = Running::start(&Snapshot::new(&origin.url()));
    let guarded = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    for path in [
        "/a/../temps",
        "/%2e%2e/temps",
        "/a%2ftemps",
        "//temps",
        "/temps%00",
        "/a\\b",
        "/%zz",
        "/temps/..;/x",
    ] {
        let answer = guarded.plain().get("api.example.com", path);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "ambiguous_path"),
            "{path}"
        );
        assert_eq!(
            open.plain().get("api.example.com", path).status,
            200,
            "{path}"
        );
        assert_eq!(origin.last().target, path, "it arrives as it was sent");
    }
}

#[test]
fn a_method_in_another_case_is_refused_where_the_method_decides() {
    let origin = Origin::start();
    let mut ruled = Snapshot::new(&origin.url());
    ruled.add_rule("block", r#"http.request.method eq "PUT""#);
    let validated = Snapshot::new(&origin.url()).validate("block");
    for (snapshot, method) in [(&ruled, "put"), (&validated, "post"), (&validated, "Post")] {
        let running = Running::start(snapshot);
        let request = format!(
            "{method} /temps HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 1\r\n\r\n1"
        );
        let answer = running.plain().request(request);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "malformed_request"),
            "{method}"
        );
        let event = serde_json::to_value(running.event()).unwrap();
        assert_eq!(
            (&event["source"], &event["method"]),
            (&"apiShield".into(), &method.into())
        );
        let request = http::Request::builder()
            .method(method)
            .uri("https://api.example.com/temps");
        let mut client = Http2::connect(running.https(), "api.example.com", None);
        let answer = client.request(request.body(()).unwrap(), &[b"1"]).unwrap();
        assert_eq!(answer.status(), 400, "{method} over HTTP/2");
        let own = "purgeall /x HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
        assert_eq!(running.plain().request(own).status, 200);
        assert_eq!(origin.last().method, "purgeall");
    }
    assert_eq!(origin.received().len(), 3);
}

#[test]
fn what_is_too_long_to_be_a_method_or_no_host_name_is_refused_everywhere() {
    let origin = Origin::start();
    let mut snapshot = Snapshot::new(&origin.url());
    snapshot.add_host("*.example.com", &origin.url());
    let running = Running::start(&snapshot);
    for (method, host, answer) in [
        ("A".repeat(32), "api.example.com".to_owned(), (200, "")),
        (
            "A".repeat(33),
            "api.example.com".to_owned(),
            (400, "malformed_request"),
        ),
        ("GET".to_owned(), "a_b-1.example.com".to_owned(), (200, "")),
        (
            "GET".to_owned(),
            "a\"b<x>.example.com".to_owned(),
            (400, "no_host"),
        ),
        (
            "GET".to_owned(),
            format!("{}.example.com", "a".repeat(250)),
            (400, "no_host"),
        ),
    ] {
        let got = running
            .plain()
            .request(format!("{method} / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!((got.status, got.code().as_str()), answer, "{method} {host}");
    }
}

#[test]
fn heads_beyond_the_limits_are_refused() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url())
        .setting("max_header_bytes", 4096)
        .setting("max_header_count", 20);
    let running = Running::start(&snapshot);
    let many = "X-Many: 1\r\n".repeat(21);
    let large = format!("X-Large: {}\r\n", "x".repeat(5000));
    for lines in [&many, &large] {
        let answer = running.plain().request(format!(
            "GET / HTTP/1.1\r\nHost: api.example.com\r\n{lines}\r\n"
        ));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (431, "header_too_large")
        );
    }
    let mut client = Http2::connect(running.https(), "api.example.com", None);
    let request =
        http::Request::get("https://api.example.com/").header("x-large", "x".repeat(5000));
    assert_eq!(
        client
            .request(request.body(()).unwrap(), &[])
            .unwrap()
            .status(),
        431
    );
    assert!(origin.received().is_empty());
}

#[test]
fn a_head_that_drips_is_not_waited_for() {
    let origin = Origin::start();
    let running =
        Running::start(&Snapshot::new(&origin.url()).setting("header_timeout_seconds", 1));
    let mut client = running.plain();
    let dripping = std::thread::spawn({
        let request =
            "GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Slow: ".to_owned() + &"x".repeat(200);
        move || {
            for byte in request.bytes() {
                client.send([byte]);
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            client.is_closed()
        }
    });
    assert!(dripping.join().unwrap());
    assert!(origin.received().is_empty());
}

#[test]
fn a_connection_that_is_silent_between_requests_is_closed() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url())
        .setting("idle_timeout_seconds", 1)
        .setting("header_timeout_seconds", 3600);
    let running = Running::start(&snapshot);
    let mut client = running.plain();
    for _ in 0..2 {
        assert_eq!(client.get("api.example.com", "/").status, 200);
    }
    assert!(client.is_closed());
}

#[test]
fn a_later_head_that_drips_is_not_waited_for_either() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url())
        .setting("idle_timeout_seconds", 1)
        .setting("header_timeout_seconds", 1);
    let running = Running::start(&snapshot);
    let mut client = running.plain();
    assert_eq!(client.get("api.example.com", "/").status, 200);
    let request =
        "GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Slow: ".to_owned() + &"x".repeat(200);
    for byte in request.bytes() {
        client.send([byte]);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(client.is_closed());
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()));
    let mut client = running.plain();
    let request = |path| format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    client.send(request("/1") + &request("/2") + &request("/3"));
    for path in ["/1", "/2", "/3"] {
        assert_eq!(client.answer().json()["target"], path);
    }
}

#[test]
fn a_host_nobody_serves_is_not_found() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()));
    let answer = running.plain().get("unknown.test", "/");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (404, "unknown_host")
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(
        answer.header("x-request-id"),
        answer.json()["request_id"].as_str()
    );
}
