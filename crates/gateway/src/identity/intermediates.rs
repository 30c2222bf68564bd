//! Intermediate certificates that were part of a verified chain.
//!
//! A session ticket carries the client's certificate but not the chain that was sent with it, and it outlives the
//! connection. To verify the certificate again when the session is resumed, its intermediates must be at hand. They are
//! candidates only: a chain through them is verified like any other.

use std::collections::{HashMap, VecDeque};

use openssl::x509::{X509, X509NameRef, X509Ref};
use parking_lot::RwLock;

/// How many are kept. A fleet has a handful; the bound keeps a client with a signing key from filling the memory.
const CAPACITY: usize = 4096;

/// How many may stand above one leaf.
const MAX_ABOVE: usize = 16;

/// A bounded set of intermediates, found by their subject.
#[derive(Default)]
pub(crate) struct Intermediates {
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    by_subject: HashMap<Vec<u8>, Vec<X509>>,
    /// Subjects in the order of arrival, one for each certificate.
    order: VecDeque<Vec<u8>>,
}

impl Intermediates {
    /// Keeps what stood between leaf and anchor of a verified chain.
    pub(crate) fn remember(&self, chain: &[X509]) {
        for certificate in chain {
            let Some(subject) = subject_key(certificate.subject_name()) else {
                continue;
            };
            let known = |kept: &Kept| {
                kept.by_subject
                    .get(&subject)
                    .is_some_and(|same| same.contains(certificate))
            };
            if known(&self.kept.read()) {
                continue;
            }
            let mut kept = self.kept.write();
            if known(&kept) {
                continue;
            }
            kept.add(subject, certificate.clone());
        }
    }

    /// Candidates for the chain above a certificate.
    pub(crate) fn above(&self, leaf: &X509Ref) -> Vec<X509> {
        let kept = self.kept.read();
        let mut found: Vec<X509> = Vec::new();
        let mut issuers: VecDeque<Vec<u8>> = subject_key(leaf.issuer_name()).into_iter().collect();
        while let Some(issuer) = issuers.pop_front() {
            for candidate in kept.by_subject.get(&issuer).into_iter().flatten() {
                if found.len() == MAX_ABOVE {
                    return found;
                }
                if !found.contains(candidate) {
                    found.push(candidate.clone());
                    issuers.extend(subject_key(candidate.issuer_name()));
                }
            }
        }
        found
    }
}

impl Kept {
    fn add(&mut self, subject: Vec<u8>, certificate: X509) {
        if self.order.len() == CAPACITY
            && let Some(oldest) = self.order.pop_front()
            && let Some(same) = self.by_subject.get_mut(&oldest)
        {
            same.remove(0);
            if same.is_empty() {
                self.by_subject.remove(&oldest);
            }
        }
        self.order.push_back(subject.clone());
        self.by_subject
            .entry(subject)
            .or_default()
            .push(certificate);
    }
}

fn subject_key(name: &X509NameRef) -> Option<Vec<u8>> {
    name.to_der().ok()
}
