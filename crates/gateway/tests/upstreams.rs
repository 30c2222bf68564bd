//! Origins that are down, slow, or several.

use std::net::TcpListener;

use serde_json::json;

use crate::support::secure_origin::SecureOrigin;
use crate::support::snapshot::GOOD_READING;
use crate::support::{Origin, Running, Snapshot};

const HOST: &str = "api.example.com";

/// An address nobody listens on.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn only_what_does_no_harm_twice_is_sent_again() {
    let origin = Origin::start();
    let running = Running::start_with(&Snapshot::new(&origin.url()), |options| options.threads = 1);
    for (method, times) in [
        ("GET", 2),
        ("HEAD", 2),
        ("PUT", 1),
        ("DELETE", 1),
        ("POST", 1),
    ] {
        let mut client = running.plain();
        assert_eq!(client.get(HOST, "/").status, 200);
        let before = origin.received().len();
        // On the connection that was used before; the origin reads it and breaks off.
        let request =
            format!("{method} /break HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(client.request(request).status, 502, "{method}");
        assert_eq!(origin.received().len() - before, times, "{method}");
    }
}

#[test]
fn an_origin_that_is_down_or_slow_or_breaks_off_is_told_from_the_others() {
    let origin = Origin::start();
    let down = Running::start(&Snapshot::new(&nobody()));
    let answer = down.plain().get(HOST, "/");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (502, "upstream_failed")
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );

    let mut none = Snapshot::new(&nobody());
    none.host(0)["upstreams"] = json!([]);
    let none = Running::start(&none);
    let answer = none.plain().get(HOST, "/");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "no_upstream")
    );

    let running = Running::start(
        &Snapshot::new(&origin.url()).setting("upstream_response_timeout_seconds", 1),
    );
    let answer = running.plain().get(HOST, "/slow");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (504, "upstream_timeout")
    );
    let answer = running.plain().post_json(HOST, "/break", "{}");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (502, "upstream_failed")
    );
    let line =
        r#"hauberk_gateway_upstream_errors_total{host="api.example.com",zone="example.com"} 2"#;
    assert!(running.gateway.metrics().contains(line));
}

#[test]
fn several_origins_take_turns_and_stand_in_for_each_other() {
    let (first, second) = (Origin::start(), Origin::start());
    let mut snapshot = Snapshot::new(&first.url()).validate("block");
    snapshot.host(0)["upstreams"] = json!([first.url(), second.url()]);
    let running = Running::start(&snapshot);
    let mut client = running.plain();
    for _ in 0..10 {
        assert_eq!(client.post_json(HOST, "/temps", GOOD_READING).status, 201);
    }
    assert_eq!((first.received().len(), second.received().len()), (5, 5));

    let mut snapshot = snapshot.version(2);
    snapshot.host(0)["upstreams"] = json!([nobody(), nobody(), second.url()]);
    running.apply(&snapshot);
    for _ in 0..6 {
        assert_eq!(client.post_json(HOST, "/temps", GOOD_READING).status, 201);
        assert_eq!(second.last().body, GOOD_READING.as_bytes());
    }
    assert_eq!(second.received().len(), 11);
}

#[test]
fn connections_to_the_origin_are_used_again() {
    let origin = Origin::start();
    let running = Running::start_with(&Snapshot::new(&origin.url()), |options| options.threads = 1);
    for _ in 0..10 {
        assert_eq!(running.plain().get(HOST, "/").status, 200);
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn an_origin_is_found_by_name() {
    let origin = Origin::start();
    let url = format!("http://localhost:{}", origin.address.port());
    let running = Running::start(&Snapshot::new(&url));
    assert_eq!(running.plain().get(HOST, "/").status, 200);
}

#[test]
fn an_origin_with_tls_is_reached_by_http_2_or_1_as_it_speaks_and_its_certificate_is_checked() {
    for http2 in [true, false] {
        let origin = SecureOrigin::start(http2);
        let url = format!("https://localhost:{}", origin.address.port());
        let snapshot = Snapshot::new(&url).validate("block");
        let trusting = Running::start_with(&snapshot, |options| {
            options.upstream_ca_file = Some(origin.certificate_file.clone());
        });
        let mut client = trusting.plain();
        for padding in [0, 70_000, 200_000] {
            let padding = "n".repeat(padding);
            let body =
                format!(r#"{{"temperature":1,"time":"2026-11-22T10:00:00Z","note":"{padding}"}}"#);
            let answer = client.post_json(HOST, "/temps", &body);
            assert_eq!(answer.status, 201, "{http2}: {:?}", answer.json());
            let (version, received) = origin.last();
            assert_eq!(
                version,
                if http2 {
                    http::Version::HTTP_2
                } else {
                    http::Version::HTTP_11
                }
            );
            assert!(received == body.as_bytes(), "{http2}");
        }
        let chunked = "POST /other HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert_eq!(client.request(chunked).status, 201);
        assert_eq!(origin.last().1, b"abc");

        let wary = Running::start(&snapshot);
        assert_eq!(
            wary.plain().get(HOST, "/other").status,
            502,
            "nobody vouches for it"
        );
    }
}
