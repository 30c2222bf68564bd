//! Discovery as Python drives it: fed with counted paths by the control plane, or with captures by the command line.

use std::collections::BTreeMap;

use hauberk_traffic::Survey as CoreSurvey;
use hauberk_traffic::discover::{Discovery as Core, DiscoveryLimits, OwnerRules, Sighting};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use crate::captures::{Source, as_dict, sessions};
use crate::opened::{self, Progress, Told};

/// A counted path as Python has it: host, method, path, requests, mean score, requests with a session, first and last seen.
type Row = (
    String,
    String,
    String,
    u64,
    f64,
    u64,
    Option<i64>,
    Option<i64>,
);

/// Groups the paths of successful requests into operations.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Discovery(Mutex<Core>);

#[pymethods]
impl Discovery {
    #[new]
    fn new(max_paths: usize) -> Self {
        Self(Mutex::new(Core::new(limits(max_paths))))
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "pyo3 makes the list from Python's and hands it over"
    )]
    fn observe(&self, py: Python<'_>, rows: Vec<Row>) {
        py.detach(|| {
            let mut discovery = self.0.lock();
            for (host, method, path, requests, score, with_session, first_seen, last_seen) in &rows
            {
                discovery.observe(&Sighting {
                    host,
                    method,
                    path,
                    requests: *requests,
                    score: *score,
                    with_session: *with_session,
                    first_seen: *first_seen,
                    last_seen: *last_seen,
                });
            }
        });
    }

    fn operations(&self, py: Python<'_>, rules_json: &str) -> PyResult<String> {
        let rules = owner_rules(rules_json)?;
        py.detach(|| operations(&self.0.lock(), &rules))
    }

    fn explain(
        &self,
        py: Python<'_>,
        host: &str,
        method: &str,
        path: &str,
        rules_json: &str,
    ) -> PyResult<Option<String>> {
        let rules = owner_rules(rules_json)?;
        py.detach(|| explain(&self.0.lock(), host, method, path, &rules))
    }
}

/// Reads captures and groups the paths of their successful requests into operations.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Survey {
    survey: Mutex<CoreSurvey>,
    progress: Progress,
}

#[pymethods]
impl Survey {
    #[new]
    #[pyo3(signature = (*, session_identifiers, hosts, scored, max_paths))]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "pyo3 makes the lists from Python's and hands them over"
    )]
    fn new(
        session_identifiers: Vec<String>,
        hosts: Vec<String>,
        scored: bool,
        max_paths: usize,
    ) -> PyResult<Self> {
        let identifiers = sessions(&session_identifiers)?;
        let discovery = Core::new(limits(max_paths));
        Ok(Self {
            survey: Mutex::new(CoreSurvey::new(discovery, identifiers, hosts, scored)),
            progress: Progress::default(),
        })
    }

    /// Read a capture to its end and take its transactions in.
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
        let mut guard = self.survey.lock();
        let survey = &mut *guard;
        let report = opened::read(py, told, &self.progress, &mut |_, transaction| {
            survey.see(transaction);
            Ok(())
        })?;
        as_dict(py, &report)
    }

    /// Bytes and transactions read so far, for whoever watches from another thread.
    fn progress(&self) -> (u64, u64) {
        self.progress.told()
    }

    fn tally(&self, py: Python<'_>) -> String {
        let tally = py.detach(|| self.survey.lock().tally());
        serde_json::to_string(&tally).expect("numbers have a JSON form")
    }

    fn operations(&self, py: Python<'_>, rules_json: &str) -> PyResult<String> {
        let rules = owner_rules(rules_json)?;
        py.detach(|| operations(self.survey.lock().discovery(), &rules))
    }

    fn explain(
        &self,
        py: Python<'_>,
        host: &str,
        method: &str,
        path: &str,
        rules_json: &str,
    ) -> PyResult<Option<String>> {
        let rules = owner_rules(rules_json)?;
        py.detach(|| explain(self.survey.lock().discovery(), host, method, path, &rules))
    }
}

fn limits(max_paths: usize) -> DiscoveryLimits {
    DiscoveryLimits {
        // A path with few others beside it adds about two prefixes of its own.
        max_nodes: max_paths.saturating_mul(2),
        ..DiscoveryLimits::default()
    }
}

fn owner_rules(json: &str) -> PyResult<OwnerRules> {
    let rules: OwnerRules =
        serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))?;
    rules
        .check()
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(rules)
}

fn operations(discovery: &Core, rules: &OwnerRules) -> PyResult<String> {
    to_json(&discovery.operations(rules))
}

fn explain(
    discovery: &Core,
    host: &str,
    method: &str,
    path: &str,
    rules: &OwnerRules,
) -> PyResult<Option<String>> {
    let explanation = discovery.explain(host, method, path, rules);
    explanation
        .map(|explanation| to_json(&explanation))
        .transpose()
}

fn to_json<T: Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}
