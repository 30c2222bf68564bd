//! Bodies: what is accepted, what is not, and how content types cannot be used to get around it.

use hauberk_openapi::{BodyPlan, Document, Policy};
use serde_json::{Value, json};

use crate::request::{Request, judge, one, short};

fn check(document: &Document, request: &Request<'_>) -> String {
    short(judge(document, "POST", request, &Policy::default()))
}

fn body(version: &str, media_type: &str, schema: &Value) -> Document {
    one(
        version,
        &json!({"requestBody": {"required": true, "content": {media_type: {"schema": schema}}}}),
    )
}

#[test]
fn json_bodies_are_judged_by_their_schema() {
    let person = json!({
        "type": "object", "required": ["name"], "additionalProperties": false, "minProperties": 1, "maxProperties": 3,
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Z]", "minLength": 2},
            "tags": {"type": "array", "maxItems": 2, "uniqueItems": true, "items": {"type": "string"}},
            "kind": {"enum": ["a", "b"]},
            "born": {"type": "string", "format": "date"},
            "data": {"type": "string", "format": "byte"},
            "other": {"type": "string", "nullable": true},
            "any": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]},
            "no": {"not": {"type": "string"}},
            "weird name": {"type": "integer"},
        },
    });
    let document = body("3.0.3", "application/json", &person);
    let missing = "body $ constraint_violation missing_required_property";
    for (text, wanted) in [
        (r#"{"name":"Ada"}"#, "ok"),
        (r#"{"name":"Ada","tags":["x"],"other":null}"#, "ok"),
        (r#"{"tags":[]}"#, missing),
        (
            "{}",
            "body $ constraint_violation invalid_object_property_count",
        ),
        (
            r#"{"name":"Ada","tags":[],"kind":"a","other":""}"#,
            "body $ constraint_violation invalid_object_property_count",
        ),
        (
            r#"{"name":"Ada","admin":true}"#,
            "body $.admin constraint_violation forbidden_value",
        ),
        (
            r#"{"name":"Ada","a b":1}"#,
            r#"body $["a b"] constraint_violation forbidden_value"#,
        ),
        (r#"{"name":7}"#, "body $.name invalid_type expected:string"),
        (
            r#"{"name":null}"#,
            "body $.name invalid_type expected:string",
        ),
        (
            r#"{"name":"ada"}"#,
            "body $.name constraint_violation pattern_no_match",
        ),
        (
            r#"{"name":"A"}"#,
            "body $.name constraint_violation string_length_not_in_range",
        ),
        (
            r#"{"name":"Ada","tags":[1]}"#,
            "body $.tags[0] invalid_type expected:string",
        ),
        (
            r#"{"name":"Ada","tags":["a","b","c"]}"#,
            "body $.tags constraint_violation invalid_array_item_count",
        ),
        (
            r#"{"name":"Ada","tags":["a","a"]}"#,
            "body $.tags duplicate_value",
        ),
        (
            r#"{"name":"Ada","kind":"c"}"#,
            "body $.kind constraint_violation invalid_enum_variant",
        ),
        (
            r#"{"name":"Ada","born":"1815-13-10"}"#,
            "body $.born constraint_violation format_violation:date",
        ),
        (
            r#"{"name":"Ada","data":"*"}"#,
            "body $.data constraint_violation format_violation:byte",
        ),
        (
            r#"{"name":"Ada","any":7}"#,
            "body $.any constraint_violation one_of",
        ),
        (r#"{"name":"Ada","any":5.5}"#, "ok"),
        (
            r#"{"name":"Ada","no":"x"}"#,
            "body $.no constraint_violation not",
        ),
        (
            r#"{"name":"Ada","weird name":"x"}"#,
            r#"body $["weird name"] invalid_type expected:integer"#,
        ),
        ("[]", "body $ invalid_type expected:object"),
        ("null", "body $ invalid_type expected:object"),
    ] {
        assert_eq!(
            check(&document, &Request::json(text.as_bytes())),
            wanted,
            "{text}"
        );
    }
}

#[test]
fn json_is_read_strictly() {
    let document = body("3.1.0", "application/json", &json!({}));
    let invalid = "body $ invalid_syntax invalid_json";
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let long = format!("[{}0]", "0,".repeat(10_000));
    let cases: [(&[u8], &str); 16] = [
        (b"{\"a\":1}", "ok"),
        (b" null ", "ok"),
        (b"{\"a\":1", invalid),
        (b"{\"a\":1} x", invalid),
        (b"\xEF\xBB\xBF{}", invalid),
        (b"NaN", invalid),
        (b"[1,]", invalid),
        (b"{'a':1}", invalid),
        (b"\"\x00\"", invalid),
        (b"{\"a\":{\"b\":1,\"b\":2}}", "body $.a.b duplicate_value"),
        (b"[\"\xC0\xAF\"]", "body $ invalid_encoding invalid_utf8"),
        (b"[\"\\uD800\"]", "body $[0] invalid_encoding invalid_utf8"),
        // A number that binary64 cannot hold is a number all the same.
        (b"{\"a\":1e999}", "ok"),
        (
            deep.as_bytes(),
            "body $ constraint_violation value_too_deep",
        ),
        (long.as_bytes(), "body $ too_many_values"),
        (b"", "body $ missing_required"),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(
            check(&document, &Request::json(bytes)),
            wanted,
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
        );
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn the_two_versions_mean_what_they_say() {
    let cases: [(&str, Value, &str, &str); 20] = [
        (
            "3.0.3",
            json!({"type": "integer", "nullable": true}),
            "null",
            "ok",
        ),
        (
            "3.0.3",
            json!({"type": "integer", "nullable": true}),
            "\"x\"",
            "body $ invalid_type expected:integer",
        ),
        (
            "3.0.3",
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            "null",
            "body $ constraint_violation invalid_enum_variant",
        ),
        (
            "3.0.3",
            json!({"type": "number", "maximum": 5, "exclusiveMaximum": true}),
            "5",
            "body $ constraint_violation number_too_big",
        ),
        (
            "3.0.3",
            json!({"type": "number", "maximum": 5, "exclusiveMaximum": false}),
            "5",
            "ok",
        ),
        ("3.0.3", json!({"const": 1}), "2", "ok"),
        ("3.0.3", json!({"type": "integer"}), "1.0", "ok"),
        (
            "3.0.3",
            json!({"type": "integer"}),
            "1.5",
            "body $ invalid_type expected:integer",
        ),
        ("3.1.0", json!({"type": ["integer", "null"]}), "null", "ok"),
        (
            "3.1.0",
            json!({"type": ["integer", "string"]}),
            "true",
            "body $ invalid_type expected:one_of",
        ),
        (
            "3.1.0",
            json!({"type": "integer", "nullable": true}),
            "null",
            "body $ invalid_type expected:integer",
        ),
        (
            "3.1.0",
            json!({"exclusiveMaximum": 5}),
            "5",
            "body $ constraint_violation number_too_big",
        ),
        (
            "3.1.0",
            json!({"const": 1}),
            "2",
            "body $ constraint_violation different_const_value",
        ),
        (
            "3.1.0",
            json!({"if": {"type": "string"}, "then": {"maxLength": 1}}),
            "\"ab\"",
            "body $ constraint_violation string_length_not_in_range",
        ),
        (
            "3.1.0",
            json!({"prefixItems": [{"type": "integer"}], "items": false}),
            "[1,2]",
            "body $[1] constraint_violation forbidden_value",
        ),
        (
            "3.1.0",
            json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false}),
            r#"{"b":1}"#,
            "body $.b constraint_violation forbidden_value",
        ),
        (
            "3.1.0",
            json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false}),
            r#"{"a":1}"#,
            "ok",
        ),
        (
            "3.1.0",
            json!({"dependentRequired": {"a": ["b"]}}),
            r#"{"a":1}"#,
            "body $ constraint_violation missing_required_property",
        ),
        (
            "3.1.0",
            json!({"propertyNames": {"maxLength": 1}}),
            r#"{"ab":1}"#,
            "body $.ab constraint_violation forbidden_value",
        ),
        (
            "3.1.0",
            json!({"contains": {"type": "null"}}),
            "[1]",
            "body $ constraint_violation invalid_array_item_count",
        ),
    ];
    for (version, schema, text, wanted) in cases {
        let document = body(version, "application/json", &schema);
        assert_eq!(
            check(&document, &Request::json(text.as_bytes())),
            wanted,
            "{version} {schema} on {text}"
        );
    }
}

#[test]
fn references_recurse_and_3_0_ignores_their_siblings() {
    for (version, wanted) in [
        ("3.0.3", "ok"),
        (
            "3.1.0",
            "body $.next constraint_violation invalid_object_property_count",
        ),
    ] {
        let source = json!({
            "openapi": version, "info": {"title": "t", "version": "1"},
            "paths": {"/t": {"post": {"requestBody": {"$ref": "#/components/requestBodies/Node"}}}},
            "components": {
                "requestBodies": {"Node": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Alias"}}}}},
                "schemas": {
                    "Alias": {"$ref": "#/components/schemas/Node"},
                    "Node": {"type": "object", "additionalProperties": false, "properties": {
                        "value": {"type": "integer"},
                        "next": {"$ref": "#/components/schemas/Node", "minProperties": 1},
                    }},
                },
            },
        });
        let document = crate::request::document(&source.to_string()).document;
        assert_eq!(
            check(&document, &Request::json(br#"{"next":{}}"#)),
            wanted,
            "{version}"
        );
        let deep = br#"{"next":{"next":{"next":{"value":"x"}}}}"#;
        assert_eq!(
            check(&document, &Request::json(deep)),
            "body $.next.next.next.value invalid_type expected:integer"
        );
        let result = judge(&document, "POST", &Request::json(deep), &Policy::default());
        assert_eq!(
            result.expect_err("a violation").rule,
            ".components.schemas.Node.properties.value.type"
        );
    }
}

#[test]
fn content_types_cannot_smuggle_a_body_past() {
    let document = body("3.0.3", "application/json", &json!({"type": "object"}));
    let bad: &[u8] = b"[]";
    let with = |headers: &[(&'static str, &'static [u8])]| Request {
        path: "/t",
        headers: headers.to_vec(),
        body: Some(bad),
        ..Request::default()
    };
    let json = "application/json";
    for (headers, wanted) in [
        (
            &[("content-type", json.as_bytes())][..],
            "body $ invalid_type expected:object",
        ),
        (
            &[("content-type", b"APPLICATION/JSON; charset=\"UTF-8\"")],
            "body $ invalid_type expected:object",
        ),
        (
            &[("content-type", b"application/json;v=1")],
            "body $ invalid_type expected:object",
        ),
        (&[], "body $ invalid_media_type invalid_content_type"),
        (
            &[
                ("content-type", b"application/json"),
                ("content-type", b"text/plain"),
            ],
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            &[
                ("content-type", b"application/json"),
                ("content-type", b"application/json"),
            ],
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            &[("content-type", b"application/json, text/plain")],
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            &[("content-type", b"application/json\xff")],
            "body $ invalid_media_type invalid_content_type",
        ),
        (
            &[("content-type", b"text/plain")],
            "body $ invalid_media_type invalid_media_type",
        ),
        (
            &[("content-type", b"application/jsonx")],
            "body $ invalid_media_type invalid_media_type",
        ),
        (
            &[("content-type", b"application/problem+json")],
            "body $ invalid_media_type invalid_media_type",
        ),
        (
            &[("content-type", b"application/json; charset=utf-16")],
            "body $ unsupported_media_type unsupported_media_type_parameter",
        ),
        (
            &[
                ("content-type", b"application/json"),
                ("content-encoding", b"gzip"),
            ],
            "body $ unsupported_media_type",
        ),
        (
            &[
                ("content-type", b"application/json"),
                ("content-encoding", b"identity"),
            ],
            "body $ invalid_type expected:object",
        ),
        (
            &[
                ("content-type", b"application/json"),
                ("content-encoding", b"identity"),
                ("content-encoding", b"br"),
            ],
            "body $ unsupported_media_type",
        ),
    ] {
        assert_eq!(check(&document, &with(headers)), wanted, "{headers:?}");
    }
}

#[test]
fn bodies_come_when_declared_and_only_then() {
    let none = one("3.0.3", &json!({}));
    let optional = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"application/json": {}}}}),
    );
    let required = body("3.0.3", "application/json", &json!({}));
    let empty = Request {
        path: "/t",
        ..Request::default()
    };
    for (document, request, wanted) in [
        (&none, &empty, "ok"),
        (
            &none,
            &Request::json(b"{}"),
            "body $ constraint_violation forbidden_value",
        ),
        (&optional, &empty, "ok"),
        (&optional, &Request::json(b""), "ok"),
        (
            &optional,
            &Request::json(b"{"),
            "body $ invalid_syntax invalid_json",
        ),
        (&required, &empty, "body $ missing_required"),
    ] {
        assert_eq!(check(document, request), wanted, "{request:?}");
    }
}

#[test]
fn ranges_are_judged_as_far_as_they_can_be() {
    let object = json!({"type": "object"});
    let bytes = json!({"type": "string", "format": "binary"});
    let text = |content_type: &'static [u8]| Request {
        path: "/t",
        headers: vec![("content-type", content_type)],
        body: Some(b"[]"),
        ..Request::default()
    };
    for (range, schema, content_type, wanted) in [
        (
            "*/*",
            &object,
            &b"application/json"[..],
            "body $ invalid_type expected:object",
        ),
        (
            "application/*",
            &object,
            b"application/vnd.x+json",
            "body $ invalid_type expected:object",
        ),
        (
            "application/*+json",
            &object,
            b"application/vnd.x+json",
            "body $ invalid_type expected:object",
        ),
        (
            "*/*",
            &object,
            b"text/plain",
            "body $ invalid_media_type invalid_media_type",
        ),
        (
            "application/*",
            &object,
            b"text/json",
            "body $ invalid_media_type invalid_media_type",
        ),
        ("*/*", &bytes, b"image/png", "ok"),
        ("image/*", &bytes, b"image/png", "ok"),
        (
            "application/xml",
            &object,
            b"application/xml",
            "body $ unsupported_media_type",
        ),
        ("application/zip", &object, b"application/zip", "ok"),
    ] {
        let document = body("3.0.3", range, schema);
        assert_eq!(
            check(&document, &text(content_type)),
            wanted,
            "{range} {schema}"
        );
    }
    let document = body("3.0.3", "application/zip", &object);
    let plan = judge(
        &document,
        "POST",
        &text(b"application/zip"),
        &Policy::default(),
    );
    assert_eq!(plan, Ok(BodyPlan::Pass));
}

#[test]
fn forms_become_objects_by_their_schema() {
    let schema = json!({
        "type": "object", "required": ["n"], "additionalProperties": false,
        "properties": {
            "n": {"type": "integer", "maximum": 9},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "both": {"oneOf": [{"type": "integer", "maximum": 5}, {"type": "string", "minLength": 2}]},
            "flag": {"type": "boolean"},
        },
    });
    let document = body("3.0.3", "application/x-www-form-urlencoded", &schema);
    for (text, wanted) in [
        ("n=1", "ok"),
        ("n=1&tags=a&tags=b&flag=true&both=12", "ok"),
        ("n=1&both=4", "ok"),
        ("n=1&both=x", "body $.both constraint_violation one_of"),
        ("n=x", "body $.n invalid_type expected:integer"),
        ("n=10", "body $.n constraint_violation number_too_big"),
        ("n=1&n=1", "body $.n duplicate_value"),
        (
            "n=1&tags=a&tags=b&tags=c",
            "body $.tags constraint_violation invalid_array_item_count",
        ),
        ("n=1&x=1", "body $.x constraint_violation forbidden_value"),
        (
            "tags=a",
            "body $ constraint_violation missing_required_property",
        ),
        ("n=%zz", "body $.n invalid_syntax invalid_form_urlencoded"),
        ("%zz=1", "body $ invalid_syntax invalid_form_urlencoded"),
        ("n=1&tags=%ff", "body $.tags invalid_encoding invalid_utf8"),
    ] {
        assert_eq!(
            check(&document, &Request::form(text.as_bytes())),
            wanted,
            "{text}"
        );
    }
    let few = Policy {
        max_members: 1,
        ..Policy::default()
    };
    assert_eq!(
        short(judge(
            &document,
            "POST",
            &Request::form(b"n=1&tags=a"),
            &few
        )),
        "body $ too_many_values"
    );
}

#[test]
fn a_target_never_grows_with_the_request() {
    let document = body(
        "3.0.3",
        "application/json",
        &json!({"type": "object", "additionalProperties": false}),
    );
    let text = format!(r#"{{"{}":1}}"#, "x".repeat(100_000));
    let violation = judge(
        &document,
        "POST",
        &Request::json(text.as_bytes()),
        &Policy::default(),
    )
    .expect_err("a violation");
    assert!(violation.target.chars().count() <= hauberk_openapi::MAX_TARGET_CHARS + 1);
}
