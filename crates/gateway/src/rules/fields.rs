//! The fields an expression may ask for: their names, their types, and who answers.

/// Answers an expression's questions about one request.
///
/// A field is asked only when it decides the answer, so a costly one (a distinguished name, a hash) can be computed at
/// the call and kept for the next.
pub trait FieldSource {
    /// The value of a string field; empty when the request has none.
    fn text(&self, field: TextField) -> &str;

    /// The value of a boolean field; false when the request has none.
    fn flag(&self, field: FlagField) -> bool;
}

/// A field whose value is a string; [`Field::meaning`] tells of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextField {
    /// `http.host`.
    Host,
    /// `http.request.method`.
    Method,
    /// `http.request.uri.path`.
    Path,
    /// `cf.tls_client_auth.cert_issuer_dn`.
    IssuerDn,
    /// `cf.tls_client_auth.cert_subject_dn`.
    SubjectDn,
    /// `cf.tls_client_auth.cert_issuer_dn_rfc2253`.
    IssuerDnRfc2253,
    /// `cf.tls_client_auth.cert_subject_dn_rfc2253`.
    SubjectDnRfc2253,
    /// `cf.tls_client_auth.cert_issuer_dn_legacy`.
    IssuerDnLegacy,
    /// `cf.tls_client_auth.cert_subject_dn_legacy`.
    SubjectDnLegacy,
    /// `cf.tls_client_auth.cert_serial`.
    Serial,
    /// `cf.tls_client_auth.cert_issuer_serial`.
    IssuerSerial,
    /// `cf.tls_client_auth.cert_fingerprint_sha256`.
    FingerprintSha256,
    /// `cf.tls_client_auth.cert_fingerprint_sha1`.
    FingerprintSha1,
    /// `cf.tls_client_auth.cert_not_before`.
    NotBefore,
    /// `cf.tls_client_auth.cert_not_after`.
    NotAfter,
    /// `cf.tls_client_auth.cert_ski`.
    Ski,
    /// `cf.tls_client_auth.cert_issuer_ski`.
    IssuerSki,
    /// `cf.tls_client_auth.cert_rfc9440`.
    CertRfc9440,
    /// `cf.tls_client_auth.cert_chain_rfc9440`.
    ChainRfc9440,
}

/// A field whose value is true or false; [`Field::meaning`] tells of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlagField {
    /// `cf.tls_client_auth.cert_presented`.
    CertPresented,
    /// `cf.tls_client_auth.cert_verified`.
    CertVerified,
    /// `cf.tls_client_auth.cert_revoked`.
    CertRevoked,
    /// `cf.tls_client_auth.cert_rfc9440_too_large`.
    CertRfc9440TooLarge,
    /// `cf.tls_client_auth.cert_chain_rfc9440_too_large`.
    ChainRfc9440TooLarge,
    /// `cf.api_gateway.fallthrough_detected`.
    FallthroughDetected,
}

/// A field of either type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// A string.
    Text(TextField),
    /// True or false.
    Flag(FlagField),
}

impl From<TextField> for Field {
    fn from(field: TextField) -> Self {
        Self::Text(field)
    }
}

impl From<FlagField> for Field {
    fn from(field: FlagField) -> Self {
        Self::Flag(field)
    }
}

/// Each field under its name in the language, with what it is. A field's first name is the one we print; later ones are aliases.
const NAMES: &[(&str, Field, &str)] = &[
    (
        "http.host",
        Field::Text(TextField::Host),
        "The host the request is for. Upper and lower case are the same",
    ),
    (
        "http.request.method",
        Field::Text(TextField::Method),
        "The method, as sent: `GET` and not `get`",
    ),
    (
        "http.request.uri.path",
        Field::Text(TextField::Path),
        "The path without the query",
    ),
    (
        "cf.tls_client_auth.cert_presented",
        Field::Flag(FlagField::CertPresented),
        "A certificate was sent",
    ),
    (
        "cf.tls_client_auth.cert_verified",
        Field::Flag(FlagField::CertVerified),
        "The certificate is good under an authority of the host. Stays true when it is revoked",
    ),
    (
        "cf.tls_client_auth.cert_revoked",
        Field::Flag(FlagField::CertRevoked),
        "The certificate is verified and has been revoked",
    ),
    (
        "cf.tls_client_auth.cert_issuer_dn",
        Field::Text(TextField::IssuerDn),
        "The issuer's name in the modern style of OpenSSL",
    ),
    (
        "cf.tls_client_auth.cert_subject_dn",
        Field::Text(TextField::SubjectDn),
        "The subject's name in the modern style of OpenSSL",
    ),
    (
        "cf.tls_client_auth.cert_issuer_dn_rfc2253",
        Field::Text(TextField::IssuerDnRfc2253),
        "The issuer's name in RFC 2253 order and escaping",
    ),
    (
        "cf.tls_client_auth.cert_subject_dn_rfc2253",
        Field::Text(TextField::SubjectDnRfc2253),
        "The subject's name in RFC 2253 order and escaping",
    ),
    (
        "cf.tls_client_auth.cert_issuer_dn_legacy",
        Field::Text(TextField::IssuerDnLegacy),
        "The issuer's name as `/C=US/O=…`",
    ),
    (
        "cf.tls_client_auth.cert_subject_dn_legacy",
        Field::Text(TextField::SubjectDnLegacy),
        "The subject's name as `/C=US/O=…`",
    ),
    (
        "cf.tls_client_auth.cert_serial",
        Field::Text(TextField::Serial),
        "The certificate's serial number in upper-case hex",
    ),
    (
        "cf.tls_client_auth.cert_issuer_serial",
        Field::Text(TextField::IssuerSerial),
        "The serial number of the issuer's certificate in upper-case hex",
    ),
    (
        "cf.tls_client_auth.cert_fingerprint_sha256",
        Field::Text(TextField::FingerprintSha256),
        "SHA-256 of the DER in lower-case hex",
    ),
    (
        "cf.tls_client_auth.cert_fingerprint_sha1",
        Field::Text(TextField::FingerprintSha1),
        "SHA-1 of the DER in lower-case hex",
    ),
    (
        "cf.tls_client_auth.cert_not_before",
        Field::Text(TextField::NotBefore),
        "When the certificate begins, such as `Mar 21 13:35:00 2022 GMT`",
    ),
    (
        "cf.tls_client_auth.cert_not_after",
        Field::Text(TextField::NotAfter),
        "When the certificate ends, such as `Mar 21 13:35:00 2032 GMT`",
    ),
    (
        "cf.tls_client_auth.cert_ski",
        Field::Text(TextField::Ski),
        "The certificate's subject key identifier in upper-case hex",
    ),
    (
        "cf.tls_client_auth.cert_issuer_ski",
        Field::Text(TextField::IssuerSki),
        "The subject key identifier of the issuer in upper-case hex",
    ),
    (
        "cf.tls_client_auth.cert_rfc9440",
        Field::Text(TextField::CertRfc9440),
        "The certificate as `:<base64 DER>:`; empty above 10 KiB",
    ),
    (
        "cf.tls_client_auth.cert_rfc9440_too_large",
        Field::Flag(FlagField::CertRfc9440TooLarge),
        "The certificate is above 10 KiB",
    ),
    (
        "cf.tls_client_auth.cert_chain_rfc9440",
        Field::Text(TextField::ChainRfc9440),
        "The intermediates as sent, leaf excluded; empty above 16 KiB",
    ),
    (
        "cf.tls_client_auth.cert_chain_rfc9440_too_large",
        Field::Flag(FlagField::ChainRfc9440TooLarge),
        "The chain is above 16 KiB",
    ),
    (
        "cf.api_gateway.fallthrough_detected",
        Field::Flag(FlagField::FallthroughDetected),
        "The request is for no saved operation",
    ),
    // A name that circulates in third-party texts for the same field.
    (
        "cf.api_gateway.fallthrough_triggered",
        Field::Flag(FlagField::FallthroughDetected),
        "The request is for no saved operation",
    ),
];

impl Field {
    /// The field of this name or alias, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(_, field, _)| *field)
    }

    /// The name of the field in the language.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// What the field is, in a phrase for people.
    pub fn meaning(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> &'static (&'static str, Self, &'static str) {
        NAMES
            .iter()
            .find(|(_, field, _)| *field == self)
            .expect("each field stands in the table, a test goes through them")
    }

    /// Whether the field is about the client certificate.
    pub fn is_of_certificate(self) -> bool {
        self.name().starts_with("cf.tls_client_auth.")
    }

    /// All fields, in the order of the table in the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES
            .iter()
            .filter(|(name, field, _)| field.name() == *name)
            .map(|(_, field, _)| *field)
    }

    /// The known name nearest to a misspelt one, if one is near enough to be meant.
    pub(super) fn nearest_name(unknown: &str) -> Option<&'static str> {
        // Nobody misspells a field by making it this long; the bound keeps the comparison cheap.
        if unknown.len() > 100 {
            return None;
        }
        let unknown = unknown.to_ascii_lowercase();
        let last_part = format!(".{unknown}");
        if let Some((name, ..)) = NAMES.iter().find(|(name, ..)| name.ends_with(&last_part)) {
            return Some(name);
        }
        let (name, distance) = NAMES
            .iter()
            .map(|(name, ..)| (*name, edits(&unknown, name)))
            .min_by_key(|near| near.1)?;
        (distance <= unknown.len() / 4).then_some(name)
    }
}

impl TextField {
    /// Whether upper and lower case of ASCII letters are the same in this field.
    pub(super) fn ignores_case(self) -> bool {
        self == Self::Host
    }
}

/// How many bytes must be put in, taken out or replaced to come from one name to the other (Levenshtein).
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.bytes().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, to) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
