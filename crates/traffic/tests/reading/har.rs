//! Archives in the shapes in which recorders write them.

use hauberk_traffic::Transaction;
use hauberk_traffic::read::Problem;
use serde_json::{Value, json};

use super::{read_all, read_one};

/// An archive of entries.
pub(super) fn archive(entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "pages": [], "entries": entries}}).to_string()
}

pub(super) fn entry(url: &str) -> Value {
    json!({
        "startedDateTime": "2026-11-22T10:00:00.123Z",
        "time": 12.5,
        "request": {
            "method": "GET", "url": url, "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{"name": "Accept", "value": "*/*"}], "queryString": [], "headersSize": -1, "bodySize": 0
        },
        "response": {
            "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": 7, "mimeType": "application/json", "text": "{\"a\":1}"},
            "redirectURL": "", "headersSize": -1, "bodySize": 7
        },
        "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0}
    })
}

/// An entry with one thing changed, read.
fn changed(pointer: &str, value: Value) -> Transaction {
    let mut entry = entry("https://a.example/x?y=1");
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    entry.pointer_mut(parent).expect("an object")[name] = value;
    read_one(&archive(&[entry]), "har")
}

#[test]
fn an_entry_becomes_a_transaction() {
    let transaction = read_one(&archive(&[entry("https://A.example:443/x?y=1")]), "har");
    assert_eq!(
        transaction,
        Transaction {
            host: "a.example".to_owned(),
            method: "GET".to_owned(),
            url: "https://A.example:443/x?y=1".to_owned(),
            http_version: Some("HTTP/1.1".to_owned()),
            request_headers: vec![("Accept".to_owned(), "*/*".to_owned())],
            status: 200,
            response_headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            response_body_size: Some(7),
            response_content_type: Some("application/json".to_owned()),
            response_body: Some("{\"a\":1}".to_owned()),
            time: Some("2026-11-22T10:00:00.123Z".to_owned()),
            ..Transaction::default()
        }
    );
}

#[test]
fn versions_and_statuses_have_one_spelling_whatever_the_recorder_writes() {
    let versions = [
        ("http/2.0", Some("HTTP/2")),
        ("h3", Some("HTTP/3")),
        ("", Some("HTTP/1.1")),
        ("unknown", Some("HTTP/1.1")),
    ];
    for (written, wanted) in versions {
        let transaction = changed("/request/httpVersion", json!(written));
        assert_eq!(transaction.http_version.as_deref(), wanted, "{written}");
    }
    let statuses = [
        (json!(0), 0),
        (json!(-1), 0),
        (json!("204"), 204),
        (json!(null), 0),
        (json!(304.0), 304),
        (json!(70000), 0),
    ];
    for (written, wanted) in statuses {
        assert_eq!(
            changed("/response/status", written.clone()).status,
            wanted,
            "{written}"
        );
    }
}

#[test]
fn pseudo_headers_are_left_out_and_missing_ones_are_made_of_what_is_listed_apart() {
    let headers = changed(
        "/request/headers",
        json!([{"name": ":authority", "value": "b.example"}, {"name": "x", "value": 1}, {"name": "y", "value": null}]),
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(headers.request_headers, [pair("x", "1"), pair("y", "")]);
    let cookies = json!([{"name": "a", "value": "1", "path": "/"}, {"name": "b", "value": "2"}]);
    let request = changed("/request/cookies", cookies.clone());
    assert_eq!(request.request_header("cookie"), Some("a=1; b=2"));
    let response = changed("/response/cookies", cookies);
    assert_eq!(
        response.response_headers[1..],
        [pair("Set-Cookie", "a=1"), pair("Set-Cookie", "b=2")]
    );
    let none = changed("/request/headers", json!(null));
    assert!(none.request_headers.is_empty());
    let object = changed("/request/headers", json!({"X-A": "1"}));
    assert_eq!(object.request_headers, [pair("X-A", "1")]);
}

#[test]
fn the_host_comes_from_the_url_else_from_a_header() {
    let cases = [
        ("https://a.example/", json!([]), Some("a.example")),
        ("http://a.example:8080", json!([]), Some("a.example:8080")),
        ("wss://u:p@a.example/", json!([]), Some("a.example")),
        (
            "/x",
            json!([{"name": ":authority", "value": "b.example:443"}]),
            Some("b.example"),
        ),
        (
            "/x",
            json!([{"name": "Host", "value": "B.example"}]),
            Some("b.example"),
        ),
        ("/x", json!([]), None),
    ];
    for (url, headers, wanted) in cases {
        let mut entry = entry(url);
        entry["request"]["headers"] = headers;
        let (rows, report) = read_all(archive(&[entry]).as_bytes(), None);
        assert_eq!(
            rows.first()
                .map(|(_, transaction)| transaction.host.as_str()),
            wanted,
            "{url}"
        );
        if wanted.is_none() {
            assert_eq!(report.first_bad[0].problem, Problem::NoHost);
        }
    }
}

#[test]
fn a_query_that_is_only_listed_is_put_into_the_url() {
    let query = json!([{"name": "a b", "value": "1&2"}, {"name": "c", "value": ""}]);
    let mut apart = entry("https://a.example/x");
    apart["request"]["queryString"] = query.clone();
    assert_eq!(
        read_one(&archive(&[apart]), "har").url,
        "https://a.example/x?a%20b=1%262&c="
    );
    assert_eq!(
        changed("/request/queryString", query).url,
        "https://a.example/x?y=1"
    );
}

#[test]
fn what_is_not_asked_for_by_http_is_skipped_and_keeps_its_row() {
    let urls = [
        "data:image/png;base64,AAAA",
        "blob:https://a.example/1",
        "about:blank",
        "chrome-extension://x/y.js",
        "https://a.example/",
    ];
    let (rows, report) = read_all(archive(&urls.map(entry)).as_bytes(), None);
    assert_eq!(
        (rows.len(), rows[0].0, report.skipped, report.bad),
        (1, 4, 4, 0)
    );
}

#[test]
fn request_bodies_are_kept_as_text_bytes_fields_or_size() {
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let big = "x".repeat(65 * 1024);
    let huge = "x\n".repeat(3 * 1024 * 1024);
    let cases = [
        (
            json!({"mimeType": form, "text": "a=1&b=%20"}),
            (Some("a=1&b=%20"), None, None),
        ),
        (
            json!({"mimeType": form, "params": [{"name": "a b", "value": "1&2"}, {"name": "c"}]}),
            (Some("a%20b=1%262&c="), None, None),
        ),
        (
            json!({"mimeType": form, "text": "", "params": [{"name": "a", "value": "1"}]}),
            (Some("a=1"), None, None),
        ),
        (
            json!({"mimeType": "multipart/form-data", "params": [{"name": "ab", "value": "123"}]}),
            (None, None, Some(5)),
        ),
        (
            json!({"mimeType": "application/json", "text": "{\"a\":\"\u{e9}\\n\"}"}),
            (Some("{\"a\":\"\u{e9}\\n\"}"), None, None),
        ),
        (
            json!({"mimeType": "x", "text": "YWJj", "encoding": "base64"}),
            (Some("abc"), None, None),
        ),
        (
            json!({"mimeType": "x", "text": "//8=", "encoding": "base64"}),
            (None, Some("//8="), None),
        ),
        (
            json!({"mimeType": "x", "text": "?", "encoding": "base64"}),
            (None, None, Some(0)),
        ),
        (
            json!({"mimeType": "x", "text": big}),
            (None, None, Some(65 * 1024)),
        ),
        (
            json!({"mimeType": "x", "text": huge}),
            (None, None, Some(9 * 1024 * 1024)),
        ),
        (json!({"mimeType": "x", "text": null}), (None, None, None)),
        (json!({}), (None, None, None)),
        (json!(null), (None, None, None)),
    ];
    for (data, wanted) in cases {
        let shown = data.to_string();
        let transaction = changed("/request/postData", data);
        let found = (
            transaction.request_body.as_deref(),
            transaction.request_body_b64.as_deref(),
            transaction.request_body_omitted,
        );
        assert_eq!(found, wanted, "{}", &shown[..shown.len().min(100)]);
    }
    let data = json!({"mimeType": form, "text": "a=1"});
    assert_eq!(
        changed("/request/postData", data).request_header("content-type"),
        Some(form)
    );
}

#[test]
fn of_response_bodies_json_is_kept_and_the_size_of_all() {
    let big = format!("[\"{}\"]", "x".repeat(64 * 1024));
    let cases = [
        (json!({"size": 9, "text": "[1]"}), Some("[1]"), Some(9)),
        (json!({"size": 0, "text": "[1]"}), Some("[1]"), Some(3)),
        (json!({"size": -1, "text": "<p>"}), None, Some(3)),
        (
            json!({"size": 9, "text": "WzFd", "encoding": "base64"}),
            Some("[1]"),
            Some(9),
        ),
        (
            json!({"text": "iVBORw==", "encoding": "base64"}),
            None,
            Some(6),
        ),
        (json!({"text": big}), None, Some(64 * 1024 + 4)),
        (json!({}), None, Some(7)),
        (json!(null), None, Some(7)),
    ];
    for (content, body, size) in cases {
        let shown = content.to_string();
        let transaction = changed("/response/content", content);
        assert_eq!(
            transaction.response_body.as_deref(),
            body,
            "{}",
            &shown[..shown.len().min(100)]
        );
        assert_eq!(
            transaction.response_body_size,
            size,
            "{}",
            &shown[..shown.len().min(100)]
        );
    }
    let mut unknown = entry("https://a.example/");
    unknown["response"]["headers"] = json!([]);
    unknown["response"]["content"]["mimeType"] = json!("x-unknown");
    assert_eq!(
        read_one(&archive(&[unknown]), "har").response_content_type,
        None
    );
}

#[test]
fn the_resource_type_is_chromes_or_follows_from_web_socket_messages() {
    assert_eq!(
        changed("/_resourceType", json!("XHR"))
            .resource_type
            .as_deref(),
        Some("xhr")
    );
    let messages = json!([{"type": "send", "time": 1.5, "opcode": 1, "data": "x"}]);
    assert_eq!(
        changed("/_webSocketMessages", messages)
            .resource_type
            .as_deref(),
        Some("websocket")
    );
}

#[test]
fn an_archive_is_read_whatever_stands_around_its_entries() {
    let one = entry("https://a.example/").to_string();
    let shapes = [
        format!("\u{feff}{{\"log\":{{\"entries\":[{one}]}}}}"),
        format!(
            "{{\"_extra\":[{{\"entries\":1}},\"}}\"],\"log\":{{\"comment\":\"\\\"\",\"entries\":[{one}],\"pages\":[{{}}],\"browser\":{{\"a\":[]}}}},\"b\":2}}"
        ),
        format!("{{\"entries\":[{one}]}}"),
        format!(" {{ \"log\" : {{ \"entries\" : [ {one} ] }} }} \n\n"),
    ];
    for shape in shapes {
        assert_eq!(read_one(&shape, "har").host, "a.example");
    }
    let two = format!("{0}\n{0}", archive(&[entry("https://a.example/")]));
    assert_eq!(read_all(two.as_bytes(), None).0.len(), 2);
    let (rows, report) = read_all(b"{\"log\":{\"entries\":[]}}", None);
    assert_eq!((rows.len(), report.rows, report.cut_short), (0, 0, None));
}

#[test]
fn a_wrong_entry_is_counted_and_shown_with_its_place() {
    let good = entry("https://a.example/");
    let (rows, report) = read_all(
        archive(&[
            good.clone(),
            json!(7),
            json!({"request": {"method": "GET"}}),
            json!(null),
            good,
        ])
        .as_bytes(),
        None,
    );
    assert_eq!(rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 4]);
    assert_eq!(report.bad, 3);
    assert!(
        report
            .first_bad
            .iter()
            .all(|bad| bad.problem == Problem::NotTransaction && bad.line == 1)
    );
    assert_eq!(
        report
            .first_bad
            .iter()
            .map(|bad| bad.row)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
}
