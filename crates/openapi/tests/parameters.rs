//! Path, query, header and cookie parameters.

use hauberk_openapi::{Document, Policy};
use serde_json::{Value, json};

use crate::request::{Request, document, judge, one, short};

fn check(document: &Document, request: &Request<'_>) -> String {
    short(judge(document, "POST", request, &Policy::default()))
}

fn query_parameter(schema: &Value, more: &Value) -> Document {
    let mut parameter = json!({"name": "a", "in": "query", "schema": schema});
    parameter
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    one("3.0.3", &json!({"parameters": [parameter]}))
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn query_values_are_judged_by_the_type_they_can_be() {
    let none = json!({});
    let comma = json!({"explode": false});
    let pipe = json!({"explode": false, "style": "pipeDelimited"});
    let integers = json!({"type": "array", "maxItems": 2, "items": {"type": "integer"}});
    let cases: [(Value, &Value, &str, &str); 36] = [
        (json!({"type": "integer"}), &none, "a=10", "ok"),
        (json!({"type": "integer"}), &none, "", "ok"),
        (
            json!({"type": "integer"}),
            &none,
            "a=0xA",
            "query a invalid_type expected:integer",
        ),
        (
            json!({"type": "integer"}),
            &none,
            "a=1e1",
            "query a invalid_type expected:integer",
        ),
        (
            json!({"type": "integer"}),
            &none,
            "a=010",
            "query a invalid_type expected:integer",
        ),
        (
            json!({"type": "integer"}),
            &none,
            "a=+10",
            "query a invalid_type expected:integer",
        ),
        (json!({"type": "integer"}), &none, "a=%31%30", "ok"),
        (
            json!({"type": "integer"}),
            &none,
            "%61=x",
            "query a invalid_type expected:integer",
        ),
        (
            json!({"type": "integer"}),
            &none,
            "a=",
            "query a invalid_type expected:integer",
        ),
        (
            json!({"type": "integer"}),
            &none,
            "a=1&a=2",
            "query a duplicate_value",
        ),
        (
            json!({"type": "integer"}),
            &none,
            "a=1&%61=1",
            "query a duplicate_value",
        ),
        (
            json!({"type": "integer", "maximum": 5}),
            &none,
            "a=6",
            "query a constraint_violation number_too_big",
        ),
        (
            json!({"type": "integer", "minimum": 5, "exclusiveMinimum": true}),
            &none,
            "a=5",
            "query a constraint_violation number_too_small",
        ),
        (
            json!({"type": "integer", "format": "int32"}),
            &none,
            "a=2147483648",
            "query a constraint_violation format_violation:int32",
        ),
        (
            json!({"type": "number", "multipleOf": 0.01}),
            &none,
            "a=19.99",
            "ok",
        ),
        (
            json!({"type": "number"}),
            &none,
            "a=1,5",
            "query a invalid_type expected:number",
        ),
        (json!({"type": "boolean"}), &none, "a=true", "ok"),
        (
            json!({"type": "boolean"}),
            &none,
            "a=TRUE",
            "query a invalid_type expected:boolean",
        ),
        (
            json!({"type": "string", "maxLength": 2}),
            &none,
            "a=%C3%A9%C3%A9",
            "ok",
        ),
        (
            json!({"type": "string", "maxLength": 2}),
            &none,
            "a=abc",
            "query a constraint_violation string_length_not_in_range",
        ),
        (
            json!({"type": "string"}),
            &none,
            "a=%FF",
            "query a invalid_encoding invalid_utf8",
        ),
        (
            json!({"type": "string"}),
            &none,
            "a=%zz",
            "query a invalid_syntax invalid_form_urlencoded",
        ),
        (
            json!({"type": "string", "enum": ["x y"]}),
            &none,
            "a=x+y",
            "ok",
        ),
        (json!({"type": "string", "enum": ["1"]}), &none, "a=1", "ok"),
        (json!({"enum": [1, "b"]}), &none, "a=1", "ok"),
        (
            json!({"enum": [1, "b"]}),
            &none,
            "a=2",
            "query a constraint_violation invalid_enum_variant",
        ),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^x"}]}),
            &none,
            "a=x1",
            "ok",
        ),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^x"}]}),
            &none,
            "a=y1",
            "query a constraint_violation any_of",
        ),
        (integers.clone(), &none, "a=1&a=2", "ok"),
        (
            integers.clone(),
            &none,
            "a=1&a=x",
            "query a invalid_type expected:integer",
        ),
        (
            integers.clone(),
            &none,
            "a=1&a=2&a=3",
            "query a constraint_violation invalid_array_item_count",
        ),
        (integers.clone(), &comma, "a=1,2", "ok"),
        (
            integers.clone(),
            &comma,
            "a=1&a=2",
            "query a duplicate_value",
        ),
        (integers.clone(), &pipe, "a=1%7C2", "ok"),
        (
            json!({"type": "integer"}),
            &json!({"required": true}),
            "b=1",
            "query a missing_required",
        ),
        (
            json!({"type": "integer"}),
            &json!({"allowEmptyValue": true}),
            "a",
            "ok",
        ),
    ];
    for (schema, more, query, wanted) in cases {
        let document = query_parameter(&schema, more);
        assert_eq!(
            check(&document, &Request::query(query)),
            wanted,
            "{schema} {more} ?{query}"
        );
    }
}

#[test]
fn undeclared_query_names_are_refused_by_policy() {
    let source = r"
openapi: 3.0.3
info: {title: t, version: '1'}
security: [{key: []}]
components: {securitySchemes: {key: {type: apiKey, in: query, name: api_key}}}
paths:
  /t:
    post:
      parameters:
      - {name: a, in: query, schema: {type: string}}
      - {name: filter, in: query, style: deepObject, explode: true, schema: {type: object}}
      - {name: page, in: query, schema: {type: object, properties: {size: {type: integer}}}}
";
    let loaded = document(source);
    assert_eq!(loaded.warnings, []);
    for (query, wanted) in [
        ("a=1&api_key=k&filter[x]=1&filter%5By%5D=2&size=3", "ok"),
        ("b=1", "query b constraint_violation forbidden_value"),
        ("A=1", "query A constraint_violation forbidden_value"),
        ("a[]=1", "query a[] constraint_violation forbidden_value"),
        (
            "filters=1",
            "query filters constraint_violation forbidden_value",
        ),
        (
            "%62%0A=1",
            "query b\u{fffd} constraint_violation forbidden_value",
        ),
        ("%ff=1", "query  invalid_encoding invalid_utf8"),
        ("b=%ff", "query b invalid_encoding invalid_utf8"),
    ] {
        assert_eq!(
            check(&loaded.document, &Request::query(query)),
            wanted,
            "{query}"
        );
    }
    let lenient = Policy {
        undeclared_query: false,
        ..Policy::default()
    };
    assert_eq!(
        short(judge(
            &loaded.document,
            "POST",
            &Request::query("b=1"),
            &lenient
        )),
        "ok"
    );
    let few = Policy {
        max_query_parameters: 2,
        ..Policy::default()
    };
    let result = judge(
        &loaded.document,
        "POST",
        &Request::query("a=1&a=2&a=3"),
        &few,
    );
    assert_eq!(short(result), "query  too_many_values");
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn path_headers_and_cookies_are_judged_and_paths_inherit() {
    let source = r"
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: 'https://api.example.com/{tenant}', variables: {tenant: {default: x}}}]
paths:
  /users/{id}:
    parameters:
    - {name: id, in: path, required: true, schema: {type: string}}
    - {name: X-Page, in: header, required: true, schema: {type: integer}}
    post:
      parameters:
      - {name: id, in: path, required: true, schema: {type: integer, maximum: 99}}
      - {name: X-Tags, in: header, schema: {type: array, items: {enum: [a, b]}}}
      - {name: Accept, in: header, required: true, schema: {type: integer}}
      - {name: session, in: cookie, required: true, schema: {type: string, format: uuid}}
  /users/me:
    post: {}
";
    let loaded = document(source);
    let cookie = &b"session=123e4567-e89b-12d3-a456-426614174000"[..];
    let good = Request {
        path: "/acme/users/7",
        ..Request::default()
    }
    .header("x-page", b"1")
    .header("cookie", cookie);
    assert_eq!(check(&loaded.document, &good), "ok");
    let with = |path, headers: &[(&'static str, &'static [u8])]| Request {
        path,
        headers: headers.to_vec(),
        ..Request::default()
    };
    for (request, wanted) in [
        (
            Request {
                path: "/acme/users/me",
                ..Request::default()
            },
            "ok",
        ),
        (
            Request {
                path: "/acme/users/x",
                ..good.clone()
            },
            "path id invalid_type expected:integer",
        ),
        (
            Request {
                path: "/acme/users/100",
                ..good.clone()
            },
            "path id constraint_violation number_too_big",
        ),
        (
            Request {
                path: "/acme/users/%37",
                ..good.clone()
            },
            "ok",
        ),
        (
            Request {
                path: "/acme/users/%ff",
                ..good.clone()
            },
            "path id invalid_encoding invalid_utf8",
        ),
        (
            with("/acme/users/7", &[("cookie", cookie)]),
            "header X-Page missing_required",
        ),
        (
            good.clone().header("X-PAGE", b"2"),
            "header X-Page duplicate_value",
        ),
        (
            good.clone()
                .header("x-tags", b"a, b")
                .header("x-tags", b"a"),
            "ok",
        ),
        (
            good.clone().header("x-tags", b"a, c"),
            "header X-Tags constraint_violation invalid_enum_variant",
        ),
        (
            with("/acme/users/7", &[("x-page", b"\xff"), ("cookie", cookie)]),
            "header X-Page invalid_encoding invalid_utf8",
        ),
        (
            with("/acme/users/7", &[("x-page", b"1")]),
            "cookie session missing_required",
        ),
        (
            good.clone().header("cookie", cookie),
            "cookie session duplicate_value",
        ),
        (
            with(
                "/acme/users/7",
                &[("x-page", b"1"), ("cookie", b"a=b; session=1")],
            ),
            "cookie session constraint_violation format_violation:uuid",
        ),
    ] {
        assert_eq!(check(&loaded.document, &request), wanted, "{request:?}");
    }
}

#[test]
fn all_violations_come_in_a_fixed_order_with_their_rules() {
    let source = r"
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /t:
    post:
      parameters:
      - {name: n, in: cookie, required: true, schema: {type: string}}
      - {name: h, in: header, required: true, schema: {type: string}}
      - {name: q, in: query, schema: {$ref: '#/components/schemas/Count'}}
      requestBody: {required: true, content: {application/json: {}}}
components: {schemas: {Count: {type: integer, maximum: 3, multipleOf: 5}}}
";
    let loaded = document(source);
    let operation = loaded.document.find("POST", "/t").expect("the operation");
    let headers = http::HeaderMap::new();
    let head = hauberk_openapi::RequestHead {
        path_variables: &[],
        query: Some("z=1&q=4"),
        headers: &headers,
        has_body: false,
    };
    let violations = operation.violations(&head, b"", &Policy::default());
    let shown: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "query q: constraint_violation (number_too_big), see .components.schemas.Count.maximum",
            "query q: constraint_violation (multiple_of), see .components.schemas.Count.multipleOf",
            r#"query z: constraint_violation (forbidden_value), see .paths["/t"].post"#,
            r#"header h: missing_required, see .paths["/t"].post.parameters[1]"#,
            r#"cookie n: missing_required, see .paths["/t"].post.parameters[0]"#,
            r#"body $: missing_required, see .paths["/t"].post.requestBody"#,
        ]
    );
    let json = serde_json::to_value(&violations[0]).expect("a violation serializes");
    assert_eq!(json["location"], "query");
    assert_eq!(json["error_class"], "constraint_violation");
}
