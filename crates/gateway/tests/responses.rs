//! Responses judged by their schema: told, never changed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Running, Snapshot};

const HOST: &str = "api.example.com";

/// `{"temperature":21.5}`, by gzip.
const PACKED_GOOD: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*I\xcd-H-J,)-JU\xb222\xd43\xad\x05\x00\xda8\x8ez\x14\x00\x00\x00";

/// `{"temperature":"hot"}`, by gzip.
const PACKED_BAD: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*I\xcd-H-J,)-JU\xb2R\xca\xc8/Q\xaa\x05\x00\xeba\xcc\xc3\x15\x00\x00\x00";

/// Answers each connection's first request with what `answer` makes of its target, and closes.
fn answering(answer: fn(&str) -> Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        return;
                    }
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap();
                let _ = stream.write_all(&answer(target));
            });
        }
    });
    url
}

fn with_length(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn in_json(body: &str) -> Vec<u8> {
    let head = "200 OK\r\nX-Count: 1\r\nContent-Type: application/json";
    with_length(head, body.as_bytes())
}

/// `/reading?name` answers as the name says.
fn answer(target: &str) -> Vec<u8> {
    let packed = "200 OK\r\nX-Count: 1\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
    let plain = "HTTP/1.1 200 OK\r\nX-Count: 1\r\nContent-Type: application/json\r\n";
    let long = format!("{{\"temperature\":1,\"note\":\"{}\"}}", "n".repeat(3_000));
    match target.split_once('?').map_or(target, |(_, name)| name) {
        "good" => in_json(r#"{"temperature":21.5}"#),
        "type" => in_json(r#"{"temperature":"hot","note":1}"#),
        "header" => with_length(
            "200 OK\r\nX-Count: many\r\nContent-Type: application/json",
            br#"{"temperature":1}"#,
        ),
        "status" => with_length("418 I'm a teapot", b""),
        "media" => with_length(
            "200 OK\r\nX-Count: 1\r\nContent-Type: text/plain",
            &[b'x'; 5_000],
        ),
        "packed-good" => with_length(packed, PACKED_GOOD),
        "packed-bad" => with_length(packed, PACKED_BAD),
        "long" => in_json(&long),
        "long-chunked" => format!(
            "{plain}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
            long.len()
        )
        .into(),
        "broken" => format!("{plain}Content-Length: 100\r\n\r\n{{").into(),
        "part" => with_length(
            "206 Partial Content\r\nContent-Type: application/json\r\nContent-Range: bytes 0-3/20",
            b"{\"te",
        ),
        "no-content" => b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_vec(),
        "head" => format!("{plain}Content-Length: 20\r\nConnection: close\r\n\r\n").into(),
        _ => with_length("404 Not Found", b""),
    }
}

fn document() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Temperatures", "version": "1"},
        "paths": {
            "/reading": {
                "get": {
                    "parameters": (["good", "type", "header", "status", "media", "packed-good", "packed-bad", "long",
                        "long-chunked", "broken", "part", "no-content", "head"]
                        .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))),
                    "responses": {
                        "200": {
                            "description": "a reading",
                            "headers": {"X-Count": {"required": true, "schema": {"type": "integer"}}},
                            "content": {"application/json": {"schema": {
                                "type": "object", "required": ["temperature"],
                                "properties": {"temperature": {"type": "number"}, "note": {"type": "string"}}
                            }}},
                        },
                        "204": {"description": "none"},
                    },
                },
            },
            "/silent": {"get": {"responses": {"default": {"description": "anything"}}}},
        },
    })
}

fn snapshot(origin: &str, action: &str, share: f64) -> Snapshot {
    let operations = [("GET", "/reading"), ("GET", "/silent")];
    Snapshot::new(origin)
        .document(&document(), &operations, action)
        .setting("response_validation", share)
        .setting("max_body_bytes", 2_000)
}

fn get(running: &Running, name: &str) -> Answer {
    running.plain().get(HOST, &format!("/reading?{name}"))
}

/// How many responses came to this, once `total` have come to anything.
fn outcome(running: &Running, wanted: &str, total: usize) -> usize {
    let begun = Instant::now();
    loop {
        let metrics = running.gateway.metrics();
        let count = |name: &str| -> usize {
            let start = format!("hauberk_gateway_responses_total{{outcome=\"{name}\"}} ");
            let mut values = metrics.lines().filter_map(|line| line.strip_prefix(&start));
            values.next().unwrap().parse().unwrap()
        };
        if count("conforming") + count("departing") + count("skipped") >= total {
            return count(wanted);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{metrics}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_departs_is_told_and_arrives_untouched() {
    let running = Running::start(&snapshot(&answering(answer), "block", 1.0));
    for (name, violations) in [
        (
            "type",
            vec![
                ("response_body", "$.temperature", "invalid_type"),
                ("response_body", "$.note", "invalid_type"),
            ],
        ),
        (
            "header",
            vec![("response_header", "X-Count", "invalid_type")],
        ),
        (
            "status",
            vec![("response_body", "$", "constraint_violation")],
        ),
        ("media", vec![("response_body", "$", "invalid_media_type")]),
        (
            "packed-bad",
            vec![("response_body", "$.temperature", "invalid_type")],
        ),
    ] {
        let sent = answer(name);
        let got = get(&running, name);
        assert!(sent.ends_with(&got.body), "{name}");
        assert!(
            sent.starts_with(format!("HTTP/1.1 {} ", got.status).as_bytes()),
            "{name}"
        );
        let length = got.body.len().to_string();
        assert_eq!(got.header("content-length"), Some(&*length), "{name}");

        let event = serde_json::to_value(running.event()).unwrap();
        let told: Vec<_> = event["violations"].as_array().unwrap().iter().collect();
        let text = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
        let found: Vec<_> = told
            .iter()
            .map(|one| {
                (
                    text(one, "location"),
                    text(one, "target"),
                    text(one, "error_class"),
                )
            })
            .collect();
        let wanted: Vec<_> = violations
            .into_iter()
            .map(|(location, target, class)| (location.into(), target.into(), class.into()))
            .collect();
        assert_eq!(found, wanted, "{name}");
        assert_eq!(event["violation"], *told[0], "{name}");
        assert_eq!(event["action"], "log", "{name}");
        assert_eq!(event["source"], "apiShieldSchemaValidation");
        assert_eq!(event["operation_id"], "GET /reading");
        assert_eq!(event["status"], Value::Null);
        assert!(!event["violations"].to_string().contains("hot"), "{event}");
    }
    assert_eq!(outcome(&running, "departing", 5), 5);
    assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());
}

#[test]
fn what_conforms_or_cannot_be_judged_is_counted_only() {
    let running = Running::start(&snapshot(&answering(answer), "log", 1.0));
    for (index, (name, wanted)) in [
        ("good", "conforming"),
        ("packed-good", "conforming"),
        ("no-content", "conforming"),
        ("long", "skipped"),
        ("long-chunked", "skipped"),
        ("part", "skipped"),
    ]
    .into_iter()
    .enumerate()
    {
        let before = outcome(&running, wanted, index);
        let sent = answer(name);
        let got = get(&running, name);
        if name != "long-chunked" {
            assert!(sent.ends_with(&got.body), "{name}");
        }
        assert_eq!(outcome(&running, wanted, index + 1), before + 1, "{name}");
    }
    let mut client = running.plain();
    client.send(format!(
        "HEAD /reading?head HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    ));
    let got = client.next_answer(true).unwrap();
    assert_eq!(
        (got.status, got.header("content-length")),
        (200, Some("20"))
    );
    assert_eq!(outcome(&running, "skipped", 7), 4);

    let mut client = running.plain();
    client.send(format!(
        "GET /reading?broken HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    ));
    assert_eq!(outcome(&running, "skipped", 8), 5, "it ended early");
    assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());
}

#[test]
fn nothing_is_kept_where_there_is_no_room() {
    // Half of it is left to requests.
    let snapshot = snapshot(&answering(answer), "log", 1.0).setting("max_held_bytes", 20);
    let running = Running::start(&snapshot);
    assert_eq!(get(&running, "type").status, 200);
    assert_eq!(outcome(&running, "skipped", 1), 1);
    assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());
}

#[test]
fn no_share_no_schema_and_no_refusal_of_ours_are_not_looked_at() {
    let origin = answering(answer);
    let running = Running::start(&snapshot(&origin, "block", 0.0));
    let total = |running: &Running| {
        ["conforming", "departing", "skipped"]
            .map(|name| outcome(running, name, 0))
            .iter()
            .sum::<usize>()
    };
    assert_eq!(get(&running, "type").status, 200);
    running.apply(&snapshot(&origin, "none", 1.0).version(2));
    assert_eq!(get(&running, "type").status, 200);
    running.apply(&snapshot(&origin, "block", 1.0).version(3));
    assert_eq!(running.plain().get(HOST, "/elsewhere").status, 404);
    assert_eq!(get(&running, "undeclared").status, 403);
    let refused = running.event();
    assert_eq!(refused.violation.unwrap().location, "query");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(total(&running), 0);
    assert!(running.gateway.take_events(1, Duration::ZERO).is_empty());

    // The same document, whose responses were read meanwhile, and then no longer.
    get(&running, "type");
    assert_eq!(running.event().violation.unwrap().location, "response_body");
    running.apply(&snapshot(&origin, "block", 0.0).version(4));
    get(&running, "type");
    running.apply(&snapshot(&origin, "block", 1.0).version(5));
    get(&running, "header");
    let told = running.event().violation.unwrap();
    assert_eq!(told.location, "response_header");
    assert_eq!(outcome(&running, "departing", 2), 2);
}

#[test]
fn a_share_is_between_none_and_all() {
    let running = Running::start_empty(|_| {});
    for share in [-0.1, 1.1, 1e300] {
        let snapshot = snapshot("http://127.0.0.1:1", "log", share);
        let refused = running.gateway.apply_snapshot(&snapshot.bytes());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("response_validation"), "{refused}");
    }
}
