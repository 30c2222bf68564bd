//! Bodies that are held: how long, how much of them altogether, and what becomes of those that cannot be.

use std::thread::sleep;
use std::time::Duration;

use crate::support::http2::Http2;
use crate::support::snapshot::GOOD_READING;
use crate::support::{Origin, Running, Snapshot};

const HEAD: &str =
    "POST /temps HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\n";

fn reading_of(bytes: usize) -> String {
    let (begin, end) = (
        r#"{"temperature":1,"time":"2026-11-22T10:00:00Z","note":""#,
        r#""}"#,
    );
    let rest = "n".repeat(bytes - begin.len() - end.len());
    format!("{begin}{rest}{end}")
}

/// The body with its framing, in two parts.
fn framed(body: &str, chunked: bool) -> (String, String) {
    let (begin, end) = body.split_at(body.len() - 10);
    if chunked {
        (
            format!(
                "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{begin}\r\n",
                begin.len()
            ),
            format!("a\r\n{end}\r\n0\r\n\r\n"),
        )
    } else {
        (
            format!("Content-Length: {}\r\n\r\n{begin}", body.len()),
            end.to_owned(),
        )
    }
}

#[test]
fn a_slow_body_goes_on_unjudged_where_violations_are_only_logged() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url()).setting("body_timeout_seconds", 1);
    for (action, status) in [("log", 201), ("block", 408)] {
        let running = Running::start(&snapshot.clone().validate(action));
        // Less than Pingora's own buffer, more, and much more.
        for bytes in [200, 70_000, 300_000] {
            for chunked in [false, true] {
                let body = reading_of(bytes);
                let (begin, end) = framed(&body, chunked);
                let mut client = running.plain();
                client.send(format!("{HEAD}{begin}"));
                if action == "log" {
                    let violation = running.event().violation.expect("it was not judged");
                    assert_eq!(violation.error_class, "not_evaluated");
                    assert_eq!(violation.error_detail.as_deref(), Some("body_timeout"));
                    client.send(end);
                }
                assert_eq!(client.answer().status, status, "{action} {bytes} {chunked}");
                if action == "log" {
                    assert!(origin.last().body == body.as_bytes(), "{bytes} {chunked}");
                }
            }
        }
    }
    assert_eq!(origin.received().len(), 6);
}

#[test]
fn held_bodies_have_so_much_memory_altogether() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url()).setting("max_held_bytes", 100_000);
    for action in ["block", "log"] {
        let running = Running::start(&snapshot.clone().validate(action));
        let (large, small) = (reading_of(90_000), reading_of(20_000));
        // Held until its end comes.
        let mut waiting = running.plain();
        waiting.send(format!(
            "{HEAD}Content-Length: {}\r\n\r\n{}",
            large.len(),
            &large[..89_000]
        ));
        // Before anything else asks for room: what is asked meanwhile could take what the rest of it needs.
        sleep(Duration::from_secs(1));
        // Until it was read.
        let post = |body: &str| {
            running
                .plain()
                .post_json("api.example.com", "/temps", body)
                .status
        };
        let full =
            || post(&small) == 503 || !running.gateway.take_events(1, Duration::ZERO).is_empty();
        assert!((0..400).any(|_| {
            sleep(Duration::from_millis(50));
            full()
        }));
        running.gateway.take_events(10, Duration::ZERO);
        for chunked in [false, true] {
            let (begin, end) = framed(&small, chunked);
            let answer = running.plain().request(format!("{HEAD}{begin}{end}"));
            let violation = running.event().violation.expect("it was not judged");
            assert_eq!(violation.error_class, "not_evaluated");
            assert_eq!(violation.error_detail.as_deref(), Some("no_room"));
            if action == "block" {
                assert_eq!((answer.status, answer.code().as_str()), (503, "no_room"));
                assert_eq!(answer.header("retry-after"), Some("1"));
            } else {
                assert_eq!(answer.status, 201);
                assert!(origin.last().body == small.as_bytes());
            }
        }
        // A body that fits is judged all the same, and once the large one is gone the other is too.
        assert_eq!(post(GOOD_READING), 201);
        waiting.send(&large[89_000..]);
        assert_eq!(waiting.answer().status, 201);
        assert!(origin.last().body == large.as_bytes());
        assert!((0..400).any(|_| {
            sleep(Duration::from_millis(50));
            post(&small) == 201
        }));
    }
}

#[test]
fn a_body_too_large_to_be_judged_arrives_whole_over_http2() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url())
        .validate("block")
        .setting("max_body_bytes", 100_000)
        .setting("oversize_body", "pass");
    let running = Running::start(&snapshot);
    let body = reading_of(100_001);
    let mut client = Http2::connect(running.https(), "api.example.com", None);
    // In pieces of which the last one crosses the limit, and in one.
    for pieces in [
        vec![&body.as_bytes()[..99_000], &body.as_bytes()[99_000..]],
        vec![body.as_bytes()],
    ] {
        let request = http::Request::post("https://api.example.com/temps")
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        assert_eq!(client.request(request, &pieces).unwrap().status(), 201);
        assert!(origin.last().body == body.as_bytes());
    }
}
