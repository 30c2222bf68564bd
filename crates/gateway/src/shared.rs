//! What listeners, requests and the owner of the gateway share.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::error::{Error, ErrorKind};
use crate::events::EventQueue;
use crate::identity::Intermediates;
use crate::metrics::Metrics;
use crate::operation_counts::OperationCounts;
use crate::options::Options;
use crate::request_counts::RequestCounts;
use crate::room::Room;
use crate::seats::{Seat, Seats};
use crate::snapshot::{Enforced, Settings};
use crate::tls::TicketKeys;
use crate::traffic::Traffic;

/// The state of a gateway.
pub(crate) struct Shared {
    enforced: ArcSwapOption<Enforced>,
    pub(crate) events: EventQueue,
    pub(crate) metrics: Metrics,
    pub(crate) operations: OperationCounts,
    pub(crate) requests: RequestCounts,
    pub(crate) traffic: Traffic,
    pub(crate) intermediates: Arc<Intermediates>,
    pub(crate) ticket_keys: TicketKeys,
    pub(crate) room: Arc<Room>,
    seats: Arc<Seats>,
}

impl Shared {
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let metrics = Metrics::new().map_err(|cause| {
            Error::because(ErrorKind::Runtime, "metrics cannot be set up", cause)
        })?;
        let ticket_keys = TicketKeys::random()
            .map_err(|cause| Error::because(ErrorKind::Tls, "TLS cannot be set up", cause))?;
        Ok(Self {
            enforced: ArcSwapOption::empty(),
            events: EventQueue::new(options.event_queue),
            metrics,
            operations: OperationCounts::default(),
            requests: RequestCounts::default(),
            traffic: Traffic::new(options.traffic_queue_bytes),
            intermediates: Arc::default(),
            ticket_keys,
            room: Arc::default(),
            seats: Seats::new(options.max_connections),
        })
    }

    /// A seat for one more connection; without one it is counted as refused.
    pub(crate) fn seat(&self) -> Option<Seat> {
        let seat = self.seats.take();
        if seat.is_none() {
            self.metrics.connections_refused.inc();
        }
        seat
    }

    /// Reads the settings of the snapshot in force.
    pub(crate) fn settings<T>(&self, read: impl FnOnce(&Settings) -> T) -> T {
        match self.enforced() {
            Some(enforced) => read(&enforced.settings),
            None => read(&Settings::default()),
        }
    }

    /// The snapshot in force. Whoever holds it sees one version to the end.
    pub(crate) fn enforced(&self) -> Option<Arc<Enforced>> {
        self.enforced.load_full()
    }

    /// Puts a snapshot in force, from the next request or handshake on.
    pub(crate) fn enforce(&self, enforced: Enforced) {
        let version = i64::try_from(enforced.version).unwrap_or(i64::MAX);
        self.metrics.snapshot_version.set(version);
        self.enforced.store(Some(Arc::new(enforced)));
    }
}
