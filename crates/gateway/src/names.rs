//! Following upstreams whose names change their address, on a thread of its own: a resolver may take its time.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::shared::Shared;

/// How often names of upstreams are looked up again.
const LOOKUP_PERIOD: Duration = Duration::from_secs(10);

/// Looks names up for as long as it lives.
pub(crate) struct Lookups {
    _alive: mpsc::Sender<()>,
}

impl Lookups {
    /// # Errors
    ///
    /// When the system refuses the thread.
    pub(crate) fn start(shared: Arc<Shared>) -> Result<Self, Error> {
        let (alive, end) = mpsc::channel();
        // Nobody waits for it to end: it may be held up by a resolver.
        std::thread::Builder::new()
            .name("gateway-names".to_owned())
            .spawn(move || {
                while end.recv_timeout(LOOKUP_PERIOD) == Err(RecvTimeoutError::Timeout) {
                    look_up(&shared);
                }
            })
            .map_err(|cause| {
                Error::because(ErrorKind::Runtime, "threads cannot be started", cause)
            })?;
        Ok(Self { _alive: alive })
    }
}

fn look_up(shared: &Shared) {
    if let Some(enforced) = shared.enforced() {
        for host in enforced.hosts.all() {
            host.upstreams.refresh();
        }
    }
}
