//! One entry of an archive becomes a transaction.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::body::{Content, PostData};
use super::lenient::{Count, Text};
use crate::read::lines::Take;
use crate::read::report::Problem;
use crate::read::sink::Odd;
use crate::read::{target, time};
use crate::transaction::LineError;
use crate::{Header, TransactionRef};

/// Reads the text of an entry.
pub(super) fn read(text: &[u8], take: &mut Take<'_>) -> Result<(), Odd> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Odd::Bad(Problem::NotUtf8, error.valid_up_to() as u64 + 1))?;
    let entry: Entry<'_> = serde_json::from_str(text).map_err(|error| {
        let error = LineError::from_json(&error);
        let problem = if error.is_json {
            Problem::NotTransaction
        } else {
            Problem::NotJson
        };
        Odd::Bad(problem, error.column as u64)
    })?;
    take(&entry.into_transaction()?);
    Ok(())
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default, rename = "startedDateTime")]
    started: Text<'a>,
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    /// Chrome's.
    #[serde(borrow, default, rename = "_resourceType")]
    resource_type: Text<'a>,
    /// Chrome's and mitmproxy's.
    #[serde(default, rename = "_webSocketMessages")]
    web_socket_messages: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow, default, rename = "httpVersion")]
    http_version: Text<'a>,
    #[serde(borrow, default)]
    headers: Pairs<'a>,
    #[serde(borrow, default)]
    cookies: Pairs<'a>,
    #[serde(borrow, default, rename = "queryString")]
    query: Pairs<'a>,
    #[serde(borrow, default, rename = "postData")]
    post_data: Option<PostData<'a>>,
    #[serde(default, rename = "bodySize")]
    body_size: Count,
}

#[derive(Deserialize, Default)]
struct Response<'a> {
    #[serde(default)]
    status: Count,
    #[serde(borrow, default, rename = "httpVersion")]
    http_version: Text<'a>,
    #[serde(borrow, default)]
    headers: Pairs<'a>,
    #[serde(borrow, default)]
    cookies: Pairs<'a>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(default, rename = "bodySize")]
    body_size: Count,
}

impl<'a> Entry<'a> {
    fn into_transaction(self) -> Result<TransactionRef<'a>, Odd> {
        let Self {
            request, response, ..
        } = self;
        let response = response.unwrap_or_default();
        let host = host(&request)?;
        if request.method.as_str().is_empty() {
            return Err(Odd::Bad(Problem::NotTransaction, 0));
        }
        let http_version = [request.http_version, response.http_version]
            .into_iter()
            .find_map(|version| spelled(version.0));

        let mut request_headers = without_pseudo(request.headers.0);
        add_cookies(&mut request_headers, &request.cookies);
        let (request_body, mime_type) = match request.post_data {
            Some(data) => data.into_body(request.body_size.0),
            None => Default::default(),
        };
        // Who lists the type beside the body does not always list it among the headers, and without it a form is no form.
        if let Some(value) =
            mime_type.filter(|_| header(&request_headers, "content-type").is_none())
        {
            request_headers.push(Header {
                name: Cow::Borrowed("Content-Type"),
                value,
            });
        }

        let mut response_headers = without_pseudo(response.headers.0);
        add_set_cookies(&mut response_headers, &response.cookies);
        let content = response.content.unwrap_or_default();
        let response_content_type = header(&response_headers, "content-type")
            .map(|value| Cow::Owned(value.to_owned()))
            .or_else(|| content.mime_type());
        let response_body_size = content
            .size()
            .or(response.body_size.0.filter(|size| *size > 0))
            .or_else(|| {
                header(&response_headers, "content-length")?
                    .trim_ascii()
                    .parse()
                    .ok()
            })
            .or(content.stated_size());

        Ok(TransactionRef {
            host,
            method: request.method.0,
            url: with_query(request.url.0, &request.query),
            http_version,
            request_headers,
            request_body: request_body.text,
            request_body_b64: request_body.base64,
            request_body_omitted: request_body.omitted,
            status: status(response.status),
            response_headers,
            response_body_size,
            response_content_type,
            response_body: content.into_json(),
            resource_type: resource_type(self.resource_type, self.web_socket_messages.is_some()),
            time: time::iso(self.started.0),
            ..TransactionRef::default()
        })
    }
}

/// The host of the URL, else the one a header names.
fn host<'a>(request: &Request<'a>) -> Result<Cow<'a, str>, Odd> {
    let url = request.url.as_str();
    let owned = |host: Cow<'_, str>| Cow::Owned(host.into_owned());
    match target::split(url) {
        target::Url::Absolute(scheme, authority) => {
            Ok(owned(target::host(Some(scheme), authority)))
        }
        target::Url::Other => Err(Odd::Skipped),
        target::Url::Target => {
            let headers = &request.headers.0;
            let named = header(headers, ":authority").or_else(|| header(headers, "host"));
            let is_connect = request.method.as_str().eq_ignore_ascii_case("connect");
            named
                .or(Some(url).filter(|_| is_connect))
                .filter(|host| !host.is_empty())
                .map(|host| owned(target::host(None, host)))
                .ok_or(Odd::Bad(Problem::NoHost, 0))
        }
    }
}

fn spelled(version: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match version {
        Cow::Borrowed(version) => target::http_version(version),
        Cow::Owned(version) => {
            target::http_version(&version).map(|version| Cow::Owned(version.into_owned()))
        }
    }
}

fn status(status: Count) -> u16 {
    status
        .0
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| *status < 1000)
        .unwrap_or(0)
}

fn resource_type(named: Text<'_>, is_web_socket: bool) -> Option<Cow<'_, str>> {
    if named.as_str().is_empty() {
        is_web_socket.then_some(Cow::Borrowed("websocket"))
    } else if named.as_str().bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some(Cow::Owned(named.as_str().to_ascii_lowercase()))
    } else {
        Some(named.0)
    }
}

/// A URL with the query that some API clients list apart and leave out of it.
fn with_query<'a>(url: Cow<'a, str>, query: &Pairs<'_>) -> Cow<'a, str> {
    /// What stays as it is in a query.
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    if query.0.is_empty() || url.contains('?') {
        return url;
    }
    let mut whole = url.into_owned();
    let fragment = whole.find('#').map(|at| whole.split_off(at));
    for (number, Header { name, value }) in query.0.iter().enumerate() {
        whole.push(if number == 0 { '?' } else { '&' });
        whole.extend(utf8_percent_encode(name, PLAIN));
        whole.push('=');
        whole.extend(utf8_percent_encode(value, PLAIN));
    }
    Cow::Owned(whole + fragment.as_deref().unwrap_or_default())
}

fn without_pseudo(mut headers: Vec<Header<'_>>) -> Vec<Header<'_>> {
    headers.retain(|header| !header.name.starts_with(':') && !header.name.is_empty());
    headers
}

fn header<'h>(headers: &'h [Header<'_>], name: &str) -> Option<&'h str> {
    let header = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name))?;
    Some(&header.value)
}

/// Cookies that are listed apart and not among the headers, as browsers do that hide them there.
fn add_cookies(headers: &mut Vec<Header<'_>>, cookies: &Pairs<'_>) {
    if !cookies.0.is_empty() && header(headers, "cookie").is_none() {
        let pairs: Vec<String> = cookies.0.iter().map(pair).collect();
        let (name, value) = (Cow::Borrowed("Cookie"), Cow::Owned(pairs.join("; ")));
        headers.push(Header { name, value });
    }
}

fn add_set_cookies(headers: &mut Vec<Header<'_>>, cookies: &Pairs<'_>) {
    if header(headers, "set-cookie").is_none() {
        headers.extend(cookies.0.iter().map(|cookie| Header {
            name: Cow::Borrowed("Set-Cookie"),
            value: Cow::Owned(pair(cookie)),
        }));
    }
}

fn pair(cookie: &Header<'_>) -> String {
    format!("{}={}", cookie.name, cookie.value)
}

/// Names and values: a list of objects as the format has it, or one object as some write it.
#[derive(Default)]
pub(super) struct Pairs<'a>(pub(super) Vec<Header<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        #[derive(Deserialize)]
        struct Pair<'a> {
            #[serde(borrow, default)]
            name: Text<'a>,
            #[serde(borrow, default)]
            value: Text<'a>,
        }

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of names and values")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(Pair { name, value }) = list.next_element()? {
                    pairs.push(Header {
                        name: name.0,
                        value: value.0,
                    });
                }
                Ok(Pairs(pairs))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = members.next_entry::<Text<'_>, Text<'_>>()? {
                    pairs.push(Header {
                        name: name.0,
                        value: value.0,
                    });
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_any(PairsVisitor)
    }
}
