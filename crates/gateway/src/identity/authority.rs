//! Certificate authorities of a snapshot, and the set of them that a host trusts.

use std::collections::HashSet;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::sha::Sha256;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Name, X509PurposeId};

/// How many certificates above the leaf a chain may have. Long ones are no use to honest clients.
const MAX_DEPTH: i32 = 8;

/// One authority: its certificates, each a place where a chain may end, and what it has revoked.
pub(crate) struct Authority {
    pub(crate) id: Box<str>,
    /// A store for each certificate. Two with the same subject name in one store would hide each other.
    pub(crate) anchors: Vec<Anchor>,
    /// Serial numbers in decimal.
    pub(crate) revoked: HashSet<Box<str>>,
}

/// A certificate that may vouch for clients, alone in its store.
pub(crate) struct Anchor {
    pub(crate) certificate: X509,
    pub(crate) store: X509Store,
}

impl Anchor {
    fn new(certificate: X509) -> Result<Self, ErrorStack> {
        let mut parameters = X509VerifyParam::new()?;
        // An uploaded authority is often the intermediate that signed the clients: the chain may end there.
        parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        parameters.set_purpose(X509PurposeId::SSL_CLIENT)?;
        parameters.set_depth(MAX_DEPTH);
        let mut store = X509StoreBuilder::new()?;
        store.set_param(&parameters)?;
        store.add_cert(certificate.clone())?;
        Ok(Self {
            certificate,
            store: store.build(),
        })
    }
}

impl Authority {
    /// Reads the PEM text of an authority.
    ///
    /// # Errors
    ///
    /// Text that is not PEM certificates, or holds none.
    pub(crate) fn new(
        id: &str,
        certificates_pem: &str,
        revoked: HashSet<Box<str>>,
    ) -> Result<Self, String> {
        let certificates = X509::stack_from_pem(certificates_pem.as_bytes())
            .map_err(|cause| format!("certificates_pem cannot be read: {cause}"))?;
        if certificates.is_empty() {
            return Err("certificates_pem holds no certificate".to_owned());
        }
        let anchors = certificates
            .into_iter()
            .map(Anchor::new)
            .collect::<Result<_, _>>()
            .map_err(|cause| format!("certificates_pem cannot be used: {cause}"))?;
        Ok(Self {
            id: id.into(),
            anchors,
            revoked,
        })
    }
}

/// The authorities a host trusts for its clients; none of them means that it asks for no certificate.
pub(crate) struct ClientPolicy {
    pub(crate) authorities: Vec<Arc<Authority>>,
    /// Equal for equal sets of authorities, whatever they have revoked; all zeros for the empty set.
    pub(crate) digest: [u8; 32],
}

impl ClientPolicy {
    pub(crate) fn new(authorities: Vec<Arc<Authority>>) -> Result<Self, ErrorStack> {
        let digest = if authorities.is_empty() {
            [0; 32]
        } else {
            digest(&authorities)?
        };
        Ok(Self {
            authorities,
            digest,
        })
    }

    /// Whether the host asks its clients for a certificate.
    pub(crate) fn asks(&self) -> bool {
        !self.authorities.is_empty()
    }

    /// Whether the authority of this id has revoked the serial number.
    pub(crate) fn revokes(&self, authority_id: &str, serial_decimal: &str) -> bool {
        self.authorities
            .iter()
            .find(|authority| *authority.id == *authority_id)
            .is_some_and(|authority| authority.revoked.contains(serial_decimal))
    }

    /// The names sent to the client so that it can choose a certificate.
    pub(crate) fn names(&self) -> Result<Stack<X509Name>, ErrorStack> {
        let mut names = Stack::new()?;
        for anchor in self.authorities.iter().flat_map(|one| &one.anchors) {
            names.push(anchor.certificate.subject_name().to_owned()?)?;
        }
        Ok(names)
    }
}

fn digest(authorities: &[Arc<Authority>]) -> Result<[u8; 32], ErrorStack> {
    let mut sorted: Vec<_> = authorities.iter().collect();
    sorted.sort_by(|left, right| left.id.cmp(&right.id));
    let mut hash = Sha256::new();
    for authority in sorted {
        hash.update(authority.id.as_bytes());
        hash.update(&[0]);
        for anchor in &authority.anchors {
            hash.update(&anchor.certificate.to_der()?);
        }
    }
    Ok(hash.finish())
}
