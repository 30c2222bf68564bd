//! Access logs as servers write them by default. Every line may be of another form.

mod apache;
mod envoy;
mod tokens;

use std::borrow::Cow;

use super::lines::Take;
use super::report::Problem;
use super::sink::Odd;
use super::target;
use crate::{Header, TransactionRef};

const NO_LOG_LINE: Odd = Odd::Bad(Problem::NotLogLine, 0);

/// What a line tells.
#[derive(Default)]
struct Fields<'a> {
    /// The request line: `GET /x HTTP/1.1`.
    request: Cow<'a, str>,
    host: Option<&'a str>,
    status: u16,
    response_bytes: Option<u64>,
    time: Option<String>,
    client: Option<&'a str>,
    referer: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    forwarded_for: Option<Cow<'a, str>>,
}

pub(super) fn read(line: &str, default_host: &str, take: &mut Take<'_>) -> Result<(), Odd> {
    if line.starts_with('#') {
        return Err(Odd::Skipped);
    }
    let fields = if line.starts_with('[') {
        envoy::fields(line)
    } else {
        apache::fields(line)
    };
    let fields = fields.ok_or(NO_LOG_LINE)?;
    let request = request_line(&fields.request)?;
    let host = match (fields.host, target::split(request.target)) {
        (Some(host), _) => target::host(None, host),
        (None, target::Url::Absolute(scheme, host)) => target::host(Some(scheme), host),
        (None, _) if request.method == "CONNECT" => target::host(None, request.target),
        (None, _) => Cow::Borrowed(default_host),
    };
    let headers = [
        ("Referer", &fields.referer),
        ("User-Agent", &fields.user_agent),
        ("X-Forwarded-For", &fields.forwarded_for),
    ];
    let header = |(name, value): (&'static str, &'_ Option<Cow<'_, str>>)| {
        let value = value.as_deref()?.to_owned();
        Some(Header {
            name: Cow::Borrowed(name),
            value: Cow::Owned(value),
        })
    };
    take(&TransactionRef {
        host,
        method: Cow::Borrowed(request.method),
        url: Cow::Borrowed(request.target),
        http_version: request.version.and_then(target::http_version),
        request_headers: headers.into_iter().filter_map(header).collect(),
        status: fields.status,
        response_body_size: fields.response_bytes,
        time: fields.time.map(Cow::Owned),
        client: fields.client.map(Cow::Borrowed),
        ..TransactionRef::default()
    });
    Ok(())
}

pub(super) struct RequestLine<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) version: Option<&'a str>,
}

/// Splits a request line. What is none is no fault of the log: servers log what scanners and broken connections sent (`-`, a TLS handshake).
pub(super) fn request_line(line: &str) -> Result<RequestLine<'_>, Odd> {
    let line = line.trim_ascii();
    let (method, rest) = line.split_once(' ').ok_or(Odd::Skipped)?;
    let is_method = (1..=32).contains(&method.len())
        && method
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
        && method != "-";
    let (target, version) = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => {
            (target.trim_ascii(), Some(version))
        }
        _ => (rest.trim_ascii(), None),
    };
    if !is_method || target.is_empty() || target == "-" {
        return Err(Odd::Skipped);
    }
    Ok(RequestLine {
        method,
        target,
        version,
    })
}
