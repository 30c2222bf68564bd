//! Requests judged by their schema, bodies held until then.

use crate::support::http2::Http2;
use crate::support::secure_origin::SecureOrigin;
use crate::support::snapshot::GOOD_READING;
use crate::support::{Client, Origin, Running, Snapshot};

const HOST: &str = "api.example.com";

#[test]
fn good_readings_pass_and_bad_ones_never_reach_the_origin() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    assert_eq!(
        running
            .plain()
            .post_json(HOST, "/temps", GOOD_READING)
            .status,
        201
    );
    assert_eq!(origin.last().body, GOOD_READING.as_bytes());
    let before = (origin.received().len(), origin.connections());
    for (what, target, body, location, target_name) in [
        (
            "another type",
            "/temps",
            r#"{"temperature":"hot","time":"2026-11-22T10:00:00Z"}"#,
            "body",
            "$.temperature",
        ),
        (
            "out of range",
            "/temps",
            r#"{"temperature":900,"time":"2026-11-22T10:00:00Z"}"#,
            "body",
            "$.temperature",
        ),
        (
            "a field too many",
            "/temps",
            r#"{"temperature":1,"time":"2026-11-22T10:00:00Z","secret":1}"#,
            "body",
            "",
        ),
        ("not JSON", "/temps", "{", "body", "$"),
        (
            "an undeclared parameter",
            "/temps?unit=f",
            GOOD_READING,
            "query",
            "unit",
        ),
    ] {
        let answer = running.plain().post_json(HOST, target, body);
        let problem = answer.json();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "schema_violation"),
            "{what}: {problem}"
        );
        assert_eq!(
            problem["violation"]["location"], location,
            "{what}: {problem}"
        );
        if !target_name.is_empty() {
            assert_eq!(
                problem["violation"]["target"], target_name,
                "{what}: {problem}"
            );
        }
        let event = serde_json::to_value(running.event()).unwrap();
        assert_eq!(event["source"], "apiShieldSchemaValidation");
        assert_eq!(event["operation_id"], "POST /temps");
        assert_eq!(event["request_id"], problem["request_id"]);
        let told = format!("{} {}", event["violation"], problem["detail"]);
        assert!(
            !told.contains("hot") && !told.contains("900"),
            "{what}: no values in {told}"
        );
    }
    assert_eq!(
        (origin.received().len(), origin.connections()),
        before,
        "nothing was sent, not even a connection made"
    );
}

#[test]
fn log_tells_and_lets_pass_and_none_does_neither() {
    let origin = Origin::start();
    let bad = r#"{"temperature":900}"#;
    let logging = Running::start(&Snapshot::new(&origin.url()).validate("log"));
    assert_eq!(
        logging.plain().post_json(HOST, "/temps?x=1", bad).status,
        201
    );
    assert_eq!(origin.last().body, bad.as_bytes());
    let event = serde_json::to_value(logging.event()).unwrap();
    assert_eq!(
        (event["action"].as_str(), event["status"].as_u64()),
        (Some("log"), None)
    );

    let mut overridden = Snapshot::new(&origin.url()).validate("block");
    overridden.zone()["schema_validation"]["override_action"] = "none".into();
    overridden.zone()["operations"][0]["mitigation_action"] = "block".into();
    let off = Running::start(&overridden);
    assert_eq!(off.plain().post_json(HOST, "/temps", bad).status, 201);

    let mut own = Snapshot::new(&origin.url()).validate("none");
    own.zone()["operations"][0]["mitigation_action"] = "block".into();
    let own = Running::start(&own);
    assert_eq!(own.plain().post_json(HOST, "/temps", bad).status, 403);
}

#[test]
fn an_encoded_character_does_not_lead_around_an_operation() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    for path in ["/users:batch", "/users%3Abatch", "/%75sers:batch"] {
        assert_eq!(running.plain().get(HOST, path).status, 200, "{path}");
        assert_eq!(origin.last().target, path);
        assert_eq!(
            running.plain().get(HOST, &format!("{path}?x=1")).status,
            403,
            "{path}"
        );
    }
    assert_eq!(
        running.plain().get(HOST, "/elsewhere?x=1").status,
        200,
        "no operation, no schema"
    );
}

#[test]
fn bodies_of_all_sizes_and_framings_arrive_as_they_were_sent() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let mut client = running.plain();
    let mut http2 = Http2::connect(running.https(), HOST, None);
    for padding in [
        0, 1, 4_000, 65_000, 65_536, 65_600, 131_072, 500_000, 900_000,
    ] {
        let body = format!(
            r#"{{"temperature":1,"time":"2026-11-22T10:00:00Z","note":"{}"}}"#,
            "n".repeat(padding)
        );
        assert_eq!(
            client.post_json(HOST, "/temps", &body).status,
            201,
            "with a length, {padding}"
        );
        assert!(origin.last().body == body.as_bytes());

        let mut chunked = Vec::from(
            "POST /temps HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        for piece in body.as_bytes().chunks(30_000) {
            chunked.extend(format!("{:x}\r\n", piece.len()).bytes());
            chunked.extend(piece);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        let answer = running.plain().request(&chunked);
        assert_eq!(
            answer.status,
            201,
            "chunked, {padding}: {:?}",
            answer.json()
        );
        assert!(origin.last().body == body.as_bytes());

        for length in [None, Some(body.len())] {
            let request = http::Request::post("https://api.example.com/temps")
                .header("content-type", "application/json");
            let request = match length {
                Some(length) => request.header("content-length", length),
                None => request,
            };
            let pieces: Vec<&[u8]> = body.as_bytes().chunks(10_000).collect();
            let answer = http2.request(request.body(()).unwrap(), &pieces).unwrap();
            assert_eq!(answer.status(), 201, "HTTP/2, {length:?}, {padding}");
            assert!(origin.last().body == body.as_bytes());
        }
    }
}

#[test]
fn a_judged_body_arrives_once_whatever_follows_it() {
    let origin = Origin::start();
    let http2 = SecureOrigin::start(true);
    let http1 = SecureOrigin::start(false);
    let plain = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let secure = |secure: &SecureOrigin| {
        let port = secure.address.port();
        let snapshot = Snapshot::new(&format!("https://localhost:{port}")).validate("log");
        Running::start_with(&snapshot, |options| {
            options.upstream_ca_file = Some(secure.certificate_file.clone());
        })
    };
    let (over_http1, over_http2) = (secure(&http1), secure(&http2));
    for padding in [None, Some(0), Some(1), Some(70_000)] {
        let body = padding.map_or(String::new(), |padding| {
            let note = "n".repeat(padding);
            format!(r#"{{"temperature":1,"time":"2026-11-22T10:00:00Z","note":"{note}"}}"#)
        });
        for length in [None, Some(body.len())] {
            let request = || {
                let request = http::Request::post("https://api.example.com/temps")
                    .header("content-type", "application/json");
                match length {
                    Some(length) => request.header("content-length", length),
                    None => request,
                }
                .body(())
                .unwrap()
            };
            let what = format!("{padding:?}, {length:?}");
            let send = |running: &Running| {
                Http2::connect(running.https(), HOST, None)
                    .request_with_trailers(request(), body.as_bytes())
            };
            if padding.is_some() {
                assert_eq!(send(&plain), 201, "{what}");
                let received = origin.last();
                assert!(received.body == body.as_bytes(), "{what}");
                assert_eq!(received.header("x-trailer"), None, "{what}");
                assert_eq!(send(&over_http1), 201, "{what}");
                assert!(http1.last().1 == body.as_bytes(), "{what}");
            }
            assert_eq!(send(&over_http2), 201, "{what}");
            assert!(http2.last().1 == body.as_bytes(), "{what}");
        }
    }
}

#[test]
fn a_raw_byte_in_the_query_is_for_the_schema_unless_it_is_no_text() {
    let origin = Origin::start();
    let request = |query: &[u8]| {
        let tail = b" HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
        [b"GET /users:batch?x=", query, tail].concat()
    };
    let utf8 = request("\u{e9}".as_bytes());
    let blocking = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    assert_eq!(blocking.plain().request(&utf8).status, 403);
    let logging = Running::start(&Snapshot::new(&origin.url()).validate("log"));
    assert_eq!(logging.plain().request(&utf8).status, 200);
    assert_eq!(logging.event().status, None);
    assert_eq!(origin.received().len(), 1);
    for running in [&blocking, &logging] {
        let answer = running.plain().request(request(b"\xe9"));
        assert_eq!(answer.status, 400, "this is no HTTP to begin with");
    }
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn a_body_may_be_slow_but_not_drip_for_ever() {
    let origin = Origin::start();
    let running = Running::start(
        &Snapshot::new(&origin.url())
            .validate("block")
            .setting("body_timeout_seconds", 1),
    );
    let head = format!(
        "POST /temps HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: "
    );
    let endless = std::thread::spawn({
        let (mut client, head) = (running.plain(), head.clone());
        move || {
            client.send(format!("{head}1000\r\n\r\n"));
            for _ in 0..30 {
                client.send(" ");
                std::thread::sleep(std::time::Duration::from_millis(400));
            }
            client.answer().status
        }
    });
    let mut client = running.plain();
    client.send(format!("{head}{}\r\n\r\n", GOOD_READING.len()));
    for part in GOOD_READING.as_bytes().chunks(15) {
        std::thread::sleep(std::time::Duration::from_millis(600));
        client.send(part);
    }
    assert_eq!(client.answer().status, 201, "longer than one part may take");
    assert_eq!(endless.join().unwrap(), 408);
}

#[test]
fn a_body_in_pieces_is_judged_as_a_whole() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let (begin, end) = GOOD_READING.split_at(7);
    let mut client = running.plain();
    client.send(format!(
        "POST /temps HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{begin}",
        GOOD_READING.len()
    ));
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(
        origin.connections(),
        0,
        "the origin hears nothing before the verdict"
    );
    client.send(end);
    assert_eq!(client.answer().status, 201);
}

#[test]
fn a_client_that_waits_for_leave_gets_it() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let head = |target: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            GOOD_READING.len()
        )
    };
    let mut client = running.plain();
    assert_eq!(client.request(head("/temps")).status, 100);
    assert_eq!(client.request(GOOD_READING).status, 201);
    assert_eq!(origin.last().header("expect"), None);
    let mut refused = running.plain();
    assert_eq!(
        refused.request(head("/temps?x=1")).status,
        403,
        "no leave for a request that is refused by its head"
    );
}

#[test]
fn bodies_beyond_the_limit_are_refused_or_pass_as_the_settings_say() {
    let origin = Origin::start();
    let rejecting = Running::start(
        &Snapshot::new(&origin.url())
            .validate("block")
            .setting("max_body_bytes", 1000),
    );
    let large = format!(
        r#"{{"temperature":1,"time":"2026-11-22T10:00:00Z","note":"{}"}}"#,
        "n".repeat(300_000)
    );
    let length = format!("Content-Length: {}\r\n", large.len());
    let framings = [
        (length.as_str(), large.clone()),
        (
            "Transfer-Encoding: chunked\r\n",
            format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()),
        ),
    ];
    let send = |mut client: Client, framing: &str, body: &str| {
        client.request(format!(
            "POST /temps HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{framing}\r\n{body}"
        ))
    };
    for (framing, body) in &framings {
        let answer = send(rejecting.plain(), framing, body);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "body_too_large"),
            "{framing}"
        );
    }
    assert!(origin.received().is_empty());

    let passing = Snapshot::new(&origin.url())
        .validate("block")
        .setting("max_body_bytes", 1000);
    let passing = Running::start(&passing.setting("oversize_body", "pass"));
    let logging = Running::start(
        &Snapshot::new(&origin.url())
            .validate("log")
            .setting("max_body_bytes", 1000),
    );
    for running in [&passing, &logging] {
        for (framing, body) in &framings {
            let answer = send(running.plain(), framing, body);
            assert_eq!(answer.status, 201, "{framing}");
            assert!(origin.last().body == large.as_bytes(), "{framing}");
            let violation = running
                .event()
                .violation
                .expect("it tells that the body was not judged");
            assert_eq!(violation.error_class, "body_size");
        }
    }
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let origin = Origin::start();
    let running = Running::start(
        &Snapshot::new(&origin.url())
            .validate("block")
            .setting("body_timeout_seconds", 1),
    );
    let mut client = running.plain();
    let answer = client.request(format!(
        "POST /temps HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    ));
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (408, "body_timeout")
    );
    assert!(client.is_closed());
    assert!(origin.received().is_empty());
}

#[test]
fn a_large_upload_gets_its_answer_before_the_connection_is_closed() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let mut client = running.plain();
    let size = 100 * 1024 * 1024;
    client.send(format!(
        "POST /temps HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    ));
    let piece = vec![b'x'; 1024 * 1024];
    for _ in 0..100 {
        client.send(&piece);
    }
    assert_eq!(client.answer().status, 413);
}

#[test]
fn a_connection_goes_on_after_a_refusal() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let mut client = running.plain();
    assert_eq!(
        client.post_json(HOST, "/temps?x=1", GOOD_READING).status,
        403,
        "refused before its body was read"
    );
    assert_eq!(
        client.post_json(HOST, "/temps", "{}").status,
        403,
        "refused after"
    );
    assert_eq!(client.post_json(HOST, "/temps", GOOD_READING).status, 201);
}

#[test]
fn log_tells_of_all_violations_and_block_of_the_one_that_refused() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("log"));
    let places = |body: &str, target: &str| {
        assert_eq!(running.plain().post_json(HOST, target, body).status, 201);
        assert_eq!(origin.last().body, body.as_bytes());
        let event = running.event();
        assert_eq!(event.violation.as_ref(), event.violations.first());
        let told = event.violations.iter();
        told.map(|violation| {
            let rule = violation.rule.as_deref().unwrap_or("");
            assert!(rule.starts_with(r#".paths["/temps"].post"#), "{rule:?}");
            format!("{} {}", violation.location, violation.target)
        })
        .collect::<Vec<_>>()
    };
    let two = r#"{"temperature":900,"time":"now"}"#;
    assert_eq!(places(two, "/temps"), ["body $.temperature", "body $.time"]);
    assert_eq!(
        places(two, "/temps?b=1&a=1"),
        ["query b", "query a", "body $.temperature", "body $.time"]
    );
    assert_eq!(places(GOOD_READING, "/temps?a=1"), ["query a"]);
    let many: Vec<String> = (0..50).map(|number| format!("p{number}=1")).collect();
    let many = places(GOOD_READING, &format!("/temps?{}", many.join("&")));
    assert_eq!(many.len(), hauberk_gateway::MAX_EVENT_VIOLATIONS);

    let blocking = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let answer = blocking.plain().post_json(HOST, "/temps?a=1", two);
    assert_eq!(answer.status, 403);
    assert_eq!(blocking.event().violations.len(), 1);
}

#[test]
fn a_body_that_cannot_be_held_leaves_the_violations_of_the_head() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url())
        .validate("log")
        .setting("max_body_bytes", 1_000);
    let running = Running::start(&snapshot);
    for (bytes, chunked) in [(100_000, false), (100_000, true), (1_100, true)] {
        let body = format!(r#"{{"note":"{}"}}"#, "n".repeat(bytes));
        let framing = if chunked {
            format!(
                "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            )
        } else {
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        };
        let head = "POST /temps?x=1&y=1 HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\n";
        let answer = running.plain().request(format!("{head}{framing}"));
        assert_eq!(answer.status, 201, "{bytes} {chunked}");
        assert!(origin.last().body == body.as_bytes(), "{bytes} {chunked}");
        let event = running.event();
        let targets: Vec<&str> = event.violations.iter().map(|one| &*one.target).collect();
        assert_eq!(targets, ["x", "y"], "{bytes} {chunked}");
    }
}
