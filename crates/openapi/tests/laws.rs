//! Laws, tried on generated input.

use hauberk_openapi::{Limits, Policy, Router, RouterBuilder, load};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::request::{Request, judge, one};

/// A document with something of everything, to be damaged.
const SOURCE: &str = r##"{"openapi":"3.1.0","info":{"title":"t","version":"1"},"servers":[{"url":"https://{a}.example.com/{b}"}],
"paths":{"/a/{id}.json":{"parameters":[{"$ref":"#/components/parameters/id"}],"post":{"operationId":"x","requestBody":
{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}},"*/*":{}}},"responses":{"2XX":{"headers":{"X-A":{"required":true,"schema":{"type":"integer"}}},
"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}},"default":{"$ref":"#/components/responses/no"}}}}},
"components":{"responses":{"no":{"content":{"*/*":{"schema":{"type":"object","properties":{"d":{"writeOnly":true}}}}}}},
"parameters":{"id":{"name":"id","in":"path","required":true,"style":"simple","schema":{"type":"integer","minimum":1}}},
"schemas":{"A":{"type":["object","null"],"required":["b"],"properties":{"b":{"$ref":"#/components/schemas/A"},"c":{"pattern":"^a+$",
"enum":["a"],"maxLength":3}},"anyOf":[{"minProperties":1},{"$anchor":"x","not":{}}],"unevaluatedProperties":false}}}}"##;

fn limits() -> Limits {
    Limits {
        responses: true,
        ..Limits::default()
    }
}

fn segment() -> impl Strategy<Value = (String, String)> {
    let text = "[a-z0-9._~-]{1,6}";
    prop_oneof![
        3 => text.prop_map(|text| (text.clone(), text)),
        2 => (text, text).prop_map(|(name, value)| (format!("{{{name}}}"), value)),
        1 => (text, "[A-Z]{1,4}").prop_map(|(value, suffix)| (format!("{{v}}{suffix}"), format!("{value}{suffix}"))),
    ]
}

/// A template and a path made from it.
fn route() -> impl Strategy<Value = (String, String)> {
    prop::collection::vec(segment(), 1..6).prop_map(|segments| {
        let (templates, values): (Vec<_>, Vec<_>) = segments.into_iter().unzip();
        (
            format!("/{}", templates.join("/")),
            format!("/{}", values.join("/")),
        )
    })
}

fn router(templates: &[String]) -> Router<usize> {
    let mut builder = RouterBuilder::new();
    for (index, template) in templates.iter().enumerate() {
        // Some templates are equal but for their names.
        let _ = builder.insert("GET", template, index);
    }
    builder.build()
}

/// Percent-encode every byte of the segments.
fn encoded(path: &str) -> String {
    path.chars()
        .map(|character| {
            if character == '/' {
                "/".to_owned()
            } else {
                format!("%{:02x}", u32::from(character))
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_template_matches_the_paths_made_from_it(routes in prop::collection::vec(route(), 1..20)) {
        let templates: Vec<String> = routes.iter().map(|(template, _)| template.clone()).collect();
        for (template, path) in &routes {
            let alone = router(std::slice::from_ref(template));
            let found = alone.find("GET", path).expect("its own path");
            prop_assert_eq!(found.variables.len(), template.matches('{').count());
            prop_assert!(alone.find("GET", &encoded(path)).is_some());
            let longer = format!("{path}/");
            prop_assert!(alone.find("GET", &longer).is_none());
            prop_assert!(router(&templates).find("GET", path).is_some());
        }
    }

    #[test]
    fn spelling_does_not_change_the_route(routes in prop::collection::vec(route(), 1..20)) {
        let templates: Vec<String> = routes.iter().map(|(template, _)| template.clone()).collect();
        let router = router(&templates);
        for (_, path) in &routes {
            let plain = router.find("GET", path).map(|found| *found.value);
            prop_assert_eq!(plain, router.find("GET", &encoded(path)).map(|found| *found.value));
        }
    }

    #[test]
    fn finding_never_panics(templates in prop::collection::vec("[/{}a.é%]{0,12}", 0..8), path in "[/%a.é{}0-9A-F]{0,24}") {
        let _ = router(&templates).find("GET", &path);
    }

    #[test]
    fn loading_never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(&bytes, &limits());
    }

    #[test]
    fn loading_never_panics_on_a_damaged_document(at in 0..SOURCE.len(), length in 0..40_usize, with in "[\\[\\]{}\":,a0#/ \\n-]{0,4}") {
        let end = (at + length).min(SOURCE.len());
        let damaged = format!("{}{with}{}", &SOURCE[..at], &SOURCE[end..]);
        let _ = load(damaged.as_bytes(), &limits());
    }

    #[test]
    fn loading_never_panics_on_a_misshapen_document(which in any::<prop::sample::Index>(), kind in 0..7_usize) {
        let mut document: Value = serde_json::from_str(SOURCE).expect("JSON");
        let pointers = pointers(&document);
        let pointer = &pointers[which.index(pointers.len())];
        let replacements = [json!(null), json!(true), json!(-1), json!("x"), json!([]), json!({}), json!([{"$ref": "#"}])];
        *document.pointer_mut(pointer).expect("it is there") = replacements[kind].clone();
        if let Ok(loaded) = load(document.to_string().as_bytes(), &limits()) {
            loaded.document.compile_all().expect("what loads compiles");
            for operation in loaded.document.operations() {
                let request = Request { path: &operation.endpoint, ..Request::json(b"{\"b\":null,\"c\":\"aa\"}") };
                let _ = judge(&loaded.document, &operation.method, &request, &Policy::default());
                let own = loaded.document.find(&operation.method, &operation.path).expect("it is listed");
                let mut headers = HeaderMap::new();
                headers.insert("content-type", HeaderValue::from_static("application/json"));
                headers.insert("x-a", HeaderValue::from_static("a"));
                for status in [200, 404] {
                    let found = own.validate_response(status, &headers, b"{\"b\":1}", &Policy::default());
                    prop_assert!(found.is_empty() || own.judges_responses());
                }
            }
        }
    }

    #[test]
    fn an_integer_is_accepted_in_its_own_spelling_only(number in any::<i64>(), zeros in "0{1,3}") {
        let document = one("3.0.3", &json!({"parameters": [{"name": "n", "in": "query", "schema": {"type": "integer"}}]}));
        let accepts = |text: &str| {
            let query = format!("n={text}");
            judge(&document, "POST", &Request::query(&query), &Policy::default()).is_ok()
        };
        prop_assert!(accepts(&number.to_string()));
        prop_assert!(!accepts(&format!("{}{zeros}{}", if number < 0 { "-" } else { "" }, number.unsigned_abs())), "leading zeros");
        prop_assert!(!accepts(&format!("%2B{number}")), "a plus sign");
        prop_assert!(!accepts(&format!("{number}.0")), "a fraction");
    }

    #[test]
    fn bodies_are_read_as_serde_json_reads_them(text in "[\\[\\]{}\":,0-9a-e.+\\\\u\\-\" ]{0,16}") {
        let document = one("3.1.0", &json!({"requestBody": {"content": {"application/json": {}}}}));
        let ours = judge(&document, "POST", &Request::json(text.as_bytes()), &Policy::default());
        let theirs = serde_json::from_str::<Value>(&text);
        match ours {
            // Numbers beyond binary64 are numbers to us.
            Ok(_) => prop_assert!(
                text.is_empty() || theirs.as_ref().err().is_none_or(|error| error.to_string().starts_with("number out of range")),
                "{text:?}"
            ),
            Err(violation) => prop_assert!(
                theirs.is_err() || violation.error_class == hauberk_openapi::ErrorClass::DuplicateValue,
                "{text:?}: {violation}"
            ),
        }
    }
}

fn pointers(document: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| (index.to_string(), value))
                .collect(),
            _ => Vec::new(),
        };
        for (token, child) in children {
            let pointer = format!("{pointer}/{token}");
            found.push(pointer.clone());
            open.push((pointer, child));
        }
    }
    found
}
