//! Hosts of the snapshot in force: found by name, with all that requests to them need.

use std::collections::HashMap;
use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use crate::identity::ClientPolicy;
use crate::metrics::HostMetrics;
use crate::request_counts::Place;
use crate::snapshot::{Operations, Zone};
use crate::upstream::Upstreams;

/// One entry of the snapshot: a host name, or a wildcard for one label.
pub(crate) struct Host {
    /// In lower case.
    pub(crate) name: Box<str>,
    pub(crate) zone: Arc<Zone>,
    pub(crate) certificate: ServerCertificate,
    pub(crate) policy: ClientPolicy,
    pub(crate) forwarding: Forwarding,
    pub(crate) upstreams: Upstreams,
    pub(crate) operations: Operations,
    pub(crate) metrics: HostMetrics,
    /// Where its requests are counted.
    pub(crate) place: Arc<Place>,
    /// Sessions are resumed under the context they were made in only: this host, these authorities.
    pub(crate) session_context: [u8; 32],
}

impl Host {
    /// Whether something is decided by the path, so that a path which can be read in two ways is refused.
    pub(crate) fn is_guarded(&self) -> bool {
        !self.operations.is_empty() || !self.zone.rules.is_empty()
    }
}

/// What the host shows to its clients.
pub(crate) struct ServerCertificate {
    pub(crate) leaf: X509,
    pub(crate) chain: Vec<X509>,
    pub(crate) private_key: PKey<Private>,
}

/// What upstreams are told about client certificates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Forwarding {
    /// `Cf-Client-Cert-Sha256` and `Cf-Client-Cert-Der-Base64`.
    pub(crate) client_cert_headers: bool,
    /// The `Cf-Cert-*` family.
    pub(crate) cf_cert_headers: bool,
    /// `Client-Cert` and `Client-Cert-Chain`.
    pub(crate) rfc9440: bool,
}

/// All hosts of a snapshot.
#[derive(Default)]
pub(crate) struct Hosts {
    exact: HashMap<Box<str>, Arc<Host>>,
    /// By what follows the star: `.example.com`.
    wildcard: HashMap<Box<str>, Arc<Host>>,
    /// In the order of the snapshot.
    all: Vec<Arc<Host>>,
}

impl Hosts {
    /// Adds a host; false when there is one of that name already.
    pub(crate) fn add(&mut self, host: Host) -> bool {
        let host = Arc::new(host);
        let before = match host.name.strip_prefix('*') {
            Some(suffix) => self.wildcard.insert(suffix.into(), Arc::clone(&host)),
            None => self.exact.insert(host.name.clone(), Arc::clone(&host)),
        };
        self.all.push(host);
        before.is_none()
    }

    /// The entry for a host name in lower case: the exact one, else the wildcard of its parent.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Host>> {
        self.exact.get(name).or_else(|| {
            let dot = name.find('.')?;
            // The star stands for one label, and not for an empty one.
            (dot > 0).then(|| self.wildcard.get(&name[dot..]))?
        })
    }

    /// The entry for a TLS server name. Clients that name none, or one we do not know, are shown the first host, so
    /// that the refusal they get is an answer and not an alert.
    pub(crate) fn for_server_name(&self, name: Option<&str>) -> Option<&Arc<Host>> {
        name.and_then(|name| self.find(name))
            .or_else(|| self.all.first())
    }

    pub(crate) fn all(&self) -> &[Arc<Host>] {
        &self.all
    }
}
