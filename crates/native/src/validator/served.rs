//! The operations of documents, by the host they are served on.

use std::collections::HashMap;

use hauberk_openapi::{Limits, Match, Operation, Router, RouterBuilder, load};
use smallvec::SmallVec;

/// An operation that requests are judged by.
pub(super) struct Served {
    /// Its number among all of them.
    pub(super) number: usize,
    /// Method, host (unless it is served on any) and endpoint, as a JSON string.
    pub(super) name_json: String,
    pub(super) operation: Operation,
    pub(super) endpoint: String,
}

/// All operations of some documents.
pub(super) struct Documents {
    groups: Vec<Group>,
    /// Hosts in full → number of the group.
    exact: HashMap<String, usize>,
    /// Hosts that documents name with a port, without it.
    without_port: HashMap<String, usize>,
    /// Those with variables, the most specific first.
    patterns: Vec<(HostPattern, usize)>,
    /// Of documents that name no host.
    any: Option<usize>,
    names: Vec<String>,
}

type Group = Router<Served>;

/// The groups that requests to a host may be for, the most specific first.
pub(super) type Serving<'d> = SmallVec<[&'d Group; 3]>;

impl Documents {
    /// Reads documents. Of two operations with equal method, host and endpoint, the first one stands.
    ///
    /// # Errors
    ///
    /// The first document that is refused, by its number from 1, and why.
    pub(super) fn load(sources: &[Vec<u8>]) -> Result<Self, String> {
        let mut builders: Vec<(Option<String>, RouterBuilder<Served>)> = Vec::new();
        let mut known: HashMap<Option<String>, usize> = HashMap::new();
        let mut names = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let document = load(source, &Limits::default())
                .map_err(|problems| {
                    let first = problems.first();
                    let message = first.map_or("it is refused", |problem| &problem.message);
                    format!("document {}: {message}", index + 1)
                })?
                .document;
            for declared in document.operations() {
                let Some(operation) = document.find(&declared.method, &declared.path) else {
                    continue;
                };
                let hosts = declared.hosts.iter().cloned().map(Some);
                let hosts: Vec<Option<String>> = if declared.hosts.is_empty() {
                    vec![None]
                } else {
                    hosts.collect()
                };
                for host in hosts {
                    let group = *known.entry(host.clone()).or_insert_with(|| {
                        builders.push((host.clone(), RouterBuilder::new()));
                        builders.len() - 1
                    });
                    let shown = host.unwrap_or_default();
                    let name = format!("{} {shown}{}", declared.method, declared.endpoint);
                    let served = Served {
                        number: names.len(),
                        name_json: serde_json::Value::from(name.as_str()).to_string(),
                        operation: operation.clone(),
                        endpoint: declared.endpoint.clone(),
                    };
                    let builder = &mut builders[group].1;
                    if builder
                        .insert(&declared.method, &declared.endpoint, served)
                        .is_ok()
                    {
                        names.push(name);
                    }
                }
            }
        }
        Ok(Self::of(builders, names))
    }

    fn of(builders: Vec<(Option<String>, RouterBuilder<Served>)>, names: Vec<String>) -> Self {
        let mut documents = Self {
            groups: Vec::new(),
            exact: HashMap::new(),
            without_port: HashMap::new(),
            patterns: Vec::new(),
            any: None,
            names,
        };
        for (number, (host, builder)) in builders.into_iter().enumerate() {
            documents.groups.push(builder.build());
            match host {
                None => documents.any = Some(number),
                Some(host) if host.contains('{') => {
                    documents.patterns.push((HostPattern::new(&host), number));
                }
                Some(host) => {
                    let bare = without_port(&host);
                    if bare != host {
                        documents
                            .without_port
                            .entry(bare.to_owned())
                            .or_insert(number);
                    }
                    documents.exact.insert(host, number);
                }
            }
        }
        documents.patterns.sort_by_key(|(pattern, number)| {
            let variables: Vec<bool> = pattern.labels.iter().map(Option::is_none).collect();
            (variables, *number)
        });
        documents
    }

    /// The names of all operations, by their number.
    pub(super) fn operations(&self) -> Vec<String> {
        self.names.clone()
    }

    /// The operations that requests to a host may be for. A port tells documents apart if one of them names it; otherwise, as on
    /// a gateway, it makes no difference.
    pub(super) fn serving(&self, host: &str) -> Serving<'_> {
        let lower;
        let host = host.strip_suffix('.').unwrap_or(host);
        let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = host.to_ascii_lowercase();
            &lower
        } else {
            host
        };
        let mut found = self.named(host);
        let bare = without_port(host);
        if found.is_empty() && bare != host {
            found = self.named(bare);
        }
        if found.is_empty() {
            found.extend(self.without_port.get(bare).copied());
        }
        found.extend(self.any);
        found.into_iter().map(|group| &self.groups[group]).collect()
    }

    fn named(&self, host: &str) -> SmallVec<[usize; 3]> {
        let exact = self.exact.get(host).copied();
        let patterns = self.patterns.iter();
        let covering = patterns.filter(|(pattern, _)| pattern.covers(host));
        exact
            .into_iter()
            .chain(covering.map(|(_, group)| *group))
            .collect()
    }
}

/// The operation of a request. A HEAD is judged as a GET unless the operation HEAD is declared, as on a gateway.
pub(super) fn find<'d, 'p>(
    serving: &Serving<'d>,
    method: &str,
    path: &'p str,
) -> Option<Match<'d, 'p, Served>> {
    let find = |method: &str| serving.iter().find_map(|group| group.find(method, path));
    find(method).or_else(|| (method == "HEAD").then(|| find("GET"))?)
}

/// A host with labels that vary.
struct HostPattern {
    /// None is a variable.
    labels: Vec<Option<String>>,
}

impl HostPattern {
    fn new(host: &str) -> Self {
        let label = |label: &str| (!label.starts_with('{')).then(|| label.to_owned());
        Self {
            labels: host.split('.').map(label).collect(),
        }
    }

    fn covers(&self, host: &str) -> bool {
        let mut labels = host.split('.');
        let fits = self.labels.iter().all(|pattern| {
            labels.next().is_some_and(|label| match pattern {
                Some(literal) => literal == label,
                None => !label.is_empty(),
            })
        });
        fits && labels.next().is_none()
    }
}

/// The host without `:port`; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
