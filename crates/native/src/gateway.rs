//! The gateway as Python drives it: made, given snapshots, run in a thread of its own, asked for events, stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hauberk_gateway::{Gateway as Core, Options, Sampling, init_logging};
use hauberk_traffic::Masker;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

create_exception!(
    _native,
    GatewayError,
    PyException,
    "The gateway cannot start."
);
create_exception!(
    _native,
    RefusedError,
    PyException,
    "A snapshot is refused; what was enforced stays."
);

/// A reverse proxy that enforces the newest snapshot it was given.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Gateway(Core);

#[pymethods]
impl Gateway {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "pyo3 makes the lists from Python's and hands them over"
    )]
    #[pyo3(signature = (*, https, http, threads = 0, event_queue = 10_000, max_connections = 20_000, upstream_ca_file = None,
        traffic_queue_bytes = 33_554_432))]
    fn new(
        py: Python<'_>,
        https: Vec<String>,
        http: Vec<String>,
        threads: usize,
        event_queue: usize,
        max_connections: usize,
        upstream_ca_file: Option<PathBuf>,
        traffic_queue_bytes: usize,
    ) -> PyResult<Self> {
        let options = Options {
            https: addresses(&https)?,
            http: addresses(&http)?,
            threads,
            event_queue,
            max_connections,
            upstream_ca_file,
            traffic_queue_bytes,
        };
        py.detach(|| Core::new(options))
            .map(Self)
            .map_err(|error| GatewayError::new_err(error.to_string()))
    }

    #[getter]
    fn https_addresses(&self) -> Vec<String> {
        self.0
            .https_addresses()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[getter]
    fn http_addresses(&self) -> Vec<String> {
        self.0
            .http_addresses()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[getter]
    fn version(&self) -> Option<u64> {
        self.0.version()
    }

    #[getter]
    fn events_dropped(&self) -> u64 {
        self.0.events_dropped()
    }

    fn apply_snapshot(&self, py: Python<'_>, data: &[u8]) -> PyResult<Vec<String>> {
        py.detach(|| self.0.apply_snapshot(data))
            .map(|applied| applied.warnings)
            .map_err(|refused| RefusedError::new_err(refused.to_string()))
    }

    fn run(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.0.run())
            .map_err(|error| GatewayError::new_err(error.to_string()))
    }

    fn stop(&self, py: Python<'_>, grace_seconds: f64) -> PyResult<()> {
        let grace = seconds(grace_seconds)?;
        py.detach(|| self.0.stop(grace));
        Ok(())
    }

    /// Events as JSON texts, the oldest first.
    fn take_events(&self, py: Python<'_>, most: usize, wait_seconds: f64) -> PyResult<Vec<String>> {
        let wait = seconds(wait_seconds)?;
        py.detach(|| {
            self.0
                .take_events(most, wait)
                .iter()
                .map(serde_json::to_string)
                .collect::<Result<_, _>>()
        })
        .map_err(|error| GatewayError::new_err(error.to_string()))
    }

    /// Without a key nothing is sampled.
    #[pyo3(signature = (key, *, rate, max_per_second, max_body_bytes))]
    fn sample(
        &self,
        key: Option<&[u8]>,
        rate: f64,
        max_per_second: f64,
        max_body_bytes: usize,
    ) -> PyResult<()> {
        let masker = key.map(masker).transpose()?;
        self.0.sample(masker.map(|masker| Sampling {
            masker,
            sample_rate: rate,
            max_per_second,
            max_body_bytes,
        }));
        Ok(())
    }

    #[getter]
    fn transactions_dropped(&self) -> u64 {
        self.0.transactions_dropped()
    }

    /// Lines of JSON, the oldest first.
    fn take_transactions<'py>(
        &self,
        py: Python<'py>,
        most_bytes: usize,
        wait_seconds: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let wait = seconds(wait_seconds)?;
        let lines = py.detach(|| self.0.take_transactions(most_bytes, wait));
        Ok(PyBytes::new(py, &lines))
    }

    fn transactions_lost(&self, count: u64) {
        self.0.transactions_lost(count);
    }

    /// A JSON array.
    fn take_operation_metrics(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| serde_json::to_string(&self.0.take_operation_metrics()))
            .map_err(|error| GatewayError::new_err(error.to_string()))
    }

    /// A JSON array.
    fn take_request_metrics(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| serde_json::to_string(&self.0.take_request_metrics()))
            .map_err(|error| GatewayError::new_err(error.to_string()))
    }

    fn metrics(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.metrics())
    }
}

fn masker(key: &[u8]) -> PyResult<Masker> {
    let key = key
        .try_into()
        .map_err(|_| PyValueError::new_err("traffic_key must have 32 bytes"))?;
    Ok(Masker::new(key))
}

fn addresses(texts: &[String]) -> PyResult<Vec<SocketAddr>> {
    texts
        .iter()
        .map(|text| {
            text.parse().map_err(|_| {
                PyValueError::new_err(format!("'{text}' is not an IP address and port"))
            })
        })
        .collect()
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err("seconds must be a number from 0 up"))
}

/// Write the gateway's log to standard error, a JSON object a line.
///
/// `level` is `error`, `warn`, `info` or `debug`.
#[pyfunction]
pub fn log_to_stderr(level: &str) -> PyResult<()> {
    let level = level
        .parse()
        .map_err(|_| PyValueError::new_err("level must be error, warn, info or debug"))?;
    init_logging(level);
    Ok(())
}
