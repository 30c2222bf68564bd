//! Multipart forms: what is accepted, what readers could disagree about, and that pieces do not matter.

use hauberk_openapi::{BodyPlan, Document, Policy, RequestHead};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use crate::request::{Request, judge, one, short};

fn form() -> Document {
    let schema = json!({
        "type": "object", "required": ["title"], "additionalProperties": false,
        "properties": {
            "title": {"type": "string", "maxLength": 5},
            "count": {"type": "integer", "maximum": 9},
            "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
            "meta": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            "picture": {"type": "string", "format": "binary", "minLength": 3, "maxLength": 8},
            "files": {"type": "array", "maxItems": 2, "items": {"type": "string", "format": "binary"}},
        },
    });
    let encoding = json!({"picture": {"contentType": "image/png, image/jpeg"}});
    let media = json!({"multipart/form-data": {"schema": schema, "encoding": encoding}});
    one(
        "3.0.3",
        &json!({"requestBody": {"required": true, "content": media}}),
    )
}

/// A part; `more` are further lines of its header.
fn part(name: &str, more: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{more}\r\n{content}\r\n")
}

fn check(document: &Document, body: &[u8], policy: &Policy) -> String {
    let request = Request {
        path: "/t",
        headers: vec![("content-type", b"multipart/form-data; boundary=b")],
        body: Some(body),
        ..Request::default()
    };
    short(judge(document, "POST", &request, policy))
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn parts_are_judged_by_their_schemas() {
    let document = form();
    let title = part("title", "", "hello");
    let png = "Content-Type: image/png\r\n";
    let json = "Content-Type: application/json\r\n";
    for (parts, wanted) in [
        (title.clone(), "ok"),
        (
            part("title", "Content-Type: text/plain; charset=UTF-8\r\n", "x"),
            "ok",
        ),
        // What Apache's client for Java says of any text.
        (
            part(
                "title",
                "Content-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n",
                "x",
            ),
            "ok",
        ),
        (
            part(
                "title",
                "Content-Type: text/plain; charset=ISO-8859-1\r\n",
                "\u{e9}",
            ),
            "body $.title unsupported_media_type unsupported_media_type_parameter",
        ),
        (part("title", "", ""), "ok"),
        (
            part("title", "", "too long"),
            "body $.title constraint_violation string_length_not_in_range",
        ),
        (
            String::new(),
            "body $ constraint_violation missing_required_property",
        ),
        (title.clone() + &part("count", "", "7"), "ok"),
        (
            title.clone() + &part("count", "", "x"),
            "body $.count invalid_type expected:integer",
        ),
        (
            title.clone() + &part("count", "", "10"),
            "body $.count constraint_violation number_too_big",
        ),
        (title.clone() + &title, "body $.title duplicate_value"),
        (
            title.clone() + &part("tags", "", "a") + &part("tags", "", "b"),
            "ok",
        ),
        (
            title.clone() + &part("tags[]", "", "a") + &part("tags[]", "", "b"),
            "ok",
        ),
        (
            title.clone()
                + &part("tags", "", "a")
                + &part("tags", "", "b")
                + &part("tags", "", "c"),
            "body $.tags constraint_violation invalid_array_item_count",
        ),
        (title.clone() + &part("meta", json, "{\"a\":1}"), "ok"),
        (title.clone() + &part("meta", "", "{\"a\":1}"), "ok"),
        (title.clone() + &part("meta[a]", "", "1"), "ok"),
        (
            title.clone() + &part("meta", json, "{}"),
            "body $.meta constraint_violation missing_required_property",
        ),
        (
            title.clone() + &part("meta", json, "{"),
            "body $.meta invalid_type expected:object",
        ),
        (title.clone() + &part("picture", png, "12345"), "ok"),
        (
            title.clone() + &part("picture", png, "12"),
            "body $.picture constraint_violation string_length_not_in_range",
        ),
        (
            title.clone() + &part("picture", png, "123456789"),
            "body $.picture constraint_violation string_length_not_in_range",
        ),
        (
            title.clone() + &part("picture", "Content-Type: image/gif\r\n", "12345"),
            "body $.picture invalid_media_type invalid_media_type",
        ),
        (
            title.clone() + &part("picture", "", "12345"),
            "body $.picture invalid_media_type invalid_media_type",
        ),
        (
            title.clone() + &part("picture", "Content-Type: image\r\n", "12345"),
            "body $.picture invalid_media_type invalid_content_type",
        ),
        (
            title.clone() + &part("files", "", "\u{0}") + &part("files", png, "\r\n--"),
            "ok",
        ),
        (
            title.clone()
                + &part("files", "", "")
                + &part("files", "", "")
                + &part("files", "", ""),
            "body $.files constraint_violation invalid_array_item_count",
        ),
        (
            title.clone() + &part("files[]", png, "1") + &part("files[]", png, "2"),
            "ok",
        ),
        (
            title.clone() + &part("meta", json, "{\"a\":1}") + &part("meta[a]", "", "x"),
            "body $.meta duplicate_value",
        ),
        (
            title.clone() + &part("meta", json, "{\"a\":1}") + &part("meta", json, "{\"a\":1}"),
            "body $.meta duplicate_value",
        ),
        (
            title.clone() + &part("picture", png, "123") + &part("picture", png, "123"),
            "body $.picture duplicate_value",
        ),
        (
            title.clone() + &part("other", "", "x"),
            "body $.other constraint_violation forbidden_value",
        ),
        (
            title.clone() + &part("count", "Content-Type: application/pdf\r\n", "1"),
            "body $.count invalid_media_type invalid_media_type",
        ),
        (
            title.clone() + &part("count", "Content-Type: text/plain; charset=utf-16\r\n", "1"),
            "body $.count unsupported_media_type unsupported_media_type_parameter",
        ),
        (
            title.clone() + &part("count", "Content-Transfer-Encoding: base64\r\n", "MQ=="),
            "body $.count unsupported_media_type",
        ),
        (
            title.clone() + &part("count", "Content-Transfer-Encoding: 8BIT\r\n", "1"),
            "ok",
        ),
        (
            title.clone()
                + &part(
                    "files",
                    "Content-Type: multipart/mixed; boundary=c\r\n",
                    "--c--",
                ),
            "body $.files unsupported_media_type",
        ),
    ] {
        let body = format!("{parts}--b--\r\n");
        assert_eq!(
            check(&document, body.as_bytes(), &Policy::default()),
            wanted,
            "{parts}"
        );
    }
    let bad = b"--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n\xff\r\n--b--";
    assert_eq!(
        check(&document, bad, &Policy::default()),
        "body $.title invalid_encoding invalid_utf8"
    );
    assert_eq!(
        check(&document, b"", &Policy::default()),
        "body $ missing_required"
    );
    let few = Policy {
        max_part_count: 1,
        ..Policy::default()
    };
    let two = format!("{title}{}--b--", part("count", "", "1"));
    assert_eq!(
        check(&document, two.as_bytes(), &few),
        "body $ too_many_values"
    );
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn what_readers_disagree_about_is_no_form() {
    let document = form();
    let good = format!("{}--b--\r\n", part("title", "", "hello"));
    let malformed = "body $ invalid_syntax";
    let replaced = |from: &str, to: &str| good.replacen(from, to, 1);
    let long = "x".repeat(9_000);
    for (body, wanted) in [
        (good.clone(), "ok"),
        (good.trim_end().to_owned(), "ok"),
        (replaced("--b--\r\n", ""), malformed),
        (replaced("--b--\r\n", "--b"), malformed),
        (replaced("--b--\r\n", "--b--\r\nx"), malformed),
        (replaced("--b--\r\n", "--b--\r\n\r\n"), malformed),
        (format!("preamble\r\n{good}"), malformed),
        (format!("\r\n{good}"), malformed),
        (good.replace("\r\n", "\n"), malformed),
        (replaced("--b\r\n", "--b \r\n"), malformed),
        (replaced("--b\r\n", "--b\n"), malformed),
        (replaced("\r\n--b--", "\n--b--"), malformed),
        (replaced("hello", "--b"), malformed),
        (replaced("hello", "a\n--b\r\n"), malformed),
        (replaced("hello", "a\r\n--bc"), malformed),
        (replaced("hello", "a--b"), "ok"),
        (
            replaced("Content-Disposition: form-data; name=\"title\"\r\n", ""),
            malformed,
        ),
        (replaced("form-data", "attachment"), malformed),
        (replaced("; name=\"title\"", ""), malformed),
        (replaced("name=\"title\"", "name=\"title"), malformed),
        (replaced("name=\"title\"", "name=\"ti\\\"tle\""), malformed),
        (
            replaced("name=\"title\"", "name=\"title\"; name=\"count\""),
            malformed,
        ),
        (
            replaced(
                "name=\"title\"",
                "name=title; filename=\"C:\\x.txt\"; filename*=utf-8''x",
            ),
            "ok",
        ),
        (replaced("name=\"title\"", "name*=utf-8''title"), malformed),
        (
            replaced("name=\"title\"", "name=\"title\"; name*0=\"count\""),
            malformed,
        ),
        (
            replaced("name=\"title\"", "x; name=\"count\"; name=\"title\""),
            malformed,
        ),
        (
            replaced("name=\"title\"", "name=title; x=a\"; name=\"count\""),
            malformed,
        ),
        (replaced("name=\"title\"", "name=title ; x=a b"), "ok"),
        (
            replaced(
                "name=\"title\"\r\n",
                "name=\"title\"\r\nContent-Disposition: form-data; name=\"count\"\r\n",
            ),
            malformed,
        ),
        (
            replaced("form-data; name", "form-data;\r\n name"),
            malformed,
        ),
        (
            replaced("Content-Disposition", "Content Disposition"),
            malformed,
        ),
        (
            replaced("\"title\"\r\n", &format!("\"title\"\r\nX-Long: {long}\r\n")),
            malformed,
        ),
        (
            replaced("\"title\"\r\n", "\"title\"\r\nX-Nul: \u{0}\r\n"),
            malformed,
        ),
    ] {
        assert_eq!(
            check(&document, body.as_bytes(), &Policy::default()),
            wanted,
            "{body:.200}"
        );
    }
    let with = |content_type: &'static str| Request {
        path: "/t",
        headers: vec![("content-type", content_type.as_bytes())],
        body: Some(b"x"),
        ..Request::default()
    };
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"b \"",
        "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890x",
        "multipart/form-data; boundary=\"{}\"",
    ] {
        let result = judge(&document, "POST", &with(content_type), &Policy::default());
        assert_eq!(
            short(result),
            "body $ invalid_media_type invalid_content_type",
            "{content_type}"
        );
    }
}

#[test]
fn a_form_without_a_schema_is_only_read() {
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"content": {"multipart/form-data": {}}}}),
    );
    let body = format!(
        "{}{}--b--",
        part("a", "", "1"),
        part("a", "Content-Type: image/png\r\n", "2")
    );
    assert_eq!(check(&document, body.as_bytes(), &Policy::default()), "ok");
    assert_eq!(
        check(&document, b"--c--", &Policy::default()),
        "body $ invalid_syntax"
    );
}

#[test]
fn bytes_are_counted_and_not_held() {
    let sized = json!({"type": "string", "format": "binary", "minLength": 2, "maxLength": 4});
    let media = json!({"application/octet-stream": {"schema": sized}});
    let document = one(
        "3.0.3",
        &json!({"requestBody": {"required": true, "content": media}}),
    );
    for (body, wanted) in [
        (&b"\xff\x00"[..], "ok"),
        (
            b"1",
            "body $ constraint_violation string_length_not_in_range",
        ),
        (
            b"12345",
            "body $ constraint_violation string_length_not_in_range",
        ),
        (b"", "body $ missing_required"),
    ] {
        let request = Request {
            path: "/t",
            headers: vec![("content-type", b"application/octet-stream")],
            body: Some(body),
            ..Request::default()
        };
        assert_eq!(
            short(judge(&document, "POST", &request, &Policy::default())),
            wanted,
            "{body:?}"
        );
    }
}

/// The verdict on a body that comes in pieces of the given lengths, again and again.
fn streamed(document: &Document, body: &[u8], cuts: &[usize]) -> String {
    let operation = document.find("POST", "/t").expect("the operation");
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static("multipart/form-data; boundary=b"),
    );
    let head = RequestHead {
        path_variables: &[],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let policy = Policy::default();
    let plan = operation
        .validate_head(&head, &policy)
        .expect("the head conforms");
    assert!(matches!(plan, BodyPlan::Stream(_)));
    let mut stream = operation.body_stream(&plan, &policy);
    let mut rest = body;
    let mut lengths = cuts.iter().cycle();
    while !rest.is_empty() {
        let length = lengths
            .next()
            .map_or(rest.len(), |length| (*length).clamp(1, rest.len()));
        let (piece, later) = rest.split_at(length);
        if let Err(violation) = stream.push(piece) {
            return short::<()>(Err(violation));
        }
        rest = later;
    }
    short(stream.finish())
}

/// Time, printed for people.
#[test]
fn a_large_file_passes_by() {
    let schema =
        json!({"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}});
    let media = json!({"multipart/form-data": {"schema": schema}});
    let document = one("3.0.3", &json!({"requestBody": {"content": media}}));
    let operation = document.find("POST", "/t").expect("the operation");
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static("multipart/form-data; boundary=b"),
    );
    let head = RequestHead {
        path_variables: &[],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let policy = Policy::default();
    let plan = operation
        .validate_head(&head, &policy)
        .expect("the head conforms");
    let mut stream = operation.body_stream(&plan, &policy);
    let piece: Vec<u8> = (0..=255_u8).cycle().take(64 * 1024).collect();
    let header = "--b\r\nContent-Disposition: form-data; name=file\r\n\r\n";
    let begin = std::time::Instant::now();
    stream.push(header.as_bytes()).expect("a header");
    for _ in 0..1024 {
        stream.push(&piece).expect("content");
    }
    stream.push(b"\r\n--b--").expect("the end");
    assert_eq!(stream.finish(), Ok(()));
    eprintln!("64 MiB of a file judged in {:?}", begin.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter(
        pieces in prop::collection::vec(prop_oneof![
            Just(part("title", "", "hello")), Just(part("count", "", "7")), Just(part("picture", "Content-Type: image/png\r\n", "1234")),
            Just(part("files", "", "--b-\r\n-b")), Just("--b--".to_owned()), Just("\r\n".to_owned()), Just("--b".to_owned()),
            Just(part("files", "", "\r\n--")), Just("--b\r\n".to_owned()), "[-b\r\n:]{0,6}",
        ], 0..6),
        ended in any::<bool>(),
        cuts in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let document = form();
        let body = pieces.concat() + if ended { "--b--\r\n" } else { "" };
        let whole = streamed(&document, body.as_bytes(), &[]);
        prop_assert_eq!(&streamed(&document, body.as_bytes(), &cuts), &whole);
        prop_assert_eq!(&streamed(&document, body.as_bytes(), &[1]), &whole);
        prop_assert_eq!(&check(&document, body.as_bytes(), &Policy::default()), &whole);
    }
}
