//! Bodies of real requests, judged by python-jsonschema on the official schemas: we agree, or say why not.

use std::collections::{BTreeMap, HashMap};

use hauberk_openapi::{
    Document, Limits, Location, Operation, Policy, RequestHead, Violation, load,
};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::data;

/// Where we differ, and why.
const DIFFERENCES: &[(&str, usize)] = &[
    // The reference does not assert formats; these are dates without the `T` and zone that RFC 3339 asks for.
    (
        "github: reference valid, ours constraint_violation format_violation:date-time",
        1,
    ),
    (
        "linode: reference valid, ours constraint_violation format_violation:date-time",
        3,
    ),
    // `nullable` beside an `enum` that does not list null: the reference adds null to the enum, OpenAPI 3.0.3 does not.
    (
        "linode: reference valid, ours constraint_violation invalid_enum_variant",
        1,
    ),
];

/// Recorded calls of an operation that the document no longer has.
const WITHOUT_OPERATION: usize = 1;

#[test]
fn real_bodies_get_the_verdict_of_the_reference() {
    let Some(folder) = data::folder() else { return };
    let mut documents: HashMap<&str, Document> = HashMap::new();
    for (api, file) in [
        ("github", "api.github.com"),
        ("github-2023", "github-2023"),
        ("linode", "linode-4.189"),
    ] {
        let source = data::read(&folder.join(format!("openapi/{file}.json.zst")));
        documents.insert(
            api,
            load(&source, &Limits::default())
                .expect("the document loads")
                .document,
        );
    }
    let mut traffic: HashMap<String, Vec<Value>> = HashMap::new();
    let (mut agreed, mut missing) = (0, 0);
    let mut differences: BTreeMap<String, usize> = BTreeMap::new();
    for row in data::lines(&folder.join("suites/request-body-verdicts.ndjson.zst")) {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let lines = traffic
            .entry(text("traffic").to_owned())
            .or_insert_with_key(|name| {
                data::lines(&folder.join(format!("traffic/{name}.ndjson.zst")))
            });
        let number = usize::try_from(row["row"].as_u64().expect("a row number")).expect("fits");
        let body = lines[number]["request_body"].as_str().unwrap_or_default();
        // Linode's recordings have the version in the path, which its document leaves to the server.
        let template = text("template");
        let template = template
            .strip_prefix("/v4beta")
            .or_else(|| template.strip_prefix("/v4"))
            .unwrap_or(template);
        let Some(operation) = documents[text("api")].find(text("method"), template) else {
            missing += 1;
            continue;
        };
        let first = first_body_violation(operation, body.as_bytes());
        let ours = if first.is_some() { "invalid" } else { "valid" };
        if ours == text("verdict") {
            agreed += 1;
            continue;
        }
        let first = first.map_or("accepted".to_owned(), |violation| {
            format!(
                "{} {}",
                violation.error_class,
                violation.error_detail.as_deref().unwrap_or_default()
            )
        });
        *differences
            .entry(format!(
                "{}: reference {}, ours {first}",
                text("api"),
                text("verdict")
            ))
            .or_default() += 1;
    }
    eprintln!("{agreed} verdicts agree, {missing} without operation, differences {differences:#?}");
    let expected = DIFFERENCES
        .iter()
        .map(|(reason, count)| ((*reason).to_owned(), *count))
        .collect();
    assert_eq!(differences, expected);
    assert_eq!(missing, WITHOUT_OPERATION);
}

/// Only the body is in question, so violations elsewhere do not count.
fn first_body_violation(operation: &Operation, body: &[u8]) -> Option<Violation> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let head = RequestHead {
        path_variables: &["1"; 16],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let violations = operation.violations(&head, body, &Policy::default());
    violations
        .into_iter()
        .find(|violation| violation.location == Location::Body)
}
