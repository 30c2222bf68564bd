//! Connections to origins without TLS, made by ourselves so that they are [`Wire`]s. Pingora keeps those it can use
//! again, as it does its own.

use std::time::Duration;

use async_trait::async_trait;
use pingora::connectors::http::custom::{Connection, Connector};
use pingora::protocols::ALPN;
use pingora::protocols::tls::CustomALPN;
use pingora::upstreams::peer::{HttpPeer, Peer};
use pingora::{Error, ErrorType, Result};
use pingora_timeout::timeout;
use tokio::net::TcpStream;

use crate::upstream::IDLE;
use crate::wire::Wire;

/// Makes the connections.
pub(crate) struct Dial;

/// Has Pingora come here for a connection to this peer.
pub(crate) fn take_over(peer: &mut HttpPeer) {
    // Never sent: it is a name for a protocol of TLS, which there is none of.
    peer.options.alpn = ALPN::Custom(CustomALPN::new(b"wire".to_vec()));
    // Known by the connection itself.
    peer.options.idle_timeout = None;
}

#[async_trait]
impl Connector for Dial {
    /// A protocol that is not HTTP, which nobody speaks here.
    type Session = ();

    async fn get_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        peer: &P,
    ) -> Result<(Connection<()>, bool)> {
        let wire = connect(peer).await?;
        // Pingora speaks HTTP/1.1 on it.
        Ok((Connection::Stream(Box::new(wire)), false))
    }

    async fn reused_http_session<P: Peer + Send + Sync + 'static>(&self, _peer: &P) -> Option<()> {
        None
    }

    async fn release_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        _session: (),
        _peer: &P,
        _idle_timeout: Option<Duration>,
    ) {
    }
}

async fn connect<P: Peer>(peer: &P) -> Result<Wire> {
    let address = *peer.address().as_inet().ok_or_else(|| {
        Error::explain(ErrorType::InternalError, "not an address of the internet")
    })?;
    let connecting = TcpStream::connect(address);
    let connected = match peer.connection_timeout() {
        Some(wait) => timeout(wait, connecting)
            .await
            .map_err(|error| Error::because(ErrorType::ConnectTimedout, "connecting", error))?,
        None => connecting.await,
    };
    let wire = connected
        .and_then(TcpStream::into_std)
        .and_then(|socket| Wire::new(socket, address));
    let wire = wire.map(|wire| wire.rests_at_most(IDLE));
    wire.map_err(|error| Error::because(ErrorType::ConnectError, "connecting", error))
}
