//! From the document to what requests meet: keys parsed, expressions and schemas compiled, everything joined.
//!
//! Documents of schemas are compiled once for their text and kept from one snapshot to the next, so a snapshot that
//! only revokes a certificate costs little more than reading it.

use std::collections::HashMap;
use std::sync::Arc;

use hauberk_openapi::{Policy, Unchecked, loosest_reading};
use hauberk_traffic::{SessionIdentifier, SessionIdentifiers};
use openssl::pkey::PKey;
use openssl::sha::Sha256;
use openssl::x509::X509;

use super::document::{self, Document, Forwarding as ForwardingName};
use super::operations::{HostPattern, Mitigation, Operations, SavedOperation, Validation};
use super::schemas::{self, KnownDocument};
use super::settings::{ContentEncoding, Departure, ReadOnly, Settings, Suspicious};
use crate::error::Refused;
use crate::host::{Forwarding, Host, Hosts, ServerCertificate};
use crate::identity::{Authority, ClientPolicy};
use crate::metrics::Metrics;
use crate::request_counts::Place;
use crate::rules::{self, Expression, Field, TextField};
use crate::upstream::Upstreams;

pub(crate) use super::document::RuleAction;

/// A snapshot in force.
pub(crate) struct Enforced {
    pub(crate) version: u64,
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) response_policy: Policy,
    pub(crate) hosts: Hosts,
}

/// What the hosts of a zone share.
pub(crate) struct Zone {
    pub(crate) id: Box<str>,
    /// The enabled ones, in the order they are asked.
    pub(crate) rules: Vec<Rule>,
    pub(crate) session_identifiers: SessionIdentifiers,
}

/// A rule of a zone.
pub(crate) struct Rule {
    pub(crate) id: Box<str>,
    pub(crate) description: Box<str>,
    pub(crate) expression: Expression,
    pub(crate) action: RuleAction,
    /// Whether it says something about the client certificate.
    pub(crate) asks_for_certificate: bool,
    /// The paths it speaks of, each under its loosest reading.
    paths: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Rule {
    fn new(written: &document::Rule<'_>) -> Result<Self, Refused> {
        let expression = rules::compile(&written.expression)
            .map_err(|error| Refused::new(format!("rule {:?}", written.id), error))?;
        let mut paths: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
        for path in expression.values_of(TextField::Path) {
            let reading = loosest_reading(path).into();
            paths.entry(reading).or_default().push(path.into());
        }
        Ok(Self {
            id: (*written.id).into(),
            description: (*written.description).into(),
            asks_for_certificate: Field::all()
                .any(|field| field.is_of_certificate() && expression.uses(field)),
            expression,
            action: written.action,
            paths,
        })
    }

    /// The paths the rule speaks of that a request's path may stand for, given its loosest reading.
    pub(crate) fn paths_like(&self, reading: &str) -> &[Box<str>] {
        self.paths.get(reading).map_or(&[], Vec::as_slice)
    }

    /// Whether the rule speaks of paths at all.
    pub(crate) fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }
}

/// Compiles snapshots one after the other.
#[derive(Default)]
pub(crate) struct Compiler {
    documents: schemas::Known,
}

impl Compiler {
    /// Compiles the JSON of a snapshot.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong. Nothing of the compiler's memory changes then.
    pub(crate) fn compile(
        &mut self,
        version: u64,
        body: &[u8],
        metrics: &Metrics,
    ) -> Result<(Enforced, Vec<String>), Refused> {
        let document: Document<'_> = serde_json::from_slice(body)
            .map_err(|cause| Refused::new("content", describe(&cause)))?;
        if document.format != 1 || document.version != version {
            return Err(Refused::new(
                "content",
                "format or version differ from the header",
            ));
        }
        document
            .settings
            .check()
            .map_err(|reason| Refused::new("settings", reason))?;
        let mut warnings = Vec::new();
        let responses = document.settings.response_validation > 0.0;
        let documents = schemas::compile(&self.documents, &document.schemas, responses)?;
        let authorities = authorities(&document.certificate_authorities)?;
        let mut hosts = Hosts::default();
        let joined = Joined {
            settings: &document.settings,
            authorities: &authorities,
            documents: &documents,
            metrics,
        };
        for zone in &document.zones {
            joined.zone(zone, &mut hosts, &mut warnings)?;
        }
        self.documents = documents
            .into_values()
            .map(|known| (known.key, known.loaded))
            .collect();
        let enforced = Enforced {
            version,
            policy: policy(&document.settings),
            response_policy: response_policy(&document.settings),
            settings: document.settings,
            hosts,
        };
        Ok((enforced, warnings))
    }
}

/// How strictly requests are judged.
fn policy(settings: &Settings) -> Policy {
    Policy {
        undeclared_query: settings.undeclared_query == Departure::Reject,
        undeclared_body: settings.undeclared_body == Departure::Reject,
        repeated_parameters: settings.repeated_parameters == Departure::Reject,
        strict_numbers: settings.strict_numbers,
        content_encoding: match settings.content_encoding {
            ContentEncoding::Refuse => hauberk_openapi::ContentEncoding::Refuse,
            ContentEncoding::Unpack => hauberk_openapi::ContentEncoding::Unpack,
        },
        max_unpacked_bytes: settings.max_unpacked_bytes,
        max_unpack_ratio: settings.max_unpack_ratio,
        xml: match settings.xml {
            Suspicious::Refuse => Unchecked::Refuse,
            Suspicious::Pass => Unchecked::Pass,
        },
        read_only: settings.read_only == ReadOnly::Refuse,
        max_depth: settings.max_json_depth,
        max_members: settings.max_json_members,
        max_part_count: settings.max_parts,
        ..Policy::default()
    }
}

/// How responses are judged. They are the API's own, so they may be as large as what is kept of them.
fn response_policy(settings: &Settings) -> Policy {
    let max_bytes = settings.max_body_bytes;
    Policy {
        max_members: settings.max_json_members.max(max_bytes),
        max_unpacked_bytes: settings.max_unpacked_bytes.max(max_bytes),
        ..policy(settings)
    }
}

/// Where serde stopped, without what stood there: it could be a private key.
fn describe(cause: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let (line, column) = (cause.line(), cause.column());
    match cause.classify() {
        Category::Data => {
            let text = cause.to_string();
            // "unknown field `x`, expected …" and "missing field `x`" name members; "invalid type: string \"…\"" quotes.
            let named = text.starts_with("unknown field") || text.starts_with("missing field");
            if named {
                text
            } else {
                format!(
                    "a value of another type than the format says, at line {line} column {column}"
                )
            }
        }
        Category::Eof | Category::Syntax | Category::Io => {
            format!("not JSON at line {line} column {column}")
        }
    }
}

fn authorities<'a>(
    authorities: &'a [document::Authority<'_>],
) -> Result<HashMap<&'a str, Arc<Authority>>, Refused> {
    let mut compiled = HashMap::new();
    for authority in authorities {
        let thing = || format!("certificate authority {:?}", authority.id);
        let revoked = authority.revoked_serial_numbers.iter().cloned().collect();
        let one = Authority::new(&authority.id, &authority.certificates_pem, revoked)
            .map_err(|reason| Refused::new(thing(), reason))?;
        if compiled.insert(&*authority.id, Arc::new(one)).is_some() {
            return Err(Refused::new(thing(), "its id stands there twice"));
        }
    }
    Ok(compiled)
}

/// What zones refer to.
struct Joined<'a> {
    settings: &'a Settings,
    authorities: &'a HashMap<&'a str, Arc<Authority>>,
    documents: &'a HashMap<&'a str, KnownDocument>,
    metrics: &'a Metrics,
}

impl Joined<'_> {
    fn zone(
        &self,
        written: &document::Zone<'_>,
        hosts: &mut Hosts,
        warnings: &mut Vec<String>,
    ) -> Result<(), Refused> {
        let zone = Arc::new(Zone {
            id: (*written.id).into(),
            rules: rules(&written.rules)?,
            session_identifiers: session_identifiers(written)?,
        });
        let operations = written
            .operations
            .iter()
            .map(|operation| self.operation(operation, &written.schema_validation))
            .collect::<Result<Vec<_>, _>>()?;
        for host in &written.hosts {
            let thing = || format!("host {:?}", host.name);
            let compiled = self
                .host(host, &zone, &written.name, &operations)
                .map_err(|reason| Refused::new(thing(), reason))?;
            for name in compiled.upstreams.unresolved() {
                warnings.push(format!("{}: upstream {name:?} has no address now", thing()));
            }
            if !hosts.add(compiled) {
                return Err(Refused::new(thing(), "it stands there twice"));
            }
        }
        Ok(())
    }

    fn operation(
        &self,
        written: &document::Operation<'_>,
        zone: &document::SchemaValidation,
    ) -> Result<(HostPattern, String, Arc<SavedOperation>), Refused> {
        let thing = || format!("operation {:?}", written.operation_id);
        // Highest first: the zone's override, the operation's own action, the zone's default.
        let action = zone
            .override_action
            .or(written.mitigation_action)
            .unwrap_or(zone.default_action);
        let validation = match &written.schema {
            Some(schema) => {
                let document = self
                    .documents
                    .get(&*schema.schema_id)
                    .ok_or_else(|| Refused::new(thing(), "its schema is not in the snapshot"))?;
                let operation = document
                    .loaded
                    .document
                    .find(&written.method, &schema.path)
                    .ok_or_else(|| {
                        Refused::new(thing(), "its schema has no such method and path")
                    })?;
                (action != Mitigation::None).then(|| Validation {
                    operation: operation.clone(),
                    action,
                })
            }
            None => None,
        };
        let operation = SavedOperation {
            id: (*written.operation_id).into(),
            endpoint: (*written.endpoint).into(),
            validation,
        };
        Ok((
            HostPattern::new(&written.host),
            written.method.to_string(),
            Arc::new(operation),
        ))
    }

    fn host(
        &self,
        written: &document::Host<'_>,
        zone: &Arc<Zone>,
        zone_name: &str,
        operations: &[(HostPattern, String, Arc<SavedOperation>)],
    ) -> Result<Host, String> {
        let name = host_name(&written.name)?;
        let authorities = written.certificate_authority_ids.iter().map(|id| {
            let found = self.authorities.get(&**id).cloned();
            found.ok_or_else(|| format!("certificate authority {id:?} is not in the snapshot"))
        });
        let policy = ClientPolicy::new(authorities.collect::<Result<_, _>>()?)
            .map_err(|cause| cause.to_string())?;
        let mut context = Sha256::new();
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(&policy.digest);
        let forwards = |way| written.forward_client_certificate.contains(&way);
        Ok(Host {
            zone: Arc::clone(zone),
            certificate: server_certificate(&written.certificate_pem, &written.private_key_pem)?,
            policy,
            forwarding: Forwarding {
                client_cert_headers: forwards(ForwardingName::ClientCertHeaders),
                cf_cert_headers: forwards(ForwardingName::CfCertHeaders),
                rfc9440: forwards(ForwardingName::Rfc9440),
            },
            upstreams: Upstreams::new(written.upstreams.iter().map(|url| &**url), self.settings)?,
            operations: Operations::for_host(&name, operations)
                .map_err(|cause| cause.to_string())?,
            metrics: self.metrics.host(zone_name, &name),
            place: Arc::new(Place {
                zone_id: zone.id.clone(),
                host: name.clone(),
            }),
            session_context: context.finish(),
            name,
        })
    }
}

fn session_identifiers(zone: &document::Zone<'_>) -> Result<SessionIdentifiers, Refused> {
    let identifiers = zone.session_identifiers.iter();
    let identifiers = identifiers.map(|one| SessionIdentifier::new(one.kind, &one.name));
    identifiers
        .collect::<Result<_, _>>()
        .and_then(SessionIdentifiers::new)
        .map_err(|reason| {
            let thing = format!("session identifiers of zone {:?}", zone.name);
            Refused::new(thing, reason)
        })
}

fn rules(written: &[document::Rule<'_>]) -> Result<Vec<Rule>, Refused> {
    let enabled = written.iter().filter(|rule| rule.enabled);
    enabled.map(Rule::new).collect()
}

/// A host name in lower case, or `*.` and one.
fn host_name(written: &str) -> Result<Box<str>, String> {
    let name = written.to_ascii_lowercase();
    let labels = name.strip_prefix("*.").unwrap_or(&name);
    let label_fits = |label: &str| {
        let byte_fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.bytes().all(byte_fits)
    };
    if labels.len() > 255 || !labels.split('.').all(label_fits) {
        return Err("it is not a host name, nor *. and one".to_owned());
    }
    Ok(name.into())
}

fn server_certificate(
    certificate_pem: &str,
    private_key_pem: &str,
) -> Result<ServerCertificate, String> {
    let mut chain = X509::stack_from_pem(certificate_pem.as_bytes())
        .map_err(|cause| format!("certificate_pem cannot be read: {cause}"))?
        .into_iter();
    let leaf = chain.next().ok_or("certificate_pem holds no certificate")?;
    // The cause may quote what it could not read.
    let private_key = PKey::private_key_from_pem(private_key_pem.as_bytes())
        .map_err(|_| "private_key_pem cannot be read")?;
    let public_key = leaf
        .public_key()
        .map_err(|cause| format!("certificate_pem cannot be used: {cause}"))?;
    if !public_key.public_eq(&private_key) {
        return Err("private_key_pem is not the key of certificate_pem".to_owned());
    }
    Ok(ServerCertificate {
        leaf,
        chain: chain.collect(),
        private_key,
    })
}
