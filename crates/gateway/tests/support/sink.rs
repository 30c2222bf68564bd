//! An origin that keeps little of what it gets, and knows whether a request was whole.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use openssl::sha::Sha256;

/// A request, to its end or to that of its connection.
#[derive(Debug, Clone)]
pub struct Swallowed {
    /// Bytes after the head, as framed.
    pub bytes: usize,
    pub sha256: [u8; 32],
    pub is_whole: bool,
    /// The last bytes.
    pub tail: Vec<u8>,
}

/// When the origin reads and answers.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// It reads all, then answers 201.
    Plain,
    /// So does it, but it does not begin to read the body for a while.
    Late(Duration),
    /// It answers 200 to the head and closes.
    Hasty,
}

pub struct Sink {
    pub address: SocketAddr,
    swallowed: Arc<Mutex<Vec<Swallowed>>>,
    connections: Arc<Mutex<usize>>,
}

impl Sink {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            swallowed: Arc::default(),
            connections: Arc::default(),
        };
        let (swallowed, count) = (Arc::clone(&sink.swallowed), Arc::clone(&sink.connections));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *count.lock().unwrap() += 1;
                let swallowed = Arc::clone(&swallowed);
                thread::spawn(move || serve(stream, manner, &swallowed));
            }
        });
        sink
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// The request with this number, which is there or about to be.
    pub fn swallowed(&self, index: usize) -> Swallowed {
        let begun = Instant::now();
        loop {
            if let Some(found) = self.swallowed.lock().unwrap().get(index) {
                return found.clone();
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "no request {index}"
            );
            sleep(Duration::from_millis(5));
        }
    }

    pub fn count(&self) -> usize {
        self.swallowed.lock().unwrap().len()
    }
}

fn serve(mut stream: TcpStream, manner: Manner, swallowed: &Mutex<Vec<Swallowed>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?.to_ascii_lowercase();
    match manner {
        Manner::Plain => {}
        Manner::Late(wait) => sleep(wait),
        Manner::Hasty => {
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
            return stream.write_all(answer).ok();
        }
    }
    let length: Option<usize> = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let (mut bytes, mut hash, mut tail) = (0, Sha256::new(), Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    let is_whole = loop {
        if length.map_or(tail.ends_with(b"0\r\n\r\n"), |length| bytes == length) {
            break true;
        }
        let count = stream.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            break false;
        }
        bytes += count;
        hash.update(&buffer[..count]);
        tail.extend_from_slice(&buffer[..count]);
        tail.drain(..tail.len().saturating_sub(500));
    };
    swallowed.lock().unwrap().push(Swallowed {
        bytes,
        sha256: hash.finish(),
        is_whole,
        tail,
    });
    let answer = b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(answer).ok()
}
