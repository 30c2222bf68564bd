//! What the benchmarks judge: documents, heads and bodies.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use criterion::Criterion;
use hauberk_openapi::{BodyPlan, Document, Limits, Operation, Policy, RequestHead, load};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

/// Short enough for a whole run in some minutes, long enough for a steady median.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50)
        .configure_from_args()
}

/// A document, loaded.
///
/// # Panics
///
/// If it cannot be enforced.
pub fn document(source: &[u8]) -> Document {
    let loaded = load(source, &Limits::default());
    loaded
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .document
}

/// The folder of collected documents and traffic: `HAUBERK_DATA`, or `shared/data` beside the repository. Without it the rows that are made
/// of them are left out.
pub fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("HAUBERK_DATA").map_or(beside, PathBuf::from);
    let is_there = folder.join("openapi").is_dir();
    if !is_there {
        eprintln!(
            "no data at {}; set HAUBERK_DATA for all rows",
            folder.display()
        );
    }
    is_there.then_some(folder)
}

/// A file of the data folder, unpacked.
///
/// # Panics
///
/// If it cannot be read.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(file).expect("a zstd frame");
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).expect("zstd");
    bytes
}

/// GitHub's document of 1,223 operations.
pub fn github(data: &Path) -> Vec<u8> {
    unpacked(&data.join("openapi/api.github.com.json.zst"))
}

/// The bodies with which GitHub's clients created issues and that conform to GitHub's document.
///
/// # Panics
///
/// If the data is not as its README says.
pub fn issues(data: &Path) -> Vec<Vec<u8>> {
    let lines = |bytes: Vec<u8>| -> Vec<Value> {
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).expect("a JSON line"))
            .collect()
    };
    let verdicts = lines(unpacked(
        &data.join("suites/request-body-verdicts.ndjson.zst"),
    ));
    let wanted = verdicts.iter().filter(|line| {
        line["template"] == "/repos/{owner}/{repo}/issues"
            && line["method"] == "POST"
            && line["verdict"] == "valid"
            && line["api"] == "github"
    });
    let mut known: Option<(String, Vec<Value>)> = None;
    let mut bodies = Vec::new();
    for verdict in wanted {
        let name = verdict["traffic"].as_str().expect("the file's name");
        if known.as_ref().is_none_or(|(known, _)| known != name) {
            let path = data.join("traffic").join(format!("{name}.ndjson.zst"));
            known = Some((name.to_owned(), lines(unpacked(&path))));
        }
        let rows = &known.as_ref().expect("just read").1;
        let row = usize::try_from(verdict["row"].as_u64().expect("a row")).expect("a row");
        let body = rows[row]["request_body"].as_str().expect("a body");
        bodies.push(body.as_bytes().to_vec());
    }
    bodies
}

/// The sign-up body with so many users, as `signup.py` writes it.
///
/// # Panics
///
/// If there is no Python.
pub fn signup(users: u32) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("signup.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(users.to_string())
        .output()
        .expect("python3 on the path");
    assert!(output.status.success(), "signup.py failed");
    output.stdout
}

/// The schema of an operation's body for the `jsonschema` crate: the request's own schema, with the components it refers to.
pub fn schema(source: &[u8], path: &str, media_type: &str) -> Value {
    let document: Value = serde_json::from_slice(source).expect("JSON");
    let schema = &document["paths"][path]["post"]["requestBody"]["content"][media_type]["schema"];
    json!({"allOf": [schema], "components": {"schemas": document["components"]["schemas"]}})
}

/// A head with a content type and nothing else.
pub fn headers(content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers
}

/// Judge a request, head and body, as the gateway does.
pub fn conforms(
    operation: &Operation,
    variables: &[&str],
    headers: &HeaderMap,
    body: &[u8],
    policy: &Policy,
) -> bool {
    let head = RequestHead {
        path_variables: variables,
        query: None,
        headers,
        has_body: true,
    };
    let plan = operation.validate_head(&head, policy);
    plan.is_ok_and(|plan| {
        matches!(plan, BodyPlan::Check(_)) && operation.validate_body(&plan, body, policy).is_ok()
    })
}
