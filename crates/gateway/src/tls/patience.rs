//! A connection to a listener with TLS says hello in time, or ends.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::listeners::PreTlsProcess;
use pingora::protocols::Peek as _;
use pingora::protocols::l4::stream::Stream;
use pingora::{Error, ErrorType, Result};
use pingora_timeout::timeout;

use crate::shared::Shared;

/// The first byte of a TLS record with a message of the handshake.
const HANDSHAKE: u8 = 22;

/// What a record may hold.
const MAX_RECORD_BYTES: usize = 16 * 1024;

/// Waits for the first record, which holds the hello or the beginning of a very long one, before the handshake begins:
/// Pingora gives that a minute.
pub(crate) struct Patience(pub(crate) Arc<Shared>);

#[async_trait]
impl PreTlsProcess for Patience {
    async fn process(&self, stream: &mut Stream) -> Result<()> {
        // Given back with the hello, which takes one for the rest of the connection.
        let Some(_seat) = self.0.seat() else {
            return Error::e_explain(ErrorType::HandshakeError, "there are too many connections");
        };
        let wait = self.0.settings(|settings| settings.header_timeout_seconds);
        match timeout(Duration::from_secs(wait), first_record(stream)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Error::e_explain(ErrorType::ConnectionClosed, "closed before a hello"),
            Err(_) => Error::e_explain(ErrorType::TLSHandshakeTimedout, "no hello in time"),
        }
    }
}

async fn first_record(stream: &mut Stream) -> std::io::Result<()> {
    let mut head = [0; 5];
    stream.try_peek(&mut head).await?;
    let [kind, _, _, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    // What is no hello is refused by OpenSSL.
    if kind == HANDSHAKE && length <= MAX_RECORD_BYTES {
        stream.try_peek(&mut vec![0; head.len() + length]).await?;
    }
    Ok(())
}
