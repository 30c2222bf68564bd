//! Tables of expressions that compile, and what they answer.

use std::cell::RefCell;

use super::*;

/// A request with some fields set; all others are empty or false. Notes what it is asked.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) texts: Vec<(TextField, String)>,
    pub(super) flags: Vec<FlagField>,
    pub(super) asked: RefCell<Vec<Field>>,
}

impl Request {
    fn new(texts: &[(TextField, &str)], flags: &[FlagField]) -> Self {
        let texts = texts
            .iter()
            .map(|(field, value)| (*field, (*value).to_owned()))
            .collect();
        Self {
            texts,
            flags: flags.to_vec(),
            asked: RefCell::default(),
        }
    }
}

impl FieldSource for Request {
    fn text(&self, field: TextField) -> &str {
        self.asked.borrow_mut().push(field.into());
        self.texts
            .iter()
            .find(|(known, _)| *known == field)
            .map_or("", |(_, value)| value)
    }

    fn flag(&self, field: FlagField) -> bool {
        self.asked.borrow_mut().push(field.into());
        self.flags.contains(&field)
    }
}

fn device() -> Request {
    Request::new(
        &[
            (TextField::Host, "api.example.com"),
            (TextField::Method, "POST"),
            (TextField::Path, "/temps"),
            (TextField::IssuerSki, "0A1B"),
            (TextField::SubjectDnLegacy, r#"/O=A "B" \C"#),
        ],
        &[FlagField::CertPresented, FlagField::CertVerified],
    )
}

#[test]
fn an_expression_answers_for_a_request() {
    let cases: &[(&str, bool)] = &[
        ("true", true),
        ("false", false),
        ("not false", true),
        ("cf.tls_client_auth.cert_verified", true),
        ("cf.tls_client_auth.cert_revoked", false),
        ("not cf.tls_client_auth.cert_verified", false),
        ("! !cf.tls_client_auth.cert_verified", true),
        ("cf.tls_client_auth.cert_verified eq true", true),
        ("cf.tls_client_auth.cert_verified == false", false),
        ("cf.tls_client_auth.cert_verified ne false", true),
        ("cf.tls_client_auth.cert_revoked != true", true),
        (r#"http.host eq "api.example.com""#, true),
        (r#"http.host=="API.Example.COM""#, true),
        (r#"http.host ne "api.example.com""#, false),
        (r#"http.host in {"a.example.com" "API.example.com"}"#, true),
        (r#"http.host in{"a.example.com""b.example.com"}"#, false),
        (r#"not http.host in {"a.example.com"}"#, true),
        (r#"http.request.method eq "post""#, false),
        (
            r#"http.request.method in {"POST" "PUT" "PATCH" "DELETE"}"#,
            true,
        ),
        ("http.request.uri.path\n\teq\r\n\"/temps\"", true),
        (r#"cf.tls_client_auth.cert_subject_dn eq """#, true),
        (
            r#"cf.tls_client_auth.cert_subject_dn_legacy eq "/O=A \"B\" \\C""#,
            true,
        ),
        (
            r##"cf.tls_client_auth.cert_subject_dn_legacy eq r#"/O=A "B" \C"#"##,
            true,
        ),
        (
            r#"cf.tls_client_auth.cert_subject_dn_legacy eq r"/O=A""#,
            false,
        ),
        (
            r#"not (cf.tls_client_auth.cert_verified and cf.tls_client_auth.cert_issuer_ski eq "0A1B")"#,
            false,
        ),
        ("cf.api_gateway.fallthrough_detected", false),
        // `not` binds tighter than `and`, `and` tighter than `or`.
        ("true or false and false", true),
        ("(true or false) and false", false),
        ("false and false or true", true),
        ("not false or true", true),
        ("not (false or true)", false),
        ("not true and false", false),
        ("not true||!false&&true", true),
    ];
    for (text, answer) in cases {
        let expression = compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(expression.evaluate(&device()), *answer, "{text}");
    }
}

#[test]
fn the_mutual_tls_rule_lets_only_good_certificates_through() {
    let rule = compile(
        r#"http.host in {"api.example.com"} and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked)"#,
    )
    .unwrap();
    let cases: &[(&str, &[FlagField], bool)] = &[
        ("api.example.com", &[], true),
        ("API.EXAMPLE.COM", &[], true),
        ("api.example.com", &[FlagField::CertPresented], true),
        (
            "api.example.com",
            &[FlagField::CertPresented, FlagField::CertVerified],
            false,
        ),
        (
            "api.example.com",
            &[FlagField::CertVerified, FlagField::CertRevoked],
            true,
        ),
        ("www.example.com", &[], false),
    ];
    for (host, flags, blocked) in cases {
        let request = Request::new(&[(TextField::Host, host)], flags);
        assert_eq!(rule.evaluate(&request), *blocked, "{host} {flags:?}");
    }
}

#[test]
fn the_canonical_text_has_words_and_no_needless_parentheses() {
    let cases = [
        ("((true))", "true"),
        (
            "!cf.tls_client_auth.cert_verified&&(true&&false)",
            "not cf.tls_client_auth.cert_verified and true and false",
        ),
        (
            "cf.tls_client_auth.cert_revoked == false",
            "not cf.tls_client_auth.cert_revoked",
        ),
        (
            "(true or false) and (true and false or true)",
            "(true or false) and (true and false or true)",
        ),
        ("not not (true and false)", "true and false"),
        (
            "not (true and false) or true",
            "not (true and false) or true",
        ),
        (
            r#"! http.host in {"B" "a" "b"}"#,
            r#"not http.host in {"a" "b"}"#,
        ),
        (
            r#"not http.request.uri.path == r"\A""#,
            r#"http.request.uri.path ne "\\A""#,
        ),
        (
            "cf.api_gateway.fallthrough_triggered",
            "cf.api_gateway.fallthrough_detected",
        ),
    ];
    for (text, canonical) in cases {
        assert_eq!(compile(text).unwrap().to_string(), canonical, "{text}");
    }
}

#[test]
fn a_field_that_cannot_change_the_answer_is_not_asked_for() {
    let rule =
        compile(r#"http.host eq "other" and cf.tls_client_auth.cert_subject_dn eq "x""#).unwrap();
    let request = device();
    assert!(!rule.evaluate(&request));
    assert_eq!(*request.asked.borrow(), [Field::Text(TextField::Host)]);

    let rule =
        compile(r#"cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_serial eq "x""#)
            .unwrap();
    let request = device();
    assert!(rule.evaluate(&request));
    assert_eq!(
        *request.asked.borrow(),
        [Field::Flag(FlagField::CertVerified)]
    );
}

#[test]
fn an_expression_knows_the_fields_it_uses() {
    let rule = compile(r#"http.host in {"a"} or not (cf.tls_client_auth.cert_verified and true)"#)
        .unwrap();
    assert!(rule.uses(TextField::Host));
    assert!(rule.uses(FlagField::CertVerified));
    assert!(!rule.uses(FlagField::FallthroughDetected));
    assert!(!rule.uses(TextField::Path));
}

#[test]
fn each_field_compiles_under_its_name() {
    assert_eq!(Field::all().count(), 25);
    for field in Field::all() {
        let text = match field {
            Field::Text(_) => format!("{} eq \"x\"", field.name()),
            Field::Flag(_) => field.name().to_owned(),
        };
        let expression = compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(expression.uses(field));
        assert_eq!(Field::named(field.name()), Some(field));
        assert!(!field.meaning().is_empty());
    }
}

#[test]
fn an_expression_is_given_as_data() {
    let cases = [
        ("true", serde_json::json!({"constant": true})),
        (
            r#"http.host == "A""#,
            serde_json::json!({"field": "http.host", "operator": "eq", "values": ["a"]}),
        ),
        (
            "not cf.tls_client_auth.cert_verified",
            serde_json::json!({"field": "cf.tls_client_auth.cert_verified", "operator": "false", "values": []}),
        ),
        (
            r#"not (http.host in {"b" "a"} and (http.request.method ne "GET" or true))"#,
            serde_json::json!({"not": {"all": [
                {"field": "http.host", "operator": "in", "values": ["a", "b"]},
                {"any": [
                    {"field": "http.request.method", "operator": "ne", "values": ["GET"]},
                    {"constant": true},
                ]},
            ]}}),
        ),
        (
            r#"not http.host in {"a"}"#,
            serde_json::json!({"field": "http.host", "operator": "not in", "values": ["a"]}),
        ),
    ];
    for (text, tree) in cases {
        assert_eq!(compile(text).unwrap().tree(), tree, "{text}");
    }
}
