//! What a client certificate says, in the encodings that rules, headers and events use.
//!
//! All of it is worked out once, when the certificate is presented, so that a request on a kept-alive connection only
//! reads.

use openssl::asn1::{Asn1IntegerRef, Asn1OctetStringRef, Asn1TimeRef};
use openssl::base64::encode_block;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::x509::{X509, X509Ref};

use super::name;
use super::verify::Verdict;

/// The largest certificate that is handed on as `Client-Cert`, in bytes of DER.
const MAX_CERTIFICATE_BYTES: usize = 10 * 1024;

/// The largest chain that is handed on as `Client-Cert-Chain`, in bytes of the header's value.
const MAX_CHAIN_BYTES: usize = 16 * 1024;

/// The certificate in words. Empty where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) issuer_dn: String,
    pub(crate) subject_dn: String,
    pub(crate) issuer_dn_rfc2253: String,
    pub(crate) subject_dn_rfc2253: String,
    pub(crate) issuer_dn_legacy: String,
    pub(crate) subject_dn_legacy: String,
    /// Upper-case hexadecimal.
    pub(crate) serial: String,
    pub(crate) serial_decimal: String,
    /// Upper-case hexadecimal.
    pub(crate) issuer_serial: String,
    /// Lower-case hexadecimal.
    pub(crate) fingerprint_sha256: String,
    /// Lower-case hexadecimal.
    pub(crate) fingerprint_sha1: String,
    /// `Mar 21 13:35:00 2022 GMT`.
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    /// Upper-case hexadecimal.
    pub(crate) ski: String,
    /// Upper-case hexadecimal.
    pub(crate) issuer_ski: String,
    pub(crate) der_base64: String,
    /// `:<base64 DER>:`.
    pub(crate) rfc9440: String,
    pub(crate) rfc9440_too_large: bool,
    /// Comma separated, the leaf left out.
    pub(crate) chain_rfc9440: String,
    pub(crate) chain_rfc9440_too_large: bool,
}

impl Facts {
    /// Reads a certificate and the chain that came with it.
    pub(super) fn new(
        leaf: &X509Ref,
        presented: &[X509],
        verdict: &Verdict,
    ) -> Result<Self, ErrorStack> {
        let der = leaf.to_der()?;
        let der_base64 = encode_block(&der);
        let rfc9440_too_large = der.len() > MAX_CERTIFICATE_BYTES;
        let (chain_rfc9440, chain_rfc9440_too_large) = chain_rfc9440(presented, verdict)?;
        let issuer = issuer(leaf, presented, verdict);
        Ok(Self {
            issuer_dn: name::modern(leaf.issuer_name())?,
            subject_dn: name::modern(leaf.subject_name())?,
            issuer_dn_rfc2253: name::rfc2253(leaf.issuer_name())?,
            subject_dn_rfc2253: name::rfc2253(leaf.subject_name())?,
            issuer_dn_legacy: name::legacy(leaf.issuer_name())?,
            subject_dn_legacy: name::legacy(leaf.subject_name())?,
            serial: hexadecimal(leaf.serial_number())?,
            serial_decimal: leaf.serial_number().to_bn()?.to_dec_str()?.to_string(),
            issuer_serial: match (issuer, leaf.authority_serial()) {
                (Some(issuer), _) => hexadecimal(issuer.serial_number())?,
                (None, Some(serial)) => hexadecimal(serial)?,
                (None, None) => String::new(),
            },
            fingerprint_sha256: hex(&hash(MessageDigest::sha256(), &der)?, LOWER),
            fingerprint_sha1: hex(&hash(MessageDigest::sha1(), &der)?, LOWER),
            not_before: date(leaf.not_before()),
            not_after: date(leaf.not_after()),
            ski: key_id(leaf.subject_key_id().map(Asn1OctetStringRef::as_slice)),
            issuer_ski: key_id(
                leaf.authority_key_id()
                    .or_else(|| issuer.and_then(X509Ref::subject_key_id))
                    .map(Asn1OctetStringRef::as_slice),
            ),
            rfc9440: if rfc9440_too_large {
                String::new()
            } else {
                format!(":{der_base64}:")
            },
            rfc9440_too_large,
            chain_rfc9440,
            chain_rfc9440_too_large,
            der_base64,
        })
    }
}

/// The issuer's certificate: from the verified chain, or the one the client sent under that name.
fn issuer<'a>(leaf: &X509Ref, presented: &'a [X509], verdict: &'a Verdict) -> Option<&'a X509Ref> {
    let by_name = |one: &&X509| one.issued(leaf) == openssl::x509::X509VerifyResult::OK;
    verdict
        .chain
        .get(1)
        .or_else(|| presented.iter().find(by_name))
        .map(|one| &**one)
}

/// The chain as the client sent it. On a resumed session it is not sent again: then the verified one without its ends.
fn chain_rfc9440(presented: &[X509], verdict: &Verdict) -> Result<(String, bool), ErrorStack> {
    let chain = if presented.is_empty() {
        let end = verdict.chain.len().saturating_sub(1);
        verdict.chain.get(1..end).unwrap_or_default()
    } else {
        presented
    };
    let mut text = String::new();
    for certificate in chain {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push(':');
        text.push_str(&encode_block(&certificate.to_der()?));
        text.push(':');
        if text.len() > MAX_CHAIN_BYTES {
            return Ok((String::new(), true));
        }
    }
    Ok((text, false))
}

fn hexadecimal(serial: &Asn1IntegerRef) -> Result<String, ErrorStack> {
    Ok(serial.to_bn()?.to_hex_str()?.to_string())
}

/// `Mar 21 13:35:00 2022 GMT`, the day padded with a space as OpenSSL does it.
fn date(time: &Asn1TimeRef) -> String {
    time.to_string()
}

fn key_id(id: Option<&[u8]>) -> String {
    id.map(|bytes| hex(bytes, UPPER)).unwrap_or_default()
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(digits[usize::from(nibble)]))
        .collect()
}
