//! Schema learning as Python drives it: captures and lines of the traffic store in, a profile of each operation out.

use std::collections::BTreeMap;

use hauberk_traffic::learn::{Learner as Core, LearnerOptions, Only};
use parking_lot::Mutex;
use pyo3::exceptions::{PyLookupError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::captures::{Source, as_dict, sessions};
use crate::opened::{self, Progress, Told};

/// Learns what requests of operations look like.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Learner {
    learner: Mutex<Core>,
    progress: Progress,
}

#[pymethods]
impl Learner {
    #[new]
    #[pyo3(signature = (*, operations, session_identifiers, only, trusted, held_back, behind_proxy=false))]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "pyo3 makes the lists from Python's and hands them over"
    )]
    fn new(
        operations: Vec<(String, String, String)>,
        session_identifiers: Vec<String>,
        only: &str,
        trusted: Vec<String>,
        held_back: bool,
        behind_proxy: bool,
    ) -> PyResult<Self> {
        let options = LearnerOptions {
            session_identifiers: sessions(&session_identifiers)?,
            only: only_of(only)?,
            trusted: trusted.into_iter().collect(),
            held_back,
            behind_proxy,
        };
        let learner = Core::new(operations, options)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self {
            learner: Mutex::new(learner),
            progress: Progress::default(),
        })
    }

    /// Read a capture to its end and learn from its transactions.
    #[pyo3(signature = (source, *, format_name=None, fields=None, default_host=None, max_row_bytes=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        source: Source,
        format_name: Option<String>,
        fields: Option<BTreeMap<String, String>>,
        default_host: Option<String>,
        max_row_bytes: Option<usize>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let told = Told {
            source,
            format_name,
            fields,
            default_host,
            max_row_bytes,
        };
        let report = opened::read(py, told, &self.progress, &mut |_, transaction| {
            // Taken for each one, so that others may ask in between.
            self.learner.lock().see(transaction);
            Ok(())
        })?;
        as_dict(py, &report)
    }

    /// Learn from lines of newline-delimited JSON.
    fn feed(&self, py: Python<'_>, lines: &[u8]) -> u64 {
        py.detach(|| self.learner.lock().feed(lines))
    }

    /// Bytes and transactions read so far, for whoever watches from another thread.
    fn progress(&self) -> (u64, u64) {
        self.progress.told()
    }

    /// The operations that have requests.
    fn operations(&self, py: Python<'_>) -> Vec<(String, String, String)> {
        py.detach(|| {
            let learner = self.learner.lock();
            let known = learner.operations().into_iter();
            known
                .map(|(method, host, endpoint)| (method.into(), host.into(), endpoint.into()))
                .collect()
        })
    }

    /// What is known of an operation, as JSON.
    fn profile(
        &self,
        py: Python<'_>,
        method: &str,
        host: &str,
        endpoint: &str,
    ) -> PyResult<String> {
        let view = py.detach(|| {
            let mut learner = self.learner.lock();
            let view = learner.view(method, host, endpoint)?;
            Some(view.to_string())
        });
        view.ok_or_else(|| no_requests(method, host, endpoint))
    }

    /// What is known of an operation, for another learner.
    fn dump<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        host: &str,
        endpoint: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let dumped = py.detach(|| self.learner.lock().dump(method, host, endpoint));
        let dumped = dumped.ok_or_else(|| no_requests(method, host, endpoint))?;
        Ok(PyBytes::new(py, &dumped))
    }

    /// Take in what another learner has dumped.
    fn load(&self, py: Python<'_>, blob: &[u8]) -> PyResult<()> {
        py.detach(|| self.learner.lock().load(blob))
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// How many transactions were seen, and why not all were learned from, as JSON.
    fn tally(&self, py: Python<'_>) -> String {
        let tally = py.detach(|| self.learner.lock().tally());
        serde_json::to_string(&tally).expect("numbers have a JSON form")
    }
}

fn only_of(text: &str) -> PyResult<Only> {
    match text {
        "all" => Ok(Only::All),
        "identified" => Ok(Only::Identified),
        "certificate" => Ok(Only::Certificate),
        _ => Err(PyValueError::new_err(
            "`only` is all, identified or certificate",
        )),
    }
}

/// It quotes what the caller wrote, never traffic.
fn no_requests(method: &str, host: &str, endpoint: &str) -> PyErr {
    PyLookupError::new_err(format!(
        "there are no requests of {method} {host}{endpoint} to learn from"
    ))
}
