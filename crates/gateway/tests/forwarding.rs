//! What reaches the origin: the request as it was sent, and about the client only what the gateway says.

use serde_json::json;

use crate::support::http2::Http2;
use crate::support::{Authority, Origin, Running, Snapshot};

#[test]
fn a_header_does_not_change_the_method_where_the_method_decides() {
    let origin = Origin::start();
    let open = Running::start(&Snapshot::new(&origin.url()));
    let guarded = Running::start(&Snapshot::new(&origin.url()).validate("log"));
    let passing = Snapshot::new(&origin.url()).validate("log");
    let passing = Running::start(&passing.setting("method_override_headers", "pass"));
    for name in [
        "X-HTTP-Method-Override",
        "X-Http-Method",
        "x_method_override",
    ] {
        let request = |method| {
            format!("GET /temps HTTP/1.1\r\nHost: api.example.com\r\n{name}: {method}\r\n\r\n")
        };
        let answer = guarded.plain().request(request("DELETE"));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "method_override"),
            "{name}"
        );
        for (running, method) in [(&open, "DELETE"), (&passing, "DELETE"), (&guarded, "get")] {
            assert_eq!(running.plain().request(request(method)).status, 200);
            assert_eq!(origin.last().header(name), Some(method));
        }
    }
    assert_eq!(origin.received().len(), 9);
}

#[test]
fn what_a_client_says_about_itself_does_not_reach_the_origin() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    snapshot.zone()["rules"] = json!([]);
    let running = Running::start(&snapshot);
    let spoofed = [
        "Cf-Client-Cert-Sha256",
        "CF-CLIENT-CERT-DER-BASE64",
        "Cf-Cert-Verified",
        "cf_cert_verified",
        "Cf-Cert-Anything",
        "Client-Cert",
        "client_cert",
        "Client-Cert-Chain",
        "Cf-Connecting-Ip",
        "Cf_Connecting_Ip",
        "X-Real-Ip",
        "Forwarded",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Client-Cert",
        "X.Forwarded.User",
        "X-Original-Url",
        "X-Rewrite-Url",
        "X-Request-Id",
    ];
    let lines: String = spoofed
        .iter()
        .map(|name| format!("{name}: spoofed\r\n"))
        .collect();
    let request =
        format!("GET /temps HTTP/1.1\r\nHost: api.example.com\r\n{lines}X-Kept: kept\r\n\r\n");
    for identity in [None, Some(authority.client("device"))] {
        assert_eq!(running.tls(identity.as_ref()).request(&request).status, 200);
        let received = origin.last();
        for (name, value) in &received.headers {
            assert_ne!(value, "spoofed", "{name}");
        }
        assert_eq!(received.header("x-kept"), Some("kept"));
        assert_eq!(received.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(received.header("cf-connecting-ip"), Some("127.0.0.1"));
        assert_eq!(received.header("x-forwarded-proto"), Some("https"));
        assert_eq!(received.header("x-forwarded-host"), Some("api.example.com"));
        assert_eq!(received.header("host"), Some("api.example.com"));
        assert_eq!(received.header("via"), Some("1.1 hauberk"));
        assert_eq!(received.header("x-request-id").map(str::len), Some(32));
        assert_eq!(
            received.header("cf-cert-verified").is_some(),
            identity.is_some()
        );
    }
}

#[test]
fn the_origin_is_told_of_the_certificate_on_every_request() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(&Snapshot::new(&origin.url()).require(&authority));
    let device = authority.client("device");
    let mut client = running.tls(Some(&device));
    for _ in 0..2 {
        client.get("api.example.com", "/temps");
        let received = origin.last();
        let der = openssl::base64::encode_block(&device.certificate.to_der().unwrap());
        assert_eq!(
            received.header("cf-client-cert-sha256"),
            Some(device.fingerprint().as_str())
        );
        assert_eq!(
            received.header("cf-client-cert-der-base64"),
            Some(der.as_str())
        );
        assert_eq!(
            received.header("client-cert"),
            Some(format!(":{der}:").as_str())
        );
        assert_eq!(received.header("client-cert-chain"), None);
        let mut family = received
            .headers
            .iter()
            .filter(|(name, _)| name.to_ascii_lowercase().starts_with("cf-cert-"));
        assert!(family.all(|(_, value)| !value.is_empty()));
        let family = received
            .headers
            .iter()
            .filter(|(name, _)| name.to_ascii_lowercase().starts_with("cf-cert-"));
        assert_eq!(family.count(), 17);
        assert_eq!(
            received.header("cf-cert-subject-dn-rfc2253"),
            Some(r"CN=device,O=Example\, Inc.,C=US")
        );
        assert_eq!(received.header("cf-cert-revoked"), Some("false"));
    }
}

#[test]
fn a_certificate_nobody_vouches_for_is_not_handed_on_as_client_cert() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let mut snapshot = Snapshot::new(&origin.url()).require(&authority);
    snapshot.zone()["rules"] = json!([]);
    let revoked = authority.client("revoked");
    snapshot.revoke(&revoked);
    let running = Running::start(&snapshot);
    for (identity, verified, is_revoked) in [
        (
            Authority::root("Strangers").client("device"),
            "false",
            "false",
        ),
        (revoked, "true", "true"),
    ] {
        assert_eq!(running.get(Some(&identity), "/temps").status, 200);
        let received = origin.last();
        assert_eq!(received.header("client-cert"), None);
        assert_eq!(received.header("cf-cert-presented"), Some("true"));
        assert_eq!(received.header("cf-cert-verified"), Some(verified));
        assert_eq!(received.header("cf-cert-revoked"), Some(is_revoked));
    }
}

#[test]
fn hosts_are_found_by_exact_name_then_by_wildcard() {
    let (exact, wild) = (Origin::start(), Origin::start());
    let mut snapshot = Snapshot::new(&exact.url());
    snapshot.add_host("*.example.com", &wild.url());
    let running = Running::start(&snapshot);
    for (host, status) in [
        ("api.example.com", 200),
        ("API.EXAMPLE.COM:8443", 200),
        ("api.example.com.", 200),
        ("any.example.com", 200),
        ("two.labels.example.com", 404),
        ("example.com", 404),
        (".example.com", 404),
    ] {
        assert_eq!(running.plain().get(host, "/").status, status, "{host}");
    }
    assert_eq!((exact.received().len(), wild.received().len()), (3, 1));
    assert_eq!(
        exact.received()[1].header("host"),
        Some("API.EXAMPLE.COM:8443"),
        "the origin sees it as sent"
    );
}

#[test]
fn the_absolute_form_is_forwarded_as_a_path() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    for (target, path) in [
        ("http://api.example.com/temps?", "/temps?"),
        ("http://api.example.com", "/"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
        assert_eq!(running.plain().request(request).status, 200);
        assert_eq!(origin.last().target, path);
    }
    let request = "GET http://api.example.com/ HTTP/1.1\r\nHost: other.example.com\r\n\r\n";
    assert_eq!(running.plain().request(request).status, 400);
}

#[test]
fn rules_go_in_order_and_skip_leaves_the_rest() {
    let origin = Origin::start();
    let mut snapshot = Snapshot::new(&origin.url());
    snapshot.add_rule(
        "log",
        r#"http.request.uri.path in {"/logged" "/skipped" "/blocked"}"#,
    );
    snapshot.add_rule("skip", r#"http.request.uri.path eq "/skipped""#);
    snapshot.add_rule(
        "block",
        r#"http.request.uri.path in {"/skipped" "/blocked"}"#,
    );
    let running = Running::start(&snapshot);
    for (path, status) in [
        ("/free", 200),
        ("/logged", 200),
        ("/skipped", 200),
        ("/blocked", 403),
        ("/%62locked", 403),
    ] {
        assert_eq!(
            running.plain().get("api.example.com", path).status,
            status,
            "{path}"
        );
    }
    let events = running.gateway.take_events(100, std::time::Duration::ZERO);
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.path.as_str(), event.status))
        .collect();
    assert_eq!(told.len(), 6, "{told:?}");
    let event = serde_json::to_value(&events[3]).unwrap();
    assert_eq!(event["action"], "block");
    assert_eq!(event["source"], "firewallCustom");
    assert_eq!(event["rule_id"], format!("{:032x}", 2));
    assert_eq!(event["reason"], "blocked_by_rule");
    assert_eq!(event["client_address"], "127.0.0.1");
    assert!(running.gateway.metrics().contains(
        r#"hauberk_gateway_refusals_total{host="api.example.com",source="firewallCustom",zone="example.com"} 2"#
    ));
}

#[test]
fn cookies_that_http_2_sends_apart_arrive_together() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()));
    let mut client = Http2::connect(running.https(), "api.example.com", None);
    let request = http::Request::get("https://api.example.com/")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(())
        .unwrap();
    assert_eq!(client.request(request, &[]).unwrap().status(), 200);
    let received = origin.last();
    assert_eq!(received.header("cookie"), Some("a=1; b=2"));
    assert_eq!(received.header("host"), Some("api.example.com"));
    assert_eq!(received.header("via"), Some("2 hauberk"));
}

#[test]
fn an_upgrade_to_websocket_passes_both_ways() {
    let origin = Origin::start();
    let authority = Authority::root("Clients");
    let running = Running::start(
        &Snapshot::new(&origin.url())
            .require(&authority)
            .validate("block"),
    );
    let mut client = running.tls(Some(&authority.client("device")));
    let answer = client.request(
        "GET /ws HTTP/1.1\r\nHost: api.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(answer.status, 101, "{:?}", answer.json());
    for message in ["first", "second"] {
        client.send(message);
        assert_eq!(client.read_exactly(message.len()), message.as_bytes());
    }
    let received = origin.last();
    assert_eq!(received.header("upgrade"), Some("websocket"));
    assert!(received.header("sec-websocket-key").is_some());
}
