//! From the transactions of captures to operations: which transactions count, and what is told of each to [`Discovery`].

use serde::Serialize;

use crate::borrowed::TransactionRef;
use crate::classify::{API_THRESHOLD, api_likelihood};
use crate::discover::{Discovery, METHODS, Sighting};
use crate::session::SessionIdentifiers;

/// Paths of the network in front, not of the API.
const NOT_OF_THE_API: &str = "/cdn-cgi/";

/// How many transactions a survey has seen, and how many of them counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All of them.
    pub transactions: u64,
    /// Those of the hosts that were asked for.
    pub of_hosts: u64,
    /// Of these, those with a 2xx answer and a method an operation may have.
    pub counted: u64,
    /// Of the counted, those that discovery left out, because they can be no operation or it had no room for more hosts or paths.
    pub left_out: u64,
    /// Of the counted, those that look like API calls one by one.
    pub api: u64,
    /// Of the counted, those that carry a session identifier.
    pub with_session: u64,
}

/// What is seen in captures, gathered into a [`Discovery`].
pub struct Survey {
    discovery: Discovery,
    identifiers: SessionIdentifiers,
    hosts: Vec<String>,
    is_scored: bool,
    tally: Tally,
}

impl Survey {
    /// A survey of nothing yet.
    ///
    /// `hosts` are the only ones that count, with or without their port; none means all. Without `is_scored` every
    /// transaction is taken for an API call: for captures that are known to hold nothing else.
    pub fn new(
        discovery: Discovery,
        identifiers: SessionIdentifiers,
        hosts: Vec<String>,
        is_scored: bool,
    ) -> Self {
        let hosts = hosts
            .into_iter()
            .map(|host| host.to_ascii_lowercase())
            .collect();
        Self {
            discovery,
            identifiers,
            hosts,
            is_scored,
            tally: Tally::default(),
        }
    }

    /// Takes a transaction in.
    ///
    /// It counts if it was answered with 2xx, has a method an operation may have, and is no preflight: a browser's own
    /// question (`OPTIONS` with `Access-Control-Request-Method`), which no API declares.
    pub fn see(&mut self, transaction: &TransactionRef<'_>) {
        self.tally.transactions += 1;
        if !self.is_wanted(&transaction.host) {
            return;
        }
        self.tally.of_hosts += 1;
        let path = transaction.path();
        if !(200..300).contains(&transaction.status)
            || !METHODS.contains(&transaction.method.as_ref())
            || path.starts_with(NOT_OF_THE_API)
            || transaction.is_preflight()
        {
            return;
        }
        self.tally.counted += 1;
        let score = if self.is_scored {
            api_likelihood(transaction)
        } else {
            1.0
        };
        let has_session = self
            .identifiers
            .iter()
            .any(|identifier| identifier.value(transaction).is_some());
        self.tally.api += u64::from(score >= API_THRESHOLD);
        self.tally.with_session += u64::from(has_session);
        self.discovery.observe(&Sighting {
            host: &transaction.host,
            method: &transaction.method,
            path,
            requests: 1,
            score,
            with_session: u64::from(has_session),
            first_seen: None,
            last_seen: None,
        });
    }

    /// What was gathered.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// What was counted.
    pub fn tally(&self) -> Tally {
        Tally {
            left_out: self.discovery.left_out(),
            ..self.tally
        }
    }

    fn is_wanted(&self, host: &str) -> bool {
        self.hosts.is_empty()
            || self.hosts.iter().any(|wanted| {
                host.eq_ignore_ascii_case(wanted) || without_port(host).eq_ignore_ascii_case(wanted)
            })
    }
}

/// The host without `:port`; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
