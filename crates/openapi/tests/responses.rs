//! Responses: by status, header, media type and body; and those that were recorded.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use hauberk_openapi::{
    Document, Limits, Loaded, MAX_VIOLATIONS, Operation, Policy, Violation, load,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::data;
use crate::request::short;

fn limits() -> Limits {
    Limits {
        responses: true,
        ..Limits::default()
    }
}

fn read(source: &str) -> Loaded {
    load(source.as_bytes(), &limits()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A document with one operation, `GET /t`, that has these responses.
fn one(version: &str, responses: &Value, components: &Value) -> Loaded {
    let source = json!({
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/t": {"get": {"responses": responses}}},
        "components": components,
    });
    read(&source.to_string())
}

fn operation(loaded: &Loaded) -> &Operation {
    loaded.document.find("GET", "/t").expect("the operation")
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// The violations in short, or `ok`.
fn judge(operation: &Operation, status: u16, lines: &[(&str, &str)], body: &[u8]) -> String {
    let found = operation.validate_response(status, &headers(lines), body, &Policy::default());
    in_short(found)
}

fn in_short(found: Vec<Violation>) -> String {
    if found.is_empty() {
        return "ok".to_owned();
    }
    let each = found
        .into_iter()
        .map(|violation| short::<()>(Err(violation)));
    each.collect::<Vec<_>>().join("; ")
}

/// A response whose JSON is of one type.
fn of_type(name: &str) -> Value {
    json!({"description": name, "content": {"application/json": {"schema": {"type": name}}}})
}

#[test]
fn the_status_is_looked_up_exactly_then_by_class_then_by_default() {
    const UNDECLARED: &str = "body $ constraint_violation forbidden_value";
    let all = json!({
        "200": of_type("integer"), "2XX": of_type("boolean"), "4xx": of_type("string"), "default": of_type("null"),
    });
    let all = one("3.1.0", &all, &json!({}));
    let few = json!({"201": of_type("integer"), "5XX": of_type("string"), "x-note": "of nobody's concern"});
    let few = one("3.1.0", &few, &json!({}));
    for (loaded, status, body, wanted) in [
        (&all, 200, "1", "ok"),
        (&all, 200, "true", "body $ invalid_type expected:integer"),
        (&all, 201, "true", "ok"),
        (&all, 299, "1", "body $ invalid_type expected:boolean"),
        (&all, 404, "\"gone\"", "ok"),
        (&all, 503, "null", "ok"),
        (&all, 503, "1", "body $ invalid_type expected:null"),
        (&few, 201, "1", "ok"),
        (&few, 200, "1", UNDECLARED),
        (&few, 304, "", UNDECLARED),
        (&few, 404, "1", UNDECLARED),
        (&few, 500, "1", "body $ invalid_type expected:string"),
    ] {
        let found = judge(operation(loaded), status, &[JSON], body.as_bytes());
        assert_eq!(found, wanted, "{status} {body}");
    }
    let found = operation(&few).validate_response(200, &HeaderMap::new(), b"", &Policy::default());
    assert_eq!(found[0].rule, r#".paths["/t"].get.responses"#);
}

#[test]
fn media_types_and_bodies_are_those_declared() {
    let responses = json!({
        "200": {"description": "", "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Item"}},
            "application/*+json": {},
            "text/csv": {"schema": {"type": "string", "maxLength": 3}},
        }},
        "201": {"description": "", "content": {"*/*": {"schema": {"$ref": "#/components/schemas/Item"}}}},
        "202": {"description": "nothing is said of the content"},
        "204": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}},
    });
    let components = json!({"schemas": {"Item": {
        "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "tags": {"items": {"maxLength": 2}}},
    }}});
    let loaded = one("3.0.3", &responses, &components);
    let latin = ("content-type", "application/json; charset=iso-8859-1");
    let html = ("content-type", "text/html");
    let csv = ("content-type", "text/csv");
    let problem = ("content-type", "application/problem+json");
    for (status, lines, body, wanted) in [
        (200, &[JSON][..], r#"{"id": 1}"#, "ok"),
        (
            200,
            &[("content-type", "application/json;charset=UTF-8")],
            r#"{"id": 1}"#,
            "ok",
        ),
        (
            200,
            &[JSON],
            r#"{"id": "1", "tags": ["ab", "abc"]}"#,
            "body $.id invalid_type expected:integer; body $.tags[1] constraint_violation string_length_not_in_range",
        ),
        (
            200,
            &[JSON],
            "{}",
            "body $ constraint_violation missing_required_property",
        ),
        (200, &[JSON], "{", "body $ invalid_syntax invalid_json"),
        (200, &[JSON], "", "body $ missing_required"),
        (200, &[], "", "body $ missing_required"),
        (
            200,
            &[],
            "{}",
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            200,
            &[JSON, JSON],
            "{}",
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            200,
            &[("content-type", "json")],
            "{}",
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            200,
            &[html],
            "<p>",
            "body $ invalid_media_type invalid_media_type",
        ),
        (
            200,
            &[latin],
            "{}",
            "body $ unsupported_media_type unsupported_media_type_parameter",
        ),
        (200, &[csv], "longer than three", "ok"),
        (200, &[csv], "", "ok"),
        (200, &[problem], "[1]", "ok"),
        (200, &[problem], "[1", "body $ invalid_syntax invalid_json"),
        (201, &[JSON], "[]", "body $ invalid_type expected:object"),
        (201, &[html], "<p>", "ok"),
        (202, &[html], "<p>", "ok"),
        (202, &[], "", "ok"),
        (202, &[JSON], "[", "ok"),
        (204, &[], "", "ok"),
    ] {
        let found = judge(operation(&loaded), status, lines, body.as_bytes());
        assert_eq!(found, wanted, "{status} {lines:?} {body}");
    }
    assert!(loaded.response_problems.is_empty());
}

#[test]
fn headers_are_judged_as_those_of_requests() {
    let schema = |schema: Value| json!({"required": true, "schema": schema});
    let responses = json!({"200": {"description": "", "headers": {
        "X-Count": schema(json!({"type": "integer", "maximum": 9})),
        "X-List": {"schema": {"type": "array", "items": {"type": "boolean"}}},
        "X-Shared": {"$ref": "#/components/headers/Shared"},
        "Content-Type": schema(json!({"type": "integer"})),
        "Set-Cookie": schema(json!({"type": "string", "maxLength": 1})),
    }}});
    let shared = json!({"content": {"application/json": {"schema": {"type": "object"}}}});
    let components = json!({"headers": {"Shared": shared}});
    let loaded = one("3.0.3", &responses, &components);
    let cookie = ("set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT");
    for (lines, wanted) in [
        (&[("x-count", "9"), cookie, cookie][..], "ok"),
        (&[("x-count", "9")], "header Set-Cookie missing_required"),
        (&[cookie], "header X-Count missing_required"),
        (
            &[("x-count", "ten"), cookie],
            "header X-Count invalid_type expected:integer",
        ),
        (
            &[("x-count", "10"), cookie],
            "header X-Count constraint_violation number_too_big",
        ),
        (
            &[("x-count", "1"), ("x-count", "2"), cookie],
            "header X-Count duplicate_value",
        ),
        (
            &[
                ("x-count", "1"),
                ("x-list", "true"),
                ("x-list", "false,true"),
                cookie,
            ],
            "ok",
        ),
        (
            &[
                ("x-count", "1"),
                ("x-list", "true,1"),
                ("x-shared", "[]"),
                cookie,
            ],
            "header X-List invalid_type expected:boolean; header X-Shared invalid_type expected:object",
        ),
    ] {
        let found = judge(operation(&loaded), 200, lines, b"");
        assert_eq!(found, wanted, "{lines:?}");
    }
}

#[test]
fn what_goes_one_way_only_is_required_in_that_direction_only() {
    let schema = json!({
        "type": "object",
        "required": ["id", "name", "secret", "key"],
        "properties": {
            "id": {"type": "integer", "readOnly": true},
            "name": {"type": "string"},
            "secret": {"type": "string", "writeOnly": true},
            "key": {"$ref": "#/components/schemas/Key"},
        },
    });
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Account"}}});
    let source = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/t": {"get": {
            "requestBody": {"content": content},
            "responses": {"200": {"description": "", "content": content}},
        }}},
        "components": {"schemas": {"Account": schema, "Key": {"type": "string", "writeOnly": true}}},
    });
    let loaded = read(&source.to_string());
    let operation = operation(&loaded);
    let head_headers = headers(&[JSON]);
    let head = hauberk_openapi::RequestHead {
        path_variables: &[],
        query: None,
        headers: &head_headers,
        has_body: true,
    };
    let missing = "body $ constraint_violation missing_required_property";
    for (body, of_request, of_response) in [
        (r#"{"id": 1, "name": "a"}"#, missing, "ok"),
        (r#"{"name": "a", "secret": "b", "key": "c"}"#, "ok", missing),
        (
            r#"{"id": 1, "name": "a", "secret": "b", "key": "c"}"#,
            "ok",
            "ok",
        ),
        (r#"{"id": 1, "secret": "b", "key": "c"}"#, missing, missing),
        (
            r#"{"id": 1, "name": "a", "secret": 1}"#,
            "body $.secret invalid_type expected:string",
            "body $.secret invalid_type expected:string",
        ),
    ] {
        let found = operation.violations(&head, body.as_bytes(), &Policy::default());
        let first = found.into_iter().take(1).collect();
        assert_eq!(in_short(first), of_request, "request {body}");
        // Whether `readOnly` is refused is about requests.
        let policy = Policy {
            read_only: true,
            ..Policy::default()
        };
        let found = operation.validate_response(200, &head_headers, body.as_bytes(), &policy);
        assert_eq!(in_short(found), of_response, "response {body}");
    }
}

#[test]
fn what_is_wrong_with_a_response_refuses_and_warns_of_nothing_else() {
    let responses = json!({
        "200": {"description": "", "content": {"application/json": {"schema": {
            "type": "object", "properties": {"inner": {"not": {"$ref": "#/components/schemas/Outer"}}},
        }}}},
        "201": {"$ref": "#/components/responses/nowhere"},
        "202": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Circle"}}}},
        "203": {"description": "", "headers": {"X-Odd": {"required": true, "schema": {"pattern": "("}}}},
        "206": of_type("object"),
        "207": {"description": "", "content": {"json": {"schema": {}}, "text/json": {"schema": {"type": "object"}}}},
        "200-299": {"description": "no status"},
    });
    let components = json!({"schemas": {
        "Outer": {"properties": {"text": {"$ref": "#/components/schemas/Bad"}}},
        "Bad": {"type": "string", "pattern": "("},
        "Circle": {"allOf": [{"$ref": "#/components/schemas/Circle"}]},
    }});
    let loaded = one("3.0.3", &responses, &components);
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    let mut codes: Vec<u16> = loaded
        .response_problems
        .iter()
        .map(|problem| problem.code)
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [112, 113, 141, 209, 209]);
    for (status, lines, body, wanted) in [
        (200, &[JSON][..], "[]", "ok"),
        (
            200,
            &[("content-type", "text/html")],
            "<p>",
            "body $ invalid_media_type invalid_media_type",
        ),
        (201, &[], "anything", "ok"),
        (202, &[JSON], "[]", "ok"),
        (203, &[], "", "header X-Odd missing_required"),
        (203, &[("x-odd", "(")], "", "ok"),
        (206, &[JSON], "[]", "body $ invalid_type expected:object"),
        (207, &[JSON], "[", "ok"),
        (
            207,
            &[("content-type", "text/json")],
            "[]",
            "body $ invalid_type expected:object",
        ),
        (404, &[], "", "ok"),
    ] {
        let found = judge(operation(&loaded), status, lines, body.as_bytes());
        assert_eq!(found, wanted, "{status} {lines:?} {body}");
    }
    let count = loaded.document.response_schemas();
    assert_eq!((count.declared, count.usable), (4, 2));
}

#[test]
fn responses_that_were_not_read_or_declared_are_not_judged() {
    let responses = json!({"200": of_type("object")});
    let loaded = one("3.1.0", &responses, &json!({}));
    assert!(operation(&loaded).judges_responses());
    assert_eq!(
        judge(operation(&loaded), 500, &[], b"")
            .matches(';')
            .count(),
        0
    );

    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/t": {"get": {"responses": responses}}},
    });
    let without = load(source.to_string().as_bytes(), &Limits::default()).expect("it loads");
    assert!(!operation(&without).judges_responses());
    assert_eq!(judge(operation(&without), 500, &[], b""), "ok");
    assert!(without.response_problems.is_empty());

    for responses in [json!({}), json!(null), json!([]), json!({"x-note": 1})] {
        let loaded = one("3.1.0", &responses, &json!({}));
        assert!(!operation(&loaded).judges_responses(), "{responses}");
        assert_eq!(judge(operation(&loaded), 500, &[], b"{"), "ok");
    }
}

#[test]
fn answers_without_a_body_are_not_asked_for_one() {
    let response = json!({"required": true, "schema": {"type": "integer"}});
    let response = json!({"description": "", "headers": {"X-Count": response}, "content": {"application/json": {}}});
    let responses = json!({"200": response, "304": response});
    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/t": {"get": {"responses": responses}, "head": {"responses": responses}}},
    });
    let loaded = read(&source.to_string());
    let count = ("x-count", "1");
    for (method, status, lines, wanted) in [
        ("GET", 200, &[count, JSON][..], "body $ missing_required"),
        ("GET", 304, &[count], "ok"),
        ("GET", 304, &[], "header X-Count missing_required"),
        ("HEAD", 200, &[count, JSON], "ok"),
        ("HEAD", 200, &[JSON], "header X-Count missing_required"),
    ] {
        let operation = loaded.document.find(method, "/t").expect("the operation");
        assert_eq!(
            judge(operation, status, lines, b""),
            wanted,
            "{method} {status}"
        );
    }
}

#[test]
fn packed_bodies_are_unpacked_within_bounds() {
    let loaded = one("3.1.0", &json!({"200": of_type("object")}), &json!({}));
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("a vector takes all");
        encoder.finish().expect("a vector takes all")
    };
    let packed = ("content-encoding", "gzip");
    let large = format!("[{}]", "1,".repeat(1_000_000));
    for (lines, body, wanted) in [
        (&[JSON, packed][..], gzip(b"{}"), "ok"),
        (
            &[JSON, packed],
            gzip(b"[]"),
            "body $ invalid_type expected:object",
        ),
        (
            &[JSON, packed],
            b"[]".to_vec(),
            "body $ unsupported_media_type",
        ),
        (&[JSON, packed], gzip(large.as_bytes()), "body $ body_size"),
        (&[JSON, ("content-encoding", "zstd")], b"[]".to_vec(), "ok"),
    ] {
        assert_eq!(
            judge(operation(&loaded), 200, lines, &body),
            wanted,
            "{lines:?}"
        );
    }
}

#[test]
fn violations_are_bounded_and_either_of_two_operations_will_do() {
    let responses = json!({"200": {"description": "", "content": {"application/json": {"schema": {
        "items": {"type": "integer"},
    }}}}});
    let loaded = one("3.1.0", &responses, &json!({}));
    let texts = format!("[{}]", vec!["\"\""; 2 * MAX_VIOLATIONS].join(","));
    let found = operation(&loaded).validate_response(
        200,
        &headers(&[JSON]),
        texts.as_bytes(),
        &Policy::default(),
    );
    assert_eq!(found.len(), MAX_VIOLATIONS);

    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {
            "/t/{a}": {"get": {"responses": {"200": of_type("integer")}}},
            "/t/{b}": {"get": {"responses": {"201": of_type("string")}}},
        },
    });
    let loaded = read(&source.to_string());
    let operation = loaded
        .document
        .find("GET", "/t/{b}")
        .expect("the operation");
    for (status, body, wanted) in [
        (200, "1", "ok"),
        (201, "\"\"", "ok"),
        (200, "\"\"", "body $ invalid_type expected:integer"),
        (201, "1", "body $ constraint_violation forbidden_value"),
    ] {
        assert_eq!(judge(operation, status, &[JSON], body.as_bytes()), wanted);
    }
}

#[test]
fn every_document_loads_with_its_responses_and_the_same_warnings() {
    let Some(folder) = data::folder() else { return };
    let (mut declared, mut usable) = (0, 0);
    for (name, source) in data::documents(&folder) {
        let warnings = load(&source, &Limits::default())
            .expect("it loads")
            .warnings;
        let begin = Instant::now();
        let loaded = load(&source, &limits()).expect("it loads as without responses");
        let loaded_after = begin.elapsed();
        assert_eq!(loaded.warnings, warnings, "{name}");
        let begin = Instant::now();
        let count = loaded.document.response_schemas();
        eprintln!(
            "{name}: {} of {} response schemas usable, loaded in {loaded_after:?}, compiled in {:?}, {} problems",
            count.usable,
            count.declared,
            begin.elapsed(),
            loaded.response_problems.len(),
        );
        declared += count.declared;
        usable += count.usable;
    }
    eprintln!("{usable} of {declared} response schemas are usable");
    assert_eq!(usable, declared);
    assert!(declared > 20_000);
}

/// The share of recorded responses that conform, in percent, is no less. The recordings are of 2012 to 2023, the documents of
/// 2023 and later: most departures are required properties that did not exist yet.
const FEWEST_CONFORMING: usize = 30;

#[test]
fn recorded_responses_conform_as_far_as_they_are_as_old_as_the_document() {
    let Some(folder) = data::folder() else { return };
    let document = |file: &str| -> Document {
        let source = data::read(&folder.join(format!("openapi/{file}.json.zst")));
        load(&source, &limits()).expect("it loads").document
    };
    let documents = [
        ("github", document("api.github.com")),
        ("github-2023", document("github-2023")),
    ];
    let (mut judged, mut conforming) = (0, 0);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for file in ["github3-py", "octokit-rb", "pygithub"] {
        for line in data::lines(&folder.join(format!("traffic/{file}.ndjson.zst"))) {
            let text = |key: &str| line[key].as_str().unwrap_or_default();
            let Some((_, document)) = documents
                .iter()
                .find(|(api, _)| *api == text("template_api"))
            else {
                continue;
            };
            // Names were hidden as `<NAME>`, which no URI can hold.
            let body = line["response_body"].as_str();
            let (Some(body), Some(operation)) = (
                body.map(|body| body.replace(['<', '>'], "")),
                document.find(text("method"), text("template")),
            ) else {
                continue;
            };
            assert!(operation.judges_responses(), "{}", text("template"));
            let status = line["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok());
            let mut headers = HeaderMap::new();
            for pair in line["response_headers"].as_array().into_iter().flatten() {
                let name = pair[0].as_str().unwrap_or_default().to_lowercase();
                // The body was recorded unpacked.
                if name == "content-encoding" {
                    continue;
                }
                if let (Ok(name), Ok(value)) = (
                    HeaderName::from_bytes(name.as_bytes()),
                    HeaderValue::from_str(pair[1].as_str().unwrap_or_default()),
                ) {
                    headers.append(name, value);
                }
            }
            let status = status.expect("a status");
            let found =
                operation.validate_response(status, &headers, body.as_bytes(), &Policy::default());
            judged += 1;
            let Some(first) = found.first() else {
                conforming += 1;
                continue;
            };
            let detail = first.error_detail.as_deref().unwrap_or_default();
            *reasons
                .entry(format!("{} {detail}", first.error_class))
                .or_default() += 1;
            if std::env::var_os("HAUBERK_PRINT_RESPONSES").is_some() {
                eprintln!(
                    "    {} {} {status}: {first}",
                    text("method"),
                    text("template")
                );
            }
        }
    }
    eprintln!(
        "{conforming} of {judged} recorded responses conform; the first violation of the others: {reasons:#?}"
    );
    assert!(judged > 2_500, "{judged}");
    assert!(
        conforming * 100 >= judged * FEWEST_CONFORMING,
        "{conforming} of {judged}"
    );
}
