//! Logs of JSON lines: a field map tells which member says what.

mod fields;
mod members;

use std::borrow::Cow;

use super::access_log::request_line;
use super::lines::Take;
use super::report::Problem;
use super::sink::Odd;
use super::{target, time};
use crate::transaction::LineError;
use crate::{Header, TransactionRef};
use fields::Field;
use members::Members;

pub use fields::{FieldMap, UnknownField};

pub(super) fn read(
    line: &str,
    fields: &FieldMap,
    default_host: &str,
    take: &mut Take<'_>,
) -> Result<(), Odd> {
    let members = Members::read(line, fields).map_err(|error| {
        let error = LineError::from_json(&error);
        let problem = if error.is_json {
            Problem::NotTransaction
        } else {
            Problem::NotJson
        };
        Odd::Bad(problem, error.column as u64)
    })?;
    take(&transaction(members, default_host)?);
    Ok(())
}

fn transaction<'a>(
    mut members: Members<'a>,
    default_host: &'a str,
) -> Result<TransactionRef<'a>, Odd> {
    let request = members.text(Field::Request);
    // A connection that was closed before a request has empty fields, not missing ones.
    let is_empty = members.has(Field::Request) || members.has(Field::Method);
    let missing = if is_empty {
        Odd::Skipped
    } else {
        Odd::Bad(Problem::NotTransaction, 0)
    };
    let stated = match &request {
        Some(line) => Some(request_line(line)?),
        None => None,
    };
    let of_line = |part: Option<&str>| part.map(|part| Cow::Owned(part.to_owned()));
    let method = members
        .text(Field::Method)
        .or_else(|| of_line(stated.as_ref().map(|line| line.method)))
        .ok_or(missing)?;
    let target = members
        .text(Field::Url)
        .or_else(|| members.text(Field::Path))
        .or_else(|| of_line(stated.as_ref().map(|line| line.target)))
        .ok_or(missing)?;
    let version = members
        .text(Field::HttpVersion)
        .or_else(|| of_line(stated.as_ref().and_then(|line| line.version)));

    let mut request_headers = members.headers(Field::RequestHeaders);
    let named = [
        (Field::UserAgent, "User-Agent"),
        (Field::Referer, "Referer"),
        (Field::ForwardedFor, "X-Forwarded-For"),
        (Field::RequestContentType, "Content-Type"),
    ];
    for (field, name) in named {
        if let Some(value) = members.text(field)
            && !request_headers
                .iter()
                .any(|header| header.name.eq_ignore_ascii_case(name))
        {
            request_headers.push(Header {
                name: Cow::Borrowed(name),
                value,
            });
        }
    }
    let response_headers = members.headers(Field::ResponseHeaders);
    let header = |headers: &[Header<'a>], name: &str| {
        headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.clone())
    };
    let response_content_type = members
        .text(Field::ResponseContentType)
        .or_else(|| header(&response_headers, "content-type"));

    let scheme = members
        .text(Field::Scheme)
        .filter(|scheme| matches!(&**scheme, "http" | "https"));
    let host = members
        .text(Field::Host)
        .or_else(|| header(&request_headers, "host"));
    let host = match (host, target::split(&target)) {
        (_, target::Url::Other) => return Err(Odd::Skipped),
        (Some(host), _) => Cow::Owned(target::host(scheme.as_deref(), &host).into_owned()),
        (None, target::Url::Absolute(scheme, host)) => {
            Cow::Owned(target::host(Some(scheme), host).into_owned())
        }
        (None, target::Url::Target) => Cow::Borrowed(default_host),
    };
    Ok(TransactionRef {
        url: url(target, scheme.as_deref(), &host, members.text(Field::Query)),
        host,
        method,
        http_version: version
            .and_then(|version| Some(Cow::Owned(target::http_version(&version)?.into_owned()))),
        request_headers,
        status: members
            .number(Field::Status)
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(0),
        response_headers,
        response_body_size: members.number(Field::ResponseBytes),
        response_content_type,
        time: members.text(Field::Time).and_then(time::iso),
        client: members.text(Field::Client),
        ..TransactionRef::default()
    })
}

/// The whole URL where the scheme is known, else the request target.
fn url<'a>(
    target: Cow<'a, str>,
    scheme: Option<&str>,
    host: &str,
    query: Option<Cow<'_, str>>,
) -> Cow<'a, str> {
    let query = query.filter(|_| !target.contains('?'));
    let scheme = scheme.filter(|_| target.starts_with('/'));
    if query.is_none() && scheme.is_none() {
        return target;
    }
    let mut url = String::new();
    if let Some(scheme) = scheme {
        url = format!("{scheme}://{host}");
    }
    url.push_str(&target);
    if let Some(query) = query {
        url.push('?');
        url.push_str(query.trim_start_matches('?'));
    }
    Cow::Owned(url)
}
