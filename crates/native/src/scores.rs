//! Scoring captures for people who have no server.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use hauberk_traffic::{API_THRESHOLD, api_likelihood};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::opened;

/// Writes a score for each transaction of captures, a line of JSON each.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Scorer {
    state: Mutex<State>,
    bytes_read: AtomicU64,
    transactions: AtomicU64,
}

struct State {
    output: BufWriter<std::fs::File>,
    /// Of the file that is read next.
    first_row: u64,
    threshold: f64,
    api: u64,
}

#[pymethods]
impl Scorer {
    #[new]
    #[pyo3(signature = (output, threshold = API_THRESHOLD))]
    #[allow(clippy::needless_pass_by_value, reason = "pyo3 makes it from Python's and hands it over")]
    fn new(output: PathBuf, threshold: f64) -> PyResult<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(output)?;
        Ok(Self {
            state: Mutex::new(State {
                output: BufWriter::new(file),
                first_row: 0,
                threshold,
                api: 0,
            }),
            bytes_read: AtomicU64::new(0),
            transactions: AtomicU64::new(0),
        })
    }

    /// Score a capture; rows are counted on from the one before.
    #[pyo3(signature = (file, format = None, default_host = None))]
    #[allow(clippy::needless_pass_by_value, reason = "pyo3 makes it from Python's and hands it over")]
    fn read(&self, py: Python<'_>, file: PathBuf, format: Option<&str>, default_host: Option<String>) -> PyResult<String> {
        let options = opened::options(format, default_host)?;
        let mut state = self.state.lock();
        let State {
            output,
            first_row,
            threshold,
            api,
        } = &mut *state;
        let report = opened::read(py, &file, &options, &self.bytes_read, &mut |row, transaction| {
            let score = api_likelihood(transaction);
            let is_api = score >= *threshold;
            *api += u64::from(is_api);
            self.transactions.fetch_add(1, Ordering::Relaxed);
            let row = *first_row + row;
            writeln!(output, r#"{{"row": {row}, "score": {score:.6}, "api": {is_api}}}"#)
        })?;
        *first_row += report.rows;
        Ok(opened::as_json(&report))
    }

    /// Bytes and transactions read so far, for whoever watches from another thread.
    fn progress(&self) -> (u64, u64) {
        (
            self.bytes_read.load(Ordering::Relaxed),
            self.transactions.load(Ordering::Relaxed),
        )
    }

    /// Write out what is still held, and tell how many of the transactions look like API calls.
    fn finish(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| {
            let mut state = self.state.lock();
            state.output.flush()?;
            Ok(state.api)
        })
    }
}
