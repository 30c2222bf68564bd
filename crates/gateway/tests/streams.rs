//! Bytes between client and origin: in order and whole, however slowly one of the two takes them, and on connections that
//! are still of use.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::{Running, Snapshot};

const HOST: &str = "api.example.com";

/// More than the buffers of two sockets hold.
const LARGE: usize = 24 * 1024 * 1024;

/// Time in which buffers fill up.
const NAP: Duration = Duration::from_millis(300);

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A gateway with one thread before an origin that does with each connection what `serve` does; it is told their number.
fn before<T: Send + 'static>(
    connections: usize,
    serve: impl Fn(usize, BufReader<TcpStream>) -> T + Send + 'static,
) -> (Running, JoinHandle<Vec<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let origin = thread::spawn(move || {
        let accepted = listener.incoming().take(connections).enumerate();
        accepted
            .map(|(number, stream)| {
                let stream = stream.unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(20)))
                    .unwrap();
                serve(number, BufReader::new(stream))
            })
            .collect()
    });
    let running = Running::start_with(&Snapshot::new(&url), |options| options.threads = 1);
    (running, origin)
}

/// Reads a head, and tells whether there was one.
fn head(stream: &mut BufReader<TcpStream>) -> bool {
    let mut line = String::new();
    while stream.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    !line.is_empty()
}

/// Bytes that betray each loss, repetition and change of order.
fn pattern(length: usize) -> Vec<u8> {
    let numbers = (0_u32..).flat_map(u32::to_be_bytes);
    numbers.take(length).collect()
}

fn read_all_slowly(stream: &mut impl Read, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    for part in bytes.chunks_mut(length / 3) {
        thread::sleep(NAP);
        stream.read_exact(part).unwrap();
    }
    bytes
}

#[test]
fn a_body_goes_as_fast_as_the_origin_takes_it() {
    let (running, origin) = before(1, |_, mut stream| {
        assert!(head(&mut stream));
        let body = read_all_slowly(&mut stream, LARGE);
        stream.get_mut().write_all(EMPTY).unwrap();
        body
    });
    let mut client = running.plain();
    client.send(format!(
        "PUT / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {LARGE}\r\n\r\n"
    ));
    client.send(pattern(LARGE));
    assert_eq!(client.answer().status, 200);
    assert!(origin.join().unwrap() == [pattern(LARGE)]);
}

#[test]
fn an_answer_goes_as_fast_as_the_client_takes_it() {
    // Pieces that are sent at once, and pieces that are held.
    for piece in [200_000, 700] {
        let (running, origin) = before(1, move |_, mut stream| {
            assert!(head(&mut stream));
            let stream = stream.get_mut();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").unwrap();
            for piece in pattern(LARGE).chunks(piece) {
                stream.write_all(piece).unwrap();
            }
        });
        let mut client = TcpStream::connect(running.gateway.http_addresses()[0]).unwrap();
        write!(
            client,
            "GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut client = BufReader::new(client);
        assert!(head(&mut client));
        let body = read_all_slowly(&mut client, LARGE);
        assert!(body == pattern(LARGE), "{piece}");
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        origin.join().unwrap();
    }
}

#[test]
fn chunks_arrive_whole_at_a_client_that_takes_its_time() {
    for (piece, chunked) in [(50_000, true), (1_000, true), (50_000, false)] {
        let (running, origin) = before(1, move |_, mut stream| {
            assert!(head(&mut stream));
            let framing = if chunked {
                "Transfer-Encoding: chunked\r\n"
            } else {
                // The end of the connection is the end of the answer.
                ""
            };
            // By a larger buffer than the client reads with, so that chunks come in twos and halves.
            let mut stream = BufWriter::with_capacity(100_000, stream.get_mut());
            write!(stream, "HTTP/1.1 200 OK\r\n{framing}\r\n").unwrap();
            for piece in pattern(LARGE).chunks(piece) {
                if chunked {
                    write!(stream, "{:x}\r\n", piece.len()).unwrap();
                }
                stream.write_all(piece).unwrap();
                if chunked {
                    write!(stream, "\r\n").unwrap();
                }
            }
            if chunked {
                write!(stream, "0\r\n\r\n").unwrap();
            }
            stream.flush().unwrap();
        });
        let mut client = TcpStream::connect(running.gateway.http_addresses()[0]).unwrap();
        write!(client, "GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").unwrap();
        thread::sleep(NAP);
        let mut client = BufReader::new(client);
        assert!(head(&mut client));
        let mut body = Vec::with_capacity(LARGE);
        loop {
            let length = usize::from_str_radix(&line(&mut client), 16).unwrap();
            let read = client.by_ref().take(length as u64).read_to_end(&mut body);
            assert_eq!(read.unwrap(), length);
            assert_eq!(line(&mut client), "");
            if length == 0 {
                break;
            }
        }
        assert!(body == pattern(LARGE), "{piece} {chunked}");
        origin.join().unwrap();
    }
}

fn line(stream: &mut impl BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert!(line.ends_with("\r\n"), "{line:?}");
    line.trim_end().to_owned()
}

#[test]
fn a_connection_the_origin_has_closed_is_not_used_again() {
    let (running, origin) = before(3, |_, mut stream| {
        assert!(head(&mut stream));
        stream.get_mut().write_all(EMPTY).unwrap();
    });
    let mut client = running.plain();
    for _ in 0..3 {
        // Not a method that would be tried again.
        let answer = client.post_json(HOST, "/", "");
        assert_eq!(answer.status, 200);
        thread::sleep(NAP);
    }
    origin.join().unwrap();
}

#[test]
fn a_connection_that_has_rested_for_long_is_not_used_again() {
    let (running, origin) = before(2, |number, mut stream| {
        let mut requests = 0;
        while requests < 3 - number && head(&mut stream) {
            requests += 1;
            stream.get_mut().write_all(EMPTY).unwrap();
            if requests == 2 {
                // Its end stays open.
                std::mem::forget(stream.get_ref().try_clone().unwrap());
                break;
            }
        }
        requests
    });
    let mut client = running.plain();
    for rest in [0, 0, 4_500] {
        thread::sleep(Duration::from_millis(rest));
        assert_eq!(client.post_json(HOST, "/", "").status, 200);
    }
    drop(client);
    drop(running);
    assert_eq!(origin.join().unwrap(), [2, 1]);
}

#[test]
fn an_origin_that_ends_its_side_after_an_answer_has_answered() {
    let (running, origin) = before(1, |_, mut stream| {
        assert!(head(&mut stream));
        let stream = stream.get_mut();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
            .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut client = running.plain();
    assert_eq!(client.get(HOST, "/").status, 200);
    let chunks = b"D\r\nuntil the end\r\n0\r\n\r\n";
    assert_eq!(client.read_exactly(chunks.len()), chunks);
    origin.join().unwrap();
}
