//! Does an authority of the host vouch for this certificate, for use as a TLS client, now?

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::{X509, X509Ref, X509StoreContext, X509VerifyResult};

use super::authority::{Anchor, ClientPolicy};
use super::intermediates::Intermediates;

/// OpenSSL's code for a chain that leads to none of the certificates in the store: with several authorities all but
/// one give it, so it says the least.
const UNABLE_TO_GET_ISSUER_CERT_LOCALLY: i32 = 20;

/// The answer of one authority set about one certificate.
pub(crate) struct Verdict {
    /// The [`ClientPolicy::digest`] of the set.
    pub(crate) policy: [u8; 32],
    pub(crate) outcome: Outcome,
    /// The chain that was verified, leaf first; empty when none was.
    pub(crate) chain: Chain,
}

/// Certificates from the leaf to the anchor.
pub(crate) type Chain = Vec<X509>;

/// Good or not.
pub(crate) enum Outcome {
    /// The authority of this id vouches, until the first certificate of the chain ends (seconds since 1970).
    Verified { authority: Box<str>, not_after: i64 },
    /// None does; OpenSSL's reason.
    Failed(&'static str),
}

/// Tries each authority in the host's order; the first that vouches wins.
pub(crate) fn verify(
    policy: &ClientPolicy,
    leaf: &X509Ref,
    presented: &[X509],
    intermediates: &Intermediates,
) -> Verdict {
    match try_all(policy, leaf, presented, intermediates) {
        Ok(verdict) => verdict,
        // Out of memory, or a certificate that OpenSSL parsed but cannot walk. Not verified, in any case.
        Err(_) => failed(policy, "certificate cannot be examined"),
    }
}

fn try_all(
    policy: &ClientPolicy,
    leaf: &X509Ref,
    presented: &[X509],
    intermediates: &Intermediates,
) -> Result<Verdict, ErrorStack> {
    let mut untrusted = Stack::new()?;
    for certificate in presented {
        untrusted.push(certificate.clone())?;
    }
    if presented.is_empty() {
        // A session ticket carries the leaf alone. What stood above it was verified in the handshake it resumes.
        for certificate in intermediates.above(leaf) {
            untrusted.push(certificate)?;
        }
    }
    let mut reason: Option<X509VerifyResult> = None;
    for authority in &policy.authorities {
        for anchor in &authority.anchors {
            match try_anchor(anchor, leaf, &untrusted)? {
                Ok(chain) => {
                    let not_after = earliest_end(&chain)?;
                    intermediates.remember(chain.get(1..chain.len() - 1).unwrap_or_default());
                    return Ok(Verdict {
                        policy: policy.digest,
                        outcome: Outcome::Verified {
                            authority: authority.id.clone(),
                            not_after,
                        },
                        chain,
                    });
                }
                Err(error) => {
                    if reason.is_none_or(|one| one.as_raw() == UNABLE_TO_GET_ISSUER_CERT_LOCALLY) {
                        reason = Some(error);
                    }
                }
            }
        }
    }
    let reason = reason.map_or("no authority for this host", |one| one.error_string());
    Ok(failed(policy, reason))
}

fn failed(policy: &ClientPolicy, reason: &'static str) -> Verdict {
    Verdict {
        policy: policy.digest,
        outcome: Outcome::Failed(reason),
        chain: Chain::new(),
    }
}

fn try_anchor(
    anchor: &Anchor,
    leaf: &X509Ref,
    untrusted: &Stack<X509>,
) -> Result<Result<Chain, X509VerifyResult>, ErrorStack> {
    let mut context = X509StoreContext::new()?;
    context.init(&anchor.store, leaf, untrusted, |context| {
        if context.verify_cert()? {
            let chain = context
                .chain()
                .map(|chain| chain.iter().map(ToOwned::to_owned));
            return Ok(Ok(chain.into_iter().flatten().collect()));
        }
        Ok(Err(context.error()))
    })
}

/// When the first certificate of the chain ends, in seconds since 1970.
fn earliest_end(chain: &[X509]) -> Result<i64, ErrorStack> {
    let mut earliest = i64::MAX;
    for certificate in chain {
        earliest = earliest.min(unix_seconds(certificate.not_after())?);
    }
    Ok(earliest)
}

fn unix_seconds(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    let difference = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(difference.days) * 86_400 + i64::from(difference.secs))
}
