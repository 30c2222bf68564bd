//! What listeners, requests and the owner of the gateway share.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::events::EventQueue;
use crate::identity::Intermediates;
use crate::metrics::Metrics;
use crate::snapshot::Enforced;

/// The state of a gateway.
pub(crate) struct Shared {
    enforced: ArcSwapOption<Enforced>,
    pub(crate) events: EventQueue,
    pub(crate) metrics: Metrics,
    pub(crate) intermediates: Arc<Intermediates>,
}

impl Shared {
    pub(crate) fn new(event_queue: usize) -> Result<Self, prometheus::Error> {
        Ok(Self {
            enforced: ArcSwapOption::empty(),
            events: EventQueue::new(event_queue),
            metrics: Metrics::new()?,
            intermediates: Arc::default(),
        })
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
