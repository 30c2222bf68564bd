//! Documents: what loads, what is refused, and how it is said.

use hauberk_openapi::{CODES, Limits, Policy, Problem, Severity, load};
use serde_json::{Value, json};

use crate::request::{Request, document, judge_by, short};

fn problems(source: &str) -> Vec<Problem> {
    load(source.as_bytes(), &Limits::default()).expect_err(source)
}

/// A 3.0 document with the given `paths` and `components`.
fn with(paths: &Value, components: &Value) -> String {
    json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths, "components": components}).to_string()
}

#[test]
fn what_is_no_openapi_document_is_refused_with_advice() {
    for (source, code, part) in [
        ("", 101, "empty"),
        ("{", 101, "line 1, column 2"),
        (
            "{\"a\":1,\n\"a\":2}",
            101,
            "line 2, column 1 at .a: the member name appears twice",
        ),
        ("a: [1\n", 101, "line"),
        ("\u{1}", 102, "not an object"),
        ("hello", 102, "not an object"),
        ("[]", 102, "not an object"),
        ("{}", 102, "has no `openapi`"),
        ("{swagger: '2.0'}", 103, "convert"),
        ("openapi: 4.0.0", 103, "`4.0.0` is not supported"),
        ("openapi: 3.1", 103, "not supported"),
    ] {
        let problems = problems(source);
        assert_eq!(problems[0].severity, Severity::Critical, "{source}");
        assert_eq!(problems[0].code, code, "{source}: {problems:?}");
        assert!(problems[0].message.contains(part), "{source}: {problems:?}");
    }
    let bytes = load(b"a: \xff", &Limits::default()).expect_err("not UTF-8");
    assert!(bytes[0].message.contains("not UTF-8"));
    let large = load(
        &[b' '; 101],
        &Limits {
            max_bytes: 100,
            ..Limits::default()
        },
    )
    .expect_err("too large");
    assert_eq!(
        large[0].message,
        "the document has 101 bytes; at most 100 are read"
    );
    let deep = load("[".repeat(200).as_bytes(), &Limits::default()).expect_err("too deep");
    assert!(deep[0].message.contains("deeper than 128"), "{deep:?}");
}

#[test]
fn all_errors_are_listed_with_their_places() {
    let body = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
    let source = with(
        &json!({
            "/a": {"get": {"parameters": [{"name": "x"}, {"name": "q", "in": "query"}]}},
            "/b": {"post": {"requestBody": body(json!({"type": "string", "pattern": "("}))}},
            "/c": {"post": {"requestBody": body(json!({"$ref": "#/components/schemas/None"}))}},
            "/d": {"post": {"requestBody": body(json!({"$ref": "other.json#/X"}))}},
            "/e": {"post": {"requestBody": body(json!({"$ref": "#/components/schemas/Loop"}))}},
            "/f/{x}": {"get": {}}, "/f/{y}": {"get": {}, "put": {}}, "/f/{z}": {"get": {}},
            "/g/{x": {"get": {}},
            "/h#x": {"get": {}},
            "/i": {"post": {"requestBody": body(json!({"type": "strnig", "minLength": -1, "enum": []}))}},
            "/j": {"post": {"requestBody": body(json!({"$ref": "#/components/schemas/Self"}))}},
        }),
        &json!({"schemas": {
            "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
            "Self": {"properties": {"self": {"$ref": "#/components/schemas/Self"}}},
        }}),
    );
    let found: Vec<(u16, String)> = problems(&source)
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .flat_map(|problem| {
            problem
                .locations
                .into_iter()
                .map(move |location| (problem.code, location))
        })
        .collect();
    let mut found: Vec<(u16, &str)> = found
        .iter()
        .map(|(code, location)| (*code, location.as_str()))
        .collect();
    found.sort_unstable();
    let schema = r#"requestBody.content["application/json"].schema"#;
    assert_eq!(
        found,
        [
            (111, format!(r#".paths["/d"].post.{schema}"#).as_str()),
            (112, &format!(r#".paths["/c"].post.{schema}"#)),
            (113, ".components.schemas.Loop"),
            (120, r#".paths["/g/{x"]"#),
            (121, r#".paths["/f/{z}"].get"#),
            (130, r#".paths["/a"].get.parameters[0]"#),
            (130, r#".paths["/a"].get.parameters[1]"#),
            (140, &format!(r#".paths["/i"].post.{schema}.enum"#)),
            (140, &format!(r#".paths["/i"].post.{schema}.minLength"#)),
            (140, &format!(r#".paths["/i"].post.{schema}.type"#)),
            (141, &format!(r#".paths["/b"].post.{schema}.pattern"#)),
        ]
    );
}

#[test]
fn what_has_one_safe_reading_is_a_warning() {
    let media = json!({"application/json": {"schema": {"type": ["string"], "exclusiveMinimum": 1, "const": 1}}, "text/csv": {"schema": {"type": "object"}}});
    let source = with(
        &json!({
            "/a/{x}": {"post": {
                "parameters": [
                    {"name": "y", "in": "path", "required": true, "schema": {}},
                    {"name": "o", "in": "query", "schema": {"type": "object", "properties": {"p": {}}}},
                    {"name": "c", "in": "query", "content": {"application/xml": {"schema": {}}}},
                    {"name": "s", "in": "header", "style": "form", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": media},
            }},
            "/b": {"post": {"requestBody": {}}},
            "/b#other": {"post": {"requestBody": {"$ref": "nowhere"}}},
        }),
        &json!({}),
    );
    let loaded = document(&source);
    let ignored: Vec<&str> = loaded
        .warnings
        .iter()
        .filter(|warning| warning.code == 209)
        .flat_map(|warning| warning.locations.iter().map(String::as_str))
        .collect();
    let style = r#".paths["/a/{x}"].post.parameters[3]"#;
    assert_eq!(ignored, [style, r#".paths["/b#other"]"#]);
    assert_eq!(loaded.document.operations().len(), 2);
    let mut codes: Vec<u16> = loaded.warnings.iter().map(|warning| warning.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, [28, 200, 201, 202, 204, 205, 208, 209]);
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| warning.severity == Severity::Warning && !warning.locations.is_empty())
    );
    let not_checked = loaded
        .warnings
        .iter()
        .find(|warning| warning.code == 28)
        .expect("the warning");
    assert_eq!(
        not_checked.locations,
        [r#".paths["/a/{x}"].post.requestBody.content["text/csv"]"#]
    );
    assert_eq!(
        serde_json::to_value(not_checked).expect("JSON")["severity"],
        "warning"
    );
}

#[test]
fn mappings_that_lead_nowhere_and_types_that_are_schemas_are_warnings() {
    let source = with(
        &json!({"/a": {"post": {"requestBody": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Pet"}}}}}}}),
        &json!({"schemas": {
            "Pet": {
                "oneOf": [{"$ref": "#/components/schemas/Cat"}],
                "discriminator": {"propertyName": "kind", "mapping": {
                    "cat": "#/components/schemas/Cat", "cats": "Cat", "dog": "#/components/schemas/Dog", "cow": "Cow"}},
            },
            "Cat": {"type": "object", "properties": {"kind": {"type": {"type": "string", "enum": ["cat"]}}}},
        }}),
    );
    let loaded = document(&source);
    let mapping = ".components.schemas.Pet.discriminator.mapping";
    let mut found: Vec<(u16, &str)> = loaded
        .warnings
        .iter()
        .map(|warning| (warning.code, warning.locations[0].as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            (205, ".components.schemas.Cat.properties.kind.type"),
            (209, format!("{mapping}.cow").as_str()),
            (209, format!("{mapping}.dog").as_str()),
        ]
    );
    let operation = loaded.document.find("POST", "/a").expect("the operation");
    for (body, wanted) in [
        (r#"{"kind":"cat"}"#, "ok"),
        (r#"{"kind":"dog"}"#, "body $ constraint_violation one_of"),
    ] {
        let request = Request::json(body.as_bytes());
        let result = judge_by(operation, &[], &request, &Policy::default());
        assert_eq!(short(result), wanted, "{body}");
    }
}

#[test]
fn of_two_equal_endpoints_either_will_do() {
    let operation = |name: &str, format: &str, limit: i32| {
        let schema = json!({"type": "integer", "maximum": limit});
        json!({"post": {
            "parameters": [{"name": name, "in": "path", "required": true, "schema": {"type": "string", "format": format}}],
            "requestBody": {"content": {"application/json": {"schema": schema}}},
        }})
    };
    let loaded = document(&with(
        &json!({"/f/{x}": operation("x", "ipv4", 5), "/f/{y}": operation("y", "date", 9), "/f/{y}/z": operation("y", "date", 9)}),
        &json!({}),
    ));
    assert_eq!(
        loaded
            .warnings
            .iter()
            .map(|warning| warning.code)
            .collect::<Vec<_>>(),
        [210]
    );
    assert_eq!(loaded.document.operations().len(), 2);
    for path in ["/f/{x}", "/f/{y}"] {
        let operation = loaded.document.find("POST", path).expect("both are found");
        for (variable, body, wanted) in [
            ("127.0.0.1", "5", "ok"),
            (
                "127.0.0.1",
                "6",
                "body $ constraint_violation number_too_big",
            ),
            ("2024-01-01", "9", "ok"),
            (
                "2024-01-01",
                "10",
                "body $ constraint_violation number_too_big",
            ),
            (
                "x",
                "1",
                "path x constraint_violation format_violation:ipv4",
            ),
        ] {
            let result = judge_by(
                operation,
                &[variable],
                &Request::json(body.as_bytes()),
                &Policy::default(),
            );
            assert_eq!(short(result), wanted, "{path} {variable} {body}");
        }
    }
    let both = json!({"post": {"requestBody": {"content": {"application/json": {"schema": {"enum": [1]}}}}}});
    let other = json!({"post": {"requestBody": {"content": {"application/json": {"schema": {"enum": [2]}}}}}});
    let loaded = document(&with(&json!({"/{x}": both, "/{y}": other}), &json!({})));
    let operation = loaded.document.find("POST", "/{x}").expect("the operation");
    for (body, wanted) in [
        ("1", "ok"),
        ("2", "ok"),
        ("3", "body $ constraint_violation invalid_enum_variant"),
    ] {
        let result = judge_by(
            operation,
            &["v"],
            &Request::json(body.as_bytes()),
            &Policy::default(),
        );
        assert_eq!(short(result), wanted, "{body}");
    }
}

#[test]
fn operations_have_hosts_and_numbered_endpoints() {
    let source = r"
openapi: 3.1.0
info: {title: Shop, version: '1'}
servers:
- {url: 'https://shop.example.com/{region}/v1', variables: {region: {default: eu}}}
- {url: 'https://shop2.example.com/{region}/v1', variables: {region: {default: eu}}}
- {url: /v0}
paths:
  /users/{id}/orders/{order}.json:
    get: {operationId: one, summary: Reads, deprecated: true}
  /local:
    servers: [{url: 'http://localhost:8080'}]
    get: {}
";
    let loaded = document(source);
    assert_eq!(
        (loaded.document.title(), loaded.document.openapi_version()),
        ("Shop", "3.1.0")
    );
    let operations = serde_json::to_value(loaded.document.operations()).expect("JSON");
    let path = "/users/{id}/orders/{order}.json";
    assert_eq!(
        operations,
        json!([
            {"method": "GET", "path": "/local", "hosts": ["localhost:8080"], "endpoint": "/local", "operation_id": null,
             "summary": null, "deprecated": false},
            {"method": "GET", "path": path, "hosts": ["shop.example.com", "shop2.example.com"],
             "endpoint": "/{var1}/v1/users/{var2}/orders/{var3}.json", "operation_id": "one", "summary": "Reads", "deprecated": true},
            {"method": "GET", "path": path, "hosts": [], "endpoint": "/v0/users/{var1}/orders/{var2}.json",
             "operation_id": "one", "summary": "Reads", "deprecated": true},
        ])
    );
}

#[test]
fn an_endpoint_that_nothing_can_match_is_refused() {
    for url in ["/{v}:{n}", "/v1/{open", "/{n}"] {
        let source = json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/t": {"get": {}}},
            "servers": [{"url": url, "variables": {"v": {"default": "v1"}, "n": {"default": "a{/b"}}}],
        });
        let found = problems(&source.to_string());
        assert_eq!(found[0].code, 120, "{url}: {found:?}");
        assert_eq!(found[0].locations, [r#".paths["/t"].get"#], "{url}");
    }
}

#[test]
fn equal_json_and_yaml_load_alike() {
    let paths = json!({"/t/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}]}}});
    let json = with(&paths, &json!({}));
    let yaml = "
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /t/{id}:
    get:
      parameters:
      - &id {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        200: {description: fine}
";
    let (json, yaml) = (document(&json), document(yaml));
    assert_eq!(json.document.operations(), yaml.document.operations());
    assert_eq!(json.warnings, yaml.warnings);
    document("\u{feff}openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\n");
    document("{openapi: 3.1.0, info: {title: t, version: '1'}, paths: {}}");
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut source =
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\nx-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            .to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        source.extend([
            "x-",
            &level.to_string(),
            ": &a",
            &level.to_string(),
            " [",
            &aliases,
            "]\n",
        ]);
    }
    let problems = problems(&source);
    assert!(
        problems[0]
            .message
            .contains("aliases expand to more than 5000000 nodes"),
        "{problems:?}"
    );
}

#[test]
fn every_code_is_documented() {
    let table = include_str!("../src/problem.rs");
    for (severity, code) in CODES {
        let severity = format!("{severity:?}").to_lowercase();
        assert!(
            table.contains(&format!("//! | {code} | {severity} |")),
            "{code} {severity}"
        );
    }
}
