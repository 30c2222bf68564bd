//! A client that says exactly what it is told to, and reads answers one by one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{
    Ssl, SslContext, SslMethod, SslSession, SslSessionCacheMode, SslStream, SslVerifyMode,
    SslVersion,
};
use serde_json::Value;

use super::Identity;

unsafe extern "C" {
    // The bindings do not name it.
    fn SSL_get_client_CA_list(ssl: *const openssl_sys::SSL) -> *mut std::ffi::c_void;
}

/// No answer takes this long, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer as it arrived.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }
}

enum Transport {
    Plain(TcpStream),
    Tls(SslStream<TcpStream>),
}

/// One connection.
pub struct Client {
    transport: Transport,
    unread: Vec<u8>,
    /// In DER: OpenSSL marks a session as spent when its connection ends without a goodbye.
    sessions: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// How to connect with TLS.
#[derive(Clone, Default)]
pub struct Connect<'a> {
    pub server_name: Option<&'a str>,
    pub identity: Option<&'a Identity>,
    pub version: Option<SslVersion>,
    pub session: Option<SslSession>,
}

impl Client {
    pub fn plain(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            transport: Transport::Plain(stream),
            unread: Vec::new(),
            sessions: Arc::default(),
        }
    }

    pub fn tls(address: SocketAddr, server_name: &str, identity: Option<&Identity>) -> Self {
        let connect = Connect {
            server_name: Some(server_name),
            identity,
            ..Connect::default()
        };
        Self::connect(address, &connect).expect("the handshake completes")
    }

    pub fn connect(address: SocketAddr, connect: &Connect<'_>) -> Result<Self, String> {
        let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
        context.set_verify(SslVerifyMode::NONE);
        if let Some(version) = connect.version {
            context.set_min_proto_version(Some(version)).unwrap();
            context.set_max_proto_version(Some(version)).unwrap();
        }
        let sessions: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&sessions);
        context
            .set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        context.set_new_session_callback(move |_, session| {
            kept.lock().unwrap().push(session.to_der().unwrap());
        });
        if let Some(identity) = connect.identity {
            context.set_certificate(&identity.certificate).unwrap();
            context.set_private_key(&identity.key).unwrap();
            for certificate in &identity.chain {
                context.add_extra_chain_cert(certificate.clone()).unwrap();
            }
        }
        let context = context.build();
        let mut ssl = Ssl::new(&context).unwrap();
        if let Some(name) = connect.server_name {
            ssl.set_hostname(name).unwrap();
        }
        if let Some(session) = &connect.session {
            // SAFETY: sessions are only used with contexts of the same settings.
            unsafe { ssl.set_session(session).unwrap() };
        }
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let stream = ssl.connect(stream).map_err(|error| error.to_string())?;
        Ok(Self {
            transport: Transport::Tls(stream),
            unread: Vec::new(),
            sessions,
        })
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The gateway may have answered and closed already; what it said is read next.
        let _ = match &mut self.transport {
            Transport::Plain(stream) => stream.write_all(bytes.as_ref()),
            Transport::Tls(stream) => stream.write_all(bytes.as_ref()),
        };
    }

    pub fn request(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        let bytes = bytes.as_ref();
        self.send(bytes);
        self.answer_to(bytes.starts_with(b"HEAD "))
    }

    pub fn get(&mut self, host: &str, target: &str) -> Answer {
        self.request(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    pub fn post_json(&mut self, host: &str, target: &str, body: &str) -> Answer {
        self.request(format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Says that nothing more will be sent.
    pub fn end(&mut self) {
        if let Transport::Plain(stream) = &self.transport {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
    }

    /// The next answer, if there is one before the connection ends.
    pub fn next_answer(&mut self, head_only: bool) -> Option<Answer> {
        (!self.unread.is_empty() || self.fill()).then(|| self.answer_to(head_only))
    }

    pub fn answer(&mut self) -> Answer {
        self.answer_to(false)
    }

    fn answer_to(&mut self, head_only: bool) -> Answer {
        let end = loop {
            if let Some(end) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break end + 4;
            }
            assert!(
                self.fill(),
                "closed before an answer: {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        let length: usize = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let length = if head_only { 0 } else { length };
        while self.unread.len() < length {
            assert!(self.fill(), "closed within the body of an answer");
        }
        answer.body = self.unread.drain(..length).collect();
        answer
    }

    /// Bytes that are no answer, for upgraded connections.
    pub fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.fill(), "closed too early");
        }
        self.unread.drain(..count).collect()
    }

    /// Whether the gateway has closed the connection without another byte.
    pub fn is_closed(&mut self) -> bool {
        !self.fill()
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        let read = match &mut self.transport {
            Transport::Plain(stream) => stream.read(&mut buffer),
            Transport::Tls(stream) => stream.read(&mut buffer),
        };
        let count = match read {
            Ok(count) => count,
            Err(error) => {
                let waited = matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
                assert!(!waited, "nothing came for {PATIENCE:?}");
                0
            }
        };
        self.unread.extend_from_slice(&buffer[..count]);
        count > 0
    }

    /// The sessions the gateway has handed out so far.
    pub fn sessions(&self) -> Vec<SslSession> {
        let sessions = self.sessions.lock().unwrap();
        sessions
            .iter()
            .map(|der| SslSession::from_der(der).unwrap())
            .collect()
    }

    pub fn was_resumed(&self) -> bool {
        match &self.transport {
            Transport::Plain(_) => false,
            Transport::Tls(stream) => stream.ssl().session_reused(),
        }
    }

    /// The fingerprint of the certificate the gateway showed.
    pub fn server_certificate(&self) -> openssl::x509::X509 {
        match &self.transport {
            Transport::Plain(_) => panic!("a connection without TLS has no certificate"),
            Transport::Tls(stream) => stream.ssl().peer_certificate().unwrap(),
        }
    }

    /// The names of authorities in the gateway's request for a certificate.
    pub fn asked_for(&self) -> usize {
        match &self.transport {
            Transport::Plain(_) => 0,
            Transport::Tls(stream) => {
                // SAFETY: the list belongs to the connection; null counts as -1.
                let count = unsafe {
                    let names = SSL_get_client_CA_list(stream.ssl().as_ptr());
                    openssl_sys::OPENSSL_sk_num(names.cast_const().cast())
                };
                usize::try_from(count).unwrap_or(0)
            }
        }
    }
}
