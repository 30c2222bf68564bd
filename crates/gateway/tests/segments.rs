//! When the bytes of a request leave for the origin: together if they are here, and without waiting if they are not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::support::snapshot::GOOD_READING;
use crate::support::{Client, Running, Snapshot};

const ANSWER: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn head(target: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        GOOD_READING.len()
    )
}

/// A gateway, a client of it, and the origin's end of the connection they talk through.
fn path() -> (Running, Client, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let running = Running::start(&Snapshot::new(&url).validate("block"));
    let mut client = running.plain();
    client.send("GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    let (mut origin, _) = listener.accept().unwrap();
    origin
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert!(read(&mut origin).ends_with("\r\n\r\n"));
    origin.write_all(ANSWER.as_bytes()).unwrap();
    assert_eq!(client.answer().status, 204);
    (running, client, origin)
}

/// What is there, or comes first.
fn read(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).expect("something comes");
    String::from_utf8(buffer[..count].to_vec()).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_that_is_here_leaves_with_its_head() {
    let (_running, mut client, mut origin) = path();
    for target in ["/temps", "/elsewhere"] {
        client.send(head(target) + GOOD_READING);
        let received = read(&mut origin);
        assert!(received.starts_with("POST"), "{received}");
        assert!(received.ends_with(GOOD_READING), "{target}: {received}");
        origin.write_all(ANSWER.as_bytes()).unwrap();
        assert_eq!(client.answer().status, 204);
    }
}

#[test]
fn a_head_does_not_wait_for_its_body() {
    let (_running, mut client, mut origin) = path();
    for _ in 0..2 {
        client.send(head("/elsewhere"));
        let received = read(&mut origin);
        assert!(received.ends_with("\r\n\r\n"), "{received}");
        client.send(GOOD_READING);
        assert_eq!(read(&mut origin), GOOD_READING);
        origin.write_all(ANSWER.as_bytes()).unwrap();
        assert_eq!(client.answer().status, 204);
    }
}
