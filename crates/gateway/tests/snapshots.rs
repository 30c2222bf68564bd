//! Snapshots: swapped whole, refused whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::support::snapshot::{AUTHORITY_ID, sealed};
use crate::support::{Authority, Origin, Running, Snapshot, pki};

#[test]
fn before_the_first_snapshot_there_is_nothing_to_enforce() {
    let running = Running::start_empty(|_| {});
    assert_eq!(running.gateway.version(), None);
    let answer = running.plain().get("api.example.com", "/");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "no_snapshot")
    );
}

#[test]
fn a_bad_snapshot_is_refused_with_its_reason_and_the_old_one_stays() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let good = Snapshot::new(&origin.url())
        .require(&authority)
        .validate("block");
    let running = Running::start(&good);
    let change = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = good.clone().version(2);
        change(&mut snapshot);
        snapshot.bytes()
    };
    let good_bytes = good.clone().version(2).bytes();
    let mut flipped = good_bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "header"),
        ("no header", b"{}".to_vec(), "header"),
        (
            "cut off",
            good_bytes[..good_bytes.len() - 10].to_vec(),
            "digest",
        ),
        ("changed", flipped, "digest"),
        (
            "another format",
            b"hauberk-snapshot 2 1 00\n{}".to_vec(),
            "format",
        ),
        (
            "another version inside",
            sealed(3, &good.json.to_string()),
            "version",
        ),
        ("not JSON", sealed(2, "{"), "not JSON"),
        (
            "an unknown member",
            change(&|one| one.json["surprise"] = json!(1)),
            "surprise",
        ),
        (
            "a rule",
            change(&|one| one.add_rule("block", "http.hots eq \"x\"")),
            "rule",
        ),
        (
            "an unknown action",
            change(&|one| one.add_rule("challenge", "http.host eq \"x\"")),
            "type",
        ),
        (
            "a schema",
            change(&|one| one.json["schemas"][0]["source"] = json!("nonsense")),
            "schema",
        ),
        (
            "an operation",
            change(&|one| one.zone()["operations"][0]["schema"]["path"] = json!("/x")),
            "operation",
        ),
        (
            "a certificate",
            change(&|one| one.host(0)["certificate_pem"] = json!("nonsense")),
            "certificate_pem",
        ),
        (
            "a key",
            change(&|one| one.host(0)["private_key_pem"] = json!("nonsense")),
            "private_key_pem",
        ),
        (
            "another key",
            change(&|one| one.host(0)["private_key_pem"] = json!(pki::server(&["x"]).key_pem())),
            "private_key_pem is not the key",
        ),
        (
            "an authority",
            change(&|one| one.json["certificate_authorities"][0]["certificates_pem"] = json!("")),
            AUTHORITY_ID,
        ),
        (
            "an unknown authority",
            change(&|one| one.host(0)["certificate_authority_ids"] = json!(["x"])),
            "authority",
        ),
        (
            "a host twice",
            change(&|one| one.add_host("API.example.com", "http://127.0.0.1:1")),
            "twice",
        ),
        (
            "a host name",
            change(&|one| one.add_host("a.*.example.com", "http://127.0.0.1:1")),
            "host name",
        ),
        (
            "a timeout of nothing",
            change(&|one| one.json["settings"]["idle_timeout_seconds"] = json!(0)),
            "idle_timeout_seconds",
        ),
        (
            "a depth that a stack cannot bear",
            change(&|one| one.json["settings"]["max_json_depth"] = json!(257)),
            "max_json_depth should be between 1 and 256",
        ),
        (
            "a choice that is none",
            change(&|one| one.json["settings"]["lookalike_paths"] = json!("maybe")),
            "another type",
        ),
        (
            "an upstream",
            change(&|one| one.add_host("x.example.com", "ftp://127.0.0.1:1")),
            "upstream",
        ),
    ];
    for (what, bytes, reason) in cases {
        let refused = running
            .gateway
            .apply_snapshot(&bytes)
            .expect_err(what)
            .to_string();
        assert!(refused.contains(reason), "{what}: {refused}");
        assert!(!refused.contains("PRIVATE KEY"), "{what}");
        assert_eq!(running.gateway.version(), Some(1), "{what}");
        assert_eq!(
            running.get(None, "/temps").status,
            403,
            "{what}: what was enforced stays enforced"
        );
    }
    assert!(
        running
            .gateway
            .metrics()
            .contains("hauberk_gateway_snapshots_refused_total 23")
    );
}

#[test]
fn snapshots_are_swapped_under_load_without_a_failed_request() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let snapshot = Snapshot::new(&origin.url())
        .require(&authority)
        .validate("block");
    let running = Arc::new(Running::start(&snapshot));
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..3)
        .map(|number| {
            let (running, done) = (Arc::clone(&running), Arc::clone(&done));
            let device = authority.client("device");
            std::thread::spawn(move || {
                let mut client = running.tls(Some(&device));
                let mut served = 0;
                while !done.load(Ordering::Relaxed) {
                    // One client keeps its connection, the others make new ones.
                    if number > 0 {
                        client = running.tls(Some(&device));
                    }
                    assert_eq!(client.get("api.example.com", "/temps").status, 200);
                    served += 1;
                }
                served
            })
        })
        .collect();
    let stranger = authority.client("stranger");
    for version in 2..40 {
        let mut next = snapshot.clone().version(version);
        if version % 2 == 0 {
            // Another server certificate, and another revocation.
            let server = pki::server(&["api.example.com"]);
            next.host(0)["certificate_pem"] = json!(server.pem());
            next.host(0)["private_key_pem"] = json!(server.key_pem());
            next.revoke(&stranger);
        }
        running.apply(&next);
        let shown = running.tls(None).server_certificate().to_pem().unwrap();
        let wanted = next.host(0)["certificate_pem"]
            .as_str()
            .unwrap()
            .as_bytes()
            .to_vec();
        assert!(shown == wanted, "new connections see the new certificate");
        std::thread::sleep(Duration::from_millis(20));
    }
    done.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.join().expect("no request failed") > 0);
    }
    assert_eq!(running.gateway.version(), Some(39));
}

#[test]
fn events_nobody_takes_are_dropped_and_counted() {
    let origin = Origin::start();
    let mut snapshot = Snapshot::new(&origin.url());
    snapshot.add_rule("block", r#"http.request.method eq "GET""#);
    let running = Running::start_with(&snapshot, |options| options.event_queue = 2);
    let mut client = running.plain();
    for _ in 0..5 {
        assert_eq!(client.get("api.example.com", "/").status, 403);
    }
    assert_eq!(running.gateway.events_dropped(), 3);
    assert_eq!(running.gateway.take_events(100, Duration::ZERO).len(), 2);
    assert!(
        running
            .gateway
            .metrics()
            .contains("hauberk_gateway_events_dropped_total 3")
    );
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let options = hauberk_gateway::Options {
        http: vec![address],
        ..hauberk_gateway::Options::default()
    };
    let error = hauberk_gateway::Gateway::new(options)
        .err()
        .expect("it is taken");
    assert_eq!(error.kind(), hauberk_gateway::ErrorKind::AddressInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn stopping_lets_requests_in_flight_finish_and_idle_connections_go() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()));
    let mut idle = running.plain();
    assert_eq!(idle.get("api.example.com", "/").status, 200);
    let mut busy = running.plain();
    busy.send("POST / HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 4\r\n\r\nab");
    std::thread::sleep(Duration::from_millis(200));
    running.gateway.stop(Duration::from_secs(20));
    assert!(idle.is_closed());
    busy.send("cd");
    assert_eq!(busy.answer().status, 201);
}
