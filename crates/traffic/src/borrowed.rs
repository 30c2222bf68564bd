//! A transaction that lies where it was read: nothing is copied that need not be.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::transaction::{LineError, Transaction};

/// One request and its response, borrowed from a line of newline-delimited JSON, from a parsed capture, or from an exchange
/// under way.
///
/// What is worked out for each transaction (features, session identifiers, discovery) reads this; what is kept is
/// [`Transaction`](crate::Transaction), which has the same members. Bodies of a line are not decoded before they are asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct TransactionRef<'a> {
    /// The host, with its port if that is not the default one of the scheme.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The method as sent, such as `GET`.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// The full URL with its query, or a request target (`/users?page=2`).
    #[serde(borrow)]
    pub url: Cow<'a, str>,
    /// Such as `HTTP/1.1` or `HTTP/2`; none if the recorder did not say.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub http_version: Option<Cow<'a, str>>,
    /// In the order they were sent. None at all where the recorder did not keep headers (access logs).
    #[serde(borrow, default)]
    pub request_headers: Vec<Header<'a>>,
    /// The body as text.
    #[serde(borrow, default)]
    pub request_body: Option<LazyText<'a>>,
    /// The body in base64 where it is no text.
    #[serde(borrow, default)]
    pub request_body_b64: Option<LazyText<'a>>,
    /// The size in bytes of a body that is not kept.
    #[serde(default)]
    pub request_body_omitted: Option<u64>,
    /// The status code of the response; 0 where there was none.
    #[serde(default)]
    pub status: u16,
    /// In the order they were sent. None at all where the recorder did not keep headers (access logs).
    #[serde(borrow, default)]
    pub response_headers: Vec<Header<'a>>,
    /// The size in bytes of the decoded body where known, else what `Content-Length` says.
    #[serde(default)]
    pub response_body_size: Option<u64>,
    /// The content type of the response with its parameters.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub response_content_type: Option<Cow<'a, str>>,
    /// The body of the response; only JSON is kept.
    #[serde(borrow, default)]
    pub response_body: Option<LazyText<'a>>,
    /// What a browser fetched it as, in lower case, where the recorder was one. It is what the classifier is judged by, never what it
    /// looks at.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub resource_type: Option<Cow<'a, str>>,
    /// When the request was sent, in ISO 8601, as precise as the recorder was.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub time: Option<Cow<'a, str>>,
    /// A pseudonym of the client's address; in a log, before it is masked, the address itself.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub client: Option<Cow<'a, str>>,
    /// From the head of the request to the end of the response, in microseconds.
    #[serde(default)]
    pub duration_us: Option<u64>,
    /// The saved operation it was for, where a gateway knew one.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub operation_id: Option<Cow<'a, str>>,
    /// As the gateway told the upstream and wrote into events.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub request_id: Option<Cow<'a, str>>,
    /// What the gateway did: `allowed`, `logged` or `blocked`.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub action: Option<Cow<'a, str>>,
    /// The session, as [`SessionIdentifiers`](crate::SessionIdentifiers) told it.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub session: Option<Cow<'a, str>>,
    /// The client certificate that was verified and not revoked: the SHA-256 of its DER, in lower-case hex.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub certificate: Option<Cow<'a, str>>,
    /// How likely it is an API call, from 0 to 1.
    #[serde(default)]
    pub score: Option<f64>,
    /// How many transactions it stands for where only some were kept; none means 1.
    #[serde(default)]
    pub weight: Option<f64>,
}

impl<'a> TransactionRef<'a> {
    /// Reads a line of newline-delimited JSON.
    ///
    /// # Errors
    ///
    /// If the line is no JSON, or has not the members of a transaction.
    pub fn from_line(line: &'a str) -> Result<Self, LineError> {
        serde_json::from_str(line).map_err(|error| LineError::from_json(&error))
    }

    /// The value of the first request header of this name; upper and lower case are the same.
    pub fn request_header(&self, name: &str) -> Option<&str> {
        first(&self.request_headers, name)
    }

    /// The value of the first response header of this name; upper and lower case are the same.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        first(&self.response_headers, name)
    }

    /// Whether it is a browser's own question before a request of another site, which no API declares.
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == "OPTIONS"
            && self
                .request_header("access-control-request-method")
                .is_some()
    }

    /// A copy that stands alone.
    pub fn to_transaction(&self) -> Transaction {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let body =
            |body: &Option<LazyText<'_>>| body.as_ref().map(|body| body.decoded().into_owned());
        let pairs = |headers: &[Header<'_>]| {
            let pair = |header: &Header<'_>| (header.name.to_string(), header.value.to_string());
            headers.iter().map(pair).collect()
        };
        Transaction {
            host: self.host.to_string(),
            method: self.method.to_string(),
            url: self.url.to_string(),
            http_version: text(&self.http_version),
            request_headers: pairs(&self.request_headers),
            request_body: body(&self.request_body),
            request_body_b64: body(&self.request_body_b64),
            request_body_omitted: self.request_body_omitted,
            status: self.status,
            response_headers: pairs(&self.response_headers),
            response_body_size: self.response_body_size,
            response_content_type: text(&self.response_content_type),
            response_body: body(&self.response_body),
            resource_type: text(&self.resource_type),
            time: text(&self.time),
            client: text(&self.client),
            duration_us: self.duration_us,
            operation_id: text(&self.operation_id),
            request_id: text(&self.request_id),
            action: text(&self.action),
            session: text(&self.session),
            certificate: text(&self.certificate),
            score: self.score,
            weight: self.weight,
        }
    }

    /// The path as sent, without query and fragment; `/` where the URL has none.
    pub fn path(&self) -> &str {
        split_url(&self.url).0
    }

    /// The query without `?`.
    pub fn query(&self) -> Option<&str> {
        split_url(&self.url).1
    }
}

/// Path and query of a URL or request target.
fn split_url(url: &str) -> (&str, Option<&str>) {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (rest, query) = url
        .split_once('?')
        .map_or((url, None), |(rest, query)| (rest, Some(query)));
    let path = match rest.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None if rest.is_empty() => "/",
        None => rest,
    };
    (path, query)
}

fn first<'h>(headers: &'h [Header<'_>], name: &str) -> Option<&'h str> {
    let header = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name));
    header.map(|header| header.value.as_ref())
}

/// A header; in JSON a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// As sent.
    pub name: Cow<'a, str>,
    /// As sent.
    pub value: Cow<'a, str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Header<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;

        impl<'de> Visitor<'de> for Pair {
            type Value = Header<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a pair of name and value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Self::Value, A::Error> {
                let mut next = |at| {
                    pair.next_element::<Borrowed<'de>>()?
                        .map(|text| text.0)
                        .ok_or_else(|| de::Error::invalid_length(at, &self))
                };
                let (name, value) = (next(0)?, next(1)?);
                match pair.next_element::<de::IgnoredAny>()? {
                    None => Ok(Header { name, value }),
                    Some(_) => Err(de::Error::invalid_length(3, &self)),
                }
            }
        }

        deserializer.deserialize_seq(Pair)
    }
}

/// Text that is borrowed where it has no escapes; `Cow` alone always copies.
#[derive(Deserialize)]
pub(crate) struct Borrowed<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Text or null, borrowed like [`Borrowed`].
fn optional<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Borrowed<'a>>::deserialize(deserializer)?.map(|text| text.0))
}

/// A text that is decoded when it is asked for.
#[derive(Debug, Clone)]
pub enum LazyText<'a> {
    /// As it is.
    Plain(Cow<'a, str>),
    /// A JSON string with its quotes and escapes.
    Json(&'a str),
}

impl LazyText<'_> {
    /// The text.
    pub fn decoded(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            // It was read as JSON, so it is a string.
            Self::Json(literal) => serde_json::from_str::<Borrowed<'_>>(literal)
                .map_or(Cow::Borrowed(""), |text| text.0),
        }
    }

    /// The text as it lies there: without the quotes of a JSON string, but with its escapes.
    pub(crate) fn source(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Json(literal) => literal
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'))
                .unwrap_or_default(),
        }
    }

    /// About how many bytes the text has: exact unless it has escapes, each of which counts as one byte.
    pub fn size(&self) -> u64 {
        match self {
            Self::Plain(text) => text.len() as u64,
            Self::Json(literal) => {
                let mut bytes = literal.bytes();
                let mut size: u64 = 0;
                while let Some(byte) = bytes.next() {
                    if byte == b'\\' {
                        bytes.next();
                    }
                    size += 1;
                }
                size.saturating_sub(2)
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for LazyText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de serde_json::value::RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            Ok(Self::Json(raw))
        } else {
            Err(de::Error::custom("a text is expected"))
        }
    }
}
