//! Where requests go: the origins of a host, taken in turn, the ones that just failed last.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Uri;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::HttpPeer;
use smallvec::SmallVec;

use crate::clock;
use crate::dial;
use crate::snapshot::Settings;

/// How long an idle connection to an origin is kept. Below the 5 seconds after which common application servers
/// (uvicorn, Node.js) close theirs, so that a request does not meet a connection that is being closed.
pub(crate) const IDLE: Duration = Duration::from_secs(4);

/// How long an address that could not be connected to is tried after the others only.
const REST_SECONDS: u64 = 5;

/// The addresses tried for one request.
pub(crate) type Tried = SmallVec<[SocketAddr; 4]>;

/// The origins of one host.
pub(crate) struct Upstreams {
    targets: Vec<Target>,
    next: AtomicUsize,
}

impl Upstreams {
    /// Reads the URLs of a host's upstreams and looks their names up.
    ///
    /// # Errors
    ///
    /// A URL that is not `http://host[:port]` or `https://host[:port]`.
    pub(crate) fn new<'u>(
        urls: impl Iterator<Item = &'u str>,
        settings: &Settings,
    ) -> Result<Self, String> {
        let targets: Vec<Target> = urls
            .map(|url| Target::new(url, settings))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            targets,
            next: AtomicUsize::new(0),
        })
    }

    /// Names that have no address at the moment.
    pub(crate) fn unresolved(&self) -> impl Iterator<Item = &str> {
        self.targets
            .iter()
            .filter(|target| target.addresses.load().is_empty())
            .map(|target| &*target.host)
    }

    /// The next address to try: in turn among the origins, not one of `tried`; none when all were tried.
    pub(crate) fn choose(&self, tried: &Tried) -> Option<Box<HttpPeer>> {
        let count = self.targets.len();
        let start = match count {
            0 => return None,
            1 => 0,
            // A retry starts where the first try did not: those are in `tried`.
            _ => self.next.fetch_add(1, Ordering::Relaxed),
        };
        let mut resting = None;
        for offset in 0..count {
            let target = &self.targets[(start + offset) % count];
            for address in target.addresses.load().iter() {
                if tried.contains(&address.socket) {
                    continue;
                }
                if address.rests() {
                    resting.get_or_insert_with(|| Box::new(address.peer.clone()));
                    continue;
                }
                return Some(Box::new(address.peer.clone()));
            }
        }
        resting
    }

    /// Remembers that an address could not be connected to.
    pub(crate) fn failed(&self, socket: SocketAddr) {
        for target in &self.targets {
            for address in target.addresses.load().iter() {
                if address.socket == socket {
                    address
                        .failed_at
                        .store(clock::uptime_seconds(), Ordering::Relaxed);
                }
            }
        }
    }

    /// Looks the names up again. Blocks on the resolver: not for a thread that serves requests.
    pub(crate) fn refresh(&self) {
        for target in &self.targets {
            target.refresh();
        }
    }
}

/// One URL.
struct Target {
    host: Box<str>,
    port: u16,
    tls: bool,
    is_name: bool,
    timeouts: Timeouts,
    addresses: ArcSwap<Vec<Address>>,
}

#[derive(Clone, Copy)]
struct Timeouts {
    connect: Duration,
    response: Duration,
}

struct Address {
    socket: SocketAddr,
    peer: HttpPeer,
    /// Of [`clock::uptime_seconds`]; 0 is never.
    failed_at: AtomicU64,
}

impl Address {
    fn rests(&self) -> bool {
        let failed_at = self.failed_at.load(Ordering::Relaxed);
        failed_at != 0 && clock::uptime_seconds() < failed_at + REST_SECONDS
    }
}

impl Target {
    fn new(url: &str, settings: &Settings) -> Result<Self, String> {
        let wrong =
            || format!("upstream {url:?} should read http://host:port or https://host:port");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let plain = matches!(uri.path(), "" | "/")
            && uri.query().is_none()
            && !authority.as_str().contains('@');
        if !plain || authority.host().is_empty() {
            return Err(wrong());
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let target = Self {
            host: host.into(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            is_name: host.parse::<std::net::IpAddr>().is_err(),
            timeouts: Timeouts {
                connect: Duration::from_secs(settings.upstream_connect_timeout_seconds),
                response: Duration::from_secs(settings.upstream_response_timeout_seconds),
            },
            addresses: ArcSwap::default(),
        };
        target.resolve();
        Ok(target)
    }

    fn refresh(&self) {
        if self.is_name {
            self.resolve();
        }
    }

    /// An answer replaces the addresses; no answer leaves them.
    fn resolve(&self) {
        let Ok(found) = (&*self.host, self.port).to_socket_addrs() else {
            return;
        };
        let mut sockets: Vec<SocketAddr> = found.collect();
        // `localhost` is both ::1 and 127.0.0.1, and a server started by hand listens on the latter.
        sockets.sort_by_key(SocketAddr::is_ipv6);
        sockets.dedup();
        let known = self.addresses.load();
        let unchanged = known.len() == sockets.len()
            && known
                .iter()
                .all(|address| sockets.contains(&address.socket));
        if !unchanged {
            let addresses = sockets.into_iter().map(|socket| self.address(socket));
            self.addresses.store(addresses.collect::<Vec<_>>().into());
        }
    }

    fn address(&self, socket: SocketAddr) -> Address {
        // The name is that of the certificate; without TLS it would only be copied for each request.
        let name = if self.tls { &*self.host } else { "" };
        let mut peer = HttpPeer::new(socket, self.tls, name.to_owned());
        peer.options.connection_timeout = Some(self.timeouts.connect);
        peer.options.total_connection_timeout = Some(self.timeouts.connect * 2);
        peer.options.read_timeout = Some(self.timeouts.response);
        peer.options.write_timeout = Some(self.timeouts.response);
        peer.options.idle_timeout = Some(IDLE);
        if self.tls {
            peer.options.alpn = ALPN::H2H1;
        } else {
            dial::take_over(&mut peer);
        }
        Address {
            socket,
            peer,
            failed_at: AtomicU64::new(0),
        }
    }
}
