//! Judging one request by a document, for people who try a document out before they upload it.

use hauberk_openapi::{Limits, Policy, RequestHead, RouterBuilder, load};
use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::{PyLookupError, PyValueError};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// Why a request cannot be judged.
enum NotJudged {
    /// The document or the request cannot be read.
    Unreadable(String),
    /// No operation of the document is for it.
    NoOperation(String),
}

/// Tell all violations of a request.
#[pyfunction]
#[pyo3(signature = (source, method, target, headers, body))]
// pyo3 hands over what it has made of the Python values.
#[allow(clippy::needless_pass_by_value)]
pub fn check_request<'py>(
    py: Python<'py>,
    source: &[u8],
    method: &str,
    target: &str,
    headers: Vec<(String, String)>,
    body: Option<&[u8]>,
) -> PyResult<Bound<'py, PyAny>> {
    let judged = py.detach(|| judge(source, method, target, &headers, body));
    match judged {
        Ok(report) => py
            .import("json")?
            .call_method1("loads", (report.to_string(),)),
        Err(NotJudged::Unreadable(message)) => Err(PyValueError::new_err(message)),
        Err(NotJudged::NoOperation(message)) => Err(PyLookupError::new_err(message)),
    }
}

fn judge(
    source: &[u8],
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: Option<&[u8]>,
) -> Result<Value, NotJudged> {
    let document = load(source, &Limits::default())
        .map_err(|problems| {
            let first = problems.first().map(|problem| problem.message.as_str());
            NotJudged::Unreadable(first.unwrap_or("the document is refused").to_owned())
        })?
        .document;
    let mut router = RouterBuilder::new();
    for operation in document.operations() {
        // What the document has twice is one operation for it already.
        let _ = router.insert(&operation.method, &operation.endpoint, operation);
    }
    let router = router.build();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let no_operation =
        || NotJudged::NoOperation(format!("the document has no operation for {method} {path}"));
    let found = router.find(method, path).ok_or_else(no_operation)?;
    let operation = document
        .find(&found.value.method, &found.value.path)
        .ok_or_else(no_operation)?;
    let headers = header_map(headers)?;
    let head = RequestHead {
        path_variables: &found.variables,
        query,
        headers: &headers,
        has_body: body.is_some(),
    };
    let violations = operation.violations(&head, body.unwrap_or_default(), &Policy::default());
    Ok(json!({
        "method": found.value.method,
        "endpoint": found.value.endpoint,
        "violations": violations,
    }))
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, NotJudged> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| NotJudged::Unreadable("a header has a name that is none".to_owned()))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            NotJudged::Unreadable(format!(
                "the header `{header}` has a value that cannot be sent"
            ))
        })?;
        map.append(header, value);
    }
    Ok(map)
}
