//! What the masker hides and what it leaves.

use hauberk_traffic::Masker;

use crate::{expected, hash, masker};

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
const GITHUB: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

#[test]
fn a_hash_is_short_keyed_and_the_same_for_equal_secrets() {
    let hashed = hash("secret");
    assert_eq!(hashed.len(), 14);
    assert!(
        hashed.starts_with("h:") && hashed[2..].bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{hashed}"
    );
    assert_eq!(hashed, hash("secret"));
    assert_ne!(hashed, hash("secreT"));
    assert_ne!(
        hashed,
        Masker::new([8; 32]).mask_header("X-Api-Key", "secret")
    );
    assert_eq!(format!("{:?}", masker()), "Masker { .. }");
}

#[test]
fn the_hash_is_the_start_of_hmac_sha_256() {
    // RFC 4231, test case 2, with its key padded by zeros to 32 bytes as HMAC does itself.
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");
    let hashed = Masker::new(key).mask_header("X-Api-Key", "what do ya want for nothing?");
    assert_eq!(hashed, "h:5bdcc146bf60");
}

// A table that belongs together.
#[allow(clippy::too_many_lines)]
#[test]
fn secrets_in_headers_are_hidden_and_names_stay() {
    let basic = "Basic dXNlcjpwYXNz";
    let cases: &[(&str, &str, &str)] = &[
        ("Authorization", "Bearer abc", "Bearer <abc>"),
        ("authorization", basic, "Basic <dXNlcjpwYXNz>"),
        ("Proxy-Authorization", "bearer   abc ", "bearer <abc>"),
        ("Authorization", "abc def", "<abc def>"),
        ("Authorization", "abc", "<abc>"),
        ("Authorization", "", ""),
        (
            "Cookie",
            "a=1; session=x=y;c ; d=",
            "a=<1>; session=<x=y>; <c>; d=",
        ),
        ("Cookie", "a=x%2Fy", "a=<x/y>"),
        (
            "Set-Cookie",
            "a=1; Path=/x; Expires=Fri, 25 Jan 2019 12:06:38 GMT; HttpOnly",
            "a=<1>; Path=/x; Expires=Fri, 25 Jan 2019 12:06:38 GMT; HttpOnly",
        ),
        (
            "Set-Cookie",
            "a=1; path=/; expires=Fri, 25 Jan 2019 12:06:38 -0000, b=2; path=/",
            "a=<1>; path=/; expires=Fri, 25 Jan 2019 12:06:38 -0000, b=<2>; path=/",
        ),
        (
            "Set-Cookie",
            "a=1; HttpOnly, b=2; c=3",
            "a=<1>; HttpOnly, b=<2>; c=<3>",
        ),
        ("X-API-KEY", "k", "<k>"),
        ("X-Csrf-Token", "k", "<k>"),
        ("X-Client-Secret", "k", "<k>"),
        ("X-User-Password", "k", "<k>"),
        ("Session-Id", "k", "<k>"),
        ("X-Ratelimit-Remaining-Tokens", "4096", "4096"),
        (
            "Content-Type",
            "application/json; charset=utf-8",
            "application/json; charset=utf-8",
        ),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) curl/8",
            "Mozilla/5.0 (X11; Linux x86_64) curl/8",
        ),
        ("Accept", "*/*;q=0.8", "*/*;q=0.8"),
        (
            "Referer",
            "https://u:p@a.example/x?page=2&api_key=k#y",
            "https://<u:p>@a.example/x?page=2&api_key=<k#y>",
        ),
        (
            "Link",
            "<https://a.example/?token=k&page=2>; rel=\"next\"",
            "<https://a.example/?token=HASH&page=2>; rel=\"next\"",
        ),
        ("Digest", "password=\"a b\" x", "password=<a b> x"),
        (
            "X-Forwarded-Uri",
            "/?next=https%3A%2F%2Fa.example%2F%3Ftoken%3Dk",
            "/?next=<https://a.example/?token=k>",
        ),
        (
            "X-Note",
            "sent Bearer abc123DEF= to b",
            "sent Bearer <abc123DEF=> to b",
        ),
        (
            "X-Note",
            "the bearer certificate-holder",
            "the bearer certificate-holder",
        ),
        (
            "Location",
            "https://a.example/cb?code=4f0c9b2e7d11aa35&state=x",
            "https://a.example/cb?code=<4f0c9b2e7d11aa35>&state=x",
        ),
        (
            "Location",
            "/login;jsessionid=0A1B?lang=en#access_token=k",
            "/login;jsessionid=<0A1B?lang=en#access_token=k>",
        ),
        ("Ocp-Apim-Subscription-Key", "k", "<k>"),
        (
            "X-Note",
            "login(password: \"k\", name: \"n\")",
            "login(password: \"<k>\", name: \"n\")",
        ),
        (
            "X-Config",
            "{\"password\":\"k\",\"a\":1}",
            "{\"password\":\"<k>\",\"a\":1}",
        ),
    ];
    for (name, value, wanted) in cases {
        let wanted = if wanted.contains("HASH") {
            wanted.replace("HASH", &hash("k"))
        } else {
            expected(wanted)
        };
        assert_eq!(masker().mask_header(name, value), wanted, "{name}: {value}");
    }
}

#[test]
fn addresses_of_clients_become_the_pseudonym_they_have_elsewhere() {
    let (one, two) = (
        masker().mask_client("192.0.2.1"),
        masker().mask_client("[2001:db8::1]"),
    );
    let cases = [
        (
            "X-Forwarded-For",
            "192.0.2.1,[2001:db8::1]",
            format!("{one}, {two}"),
        ),
        ("x-real-ip", " 192.0.2.1", one.clone()),
        ("CF-Connecting-IP", "", String::new()),
        (
            "Forwarded",
            "for=192.0.2.1;proto=https, For=\"[2001:db8::1]\";by=192.0.2.1",
            format!("for={one};proto=https, For={two};by={one}"),
        ),
    ];
    for (name, value, wanted) in cases {
        let masked = masker().mask_header(name, value);
        assert_eq!(masked, wanted);
        assert_eq!(masker().mask_header(name, &masked), wanted);
    }
}

#[test]
fn well_known_tokens_are_hidden_wherever_they_stand() {
    for token in [
        JWT,
        GITHUB,
        "AKIAIOSFODNN7EXAMPLE",
        "sk-proj-0123456789abcdefghij",
        "glpat-0123456789abcdefghij",
    ] {
        let hashed = hash(token);
        for text in [
            "{}",
            "see {} there",
            "a={}",
            "/x/{}/y",
            "(\"{}\")",
            "x.{}",
            "https://a.example/?q={}&b=1",
        ] {
            let wanted = text.replace("{}", &hashed);
            assert_eq!(
                masker().mask_header("X-Note", &text.replace("{}", token)),
                wanted,
                "{text}"
            );
        }
        assert_eq!(
            masker().mask_query(&format!("q={token}&{token}")),
            format!("q={hashed}&{hashed}")
        );
        assert_eq!(
            masker().mask_url(&format!("https://a.example/{token}")),
            format!("https://a.example/{hashed}")
        );
        assert_eq!(
            masker().mask_json(&format!("[\"{token}\"]")),
            format!("[\"{hashed}\"]")
        );
    }
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----";
    assert_eq!(masker().mask_header("X-Note", key), hash(key));
}

#[test]
fn secrets_in_queries_and_urls_are_hidden_and_names_stay() {
    let cases = [
        ("", ""),
        ("page=2&q=a+b", "page=2&q=a+b"),
        ("access_token=a%2Fb&page=2", "access_token=<a/b>&page=2"),
        ("acc%65ss_token=k", "acc%65ss_token=<k>"),
        (
            "user[password]=k&user%5Bname%5D=n",
            "user[password]=<k>&user%5Bname%5D=n",
        ),
        ("max_tokens=100&token=100", "max_tokens=100&token=<100>"),
        ("next=%2Fa%3Ftoken%3Dk", "next=</a?token=k>"),
        ("next=%252Fa%253Ftoken%253Dk", "next=<%2Fa%3Ftoken%3Dk>"),
        (
            "filter=%7B%22password%22%3A%22k%22%7D",
            "filter=<{\"password\":\"k\"}>",
        ),
        ("a;token=k", "a;token=<k>"),
        ("=&&=x&sid=", "=&&=x&sid="),
    ];
    for (query, wanted) in cases {
        let wanted = expected(wanted);
        assert_eq!(masker().mask_query(query), wanted, "{query}");
        assert_eq!(
            masker().mask_url(&format!("http://a.example/p?{query}")),
            format!("http://a.example/p?{wanted}")
        );
        assert_eq!(
            masker().mask_url(&format!("/p#{query}")),
            format!("/p#{wanted}")
        );
    }
    assert_eq!(
        masker().mask_url("ftp://u:p@ss@a/x@y"),
        expected("ftp://<u:p@ss>@a/x@y")
    );
}

#[test]
fn secrets_in_json_are_hidden_and_the_rest_stays_byte_for_byte() {
    let cases = [
        (
            r#" { "a" : 1.10e400, "b":[true,null] } "#,
            r#" { "a" : 1.10e400, "b":[true,null] } "#,
        ),
        (
            r#"{"token":"k","name":"n"}"#,
            r#"{"token":"<k>","name":"n"}"#,
        ),
        (r#"{"tok\u0065n":"\u006b"}"#, r#"{"tok\u0065n":"<k>"}"#),
        (r#"{"pin":1234,"x":1234}"#, r#"{"pin":"<1234>","x":1234}"#),
        (
            r#"{"max_tokens":12,"tokens":["k"]}"#,
            r#"{"max_tokens":12,"tokens":["<k>"]}"#,
        ),
        (
            r#"{"secret":{"a":["k",{"b":7}],"c":null},"d":7}"#,
            r#"{"secret":{"a":["<k>",{"b":"<7>"}],"c":null},"d":7}"#,
        ),
        (
            r#"{"token":"","password":null,"secret":true}"#,
            r#"{"token":"","password":null,"secret":true}"#,
        ),
        (
            r#"{"query":"mutation { login(name: \"n\", password: \"k\") { id } }","variables":{"input":{"newPassword":"k"}}}"#,
            r#"{"query":"mutation { login(name: \"n\", password: \"<k>\") { id } }","variables":{"input":{"newPassword":"<k>"}}}"#,
        ),
        (
            r#"{"query":"{ login(password: \"k\") { id } }"}"#,
            r#"{"query":"{ login(password: \"<k>\") { id } }"}"#,
        ),
        (
            r#"{"curl":"-H 'Authorization: Bearer abc123DEF'"}"#,
            r#"{"curl":"-H 'Authorization: Bearer <abc123DEF>'"}"#,
        ),
        (r#"{"url":"/a?token=k"}"#, r#"{"url":"/a?token=<k>"}"#),
        (
            r#"{"body":"{\"token\":\"k\"}"}"#,
            r#"{"body":"{\"token\":\"<k>\"}"}"#,
        ),
        (
            "{\"token\":\"k\"}\n{\"token\":\"l\"}\n",
            "{\"token\":\"<k>\"}\n{\"token\":\"<l>\"}\n",
        ),
        // Cut off, broken.
        (r#"{"token":"k"#, r#"{"token":"<k>""#),
        (r#"{"a":{"token":"k","#, r#"{"a":{"token":"<k>","#),
        (r#"{token=k, "x"}"#, r#"{"token=<k>", "x"}"#),
        (r"{token: k, 'pin': 7}", r#"{token: "<k>", 'pin': "<7>"}"#),
        (r#"]]}{"token":k}"#, r#"]]}{"token":"<k>"}"#),
    ];
    for (json, wanted) in cases {
        let masked = masker().mask_json(json);
        let wanted = expected(wanted);
        assert!(
            masked == wanted || masked == wanted.trim_end_matches('"'),
            "{json}: {masked}"
        );
    }
}

/// With work in the square of the length this would take minutes.
#[test]
fn a_text_made_to_be_difficult_is_masked_in_linear_time() {
    let pieces = [
        "a=", "%3D=", "a=%2541&", "://", "a@", ",", "{", "[\"", "\"\\", "a,b=", "eyJ.", "-", "=\"",
        "token=",
    ];
    for piece in pieces {
        let text = piece.repeat(200_000 / piece.len());
        masker().mask_query(&text);
        masker().mask_url(&text);
        masker().mask_json(&text);
        masker().mask_json(&format!("{{\"a\":{text}"));
        for name in ["X-Note", "Cookie", "Set-Cookie"] {
            masker().mask_header(name, &text);
            masker().mask_header(name, &format!("a=b; Path={text}"));
        }
    }
}
