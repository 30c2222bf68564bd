//! Requests and documents in short, for the tables of the other modules.

use hauberk_openapi::{
    BodyPlan, Document, Limits, Loaded, Operation, Policy, RequestHead, RouterBuilder, Violation,
    load,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// Load a document that has no errors.
pub fn document(source: &str) -> Loaded {
    load(source.as_bytes(), &Limits::default())
        .unwrap_or_else(|problems| panic!("{problems:#?}\n{source}"))
}

/// A document with one operation, `POST /t`, described in JSON.
pub fn one(version: &str, operation: &Value) -> Document {
    let source = serde_json::json!({
        "openapi": version, "info": {"title": "t", "version": "1"}, "paths": {"/t": {"post": operation}},
    });
    document(&source.to_string()).document
}

/// A request in the making.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: Vec<(&'a str, &'a [u8])>,
    pub body: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    pub fn json(body: &'a [u8]) -> Self {
        Self {
            path: "/t",
            headers: vec![("content-type", b"application/json")],
            body: Some(body),
            ..Self::default()
        }
    }

    pub fn form(body: &'a [u8]) -> Self {
        let content_type = ("content-type", &b"application/x-www-form-urlencoded"[..]);
        Self {
            path: "/t",
            headers: vec![content_type],
            body: Some(body),
            ..Self::default()
        }
    }

    pub fn query(query: &'a str) -> Self {
        Self {
            path: "/t",
            query: Some(query),
            ..Self::default()
        }
    }

    pub fn header(mut self, name: &'a str, value: &'a [u8]) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Judge a request head and body by the operation that a router over the whole document finds.
pub fn judge(
    document: &Document,
    method: &str,
    request: &Request<'_>,
    policy: &Policy,
) -> Result<BodyPlan, Violation> {
    let mut router = RouterBuilder::new();
    for operation in document.operations() {
        router
            .insert(&operation.method, &operation.endpoint, operation)
            .expect("endpoints differ");
    }
    let router = router.build();
    let found = router
        .find(method, request.path)
        .unwrap_or_else(|| panic!("nothing matches {}", request.path));
    let operation = document
        .find(&found.value.method, &found.value.path)
        .expect("the document has its operations");
    judge_by(operation, &found.variables, request, policy)
}

/// Judge a request by an operation; the other ways to judge it must agree.
pub fn judge_by(
    operation: &Operation,
    variables: &[&str],
    request: &Request<'_>,
    policy: &Policy,
) -> Result<BodyPlan, Violation> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        headers.append(
            name,
            HeaderValue::from_bytes(value).expect("a header value"),
        );
    }
    let head = RequestHead {
        path_variables: variables,
        query: request.query,
        headers: &headers,
        has_body: request.body.is_some(),
    };
    let body = request.body.unwrap_or_default();
    let result = operation.validate_head(&head, policy).and_then(|plan| {
        operation.validate_body(&plan, body, policy)?;
        Ok(plan)
    });
    let all = operation.violations(&head, body, policy);
    assert_eq!(result.as_ref().err(), all.first(), "{all:?}");
    if let Ok(plan @ BodyPlan::Stream(_)) = operation.validate_head(&head, policy) {
        let mut stream = operation.body_stream(&plan, policy);
        let pushed = body.iter().try_for_each(|byte| stream.push(&[*byte]));
        let streamed = pushed.and_then(|()| stream.finish());
        assert_eq!(streamed.err(), result.as_ref().err().cloned());
        let mut stream = operation.body_stream(&plan, policy);
        let _ = stream.push(body);
        assert!(stream.held_bytes() <= body.len());
        assert_eq!(stream.finish_all(), all);
    }
    let (of_head, _) = operation.head_violations(&head, policy);
    let refused = operation.validate_head(&head, policy).err();
    assert_eq!(of_head.first(), refused.as_ref(), "{of_head:?}");
    result
}

/// `location target class detail` of a violation, or `ok`.
pub fn short<T>(result: Result<T, Violation>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(violation) => {
            let detail = violation
                .error_detail
                .map(|detail| format!(" {detail}"))
                .unwrap_or_default();
            format!(
                "{} {} {}{detail}",
                violation.location, violation.target, violation.error_class
            )
        }
    }
}
