//! The gateway as its owner sees it: made, given snapshots, run, stopped.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use pingora::server::{Fds, ListenFds};
use pingora::services::Service as _;
use pingora::services::listening::Service;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::connections::Connections;
use crate::error::{Error, ErrorKind, Refused};
use crate::events::Event;
use crate::listen::bind;
use crate::options::Options;
use crate::proxy::Shield;
use crate::shared::Shared;
use crate::snapshot::{self, Compiler};
use crate::tls;

/// How often names of upstreams are looked up again.
const LOOKUP_PERIOD: Duration = Duration::from_secs(10);

/// How often a stopping gateway looks whether its connections are gone.
const DRAIN_STEP: Duration = Duration::from_millis(20);

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
    stopping: Mutex<Option<Duration>>,
    stop: Condvar,
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
        let shared = Shared::new(options.event_queue).map_err(|cause| {
            Error::because(ErrorKind::Runtime, "metrics cannot be set up", cause)
        })?;
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
            stopping: Mutex::default(),
            stop: Condvar::new(),
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
    /// When threads cannot be had, or it ran before.
    pub fn run(&self) -> Result<(), Error> {
        let listeners = self.listeners.lock().take();
        let listeners = listeners
            .ok_or_else(|| Error::new(ErrorKind::AlreadyRun, "this gateway has run already"))?;
        let runtime = self.runtime()?;
        let mut service = self.service()?;
        let sockets = sockets(&self.https, &self.http, listeners);
        let (shutdown, watch) = watch::channel(false);
        let accepting = runtime.spawn(async move {
            service.start_service(Some(sockets), watch, 1).await;
        });
        runtime.spawn(look_up_names(Arc::clone(&self.shared)));
        let grace = self.wait_for_stop();
        // A receiver lives in each accept loop.
        let _ = shutdown.send(true);
        runtime.block_on(self.drain(accepting, grace));
        runtime.shutdown_background();
        Ok(())
    }

    /// Stops accepting, lets requests in flight finish for up to `grace`, then lets [`Gateway::run`] return.
    pub fn stop(&self, grace: Duration) {
        *self.stopping.lock() = Some(grace);
        self.stop.notify_all();
    }

    /// The oldest events, at most `max`; waits up to `wait` for the first.
    pub fn take_events(&self, max: usize, wait: Duration) -> Vec<Event> {
        self.shared.events.take(max, wait)
    }

    /// How many events were dropped because nobody took them.
    pub fn events_dropped(&self) -> u64 {
        self.shared.events.dropped()
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

    fn runtime(&self) -> Result<Runtime, Error> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.threads())
            .thread_name("gateway")
            .enable_all()
            .build()
            .map_err(|cause| Error::because(ErrorKind::Runtime, "threads cannot be started", cause))
    }

    fn service(&self) -> Result<Service<Connections>, Error> {
        let ca_file = self.options.upstream_ca_file.as_ref();
        let conf = ServerConf {
            threads: self.threads(),
            max_retries: MAX_TRIES,
            upstream_keepalive_pool_size: POOL_SIZE,
            ca_file: ca_file.map(|path| path.to_string_lossy().into_owned()),
            ..ServerConf::default()
        };
        let shield = Shield {
            shared: Arc::clone(&self.shared),
        };
        let proxy = http_proxy(&Arc::new(conf), shield);
        let connections = Connections::new(proxy, Arc::clone(&self.shared));
        let mut service = Service::new("gateway".to_owned(), connections);
        for address in &self.https {
            let settings = tls::settings(&self.shared)?;
            service.add_tls_with_settings(&address.to_string(), None, settings);
        }
        for address in &self.http {
            service.add_tcp(&address.to_string());
        }
        Ok(service)
    }

    fn wait_for_stop(&self) -> Duration {
        let mut stopping = self.stopping.lock();
        loop {
            if let Some(grace) = *stopping {
                return grace;
            }
            self.stop.wait(&mut stopping);
        }
    }

    async fn drain(&self, accepting: tokio::task::JoinHandle<()>, grace: Duration) {
        let deadline = Instant::now() + grace;
        // The listeners close, and connections without a request are told to end.
        let _ = tokio::time::timeout(grace, accepting).await;
        while self.shared.metrics.open_connections.get() > 0 && Instant::now() < deadline {
            tokio::time::sleep(DRAIN_STEP).await;
        }
    }
}

/// Hands the bound sockets to Pingora, by the addresses it will ask for.
fn sockets(https: &[SocketAddr], http: &[SocketAddr], listeners: Vec<TcpListener>) -> ListenFds {
    let mut sockets = Fds::new();
    for (address, listener) in https.iter().chain(http).zip(listeners) {
        sockets.add(address.to_string(), listener.into_raw_fd());
    }
    Arc::new(Mutex::new(sockets))
}

/// Follows upstreams whose names change their address.
async fn look_up_names(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(LOOKUP_PERIOD).await;
        let Some(enforced) = shared.enforced() else {
            continue;
        };
        let named = enforced
            .hosts
            .all()
            .iter()
            .any(|host| host.upstreams.has_names());
        if named {
            let looked_up = tokio::task::spawn_blocking(move || {
                for host in enforced.hosts.all() {
                    host.upstreams.refresh();
                }
            });
            // A resolver that panics is asked again next time.
            let _ = looked_up.await;
        }
    }
}
