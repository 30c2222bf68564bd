//! Bodies that are judged while they stream.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use openssl::sha::sha256;
use serde_json::{Value, json};

use crate::support::http2::Http2;
use crate::support::secure_origin::SecureOrigin;
use crate::support::sink::{Manner, Sink};
use crate::support::{Client, Origin, Running, Snapshot};

const HOST: &str = "api.example.com";
const FORM: &str = "multipart/form-data; boundary=limit";

fn document() -> Value {
    let form = json!({
        "type": "object",
        "required": ["about", "file"],
        "additionalProperties": false,
        "properties": {
            "about": {
                "type": "object",
                "required": ["title"],
                "additionalProperties": false,
                "properties": {"title": {"type": "string", "maxLength": 10}, "year": {"type": "integer"}}
            },
            "file": {"type": "string", "format": "binary"},
            "note": {"type": "string"}
        }
    });
    let bytes =
        json!({"type": "string", "format": "binary", "minLength": 10, "maxLength": 3_000_000});
    let done = json!({"201": {"description": "kept"}});
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Files", "version": "1"},
        "paths": {
            "/files": {"post": {
                "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": form}}},
                "responses": done
            }},
            "/raw": {"post": {
                "requestBody": {"required": true, "content": {"application/octet-stream": {"schema": bytes}}},
                "responses": done
            }}
        }
    })
}

fn snapshot(upstream: &str, action: &str) -> Snapshot {
    let operations = [("POST", "/files"), ("POST", "/raw")];
    Snapshot::new(upstream).document(&document(), &operations, action)
}

fn part(name: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
    let file = if name == "file" {
        "; filename=\"f\""
    } else {
        ""
    };
    let head = format!(
        "--limit\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: {content_type}\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn about(text: &str) -> Vec<u8> {
    part("about", "application/json", text.as_bytes())
}

fn file(bytes: usize) -> Vec<u8> {
    let content: Vec<u8> = (0..=250).cycle().take(bytes).collect();
    part("file", "application/octet-stream", &content)
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat()[..], b"--limit--\r\n"].concat()
}

fn good_form(bytes: usize) -> Vec<u8> {
    form(&[about(r#"{"title":"t"}"#), file(bytes)])
}

/// A request with its body in chunks or with its length.
fn request(target: &str, content_type: &str, body: &[u8], chunked: bool) -> Vec<u8> {
    let head =
        format!("POST {target} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {content_type}\r\n");
    if !chunked {
        let length = format!("Content-Length: {}\r\n\r\n", body.len());
        return [head.as_bytes(), length.as_bytes(), body].concat();
    }
    let mut whole = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for piece in body.chunks(50_000) {
        whole.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        whole.extend_from_slice(piece);
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(b"0\r\n\r\n");
    whole
}

fn http2_request(content_type: &str) -> http::Request<()> {
    http::Request::post(format!("https://{HOST}/files"))
        .header("content-type", content_type)
        .body(())
        .unwrap()
}

/// What came of something that has to be done in time. On a machine that is busy with other things this process itself may
/// be late, which is none then, and no fault of the gateway: so it is tried again.
fn in_time<T>(attempt: impl FnMut() -> Option<T>) -> T {
    let mut attempts = std::iter::repeat_with(attempt).take(20);
    attempts.find_map(|done| done).expect("in time once")
}

#[test]
fn good_forms_arrive_as_they_were_sent() {
    let origin = Origin::start();
    for action in ["block", "log"] {
        let running = Running::start(&snapshot(&origin.url(), action));
        let mut client = running.plain();
        for bytes in [0, 10, 60_000, 65_300, 70_000, 3_000_000] {
            for chunked in [false, true] {
                let body = good_form(bytes);
                let answer = client.request(request("/files", FORM, &body, chunked));
                assert_eq!(answer.status, 201, "{bytes} {chunked}: {answer:?}");
                assert!(origin.last().body == body, "{action} {bytes} {chunked}");
                if answer.header("connection") == Some("close") {
                    client = running.plain();
                }
            }
        }
        let body = vec![7; 100_000];
        let answer =
            running
                .plain()
                .request(request("/raw", "application/octet-stream", &body, true));
        assert_eq!(answer.status, 201);
        assert!(origin.last().body == body);
        assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());
    }
}

#[test]
fn forms_stream_over_http2_on_both_sides() {
    let secure = SecureOrigin::start(true);
    let plain = Origin::start();
    let url = format!("https://localhost:{}", secure.address.port());
    let running = Running::start_with(&snapshot(&url, "block"), |options| {
        options.upstream_ca_file = Some(secure.certificate_file.clone());
    });
    let downgrading = Running::start(&snapshot(&plain.url(), "block"));
    for bytes in [10, 70_000, 1_000_000] {
        let body = good_form(bytes);
        let pieces: Vec<&[u8]> = body.chunks(16_000).collect();
        let mut client = Http2::connect(running.https(), HOST, None);
        let answer = client.request(http2_request(FORM), &pieces).unwrap();
        assert_eq!(answer.status(), 201, "{bytes}");
        assert!(secure.last().1 == body, "{bytes}");
        assert_eq!(
            client.request_with_trailers(http2_request(FORM), &body),
            201
        );
        assert!(secure.last().1 == body, "{bytes} with trailers");

        let mut client = Http2::connect(downgrading.https(), HOST, None);
        // An end of the stream of its own, after all of the declared length.
        let mut framed = http2_request(FORM);
        let length = http::HeaderValue::from(body.len());
        framed.headers_mut().insert("content-length", length);
        let pieces = [&pieces[..], &[&b""[..]]].concat();
        let answer = client.request(framed, &pieces).unwrap();
        assert_eq!(answer.status(), 201, "{bytes} to HTTP/1.1");
        assert!(plain.last().body == body, "{bytes} to HTTP/1.1");
    }
    let before = (secure.count(), plain.received().len());
    for broken in [
        form(&[about(r#"{"title":"t"}"#)]),
        form(&[about(r#"{"title":"t"}"#), file(300_000), file(1)]),
        form(&[file(300_000)]),
    ] {
        let pieces: Vec<&[u8]> = broken.chunks(16_000).collect();
        for gateway in [&running, &downgrading] {
            let mut client = Http2::connect(gateway.https(), HOST, None);
            let answer = client.request(http2_request(FORM), &pieces).unwrap();
            assert_eq!(answer.status(), 403, "{answer:?}");
            assert_eq!(gateway.event().status, Some(403));
            // The connection goes on.
            let good = good_form(10);
            assert_eq!(
                client
                    .request(http2_request(FORM), &[&good])
                    .unwrap()
                    .status(),
                201
            );
        }
    }
    sleep(Duration::from_millis(200));
    let after = (secure.count(), plain.received().len());
    assert_eq!(
        after,
        (before.0 + 3, before.1 + 3),
        "only the good ones were whole"
    );
}

#[test]
fn what_is_wrong_ends_the_request_wherever_it_stands() {
    let good = || about(r#"{"title":"t"}"#);
    let wrong = || about(r#"{"title":"much too long a title"}"#);
    let large = 2_000_000;
    let content = "application/octet-stream";
    // What it is, target, content type, body, what is told; whether the origin may have been asked.
    let cases = [
        (
            "another boundary",
            "/files",
            "multipart/form-data; boundary=other",
            good_form(large),
            "$",
            false,
        ),
        (
            "a wrong first part",
            "/files",
            FORM,
            form(&[wrong(), file(large)]),
            "$.about.title",
            true,
        ),
        (
            "an unknown part",
            "/files",
            FORM,
            form(&[part("who", "text/plain", b"x"), file(large)]),
            "$.who",
            false,
        ),
        (
            "a wrong part between",
            "/files",
            FORM,
            form(&[file(large), part("who", "text/plain", b"x"), file(large)]),
            "$.who",
            true,
        ),
        (
            "a second file",
            "/files",
            FORM,
            form(&[good(), file(large), file(1)]),
            "$.file",
            true,
        ),
        (
            "a wrong last part",
            "/files",
            FORM,
            form(&[file(large), wrong()]),
            "$.about.title",
            true,
        ),
        (
            "a missing part",
            "/files",
            FORM,
            form(&[file(large)]),
            "$",
            true,
        ),
        (
            "a missing part, all small",
            "/files",
            FORM,
            form(&[file(10)]),
            "$",
            false,
        ),
        (
            "no end",
            "/files",
            FORM,
            [good(), file(large)].concat(),
            "$",
            true,
        ),
        (
            "more behind the end",
            "/files",
            FORM,
            [&good_form(large)[..], b"--"].concat(),
            "$",
            true,
        ),
        ("bytes, too few", "/raw", content, vec![1; 9], "$", false),
        (
            "bytes, too many",
            "/raw",
            content,
            vec![1; 3_000_001],
            "$",
            true,
        ),
    ];
    let sink = Sink::start(Manner::Plain);
    let running = Running::start(&snapshot(&sink.url(), "block"));
    for (what, target, content_type, body, place, asked) in &cases {
        for chunked in [false, true] {
            let before = (sink.count(), sink.connections());
            let mut client = running.plain();
            let answer = client.request(request(target, content_type, body, chunked));
            let told = (answer.status, answer.code());
            assert_eq!(
                told,
                (403, "schema_violation".to_owned()),
                "{what} {chunked}"
            );
            assert_eq!(
                answer.json()["violation"]["target"],
                *place,
                "{what} {chunked}"
            );
            assert_eq!(answer.json()["violation"].get("rule"), None);
            let event = running.event();
            assert_eq!(event.status, Some(403), "{what}");
            assert_eq!(event.violations.len(), 1, "{what}");
            assert!(
                event.violations[0]
                    .rule
                    .as_deref()
                    .is_some_and(|rule| rule.starts_with(".paths")),
                "{event:?}"
            );
            if *asked {
                assert!(client.is_closed(), "{what} {chunked}");
                let swallowed = sink.swallowed(before.0);
                assert!(!swallowed.is_whole, "{what} {chunked}");
                assert!(swallowed.bytes < body.len() + 1_000, "{what} {chunked}");
                let seen = String::from_utf8_lossy(&swallowed.tail).into_owned();
                assert!(!seen.contains("--limit--"), "{what} {chunked}: {seen}");
            } else {
                assert_eq!(
                    (sink.count(), sink.connections()),
                    before,
                    "{what} {chunked}: nobody was asked"
                );
            }
        }
    }
    let body = good_form(100_000);
    assert_eq!(
        running
            .plain()
            .request(request("/files", FORM, &body, false))
            .status,
        201
    );
}

#[test]
fn a_form_whose_last_boundary_came_is_not_whole_before_its_end() {
    let sink = Sink::start(Manner::Plain);
    let running = Running::start(&snapshot(&sink.url(), "block"));
    // No file: a reader that stops at the last boundary would take the form for whole, were it not kept back.
    let body = form(&[
        about(r#"{"title":"t"}"#),
        part("note", "text/plain", &vec![b'n'; 100_000]),
    ]);
    let whole = request("/files", FORM, &body, true);
    let mut client = running.plain();
    client.send(&whole[..whole.len() - 5]);
    sink.wait_for(90_000);
    client.send(&whole[whole.len() - 5..]);
    assert_eq!(client.answer().status, 403);
    let swallowed = sink.swallowed(0);
    assert!(!swallowed.is_whole);
    let tail = String::from_utf8(swallowed.tail).unwrap();
    assert!(!tail.contains("--limit"), "{tail}");
}

#[test]
fn where_violations_are_logged_all_bodies_go_on_untouched() {
    let sink = Sink::start(Manner::Plain);
    let running = Running::start(&snapshot(&sink.url(), "log"));
    let wrong = || about(r#"{"title":"much too long a title","year":"x"}"#);
    let cases = [
        (
            "at the start",
            [&part("who", "text/plain", b"x")[..], &good_form(500_000)].concat(),
            1,
        ),
        ("no form at all", vec![b'x'; 500_000], 1),
        ("at the end, two things", form(&[file(500_000), wrong()]), 2),
        (
            "small",
            form(&[wrong(), part("note", "text/plain", b"")]),
            3,
        ),
    ];
    for (index, (what, body, count)) in cases.iter().enumerate() {
        let answer = running
            .plain()
            .request(request("/files", FORM, body, false));
        assert_eq!(answer.status, 201, "{what}");
        let swallowed = sink.swallowed(index);
        assert_eq!(swallowed.sha256, sha256(body), "{what}");
        let event = running.event();
        assert_eq!(
            (event.status, event.violations.len()),
            (None, *count),
            "{what}: {event:?}"
        );
        assert_eq!(event.violation.as_ref(), event.violations.first(), "{what}");
        let more = running.gateway.take_events(1, Duration::ZERO);
        assert!(more.is_empty(), "{what}: one event");
    }
}

#[test]
fn a_large_body_is_not_kept() {
    let sink = Sink::start(Manner::Late);
    let snapshot = snapshot(&sink.url(), "block").setting("max_held_bytes", 1_000_000);
    let running = Running::start(&snapshot);
    let body = good_form(50_000_000);
    let whole = request("/files", FORM, &body, false);
    let sent = Arc::new(AtomicUsize::new(0));
    let (progress, mut client) = (Arc::clone(&sent), running.plain());
    let sending = thread::spawn(move || {
        for piece in whole.chunks(100_000) {
            client.send(piece);
            progress.fetch_add(piece.len(), Ordering::Relaxed);
        }
        client.answer().status
    });
    sleep(Duration::from_millis(1500));
    // The rest is in the buffers of four sockets, not in ours.
    let taken = sent.load(Ordering::Relaxed);
    assert!(
        taken < 25_000_000,
        "{taken} bytes were taken and not passed on"
    );
    sink.go_on();
    assert_eq!(sending.join().unwrap(), 201);
    assert_eq!(sink.swallowed(0).sha256, sha256(&body));
}

#[test]
fn streams_have_a_largest_size_too() {
    let sink = Sink::start(Manner::Plain);
    let limited = |action: &str| snapshot(&sink.url(), action).setting("max_stream_bytes", 200_000);
    let (block, log) = (
        Running::start(&limited("block")),
        Running::start(&limited("log")),
    );
    let passing = Running::start(&limited("block").setting("oversize_body", "pass"));
    let fits = good_form(150_000);
    assert_eq!(
        block
            .plain()
            .request(request("/files", FORM, &fits, true))
            .status,
        201
    );
    let body = good_form(900_000);
    for chunked in [false, true] {
        let before = (sink.count(), sink.connections());
        let whole = request("/files", FORM, &body, chunked);
        let mut client = block.plain();
        // With a length, the head alone says so.
        client.send(if chunked { &whole[..] } else { &whole[..300] });
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "body_too_large")
        );
        assert_eq!(block.event().violation.unwrap().error_class, "body_size");
        if chunked {
            assert!(!sink.swallowed(before.0).is_whole);
        } else {
            assert_eq!((sink.count(), sink.connections()), before);
        }
        for lenient in [&log, &passing] {
            let before = sink.count();
            assert_eq!(lenient.plain().request(&whole).status, 201);
            assert!(sink.swallowed(before).is_whole);
            assert_eq!(lenient.event().violation.unwrap().error_class, "body_size");
        }
    }
}

#[test]
fn what_is_held_of_a_form_counts_as_held() {
    let sink = Sink::start(Manner::Plain);
    let tight = |action: &str| snapshot(&sink.url(), action).setting("max_held_bytes", 300_000);
    let note = part("note", "text/plain", &vec![b'n'; 400_000]);
    let body = form(&[about(r#"{"title":"t"}"#), file(100_000), note]);
    let block = Running::start(&tight("block"));
    let answer = block.plain().request(request("/files", FORM, &body, false));
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_room"));
    assert!(!sink.swallowed(0).is_whole);
    // The room is free again.
    let good = good_form(600_000);
    assert_eq!(
        block
            .plain()
            .request(request("/files", FORM, &good, false))
            .status,
        201
    );
    let log = Running::start(&tight("log"));
    assert_eq!(
        log.plain()
            .request(request("/files", FORM, &body, false))
            .status,
        201
    );
    assert_eq!(
        log.event().violation.unwrap().error_detail.as_deref(),
        Some("no_room")
    );
}

#[test]
fn a_body_that_ends_early_is_no_request() {
    let sink = Sink::start(Manner::Plain);
    let running = Running::start(&snapshot(&sink.url(), "block"));
    let body = good_form(300_000);
    for (index, chunked) in [false, true].into_iter().enumerate() {
        let whole = request("/files", FORM, &body, chunked);
        let mut client = running.plain();
        client.send(&whole[..200_000]);
        client.end();
        let answer = client.next_answer(false).expect("it is told");
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "body_incomplete"),
            "{chunked}"
        );
        assert!(!sink.swallowed(index).is_whole, "{chunked}");
        let mut client = running.plain();
        client.send(&whole[..400]);
        client.end();
        assert_eq!(client.answer().code(), "body_incomplete", "{chunked}");
    }
    assert_eq!(
        sink.count(),
        2,
        "nobody was asked for those that ended within their beginning"
    );
    assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());
}

#[test]
fn a_slow_form_is_passed_on_as_it_comes_and_a_stalled_one_is_given_up() {
    let origin = Origin::start();
    let snapshot =
        |action: &str| snapshot(&origin.url(), action).setting("body_timeout_seconds", 1);
    let running = Running::start(&snapshot("block"));
    let body = good_form(1_000);
    for chunked in [false, true] {
        let whole = request("/files", FORM, &body, chunked);
        let answer = in_time(|| {
            let (mut client, begun) = (running.plain(), Instant::now());
            let (mut before, mut longest) = (begun, Duration::ZERO);
            for piece in whole.chunks(whole.len() / 5) {
                let sending = Instant::now();
                client.send(piece);
                longest = longest.max(before.elapsed());
                before = sending;
                sleep(Duration::from_millis(250));
            }
            assert!(begun.elapsed() > Duration::from_secs(1));
            (longest < Duration::from_millis(900)).then(|| client.answer())
        });
        assert_eq!(answer.status, 201, "{chunked}");
        assert!(origin.last().body == body, "{chunked}");
        for sent in [400, whole.len() - body.len()] {
            let mut client = running.plain();
            client.send(&whole[..sent]);
            let answer = client.answer();
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (408, "body_timeout"),
                "{chunked} {sent}"
            );
        }
    }
    let head = format!(
        "POST /files HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {FORM}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = in_time(|| {
        let (mut client, begun) = (running.plain(), Instant::now());
        assert_eq!(client.request(&head).status, 100);
        client.send(&body);
        (begun.elapsed() < Duration::from_millis(900)).then(|| client.answer())
    });
    assert_eq!(answer.status, 201);
    assert_eq!(origin.last().header("expect"), None);
    // Where violations are logged, a body that comes late is waited for once more.
    let logging = Running::start(&snapshot("log"));
    let answer = in_time(|| {
        let (mut client, begun) = (logging.plain(), Instant::now());
        client.send(head.replace("Expect: 100-continue\r\n", ""));
        // The first wait is over before anything else comes, and the second is not.
        let violation = logging.event().violation.unwrap();
        assert_eq!(violation.error_detail.as_deref(), Some("body_timeout"));
        client.send(&body);
        (begun.elapsed() < Duration::from_millis(1900)).then(|| client.answer())
    });
    assert_eq!(answer.status, 201);
    assert!(origin.last().body == body);
}

#[test]
fn an_origin_may_answer_before_the_body_ends() {
    let sink = Sink::start(Manner::Hasty);
    let running = Running::start(&snapshot(&sink.url(), "block"));
    let body = good_form(300_000);
    let whole = request("/files", FORM, &body, false);
    let mut client = running.plain();
    client.send(&whole[..150_000]);
    let answer = client.answer();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());
}

#[test]
fn an_origin_that_takes_no_connections_is_passed_over() {
    let origin = Origin::start();
    let nobody = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let mut two = snapshot(&nobody(), "block");
    two.host(0)["upstreams"] = json!([nobody(), nobody(), origin.url()]);
    let running = Running::start(&two);
    for bytes in [10, 64_000, 500_000] {
        for chunked in [false, true] {
            let body = good_form(bytes);
            let whole = request("/files", FORM, &body, chunked);
            assert_eq!(
                running.plain().request(whole).status,
                201,
                "{bytes} {chunked}"
            );
            assert!(origin.last().body == body, "{bytes} {chunked}");
        }
    }
    let none = Running::start(&snapshot(&nobody(), "block"));
    let whole = request("/files", FORM, &good_form(500_000), false);
    let mut client: Client = none.plain();
    assert_eq!(client.request(whole).code(), "upstream_failed");
}
