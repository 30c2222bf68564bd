//! The JSON of a snapshot as it is written. Members nobody knows are refused: they might restrict something.

use std::borrow::Cow;

use hauberk_traffic::SessionIdentifierType;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::settings::Settings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    pub(super) format: u32,
    pub(super) version: u64,
    /// For people and `hauberk status`.
    #[serde(borrow)]
    #[allow(dead_code, reason = "checked to be there, of no use here")]
    pub(super) created_at: Cow<'a, str>,
    pub(super) settings: Settings,
    #[serde(borrow)]
    pub(super) certificate_authorities: Vec<Authority<'a>>,
    #[serde(borrow)]
    pub(super) zones: Vec<Zone<'a>>,
    #[serde(borrow)]
    pub(super) schemas: Vec<Schema<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authority<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    #[allow(dead_code, reason = "for people")]
    pub(super) name: Cow<'a, str>,
    #[allow(dead_code, reason = "an uploaded authority has an empty list below")]
    pub(super) managed: bool,
    #[serde(borrow)]
    pub(super) certificates_pem: Cow<'a, str>,
    pub(super) revoked_serial_numbers: Vec<Box<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zone<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) hosts: Vec<Host<'a>>,
    #[serde(borrow)]
    pub(super) rules: Vec<Rule<'a>>,
    pub(super) schema_validation: SchemaValidation,
    #[serde(borrow)]
    pub(super) operations: Vec<Operation<'a>>,
    /// What tells sessions apart; none if left out.
    #[serde(borrow, default)]
    pub(super) session_identifiers: Vec<SessionIdentifier<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionIdentifier<'a> {
    #[serde(rename = "type")]
    pub(super) kind: SessionIdentifierType,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) upstreams: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) certificate_pem: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) private_key_pem: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) certificate_authority_ids: Vec<Cow<'a, str>>,
    pub(super) forward_client_certificate: Vec<Forwarding>,
}

/// A way of telling the upstream about the client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Forwarding {
    /// `Cf-Client-Cert-Sha256` and `Cf-Client-Cert-Der-Base64`.
    ClientCertHeaders,
    /// The `Cf-Cert-*` family.
    CfCertHeaders,
    /// `Client-Cert` and `Client-Cert-Chain`.
    Rfc9440,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) expression: Cow<'a, str>,
    pub(super) action: RuleAction,
    #[serde(borrow)]
    pub(super) description: Cow<'a, str>,
    pub(super) enabled: bool,
}

/// What a rule does with the requests it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RuleAction {
    /// 403, and an event.
    Block,
    /// An event.
    Log,
    /// The remaining rules are not asked.
    Skip,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SchemaValidation {
    pub(super) default_action: Mitigation,
    pub(super) override_action: Option<Mitigation>,
}

/// What is done about a request that departs from its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mitigation {
    /// Nothing: it is not even validated.
    None,
    /// An event.
    Log,
    /// 403, and an event.
    Block,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "the names of the format")]
pub(super) struct Operation<'a> {
    #[serde(borrow)]
    pub(super) operation_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) host: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) endpoint: Cow<'a, str>,
    pub(super) mitigation_action: Option<Mitigation>,
    #[serde(borrow)]
    pub(super) schema: Option<OperationSchema<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "the names of the format")]
pub(super) struct OperationSchema<'a> {
    #[serde(borrow)]
    pub(super) schema_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) path: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "the names of the format")]
pub(super) struct Schema<'a> {
    #[serde(borrow)]
    pub(super) schema_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    /// Still a JSON string: a document that is known already is told by its bytes and never unescaped again.
    #[serde(borrow)]
    pub(super) source: &'a RawValue,
}
