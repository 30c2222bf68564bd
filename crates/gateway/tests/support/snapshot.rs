//! Snapshots, from parts.

use openssl::sha::sha256;
use serde_json::{Value, json};

use super::{Authority, Identity, pki};

/// The document of the temperature API.
pub const TEMPERATURES: &str = r#"{
  "openapi": "3.0.3",
  "info": {"title": "Temperatures", "version": "1"},
  "paths": {
    "/temps": {
      "post": {
        "requestBody": {"required": true, "content": {"application/json": {"schema": {
          "type": "object", "required": ["temperature", "time"], "additionalProperties": false,
          "properties": {
            "temperature": {"type": "number", "minimum": -100, "maximum": 100},
            "time": {"type": "string", "format": "date-time"},
            "note": {"type": "string"}
          }
        }}}},
        "responses": {"201": {"description": "kept"}}
      },
      "get": {"responses": {"200": {"description": "the readings"}}}
    },
    "/users:batch": {"get": {"responses": {"200": {"description": "users"}}}}
  }
}"#;

pub const GOOD_READING: &str = r#"{"temperature": 21.5, "time": "2026-11-22T10:00:00Z"}"#;

pub const AUTHORITY_ID: &str = "11111111-1111-4111-8111-111111111111";

/// A snapshot of one zone, to be changed by the test.
#[derive(Clone)]
pub struct Snapshot {
    pub json: Value,
    /// The certificate of all hosts.
    pub server: Identity,
}

impl Snapshot {
    /// One host, `api.example.com`, with nothing but an upstream.
    pub fn new(upstream: &str) -> Self {
        let names = ["api.example.com", "other.example.com", "*.example.com"];
        let mut snapshot = Self {
            json: json!({
                "format": 1,
                "version": 1,
                "created_at": "2026-11-22T10:00:00Z",
                "settings": {},
                "certificate_authorities": [],
                "zones": [{
                    "id": "0123456789abcdef0123456789abcdef",
                    "name": "example.com",
                    "hosts": [],
                    "rules": [],
                    "schema_validation": {"default_action": "none", "override_action": null},
                    "operations": [],
                }],
                "schemas": [],
            }),
            server: pki::server(&names),
        };
        snapshot.add_host("api.example.com", upstream);
        snapshot
    }

    pub fn zone(&mut self) -> &mut Value {
        &mut self.json["zones"][0]
    }

    pub fn host(&mut self, index: usize) -> &mut Value {
        &mut self.json["zones"][0]["hosts"][index]
    }

    pub fn add_host(&mut self, name: &str, upstream: &str) {
        let host = json!({
            "name": name,
            "upstreams": [upstream],
            "certificate_pem": self.server.pem(),
            "private_key_pem": self.server.key_pem(),
            "certificate_authority_ids": [],
            "forward_client_certificate": ["client-cert-headers", "cf-cert-headers", "rfc9440"],
        });
        push(&mut self.zone()["hosts"], host);
    }

    pub fn add_authority(&mut self, id: &str, pem: &str) {
        let authority = json!({
            "id": id,
            "name": "test",
            "managed": true,
            "certificates_pem": pem,
            "revoked_serial_numbers": [],
        });
        push(&mut self.json["certificate_authorities"], authority);
    }

    /// Makes the first host ask for certificates of this authority, and refuse requests without a good one.
    pub fn require(mut self, authority: &Authority) -> Self {
        self.add_authority(AUTHORITY_ID, &authority.pem());
        self.host(0)["certificate_authority_ids"] = json!([AUTHORITY_ID]);
        self.add_rule(
            "block",
            r#"http.host eq "api.example.com" and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked)"#,
        );
        self
    }

    pub fn add_rule(&mut self, action: &str, expression: &str) {
        let count = self.zone()["rules"].as_array().unwrap().len();
        let rule = json!({
            "id": format!("{count:032x}"),
            "expression": expression,
            "action": action,
            "description": "a rule",
            "enabled": true,
        });
        push(&mut self.zone()["rules"], rule);
    }

    /// Saves the operations of [`TEMPERATURES`] on the first host, with its schema in force.
    pub fn validate(mut self, action: &str) -> Self {
        push(
            &mut self.json["schemas"],
            json!({"schema_id": "s1", "name": "temps", "source": TEMPERATURES}),
        );
        for (method, path) in [
            ("POST", "/temps"),
            ("GET", "/temps"),
            ("GET", "/users:batch"),
        ] {
            let operation = json!({
                "operation_id": format!("{method} {path}"),
                "method": method,
                "host": "api.example.com",
                "endpoint": path,
                "mitigation_action": null,
                "schema": {"schema_id": "s1", "path": path},
            });
            push(&mut self.zone()["operations"], operation);
        }
        self.zone()["schema_validation"]["default_action"] = json!(action);
        self
    }

    /// Saves operations on the first host, with their document in force.
    pub fn document(mut self, source: &Value, operations: &[(&str, &str)], action: &str) -> Self {
        let schema = json!({"schema_id": "s2", "name": "own", "source": source.to_string()});
        push(&mut self.json["schemas"], schema);
        for (method, path) in operations {
            let operation = json!({
                "operation_id": format!("{method} {path}"),
                "method": method,
                "host": "api.example.com",
                "endpoint": path,
                "mitigation_action": null,
                "schema": {"schema_id": "s2", "path": path},
            });
            push(&mut self.zone()["operations"], operation);
        }
        self.zone()["schema_validation"]["default_action"] = json!(action);
        self
    }

    pub fn setting(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.json["settings"][name] = value.into();
        self
    }

    pub fn revoke(&mut self, identity: &Identity) {
        let serials = &mut self.json["certificate_authorities"][0]["revoked_serial_numbers"];
        push(serials, json!(identity.serial_decimal()));
    }

    pub fn version(mut self, version: u64) -> Self {
        self.json["version"] = json!(version);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        sealed(
            self.json["version"].as_u64().unwrap(),
            &self.json.to_string(),
        )
    }
}

/// A body with the header that belongs to it.
pub fn sealed(version: u64, body: &str) -> Vec<u8> {
    let digest: String = sha256(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("hauberk-snapshot 1 {version} {digest}\n{body}").into_bytes()
}

fn push(list: &mut Value, value: Value) {
    list.as_array_mut().unwrap().push(value);
}
