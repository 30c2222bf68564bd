//! Tables of expressions that do not compile, and what their author is told.

use super::*;

const MISTAKES: &[(&str, &str)] = &[
    (
        "",
        "column 1: found the end of the expression, expected a field, not, true, false or \"(\"",
    ),
    (
        "http.host eqq \"a\"",
        "column 11: found \"eqq\", expected one of: eq, ne, in",
    ),
    (
        "http.host",
        "column 10: found the end of the expression, expected one of: eq, ne, in",
    ),
    (
        "http.host and true",
        "column 11: found \"and\", expected one of: eq, ne, in",
    ),
    (
        "http.host = \"a\"",
        "column 11: found \"=\", expected one of: eq, ne, in",
    ),
    (
        "http.host eq 'a'",
        "column 14: found \"'\", expected a string in double quotes, because http.host is a string",
    ),
    (
        "http.host eq true",
        "column 14: found \"true\", expected a string in double quotes, because http.host is a string",
    ),
    (
        "http.host == {\"a\"}",
        "column 14: found \"{\", expected a string after ==; a list stands after in",
    ),
    (
        "http.host in \"a\"",
        "column 14: found \"a\", expected a list such as {\"a\" \"b\"}",
    ),
    (
        "http.host in {}",
        "column 15: found \"}\", expected a string in double quotes",
    ),
    (
        "http.host in {\"a\", \"b\"}",
        "column 18: found \",\", expected a string or \"}\"; nothing but blanks stands between the strings",
    ),
    (
        "http.host in {\"a\" true}",
        "column 19: found \"true\", expected a string or \"}\"",
    ),
    (
        "http.host in {\"a\"",
        "column 18: found the end of the expression, expected a string or \"}\"",
    ),
    (
        "http.host eq \"ä\" & true",
        "column 18: found \"&\", expected one of: and, or, the end of the expression",
    ),
    (
        "http.host eq \"a",
        "column 14: found a string without an end, expected \" to close it",
    ),
    (
        "http.host eq \"a\\",
        "column 14: found a string without an end, expected \" to close it",
    ),
    (
        "http.host eq r#\"a\"",
        "column 14: found a string without an end, expected \"# to close it",
    ),
    (
        "http.host eq r##",
        "column 14: found \"r##\", expected a quote to follow, as in r#\"…\"#",
    ),
    (
        "http.host eq \"ä\\n\"",
        "column 16: found \"\\n\", expected \\\" or \\\\ after a backslash in a string",
    ),
    (
        "http.host contains \"a\"",
        "column 11: found \"contains\", expected one of: eq, ne, in; this word of the Rules language is not supported",
    ),
    (
        "true xor false",
        "column 6: found \"xor\", expected one of: and, or, the end of the expression; this word of the Rules language is not supported",
    ),
    (
        "cf.tls_client_auth.cert_verifed",
        "column 1: found \"cf.tls_client_auth.cert_verifed\", expected a field; did you mean cf.tls_client_auth.cert_verified?",
    ),
    (
        "not cert_revoked",
        "column 5: found \"cert_revoked\", expected a field; did you mean cf.tls_client_auth.cert_revoked?",
    ),
    (
        "HTTP.Host eq \"a\"",
        "column 1: found \"HTTP.Host\", expected a field; did you mean http.host?",
    ),
    (
        "ip.src eq \"a\"",
        "column 1: found \"ip.src\", expected a field such as http.host or cf.tls_client_auth.cert_verified",
    ),
    (
        "cf.tls_client_auth.cert_verified in {\"a\"}",
        "column 34: found \"in\", expected one of: eq, ne, and, or, because the field before it is true or false",
    ),
    (
        "cf.tls_client_auth.cert_verified eq \"x\"",
        "column 37: found \"x\", expected true or false",
    ),
    (
        "cf.tls_client_auth.cert_verified true",
        "column 34: found \"true\", expected one of: eq, ne, and, or",
    ),
    (
        "true true",
        "column 6: found \"true\", expected one of: and, or, the end of the expression",
    ),
    (
        "true)",
        "column 5: found \")\", expected one of: and, or, the end of the expression",
    ),
    (
        "(true",
        "column 6: found the end of the expression, expected one of: and, or, \")\"",
    ),
    (
        "()",
        "column 2: found \")\", expected a field, not, true, false or \"(\"",
    ),
    (
        "true and",
        "column 9: found the end of the expression, expected a field, not, true, false or \"(\"",
    ),
    (
        "\"a\" eq http.host",
        "column 1: found \"a\", expected a field, not, true, false or \"(\"",
    ),
    (
        "true\u{a0}and true",
        "column 5: found \"\\u{a0}\", expected one of: and, or, the end of the expression",
    ),
    // The first mistake from the left is reported, whoever finds it.
    (
        "htp.host eq \"a",
        "column 1: found \"htp.host\", expected a field; did you mean http.host?",
    ),
];

#[test]
fn a_mistake_is_named_with_its_column_and_what_would_be_right() {
    for (text, message) in MISTAKES {
        let error = compile(text).expect_err(text);
        assert_eq!(error.to_string(), *message, "{text}");
    }
}

#[test]
fn the_limits_hold_and_say_so() {
    let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    let list = |entries: usize| format!("http.host in {{{}}}", "\"a\"".repeat(entries));
    let padded = |length: usize| format!("{:length$}", "true");

    for accepted in [
        nested(64),
        list(1000),
        padded(4096),
        format!("{}true", "!".repeat(4092)),
    ] {
        assert!(compile(&accepted).is_ok(), "{accepted}");
    }
    let cases = [
        (
            nested(65),
            "column 65: found \"(\", expected at most 64 parentheses inside each other",
        ),
        (
            list(1001),
            "column 3015: found \"a\", expected at most 1000 strings in a list",
        ),
        (
            padded(4097),
            "column 4097: found an expression of 4097 characters, expected at most 4096",
        ),
        (
            "(".repeat(4096),
            "column 65: found \"(\", expected at most 64 parentheses inside each other",
        ),
        (
            "not(".repeat(1024),
            "column 260: found \"(\", expected at most 64 parentheses inside each other",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(compile(&text).expect_err(message).to_string(), message);
    }
}

#[test]
fn a_long_word_is_shortened_in_the_message() {
    let error = compile(&"a".repeat(4096)).expect_err("no such field");
    assert_eq!(error.found, format!("\"{}…\"", "a".repeat(60)));
}
