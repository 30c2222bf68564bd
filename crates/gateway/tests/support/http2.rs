//! A client that speaks HTTP/2.

use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_openssl::SslStream;

use super::Identity;

/// One connection and the runtime it lives on.
pub struct Http2 {
    runtime: Runtime,
    sender: h2::client::SendRequest<Bytes>,
}

impl Http2 {
    pub fn connect(address: SocketAddr, server_name: &str, identity: Option<&Identity>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sender = runtime.block_on(async {
            let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
            context.set_verify(SslVerifyMode::NONE);
            context.set_alpn_protos(b"\x02h2").unwrap();
            if let Some(identity) = identity {
                context.set_certificate(&identity.certificate).unwrap();
                context.set_private_key(&identity.key).unwrap();
            }
            let mut ssl = Ssl::new(&context.build()).unwrap();
            ssl.set_hostname(server_name).unwrap();
            let stream = TcpStream::connect(address).await.unwrap();
            let mut stream = SslStream::new(ssl, stream).unwrap();
            Pin::new(&mut stream).connect().await.unwrap();
            assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"h2"[..]));
            let (sender, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    /// Sends a request whose body comes in the given pieces, and reads the answer to its end.
    pub fn request(
        &mut self,
        request: Request<()>,
        pieces: &[&[u8]],
    ) -> Result<Response<Vec<u8>>, h2::Error> {
        let sender = self.sender.clone();
        let pieces: Vec<Bytes> = pieces
            .iter()
            .map(|piece| Bytes::copy_from_slice(piece))
            .collect();
        self.runtime.block_on(async move {
            let mut sender = sender.ready().await?;
            let (response, mut body) = sender.send_request(request, pieces.is_empty())?;
            for (index, piece) in pieces.iter().enumerate() {
                if body
                    .send_data(piece.clone(), index + 1 == pieces.len())
                    .is_err()
                {
                    // Refused before its end; the answer says why.
                    break;
                }
            }
            let (parts, mut stream) = response.await?.into_parts();
            let mut read = Vec::new();
            while let Some(chunk) = stream.data().await {
                let chunk = chunk?;
                stream.flow_control().release_capacity(chunk.len())?;
                read.extend_from_slice(&chunk);
            }
            Ok(Response::from_parts(parts, read))
        })
    }

    /// Sends a request with a body in one piece and trailers after it; tells the status of the answer.
    pub fn request_with_trailers(&mut self, request: Request<()>, body: &[u8]) -> u16 {
        let sender = self.sender.clone();
        let body = Bytes::copy_from_slice(body);
        self.runtime.block_on(async move {
            let mut sender = sender.ready().await.unwrap();
            let (response, mut stream) = sender.send_request(request, false).unwrap();
            if !body.is_empty() {
                stream.send_data(body, false).unwrap();
            }
            let mut trailers = http::HeaderMap::new();
            trailers.insert("x-trailer", http::HeaderValue::from_static("1"));
            stream.send_trailers(trailers).unwrap();
            response.await.unwrap().status().as_u16()
        })
    }

    pub fn get(&mut self, authority: &str, path: &str) -> Response<Vec<u8>> {
        let request = Request::get(format!("https://{authority}{path}"))
            .body(())
            .unwrap();
        self.request(request, &[]).unwrap()
    }
}
