//! Session identifiers: what may be one, and which session a transaction belongs to.

use std::borrow::Cow;

use hauberk_traffic::{
    Header, MAX_SESSION_IDENTIFIERS, SessionIdentifier, SessionIdentifiers, TransactionRef,
};
use proptest::prelude::*;

use crate::masker;

/// `{"alg":"none"}.{"sub":"u1","n":7,"ok":true,"none":null,"user":{"ids":["a","b"],"e-mail":"x@example.com"}}.`
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSIsIm4iOjcsIm9rIjp0cnVlLCJub25lIjpudWxsLCJ1c2VyIjp7ImlkcyI6WyJhIiwiYiJdLCJlLW1haWwiOiJ4QGV4YW1wbGUuY29tIn19.";

fn transaction(headers: &[(&'static str, String)]) -> TransactionRef<'static> {
    let headers = headers.iter().map(|(name, value)| Header {
        name: Cow::Borrowed(name),
        value: Cow::Owned(value.clone()),
    });
    TransactionRef {
        request_headers: headers.collect(),
        ..TransactionRef::default()
    }
}

fn session(identifiers: &[&str], headers: &[(&'static str, &str)]) -> Option<String> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let identifiers = SessionIdentifiers::parse(identifiers.iter().copied()).expect("good ones");
    identifiers.session_id(&transaction(&headers), &masker())
}

#[test]
fn names_are_checked() {
    let id = "0123456789abcdef0123456789abcdef";
    let good = [
        "header:authorization".to_owned(),
        "header:X-Session".to_owned(),
        "cookie:__Host-sid".to_owned(),
        format!("header:{}", "a".repeat(128)),
        format!("jwt:{id}:$.sub"),
        "jwt:01234567-89ab-cdef-0123-456789abcdef:$['user'][\"ids\"][0]".to_owned(),
        "jwt:Authorization:$.user.ids[1]".to_owned(),
        r"jwt:x-token:$['it\'s'].ü".to_owned(),
    ];
    for text in good {
        let identifier: SessionIdentifier =
            text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
        let written = serde_json::to_string(&identifier).unwrap();
        let read: SessionIdentifier = serde_json::from_str(&written).unwrap();
        assert_eq!(read, identifier, "{written}");
        assert_eq!(format!("{}:{}", read.kind().as_str(), read.name()), text);
    }
    for text in [
        "",
        "authorization",
        "query:x",
        "header:",
        "header:a b",
        "header:a:b",
        "header:ü",
        "cookie:a;b",
        "cookie:a=b",
        "jwt:$.sub",
        "jwt::$.sub",
        "jwt:authorization",
        "jwt:authorization:sub",
        "jwt:authorization:$",
        "jwt:authorization:$.",
        "jwt:authorization:$..sub",
        "jwt:authorization:$.*",
        "jwt:authorization:$[*]",
        "jwt:authorization:$['a'",
        "jwt:authorization:$['a'x]",
        "jwt:authorization:$[01]",
        "jwt:authorization:$[-1]",
        "jwt:authorization:$[0:2]",
        "jwt:authorization:$[?@.a]",
        "jwt:authorization:$.a b",
        "jwt:authorization:$.1",
        "jwt:authorization:$['a','b']",
        r"jwt:authorization:$['\n']",
    ] {
        assert!(text.parse::<SessionIdentifier>().is_err(), "{text}");
    }
    assert!(
        format!("header:{}", "a".repeat(129))
            .parse::<SessionIdentifier>()
            .is_err()
    );
    assert!(
        serde_json::from_str::<SessionIdentifier>(r#"{"type":"header","name":"a","more":1}"#)
            .is_err()
    );
}

#[test]
fn there_are_at_most_ten_and_none_twice() {
    let names: Vec<_> = (0..=MAX_SESSION_IDENTIFIERS)
        .map(|number| format!("header:h{number}"))
        .collect();
    let texts = |count: usize| names[..count].iter().map(String::as_str);
    assert!(SessionIdentifiers::parse(texts(MAX_SESSION_IDENTIFIERS)).is_ok());
    let error = SessionIdentifiers::parse(texts(MAX_SESSION_IDENTIFIERS + 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are 11 session identifiers, 10 are allowed"
    );
    for (one, other, is_same) in [
        ("header:X-A", "header:x-a", true),
        ("cookie:a", "cookie:A", false),
        ("cookie:a", "header:a", false),
        ("jwt:X-Token:$.a.b", "jwt:x-token:$['a'][\"b\"]", true),
        ("jwt:authorization:$.a", "jwt:authorization:$.b", false),
    ] {
        assert_eq!(
            SessionIdentifiers::parse([one, other]).is_err(),
            is_same,
            "{one} {other}"
        );
    }
}

#[test]
fn values_are_found_where_they_stand() {
    let bearer = format!("Bearer {TOKEN}");
    let cases: &[(&str, &'static str, &str, Option<&str>)] = &[
        (
            "header:authorization",
            "Authorization",
            "Bearer x",
            Some("Bearer x"),
        ),
        ("header:X-SESSION", "x-session", "1", Some("1")),
        ("header:x-session", "x-session", "", None),
        ("header:x-session", "x-other", "1", None),
        ("cookie:sid", "Cookie", "a=1; sid=x=y; b=2", Some("x=y")),
        ("cookie:sid", "cookie", "xsid=1;SID=2", None),
        ("cookie:sid", "cookie", "sid", None),
        (
            "jwt:authorization:$.sub",
            "authorization",
            &bearer,
            Some("u1"),
        ),
        (
            "jwt:0123456789abcdef0123456789abcdef:$.sub",
            "authorization",
            &bearer,
            Some("u1"),
        ),
        ("jwt:x-token:$.n", "X-Token", TOKEN, Some("7")),
        ("jwt:x-token:$.ok", "X-Token", TOKEN, Some("true")),
        ("jwt:x-token:$.user.ids[1]", "X-Token", TOKEN, Some("b")),
        (
            "jwt:x-token:$.user['e-mail']",
            "X-Token",
            TOKEN,
            Some("x@example.com"),
        ),
        ("jwt:x-token:$.none", "X-Token", TOKEN, None),
        ("jwt:x-token:$.user", "X-Token", TOKEN, None),
        ("jwt:x-token:$.user.ids[2]", "X-Token", TOKEN, None),
        ("jwt:x-token:$.user[0]", "X-Token", TOKEN, None),
        (
            "jwt:authorization:$.sub",
            "authorization",
            "Basic dTpw",
            None,
        ),
        (
            "jwt:authorization:$.sub",
            "authorization",
            "Bearer a.!.c",
            None,
        ),
        (
            "jwt:authorization:$.sub",
            "authorization",
            "Bearer a.e30.c",
            None,
        ),
    ];
    for (identifier, name, value, wanted) in cases {
        let identifier: SessionIdentifier = identifier.parse().unwrap();
        let transaction = transaction(&[(name, (*value).to_owned())]);
        assert_eq!(
            identifier.value(&transaction).as_deref(),
            *wanted,
            "{identifier:?} {value}"
        );
    }
}

#[test]
fn a_session_is_the_tuple_of_the_values_present() {
    let both = ["header:a", "cookie:b"];
    let one = session(&both, &[("a", "1"), ("cookie", "b=2")]).unwrap();
    assert!(one.starts_with("s:") && one.len() == 14, "{one}");
    // The same values in headers of another order, and spread over several of them.
    assert_eq!(
        session(&both, &[("Cookie", "x=1"), ("cookie", "b=2"), ("A", "1")]).unwrap(),
        one
    );
    let others = [
        session(&both, &[("a", "1")]),
        session(&both, &[("cookie", "b=1")]),
        session(&both, &[("a", "3"), ("cookie", "b=1")]),
        session(&both, &[("a", "12"), ("cookie", "b=")]),
        session(&["cookie:b", "header:a"], &[("a", "1"), ("cookie", "b=2")]),
    ];
    for (at, other) in others.iter().enumerate() {
        let other = other.as_deref().unwrap();
        assert_ne!(other, one);
        assert!(
            others[..at]
                .iter()
                .all(|before| before.as_deref() != Some(other))
        );
    }
    assert_eq!(session(&both, &[("c", "1")]), None);
    assert_eq!(session(&[], &[("a", "1")]), None);
    assert!(!one.contains(&masker().mask_header("x-api-key", "1")[2..]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_it_panic(
        identifier in "(header|cookie|jwt):([a-z$.:'\"\\[\\]\\\\0-9]{0,12}|x:\\$\\PC{0,10})",
        name in prop::sample::select(&["authorization", "cookie", "x"][..]),
        value in "(Bearer )?(e30|eyJhIjox[A-Za-z0-9=_.]{0,8}|\\PC{0,10})\\.(e30|[A-Za-z0-9+/_=-]{0,12}|\\PC{0,8})(\\.\\PC{0,4})?",
    ) {
        if let Ok(identifiers) = SessionIdentifiers::parse([identifier.as_str()]) {
            let transaction = transaction(&[(name, value)]);
            let _ = identifiers.session_id(&transaction, &masker());
        }
    }
}
