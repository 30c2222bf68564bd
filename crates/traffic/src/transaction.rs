//! The record of one request and its response.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::json::looks_like_json;
use crate::mask::Masker;

/// One request and its response, as a capture holds it and as the traffic store keeps it.
///
/// It is written as one line of JSON. Members that a collection adds for its own use (labels, templates, where a
/// recording comes from) are ignored when reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// The host, with its port if that is not the default one of the scheme.
    pub host: String,
    /// The method as sent, such as `GET`.
    pub method: String,
    /// The full URL with its query, or the request target where a log does not tell the scheme.
    pub url: String,
    /// Such as `HTTP/1.1` or `HTTP/2`; none if the recorder did not say.
    pub http_version: Option<String>,
    /// Names and values in the order they were sent; pseudo headers of HTTP/2 are left out.
    pub request_headers: Vec<(String, String)>,
    /// The body as text; none if there was none or it is not kept.
    pub request_body: Option<String>,
    /// The body in base64 where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body_b64: Option<String>,
    /// The size in bytes of a body that is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body_omitted: Option<u64>,
    /// The status code of the response.
    pub status: u16,
    /// Names and values in the order they were sent; pseudo headers of HTTP/2 are left out.
    pub response_headers: Vec<(String, String)>,
    /// The size in bytes of the decoded body where known, else what `Content-Length` says.
    pub response_body_size: Option<u64>,
    /// The content type of the response with its parameters.
    pub response_content_type: Option<String>,
    /// The body of the response; only JSON is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
    /// What a browser fetched it as, in lower case (`xhr`, `image`, `document`, …), where the recorder was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// When the request was sent, in ISO 8601, as precise as the recorder was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// A pseudonym of the client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// From the head of the request to the end of the response, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// The saved operation it was for, where a gateway knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// As the gateway told the upstream and wrote into events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the gateway did: `allowed`, `logged` or `blocked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The session, as [`SessionIdentifiers`](crate::SessionIdentifiers) told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The client certificate that was verified and not revoked: the SHA-256 of its DER, in lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// How likely it is an API call, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// How many transactions it stands for where only some were kept; none means 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

impl Transaction {
    /// Reads a line of newline-delimited JSON.
    ///
    /// # Errors
    ///
    /// If the line is no JSON, or has not the members of a transaction.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        serde_json::from_str(line).map_err(|error| LineError::from_json(&error))
    }

    /// The transaction as a line of newline-delimited JSON, without the line break.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self)
            .expect("strings, numbers and lists of strings always have a JSON form")
    }

    /// The transaction with its secrets replaced by keyed hashes, fit to be kept.
    ///
    /// Masked are the URL, the headers, the client's address, and bodies of JSON and of forms. A request body of
    /// another kind cannot be searched for secrets: only its size is kept. A response body that is no JSON is left out.
    #[must_use]
    pub fn into_masked(self, masker: &Masker) -> Self {
        let (request_body, request_body_omitted) = self.masked_request_body(masker);
        let mask_headers = |headers: Vec<(String, String)>| {
            let mask = |(name, value): (String, String)| {
                let value = masker.mask_header(&name, &value);
                (name, value)
            };
            headers.into_iter().map(mask).collect()
        };
        Self {
            url: masker.mask_url(&self.url),
            request_headers: mask_headers(self.request_headers),
            request_body,
            request_body_b64: None,
            request_body_omitted,
            response_headers: mask_headers(self.response_headers),
            response_body: self
                .response_body
                .filter(|body| is_json(body))
                .map(|body| masker.mask_json(&body)),
            client: self.client.map(|client| masker.mask_client(&client)),
            ..self
        }
    }

    /// The request body to keep, or the size of the one that is not kept.
    fn masked_request_body(&self, masker: &Masker) -> (Option<String>, Option<u64>) {
        if let Some(base64) = &self.request_body_b64 {
            let padding = base64
                .bytes()
                .rev()
                .take_while(|byte| *byte == b'=')
                .count();
            return (
                None,
                Some((base64.len() * 3 / 4).saturating_sub(padding) as u64),
            );
        }
        let Some(body) = &self.request_body else {
            return (None, self.request_body_omitted);
        };
        let content_type = self
            .request_header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        if looks_like_json(body) || is_json(body) {
            (Some(masker.mask_json(body)), self.request_body_omitted)
        } else if content_type.starts_with("application/x-www-form-urlencoded") || body.is_empty() {
            (Some(masker.mask_query(body)), self.request_body_omitted)
        } else {
            (None, Some(body.len() as u64))
        }
    }

    /// The value of the first request header of this name; upper and lower case are the same.
    pub fn request_header(&self, name: &str) -> Option<&str> {
        let header = self
            .request_headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A line that is no transaction. It names the place and not what stands there, which came from traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Where in the line reading stopped, in bytes from 1; 0 when something is missing as a whole.
    pub column: usize,
    /// Whether the line is JSON, and only not of this shape.
    pub is_json: bool,
}

impl LineError {
    pub(crate) fn from_json(error: &serde_json::Error) -> Self {
        Self {
            column: error.column(),
            is_json: error.classify() == Category::Data,
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column;
        if self.is_json {
            write!(
                formatter,
                "column {column}: a member of the transaction is missing or of the wrong type"
            )
        } else {
            write!(
                formatter,
                "column {column}: the line is not one whole JSON object"
            )
        }
    }
}

impl std::error::Error for LineError {}
