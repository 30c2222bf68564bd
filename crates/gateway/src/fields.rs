//! The fields of one request for the rules of its zone.

use crate::identity::{Facts, Standing};
use crate::rules::{FieldSource, FlagField, TextField};

/// What rules may ask of a request. Nothing is computed here: text is borrowed, flags are known.
#[derive(Clone, Copy)]
pub(crate) struct RequestFields<'a> {
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// No saved operation matches.
    pub(crate) fallthrough: bool,
    /// None when the host asks for no certificate, or the client presented none.
    pub(crate) standing: Option<&'a Standing<'a>>,
}

impl RequestFields<'_> {
    fn of_certificate(&self, text: impl Fn(&Facts) -> &str) -> &str {
        self.standing
            .map_or("", |standing| text(&standing.presented.facts))
    }
}

impl FieldSource for RequestFields<'_> {
    fn text(&self, field: TextField) -> &str {
        match field {
            TextField::Host => self.host,
            TextField::Method => self.method,
            TextField::Path => self.path,
            TextField::IssuerDn => self.of_certificate(|facts| &facts.issuer_dn),
            TextField::SubjectDn => self.of_certificate(|facts| &facts.subject_dn),
            TextField::IssuerDnRfc2253 => self.of_certificate(|facts| &facts.issuer_dn_rfc2253),
            TextField::SubjectDnRfc2253 => self.of_certificate(|facts| &facts.subject_dn_rfc2253),
            TextField::IssuerDnLegacy => self.of_certificate(|facts| &facts.issuer_dn_legacy),
            TextField::SubjectDnLegacy => self.of_certificate(|facts| &facts.subject_dn_legacy),
            TextField::Serial => self.of_certificate(|facts| &facts.serial),
            TextField::IssuerSerial => self.of_certificate(|facts| &facts.issuer_serial),
            TextField::FingerprintSha256 => self.of_certificate(|facts| &facts.fingerprint_sha256),
            TextField::FingerprintSha1 => self.of_certificate(|facts| &facts.fingerprint_sha1),
            TextField::NotBefore => self.of_certificate(|facts| &facts.not_before),
            TextField::NotAfter => self.of_certificate(|facts| &facts.not_after),
            TextField::Ski => self.of_certificate(|facts| &facts.ski),
            TextField::IssuerSki => self.of_certificate(|facts| &facts.issuer_ski),
            TextField::CertRfc9440 => self.of_certificate(|facts| &facts.rfc9440),
            TextField::ChainRfc9440 => self.of_certificate(|facts| &facts.chain_rfc9440),
        }
    }

    fn flag(&self, field: FlagField) -> bool {
        let of_facts =
            |flag: fn(&Facts) -> bool| self.standing.is_some_and(|one| flag(&one.presented.facts));
        match field {
            FlagField::CertPresented => self.standing.is_some(),
            FlagField::CertVerified => self.standing.is_some_and(|standing| standing.verified),
            FlagField::CertRevoked => self.standing.is_some_and(|standing| standing.revoked),
            FlagField::CertRfc9440TooLarge => of_facts(|facts| facts.rfc9440_too_large),
            FlagField::ChainRfc9440TooLarge => of_facts(|facts| facts.chain_rfc9440_too_large),
            FlagField::FallthroughDetected => self.fallthrough,
        }
    }
}
