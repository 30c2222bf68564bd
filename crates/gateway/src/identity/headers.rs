//! The headers that tell an upstream about a certificate, made once for its connection.

use http::HeaderValue;

use super::facts::Facts;

/// Names and values, ready to be inserted.
type Headers = Vec<(&'static str, HeaderValue)>;

/// The headers of one certificate, by the way of telling.
pub(crate) struct CertificateHeaders {
    /// `Cf-Client-Cert-Sha256` and `Cf-Client-Cert-Der-Base64`.
    pub(crate) certificate: Headers,
    /// The `Cf-Cert-*` family, except what depends on the moment.
    pub(crate) facts: Headers,
    /// `Client-Cert` and `Client-Cert-Chain`; left out where too large or empty.
    pub(crate) rfc9440: Headers,
}

impl CertificateHeaders {
    pub(super) fn new(facts: &Facts) -> Self {
        let rfc9440 = [
            ("Client-Cert", &facts.rfc9440),
            ("Client-Cert-Chain", &facts.chain_rfc9440),
        ];
        Self {
            certificate: headers(&[
                ("Cf-Client-Cert-Sha256", &facts.fingerprint_sha256),
                ("Cf-Client-Cert-Der-Base64", &facts.der_base64),
            ]),
            facts: headers(&[
                ("Cf-Cert-Issuer-Dn", &facts.issuer_dn),
                ("Cf-Cert-Subject-Dn", &facts.subject_dn),
                ("Cf-Cert-Issuer-Dn-Rfc2253", &facts.issuer_dn_rfc2253),
                ("Cf-Cert-Subject-Dn-Rfc2253", &facts.subject_dn_rfc2253),
                ("Cf-Cert-Issuer-Dn-Legacy", &facts.issuer_dn_legacy),
                ("Cf-Cert-Subject-Dn-Legacy", &facts.subject_dn_legacy),
                ("Cf-Cert-Serial", &facts.serial),
                ("Cf-Cert-Issuer-Serial", &facts.issuer_serial),
                ("Cf-Cert-Fingerprint-Sha256", &facts.fingerprint_sha256),
                ("Cf-Cert-Fingerprint-Sha1", &facts.fingerprint_sha1),
                ("Cf-Cert-Not-Before", &facts.not_before),
                ("Cf-Cert-Not-After", &facts.not_after),
                ("Cf-Cert-Ski", &facts.ski),
                ("Cf-Cert-Issuer-Ski", &facts.issuer_ski),
            ]),
            rfc9440: headers(&rfc9440)
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }
}

/// OpenSSL escapes what is not visible ASCII; a value that should still not fit is left empty, as if unknown.
fn headers(facts: &[(&'static str, &String)]) -> Headers {
    facts
        .iter()
        .map(|(name, text)| {
            let value = HeaderValue::from_str(text);
            (
                *name,
                value.unwrap_or_else(|_| HeaderValue::from_static("")),
            )
        })
        .collect()
}
