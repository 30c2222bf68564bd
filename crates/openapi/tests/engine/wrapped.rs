//! A schema alone, wrapped into a document whose one operation takes bodies of it.

#![allow(dead_code)] // several test binaries share it, none uses all

use hauberk_openapi::{
    BodyPlan, Document, Limits, Operation, Policy, Problem, RequestHead, Violation, load,
};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

/// Names the schema as a resource of its own, so that references in it are read as it means them.
const ID: &str = "https://example.com/the-schema";

pub struct Wrapped {
    document: Document,
}

impl Wrapped {
    /// JSON Schema 2020-12, as in OpenAPI 3.1.
    pub fn new(schema: &Value) -> Result<Self, Vec<Problem>> {
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.entry("$id").or_insert_with(|| Value::from(ID));
        }
        Self::of("3.1.0", &schema)
    }

    pub fn of(version: &str, schema: &Value) -> Result<Self, Vec<Problem>> {
        let source = json!({
            "openapi": version, "info": {"title": "t", "version": "1"},
            "paths": {"/t": {"post": {"requestBody": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/S"},
            }}}}}},
            "components": {"schemas": {"S": schema}},
        });
        Self::from_source(&source.to_string())
    }

    pub fn from_source(source: &str) -> Result<Self, Vec<Problem>> {
        let limits = Limits {
            max_depth: 256,
            ..Limits::default()
        };
        let document = load(source.as_bytes(), &limits)?.document;
        Ok(Self { document })
    }

    pub fn operation(&self) -> &Operation {
        self.document.find("POST", "/t").expect("the operation")
    }

    /// The first violation of a body.
    pub fn judge(&self, text: &[u8]) -> Result<(), Violation> {
        let operation = self.operation();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let head = RequestHead {
            path_variables: &[],
            query: None,
            headers: &headers,
            has_body: true,
        };
        let policy = policy();
        let plan = operation.validate_head(&head, &policy)?;
        assert!(matches!(plan, BodyPlan::Check(_)));
        let first = operation.validate_body(&plan, text, &policy);
        if let Err(first) = &first {
            let all = operation.violations(&head, text, &policy);
            assert_eq!(all.first(), Some(first), "{all:?}");
        }
        first
    }

    pub fn accepts(&self, instance: &Value) -> bool {
        self.judge(instance.to_string().as_bytes()).is_ok()
    }
}

fn policy() -> Policy {
    Policy {
        max_depth: Policy::DEEPEST,
        ..Policy::default()
    }
}
