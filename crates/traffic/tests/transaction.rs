//! The record: reading, writing, and what of it is kept.

use hauberk_traffic::Transaction;

use crate::{expected, hash, masker, transaction};

#[test]
fn a_masked_transaction_keeps_its_shape_and_not_its_secrets() {
    let masked = transaction().into_masked(&masker());
    let hashed = hash("k");
    assert_eq!(masked.url, format!("https://a.example/x?token={hashed}"));
    assert_eq!(
        masked.request_header("cookie"),
        Some(format!("s={hashed}").as_str())
    );
    assert_eq!(
        masked.request_body,
        Some(format!(r#"{{"password":"{hashed}"}}"#))
    );
    assert_eq!(masked.response_headers[0].1, hashed);
    assert_eq!(
        masked.response_body,
        Some(format!(r#"{{"token":"{hashed}"}}"#))
    );
    let client = masked.client.as_deref().unwrap();
    assert!(client.starts_with("c:") && client.len() == 14, "{client}");
    assert_eq!(masked.host, "a.example");
    assert_eq!(masked.clone().into_masked(&masker()), masked);
}

#[test]
fn a_body_that_cannot_be_searched_is_left_out_and_its_size_kept() {
    let form = (
        "Content-Type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    let cases = [
        (None, Some("a=1&token=k"), None, None, Some(11)),
        (
            Some(form),
            Some("a=1&token=k"),
            None,
            Some(expected("a=1&token=<k>")),
            None,
        ),
        (None, Some("12"), None, Some("12".to_owned()), None),
        (None, Some("<password>k</password>"), None, None, Some(22)),
        (None, None, Some("c2VjcmV0cw=="), None, Some(7)),
        (None, None, None, None, None),
    ];
    for (header, body, base64, kept, omitted) in cases {
        let mut transaction = transaction();
        transaction.request_headers.extend(header);
        transaction.request_body = body.map(str::to_owned);
        transaction.request_body_b64 = base64.map(str::to_owned);
        let masked = transaction.into_masked(&masker());
        assert_eq!(
            (
                masked.request_body,
                masked.request_body_omitted,
                masked.request_body_b64
            ),
            (kept, omitted, None)
        );
    }
    let page = Transaction {
        response_body: Some("<p>k".to_owned()),
        ..transaction()
    };
    assert_eq!(page.into_masked(&masker()).response_body, None);
}

#[test]
fn a_line_that_is_no_transaction_is_refused_without_its_values() {
    let line = transaction().to_line();
    assert_eq!(Transaction::from_line(&line).unwrap(), transaction());
    assert!(!line.contains('\n'));
    let cases = [
        (
            String::new(),
            "column 0: the line is not one whole JSON object",
        ),
        (
            line[..20].to_owned(),
            "column 20: the line is not one whole JSON object",
        ),
        (
            line.replace("200", "\"hunter2\""),
            "column 185: a member of the transaction is missing or of the wrong type",
        ),
        (
            "{}".to_owned(),
            "column 2: a member of the transaction is missing or of the wrong type",
        ),
    ];
    for (line, message) in cases {
        assert_eq!(
            Transaction::from_line(&line).unwrap_err().to_string(),
            message
        );
    }
}
