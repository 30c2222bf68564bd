//! Connections that say nothing, and more of them than there may be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};

use crate::support::http2::Http2;
use crate::support::{Origin, Running, Snapshot};

/// How long nobody is waited for who should have spoken.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_connection_that_does_not_speak_is_closed_at_every_stage() {
    let origin = Origin::start();
    let running =
        Running::start(&Snapshot::new(&origin.url()).setting("header_timeout_seconds", 1));
    let begun = Instant::now();
    for hello in [
        &b""[..],
        b"\x16\x03\x01",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
    ] {
        let mut stream = TcpStream::connect(running.https()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(hello).unwrap();
        assert_eq!(stream.read(&mut [0; 64]).unwrap_or(0), 0, "{hello:?}");
    }
    for preface in [&b""[..], b"PRI * HTTP/2.0\r\n", PREFACE_AND_SETTINGS] {
        let mut stream = http2_without_preface(&running);
        stream.write_all(preface).unwrap();
        // The gateway's settings may come before the end.
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        let waited = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!waited, "{preface:?}");
    }
    assert!(begun.elapsed() < SOON);
}

const PREFACE_AND_SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn http2_without_preface(running: &Running) -> openssl::ssl::SslStream<TcpStream> {
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context.set_alpn_protos(b"\x02h2").unwrap();
    let mut ssl = Ssl::new(&context.build()).unwrap();
    ssl.set_hostname("api.example.com").unwrap();
    let stream = TcpStream::connect(running.https()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    ssl.connect(stream).unwrap()
}

#[test]
fn an_http2_connection_that_has_asked_once_may_wait() {
    let origin = Origin::start();
    let running =
        Running::start(&Snapshot::new(&origin.url()).setting("header_timeout_seconds", 1));
    let mut client = Http2::connect(running.https(), "api.example.com", None);
    assert_eq!(client.get("api.example.com", "/").status(), 200);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(client.get("api.example.com", "/").status(), 200);
}

#[test]
fn there_are_only_so_many_connections_at_a_time() {
    let origin = Origin::start();
    let running = Running::start_with(&Snapshot::new(&origin.url()), |options| {
        options.max_connections = 2;
    });
    let mut plain = running.plain();
    assert_eq!(plain.get("api.example.com", "/").status, 200);
    let mut tls = running.tls(None);
    assert_eq!(tls.get("api.example.com", "/").status, 200);
    assert!(running.plain().is_closed());
    assert!(
        running
            .connect(&crate::support::client::Connect::default())
            .is_err()
    );
    let refused = "hauberk_gateway_connections_refused_total 2";
    assert!(running.gateway.metrics().contains(refused));
    assert_eq!(plain.get("api.example.com", "/").status, 200);
    drop((plain, tls));
    let begun = Instant::now();
    // The gateway learns of the end a moment later.
    while running
        .connect(&crate::support::client::Connect::default())
        .is_err()
    {
        assert!(begun.elapsed() < SOON);
        std::thread::sleep(Duration::from_millis(10));
    }
}
