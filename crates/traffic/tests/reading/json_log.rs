//! Logs of JSON lines.

use hauberk_traffic::Transaction;
use hauberk_traffic::read::{FieldMap, Format};

use super::{read_all, read_one};

fn summary(transaction: &Transaction) -> [String; 8] {
    [
        transaction.host.clone(),
        transaction.method.clone(),
        transaction.url.clone(),
        transaction.http_version.clone().unwrap_or_default(),
        transaction.status.to_string(),
        transaction
            .response_body_size
            .map_or(String::new(), |size| size.to_string()),
        transaction
            .response_content_type
            .clone()
            .unwrap_or_default(),
        transaction.time.clone().unwrap_or_default(),
    ]
}

#[test]
fn logs_of_known_servers_need_no_field_map() {
    let cases: &[(&str, &str, [&str; 8])] = &[
        (
            "a CDN's log push",
            r#"{"CacheCacheStatus":"dynamic","ClientIP":"203.0.113.9","ClientRequestHost":"api.example","ClientRequestMethod":"POST","ClientRequestPath":"/v1/x","ClientRequestProtocol":"HTTP/2","ClientRequestReferer":"","ClientRequestScheme":"https","ClientRequestURI":"/v1/x?a=1","ClientRequestUserAgent":"curl/8","EdgeResponseBytes":812,"EdgeResponseContentType":"application/json","EdgeResponseStatus":201,"EdgeStartTimestamp":"2026-11-22T10:00:00Z","RayID":"x","RequestHeaders":{"x-a":"1"},"ResponseHeaders":{"server":"s"}}"#,
            [
                "api.example",
                "POST",
                "https://api.example/v1/x?a=1",
                "HTTP/2",
                "201",
                "812",
                "application/json",
                "2026-11-22T10:00:00Z",
            ],
        ),
        (
            "a CDN's log push with nanoseconds",
            r#"{"ClientRequestHost":"api.example","ClientRequestMethod":"GET","ClientRequestPath":"/v1/x","EdgeResponseStatus":200,"EdgeStartTimestamp":1646861401524000009}"#,
            [
                "api.example",
                "GET",
                "/v1/x",
                "",
                "200",
                "",
                "",
                "2022-03-09T21:30:01.524000009Z",
            ],
        ),
        (
            "Caddy",
            r#"{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"127.0.0.1","proto":"HTTP/2.0","method":"GET","host":"localhost:8443","uri":"/x?a=1","headers":{"User-Agent":["curl/7.82.0"],"Accept":["*/*"]},"tls":{}},"bytes_read":0,"user_id":"","duration":0.0009,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"]}}"#,
            [
                "localhost:8443",
                "GET",
                "/x?a=1",
                "HTTP/2",
                "200",
                "10900",
                "text/html; charset=utf-8",
                "2022-03-09T21:30:01.5241024Z",
            ],
        ),
        (
            "Traefik",
            r#"{"ClientAddr":"10.0.0.1:50000","ClientHost":"10.0.0.1","DownstreamContentSize":42,"DownstreamStatus":200,"Duration":1,"OriginStatus":200,"RequestAddr":"a.example","RequestHost":"a.example","RequestMethod":"GET","RequestPath":"/x?a=1","RequestPort":"-","RequestProtocol":"HTTP/1.1","RequestScheme":"https","StartLocal":"2026-11-22T11:00:00+01:00","StartUTC":"2026-11-22T10:00:00.5Z","downstream_Content-Type":"application/json","request_User-Agent":"curl/8","level":"info","msg":"","time":"2026-11-22T10:00:01Z"}"#,
            [
                "a.example",
                "GET",
                "https://a.example/x?a=1",
                "HTTP/1.1",
                "200",
                "42",
                "application/json",
                "2026-11-22T10:00:00.5Z",
            ],
        ),
        (
            "Envoy",
            r#"{":authority":"a.example","bytes_received":0,"bytes_sent":42,"connection_termination_details":null,"duration":3,"method":"GET","path":"/x","protocol":"HTTP/2","request_id":"r","response_code":200,"response_flags":"-","start_time":"2026-11-22T10:00:00.000Z","upstream_host":"10.0.0.2:80","user_agent":"curl/8","x_forwarded_for":null}"#,
            [
                "a.example",
                "GET",
                "/x",
                "HTTP/2",
                "200",
                "42",
                "",
                "2026-11-22T10:00:00.000Z",
            ],
        ),
        (
            "nginx with variables",
            r#"{"time_iso8601":"2026-11-22T10:00:00+00:00","remote_addr":"203.0.113.9","host":"a.example","request_method":"GET","request_uri":"/x?a=1","uri":"/x","args":"a=1","server_protocol":"HTTP/1.1","status":"200","body_bytes_sent":"42","bytes_sent":"300","http_referer":"-","http_user_agent":"curl/8","http_x_request_id":"7","sent_http_content_type":"application/json","scheme":"http"}"#,
            [
                "a.example",
                "GET",
                "http://a.example/x?a=1",
                "HTTP/1.1",
                "200",
                "42",
                "application/json",
                "2026-11-22T10:00:00+00:00",
            ],
        ),
        (
            "nginx with the request line",
            r#"{"time":"22/Nov/2026:10:00:00 +0000","remote_addr":"203.0.113.9","request":"GET /x HTTP/1.1","status":200,"server_name":"_","http_host":"a.example:80"}"#,
            [
                "a.example",
                "GET",
                "/x",
                "HTTP/1.1",
                "200",
                "",
                "",
                "2026-11-22T10:00:00+00:00",
            ],
        ),
        (
            "Google's load balancer",
            r#"{"httpRequest":{"requestMethod":"GET","requestUrl":"https://a.example/x","status":200,"responseSize":"42","userAgent":"curl/8","remoteIp":"203.0.113.9","protocol":"HTTP/1.1"},"timestamp":"2026-11-22T10:00:00Z"}"#,
            [
                "a.example",
                "GET",
                "https://a.example/x",
                "HTTP/1.1",
                "200",
                "42",
                "",
                "2026-11-22T10:00:00Z",
            ],
        ),
        (
            "nothing but method and path",
            r#"{"method":"GET","path":"/x"}"#,
            ["unknown.invalid", "GET", "/x", "", "0", "", "", ""],
        ),
    ];
    for (name, line, wanted) in cases {
        let transaction = read_one(line, "json-log");
        assert_eq!(
            summary(&transaction).each_ref().map(String::as_str),
            *wanted,
            "{name}"
        );
    }
}

#[test]
fn headers_come_from_objects_lists_and_members_of_their_own() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let caddy = read_one(
        r#"{"request":{"method":"GET","uri":"/","headers":{"Accept":["a","b"],"User-Agent":["c"]}}}"#,
        "json-log",
    );
    assert_eq!(
        caddy.request_headers,
        [pair("Accept", "a, b"), pair("User-Agent", "c")]
    );
    let traefik = read_one(
        r#"{"RequestMethod":"GET","RequestPath":"/","request_X-A":"1","downstream_X-B":"2","request_id":"7"}"#,
        "json-log",
    );
    assert_eq!(
        (traefik.request_headers, traefik.response_headers),
        (vec![pair("X-A", "1")], vec![pair("X-B", "2")])
    );
    let nginx = read_one(
        r#"{"request":"GET / HTTP/1.1","http_x_a":"1","http_x_b":"-","sent_http_x_c":"3","http_user_agent":"c"}"#,
        "json-log",
    );
    assert_eq!(
        nginx.request_headers,
        [pair("x-a", "1"), pair("User-Agent", "c")]
    );
    assert_eq!(nginx.response_headers, [pair("x-c", "3")]);
}

#[test]
fn a_field_map_says_what_no_default_knows() {
    let mut fields = FieldMap::default();
    for (field, member) in [
        ("method", "req.verb"),
        ("path", "req.p"),
        ("status", "code"),
        ("host", "a.b.c"),
    ] {
        fields.set(field, member).unwrap();
    }
    let log = r#"{"method":"wrong","req":{"verb":"GET","p":"/x"},"code":204,"a.b.c":"h.example"}"#;
    let (rows, report) = read_all(log.as_bytes(), Some(&Format::JsonLog(fields.clone())));
    assert_eq!(report.bad, 0);
    let transaction = &rows[0].1;
    assert_eq!(
        (
            transaction.method.as_str(),
            transaction.url.as_str(),
            transaction.status,
            transaction.host.as_str()
        ),
        ("GET", "/x", 204, "h.example")
    );
    let error = fields.set("verb", "x").unwrap_err().to_string();
    assert!(
        error.starts_with("a field is one of client, forwarded_for, host"),
        "{error}"
    );
}

#[test]
fn lines_of_other_kinds_between_are_bad_or_skipped() {
    let log = [
        r#"{"level":"info","msg":"started"}"#,
        r#"{"request":"","status":400}"#,
        "[]",
        r#"{"method":"GET","path":"/x""#,
        r#"{"method":"GET","path":"/x"}"#,
    ];
    let (rows, report) = read_all(
        log.join("\n").as_bytes(),
        Some(&Format::JsonLog(FieldMap::default())),
    );
    assert_eq!(
        (rows.len(), rows[0].0, report.skipped, report.bad),
        (1, 4, 1, 3)
    );
}
