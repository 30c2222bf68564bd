//! Choices where OpenAPI is silent, each both ways.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use hauberk_openapi::{BodyPlan, ContentEncoding, Document, Policy, Unchecked};
use serde_json::{Value, json};

use crate::request::{Request, judge, one, short};

fn check(document: &Document, request: &Request<'_>, policy: &Policy) -> String {
    short(judge(document, "POST", request, policy))
}

fn body(media_type: &str, schema: &Value) -> Document {
    one(
        "3.0.3",
        &json!({"requestBody": {"content": {media_type: {"schema": schema}}}}),
    )
}

fn typed<'a>(content_type: &'a str, body: &'a [u8]) -> Request<'a> {
    Request {
        path: "/t",
        headers: vec![("content-type", content_type.as_bytes())],
        body: Some(body),
        ..Request::default()
    }
}

#[test]
fn undeclared_bodies_pass_if_the_policy_says_so() {
    let document = one("3.0.3", &json!({}));
    let request = Request::json(b"[");
    let strict = Policy::default();
    let lenient = Policy {
        undeclared_body: false,
        ..Policy::default()
    };
    assert_eq!(
        check(&document, &request, &strict),
        "body $ constraint_violation forbidden_value"
    );
    assert_eq!(
        judge(&document, "POST", &request, &lenient),
        Ok(BodyPlan::Pass)
    );
}

#[test]
fn an_operation_s_own_word_on_undeclared_things_comes_before_the_policy() {
    let strict = Policy::default();
    let lenient = Policy {
        undeclared_query: false,
        undeclared_body: false,
        ..Policy::default()
    };
    let query = Request::query("b=1");
    for (word, policy, is_refused) in [
        ("allow", &strict, false),
        ("reject", &strict, true),
        ("allow", &lenient, false),
        ("reject", &lenient, true),
    ] {
        let document = one(
            "3.0.3",
            &json!({"x-hauberk-undeclared-query": word, "x-hauberk-undeclared-body": word}),
        );
        for request in [&query, &Request::json(b"{}")] {
            let judged = check(&document, request, policy);
            assert_eq!(judged != "ok", is_refused, "{word} {judged}");
        }
    }
}

#[test]
fn a_body_of_another_type_or_of_none_is_what_the_operation_says_it_is() {
    let content = json!({"application/json": {"schema": {"type": "object", "required": ["a"]}}});
    let document = |more: &Value| {
        let mut operation = json!({"requestBody": {"content": content}});
        let members = operation.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        one("3.0.3", &operation)
    };
    let (strict, open) = (json!({}), json!({"x-hauberk-undeclared-body": "allow"}));
    let untyped = json!({"x-hauberk-untyped-body": "application/json"});
    let none = |body| Request {
        path: "/t",
        body: Some(body),
        ..Request::default()
    };
    let refused = "body $ invalid_media_type invalid_content_type";
    let undeclared = "body $ invalid_media_type invalid_media_type";
    let missing = "body $ constraint_violation missing_required_property";
    for (operation, request, wanted) in [
        (&strict, none(b"{}"), refused),
        (&open, none(b"{}"), "ok"),
        (&untyped, none(b"{}"), missing),
        (&untyped, none(br#"{"a": 1}"#), "ok"),
        (&untyped, typed("nonsense", b"{}"), refused),
        (&untyped, typed("text/plain", b"x"), undeclared),
        (&strict, typed("text/plain", b"x"), undeclared),
        (&open, typed("text/plain", b"x"), "ok"),
        (&open, typed("application/json", b"{}"), missing),
    ] {
        let judged = check(&document(operation), &request, &Policy::default());
        assert_eq!(judged, wanted, "{operation} {request:?}");
    }
}

#[test]
fn repeated_parameters_are_refused_or_each_is_judged() {
    let integer = json!({"type": "integer", "maximum": 5});
    let document = one(
        "3.0.3",
        &json!({"parameters": [
            {"name": "q", "in": "query", "schema": integer},
            {"name": "c", "in": "cookie", "schema": integer},
            {"name": "h", "in": "header", "schema": integer},
        ]}),
    );
    let lenient = Policy {
        repeated_parameters: false,
        ..Policy::default()
    };
    let cookie = |text: &'static str| {
        Request {
            path: "/t",
            ..Request::default()
        }
        .header("cookie", text.as_bytes())
    };
    let header = |text: &'static str| {
        Request {
            path: "/t",
            ..Request::default()
        }
        .header("h", b"1")
        .header("h", text.as_bytes())
    };
    for (request, strict, wanted) in [
        (Request::query("q=1&q=2"), "query q duplicate_value", "ok"),
        (
            Request::query("q=1&q=6"),
            "query q duplicate_value",
            "query q constraint_violation number_too_big",
        ),
        (cookie("c=1; c=2"), "cookie c duplicate_value", "ok"),
        (
            cookie("c=1; c=x"),
            "cookie c duplicate_value",
            "cookie c invalid_type expected:integer",
        ),
        (header("2"), "header h duplicate_value", "ok"),
        (
            header("x"),
            "header h duplicate_value",
            "header h invalid_type expected:integer",
        ),
    ] {
        assert_eq!(check(&document, &request, &Policy::default()), strict);
        assert_eq!(check(&document, &request, &lenient), wanted);
    }
}

#[test]
fn numbers_have_one_spelling_or_what_they_spell() {
    let document = one(
        "3.0.3",
        &json!({"parameters": [{"name": "q", "in": "query", "schema": {"type": "integer", "maximum": 20}}]}),
    );
    let lenient = Policy {
        strict_numbers: false,
        ..Policy::default()
    };
    for (query, wanted) in [
        ("q=%2B10", "ok"),
        ("q=010", "ok"),
        ("q=1e1", "ok"),
        ("q=10.0", "ok"),
        ("q=1e2", "query q constraint_violation number_too_big"),
        ("q=10.5", "query q invalid_type expected:integer"),
        ("q=0xA", "query q invalid_type expected:integer"),
    ] {
        let request = Request::query(query);
        assert_eq!(
            check(&document, &request, &Policy::default()),
            "query q invalid_type expected:integer"
        );
        assert_eq!(check(&document, &request, &lenient), wanted, "{query}");
    }
}

#[test]
fn xml_is_refused_or_passes() {
    let passing = Policy {
        xml: Unchecked::Pass,
        ..Policy::default()
    };
    for (declared, sent) in [
        ("application/xml", "application/xml"),
        (
            "application/soap+xml",
            "application/soap+xml; charset=utf-16",
        ),
        ("*/*", "text/xml"),
    ] {
        let document = body(declared, &json!({"type": "string"}));
        let request = typed(sent, b"<a/>");
        assert_eq!(
            check(&document, &request, &Policy::default()),
            "body $ unsupported_media_type"
        );
        assert_eq!(
            judge(&document, "POST", &request, &passing),
            Ok(BodyPlan::Pass)
        );
    }
}

#[test]
fn text_is_a_string_to_its_schema() {
    let document = body(
        "text/plain",
        &json!({"type": "string", "maxLength": 3, "pattern": "^[^x]"}),
    );
    for (content_type, text, wanted) in [
        ("text/plain", &b"a\"b"[..], "ok"),
        ("text/plain; charset=utf-8", "äöü".as_bytes(), "ok"),
        (
            "text/plain",
            b"abcd",
            "body $ constraint_violation string_length_not_in_range",
        ),
        (
            "text/plain",
            b"xbc",
            "body $ constraint_violation pattern_no_match",
        ),
        (
            "text/plain",
            b"\xff",
            "body $ invalid_encoding invalid_utf8",
        ),
        (
            "text/plain; charset=latin1",
            b"a",
            "body $ unsupported_media_type unsupported_media_type_parameter",
        ),
    ] {
        assert_eq!(
            check(&document, &typed(content_type, text), &Policy::default()),
            wanted,
            "{content_type} {text:?}"
        );
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

/// `{"a":1}`, packed by another implementation.
const BROTLI: &[u8] = &[11, 3, 128, 123, 34, 97, 34, 58, 49, 125, 3];

/// 200,000 spaces in 14 bytes.
const BROTLI_OF_SPACES: &[u8] = &[91, 63, 13, 131, 95, 2, 36, 30, 11, 4, 242, 9, 6, 0];

#[test]
fn packed_bodies_are_refused_or_unpacked_to_be_judged() {
    let document = body(
        "application/json",
        &json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
    );
    let unpack = Policy {
        content_encoding: ContentEncoding::Unpack,
        ..Policy::default()
    };
    let good = br#"{"a":1}"#;
    let two_members = [gzip(br#"{"a""#), gzip(b":1}")].concat();
    let cut = |mut bytes: Vec<u8>| {
        bytes.pop();
        bytes
    };
    let more = |mut bytes: Vec<u8>| {
        bytes.push(b'x');
        bytes
    };
    let bomb = gzip(&vec![b' '; 3_000_000]);
    let spaces = gzip(&vec![b' '; 200_000]);
    let few_spaces = gzip(&[&b"{}"[..], &vec![b' '; 50_000]].concat());
    let unsupported = "body $ unsupported_media_type";
    for (coding, bytes, wanted) in [
        ("gzip", gzip(good), "ok"),
        ("X-GZIP", gzip(good), "ok"),
        ("gzip", two_members, "ok"),
        ("deflate", deflate(good), "ok"),
        ("br", BROTLI.to_vec(), "ok"),
        ("identity", good.to_vec(), "ok"),
        ("gzip, deflate", deflate(&gzip(good)), "ok"),
        ("deflate, gzip", deflate(&gzip(good)), unsupported),
        (
            "gzip",
            gzip(br#"{"a":"x"}"#),
            "body $.a invalid_type expected:integer",
        ),
        ("gzip", good.to_vec(), unsupported),
        ("gzip", cut(gzip(good)), unsupported),
        ("gzip", more(gzip(good)), unsupported),
        ("deflate", cut(deflate(good)), unsupported),
        ("deflate", more(deflate(good)), unsupported),
        ("br", cut(BROTLI.to_vec()), unsupported),
        ("br", more(BROTLI.to_vec()), unsupported),
        ("gzip", bomb.clone(), "body $ body_size"),
        ("gzip, gzip", gzip(&bomb), "body $ body_size"),
        ("gzip", spaces, "body $ body_size"),
        ("br", BROTLI_OF_SPACES.to_vec(), "body $ body_size"),
        ("gzip", few_spaces, "ok"),
        ("zstd", good.to_vec(), unsupported),
        ("gzip, gzip, gzip, gzip", good.to_vec(), unsupported),
        ("", good.to_vec(), unsupported),
    ] {
        let request = Request::json(&bytes).header("content-encoding", coding.as_bytes());
        assert_eq!(check(&document, &request, &unpack), wanted, "{coding}");
        let refused = if coding == "identity" {
            "ok"
        } else {
            unsupported
        };
        assert_eq!(check(&document, &request, &Policy::default()), refused);
    }
    let small = Policy {
        max_unpacked_bytes: 6,
        ..unpack.clone()
    };
    let packed = gzip(good);
    let request = Request::json(&packed).header("content-encoding", b"gzip");
    assert_eq!(check(&document, &request, &small), "body $ body_size");
}

#[test]
fn a_packed_form_is_judged_as_it_arrives() {
    let schema = json!({"type": "object", "properties": {"f": {"type": "string", "format": "binary", "maxLength": 3}}});
    let document = body("multipart/form-data", &schema);
    let unpack = Policy {
        content_encoding: ContentEncoding::Unpack,
        ..Policy::default()
    };
    for (content, wanted) in [
        ("abc", "ok"),
        (
            "abcd",
            "body $.f constraint_violation string_length_not_in_range",
        ),
    ] {
        let text =
            format!("--b\r\nContent-Disposition: form-data; name=f\r\n\r\n{content}\r\n--b--");
        let packed = gzip(text.as_bytes());
        let request =
            typed("multipart/form-data; boundary=b", &packed).header("content-encoding", b"gzip");
        assert_eq!(check(&document, &request, &unpack), wanted);
    }
}
