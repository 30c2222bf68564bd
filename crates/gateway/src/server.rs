//! The gateway as its owner sees it: made, given snapshots, run, stopped.

use std::mem::ManuallyDrop;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use pingora::proxy::{HttpProxy, ProcessCustomSession, http_proxy_service_with_name_custom};
use pingora::server::configuration::ServerConf;
use pingora::server::{Fds, ListenFds};
use pingora::services::listening::Service;

use crate::connections::Connections;
use crate::dial::Dial;
use crate::error::{Error, ErrorKind, Refused};
use crate::events::Event;
use crate::listen::bind;
use crate::names::Lookups;
use crate::operation_counts::OperationMetrics;
use crate::options::Options;
use crate::proxy::Shield;
use crate::request_counts::RequestMetrics;
use crate::shared::Shared;
use crate::snapshot::{self, Compiler};
use crate::tls;
use crate::traffic::{Recorder, Sampling};
use crate::workers::{Work, Workers};

/// Idle connections to upstreams that are kept for each thread.
const POOL_SIZE: usize = 512;

/// How often an upstream is tried for one request, one address after the other.
const MAX_TRIES: usize = 8;

/// What came of applying a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The version now enforced.
    pub version: u64,
    /// What was loaded but will not be enforced, for people to read.
    pub warnings: Vec<String>,
}

/// A reverse proxy that enforces the newest snapshot it was given.
///
/// All methods may be called from any thread.
pub struct Gateway {
    options: Options,
    shared: Arc<Shared>,
    compiler: Mutex<Compiler>,
    https: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    /// Taken by [`Gateway::run`].
    listeners: Mutex<Option<Vec<TcpListener>>>,
    stop: Arc<Stop>,
}

impl Gateway {
    /// Binds the addresses; connections wait in the backlog until [`Gateway::run`].
    ///
    /// # Errors
    ///
    /// An address that is in use or not ours, named in the message.
    pub fn new(options: Options) -> Result<Self, Error> {
        let listeners = options
            .https
            .iter()
            .chain(&options.http)
            .map(|address| bind(*address))
            .collect::<Result<Vec<_>, _>>()?;
        let mut bound = listeners.iter().map(|(_, address)| *address);
        let https = bound.by_ref().take(options.https.len()).collect();
        let http = bound.collect();
        let shared = Shared::new(&options)?;
        let listeners = listeners
            .into_iter()
            .map(|(listener, _)| listener)
            .collect();
        Ok(Self {
            options,
            shared: Arc::new(shared),
            compiler: Mutex::default(),
            https,
            http,
            listeners: Mutex::new(Some(listeners)),
            stop: Arc::default(),
        })
    }

    /// The bound addresses with TLS, in the order of the options; a port 0 is here the one the system chose.
    pub fn https_addresses(&self) -> &[SocketAddr] {
        &self.https
    }

    /// The bound addresses without TLS, in the order of the options; a port 0 is here the one the system chose.
    pub fn http_addresses(&self) -> &[SocketAddr] {
        &self.http
    }

    /// Checks a snapshot and enforces it from the next request on. Requests in flight end under the one they began
    /// with, and no connection is closed.
    ///
    /// Blocks while it parses, compiles, and looks up upstream names; requests do not wait for it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it. What was enforced stays.
    pub fn apply_snapshot(&self, bytes: &[u8]) -> Result<Applied, Refused> {
        let applied = self.compile_and_enforce(bytes);
        if let Err(refused) = &applied {
            self.shared.metrics.snapshots_refused.inc();
            log::error!("{refused}");
        }
        applied
    }

    fn compile_and_enforce(&self, bytes: &[u8]) -> Result<Applied, Refused> {
        let (version, body) = snapshot::open(bytes)?;
        // Held to the end, so that of two snapshots given at once the one compiled last is the one in force.
        let mut compiler = self.compiler.lock();
        let (enforced, warnings) = compiler.compile(version, body, &self.shared.metrics)?;
        self.shared.enforce(enforced);
        Ok(Applied { version, warnings })
    }

    /// The version enforced, if any.
    pub fn version(&self) -> Option<u64> {
        self.shared.enforced().map(|enforced| enforced.version)
    }

    /// Serves until [`Gateway::stop`]. Installs no signal handlers. Before the first snapshot, requests are answered
    /// with 503 and TLS handshakes fail.
    ///
    /// # Errors
    ///
    /// When threads cannot be had, one of them panicked, or it ran before.
    pub fn run(&self) -> Result<(), Error> {
        let listeners = self.listeners.lock().take();
        let listeners = listeners
            .ok_or_else(|| Error::new(ErrorKind::AlreadyRun, "this gateway has run already"))?;
        let work = (0..self.threads())
            .map(|_| self.work(&listeners))
            .collect::<Result<_, _>>()?;
        // From here on only the threads hold the sockets: when they stop accepting, nobody is left waiting.
        drop(listeners);
        let _lookups = Lookups::start(Arc::clone(&self.shared))?;
        let _recorder = Recorder::start(Arc::clone(&self.shared))?;
        let stop = Arc::clone(&self.stop);
        let workers = Workers::start(work, &self.shared, move || stop.ask(Duration::ZERO))?;
        workers.stop(self.stop.wait())
    }

    /// Stops accepting, lets requests in flight finish for up to `grace`, then lets [`Gateway::run`] return.
    pub fn stop(&self, grace: Duration) {
        self.stop.ask(grace);
    }

    /// The oldest events, at most `max`; waits up to `wait` for the first.
    pub fn take_events(&self, max: usize, wait: Duration) -> Vec<Event> {
        self.shared.events.take(max, wait)
    }

    /// How many events were dropped because nobody took them.
    pub fn events_dropped(&self) -> u64 {
        self.shared.events.dropped()
    }

    /// Samples traffic like this from the next exchange on, or not at all; at first nothing is sampled. Exchanges under way
    /// end under what they began with.
    pub fn sample(&self, sampling: Option<Sampling>) {
        self.shared.traffic.sample(sampling);
    }

    /// The oldest sampled transactions, masked, each a line of JSON, of about so many bytes together and at least one;
    /// waits up to `wait` for the first.
    pub fn take_transactions(&self, most_bytes: usize, wait: Duration) -> Vec<u8> {
        self.shared.traffic.take(most_bytes, wait)
    }

    /// How many sampled transactions were dropped because nobody took them.
    pub fn transactions_dropped(&self) -> u64 {
        self.shared.traffic.dropped_count()
    }

    /// Counts transactions that were taken and could not be kept, for the metrics.
    pub fn transactions_lost(&self, count: u64) {
        self.shared
            .metrics
            .transactions
            .dropped_in_store
            .inc_by(count);
    }

    /// What was counted for saved operations since the last call, an entry for each operation and hour.
    pub fn take_operation_metrics(&self) -> Vec<OperationMetrics> {
        self.shared.operations.take()
    }

    /// What became of requests since the last call, an entry for each host and minute.
    pub fn take_request_metrics(&self) -> Vec<RequestMetrics> {
        self.shared.requests.take()
    }

    /// The counters in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        self.shared.metrics.text(self.events_dropped())
    }

    fn threads(&self) -> usize {
        match self.options.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    /// What one thread serves; `listeners` are in the order of the addresses.
    fn work(&self, listeners: &[TcpListener]) -> Result<Work, Error> {
        let shared = |cause| Error::because(ErrorKind::Runtime, "sockets cannot be shared", cause);
        let (tls, plain) = listeners.split_at(self.https.len());
        let connections = Connections::new(self.proxy(), Arc::clone(&self.shared));
        let plain = plain.iter().map(TcpListener::try_clone);
        Ok(Work {
            plain: plain.collect::<Result<_, _>>().map_err(shared)?,
            tls: if tls.is_empty() {
                None
            } else {
                let sockets = sockets(&self.https, tls).map_err(shared)?;
                Some((self.service(connections.clone())?, sockets))
            },
            connections: Arc::new(connections),
        })
    }

    fn proxy(&self) -> HttpProxy<Shield, Dial> {
        let ca_file = self.options.upstream_ca_file.as_ref();
        let conf = ServerConf {
            threads: 1,
            max_retries: MAX_TRIES,
            upstream_keepalive_pool_size: POOL_SIZE,
            ca_file: ca_file.map(|path| path.to_string_lossy().into_owned()),
            ..ServerConf::default()
        };
        let shield = Shield {
            shared: Arc::clone(&self.shared),
        };
        let no_custom: ProcessCustomSession<Shield, Dial> =
            Arc::new(|_, _, _| Box::pin(std::future::ready(None)));
        let service = http_proxy_service_with_name_custom(
            &Arc::new(conf),
            shield,
            "gateway",
            Dial,
            no_custom,
        );
        // Pingora makes a proxy with a connector of ours only inside a service of its own.
        let service = ManuallyDrop::new(service);
        let proxy = service.app_logic().expect("a service that was not started");
        // SAFETY: the proxy is moved out of a service that is neither used nor dropped from here on.
        unsafe { std::ptr::read(proxy) }
    }

    fn service(&self, connections: Connections) -> Result<Service<Connections>, Error> {
        let mut service = Service::new("gateway".to_owned(), connections);
        let patience = tls::Patience(Arc::clone(&self.shared));
        service.endpoints().set_pre_tls_callback(Arc::new(patience));
        for address in &self.https {
            let settings = tls::settings(&self.shared)?;
            service.add_tls_with_settings(&address.to_string(), None, settings);
        }
        Ok(service)
    }
}

/// Hands bound sockets to Pingora, by the addresses it will ask for.
fn sockets(addresses: &[SocketAddr], listeners: &[TcpListener]) -> std::io::Result<ListenFds> {
    let mut sockets = Fds::new();
    for (address, listener) in addresses.iter().zip(listeners) {
        sockets.add(address.to_string(), listener.try_clone()?.into_raw_fd());
    }
    Ok(Arc::new(Mutex::new(sockets)))
}

/// A wish to stop, and the time it leaves to requests in flight.
#[derive(Default)]
struct Stop {
    grace: Mutex<Option<Duration>>,
    asked: Condvar,
}

impl Stop {
    /// The first to ask decides about the time.
    fn ask(&self, grace: Duration) {
        self.grace.lock().get_or_insert(grace);
        self.asked.notify_all();
    }

    fn wait(&self) -> Duration {
        let mut grace = self.grace.lock();
        loop {
            if let Some(grace) = *grace {
                return grace;
            }
            self.asked.wait(&mut grace);
        }
    }
}
