//! Which session a transaction belongs to: the values of named headers, cookies and token claims, as one keyed hash.

mod claim;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::borrowed::TransactionRef;
use crate::mask::Masker;
use claim::{Claim, is_header_name};

/// So many identifiers one zone can have.
pub const MAX_SESSION_IDENTIFIERS: usize = 10;

/// Longest name of a header or cookie, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// Where a session identifier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionIdentifierType {
    /// A request header.
    Header,
    /// A cookie of the request.
    Cookie,
    /// A claim of a token that the request carries.
    Jwt,
}

impl SessionIdentifierType {
    /// As in REST and on the command line: `header`, `cookie` or `jwt`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Jwt => "jwt",
        }
    }
}

/// One place of a request that tells sessions apart.
///
/// ```
/// use hauberk_traffic::SessionIdentifier;
///
/// let identifier: SessionIdentifier = "header:X-Session".parse()?;
/// assert_eq!(identifier.name(), "X-Session");
/// assert!("jwt:authorization:$.sub".parse::<SessionIdentifier>().is_ok());
/// assert!("cookie:".parse::<SessionIdentifier>().is_err());
/// # Ok::<(), hauberk_traffic::SessionIdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct SessionIdentifier {
    kind: SessionIdentifierType,
    name: Box<str>,
    /// Where a claim is; none for headers and cookies.
    claim: Option<Claim>,
}

/// As it stands in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "type")]
    kind: SessionIdentifierType,
    name: String,
}

/// Why something is no session identifier; it quotes names that an owner wrote, never traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionIdentifierError(String);

impl fmt::Display for SessionIdentifierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SessionIdentifierError {}

impl SessionIdentifier {
    /// An identifier of this type and name.
    ///
    /// The name of a header or cookie is its own. That of a claim is `<token configuration's id>:$.path` or
    /// `<header>:$.path`, where the path has literal keys and indexes only (`$.user.id`, `$['user']['ids'][0]`). The token
    /// is looked for in that header, with or without `Bearer` before it; for a token configuration in `Authorization`.
    ///
    /// # Errors
    ///
    /// A name that cannot be one.
    pub fn new(kind: SessionIdentifierType, name: &str) -> Result<Self, SessionIdentifierError> {
        let refuse = |why: &str| {
            let shown: String = name.chars().take(MAX_NAME_BYTES).collect();
            let kind = kind.as_str();
            Err(SessionIdentifierError(format!("{kind} {shown:?}: {why}")))
        };
        let claim = match kind {
            SessionIdentifierType::Header | SessionIdentifierType::Cookie => {
                // RFC 6265 takes the names of cookies from the same characters.
                if name.len() > MAX_NAME_BYTES || !is_header_name(name) {
                    return refuse(
                        "it should be a name of at most 128 letters, digits or !#$%&'*+-.^_`|~",
                    );
                }
                None
            }
            SessionIdentifierType::Jwt => match Claim::parse(name) {
                Ok(claim) => Some(claim),
                Err(why) => return refuse(why),
            },
        };
        Ok(Self {
            kind,
            name: name.into(),
            claim,
        })
    }

    /// Where it stands.
    pub fn kind(&self) -> SessionIdentifierType {
        self.kind
    }

    /// As it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value in this transaction, as sent; none if it is not there or empty. It is a secret: only hashes of it may
    /// be kept.
    pub fn value<'t>(&self, transaction: &'t TransactionRef<'_>) -> Option<Cow<'t, str>> {
        let value = match &self.claim {
            Some(claim) => claim.value(transaction).map(Cow::Owned),
            None if self.kind == SessionIdentifierType::Cookie => {
                cookie(transaction, &self.name).map(Cow::Borrowed)
            }
            None => transaction.request_header(&self.name).map(Cow::Borrowed),
        };
        value.filter(|value| !value.is_empty())
    }

    /// Whether both mean the same place.
    fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match (&self.claim, &other.claim) {
                (Some(one), Some(another)) => one == another,
                _ if self.kind == SessionIdentifierType::Header => {
                    self.name.eq_ignore_ascii_case(&other.name)
                }
                _ => self.name == other.name,
            }
    }
}

impl FromStr for SessionIdentifier {
    type Err = SessionIdentifierError;

    /// Reads `header:NAME`, `cookie:NAME` or `jwt:NAME`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let kind = match kind {
            "header" => SessionIdentifierType::Header,
            "cookie" => SessionIdentifierType::Cookie,
            "jwt" => SessionIdentifierType::Jwt,
            _ => {
                return Err(SessionIdentifierError(
                    "a session identifier should read header:NAME, cookie:NAME or jwt:NAME"
                        .to_owned(),
                ));
            }
        };
        Self::new(kind, name)
    }
}

impl TryFrom<Written> for SessionIdentifier {
    type Error = SessionIdentifierError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Self::new(written.kind, &written.name)
    }
}

impl From<SessionIdentifier> for Written {
    fn from(identifier: SessionIdentifier) -> Self {
        Self {
            kind: identifier.kind,
            name: identifier.name.into(),
        }
    }
}

/// The session identifiers of a zone, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionIdentifiers(Vec<SessionIdentifier>);

impl SessionIdentifiers {
    /// Identifiers in this order.
    ///
    /// # Errors
    ///
    /// More than [`MAX_SESSION_IDENTIFIERS`], or one that is there twice.
    pub fn new(identifiers: Vec<SessionIdentifier>) -> Result<Self, SessionIdentifierError> {
        let count = identifiers.len();
        if count > MAX_SESSION_IDENTIFIERS {
            return Err(SessionIdentifierError(format!(
                "there are {count} session identifiers, {MAX_SESSION_IDENTIFIERS} are allowed"
            )));
        }
        for (at, one) in identifiers.iter().enumerate() {
            if identifiers[..at].iter().any(|other| other.is_same(one)) {
                let (kind, name) = (one.kind.as_str(), &one.name);
                return Err(SessionIdentifierError(format!(
                    "{kind} {name:?}: it is there twice"
                )));
            }
        }
        Ok(Self(identifiers))
    }

    /// Reads identifiers as the command line and files have them: `header:authorization`, `cookie:sid`, …
    ///
    /// # Errors
    ///
    /// The first that is none, too many, or one that is there twice.
    pub fn parse<'t>(
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, SessionIdentifierError> {
        Self::new(
            texts
                .into_iter()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
        )
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &SessionIdentifier> {
        self.0.iter()
    }

    /// The session of a transaction: `s:` and twelve hex digits, which stand for the values that are present, in order;
    /// none without any. Transactions with the same values have the same session under one key. The transaction must not
    /// be masked, else claims cannot be read.
    pub fn session_id(&self, transaction: &TransactionRef<'_>, masker: &Masker) -> Option<String> {
        let mut tuple = Vec::new();
        for (place, value) in (0_u8..).zip(self.0.iter().map(|one| one.value(transaction))) {
            if let Some(value) = value {
                // Place and length keep tuples apart whose values are the same run of bytes.
                tuple.push(place);
                tuple.extend_from_slice(&(value.len() as u64).to_le_bytes());
                tuple.extend_from_slice(value.as_bytes());
            }
        }
        if tuple.is_empty() {
            return None;
        }
        // No secret is hashed alike elsewhere: header values hold no zero byte.
        tuple.extend_from_slice(b"\0session");
        Some(format!("s:{}", masker.hash(&tuple)))
    }
}

/// The value of a cookie; HTTP/2 may spread cookies over several headers.
fn cookie<'t>(transaction: &'t TransactionRef<'_>, name: &str) -> Option<&'t str> {
    let headers = transaction
        .request_headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("cookie"));
    let mut cookies = headers.flat_map(|header| header.value.split(';'));
    cookies.find_map(|cookie| {
        let (known, value) = cookie.split_once('=')?;
        (known.trim() == name).then(|| value.trim())
    })
}
