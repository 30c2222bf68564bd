//! Listeners without TLS, whose connections are [`Wire`]s. Those with TLS are Pingora's.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::ServerApp as _;
use pingora::server::ShutdownWatch;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use crate::connections::Connections;
use crate::wire::Wire;

/// How long nothing is accepted after an attempt has failed: most likely for want of descriptors, of which others in
/// the meantime give some back.
const REST: Duration = Duration::from_millis(100);

/// Accepts until the gateway stops.
///
/// # Errors
///
/// When the system has no room to watch the listener.
pub(crate) async fn accept(
    listener: TcpListener,
    connections: Arc<Connections>,
    mut shutdown: ShutdownWatch,
) -> io::Result<()> {
    // SAFETY: a listener names the same descriptor all its life, and keeps it open.
    let listener = unsafe { AsyncFd::register_with_interest(listener, Interest::READABLE) }?;
    loop {
        let accepted = tokio::select! {
            accepted = listener.async_io(Interest::READABLE, TcpListener::accept) => accepted,
            // Also when there is nobody left who could change it.
            _ = shutdown.wait_for(|stopping| *stopping) => return Ok(()),
        };
        match accepted.and_then(wire) {
            Ok(wire) => {
                let connections = Arc::clone(&connections);
                let shutdown = shutdown.clone();
                tokio::spawn(async move {
                    connections.process_new(Box::new(wire), &shutdown).await;
                });
            }
            // The client has gone already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                log::error!("a connection cannot be accepted: {error}");
                sleep(REST).await;
            }
        }
    }
}

fn wire((socket, peer): (TcpStream, SocketAddr)) -> io::Result<Wire> {
    socket.set_nonblocking(true)?;
    Wire::new(socket, peer)
}
