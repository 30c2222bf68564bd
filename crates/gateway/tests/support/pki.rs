//! Authorities and certificates, made for one test.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// A certificate with its key, and the intermediates to send along.
#[derive(Clone)]
pub struct Identity {
    pub certificate: X509,
    pub key: PKey<Private>,
    pub chain: Vec<X509>,
}

impl Identity {
    pub fn pem(&self) -> String {
        let mut pem = self.certificate.to_pem().unwrap();
        for certificate in &self.chain {
            pem.extend(certificate.to_pem().unwrap());
        }
        String::from_utf8(pem).unwrap()
    }

    pub fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    pub fn serial_decimal(&self) -> String {
        let serial = self.certificate.serial_number().to_bn().unwrap();
        serial.to_dec_str().unwrap().to_string()
    }

    pub fn fingerprint(&self) -> String {
        let digest = self.certificate.digest(MessageDigest::sha256()).unwrap();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A certificate authority.
#[derive(Clone)]
pub struct Authority {
    pub certificate: X509,
    key: PKey<Private>,
    /// From this one up to below the root.
    above: Vec<X509>,
}

/// What a client certificate is like, beyond the ordinary.
pub struct Wish<'a> {
    pub common_name: &'a str,
    /// Seconds from now.
    pub begins: i64,
    pub ends: i64,
    pub client_auth: bool,
    pub server_auth: bool,
    /// Bytes of ballast in the subject, to make it large.
    pub ballast: usize,
}

impl Default for Wish<'_> {
    fn default() -> Self {
        Self {
            common_name: "device",
            begins: -60,
            ends: 3600,
            client_auth: true,
            server_auth: false,
            ballast: 0,
        }
    }
}

impl Authority {
    pub fn root(name: &str) -> Self {
        Self::root_with(name, true)
    }

    /// Without key identifiers nothing but the signature tells two authorities of one name apart.
    pub fn root_without_key_identifier(name: &str) -> Self {
        Self::root_with(name, false)
    }

    fn root_with(name: &str, key_identifier: bool) -> Self {
        let key = key();
        let mut builder = builder(&subject(name, 0), &key, -3600, 365 * 86_400);
        builder.set_issuer_name(&subject(name, 0)).unwrap();
        add_authority_extensions(&mut builder);
        if key_identifier {
            let id = SubjectKeyIdentifier::new();
            let id = id.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(id).unwrap();
        }
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            certificate: builder.build(),
            key,
            above: Vec::new(),
        }
    }

    pub fn intermediate(&self, name: &str) -> Self {
        let key = key();
        let mut builder = builder(&subject(name, 0), &key, -3600, 30 * 86_400);
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        add_authority_extensions(&mut builder);
        let id = SubjectKeyIdentifier::new();
        let id = id
            .build(&builder.x509v3_context(Some(&self.certificate), None))
            .unwrap();
        builder.append_extension(id).unwrap();
        self.identify(&mut builder);
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        let mut above = vec![certificate.clone()];
        above.extend(self.above.iter().cloned());
        Self {
            certificate,
            key,
            above,
        }
    }

    pub fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    pub fn client(&self, common_name: &str) -> Identity {
        self.issue(&Wish {
            common_name,
            ..Wish::default()
        })
    }

    pub fn issue(&self, wish: &Wish<'_>) -> Identity {
        let key = key();
        let subject = subject(wish.common_name, wish.ballast);
        let mut builder = builder(&subject, &key, wish.begins, wish.ends);
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        if wish.client_auth || wish.server_auth {
            let mut usage = ExtendedKeyUsage::new();
            if wish.client_auth {
                usage.client_auth();
            }
            if wish.server_auth {
                usage.server_auth();
            }
            builder.append_extension(usage.build().unwrap()).unwrap();
        }
        let id = SubjectKeyIdentifier::new();
        let id = id
            .build(&builder.x509v3_context(Some(&self.certificate), None))
            .unwrap();
        builder.append_extension(id).unwrap();
        self.identify(&mut builder);
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        Identity {
            certificate: builder.build(),
            key,
            chain: self.above.clone(),
        }
    }

    fn identify(&self, builder: &mut X509Builder) {
        if self.certificate.subject_key_id().is_some() {
            let id = AuthorityKeyIdentifier::new()
                .keyid(true)
                .build(&builder.x509v3_context(Some(&self.certificate), None));
            builder.append_extension(id.unwrap()).unwrap();
        }
    }
}

/// A server's own certificate for some names.
pub fn server(names: &[&str]) -> Identity {
    let key = key();
    let mut builder = builder(&subject(names[0], 0), &key, -60, 86_400);
    builder.set_issuer_name(&subject(names[0], 0)).unwrap();
    let mut alternative = SubjectAlternativeName::new();
    for name in names {
        alternative.dns(name);
    }
    let alternative = alternative
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(alternative).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Identity {
        certificate: builder.build(),
        key,
        chain: Vec::new(),
    }
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn subject(common_name: &str, ballast: usize) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("C", "US").unwrap();
    name.append_entry_by_text("O", "Example, Inc.").unwrap();
    // An organizational unit takes 64 characters.
    for _ in 0..ballast.div_ceil(64) {
        name.append_entry_by_text("OU", &"x".repeat(64)).unwrap();
    }
    name.append_entry_by_text("CN", common_name).unwrap();
    name.build()
}

fn builder(subject: &X509Name, key: &PKey<Private>, begins: i64, ends: i64) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = [0; 16];
    openssl::rand::rand_bytes(&mut serial).unwrap();
    serial[0] = serial[0] & 0x7f | 0x40;
    let serial = Asn1Integer::from_bn(&BigNum::from_slice(&serial).unwrap()).unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_pubkey(key).unwrap();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let now = i64::try_from(now.as_secs()).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(now + begins).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(now + ends).unwrap())
        .unwrap();
    builder
}

fn add_authority_extensions(builder: &mut X509Builder) {
    let constraints = BasicConstraints::new().critical().ca().build().unwrap();
    builder.append_extension(constraints).unwrap();
    let usage = KeyUsage::new()
        .critical()
        .key_cert_sign()
        .crl_sign()
        .build()
        .unwrap();
    builder.append_extension(usage).unwrap();
}
