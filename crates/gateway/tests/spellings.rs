//! Requests that are no saved operation's and no rule's, but may be to the origin.

use serde_json::json;

use crate::support::{Origin, Running, Snapshot};

/// What happens to a GET of each path, per snapshot: whether it is refused, and by what.
fn refused(running: &Running, method: &str, path: &str) -> Option<String> {
    let answer = running.plain().request(format!(
        "{method} {path} HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
    ));
    match answer.status {
        200 | 201 => None,
        status => Some(format!("{status} {}", answer.code())),
    }
}

const SPELLINGS: &[&str] = &[
    "/TEMPS",
    "/temps/",
    "/temps;x=1",
    "/temps.",
    "/temps%20",
    "/%2574emps",
    "/temps%3Fa=1",
    "/USERS:batch",
];

#[test]
fn another_spelling_of_a_saved_path_is_treated_as_the_operation_says() {
    let origin = Origin::start();
    for (action, answer) in [
        ("block", Some("403 schema_violation".to_owned())),
        ("log", None),
        ("none", None),
    ] {
        let running = Running::start(&Snapshot::new(&origin.url()).validate(action));
        for path in SPELLINGS {
            // The method makes no difference: what matters is that the path is known.
            for method in ["GET", "DELETE"] {
                assert_eq!(refused(&running, method, path), answer, "{action} {path}");
                if action == "none" {
                    continue;
                }
                let event = serde_json::to_value(running.event()).unwrap();
                assert_eq!(event["action"], action);
                assert_eq!(
                    event["violation"],
                    json!({
                        "location": "path",
                        "target": if path.contains("batch") || path.contains("BATCH") { "/users:batch" } else { "/temps" },
                        "error_class": "constraint_violation",
                        "error_detail": "lookalike_path",
                        "rule": null,
                    })
                );
                assert!(event["operation_id"].is_null());
            }
        }
        // Another method on the path itself is fallthrough, for rules to decide about; so is another path.
        for (method, path) in [("DELETE", "/temps"), ("GET", "/temps/x"), ("GET", "/other")] {
            assert_eq!(refused(&running, method, path), None, "{method} {path}");
        }
        assert!(
            running
                .gateway
                .take_events(1, std::time::Duration::ZERO)
                .is_empty()
        );
    }
    let passing = Snapshot::new(&origin.url()).validate("block");
    let passing = Running::start(&passing.setting("lookalike_paths", "pass"));
    for path in SPELLINGS {
        assert_eq!(refused(&passing, "GET", path), None, "{path}");
    }
}

#[test]
fn another_spelling_of_a_rules_path_is_treated_as_the_rule_says() {
    let origin = Origin::start();
    let mut snapshot = Snapshot::new(&origin.url());
    snapshot.add_rule("skip", r#"http.request.uri.path eq "/Admin/open""#);
    snapshot.add_rule(
        "block",
        r#"http.request.uri.path in {"/Admin" "/Admin/open"} and http.request.method ne "PUT""#,
    );
    snapshot.add_rule("block", r#"not http.request.uri.path ne "/users:batch""#);
    let blocked = Some("403 blocked_by_rule".to_owned());
    let running = Running::start(&snapshot);
    for (method, path, answer) in [
        ("GET", "/Admin", blocked.clone()),
        ("GET", "/admin", blocked.clone()),
        ("GET", "/ADMIN/;x", blocked.clone()),
        ("PUT", "/ADMIN", None),
        ("GET", "/Admin/open", None),
        // What is let through is let through as written.
        ("GET", "/admin/OPEN", blocked.clone()),
        ("GET", "/users:batch", blocked.clone()),
        ("GET", "/users:batch/", blocked),
        ("GET", "/users", None),
        ("GET", "/administration", None),
        ("OPTIONS", "*", None),
    ] {
        assert_eq!(refused(&running, method, path), answer, "{method} {path}");
    }
    let running = Running::start(&snapshot.setting("lookalike_paths", "pass"));
    assert_eq!(refused(&running, "GET", "/admin"), None);
}

#[test]
fn head_is_judged_as_get_unless_it_is_saved() {
    let origin = Origin::start();
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "Heads", "version": "1"},
        "paths": {
            "/both": {"get": strict(), "head": {"responses": {}}},
            "/one": {"get": strict()},
        }
    });
    let mut snapshot = Snapshot::new(&origin.url());
    snapshot.json["schemas"] =
        json!([{"schema_id": "s1", "name": "heads", "source": document.to_string()}]);
    snapshot.zone()["schema_validation"]["default_action"] = json!("block");
    snapshot.zone()["operations"] = json!([
        operation("GET", "/both"),
        operation("HEAD", "/both"),
        operation("GET", "/one"),
    ]);
    snapshot.add_rule("block", "cf.api_gateway.fallthrough_detected");
    let running = Running::start(&snapshot);
    for (method, path, status) in [
        ("GET", "/one?page=1", 200),
        ("HEAD", "/one?page=1", 200),
        ("HEAD", "/one", 403),
        ("HEAD", "/one?page=x", 403),
        ("HEAD", "/both", 200),
        ("GET", "/both", 403),
        ("OPTIONS", "/one", 403),
        ("HEAD", "/none", 403),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
        assert_eq!(
            running.plain().request(request).status,
            status,
            "{method} {path}"
        );
    }
}

fn strict() -> serde_json::Value {
    let page =
        json!({"name": "page", "in": "query", "required": true, "schema": {"type": "integer"}});
    json!({"parameters": [page], "responses": {}})
}

fn operation(method: &str, path: &str) -> serde_json::Value {
    json!({
        "operation_id": format!("{method} {path}"),
        "method": method,
        "host": "api.example.com",
        "endpoint": path,
        "mitigation_action": null,
        "schema": {"schema_id": "s1", "path": path},
    })
}

#[test]
fn hosts_that_could_be_read_in_two_ways_are_refused() {
    let origin = Origin::start();
    let running = Running::start(&Snapshot::new(&origin.url()).validate("block"));
    let ask = |target: &str, hosts: &str| {
        let request = format!("GET {target} HTTP/1.1\r\n{hosts}\r\n");
        running.plain().request(request).status
    };
    for (target, hosts, status) in [
        ("/temps", "Host: api.example.com\r\n", 200),
        ("/temps", "Host: API.Example.COM:80\r\n", 200),
        ("/temps", "Host: api.example.com.\r\n", 200),
        (
            "http://api.example.com/temps",
            "Host: api.example.com\r\n",
            200,
        ),
        ("http://api.example.com", "Host: api.example.com\r\n", 200),
        (
            "http://api.example.com/temps",
            "Host: other.example.com\r\n",
            400,
        ),
        (
            "http://user@api.example.com/temps",
            "Host: api.example.com\r\n",
            400,
        ),
        ("http:///temps", "Host: api.example.com\r\n", 400),
        ("/temps", "Host: user@api.example.com\r\n", 400),
        (
            "/temps",
            "Host: api.example.com, other.example.com\r\n",
            400,
        ),
        ("/temps", "Host: api.example.com/x\r\n", 400),
        (
            "/temps",
            "Host: api.example.com\r\nHost: other.example.com\r\n",
            400,
        ),
        ("/temps", "Host: evil.test\r\n", 404),
        ("/temps", "Host: .example.com\r\n", 404),
        ("/temps", "", 400),
        ("temps", "Host: api.example.com\r\n", 400),
        ("*", "Host: api.example.com\r\n", 400),
        ("api.example.com:80", "Host: api.example.com\r\n", 400),
    ] {
        assert_eq!(ask(target, hosts), status, "{target} {hosts}");
    }
    let connect = "CONNECT api.example.com:80 HTTP/1.1\r\nHost: api.example.com:80\r\n\r\n";
    for snapshot in [
        Snapshot::new(&origin.url()),
        Snapshot::new(&origin.url()).validate("block"),
    ] {
        let running = Running::start(&snapshot);
        assert_eq!(running.plain().request(connect).status, 405);
    }
}
