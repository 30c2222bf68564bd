//! Who the client is: the certificate it presented, what it says, and whether an authority of the host vouches for it.
//!
//! The certificate belongs to the connection and is looked at once. The verdict belongs to a set of authorities and a
//! moment: it is kept with the connection, but each request asks it again with the clock, the revocations and the
//! authorities of the snapshot that is in force at that moment.

mod authority;
mod facts;
mod headers;
mod intermediates;
mod name;
mod verify;

use std::sync::{Arc, OnceLock};

use openssl::x509::X509;
use parking_lot::Mutex;

pub(crate) use authority::{Authority, ClientPolicy};
pub(crate) use facts::Facts;
pub(crate) use headers::CertificateHeaders;
pub(crate) use intermediates::Intermediates;
pub(crate) use verify::{Outcome, Verdict};

/// What the handshake of a connection left behind, kept in the TLS digest of the connection.
pub(crate) struct Connection {
    /// The server name the client sent, in lower case; none when it sent none.
    pub(crate) server_name: Option<Box<str>>,
    /// The authority set whose certificate request the client saw: all zeros when it saw none.
    pub(crate) asked_by: [u8; 32],
    /// The certificate, if one was presented.
    pub(crate) presented: Option<Presented>,
}

/// A certificate whose private key the client has proved to hold, in this handshake or in the one it resumes.
pub(crate) struct Presented {
    leaf: X509,
    chain: Vec<X509>,
    /// What the certificate says, in all the encodings we hand out.
    pub(crate) facts: Facts,
    /// The latest verdict. Another authority set asks for another one, which happens when a snapshot changes it.
    verdict: Mutex<Arc<Verdict>>,
    headers: OnceLock<CertificateHeaders>,
    intermediates: Arc<Intermediates>,
}

impl Presented {
    /// Looks at a certificate at the end of its handshake.
    pub(crate) fn new(
        leaf: X509,
        chain: Vec<X509>,
        policy: &ClientPolicy,
        intermediates: &Arc<Intermediates>,
    ) -> Result<Self, openssl::error::ErrorStack> {
        let verdict = verify::verify(policy, &leaf, &chain, intermediates);
        let facts = Facts::new(&leaf, &chain, &verdict)?;
        Ok(Self {
            leaf,
            chain,
            facts,
            verdict: Mutex::new(Arc::new(verdict)),
            headers: OnceLock::new(),
            intermediates: Arc::clone(intermediates),
        })
    }

    /// The headers that tell an upstream about it.
    pub(crate) fn headers(&self) -> &CertificateHeaders {
        self.headers
            .get_or_init(|| CertificateHeaders::new(&self.facts))
    }

    /// The verdict of this authority set, found again if the one kept is of another set.
    pub(crate) fn verdict(&self, policy: &ClientPolicy) -> Arc<Verdict> {
        let mut kept = self.verdict.lock();
        if kept.policy != policy.digest {
            let verdict = verify::verify(policy, &self.leaf, &self.chain, &self.intermediates);
            *kept = Arc::new(verdict);
        }
        Arc::clone(&kept)
    }
}

/// What one request may say about its client.
pub(crate) struct Standing<'a> {
    /// The certificate.
    pub(crate) presented: &'a Presented,
    /// Good at this moment under an authority of the host. Stays true when revoked.
    pub(crate) verified: bool,
    /// Verified, and the authority has revoked it.
    pub(crate) revoked: bool,
    /// Why it is not verified, in the words of OpenSSL.
    pub(crate) reason: Option<&'static str>,
}

impl<'a> Standing<'a> {
    /// Asks the verdict again with the clock and the revocations of now.
    pub(crate) fn of(presented: &'a Presented, policy: &ClientPolicy, now: i64) -> Self {
        let verdict = presented.verdict(policy);
        match &verdict.outcome {
            Outcome::Verified {
                authority,
                not_after,
            } if now <= *not_after => Self {
                presented,
                verified: true,
                revoked: policy.revokes(authority, &presented.facts.serial_decimal),
                reason: None,
            },
            Outcome::Verified { .. } => Self::unverified(presented, EXPIRED),
            Outcome::Failed(reason) => Self::unverified(presented, reason),
        }
    }

    fn unverified(presented: &'a Presented, reason: &'static str) -> Self {
        Self {
            presented,
            verified: false,
            revoked: false,
            reason: Some(reason),
        }
    }

    /// The word or words for a refusal.
    pub(crate) fn describe(&self) -> String {
        match self.reason {
            None if self.revoked => "revoked".to_owned(),
            None => "verified".to_owned(),
            Some(EXPIRED) => "expired".to_owned(),
            Some(reason) => format!("unverified: {reason}"),
        }
    }
}

/// OpenSSL's words for a certificate past its end, used as well when that end passes on an open connection.
const EXPIRED: &str = "certificate has expired";
