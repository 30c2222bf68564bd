//! Sampled exchanges and the counts of operations, as whoever keeps them takes them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use hauberk_gateway::Sampling;
use hauberk_traffic::{Masker, Transaction};
use openssl::hash::MessageDigest;
use serde_json::{Value, json};

use crate::support::snapshot::GOOD_READING;
use crate::support::{Authority, Origin, Running, Snapshot};

const HOST: &str = "api.example.com";

fn sampling() -> Sampling {
    Sampling {
        masker: Masker::new([7; 32]),
        sample_rate: 1.0,
        max_per_second: 1e6,
        max_body_bytes: 0,
    }
}

fn start(snapshot: &Snapshot, sampling: Sampling) -> Running {
    start_with(snapshot, sampling, 1 << 20)
}

fn start_with(snapshot: &Snapshot, sampling: Sampling, queue_bytes: usize) -> Running {
    let running = Running::start_with(snapshot, |options| {
        options.traffic_queue_bytes = queue_bytes;
    });
    running.gateway.sample(Some(sampling));
    running
}

/// The next transactions, `count` of them.
fn taken(running: &Running, count: usize) -> Vec<Transaction> {
    let begun = Instant::now();
    let mut taken = Vec::new();
    while taken.len() < count {
        assert!(begun.elapsed() < Duration::from_secs(20), "{taken:?}");
        let lines = running
            .gateway
            .take_transactions(1 << 20, Duration::from_millis(200));
        let lines = String::from_utf8(lines).unwrap();
        taken.extend(
            lines
                .lines()
                .map(|line| Transaction::from_line(line).unwrap()),
        );
    }
    assert!(taken.len() <= count + 2, "{taken:?}");
    taken
}

fn one(running: &Running) -> Transaction {
    taken(running, 1).remove(0)
}

fn metric(running: &Running, name: &str) -> u64 {
    let metrics = running.gateway.metrics();
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.expect("a metric").parse().unwrap()
}

fn post(running: &Running, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!(
        "POST /temps?token=s3cr3t-query HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head = head + name + ": " + value + "\r\n";
    }
    head.push_str("\r\n");
    let mut client = running.tls(None);
    client.send([head.as_bytes(), body].concat());
    client.answer();
}

#[test]
fn an_exchange_is_recorded_whole_and_masked() {
    let origin = Origin::start();
    let mut snapshot = Snapshot::new(&origin.url()).validate("log");
    snapshot.zone()["session_identifiers"] = json!([{"type": "header", "name": "authorization"}]);
    let running = start(&snapshot, sampling());
    post(
        &running,
        &[
            ("Authorization", "Bearer s3cr3t-token"),
            ("Cookie", "sid=s3cr3t-cookie"),
        ],
        b"{}",
    );
    let found = one(&running);
    assert!(!found.to_line().contains("s3cr3t"), "{found:?}");
    assert_eq!(
        (&*found.host, &*found.method, found.status),
        (HOST, "POST", 201)
    );
    assert!(
        found
            .url
            .starts_with("https://api.example.com/temps?token=h:"),
        "{}",
        found.url
    );
    assert_eq!(found.http_version.as_deref(), Some("HTTP/1.1"));
    assert!(
        found
            .request_header("Authorization")
            .unwrap()
            .starts_with("Bearer h:")
    );
    assert!(
        found
            .request_header("cookie")
            .unwrap()
            .starts_with("sid=h:")
    );
    assert!(!found.response_headers.is_empty());
    assert_eq!(
        (found.request_body.as_deref(), found.request_body_omitted),
        (None, Some(2))
    );
    assert_eq!(found.operation_id.as_deref(), Some("POST /temps"));
    assert_eq!(
        found.action.as_deref(),
        Some("logged"),
        "{{}} lacks what the schema wants"
    );
    assert_eq!(found.request_id.unwrap().len(), 32);
    assert!(found.session.unwrap().starts_with("s:"));
    assert!(found.client.unwrap().starts_with("c:"));
    assert!((0.0..=1.0).contains(&found.score.unwrap()));
    assert!(found.weight.unwrap() >= 1.0);
    assert!(found.duration_us.unwrap() > 0);
    assert!(found.time.unwrap().ends_with('Z'));
    assert!(found.response_body_size.is_some());
}

#[test]
fn a_good_client_certificate_is_recorded_and_another_is_not() {
    let origin = Origin::start();
    let (authority, stranger) = (Authority::root("Clients"), Authority::root("Strangers"));
    let running = start(
        &Snapshot::new(&origin.url()).require(&authority),
        sampling(),
    );
    let device = authority.client("device");
    for (identity, is_good) in [
        (Some(&device), true),
        (Some(&stranger.client("device")), false),
        (None, false),
    ] {
        running.get(identity, "/");
        let found = one(&running);
        let fingerprint = device.certificate.digest(MessageDigest::sha256()).unwrap();
        let fingerprint: String = fingerprint
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(found.certificate, is_good.then_some(fingerprint));
    }
}

#[test]
fn refused_requests_are_recorded_and_unknown_hosts_are_not() {
    let origin = Origin::start();
    let running = start(&Snapshot::new(&origin.url()).validate("block"), sampling());
    assert_eq!(running.plain().get("unknown.example.com", "/").status, 404);
    post(&running, &[("Content-Type", "application/json")], b"{}");
    let found = one(&running);
    assert_eq!(
        (found.action.as_deref(), found.status),
        (Some("blocked"), 403)
    );
    assert_eq!(metric(&running, "hauberk_transactions_sampled_total"), 1);
}

#[test]
fn bodies_are_recorded_where_they_may_be_and_fit() {
    let origin = Origin::start();
    let bodies = Sampling {
        max_body_bytes: 100,
        ..sampling()
    };
    let running = start(&Snapshot::new(&origin.url()).validate("log"), bodies);
    let (json, form) = (
        ("Content-Type", "application/json"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    );
    let long = format!("{{\"note\":\"{}\"}}", "n".repeat(100));
    let packed = ("Content-Encoding", "gzip");
    for (headers, body, kept) in [
        (vec![json], GOOD_READING, Some(GOOD_READING)),
        (
            vec![json],
            r#"{"password":"s3cr3t"}"#,
            Some(r#"{"password":"h:"#),
        ),
        (vec![form], "a=1&password=s3cr3t", Some("a=1&password=h:")),
        (vec![json], &long, None),
        (vec![json, packed], "{}", None),
        (vec![("Content-Type", "text/plain")], "s3cr3t", None),
        (vec![], "{}", None),
    ] {
        post(&running, &headers, body.as_bytes());
        let found = one(&running);
        let (got, omitted) = (
            found.request_body.unwrap_or_default(),
            found.request_body_omitted,
        );
        match kept {
            Some(kept) => assert!(got.starts_with(kept) && omitted.is_none(), "{body}: {got}"),
            None => assert!(
                got.is_empty() && omitted == Some(body.len() as u64),
                "{body}: {got} {omitted:?}"
            ),
        }
        assert!(!got.contains("s3cr3t"));
    }
}

#[test]
fn what_nobody_takes_is_dropped_counted_and_holds_nobody_up() {
    let origin = Origin::start();
    let running = start_with(&Snapshot::new(&origin.url()), sampling(), 10_000);
    let mut client = running.plain();
    for _ in 0..200 {
        assert_eq!(client.get(HOST, "/a").status, 200);
    }
    let dropped = || {
        metric(
            &running,
            "hauberk_transactions_dropped_total{where=\"queue\"}",
        )
    };
    let begun = Instant::now();
    loop {
        // What is in the queue and was dropped is all there was, once the thread has masked all.
        if dropped() > 150 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", dropped());
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    let lines = running
        .gateway
        .take_transactions(usize::MAX, Duration::ZERO);
    assert!(lines.len() <= 10_000 + 200);
    let kept = String::from_utf8(lines).unwrap().lines().count() as u64;
    assert_eq!(kept + dropped(), 200);
    assert_eq!(running.gateway.transactions_dropped(), dropped());
    running.gateway.transactions_lost(3);
    assert_eq!(
        metric(
            &running,
            "hauberk_transactions_dropped_total{where=\"store\"}"
        ),
        3
    );
}

#[test]
fn a_share_stands_for_all_and_no_share_for_nothing() {
    let origin = Origin::start();
    let snapshot = Snapshot::new(&origin.url());
    let running = start(
        &snapshot,
        Sampling {
            sample_rate: 0.1,
            ..sampling()
        },
    );
    let mut client = running.plain();
    for _ in 0..200 {
        client.get(HOST, "/a");
    }
    // The first draw may be anywhere in the sequence.
    let found = taken(&running, 19);
    let weight: f64 = found.iter().filter_map(|one| one.weight).sum();
    assert!((170.0..=200.0).contains(&weight), "{weight}");

    let off = start(
        &snapshot,
        Sampling {
            sample_rate: 0.0,
            ..sampling()
        },
    );
    off.plain().get(HOST, "/a");
    assert!(
        off.gateway
            .take_transactions(1000, Duration::from_millis(100))
            .is_empty()
    );
}

#[test]
fn sampling_is_changed_while_requests_come() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("log"));
    let mut client = running.plain();
    let mut urls = |sampling: Option<Sampling>, count: usize| -> Vec<(String, Option<f64>)> {
        running.gateway.sample(sampling);
        for number in 0..count {
            assert_eq!(client.get(HOST, &format!("/{number}")).status, 200);
        }
        let found = taken(&running, count).into_iter();
        found.map(|one| (one.url, one.weight)).collect()
    };
    let all_of = |count: usize| -> Vec<_> {
        let urls = (0..count).map(|number| format!("http://{HOST}/{number}"));
        urls.map(|url| (url, Some(1.0))).collect()
    };
    let share = |sample_rate: f64| {
        Some(Sampling {
            sample_rate,
            ..sampling()
        })
    };
    let without = |sampling: Option<Sampling>| {
        running.gateway.sample(sampling);
        running.get(None, "/unseen");
    };
    assert_eq!(urls(share(1.0), 3), all_of(3));
    without(None);
    without(share(0.0));
    without(share(f64::NAN));
    without(share(-1.0));
    without(Some(Sampling {
        max_per_second: f64::NAN,
        ..sampling()
    }));
    // What passed unseen is of no weight.
    assert_eq!(urls(share(f64::INFINITY), 2), all_of(2));
    running.gateway.sample(Some(Sampling {
        max_body_bytes: 100,
        masker: Masker::new([8; 32]),
        ..sampling()
    }));
    post(
        &running,
        &[("Content-Type", "application/json")],
        GOOD_READING.as_bytes(),
    );
    assert_eq!(one(&running).request_body.as_deref(), Some(GOOD_READING));
    assert_eq!(metric(&running, "hauberk_transactions_sampled_total"), 6);
    assert_eq!(running.gateway.transactions_dropped(), 0);
}

#[test]
fn an_exchange_ends_under_the_sampling_it_began_with() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let running = start(
        &Snapshot::new(&url),
        Sampling {
            max_body_bytes: 1000,
            ..sampling()
        },
    );
    let mut client = running.plain();
    let body = r#"{"password":"s3cr3t","note":"after"}"#;
    let (first, rest) = body.split_at(10);
    client.send(format!(
        "POST /a HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        body.len()
    ));
    // The origin has its head, so it was drawn.
    let (mut origin, _) = listener.accept().unwrap();
    let mut received = Vec::new();
    let mut read = || {
        let mut buffer = [0; 4096];
        let count = origin.read(&mut buffer).unwrap();
        assert!(count > 0);
        received.extend_from_slice(&buffer[..count]);
        received.ends_with(body.as_bytes())
    };
    assert!(!read());
    running.gateway.sample(None);
    client.send(rest);
    while !read() {}
    origin
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .unwrap();
    assert_eq!(client.answer().status, 204);
    let found = one(&running);
    let kept = found.request_body.unwrap();
    assert!(
        kept.starts_with(r#"{"password":"h:"#) && kept.ends_with(r#","note":"after"}"#),
        "{kept}"
    );
}

#[test]
fn operations_are_counted_sampled_or_not() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let mut client = running.plain();
    for target in ["/temps", "/temps", "/users:batch", "/elsewhere"] {
        assert_eq!(client.get(HOST, target).status, 200);
    }
    post(&running, &[("Content-Type", "application/json")], b"{}");
    let begun = Instant::now();
    let mut counted: Vec<(String, u64, u64)> = Vec::new();
    while counted.iter().map(|(_, requests, _)| requests).sum::<u64>() < 4 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{counted:?}");
        for one in running.gateway.take_operation_metrics() {
            assert_eq!(one.hour % 3600, 0);
            assert!(one.last_seen >= one.hour && !one.latency.is_empty());
            counted.push((one.operation_id, one.requests, one.client_errors));
        }
    }
    let of = |id: &str| {
        let of_id = counted.iter().filter(|(known, ..)| known == id);
        of_id.fold((0, 0), |sum, (_, requests, errors)| {
            (sum.0 + requests, sum.1 + errors)
        })
    };
    assert_eq!(of("GET /temps"), (2, 0));
    assert_eq!(of("GET /users:batch"), (1, 0));
    assert_eq!(of("POST /temps"), (1, 1));
    assert!(running.gateway.take_operation_metrics().is_empty());
}

#[test]
fn bad_session_identifiers_refuse_the_snapshot_with_a_reason() {
    let running = Running::start(&Snapshot::new("http://127.0.0.1:9"));
    let eleven: Vec<_> = (0..11)
        .map(|n| json!({"type": "cookie", "name": format!("c{n}")}))
        .collect();
    let cases: [(Value, &str); 4] = [
        (
            json!([{"type": "jwt", "name": "sub"}]),
            "session identifiers of zone \"example.com\": jwt \"sub\": it should read",
        ),
        (
            json!([{"type": "header", "name": "a"}, {"type": "header", "name": "A"}]),
            "it is there twice",
        ),
        (json!(eleven), "10 are allowed"),
        (json!([{"type": "query", "name": "a"}]), "at line 1"),
    ];
    for (identifiers, reason) in cases {
        let mut snapshot = Snapshot::new("http://127.0.0.1:9");
        snapshot.zone()["session_identifiers"] = identifiers;
        let refused = running
            .gateway
            .apply_snapshot(&snapshot.bytes())
            .unwrap_err()
            .to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}
