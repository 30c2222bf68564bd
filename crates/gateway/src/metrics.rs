//! Counters for Prometheus. What a request touches was looked up when its snapshot was applied.

use std::time::Duration;

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::events::EventSource;

/// Seconds; a small body is judged in microseconds, the largest allowed one in milliseconds.
const VALIDATION_BUCKETS: &[f64] = &[
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 0.1,
];

/// Everything the gateway counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    refusals: IntCounterVec,
    logged: IntCounterVec,
    upstream_errors: IntCounterVec,
    pub(crate) validation_seconds: Histogram,
    pub(crate) connections: IntCounter,
    pub(crate) connections_refused: IntCounter,
    pub(crate) open_connections: IntGauge,
    pub(crate) snapshot_version: IntGauge,
    pub(crate) snapshots_refused: IntCounter,
    pub(crate) unrouted: IntCounter,
    pub(crate) client_hellos: IntCounter,
    events_dropped: IntCounter,
    pub(crate) handshake: HandshakeMetrics,
    pub(crate) responses: ResponseMetrics,
    pub(crate) transactions: TransactionMetrics,
}

/// Exchanges that were picked to be recorded.
pub(crate) struct TransactionMetrics {
    pub(crate) sampled: IntCounter,
    pub(crate) dropped_in_queue: IntCounter,
    pub(crate) dropped_in_store: IntCounter,
}

/// Responses that were picked to be judged, by what came of it.
pub(crate) struct ResponseMetrics {
    pub(crate) conforming: IntCounter,
    pub(crate) departing: IntCounter,
    /// They could not be judged.
    pub(crate) skipped: IntCounter,
}

/// Handshakes that completed, by what the client showed.
pub(crate) struct HandshakeMetrics {
    pub(crate) full: IntCounter,
    pub(crate) resumed: IntCounter,
    pub(crate) certificate_none: IntCounter,
    pub(crate) certificate_verified: IntCounter,
    pub(crate) certificate_unverified: IntCounter,
}

impl ResponseMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let responses = family(
            registry,
            "hauberk_gateway_responses_total",
            "Responses picked to be judged by their schema, by what came of it.",
            &["outcome"],
        )?;
        let outcome = |outcome| responses.with_label_values(&[outcome]);
        Ok(Self {
            conforming: outcome("conforming"),
            departing: outcome("departing"),
            skipped: outcome("skipped"),
        })
    }
}

impl TransactionMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let sampled = IntCounter::new(
            "hauberk_transactions_sampled_total",
            "Exchanges picked to be recorded.",
        )?;
        registry.register(Box::new(sampled.clone()))?;
        let dropped = family(
            registry,
            "hauberk_transactions_dropped_total",
            "Picked exchanges that were not recorded: the queue was full, or the store could not be written.",
            &["where"],
        )?;
        Ok(Self {
            sampled,
            dropped_in_queue: dropped.with_label_values(&["queue"]),
            dropped_in_store: dropped.with_label_values(&["store"]),
        })
    }
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let handshakes = family(
            &registry,
            "hauberk_gateway_handshakes_total",
            "TLS handshakes that completed, by session and client certificate.",
            &["kind", "value"],
        )?;
        let connections = IntCounter::new(
            "hauberk_gateway_connections_total",
            "Connections accepted; with TLS, those whose handshake completed.",
        )?;
        let connections_refused = IntCounter::new(
            "hauberk_gateway_connections_refused_total",
            "Connections closed at once because too many were open.",
        )?;
        let open_connections =
            IntGauge::new("hauberk_gateway_open_connections", "Connections open now.")?;
        let snapshot_version = IntGauge::new(
            "hauberk_gateway_snapshot_version",
            "Version of the snapshot in force; 0 before the first.",
        )?;
        let snapshots_refused = IntCounter::new(
            "hauberk_gateway_snapshots_refused_total",
            "Snapshots that were refused.",
        )?;
        let unrouted = IntCounter::new(
            "hauberk_gateway_unrouted_requests_total",
            "Requests refused before a host of the snapshot was found.",
        )?;
        let client_hellos = IntCounter::new(
            "hauberk_gateway_client_hellos_total",
            "TLS handshakes begun for a host; what is missing among the completed ones has failed.",
        )?;
        let events_dropped = IntCounter::new(
            "hauberk_gateway_events_dropped_total",
            "Events dropped because the queue was full.",
        )?;
        let validation_seconds = Histogram::with_opts(
            HistogramOpts::new(
                "hauberk_gateway_validation_seconds",
                "Time spent judging a request by its schema.",
            )
            .buckets(VALIDATION_BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(connections.clone()))?;
        registry.register(Box::new(connections_refused.clone()))?;
        registry.register(Box::new(open_connections.clone()))?;
        registry.register(Box::new(snapshot_version.clone()))?;
        registry.register(Box::new(snapshots_refused.clone()))?;
        registry.register(Box::new(unrouted.clone()))?;
        registry.register(Box::new(client_hellos.clone()))?;
        registry.register(Box::new(events_dropped.clone()))?;
        registry.register(Box::new(validation_seconds.clone()))?;
        Ok(Self {
            requests: family(
                &registry,
                "hauberk_gateway_requests_total",
                "Requests to a host of the snapshot, by status class of the answer.",
                &["zone", "host", "status"],
            )?,
            refusals: family(
                &registry,
                "hauberk_gateway_refusals_total",
                "Requests refused, by the part that refused.",
                &["zone", "host", "source"],
            )?,
            logged: family(
                &registry,
                "hauberk_gateway_logged_total",
                "Requests that went on with an event, by the part that spoke.",
                &["zone", "host", "source"],
            )?,
            upstream_errors: family(
                &registry,
                "hauberk_gateway_upstream_errors_total",
                "Requests answered with 502, 503 or 504 because of the upstream.",
                &["zone", "host"],
            )?,
            handshake: HandshakeMetrics {
                full: handshakes.with_label_values(&["session", "full"]),
                resumed: handshakes.with_label_values(&["session", "resumed"]),
                certificate_none: handshakes.with_label_values(&["certificate", "none"]),
                certificate_verified: handshakes.with_label_values(&["certificate", "verified"]),
                certificate_unverified: handshakes
                    .with_label_values(&["certificate", "unverified"]),
            },
            responses: ResponseMetrics::new(&registry)?,
            transactions: TransactionMetrics::new(&registry)?,
            registry,
            validation_seconds,
            connections,
            connections_refused,
            open_connections,
            snapshot_version,
            snapshots_refused,
            unrouted,
            client_hellos,
            events_dropped,
        })
    }

    /// The counters of one host entry.
    pub(crate) fn host(&self, zone: &str, host: &str) -> HostMetrics {
        let status = |class: &str| self.requests.with_label_values(&[zone, host, class]);
        let source = |family: &IntCounterVec, source: EventSource| {
            family.with_label_values(&[zone, host, source.as_str()])
        };
        let sources = |family: &IntCounterVec| BySource {
            firewall: source(family, EventSource::FirewallCustom),
            schema: source(family, EventSource::ApiShieldSchemaValidation),
            shield: source(family, EventSource::ApiShield),
        };
        HostMetrics {
            by_class: [
                status("1xx"),
                status("2xx"),
                status("3xx"),
                status("4xx"),
                status("5xx"),
                status("none"),
            ],
            refusals: sources(&self.refusals),
            logged: sources(&self.logged),
            upstream_errors: self.upstream_errors.with_label_values(&[zone, host]),
        }
    }

    /// The text format of Prometheus.
    pub(crate) fn text(&self, events_dropped: u64) -> String {
        // The queue counts; this one follows when it is read.
        let missing = events_dropped.saturating_sub(self.events_dropped.get());
        self.events_dropped.inc_by(missing);
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }

    pub(crate) fn validated(&self, took: Duration) {
        self.validation_seconds.observe(took.as_secs_f64());
    }
}

fn family(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    let family = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(family.clone()))?;
    Ok(family)
}

/// The counters of one host entry.
pub(crate) struct HostMetrics {
    by_class: [IntCounter; 6],
    refusals: BySource,
    logged: BySource,
    pub(crate) upstream_errors: IntCounter,
}

struct BySource {
    firewall: IntCounter,
    schema: IntCounter,
    shield: IntCounter,
}

impl BySource {
    fn count(&self, source: EventSource) {
        match source {
            EventSource::FirewallCustom => self.firewall.inc(),
            EventSource::ApiShieldSchemaValidation => self.schema.inc(),
            EventSource::ApiShield => self.shield.inc(),
        }
    }
}

impl HostMetrics {
    /// A request was answered; no status means that the client was gone before.
    pub(crate) fn answered(&self, status: Option<u16>) {
        let class = match status {
            Some(status @ 100..=599) => usize::from(status / 100 - 1),
            _ => 5,
        };
        self.by_class[class].inc();
    }

    pub(crate) fn refused(&self, source: EventSource) {
        self.refusals.count(source);
    }

    pub(crate) fn logged(&self, source: EventSource) {
        self.logged.count(source);
    }
}
