//! Where values are found in a request, and what is left alone.

use hauberk_traffic::learn::{Learner, LearnerOptions, OperationProfile};
use hauberk_traffic::{LazyText, TransactionRef};
use serde_json::{Value, json};

const OPERATION: (&str, &str, &str) = ("POST", "a.example", "/x/{var1}");

pub(super) fn learner() -> Learner {
    let (method, host, endpoint) = OPERATION;
    let operations = vec![(method.to_owned(), host.to_owned(), endpoint.to_owned())];
    Learner::new(operations, LearnerOptions::default()).expect("an operation")
}

fn request<'t>(content_type: &'t str, body: &'t str) -> TransactionRef<'t> {
    TransactionRef {
        host: "a.example".into(),
        method: "POST".into(),
        url: "https://a.example/x/7".into(),
        request_headers: vec![header("Content-Type", content_type)],
        request_body: Some(LazyText::Plain(body.into())),
        status: 200,
        ..TransactionRef::default()
    }
}

fn header<'t>(name: &'t str, value: &'t str) -> hauberk_traffic::Header<'t> {
    hauberk_traffic::Header {
        name: name.into(),
        value: value.into(),
    }
}

fn view(learner: &mut Learner) -> Value {
    let (method, host, endpoint) = OPERATION;
    learner
        .view(method, host, endpoint)
        .expect("it has requests")
}

fn learned(transactions: &[TransactionRef<'_>]) -> Value {
    let mut learner = learner();
    for transaction in transactions {
        assert!(learner.see(transaction));
    }
    view(&mut learner)
}

/// Places of a body with the kinds of their values: `$.a[]: integer string`.
fn places(node: &Value) -> Vec<String> {
    fn collect(node: &Value, at: &str, found: &mut Vec<String>) {
        let kinds = node["value"]["kinds"].as_object().expect("kinds");
        let secret = node["value"].get("secret").map(|_| "secret");
        let kinds: Vec<&str> = kinds.keys().map(String::as_str).chain(secret).collect();
        found.push(format!("{at}: {}", kinds.join(" ")));
        if node["items"].is_object() {
            collect(&node["items"], &format!("{at}[]"), found);
        }
        let mut objects = vec![(String::new(), &node["object"])];
        if let Some(branches) = node["object"]["tag"]["branches"].as_object() {
            let branch = |(value, object)| (format!("<{value}>"), object);
            objects.extend(branches.iter().map(branch));
        }
        for (branch, object) in objects {
            for (name, member) in object["members"].as_object().into_iter().flatten() {
                collect(&member["node"], &format!("{at}{branch}.{name}"), found);
            }
            if object["map"].is_object() {
                collect(&object["map"]["node"], &format!("{at}{branch}.*"), found);
            }
        }
    }
    let mut found = Vec::new();
    collect(node, "$", &mut found);
    found
}

fn body<'v>(view: &'v Value, media_type: &str) -> &'v Value {
    &view["bodies"][media_type]
}

#[test]
fn every_value_of_a_json_body_has_its_place() {
    let cases: [(&str, &[&str]); 11] = [
        ("7", &["$: integer"]),
        (r#" "a" "#, &["$: string"]),
        ("[]", &["$: array"]),
        ("{}", &["$: object"]),
        (
            "[1,[true,null]]",
            &["$: array", "$[]: array integer", "$[][]: boolean null"],
        ),
        (
            r#"{"b":1.5,"a":{"c":[{"d":"x"}]}}"#,
            &[
                "$: object",
                "$.a: object",
                "$.a.c: array",
                "$.a.c[]: object",
                "$.a.c[].d: string",
                "$.b: number",
            ],
        ),
        // Names and texts are read, not their spelling.
        (
            r#"{"\u0061\n":"\ud83d\ude00"}"#,
            &["$: object", "$.a\n: string"],
        ),
        (r#"{"":1}"#, &["$: object", "$.: integer"]),
        (
            r#"[{"type":"dog","bark":true},{"lives":9,"type":"cat"},{"n":1}]"#,
            &[
                "$: array",
                "$[]: object",
                "$[].n: integer",
                "$[]<cat>.lives: integer",
                "$[]<cat>.type: string",
                "$[]<dog>.bark: boolean",
                "$[]<dog>.type: string",
            ],
        ),
        // What is no string says no kind.
        (r#"{"type":1}"#, &["$: object", "$.type: integer"]),
        (
            r#"{"password":"p","tokens":{"a":"b","n":[1234567890]},"name":"eyJhbGciOiJIUzI1NiJ9.e30.abcdefgh"}"#,
            &[
                "$: object",
                "$.name: secret",
                "$.password: secret",
                "$.tokens: object",
                "$.tokens.a: secret",
                "$.tokens.n: array",
                "$.tokens.n[]: secret",
            ],
        ),
    ];
    for (text, wanted) in cases {
        let view = learned(&[request("application/json", text)]);
        let body = body(&view, "application/json");
        assert_eq!(body["unreadable"], Value::Null, "{text}");
        assert_eq!(places(&body["node"]), wanted, "{text}");
    }
}

#[test]
fn a_body_that_a_gateway_would_refuse_teaches_nothing_but_that_it_came() {
    let deep = "[".repeat(100_000);
    let cases = [
        "{",
        "",
        " ",
        r#"{"a":1}}"#,
        r#"{"a":1,}"#,
        r#"{"a":1,"b":[1,2}"#,
        r#"{"a":1,"\u0061":2}"#,
        "{\"a\":1,\"a\":2}",
        "\u{feff}{}",
        r#""\ud800""#,
        "\"a\nb\"",
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":-}"#,
        r#"{"a":NaN}"#,
        "tru",
        r"{'a':1}",
        r"{a:1}",
        r#"{"a" 1}"#,
        "[1 2]",
        &deep,
    ];
    for text in cases {
        let mut transaction = request("application/json", text);
        if text.is_empty() {
            // No body at all.
            let view = learned(&[transaction]);
            assert_eq!(view["without_body"]["requests"], 1);
            continue;
        }
        transaction.status = 201;
        let view = learned(&[transaction]);
        let body = body(&view, "application/json");
        assert_eq!(body["unreadable"]["requests"], 1, "{text:.40}");
        assert_eq!(body["node"]["value"]["kinds"], json!({}), "{text:.40}");
        assert_eq!(body["node"]["object"], Value::Null, "{text:.40}");
    }
}

#[test]
fn deep_and_large_bodies_stay_small() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let names: Vec<String> = (0..50_000)
        .map(|name| format!(r#""k{name}":{{"x":{name}}}"#))
        .collect();
    let wide = format!("{{{}}}", names.join(","));
    let long_name = format!(r#"{{"{}":1}}"#, "n".repeat(100_000));
    let mut learner = learner();
    for text in [&deep, &deep_objects, &wide, &long_name] {
        assert!(learner.see(&request("application/json", text)));
    }
    let view = view(&mut learner);
    let node = &body(&view, "application/json")["node"];
    assert_eq!(body(&view, "application/json")["unreadable"], Value::Null);
    // 32 levels are looked at.
    assert!(places(node).len() < 200);
    let map = &node["object"]["map"];
    assert_eq!(
        map["node"]["object"]["members"]["x"]["present"]["requests"],
        50_000
    );
    assert_eq!(map["sizes"]["high"][0][0], 50_000);
    assert!(
        map["names"]["kinds"]["string"]["samples"]
            .as_u64()
            .expect("a count")
            > 128
    );
    let (method, host, endpoint) = OPERATION;
    let dumped = learner
        .dump(method, host, endpoint)
        .expect("it has requests");
    assert!(dumped.len() < 100_000, "{}", dumped.len());
}

#[test]
fn more_places_than_there_is_room_for_are_counted() {
    let mut learner = learner();
    for outer in 0..100 {
        let names: Vec<String> = (0..100).map(|name| format!(r#""m{name}":1"#)).collect();
        let text = format!(r#"{{"o{outer}":{{{}}}}}"#, names.join(","));
        learner.see(&request("application/json", &text));
    }
    let view = view(&mut learner);
    assert!(view["left_out"].as_u64().expect("a count") > 50);
    assert!(places(&body(&view, "application/json")["node"]).len() < 5_000);
}

#[test]
fn forms_are_objects_of_texts() {
    let form = "application/x-www-form-urlencoded";
    let view = learned(&[
        request(form, "user%5Bname%5D=a+b&n=1&n=2&empty=&flag"),
        request(form, "n=3"),
        request(form, "%zz=1"),
        request(form, "a=%ff"),
        request(form, r#"{"a":1}"#),
    ]);
    let body = body(&view, form);
    assert_eq!(body["present"]["requests"], 5);
    assert_eq!(body["unreadable"]["requests"], 3);
    assert_eq!(
        places(&body["node"]),
        [
            "$: object",
            "$.empty: string",
            "$.flag: string",
            "$.n: array integer",
            "$.n[]: integer",
            "$.user[name]: string"
        ]
    );
    let shapes = &body["node"]["object"]["shapes"];
    assert_eq!(
        shapes[0]["members"],
        json!(["empty", "flag", "n", "user[name]"])
    );
}

#[test]
fn multipart_forms_tell_names_of_parts_and_which_are_files() {
    let form = "multipart/form-data; boundary=\"b 1\"";
    let text = concat!(
        "--b 1\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA --b 1 title\r\n",
        "--b 1\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"w\":1}\r\n",
        "--b 1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.png\"\r\nContent-Type: image/png\r\n\r\n\u{0}\u{1}\r\n\r\n",
        "--b 1--\r\n",
    );
    let bare = text.replace("\r\n", "\n");
    let view = learned(&[
        request(form, text),
        request(form, &bare),
        request(form, "--b 1\r\nno head"),
        request(form, "something else"),
        request("multipart/form-data", text),
    ]);
    let body = body(&view, "multipart/form-data");
    assert_eq!(body["unreadable"]["requests"], 3);
    assert_eq!(body["files"]["file"]["requests"], 2);
    let members = &body["node"]["object"]["members"];
    assert_eq!(members["file"]["present"]["requests"], 2);
    assert_eq!(members["title"]["present"]["requests"], 2);
    assert_eq!(
        places(&body["node"]),
        [
            "$: object",
            "$.file: ",
            "$.meta: object",
            "$.meta.w: integer",
            "$.title: string"
        ]
    );
}

#[test]
fn bodies_in_base64_and_bodies_that_were_not_kept() {
    let with = |text: &'static str| TransactionRef {
        request_body: None,
        request_body_b64: Some(LazyText::Plain(text.into())),
        ..request("application/json", "")
    };
    let omitted = TransactionRef {
        request_body: None,
        request_body_omitted: Some(70_000),
        ..request("application/json", "")
    };
    // {"a":1}; bytes that are no UTF-8; no base64.
    let view = learned(&[with("eyJhIjoxfQ=="), with("/w=="), with("*"), omitted]);
    let body = body(&view, "application/json");
    assert_eq!(body["present"]["requests"], 4);
    assert_eq!(body["unreadable"]["requests"], 2);
    assert_eq!(places(&body["node"]), ["$: object", "$.a: integer"]);
}

#[test]
fn media_types_are_told_apart() {
    let cases = [
        ("application/json", "application/json", None),
        (
            "Application/JSON ; charset=\"UTF-8\"",
            "application/json",
            Some("utf-8"),
        ),
        (
            "application/merge-patch+json",
            "application/merge-patch+json",
            None,
        ),
        ("text/csv", "text/csv", None),
        ("", "", None),
        ("nonsense", "", None),
    ];
    for (stated, essence, charset) in cases {
        let view = learned(&[request(stated, r#"{"a":1}"#)]);
        let body = body(&view, essence);
        assert_eq!(body["present"]["requests"], 1, "{stated}");
        let charsets = body["charset"].as_object().expect("charsets");
        assert_eq!(
            charsets.keys().next().map(String::as_str),
            charset,
            "{stated}"
        );
        let is_read = body["node"]["object"].is_object();
        assert_eq!(is_read, stated != "text/csv", "{stated}");
    }
}

#[test]
fn parameters_are_found_where_they_are_sent() {
    let transaction = TransactionRef {
        url: "https://a.example/x/a%20b?q=1&q=2&filter[name]=x%2By&bad=%f&%ff=1&flag&=e#frag"
            .into(),
        request_headers: vec![
            header("X-Tenant", " blue "),
            header("x-tenant", "red"),
            header("Accept", "*/*"),
            header("Cookie", "a=1; b=2;c"),
            header("cookie", "d=4"),
            header("Authorization", "Bearer x"),
        ],
        request_body: None,
        ..request("", "")
    };
    let view = learned(&[transaction]);
    let names = |place: &str| -> Vec<String> {
        let known = view[place].as_object().expect("parameters");
        known.keys().cloned().collect()
    };
    assert_eq!(names("query"), ["", "filter[name]", "flag", "q"]);
    assert_eq!(names("header"), ["x-tenant"]);
    assert_eq!(names("cookie"), ["a", "b", "d"]);
    let value = |place: &Value| place["node"]["value"]["values"][0]["value"].clone();
    assert_eq!(value(&view["path"][0]), "a b");
    assert_eq!(value(&view["query"]["filter[name]"]), "x+y");
    let q = &view["query"]["q"];
    assert_eq!(
        (&q["present"]["requests"], &q["repeated"]["requests"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(q["node"]["value"]["kinds"]["integer"]["requests"], 2);
    assert_eq!(q["node"]["value"]["counts"]["high"][0][0], 2);
    assert_eq!(view["query"]["flag"]["repeated"], Value::Null);
    assert_eq!(view["query_once"], 4);
    assert!(view["cookie"]["a"]["node"]["value"]["secret"].is_object());
    assert_eq!(view["without_body"]["requests"], 1);
}

#[test]
fn one_caller_does_not_teach() {
    let urls: Vec<String> = (0..500)
        .map(|number| format!("https://a.example/x/{number}"))
        .collect();
    let mut learner = learner();
    for url in &urls {
        let transaction = TransactionRef {
            url: url.as_str().into(),
            session: Some("s:0123456789ab".into()),
            ..request("application/json", "{}")
        };
        learner.see(&transaction);
    }
    let view = view(&mut learner);
    assert_eq!(view["requests"], 500);
    assert_eq!(
        (&view["samples"], &view["sources"]),
        (&json!(16), &json!(1))
    );
    assert_eq!(view["path"][0]["present"]["samples"], 16);
}

#[test]
fn what_is_damaged_is_refused() {
    let mut learner = learner();
    for number in 0..50 {
        let text = format!(
            r#"{{"a":[{number},{{"type":"k{}","b":"x{number}"}}],"n{number}":null}}"#,
            number % 4
        );
        learner.see(&request("application/json", &text));
    }
    let (method, host, endpoint) = OPERATION;
    let dumped = learner
        .dump(method, host, endpoint)
        .expect("it has requests");
    let mut other = self::learner();
    for at in 0..dumped.len() {
        let mut damaged = dumped.clone();
        damaged[at] ^= 0x41;
        // Some bits of packed bytes mean nothing: then it is whole.
        let mut one = self::learner();
        if one.load(&damaged).is_ok() {
            let again = one.dump(method, host, endpoint);
            assert_eq!(again.as_ref(), Some(&dumped), "byte {at}");
        }
        assert!(other.load(&dumped[..at]).is_err(), "cut at {at}");
    }
    assert!(other.operations().is_empty());
    other.load(&dumped).expect("a whole one");
    assert_eq!(other.dump(method, host, endpoint), Some(dumped));
    assert_eq!(
        other
            .profile(method, host, endpoint)
            .map(OperationProfile::requests),
        Some(50)
    );
}

#[test]
fn requests_that_waited_teach_what_they_would_have_taught_at_once() {
    let options = LearnerOptions {
        held_back: true,
        ..LearnerOptions::default()
    };
    let endpoints = ["/x/{var1}", "/y"].map(|endpoint| {
        let (method, host, _) = OPERATION;
        (method.to_owned(), host.to_owned(), endpoint.to_owned())
    });
    let learner = || Learner::new(endpoints.to_vec(), options.clone()).expect("two operations");
    let (mut waited, mut at_once) = (learner(), learner());
    let json = "application/json";
    // Of four of these no more wait.
    let large = |number: u32| format!(r#"{{"text":"{}","n":{number}}}"#, "ab ".repeat(500_000));
    for number in 0..60 {
        let body = match number % 10 {
            0 => large(number),
            1 => String::new(),
            2 => "{".to_owned(),
            _ => format!(r#"{{"n":{number}}}"#),
        };
        let mut transaction = request(json, &body);
        match number % 10 {
            3 => transaction.request_body = Some(LazyText::Json(r#""{\"n\":1}""#)),
            4 => transaction.request_body = Some(LazyText::Json(r#""\ud800""#)),
            5 => {
                transaction.request_body = None;
                transaction.request_body_b64 = Some(LazyText::Plain("/w==".into()));
            }
            6 => {
                transaction.request_body = None;
                transaction.request_body_omitted = Some(7);
            }
            _ => {}
        }
        transaction.session = Some(format!("s{number}").into());
        transaction.url = match number % 3 {
            0 => "https://a.example/y".into(),
            1 => format!("https://a.example/x/{number}?page={number}&q=").into(),
            _ => format!("https://a.example/x/{number}?").into(),
        };
        assert_eq!(waited.see(&transaction), at_once.see(&transaction));
        let known = at_once.profile("POST", "a.example", "/y");
        known.expect("the first request was for it");
    }
    assert_eq!(waited.tally(), at_once.tally());
    let tally = waited.tally();
    assert!(tally.held_back > 0 && tally.learned > 40, "{tally:?}");
    assert_eq!(waited.operations(), at_once.operations());
    for (method, host, endpoint) in &endpoints {
        let dumped = waited.dump(method, host, endpoint);
        assert!(dumped.is_some(), "{endpoint}");
        assert!(dumped == at_once.dump(method, host, endpoint), "{endpoint}");
    }
}
