//! What holds for every capture, tried on many.

use std::ops::ControlFlow;

use hauberk_traffic::Transaction;
use hauberk_traffic::read::{self, FieldMap, Format, ReadOptions};
use proptest::prelude::*;
use serde_json::json;

use super::har::archive;
use super::{gzip, read_all, zstd};
use crate::transaction;

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}|[ -~\n\t]{0,12}"
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("[A-Za-z-]{1,8}", text()), 0..4)
}

prop_compose! {
    fn transactions()(
        path in "[a-z/0-9]{0,10}",
        request_headers in headers(),
        response_headers in headers(),
        request_body in prop::option::of(text()),
        response_body in prop::option::of(text()),
        status in 0..1000_u16,
        response_body_size in prop::option::of(1..u64::MAX),
    ) -> Transaction {
        let response_body = response_body.map(|text| json!({ "text": text }).to_string());
        Transaction {
            url: format!("https://a.example/{path}?q"),
            request_headers, response_headers, request_body, response_body, status, response_body_size,
            ..transaction()
        }
    }
}

fn formats() -> Vec<Option<Format>> {
    vec![
        None,
        Some(Format::Ndjson),
        Some(Format::Har),
        Some(Format::AccessLog),
        Some(Format::JsonLog(FieldMap::default())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(written in prop::collection::vec(transactions(), 0..5)) {
        let capture: String = written.iter().map(|transaction| transaction.to_line() + "\n").collect();
        for packed in [capture.clone().into_bytes(), gzip(capture.as_bytes()), zstd(capture.as_bytes())] {
            let (rows, report) = read_all(&packed, None);
            prop_assert_eq!(report.format, "ndjson");
            let read: Vec<Transaction> = rows.into_iter().map(|(_, transaction)| transaction).collect();
            prop_assert_eq!(&read, &written);
        }
    }

    #[test]
    fn an_archive_says_what_was_put_into_it(written in prop::collection::vec(transactions(), 1..5)) {
        let pairs = |headers: &[(String, String)]| -> Vec<serde_json::Value> {
            headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
        };
        let entries: Vec<serde_json::Value> = written.iter().map(|transaction| json!({
            "startedDateTime": transaction.time,
            "request": {
                "method": transaction.method, "url": transaction.url, "httpVersion": "", "headers": pairs(&transaction.request_headers),
                "postData": transaction.request_body.as_ref().map(|text| json!({ "text": text })),
            },
            "response": {
                "status": transaction.status, "headers": pairs(&transaction.response_headers),
                "content": {"size": transaction.response_body_size, "text": transaction.response_body, "mimeType": "application/json"},
            },
        })).collect();
        let (rows, report) = read_all(archive(&entries).as_bytes(), None);
        prop_assert_eq!((report.format, report.bad, rows.len()), ("har", 0, written.len()));
        for ((_, read), written) in rows.into_iter().zip(written) {
            prop_assert_eq!(read.url, written.url);
            prop_assert_eq!(read.status, written.status);
            prop_assert_eq!(read.request_headers, written.request_headers);
            prop_assert_eq!(read.response_headers, written.response_headers);
            prop_assert_eq!(read.request_body, written.request_body.filter(|body| !body.is_empty()));
            prop_assert_eq!(read.response_body, written.response_body);
        }
    }

    #[test]
    fn a_good_line_between_bad_ones_is_read(
        before in prop::collection::vec(any::<u8>(), 0..60),
        after in prop::collection::vec(any::<u8>(), 0..60),
        good in transactions(),
    ) {
        let line = good.to_line();
        let capture = [&before[..], line.as_bytes(), &after[..]].join(&b'\n');
        // Magic bytes of packed data are not garbage.
        prop_assume!(!before.starts_with(&[0x1f, 0x8b]) && !before.starts_with(&[0x28, 0xb5]) && before.get(1) != Some(&0x2a));
        let row = before.split(|byte| *byte == b'\n').count() as u64;
        let (rows, _) = read_all(&capture, Some(&Format::Ndjson));
        prop_assert!(rows.contains(&(row, good)));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in formats() {
            let options = ReadOptions { format, max_row_bytes: 100, ..ReadOptions::default() };
            let _ = read::read_with(&bytes[..], &options, &mut |_, _| ControlFlow::Continue(()));
        }
    }

    #[test]
    fn no_text_like_a_capture_makes_a_reader_panic(parts in prop::collection::vec(
        prop_oneof![
            Just("{\"log\":{\"entries\":["), Just("{\"pageref\":"), Just("{\"request\":{\"method\":\"GET\",\"url\":\"/\"}}"),
            Just("\""), Just("\\"), Just("}"), Just("]"), Just(","), Just(":"), Just("\n"), Just(" "), Just("1"), Just("\\x2"),
            Just("[17/May/2015:10:05:03 +0000]"), Just("\"GET / HTTP/1.1\""), Just("200"), Just("{\"method\":\"GET\",\"path\":\"/\"}"),
        ], 0..40)) {
        let text = parts.concat();
        for format in formats() {
            let _ = read::read(text.as_bytes(), format.as_ref(), &mut |_, _| ControlFlow::Continue(()));
        }
    }
}
