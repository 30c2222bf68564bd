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

/// A field whose value is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextField {
    /// `http.host`: the host the request is for. Upper and lower case are the same.
    Host,
    /// `http.request.method`: as sent, so `GET` and not `get`.
    Method,
    /// `http.request.uri.path`: the path without the query.
    Path,
    /// `cf.tls_client_auth.cert_issuer_dn`: the issuer's name in the modern style of OpenSSL.
    IssuerDn,
    /// `cf.tls_client_auth.cert_subject_dn`: the subject's name in the modern style of OpenSSL.
    SubjectDn,
    /// `cf.tls_client_auth.cert_issuer_dn_rfc2253`: the issuer's name in RFC 2253 order and escaping.
    IssuerDnRfc2253,
    /// `cf.tls_client_auth.cert_subject_dn_rfc2253`: the subject's name in RFC 2253 order and escaping.
    SubjectDnRfc2253,
    /// `cf.tls_client_auth.cert_issuer_dn_legacy`: the issuer's name as `/C=US/O=…`.
    IssuerDnLegacy,
    /// `cf.tls_client_auth.cert_subject_dn_legacy`: the subject's name as `/C=US/O=…`.
    SubjectDnLegacy,
    /// `cf.tls_client_auth.cert_serial`: the serial number in upper-case hex.
    Serial,
    /// `cf.tls_client_auth.cert_issuer_serial`: the serial number of the issuer's certificate in upper-case hex.
    IssuerSerial,
    /// `cf.tls_client_auth.cert_fingerprint_sha256`: SHA-256 of the DER in lower-case hex.
    FingerprintSha256,
    /// `cf.tls_client_auth.cert_fingerprint_sha1`: SHA-1 of the DER in lower-case hex.
    FingerprintSha1,
    /// `cf.tls_client_auth.cert_not_before`: such as `Mar 21 13:35:00 2022 GMT`.
    NotBefore,
    /// `cf.tls_client_auth.cert_not_after`: such as `Mar 21 13:35:00 2032 GMT`.
    NotAfter,
    /// `cf.tls_client_auth.cert_ski`: the subject key identifier in upper-case hex.
    Ski,
    /// `cf.tls_client_auth.cert_issuer_ski`: the subject key identifier of the issuer in upper-case hex.
    IssuerSki,
    /// `cf.tls_client_auth.cert_rfc9440`: the certificate as `:<base64 DER>:`; empty above 10 KiB.
    CertRfc9440,
    /// `cf.tls_client_auth.cert_chain_rfc9440`: the intermediates as sent, leaf excluded; empty above 16 KiB.
    ChainRfc9440,
}

/// A field whose value is true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlagField {
    /// `cf.tls_client_auth.cert_presented`: a certificate was sent.
    CertPresented,
    /// `cf.tls_client_auth.cert_verified`: it is good under an authority of the host. Stays true when revoked.
    CertVerified,
    /// `cf.tls_client_auth.cert_revoked`: it is verified and has been revoked.
    CertRevoked,
    /// `cf.tls_client_auth.cert_rfc9440_too_large`: the certificate is above 10 KiB.
    CertRfc9440TooLarge,
    /// `cf.tls_client_auth.cert_chain_rfc9440_too_large`: the chain is above 16 KiB.
    ChainRfc9440TooLarge,
    /// `cf.api_gateway.fallthrough_detected`: the request is for no saved operation.
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

/// Each field under its name in the language. A field's first name is the one we print; later ones are aliases.
const NAMES: &[(&str, Field)] = &[
    ("http.host", Field::Text(TextField::Host)),
    ("http.request.method", Field::Text(TextField::Method)),
    ("http.request.uri.path", Field::Text(TextField::Path)),
    (
        "cf.tls_client_auth.cert_presented",
        Field::Flag(FlagField::CertPresented),
    ),
    (
        "cf.tls_client_auth.cert_verified",
        Field::Flag(FlagField::CertVerified),
    ),
    (
        "cf.tls_client_auth.cert_revoked",
        Field::Flag(FlagField::CertRevoked),
    ),
    (
        "cf.tls_client_auth.cert_issuer_dn",
        Field::Text(TextField::IssuerDn),
    ),
    (
        "cf.tls_client_auth.cert_subject_dn",
        Field::Text(TextField::SubjectDn),
    ),
    (
        "cf.tls_client_auth.cert_issuer_dn_rfc2253",
        Field::Text(TextField::IssuerDnRfc2253),
    ),
    (
        "cf.tls_client_auth.cert_subject_dn_rfc2253",
        Field::Text(TextField::SubjectDnRfc2253),
    ),
    (
        "cf.tls_client_auth.cert_issuer_dn_legacy",
        Field::Text(TextField::IssuerDnLegacy),
    ),
    (
        "cf.tls_client_auth.cert_subject_dn_legacy",
        Field::Text(TextField::SubjectDnLegacy),
    ),
    (
        "cf.tls_client_auth.cert_serial",
        Field::Text(TextField::Serial),
    ),
    (
        "cf.tls_client_auth.cert_issuer_serial",
        Field::Text(TextField::IssuerSerial),
    ),
    (
        "cf.tls_client_auth.cert_fingerprint_sha256",
        Field::Text(TextField::FingerprintSha256),
    ),
    (
        "cf.tls_client_auth.cert_fingerprint_sha1",
        Field::Text(TextField::FingerprintSha1),
    ),
    (
        "cf.tls_client_auth.cert_not_before",
        Field::Text(TextField::NotBefore),
    ),
    (
        "cf.tls_client_auth.cert_not_after",
        Field::Text(TextField::NotAfter),
    ),
    ("cf.tls_client_auth.cert_ski", Field::Text(TextField::Ski)),
    (
        "cf.tls_client_auth.cert_issuer_ski",
        Field::Text(TextField::IssuerSki),
    ),
    (
        "cf.tls_client_auth.cert_rfc9440",
        Field::Text(TextField::CertRfc9440),
    ),
    (
        "cf.tls_client_auth.cert_rfc9440_too_large",
        Field::Flag(FlagField::CertRfc9440TooLarge),
    ),
    (
        "cf.tls_client_auth.cert_chain_rfc9440",
        Field::Text(TextField::ChainRfc9440),
    ),
    (
        "cf.tls_client_auth.cert_chain_rfc9440_too_large",
        Field::Flag(FlagField::ChainRfc9440TooLarge),
    ),
    (
        "cf.api_gateway.fallthrough_detected",
        Field::Flag(FlagField::FallthroughDetected),
    ),
    // A name that circulates in third-party texts for the same field.
    (
        "cf.api_gateway.fallthrough_triggered",
        Field::Flag(FlagField::FallthroughDetected),
    ),
];

impl Field {
    /// The field of this name or alias, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, field)| *field)
    }

    /// The name of the field in the language.
    pub fn name(self) -> &'static str {
        let entry = NAMES.iter().find(|(_, field)| *field == self);
        entry
            .map(|(name, _)| *name)
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
            .filter(|(name, field)| field.name() == *name)
            .map(|(_, field)| *field)
    }

    /// The known name nearest to a misspelt one, if one is near enough to be meant.
    pub(super) fn nearest_name(unknown: &str) -> Option<&'static str> {
        // Nobody misspells a field by making it this long; the bound keeps the comparison cheap.
        if unknown.len() > 100 {
            return None;
        }
        let unknown = unknown.to_ascii_lowercase();
        let last_part = format!(".{unknown}");
        if let Some((name, _)) = NAMES.iter().find(|(name, _)| name.ends_with(&last_part)) {
            return Some(name);
        }
        let (name, distance) = NAMES
            .iter()
            .map(|(name, _)| (*name, edits(&unknown, name)))
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
