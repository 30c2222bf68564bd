//! From the transactions of captures and stores to what is known of each operation.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use hauberk_openapi::RouteError;
use serde::Serialize;
use serde_json::Value;

use super::dump::{self, DumpError};
use super::hash::{hash, mix};
use super::held_back::is_held_back;
use super::operation::{Content, OperationProfile, Request, Tools, from_base64};
use super::route::Routes;
use super::seen::Seen;
use super::waiting::{Begun, Waiting};
use crate::borrowed::{LazyText, TransactionRef};
use crate::mask::Masker;
use crate::read;
use crate::session::SessionIdentifiers;

/// Sessions of captures that nobody has masked are told apart by hashes under this key; they are compared with each other
/// and never leave the profile as they are.
const SESSION_KEY: [u8; 32] = *b"hauberk: sessions of one capture";

/// Whose requests teach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Only {
    /// Everybody's.
    #[default]
    All,
    /// Those with a session or a client certificate.
    Identified,
    /// Those with a client certificate.
    Certificate,
}

/// Which requests teach.
#[derive(Debug, Clone, Default)]
pub struct LearnerOptions {
    /// Where sessions are told in transactions that do not say theirs.
    pub session_identifiers: SessionIdentifiers,
    /// Whose requests teach.
    pub only: Only,
    /// Sessions and certificates, as transactions tell them; none means all.
    pub trusted: HashSet<String>,
    /// Leave out what [`is_held_back`] keeps for trials.
    pub held_back: bool,
    /// The addresses of clients tell nothing, since a proxy stands before the gateway: whoever has a session or a certificate
    /// is not capped by its address as well.
    pub behind_proxy: bool,
}

/// How many transactions a learner has seen, and why it did not learn from all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Learned {
    /// All of them.
    pub transactions: u64,
    /// Lines given to [`Learner::feed`] that are no transactions.
    pub bad: u64,
    /// Not answered with 2xx, blocked, or a browser's preflight.
    pub unsuccessful: u64,
    /// Of no operation that is learned.
    pub of_others: u64,
    /// Of nobody whose requests teach.
    pub untrusted: u64,
    /// Kept for trials.
    pub held_back: u64,
    /// Learned from.
    pub learned: u64,
}

/// Method, host and endpoint.
pub(super) type Key = (Box<str>, Box<str>, Box<str>);

/// Learns what requests of operations look like.
pub struct Learner {
    routes: Routes,
    keys: Vec<Key>,
    /// By the places of `keys`; of operations that are loaded and have no route, behind them.
    profiles: Vec<Option<Box<OperationProfile>>>,
    places: BTreeMap<Key, usize>,
    options: LearnerOptions,
    masker: Masker,
    tally: Learned,
    tools: Tools,
    waiting: Waiting,
}

impl fmt::Debug for Learner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Learner")
            .field("operations", &self.keys.len())
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

impl Learner {
    /// A learner that has seen nothing, of operations told by method, host and endpoint. Labels of a host may be variables
    /// (`{hostVar1}.example.com`); a host without a port stands for it on any.
    ///
    /// # Errors
    ///
    /// An endpoint that is no path template, or an operation that is there twice.
    pub fn new(
        operations: Vec<(String, String, String)>,
        options: LearnerOptions,
    ) -> Result<Self, RouteError> {
        let told = operations
            .iter()
            .map(|(method, host, endpoint)| (&**method, &**host, &**endpoint));
        let routes = Routes::new(told)?;
        let keys: Vec<Key> = operations
            .into_iter()
            .map(|(method, host, endpoint)| (method.into(), host.into(), endpoint.into()))
            .collect();
        Ok(Self {
            routes,
            profiles: keys.iter().map(|_| None).collect(),
            places: keys.iter().cloned().zip(0..).collect(),
            keys,
            options,
            masker: Masker::new(SESSION_KEY),
            tally: Learned::default(),
            tools: Tools::default(),
            waiting: Waiting::default(),
        })
    }

    /// Learns from a transaction, if it is one to learn from; whether it was.
    pub fn see(&mut self, transaction: &TransactionRef<'_>) -> bool {
        self.tally.transactions += 1;
        let is_good = (200..300).contains(&transaction.status)
            && transaction.action.as_deref() != Some("blocked")
            && !transaction.is_preflight();
        if !is_good {
            self.tally.unsuccessful += 1;
            return false;
        }
        let (method, path) = (&*transaction.method, transaction.path());
        let Some((at, variables)) = self.routes.find(&transaction.host, method, path) else {
            self.tally.of_others += 1;
            return false;
        };
        let session = self.session(transaction);
        if !self.is_trusted(session.as_deref(), transaction) {
            self.tally.untrusted += 1;
            return false;
        }
        let begun = begin(&mut self.waiting, transaction);
        let seen = self.seen(transaction, session.as_deref(), self.waiting.body(&begun));
        if self.options.held_back && is_held_back(&seen) {
            self.waiting.give_up(&begun);
            self.tally.held_back += 1;
            return false;
        }
        self.tally.learned += 1;
        let request = Request {
            variables: &variables,
            query: transaction.query(),
            headers: &transaction.request_headers,
            body: Content::None,
            is_identified: session.is_some() || transaction.certificate.is_some(),
        };
        self.waiting.finish(&begun, at, &request, seen);
        // From now on the operation has requests.
        self.profiles[at].get_or_insert_default();
        drop(session);
        if self.waiting.is_full() {
            self.settle();
        }
        true
    }

    /// Learns from the requests that still wait.
    fn settle(&mut self) {
        self.waiting.settle(&mut self.profiles, &mut self.tools);
    }

    /// Who sent a request and when.
    fn seen(
        &self,
        transaction: &TransactionRef<'_>,
        session: Option<&str>,
        body: Option<&[u8]>,
    ) -> Seen {
        let body = body.map_or(0, hash);
        let head = mix(
            hash(transaction.method.as_bytes()),
            hash(transaction.url.as_bytes()),
        );
        let certificate = transaction.certificate.as_deref();
        let is_known = session.is_some() || certificate.is_some();
        let client = transaction.client.as_deref();
        Seen::new(
            session,
            certificate,
            client.filter(|_| !(self.options.behind_proxy && is_known)),
            mix(head, body),
            transaction.time.as_deref().and_then(read::unix_seconds),
        )
    }

    /// Learns from lines of newline-delimited JSON; from how many of them.
    pub fn feed(&mut self, lines: &[u8]) -> u64 {
        let mut learned = 0;
        for line in lines.split(|byte| *byte == b'\n') {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let transaction = std::str::from_utf8(line)
                .ok()
                .and_then(|line| TransactionRef::from_line(line).ok());
            match transaction {
                Some(transaction) => learned += u64::from(self.see(&transaction)),
                None => self.tally.bad += 1,
            }
        }
        learned
    }

    /// What was counted.
    pub fn tally(&self) -> Learned {
        self.tally
    }

    /// Method, host and endpoint of the operations that have requests, in order.
    pub fn operations(&self) -> Vec<(&str, &str, &str)> {
        self.places
            .iter()
            .filter(|(_, at)| self.profiles[**at].is_some())
            .map(|((method, host, endpoint), _)| (&**method, &**host, &**endpoint))
            .collect()
    }

    /// What is known of an operation; `None` without any request.
    pub fn profile(
        &mut self,
        method: &str,
        host: &str,
        endpoint: &str,
    ) -> Option<&OperationProfile> {
        self.settle();
        let key = (method.into(), host.into(), endpoint.into());
        self.profiles[*self.places.get(&key)?].as_deref()
    }

    /// What is known of an operation, as JSON; `None` without any request.
    pub fn view(&mut self, method: &str, host: &str, endpoint: &str) -> Option<Value> {
        let mut view = self.profile(method, host, endpoint)?.view();
        for (name, text) in [("method", method), ("host", host), ("endpoint", endpoint)] {
            view.insert(name.to_owned(), text.into());
        }
        Some(Value::Object(view))
    }

    /// What is known of an operation, to be kept or given to another learner; `None` without any request.
    ///
    /// The same requests give the same bytes, in whatever order they came and over however many learners they were spread.
    pub fn dump(&mut self, method: &str, host: &str, endpoint: &str) -> Option<Vec<u8>> {
        let profile = self.profile(method, host, endpoint)?;
        Some(dump::write((method, host, endpoint), profile))
    }

    /// Takes in what another learner has dumped. An operation that this one was not told of is known from then on, and no
    /// request is found to be for it.
    ///
    /// # Errors
    ///
    /// Bytes that are no dump, or a damaged one; nothing of it is taken in then.
    pub fn load(&mut self, dumped: &[u8]) -> Result<(), DumpError> {
        let (key, profile) = dump::read(dumped)?;
        self.settle();
        let at = self.place(key);
        match &mut self.profiles[at] {
            Some(known) => known.merge(profile),
            empty @ None => *empty = Some(Box::new(profile)),
        }
        Ok(())
    }

    /// Takes in what another learner has learned and counted.
    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        for (key, profile) in other.keys.into_iter().zip(other.profiles) {
            let Some(profile) = profile else { continue };
            let at = self.place(key);
            match &mut self.profiles[at] {
                Some(known) => known.merge(*profile),
                empty @ None => *empty = Some(profile),
            }
        }
        self.tally.add(&other.tally);
    }

    /// The place of an operation, which is made if there is none.
    fn place(&mut self, key: Key) -> usize {
        if let Some(at) = self.places.get(&key) {
            return *at;
        }
        let at = self.profiles.len();
        self.profiles.push(None);
        self.keys.push(key.clone());
        self.places.insert(key, at);
        at
    }

    fn session<'t>(&self, transaction: &'t TransactionRef<'_>) -> Option<Cow<'t, str>> {
        if let Some(session) = &transaction.session {
            return Some(Cow::Borrowed(session));
        }
        if self.options.session_identifiers.is_empty() {
            return None;
        }
        let identifiers = &self.options.session_identifiers;
        identifiers
            .session_id(transaction, &self.masker)
            .map(Cow::Owned)
    }

    fn is_trusted(&self, session: Option<&str>, transaction: &TransactionRef<'_>) -> bool {
        let certificate = transaction.certificate.as_deref();
        let is_told = match self.options.only {
            Only::All => true,
            Only::Identified => session.is_some() || certificate.is_some(),
            Only::Certificate => certificate.is_some(),
        };
        let trusted = &self.options.trusted;
        let is_one_of = |text: Option<&str>| text.is_some_and(|text| trusted.contains(text));
        is_told && (trusted.is_empty() || is_one_of(session) || is_one_of(certificate))
    }
}

impl Learned {
    fn add(&mut self, other: &Self) {
        self.transactions += other.transactions;
        self.bad += other.bad;
        self.unsuccessful += other.unsuccessful;
        self.of_others += other.of_others;
        self.untrusted += other.untrusted;
        self.held_back += other.held_back;
        self.learned += other.learned;
    }
}

/// Begins a request with its body, whatever way it is recorded in.
fn begin(waiting: &mut Waiting, transaction: &TransactionRef<'_>) -> Begun {
    match (&transaction.request_body, &transaction.request_body_b64) {
        (Some(LazyText::Plain(text)), _) => waiting.begin(&Content::Text(text)),
        (Some(text @ LazyText::Json(_)), _) => waiting.begin_json(text.source()),
        (None, Some(text)) => match from_base64(&text.decoded()) {
            Some(bytes) => waiting.begin(&match std::str::from_utf8(&bytes) {
                Ok(text) => Content::Text(text),
                Err(_) => Content::Bytes(&bytes),
            }),
            None => waiting.begin(&Content::Broken),
        },
        (None, None) => {
            let is_omitted = transaction
                .request_body_omitted
                .is_some_and(|size| size > 0);
            waiting.begin(&if is_omitted {
                Content::Omitted
            } else {
                Content::None
            })
        }
    }
}
