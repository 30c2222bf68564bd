//! A gateway that runs for the length of a test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hauberk_gateway::{Event, Gateway, Options};

use super::client::Connect;
use super::{Answer, Client, Identity, Snapshot};

/// A running gateway with one listener of each kind.
pub struct Running {
    pub gateway: Arc<Gateway>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(snapshot: &Snapshot) -> Self {
        Self::start_with(snapshot, |_| {})
    }

    pub fn start_with(snapshot: &Snapshot, change: impl FnOnce(&mut Options)) -> Self {
        let running = Self::start_empty(change);
        running
            .gateway
            .apply_snapshot(&snapshot.bytes())
            .expect("the snapshot is good");
        running
    }

    pub fn start_empty(change: impl FnOnce(&mut Options)) -> Self {
        let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut options = Options {
            https: vec![loopback],
            http: vec![loopback],
            threads: 2,
            ..Options::default()
        };
        change(&mut options);
        let gateway = Arc::new(Gateway::new(options).expect("loopback has free ports"));
        let running = Arc::clone(&gateway);
        let thread = std::thread::spawn(move || running.run().expect("it runs once"));
        Self {
            gateway,
            thread: Some(thread),
        }
    }

    pub fn https(&self) -> SocketAddr {
        self.gateway.https_addresses()[0]
    }

    pub fn plain(&self) -> Client {
        Client::plain(self.gateway.http_addresses()[0])
    }

    /// A connection for `api.example.com`.
    pub fn tls(&self, identity: Option<&Identity>) -> Client {
        Client::tls(self.https(), "api.example.com", identity)
    }

    pub fn connect(&self, connect: &Connect<'_>) -> Result<Client, String> {
        Client::connect(self.https(), connect)
    }

    /// One GET to `api.example.com` on a connection of its own.
    pub fn get(&self, identity: Option<&Identity>, target: &str) -> Answer {
        self.tls(identity).get("api.example.com", target)
    }

    pub fn apply(&self, snapshot: &Snapshot) {
        self.gateway
            .apply_snapshot(&snapshot.bytes())
            .expect("the snapshot is good");
    }

    /// Waits for a gateway that was told to stop.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the gateway panicked"
            );
        }
    }

    /// The next event, which is there or about to be.
    pub fn event(&self) -> Event {
        let mut events = self.gateway.take_events(1, Duration::from_secs(20));
        events.pop().expect("an event was queued")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gateway.stop(Duration::ZERO);
        self.join();
    }
}
