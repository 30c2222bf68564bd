//! The documents' own examples conform to their schemas, or contradict them for a reason.

use std::collections::BTreeMap;

use hauberk_openapi::{Limits, Location, Operation, Policy, RequestHead, Violation, load};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::data;

/// Follow references of the document, a few times.
fn follow<'d>(document: &'d Value, mut value: &'d Value) -> &'d Value {
    for _ in 0..8 {
        let Some(pointer) = value["$ref"]
            .as_str()
            .and_then(|text| text.strip_prefix('#'))
        else {
            break;
        };
        let pointer = pointer
            .replace("%20", " ")
            .replace("%7B", "{")
            .replace("%7D", "}");
        let Some(target) = document.pointer(&pointer) else {
            break;
        };
        value = target;
    }
    value
}

/// The examples beside a schema; those inside it are for people.
fn examples<'d>(document: &'d Value, holder: &'d Value) -> Vec<&'d Value> {
    let mut found: Vec<&Value> = holder.get("example").into_iter().collect();
    let several = holder.get("examples").and_then(Value::as_object);
    let several = several.into_iter().flat_map(|all| all.values());
    found.extend(several.filter_map(|example| follow(document, example).get("value")));
    found
}

fn violations(operation: &Operation, head: &RequestHead<'_>, body: &[u8]) -> Vec<Violation> {
    operation.violations(head, body, &Policy::default())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A query that carries a value of a parameter in its style, for the styles documents have.
fn query(parameter: &Value, value: &Value) -> Option<String> {
    let name = encode(parameter["name"].as_str()?);
    if parameter.get("content").is_some() {
        return Some(format!("{name}={}", encode(&value.to_string())));
    }
    let style = parameter["style"].as_str().unwrap_or("form");
    let explode = parameter["explode"].as_bool().unwrap_or(style == "form");
    let separator = match style {
        "spaceDelimited" => "%20",
        "pipeDelimited" => "%7C",
        _ => ",",
    };
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| plain(item).map(|text| encode(&text)))
                .collect::<Option<_>>()?;
            let each = |name: String| {
                let pairs: Vec<String> =
                    items.iter().map(|item| format!("{name}={item}")).collect();
                pairs.join("&")
            };
            Some(match (style, explode) {
                ("deepObject", _) => each(format!("{name}[]")),
                (_, true) => each(name),
                (_, false) => format!("{name}={}", items.join(separator)),
            })
        }
        Value::Object(members) if style == "deepObject" || (style == "form" && explode) => {
            let pairs = members.iter().map(|(key, member)| {
                let key = if style == "deepObject" {
                    format!("{name}[{}]", encode(key))
                } else {
                    encode(key)
                };
                Some(format!("{key}={}", encode(&plain(member)?)))
            });
            Some(pairs.collect::<Option<Vec<_>>>()?.join("&"))
        }
        value => Some(format!("{name}={}", encode(&plain(value)?))),
    }
}

/// How many examples contradict their own schemas.
const MOST_CONTRADICTED: usize = 201;

#[derive(Default)]
struct Tally {
    bodies: usize,
    parameters: usize,
    contradicted: BTreeMap<String, usize>,
}

impl Tally {
    fn note(&mut self, document: &str, found: Option<&Violation>, kind: &str) {
        let Some(violation) = found else { return };
        let detail = violation.error_detail.as_deref().unwrap_or_default();
        *self
            .contradicted
            .entry(format!(
                "{document}: {kind}, {} {detail}",
                violation.error_class
            ))
            .or_default() += 1;
        if std::env::var_os("HAUBERK_PRINT_EXAMPLES").is_some() {
            eprintln!("    {document}: {violation}");
        }
    }
}

#[test]
fn examples_of_the_documents_pass_or_contradict_their_schemas() {
    let Some(folder) = data::folder() else { return };
    let mut tally = Tally::default();
    let mut json = HeaderMap::new();
    json.insert("content-type", HeaderValue::from_static("application/json"));
    let none = HeaderMap::new();
    for (name, source) in data::documents(&folder) {
        let Ok(loaded) = load(&source, &Limits::default()) else {
            continue;
        };
        let raw: Value = serde_json::from_slice(&source).expect("JSON");
        for (path, item) in raw["paths"].as_object().into_iter().flatten() {
            let item = follow(&raw, item);
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Some(judge) = loaded.document.find(&method.to_uppercase(), path) else {
                    continue;
                };
                let own = operation["parameters"].as_array().into_iter().flatten();
                let shared = item["parameters"].as_array().into_iter().flatten();
                for parameter in own.chain(shared).map(|parameter| follow(&raw, parameter)) {
                    if parameter["in"] != "query" {
                        continue;
                    }
                    for example in examples(&raw, parameter) {
                        let Some(query) = query(parameter, example) else {
                            continue;
                        };
                        tally.parameters += 1;
                        let head = RequestHead {
                            path_variables: &[],
                            query: Some(&query),
                            headers: &none,
                            has_body: false,
                        };
                        let found = violations(judge, &head, b"");
                        let own = found.iter().find(|violation| {
                            violation.location == Location::Query
                                && violation.error_class.as_str() != "missing_required"
                        });
                        tally.note(&name, own, "parameter");
                    }
                }
                let media = &follow(&raw, &operation["requestBody"])["content"]["application/json"];
                for example in examples(&raw, media) {
                    tally.bodies += 1;
                    let text = example.to_string();
                    let head = RequestHead {
                        path_variables: &[],
                        query: None,
                        headers: &json,
                        has_body: true,
                    };
                    let found = violations(judge, &head, text.as_bytes());
                    let own = found
                        .iter()
                        .find(|violation| violation.location == Location::Body);
                    tally.note(&name, own, "body");
                }
            }
        }
    }
    let contradicted: usize = tally.contradicted.values().sum();
    eprintln!(
        "{} body examples and {} parameter examples; {contradicted} contradict their schemas:",
        tally.bodies, tally.parameters
    );
    for (what, count) in &tally.contradicted {
        eprintln!("  {count:5} {what}");
    }
    // JSON written as text where an object is asked for, times where dates are, members that are required and left out,
    // placeholders where a pattern is, names of choices that are none.
    assert!(contradicted <= MOST_CONTRADICTED, "{contradicted}");
    assert!(tally.bodies > 1_200 && tally.parameters > 1_500);
}
