//! Replaces secrets by keyed hashes.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use sha2::Sha256;

use crate::secrets::secrecy;
use crate::{json, text};

/// How often a value is looked for inside a value (encoded, or JSON in JSON) before it is hidden as a whole.
const MAX_DEPTH: usize = 3;

/// Schemes of the `Authorization` header, which stay so that one can see how callers authenticate.
const AUTHORIZATION_SCHEMES: &[&str] = &[
    "apikey",
    "aws4-hmac-sha256",
    "basic",
    "bearer",
    "digest",
    "dpop",
    "gnap",
    "hawk",
    "hmac",
    "hoba",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "token",
    "vapid",
];

/// Headers in which proxies tell the client's address.
const ADDRESS_HEADERS: &[&str] = &[
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forwarded-for",
    "x-original-forwarded-for",
    "x-real-ip",
];

/// Replaces secrets by `h:` and twelve hex digits of their HMAC-SHA-256.
///
/// Equal secrets give equal hashes under one key, wherever they stand, so a session can be followed from its cookie to
/// its query parameter. Without the key nobody can try out which secret gives a hash; keep it as secret as what it
/// hides. Names, authorization schemes and everything that is not secret stay as they are. What already has the form of
/// a hash is left alone, which makes masking idempotent.
///
/// ```
/// use hauberk_traffic::Masker;
///
/// let masker = Masker::new([7; 32]);
/// let masked = masker.mask_query("page=2&access_token=s3cr3t");
/// assert!(masked.starts_with("page=2&access_token=h:"));
/// assert!(masker.mask_header("Authorization", "Bearer s3cr3t").ends_with(&masked[20..]));
/// ```
#[derive(Clone)]
pub struct Masker {
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for Masker {
    /// Says nothing of the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Masker").finish_non_exhaustive()
    }
}

impl Masker {
    /// A masker under a key of random bytes. Hashes of different keys have nothing in common.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"),
        }
    }

    /// Masks the value of a header.
    ///
    /// Cookies are masked value by value; of `Authorization` the scheme stays; addresses that proxies tell become pseudonyms like those of
    /// [`mask_client`](Self::mask_client); the value of any other header with a
    /// secret name goes as a whole; of all others only what is secret by its own shape, and the secret parameters of
    /// URLs in it.
    pub fn mask_header(&self, name: &str, value: &str) -> String {
        if name.eq_ignore_ascii_case("cookie") {
            self.mask_cookies(value)
        } else if name.eq_ignore_ascii_case("set-cookie") {
            self.mask_set_cookie(value)
        } else if name.eq_ignore_ascii_case("authorization")
            || name.eq_ignore_ascii_case("proxy-authorization")
        {
            self.mask_authorization(value)
        } else if is_any_of(name, ADDRESS_HEADERS) {
            self.mask_addresses(value)
        } else if name.eq_ignore_ascii_case("forwarded") {
            self.mask_forwarded(value)
        } else if secrecy(name).hides(value) {
            self.hide(value)
        } else {
            self.mask_value(value, 0)
        }
    }

    /// Masks a query or a form body: `name=value` joined by `&`, percent-encoded or not, without the `?`.
    pub fn mask_query(&self, query: &str) -> String {
        let mask_pair = |pair: &str| match pair.split_once('=') {
            Some((name, value)) => {
                // In a query `+` may be a blank or, carelessly encoded, itself; the hash takes it for itself, so that a
                // secret in base64 has the same one here as in a header.
                let decoded = Self::decoded(value);
                let is_secret = secrecy(&Self::decoded(name)).hides(&decoded)
                    || self.holds_secret(&decoded.replace('+', " "), 1);
                let shown = if is_secret {
                    self.hide(&decoded)
                } else {
                    value.to_owned()
                };
                format!("{}={shown}", text::mask_run(self, name))
            }
            None if self.holds_secret(&Self::decoded(pair), 1) => self.hide(pair),
            None => pair.to_owned(),
        };
        query
            .split('&')
            .map(mask_pair)
            .collect::<Vec<_>>()
            .join("&")
    }

    /// Masks a URL: its query and fragment, a user before its host, and well-known tokens in its path.
    pub fn mask_url(&self, url: &str) -> String {
        let (rest, fragment) = url
            .split_once('#')
            .map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let mut masked = text::mask(self, rest, 0);
        for (mark, part) in [('?', query), ('#', fragment)] {
            if let Some(part) = part {
                masked.push(mark);
                masked.push_str(&self.mask_query(part));
            }
        }
        masked
    }

    /// Masks JSON text, well-formed or not, and leaves all that is not secret byte for byte as it stands.
    ///
    /// Below a member with a secret name every string and number is hidden; a hidden number becomes a string.
    pub fn mask_json(&self, json: &str) -> String {
        json::mask(self, json, 0)
    }

    /// The pseudonym of a client address: `c:` and twelve hex digits.
    pub fn mask_client(&self, address: &str) -> String {
        if has_form(address, "c:") {
            address.to_owned()
        } else {
            format!("c:{}", self.hash(address))
        }
    }

    /// The hash that stands for a secret; nothing for nothing.
    pub(crate) fn hide(&self, secret: &str) -> String {
        if secret.is_empty() || has_form(secret, "h:") {
            secret.to_owned()
        } else {
            format!("h:{}", self.hash(secret))
        }
    }

    /// Masks a value that stands under no secret name.
    pub(crate) fn mask_value(&self, value: &str, depth: usize) -> String {
        if depth > MAX_DEPTH {
            self.hide(value)
        } else if json::looks_like_json(value) {
            json::mask(self, value, depth)
        } else {
            text::mask(self, value, depth)
        }
    }

    /// Whether something in the value must be masked, also when it is encoded once more.
    pub(crate) fn holds_secret(&self, value: &str, depth: usize) -> bool {
        self.mask_value(value, depth) != value || {
            let decoded = Self::decoded(value);
            decoded != value && depth < MAX_DEPTH && self.holds_secret(&decoded, depth + 1)
        }
    }

    /// A text with its percent-encoding undone; bytes that are no UTF-8 become replacement characters.
    pub(crate) fn decoded(text: &str) -> String {
        percent_decode_str(text).decode_utf8_lossy().into_owned()
    }

    fn mask_authorization(&self, value: &str) -> String {
        let value = value.trim();
        match value.split_once(' ') {
            Some((scheme, credentials))
                if AUTHORIZATION_SCHEMES
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(scheme)) =>
            {
                format!("{scheme} {}", self.hide(credentials.trim()))
            }
            _ => self.hide(value),
        }
    }

    /// A list of addresses.
    fn mask_addresses(&self, value: &str) -> String {
        let addresses: Vec<String> = value
            .split(',')
            .map(|address| match address.trim() {
                "" => String::new(),
                address => self.mask_client(address),
            })
            .collect();
        addresses.join(", ")
    }

    /// `for=192.0.2.1;proto=https, for="[2001:db8::1]"` (RFC 7239).
    fn mask_forwarded(&self, value: &str) -> String {
        let mask_pair = |pair: &str| match pair.split_once('=') {
            Some((name, address)) if is_any_of(name.trim(), &["for", "by"]) => {
                let address = address.trim().trim_matches('"');
                format!("{}={}", name, self.mask_client(address))
            }
            _ => self.mask_value(pair, 0),
        };
        let mask_hop = |hop: &str| hop.split(';').map(mask_pair).collect::<Vec<_>>().join(";");
        value.split(',').map(mask_hop).collect::<Vec<_>>().join(",")
    }

    /// Twelve digits: 48 bits tell the sessions of one store apart and are too few to carry a secret.
    pub(crate) fn hash(&self, secret: impl AsRef<[u8]>) -> String {
        let digest = self
            .keyed
            .clone()
            .chain_update(secret)
            .finalize()
            .into_bytes();
        digest[..6]
            .iter()
            .fold(String::with_capacity(12), |mut hex, byte| {
                hex.extend(
                    [byte >> 4, byte & 15]
                        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
                );
                hex
            })
    }
}

fn is_any_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn has_form(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        digits.len() == 12
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}
