//! An origin that keeps little of what it gets, and knows whether a request was whole.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    /// So does it, but it does not begin to read the body before [`Sink::go_on`].
    Late,
    /// It answers 200 to the head and closes.
    Hasty,
}

pub struct Sink {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

/// What all of its connections know.
#[derive(Default)]
struct Seen {
    swallowed: Mutex<Vec<Swallowed>>,
    /// Bytes after heads.
    bytes: AtomicUsize,
    connections: AtomicUsize,
    goes_on: AtomicBool,
}

impl Sink {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
        };
        let seen = Arc::clone(&sink.seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(stream, manner, &seen));
            }
        });
        sink
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The request with this number, which is there or about to be.
    pub fn swallowed(&self, index: usize) -> Swallowed {
        let found = || self.seen.swallowed.lock().unwrap().get(index).cloned();
        until(found).unwrap_or_else(|| panic!("no request {index}"))
    }

    /// Waits until so many bytes after heads were read, of all requests together: those of one that is under way are lost
    /// to the origin where its connection is reset before it reads them.
    pub fn wait_for(&self, bytes: usize) {
        let came = || (self.seen.bytes.load(Ordering::SeqCst) >= bytes).then_some(());
        until(came).unwrap_or_else(|| panic!("{bytes} bytes did not come"));
    }

    /// Lets an origin that waited read.
    pub fn go_on(&self) {
        self.seen.goes_on.store(true, Ordering::SeqCst);
    }

    pub fn count(&self) -> usize {
        self.seen.swallowed.lock().unwrap().len()
    }
}

/// Asks until there is something; in vain for as long as a busy machine may take.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(found) = ask() {
            return Some(found);
        }
        sleep(Duration::from_millis(5));
    }
    None
}

fn serve(mut stream: TcpStream, manner: Manner, seen: &Seen) -> Option<()> {
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
        Manner::Late => until(|| seen.goes_on.load(Ordering::SeqCst).then_some(()))?,
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
        seen.bytes.fetch_add(count, Ordering::SeqCst);
        hash.update(&buffer[..count]);
        tail.extend_from_slice(&buffer[..count]);
        tail.drain(..tail.len().saturating_sub(500));
    };
    seen.swallowed.lock().unwrap().push(Swallowed {
        bytes,
        sha256: hash.finish(),
        is_whole,
        tail,
    });
    let answer = b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(answer).ok()
}
