//! Requests whose end two servers could see in two places: refused, or forwarded so that there is one end only.
//!
//! Behind each of them stands a second request, which an attacker would like the origin to take for one that the gateway
//! has seen. What the origin receives is read here by a parser that knows one spelling of everything.

use crate::support::snapshot::GOOD_READING;
use crate::support::{Origin, Running, Snapshot};

/// With a media type for which bodies are held.
const HOST: &str = "Host: api.example.com\r\nContent-Type: application/json\r\n";
const SMUGGLED: &str =
    "GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n";

/// What the origin may see of a request.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    line: String,
    /// Without those the gateway adds to every request.
    headers: Vec<String>,
    body: Vec<u8>,
}

/// Reads a request that is written in the one way that no server misreads.
fn strictly(raw: &[u8]) -> Seen {
    let text = String::from_utf8(raw.to_vec()).expect("the requests here are text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head ends");
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let mut headers = Vec::new();
    let (mut length, mut chunked) = (None, false);
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a field has a name");
        let name = name.to_ascii_lowercase();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(name.bytes().all(fits), "{name:?}");
        assert!(!value.contains(['\r', '\n', '\0']), "{value:?}");
        match name.as_str() {
            "content-length" => {
                assert!(length.is_none(), "two lengths");
                let number: usize = value.parse().expect("a number");
                assert_eq!(number.to_string(), value);
                length = Some(number);
            }
            "transfer-encoding" => {
                assert!(!chunked, "two codings");
                assert_eq!(value, "chunked");
                chunked = true;
            }
            "via" | "x-request-id" | "x-forwarded-for" | "x-forwarded-proto"
            | "x-forwarded-host" | "cf-connecting-ip" | "host" | "content-type" => {}
            _ => headers.push(format!("{name}: {value}")),
        }
    }
    assert!(!(chunked && length.is_some()), "both framings");
    let body = if chunked {
        unchunked(body)
    } else {
        assert_eq!(body.len(), length.unwrap_or(0));
        body.as_bytes().to_vec()
    };
    Seen {
        line,
        headers,
        body,
    }
}

fn unchunked(mut rest: &str) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let (size, after) = rest.split_once("\r\n").expect("a chunk has a size");
        let number = usize::from_str_radix(size, 16).expect("a size is hexadecimal");
        assert_eq!(format!("{number:x}"), size.to_ascii_lowercase());
        assert_eq!(&after[number..number + 2], "\r\n");
        body.extend_from_slice(&after.as_bytes()[..number]);
        rest = &after[number + 2..];
        if number == 0 {
            assert_eq!(rest, "", "nothing follows the last chunk");
            return body;
        }
    }
}

/// Two gateways before one origin: one streams bodies, the other holds them.
struct Stage {
    origin: Origin,
    streaming: Running,
    holding: Running,
}

impl Stage {
    fn start() -> Self {
        let origin = Origin::start();
        let snapshot = Snapshot::new(&origin.url()).setting("body_timeout_seconds", 1);
        Self {
            streaming: Running::start(&snapshot),
            holding: Running::start(&snapshot.validate("log")),
            origin,
        }
    }

    /// The statuses of all answers until the connection ends, and what the origin has seen meanwhile.
    fn send(&self, running: &Running, request: &str) -> (Vec<u16>, Vec<Seen>) {
        let before = self.origin.received().len();
        let mut client = running.plain();
        client.send(request);
        let mut statuses = Vec::new();
        while let Some(answer) = client.next_answer(request.starts_with("HEAD ")) {
            statuses.push(answer.status);
            if answer.status == 400 {
                // The gateway waits a moment for those who are still sending.
                client.end();
            }
        }
        let seen = self.origin.received().split_off(before);
        let seen = seen.iter().map(|request| strictly(&request.raw)).collect();
        (statuses, seen)
    }

    fn both(&self) -> [(&'static str, &Running); 2] {
        [("streaming", &self.streaming), ("holding", &self.holding)]
    }
}

#[test]
fn a_head_that_can_be_read_in_two_ways_goes_nowhere() {
    let stage = Stage::start();
    let body = format!("3\r\nabc\r\n0\r\n\r\n{SMUGGLED}");
    let fields = [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\ncontent-length: 0\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: chun ked\r\n",
        "Transfer-Encoding: chunked\u{b}\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        "Transfer-Encoding: chunked\0\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding:\r\n\tchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding\r\n: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \r\n",
        "Transfer_Encoding: chunked\r\n",
        "Transfer.Encoding: chunked\r\nContent-Length: 3\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\n\rTransfer-Encoding: chunked\r\n",
        "X: y\r\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 30\r\n",
        "Content-Length: 3\r\ncontent-length: 0\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length: 3,30\r\n",
        "Content-Length: 3 0\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3.0\r\n",
        "Content-Length: 3e0\r\n",
        "Content-Length: 03\r\n",
        "Content-Length: 00\r\n",
        "Content-Length: 3;\r\n",
        "Content-Length: \"3\"\r\n",
        "Content-Length: \r\n",
        "Content-Length:\r\n 3\r\n",
        "Content-Length: 3\r\n 0\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 18446744073709551619\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
        "Content-Length: \u{661}\r\n",
        "Content-Length : 3\r\n",
        "Content_Length: 3\r\n",
        "Content-Length\u{b}: 3\r\n",
        "Content-Length\0: 3\r\n",
        "Content Length: 3\r\n",
        ": 3\r\n",
        "no colon\r\n",
        "X: \0\r\n",
        "X: a\r\n folded\r\nContent-Length: 3\r\n",
        "Connection: Content-Length\r\nContent-Length: 3\r\n",
        "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
        "Connection: Host\r\n",
    ];
    let heads = fields.map(|fields| format!("POST /temps HTTP/1.1\r\n{HOST}{fields}\r\n"));
    let lines = [
        format!("POST /temps HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n"),
        format!("POST /temps HTTP/1.1\r\n{HOST}\n"),
        format!("POST /temps HTTP/1.1\n{HOST}Content-Length: 3\r\n\r\n"),
        format!("POST /temps HTTP/1.1\r\n{HOST}Content-Length: 3\r\n\n"),
        format!("POST /temps HTTP/1.1\r\n {HOST}\r\n"),
        format!("POST /temps HTTP/1.1\r\n\r\n{HOST}"),
        format!("POST /temps\r\n{HOST}\r\n"),
        format!("POST /temps HTTP/1.1 \r\n{HOST}\r\n"),
        format!("POST /temps HTTP/1.1 x\r\n{HOST}\r\n"),
        format!("POST /temps HTTP/1.2\r\n{HOST}\r\n"),
        format!("POST /temps HTTP/3.0\r\n{HOST}\r\n"),
        format!("POST /temps http/1.1\r\n{HOST}\r\n"),
        format!("PO\0ST /temps HTTP/1.1\r\n{HOST}\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for head in heads.into_iter().chain(lines) {
        for (name, running) in stage.both() {
            let (statuses, seen) = stage.send(running, &format!("{head}{body}"));
            assert_eq!(seen, [], "{name}: {head:?}");
            assert_eq!(statuses, [400], "{name}: {head:?}");
        }
    }
}

#[test]
fn a_body_that_is_framed_wrongly_arrives_nowhere_as_a_whole() {
    let stage = Stage::start();
    for body in [
        "g\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3 3\r\nabc\r\n0\r\n\r\n",
        "3,3\r\nabc\r\n0\r\n\r\n",
        "3\0\r\nabc\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabcX\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nab\r\n0\r\n\r\n",
        "3;a\rb\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\n\n",
        "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "8000000000000003\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n",
        "3\r\nabc\r\n0\r\n",
        "3\r\nabc\r\n00000000000000000000g\r\n\r\n",
    ] {
        for (name, running) in stage.both() {
            let request =
                format!("POST /temps HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{body}");
            // What never ends has no second request behind it, or it would be part of it.
            let ends = body.ends_with("0\r\n\r\n") || body.ends_with("\n\n");
            let request = if ends { request + SMUGGLED } else { request };
            let (statuses, seen) = stage.send(running, &request);
            assert_eq!(seen, [], "{name}: {body:?}");
            // Or it is waited for what would end it.
            let refused = |status: &u16| [400, 408].contains(status);
            assert!(
                statuses.iter().all(refused),
                "{name}: {body:?} {statuses:?}"
            );
        }
    }
}

#[test]
fn what_has_one_end_arrives_with_that_end_only() {
    let stage = Stage::start();
    let post = |fields: &str, body: &str| {
        format!("POST /temps HTTP/1.1\r\n{HOST}{fields}\r\n{body}{SMUGGLED}")
    };
    let seen = |line: &str, headers: &[&str], body: &str| Seen {
        line: line.to_owned(),
        headers: headers.iter().map(|header| (*header).to_owned()).collect(),
        body: body.as_bytes().to_vec(),
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    let length = "Content-Length: 3\r\n";
    for (request, headers, body) in [
        (post(length, "abc"), &[][..], "abc"),
        (post("Content-Length:3\r\n", "abc"), &[], "abc"),
        (post("CONTENT-LENGTH: \t3\t \r\n", "abc"), &[], "abc"),
        (post("Content-Length: 0\r\n", ""), &[], ""),
        (post("", ""), &[], ""),
        (post(chunked, "3\r\nabc\r\n0\r\n\r\n"), &[], "abc"),
        (
            post("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"),
            &[],
            "abc",
        ),
        (
            post("transfer-encoding:\tchunked \r\n", "3\r\nabc\r\n0\r\n\r\n"),
            &[],
            "abc",
        ),
        (
            post(chunked, "1\r\na\r\n02\r\nbc\r\n000\r\n\r\n"),
            &[],
            "abc",
        ),
        (
            post(chunked, "A\r\n0123456789\r\n0\r\n\r\n"),
            &[],
            "0123456789",
        ),
        (post(chunked, "0\r\n\r\n"), &[], ""),
        (
            post(chunked, "3;ext=\"GET / HTTP/1.1\"\r\nabc\r\n0;x\r\n\r\n"),
            &[],
            "abc",
        ),
        // No size is none to Pingora, and a line end within an extension is no line end. The origin sees the same end.
        (post(chunked, "\r\nabc\r\n0\r\n\r\n"), &[], ""),
        (post(chunked, ";x\r\nabc\r\n0\r\n\r\n"), &[], ""),
        (post(chunked, "3;a\nb\r\nabc\r\n0\r\n\r\n"), &[], "abc"),
        // Trailers go, whatever they say.
        (
            post(
                &format!("{chunked}Trailer: X-Role\r\n"),
                "3\r\nabc\r\n0\r\nX-Role: admin\r\nContent-Length: 50\r\nHost: x\r\n\r\n",
            ),
            &[],
            "abc",
        ),
        // What is for this hop only goes with it, and cannot take away what the gateway says.
        (
            post(
                &format!("{length}Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\nX-End: 1\r\n"),
                "abc",
            ),
            &["x-end: 1"],
            "abc",
        ),
        (
            post(
                &format!(
                    "{length}Keep-Alive: 1\r\nTE: trailers\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\n"
                ),
                "abc",
            ),
            &[],
            "abc",
        ),
        (
            post(
                &format!(
                    "{length}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
                ),
                "abc",
            ),
            &[],
            "abc",
        ),
    ] {
        for (name, running) in stage.both() {
            let (statuses, got) = stage.send(running, &request);
            // The second request is one, and was looked at as one.
            let second = seen("GET /smuggled HTTP/1.1", &[], "");
            let first = seen("POST /temps HTTP/1.1", headers, body);
            assert_eq!(got, [first, second], "{name}: {request:?}");
            assert_eq!(statuses, [201, 200], "{name}: {request:?}");
        }
    }
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "QUERY"] {
        for (fields, body) in [(length, "abc"), (chunked, "3\r\nabc\r\n0\r\n\r\n")] {
            let request = format!(
                "{method} /temps HTTP/1.1\r\n{HOST}Connection: close\r\n{fields}\r\n{body}"
            );
            for (name, running) in stage.both() {
                let (_, got) = stage.send(running, &request);
                let line = format!("{method} /temps HTTP/1.1");
                assert_eq!(got, [seen(&line, &[], "abc")], "{name}: {request:?}");
            }
        }
    }
}

#[test]
fn a_second_request_is_judged_as_the_first() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let post = |body: &str| {
        format!(
            "POST /temps HTTP/1.1\r\n{HOST}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let mut client = running.plain();
    client.send(post(GOOD_READING) + &post("{}") + &post(GOOD_READING) + SMUGGLED);
    for status in [201, 403, 201, 200] {
        assert_eq!(client.answer().status, status);
    }
    assert_eq!(origin.received().len(), 3);
}

#[test]
fn fields_that_the_origin_does_not_get_are_not_judged() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    // Without its content type the body is not what was declared.
    let answer = running.plain().request(format!(
        "POST /temps HTTP/1.1\r\n{HOST}Connection: Content-Type\r\nContent-Length: {}\r\n\r\n{GOOD_READING}",
        GOOD_READING.len()
    ));
    assert_eq!(answer.status, 403);
    for protected in ["X-Forwarded-For", "x-forwarded-host", "\"Host\"", ":path"] {
        let answer = running.plain().request(format!(
            "GET /temps HTTP/1.1\r\n{HOST}Connection: {protected}\r\n\r\n"
        ));
        assert_eq!(answer.status, 400, "{protected}");
    }
    assert!(origin.received().is_empty());
}

#[test]
fn a_client_that_waits_for_leave_is_answered_once() {
    let stage = Stage::start();
    for (expect, statuses) in [
        ("100-continue", vec![100, 201]),
        ("100-Continue", vec![100, 201]),
    ] {
        let request = format!(
            "POST /temps HTTP/1.1\r\n{HOST}Expect: {expect}\r\nContent-Length: {}\r\n\r\n{GOOD_READING}",
            GOOD_READING.len()
        );
        let (got, seen) = stage.send(&stage.holding, &request);
        assert_eq!(got, statuses);
        assert!(seen[0].headers.is_empty());
    }
}

#[test]
fn a_space_too_many_belongs_to_the_target_for_the_origin_too() {
    let stage = Stage::start();
    for (sent, streamed, held) in [
        ("/te mps", Some("/te%20mps"), Some("/te%20mps")),
        ("/temps ", Some("/temps%20"), Some("/temps%20")),
        (" /temps", Some("%20/temps"), None),
        ("/smuggled HTTP/1.1", None, None),
    ] {
        let request = format!("GET {sent} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n");
        for (running, wanted) in [(&stage.streaming, streamed), (&stage.holding, held)] {
            let (statuses, seen) = stage.send(running, &request);
            let lines: Vec<&str> = seen.iter().map(|request| request.line.as_str()).collect();
            let wanted = wanted.map(|target| format!("GET {target} HTTP/1.1"));
            assert_eq!(lines, Vec::from_iter(wanted.as_deref()), "{sent:?}");
            assert_eq!(
                statuses,
                [if lines.is_empty() { 400 } else { 200 }],
                "{sent:?}"
            );
        }
    }
}
