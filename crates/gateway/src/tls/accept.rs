//! The rest of the handshake: our certificate, the request for theirs, and what came of it.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use openssl::error::ErrorStack;
use openssl::ssl::{SslRef, SslVerifyMode};
use pingora::listeners::TlsAccept;

use super::{Hello, hello_slot};
use crate::host::Host;
use crate::identity::{ClientPolicy, Connection, Outcome, Presented};
use crate::shared::Shared;

/// Pingora's hooks into a handshake.
pub(super) struct Accept {
    shared: Arc<Shared>,
}

impl Accept {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl TlsAccept for Accept {
    /// Not called when a session is resumed.
    async fn certificate_callback(&self, ssl: &mut SslRef) {
        let Some(host) = hello(ssl).map(|hello| Arc::clone(&hello.host)) else {
            return;
        };
        if let Err(cause) = show_and_ask(ssl, &host) {
            // The handshake fails for want of a certificate.
            log::warn!(
                "host {:?}: its certificate cannot be shown: {cause}",
                host.name
            );
        }
    }

    async fn handshake_complete_callback(
        &self,
        ssl: &SslRef,
    ) -> Option<Arc<dyn Any + Send + Sync>> {
        let hello = hello(ssl)?;
        let connection = self.connection(ssl, hello);
        self.count(ssl, &hello.host.policy, &connection);
        Some(Arc::new(connection))
    }
}

impl Accept {
    fn connection(&self, ssl: &SslRef, hello: &Hello) -> Connection {
        let policy = &hello.host.policy;
        let leaf = ssl.peer_certificate().filter(|_| policy.asks());
        let presented = leaf.and_then(|leaf| {
            let chain = ssl.peer_cert_chain().into_iter().flatten();
            let chain = chain.map(ToOwned::to_owned).collect();
            Presented::new(leaf, chain, policy, &self.shared.intermediates).ok()
        });
        Connection {
            server_name: hello.server_name.clone(),
            asked_by: policy.digest,
            presented,
        }
    }

    fn count(&self, ssl: &SslRef, policy: &ClientPolicy, connection: &Connection) {
        let metrics = &self.shared.metrics.handshake;
        if ssl.session_reused() {
            metrics.resumed.inc();
        } else {
            metrics.full.inc();
        }
        if policy.asks() {
            match &connection.presented {
                None => metrics.certificate_none.inc(),
                Some(presented) => match presented.verdict(policy).outcome {
                    Outcome::Verified { .. } => metrics.certificate_verified.inc(),
                    Outcome::Failed(_) => metrics.certificate_unverified.inc(),
                },
            }
        }
    }
}

fn hello(ssl: &SslRef) -> Option<&Hello> {
    ssl.ex_data(hello_slot()?)
}

fn show_and_ask(ssl: &mut SslRef, host: &Host) -> Result<(), ErrorStack> {
    ssl.set_certificate(&host.certificate.leaf)?;
    ssl.set_private_key(&host.certificate.private_key)?;
    for certificate in &host.certificate.chain {
        ssl.add_chain_cert(certificate.clone())?;
    }
    if host.policy.asks() {
        // Whatever comes is let through here and judged at the end of the handshake.
        ssl.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        ssl.set_client_ca_list(host.policy.names()?);
    }
    Ok(())
}
