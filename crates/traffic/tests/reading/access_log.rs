//! Lines of access logs.

use hauberk_traffic::read::{Format, Problem, ReadOptions};

use super::{read_all, read_one, read_with};

// A table that belongs together.
#[allow(clippy::too_many_lines)]
#[test]
fn known_forms_are_told_apart_line_by_line() {
    // line, then host, method, url, status, bytes, time, client
    let cases: &[(&str, [&str; 7])] = &[
        (
            r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 203"#,
            [
                "unknown.invalid",
                "GET",
                "/a?b=1",
                "200",
                "203",
                "2015-05-17T10:05:03+00:00",
                "203.0.113.9",
            ],
        ),
        (
            r#"host.example - alice smith [17/May/2015:10:05:03 -0700] "POST / HTTP/2.0" 404 - "-" "curl/8.5""#,
            [
                "unknown.invalid",
                "POST",
                "/",
                "404",
                "",
                "2015-05-17T10:05:03-07:00",
                "host.example",
            ],
        ),
        (
            r#"a.example:443 203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 203 "-" "curl""#,
            [
                "a.example",
                "GET",
                "/",
                "200",
                "203",
                "2015-05-17T10:05:03+00:00",
                "203.0.113.9",
            ],
        ),
        (
            r#"2001:db8::1 - - [17/May/2015:10:05:03 +0000] "GET http://B.example/x HTTP/1.1" 200 1 "https://r.example/" "curl" "198.51.100.7, 10.0.0.1" 0.1"#,
            [
                "b.example",
                "GET",
                "http://B.example/x",
                "200",
                "1",
                "2015-05-17T10:05:03+00:00",
                "2001:db8::1",
            ],
        ),
        (
            r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "CONNECT c.example:443 HTTP/1.1" 400 150 "-" "-""#,
            [
                "c.example",
                "CONNECT",
                "c.example:443",
                "400",
                "150",
                "2015-05-17T10:05:03+00:00",
                "203.0.113.9",
            ],
        ),
        (
            r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a \"b\" c HTTP/1.1" 200 1 "-" "a \"quoted\" agent""#,
            [
                "unknown.invalid",
                "GET",
                "/a \"b\" c",
                "200",
                "1",
                "2015-05-17T10:05:03+00:00",
                "203.0.113.9",
            ],
        ),
        (
            r#"[2026-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 17 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations.example" "tcp://10.0.2.1:80""#,
            [
                "locations.example",
                "POST",
                "/api/v1/locations",
                "204",
                "17",
                "2026-04-15T20:17:00.310Z",
                "10.0.35.28",
            ],
        ),
        (
            r#"[2026-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.73.0" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._.httpbin default"#,
            [
                "httpbin:8000",
                "GET",
                "/status/418",
                "418",
                "135",
                "2026-11-25T21:26:18.409Z",
                "",
            ],
        ),
    ];
    for (line, wanted) in cases {
        let transaction = read_one(line, "access-log");
        let found = [
            transaction.host.clone(),
            transaction.method.clone(),
            transaction.url.clone(),
            transaction.status.to_string(),
            transaction
                .response_body_size
                .map_or(String::new(), |size| size.to_string()),
            transaction.time.clone().unwrap_or_default(),
            transaction.client.clone().unwrap_or_default(),
        ];
        assert_eq!(found.each_ref().map(String::as_str), *wanted, "{line}");
    }
    let all: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
    assert_eq!(
        read_all(all.join("\r\n").as_bytes(), None).0.len(),
        cases.len()
    );
}

#[test]
fn what_logs_know_of_headers_is_kept() {
    let line = r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "https://r.example/?t=1" "curl/8" "198.51.100.7""#;
    let headers = read_one(line, "access-log").request_headers;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        headers,
        [
            pair("Referer", "https://r.example/?t=1"),
            pair("User-Agent", "curl/8"),
            pair("X-Forwarded-For", "198.51.100.7")
        ]
    );
}

#[test]
fn requests_that_were_none_are_skipped_and_other_text_is_bad() {
    let log = [
        "# comment",
        r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "-" 408 0 "-" "-""#,
        r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01\x02" 400 150 "-" "-""#,
        "",
        r#"203.0.113.9 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
        r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"#,
        "[x] y",
        r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
    ];
    let (rows, report) = read_all(log.join("\n").as_bytes(), Some(&Format::AccessLog));
    assert_eq!(
        (rows.len(), rows[0].0, report.skipped, report.bad),
        (1, 7, 4, 3)
    );
    assert!(
        report
            .first_bad
            .iter()
            .all(|bad| bad.problem == Problem::NotLogLine)
    );
    assert_eq!(
        report.first_bad[0].to_string(),
        "row 4 (line 5, byte 154): not in a known form of access logs"
    );
}

#[test]
fn the_host_can_be_told() {
    let options = ReadOptions {
        default_host: Some("api.example".to_owned()),
        ..ReadOptions::default()
    };
    let line = br#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#;
    assert_eq!(read_with(line, &options).0[0].1.host, "api.example");
}
