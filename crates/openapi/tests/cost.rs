//! What judging a body costs is bounded, whatever the schema: bodies that would take for ever are refused.
//!
//! Nothing is asserted of times, but that there is an end.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use hauberk_openapi::{Document, Policy};
use serde_json::{Value, json};

use crate::request::{Request, document, judge, one, short};

/// What came of it, within a minute.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver
        .recv_timeout(Duration::from_mins(1))
        .expect("the body is judged in a minute")
}

fn check(document: &Document, text: &str) -> String {
    short(judge(
        document,
        "POST",
        &Request::json(text.as_bytes()),
        &Policy::default(),
    ))
}

/// A document whose bodies are `N`.
fn recursive(node: &Value) -> Document {
    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/t": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/N"}}}}}}},
        "components": {"schemas": {"N": node}},
    });
    document(&source.to_string()).document
}

fn nested(depth: usize, open: &str, leaf: &str, close: &str) -> String {
    format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth))
}

/// Branches that lead back to the whole, each through the same member.
fn branches(count: usize) -> Vec<Value> {
    (0..count)
        .map(|index| {
            json!({"type": "object", "required": ["a"],
                "properties": {"a": {"$ref": "#/components/schemas/N"}, format!("own{index}"): {"type": "string"}}})
        })
        .collect()
}

#[test]
fn recursion_through_several_branches_ends() {
    let number = json!({"type": "number"});
    let with_number = |count| {
        let mut all = branches(count);
        all.push(number.clone());
        all
    };
    let two = branches(2);
    let either = json!({"if": {"type": "number"}, "then": true, "else": {"allOf": two.clone()}});
    let schemas = [
        json!({"oneOf": with_number(2)}),
        json!({"oneOf": with_number(8)}),
        json!({"anyOf": with_number(2)}),
        json!({"anyOf": with_number(8)}),
        either,
        json!({"if": {"anyOf": with_number(2)}, "then": {"anyOf": with_number(3)}, "else": {"oneOf": with_number(2)}}),
        json!({"not": {"not": {"oneOf": with_number(2)}}}),
        json!({"allOf": two.clone()}),
        json!({"not": {"anyOf": with_number(2)}}),
        json!({"type": ["object", "number"], "properties": {"a": {"$ref": "#/components/schemas/N"}},
            "patternProperties": {"^a": {"$ref": "#/components/schemas/N"}, "a$": {"$ref": "#/components/schemas/N"}}}),
        json!({"type": ["object", "number"], "dependentSchemas": {"a": {"anyOf": with_number(2)}},
            "properties": {"a": {"$ref": "#/components/schemas/N"}}}),
        json!({"anyOf": with_number(2), "unevaluatedProperties": false}),
        json!({"allOf": [{"anyOf": with_number(2)}, {"anyOf": with_number(2)}], "unevaluatedProperties": false}),
    ];
    for schema in schemas {
        let shown = schema.to_string();
        let begin = Instant::now();
        let found = ends(move || {
            let document = recursive(&schema);
            ["1", "\"x\"", "{}", "null"]
                .into_iter()
                .map(|leaf| check(&document, &nested(60, "{\"a\":", leaf, "}")))
                .collect::<Vec<_>>()
        });
        // Each is judged twice, with its first violation and with all.
        eprintln!(
            "{:?} for 8 judgements: {found:?} by {shown}",
            begin.elapsed()
        );
        if shown.starts_with("{\"anyOf\"") || shown.starts_with("{\"oneOf\"") {
            assert!(found[1..].iter().all(|found| found != "ok"), "{shown}");
        }
    }
}

#[test]
fn the_body_of_692_bytes_is_refused_and_its_sound_sibling_is_not() {
    let document = recursive(&json!({"anyOf": [
        {"type": "object", "required": ["and"], "properties": {"and": {"type": "array", "items": {"$ref": "#/components/schemas/N"}}}},
        {"type": "object", "required": ["and", "not"], "properties": {"and": {"type": "array", "items": {"$ref": "#/components/schemas/N"}}}},
        {"type": "integer"},
    ]}));
    ends(move || {
        let text = |leaf| nested(31, "{\"and\":[", leaf, "]}");
        assert_eq!(check(&document, &text("1")), "ok");
        // What is wrong is told at any depth: branches go through a value side by side.
        assert_eq!(
            check(&document, &text("\"x\"")),
            "body $ constraint_violation any_of"
        );
        assert_eq!(
            check(&document, &nested(4, "{\"and\":[", "\"x\"", "]}")),
            "body $ constraint_violation any_of"
        );
    });
}

#[test]
fn parts_that_conform_are_not_judged_again_and_again() {
    // Every level is judged by both parts, and what is wrong stands beside the depths that conform.
    let part = json!({"properties": {"a": {"$ref": "#/components/schemas/N"}}});
    let document =
        recursive(&json!({"allOf": [part, part, {"properties": {"bad": {"type": "null"}}}]}));
    ends(move || {
        let deep = nested(60, "{\"a\":", "1", "}");
        assert_eq!(check(&document, &deep), "ok");
        let refused = check(&document, &format!("{{\"bad\":1,\"a\":{deep}}}"));
        assert_eq!(refused, "body $.bad invalid_type expected:null");
        let refused = check(&document, "{\"bad\":1,\"a\":{\"a\":1}}");
        assert_eq!(refused, "body $.bad invalid_type expected:null");
    });
}

#[test]
fn what_is_wrong_with_a_large_body_is_told() {
    let item =
        json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}});
    let schema = json!({"oneOf": [item, {"type": "array", "items": item}, {"type": "array", "items": {"type": "integer"}}]});
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}),
    );
    let text = format!("[{}]", vec!["{\"id\":\"x\"}"; 4_900].join(","));
    assert_eq!(
        check(&document, &text),
        "body $ constraint_violation one_of"
    );
}

#[test]
fn what_only_nests_is_judged_to_the_last_level() {
    let list = json!({"type": "object", "additionalProperties": false, "required": ["value"],
        "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/components/schemas/N"}}});
    let document = recursive(&list);
    let text = |leaf: &str| nested(60, "{\"value\":1,\"next\":", leaf, "}");
    assert_eq!(check(&document, &text("{\"value\":1}")), "ok");
    let refused = check(&document, &text("{\"value\":\"x\"}"));
    assert!(
        refused.ends_with("… invalid_type expected:integer"),
        "{refused}"
    );
    // Branches that exclude each other by what they require cost nothing more.
    let document = recursive(&json!({"oneOf": [
        {"type": "object", "additionalProperties": false, "required": ["left"], "properties": {"left": {"$ref": "#/components/schemas/N"}}},
        {"type": "object", "additionalProperties": false, "required": ["right"], "properties": {"right": {"$ref": "#/components/schemas/N"}}},
        {"type": "integer"},
    ]}));
    for (leaf, wanted) in [("1", "ok"), ("null", "body $ constraint_violation one_of")] {
        let text = nested(30, "{\"left\":{\"right\":", leaf, "}}");
        assert_eq!(check(&document, &text), wanted);
    }
}

#[test]
fn items_that_must_differ_are_compared_in_passing() {
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"application/json": {"schema": {"type": "array", "uniqueItems": true}}}}}),
    );
    for (text, wanted) in [
        (
            "[1,2,[1],[[1]],{\"a\":1,\"b\":2},{\"a\":2,\"b\":1},\"1\",true,null,[],{},1.5]",
            true,
        ),
        ("[9007199254740993,9007199254740992]", true),
        ("[1,1.0]", false),
        ("[0,-0.0]", false),
        ("[{\"a\":1,\"b\":[2]},{\"b\":[2.0],\"a\":1}]", false),
        ("[1e30,1e30]", false),
        ("[[],[[]],[[],[]]]", true),
        ("[[false,[false],4],[null,[null]]]", true),
    ] {
        let wanted = if wanted {
            "ok"
        } else {
            "body $ duplicate_value"
        };
        assert_eq!(check(&document, text), wanted, "{text}");
    }
    // These share their nearest binary64.
    let numbers: Vec<String> = (0..9_000)
        .map(|index| (u64::MAX - index).to_string())
        .collect();
    let text = format!("[{}]", numbers.join(","));
    assert_eq!(ends(move || check(&document, &text)), "ok");
}

#[test]
fn patterns_that_take_steps_back_share_one_bound() {
    let item = json!({"type": "string", "pattern": "^(?=(a+)+b)(a|b)*$"});
    let schema = json!({"type": "array", "items": item});
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}),
    );
    assert_eq!(check(&document, "[\"aab\",\"ab\"]"), "ok");
    assert_eq!(
        check(&document, "[\"aab\",\"ba\"]"),
        "body $[1] constraint_violation pattern_no_match"
    );
    let slow = format!("\"{}\"", "a".repeat(60));
    let text = format!("[{}]", vec![slow; 9_000].join(","));
    let refused = ends(move || check(&document, &text));
    assert!(refused.starts_with("body $"), "{refused}");
    let names =
        json!({"type": "object", "patternProperties": {"^(?=(a+)+b)(a|b)*$": {"type": "string"}}});
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"application/json": {"schema": names}}}}),
    );
    let members: Vec<String> = (0..9_000)
        .map(|index| format!("\"{}{index}\":1", "a".repeat(60)))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    ends(move || check(&document, &text));
}

#[test]
fn long_values_are_compared_with_many() {
    let schema = |schema: &Value| {
        one(
            "3.1.0",
            &json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}),
        )
    };
    let numbers: Vec<Value> = (0..10_000).map(Value::from).collect();
    let lists: Vec<Value> = (0..1_000)
        .map(|number| json!([number.to_string()]))
        .collect();
    let (numbers, lists) = (
        schema(&json!({"enum": numbers})),
        schema(&json!({"enum": lists})),
    );
    let number = "1".repeat(1_000_000);
    let text = format!("[\"{}\"]", "\\n".repeat(500_000));
    let (number, text) = ends(move || (check(&numbers, &number), check(&lists, &text)));
    assert_eq!(number, "body $ constraint_violation invalid_enum_variant");
    assert_eq!(text, "body $ constraint_violation value_too_deep");

    let divisor = "7".repeat(5_000);
    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/t": {"post": {"requestBody": {"content": {"application/json": {"schema": {"multipleOf": 7}}}}}}},
    });
    let source = source.to_string().replace(":7}", &format!(":{divisor}}}"));
    let multiples = document(&source).document;
    let found = ends(move || check(&multiples, &"8".repeat(1_000_000)));
    assert_eq!(found, "body $ constraint_violation multiple_of");
}

#[test]
fn forms_that_refer_to_the_same_twice_again_and_again_load() {
    const LEVELS: usize = 40;
    let mut schemas = serde_json::Map::new();
    for level in 0..LEVELS {
        let next = json!({"$ref": format!("#/components/schemas/S{}", level + 1)});
        schemas.insert(format!("S{level}"), json!({"allOf": [next, next]}));
    }
    schemas.insert(
        format!("S{LEVELS}"),
        json!({"type": "object", "properties": {"text": {"type": "string"}}}),
    );
    let file = json!({"properties": {"file": {"type": "string", "format": "binary"}}});
    let form = json!({"allOf": [file, {"$ref": "#/components/schemas/S0"}]});
    let source = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "components": {"schemas": schemas},
        "paths": {"/t": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": form}}}}}},
    });
    let loaded = ends(move || document(&source.to_string()).document.operations().len());
    assert_eq!(loaded, 1);
}
