//! An origin that records what it receives and answers with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// All of it, byte for byte.
    pub raw: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    fn chunked(&self) -> bool {
        self.header("transfer-encoding").is_some()
    }
}

/// Answers 201 to POST and 200 to the rest. Some paths do something else: `/slow` never answers, `/later` does after a while,
/// `/ws` becomes an echo.
pub struct Origin {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<Mutex<usize>>,
}

impl Origin {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (records, count) = (Arc::clone(&received), Arc::clone(&connections));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *count.lock().unwrap() += 1;
                let records = Arc::clone(&records);
                thread::spawn(move || serve(stream, &records));
            }
        });
        Self {
            address,
            received,
            connections,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn last(&self) -> Received {
        self.received()
            .pop()
            .expect("the origin received something")
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

fn serve(stream: TcpStream, records: &Mutex<Vec<Received>>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = Recorder {
        inner: BufReader::new(stream),
        seen: Vec::new(),
    };
    loop {
        let mut request = read_head(&mut reader)?;
        if request.target.starts_with("/ws") {
            records.lock().unwrap().push(request);
            return echo(&mut reader, &mut writer);
        }
        request.body = read_body(&mut reader, &request)?;
        request.raw = std::mem::take(&mut reader.seen);
        records.lock().unwrap().push(request.clone());
        if request.target.starts_with("/slow") {
            thread::sleep(Duration::from_hours(1));
        }
        if request.target.starts_with("/later") {
            thread::sleep(Duration::from_millis(300));
        }
        if request.target.starts_with("/break") {
            return None;
        }
        let status = if request.method == "POST" {
            "201 Created"
        } else {
            "200 OK"
        };
        let body = describe(&request).to_string();
        write!(
            writer,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .ok()?;
        if request.method != "HEAD" {
            writer.write_all(body.as_bytes()).ok()?;
        }
    }
}

/// Keeps what is read.
struct Recorder {
    inner: BufReader<TcpStream>,
    seen: Vec<u8>,
}

impl BufRead for Recorder {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.seen.extend_from_slice(&self.inner.buffer()[..count]);
        self.inner.consume(count);
    }
}

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

fn describe(request: &Received) -> Value {
    json!({
        "method": request.method,
        "target": request.target,
        "body_bytes": request.body.len(),
    })
}

fn read_head(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let mut request = Received {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        ..Received::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            return Some(request);
        }
        let (name, value) = line.split_once(':')?;
        request
            .headers
            .push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_body(reader: &mut impl BufRead, request: &Received) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if request.chunked() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            reader.take(size).read_to_end(&mut body).ok()?;
            reader.read_line(&mut String::new()).ok()?;
            if size == 0 {
                return Some(body);
            }
        }
    }
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let read = reader
        .take(length.unwrap_or(0))
        .read_to_end(&mut body)
        .ok()?;
    (read as u64 == length.unwrap_or(0)).then_some(body)
}

fn echo(reader: &mut impl Read, writer: &mut impl Write) -> Option<()> {
    writer
        .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .ok()?;
    let mut buffer = [0; 1024];
    loop {
        let count = reader.read(&mut buffer).ok()?;
        if count == 0 {
            return None;
        }
        writer.write_all(&buffer[..count]).ok()?;
    }
}
