//! Several threads, one gateway: whichever of them takes a connection, the client cannot tell.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use openssl::ssl::SslVersion;

use crate::support::client::Connect;
use crate::support::{Authority, Origin, Running, Snapshot};

const HOST: &str = "api.example.com";

/// Each thread keeps connections to the origin of its own, and requests one after the other need one of each. So this
/// many connections at the origin mean that as many threads have served.
fn threads_that_served(origin: &Origin) -> usize {
    origin.connections()
}

#[test]
fn a_session_is_resumed_on_any_thread() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let origin = Origin::start();
        let authority = Authority::root("Clients");
        let device = authority.client("device");
        let snapshot = Snapshot::new(&origin.url()).require(&authority);
        let running = Running::start_with(&snapshot, |options| options.threads = 4);
        let mut connect = Connect {
            server_name: Some(HOST),
            identity: Some(&device),
            version: Some(version),
            session: None,
        };
        let mut first = running.connect(&connect).unwrap();
        assert_eq!(first.get(HOST, "/temps").status, 200);
        let session = first.sessions().pop().expect("it came with the answer");
        let der = session.to_der().unwrap();
        // Who takes a connection is chance; of this many, not all go to one thread.
        let mut kept = Vec::new();
        for _ in 0..2000 {
            let session = openssl::ssl::SslSession::from_der(&der).unwrap();
            connect.session = Some(session);
            let mut client = running.connect(&connect).unwrap();
            assert_eq!(client.get(HOST, "/temps").status, 200);
            assert!(client.was_resumed(), "{version:?}");
            kept.push(client);
            if threads_that_served(&origin) > 2 {
                break;
            }
        }
        assert!(threads_that_served(&origin) > 2, "{version:?}");
    }
}

#[test]
fn a_connection_stays_on_its_thread() {
    let origin = Origin::start();
    let running = Running::start_with(&Snapshot::new(&origin.url()), |options| options.threads = 4);
    let mut client = running.plain();
    for _ in 0..50 {
        assert_eq!(client.get(HOST, "/").status, 200);
        assert_eq!(client.post_json(HOST, "/", "{}").status, 201);
    }
    assert_eq!(threads_that_served(&origin), 1);
}

#[test]
fn requests_in_flight_on_all_threads_end_before_the_gateway_does() {
    let origin = Origin::start();
    let mut running =
        Running::start_with(&Snapshot::new(&origin.url()), |options| options.threads = 4);
    let mut clients: Vec<_> = (0..40).map(|_| running.plain()).collect();
    // Each is on a thread by now, and idle.
    for client in &mut clients {
        assert_eq!(client.get(HOST, "/").status, 200);
    }
    let (busy, idle) = clients.split_at_mut(30);
    for client in &mut *busy {
        client.send("GET /later HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    }
    let patience = Instant::now() + Duration::from_secs(20);
    while origin.received().len() < 70 {
        assert!(Instant::now() < patience, "the requests reach the origin");
        std::thread::sleep(Duration::from_millis(1));
    }
    let grace = Duration::from_mins(1);
    let begun = Instant::now();
    running.gateway.stop(grace);
    for client in &mut *busy {
        assert_eq!(client.answer().status, 200);
        assert!(client.is_closed());
    }
    assert!(idle.iter_mut().all(super::support::Client::is_closed));
    running.join();
    assert!(begun.elapsed() < grace, "it waits for requests only");
    let address = running.gateway.http_addresses()[0];
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
}

#[test]
fn a_request_that_takes_longer_than_the_grace_is_let_go() {
    let origin = Origin::start();
    let mut running = Running::start(&Snapshot::new(&origin.url()));
    let mut client = running.plain();
    client.send("GET /slow HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    let patience = Instant::now() + Duration::from_secs(20);
    while origin.received().is_empty() {
        assert!(Instant::now() < patience, "the request reaches the origin");
        std::thread::sleep(Duration::from_millis(1));
    }
    running.gateway.stop(Duration::from_millis(50));
    running.join();
    assert!(client.is_closed());
}
