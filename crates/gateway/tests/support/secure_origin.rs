//! An origin with TLS, for HTTP/2 or HTTP/1.1 alone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Response, Version};
use openssl::ssl::{AlpnError, Ssl, SslContext, SslMethod};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_openssl::SslStream;

use super::pki;

type Received = Arc<Mutex<Vec<(Version, Vec<u8>)>>>;

/// Answers 201 to everything, and remembers the bodies.
pub struct SecureOrigin {
    pub address: SocketAddr,
    /// Its self-signed certificate, for those who trust it.
    pub certificate_file: PathBuf,
    received: Received,
    _runtime: Runtime,
}

impl SecureOrigin {
    pub fn start(http2: bool) -> Self {
        let identity = pki::server(&["localhost"]);
        let name = format!("hauberk-origin-{}-{http2}.pem", std::process::id());
        let certificate_file = std::env::temp_dir().join(name);
        std::fs::write(&certificate_file, identity.pem()).unwrap();
        let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
        context.set_certificate(&identity.certificate).unwrap();
        context.set_private_key(&identity.key).unwrap();
        context.set_alpn_select_callback(move |_, offered| {
            let ours: &[u8] = if http2 { b"\x02h2" } else { b"\x08http/1.1" };
            openssl::ssl::select_next_proto(ours, offered).ok_or(AlpnError::NOACK)
        });
        let context = context.build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Received::default();
        let records = Arc::clone(&received);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let ssl = Ssl::new(&context).unwrap();
                tokio::spawn(serve(stream, ssl, http2, Arc::clone(&records)));
            }
        });
        Self {
            address,
            certificate_file,
            received,
            _runtime: runtime,
        }
    }

    /// How many whole requests came.
    pub fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    pub fn last(&self) -> (Version, Vec<u8>) {
        self.received
            .lock()
            .unwrap()
            .last()
            .cloned()
            .expect("the origin received something")
    }
}

impl Drop for SecureOrigin {
    fn drop(&mut self) {
        // Another test run may have taken it away.
        let _ = std::fs::remove_file(&self.certificate_file);
    }
}

async fn serve(stream: TcpStream, ssl: Ssl, http2: bool, records: Received) -> Option<()> {
    let mut stream = SslStream::new(ssl, stream).ok()?;
    Pin::new(&mut stream).accept().await.ok()?;
    if http2 {
        serve_http2(stream, &records).await
    } else {
        serve_http1(stream, &records).await
    }
}

async fn serve_http2(stream: SslStream<TcpStream>, records: &Received) -> Option<()> {
    let mut connection = h2::server::handshake(stream).await.ok()?;
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        let records = Arc::clone(records);
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut read = Vec::new();
            while let Some(chunk) = body.data().await {
                // What was broken off is no request.
                let chunk = chunk.ok()?;
                body.flow_control().release_capacity(chunk.len()).ok()?;
                read.extend_from_slice(&chunk);
            }
            records.lock().unwrap().push((Version::HTTP_2, read));
            let head = Response::builder()
                .status(201)
                .header("content-length", 2)
                .body(())
                .unwrap();
            let mut body = answer.send_response(head, false).ok()?;
            body.send_data(Bytes::from_static(b"{}"), true).ok()
        });
    }
    None
}

/// Understands lengths and a single chunk, which is what the test sends.
async fn serve_http1(mut stream: SslStream<TcpStream>, records: &Received) -> Option<()> {
    let mut unread = Vec::new();
    loop {
        let head_end = loop {
            if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            stream
                .read_buf(&mut unread)
                .await
                .ok()
                .filter(|count| *count > 0)?;
        };
        let head = String::from_utf8_lossy(&unread[..head_end]).to_ascii_lowercase();
        unread.drain(..head_end);
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = if let Some(length) = length {
            while unread.len() < length {
                stream
                    .read_buf(&mut unread)
                    .await
                    .ok()
                    .filter(|count| *count > 0)?;
            }
            unread.drain(..length).collect()
        } else {
            while !unread.ends_with(b"0\r\n\r\n") {
                stream
                    .read_buf(&mut unread)
                    .await
                    .ok()
                    .filter(|count| *count > 0)?;
            }
            let text = String::from_utf8(std::mem::take(&mut unread)).ok()?;
            text.split("\r\n").nth(1)?.as_bytes().to_vec()
        };
        records.lock().unwrap().push((Version::HTTP_11, body));
        stream
            .write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
            .await
            .ok()?;
    }
}
