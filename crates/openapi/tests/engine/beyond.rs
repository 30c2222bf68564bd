//! What the test suite has no tests for: OpenAPI's own keywords, exact numbers of the document, patterns that cost too much.

use hauberk_openapi::{Violation, load};
use serde_json::{Value, json};

use crate::wrapped::Wrapped;

fn short(result: Result<(), Violation>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(violation) => format!(
            "{} {} {}",
            violation.target,
            violation.error_detail.as_deref().unwrap_or("-"),
            violation.rule
        ),
    }
}

fn check(version: &str, schema: &str, cases: &[(&str, &str)]) {
    let source = format!(
        r##"{{"openapi":"{version}","info":{{"title":"t","version":"1"}},"paths":{{"/t":{{"post":{{"requestBody":{{"content":{{
        "application/json":{{"schema":{{"$ref":"#/components/schemas/S"}}}}}}}}}}}}}},"components":{{"schemas":{{"S":{schema}}}}}}}"##
    );
    let wrapped = Wrapped::from_source(&source).unwrap_or_else(|problems| panic!("{problems:?}"));
    for (text, wanted) in cases {
        let found = short(wrapped.judge(text.as_bytes()));
        assert_eq!(
            found.replace(".components.schemas.", "."),
            *wanted,
            "{schema} on {text}"
        );
    }
}

#[test]
fn a_discriminator_tells_where_to_look_and_never_what_conforms() {
    let schemas = r##"{"oneOf":[{"$ref":"#/components/schemas/Cat"},{"$ref":"#/components/schemas/Dog"}],
        "discriminator":{"propertyName":"kind","mapping":{"hound":"#/components/schemas/Dog","tom":"Cat"}}},
        "Cat":{"type":"object","required":["kind"],"properties":{"kind":{"type":"string"},"lives":{"type":"integer","maximum":9}}},
        "Dog":{"type":"object","required":["kind","bark"],"properties":{"kind":{"type":"string"},"bark":{"type":"string"}}"##;
    check(
        "3.0.3",
        // Braces left open are closed by the caller.
        &format!("{schemas}}}"),
        &[
            (r#"{"kind":"Cat","lives":7}"#, "ok"),
            // It says it is a dog and conforms as a cat: the schema alone decides.
            (r#"{"kind":"Dog","lives":7}"#, "ok"),
            (
                r#"{"kind":"Cat","lives":10}"#,
                "$.lives number_too_big .Cat.properties.lives.maximum",
            ),
            (
                r#"{"kind":"tom","lives":10}"#,
                "$.lives number_too_big .Cat.properties.lives.maximum",
            ),
            (
                r#"{"kind":"hound","lives":10}"#,
                "$ missing_required_property .Dog.required.bark",
            ),
            (r#"{"kind":"cow","lives":10}"#, "$ one_of .S.oneOf"),
            (r#"{"lives":10}"#, "$ one_of .S.oneOf"),
            (r#"{"kind":1}"#, "$ one_of .S.oneOf"),
            // Both conform: that is what is wrong.
            (r#"{"kind":"Cat","bark":"woof"}"#, "$ one_of .S.oneOf"),
            ("[]", "$ one_of .S.oneOf"),
        ],
    );
}

#[test]
fn read_only_properties_need_not_be_sent() {
    for version in ["3.0.3", "3.1.0"] {
        check(
            version,
            r##"{"type":"object","required":["id","at","name"],"properties":{"id":{"type":"integer","readOnly":true},
                "at":{"$ref":"#/components/schemas/Time"},"name":{"type":"string"}}},"Time":{"type":"string","readOnly":true}"##,
            &[
                (r#"{"name":"a"}"#, "ok"),
                (r#"{"name":"a","id":1,"at":"now"}"#, "ok"),
                (
                    r#"{"name":"a","id":"x"}"#,
                    "$.id expected:integer .S.properties.id.type",
                ),
                (
                    r#"{"id":1}"#,
                    "$ missing_required_property .S.required.name",
                ),
            ],
        );
    }
}

#[test]
fn numbers_of_the_document_are_exact() {
    check(
        "3.1.0",
        r#"{"maximum":9007199254740993.5,"enum":[9007199254740993.5,1,123456789012345678901234567890,[0.1000000000000000000001],1e400]}"#,
        &[
            ("9007199254740993.5", "ok"),
            ("9007199254740993.50", "ok"),
            ("9007199254740993.4", "$ invalid_enum_variant .S.enum"),
            ("[0.1000000000000000000001]", "ok"),
            ("[0.1]", "$ invalid_enum_variant .S.enum"),
            (
                "123456789012345678901234567890",
                "$ number_too_big .S.maximum",
            ),
            ("1.0", "ok"),
        ],
    );
    check(
        "3.0.3",
        r#"{"type":"number","minimum":123456789012345678901,"exclusiveMinimum":true,"format":"double"}"#,
        &[
            (
                "123456789012345678901",
                "$ number_too_small .S.exclusiveMinimum",
            ),
            ("123456789012345678901.1", "ok"),
            ("1e400", "$ format_violation:double .S.format"),
        ],
    );
    check(
        "3.1.0",
        r#"{"multipleOf":0.01,"type":["number","null"]}"#,
        &[
            ("19.99", "ok"),
            ("1e400", "ok"),
            ("19.995", "$ multiple_of .S.multipleOf"),
            ("1e-400", "$ multiple_of .S.multipleOf"),
        ],
    );
    let yaml = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\nx: &big {const: 123456789012345678901}\npaths: {/t: {post: {requestBody: {content: {application/json: {schema: *big}}}}}}\n";
    let wrapped = Wrapped::from_source(yaml).expect("it loads");
    assert_eq!(wrapped.judge(b"123456789012345678901"), Ok(()));
    assert!(wrapped.judge(b"123456789012345678902").is_err());
    // What is told of the document is plain JSON.
    let told = hauberk_openapi::to_json(yaml.as_bytes(), &hauberk_openapi::Limits::default());
    assert_eq!(
        told.expect("it is read")["x"],
        json!({"const": 123_456_789_012_345_678_901_f64})
    );
}

#[test]
fn a_pattern_that_costs_too_much_has_a_code_of_its_own() {
    let text = format!("\"{}!\"", "a".repeat(40));
    check(
        "3.1.0",
        r#"{"pattern":"^(a|a)*\\1$"}"#,
        &[("\"aa\"", "ok"), (&text, "$ pattern_too_costly .S.pattern")],
    );
}

/// A tree whose nodes are of whatever kind the outermost schema says.
#[test]
fn dynamic_references_lead_to_the_outermost_name() {
    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {
            "/t": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Strict"}}}}}},
            "/u": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}}},
        },
        "components": {"schemas": {
            "Tree": {"$id": "https://example.com/tree", "$dynamicAnchor": "node", "type": "object",
                "properties": {"data": true, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}}},
            "Strict": {"$id": "https://example.com/strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false},
        }},
    });
    let loaded = load(
        source.to_string().as_bytes(),
        &hauberk_openapi::Limits::default(),
    )
    .expect("it loads");
    let wrapped = Wrapped::from_source(&source.to_string()).expect("it loads");
    assert_eq!(loaded.warnings, []);
    let sound: Value = json!({"children": [{"data": 1, "children": []}]});
    let misspelt = json!({"children": [{"daat": 1}]});
    assert!(wrapped.accepts(&sound));
    assert_eq!(
        short(wrapped.judge(misspelt.to_string().as_bytes())),
        "$.children[0].daat forbidden_value .components.schemas.Strict.unevaluatedProperties"
    );
    let lenient = json!(source.to_string().replace("/t", "/x").replace("/u", "/t"));
    let lenient = lenient
        .as_str()
        .unwrap_or_default()
        .replace("https://example.com/x", "https://example.com/t");
    let lenient = Wrapped::from_source(&lenient).expect("it loads");
    assert!(lenient.accepts(&misspelt));
}
