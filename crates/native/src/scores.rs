//! Scoring captures for people who have no server.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use hauberk_traffic::{API_THRESHOLD, api_likelihood};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::captures::{Source, as_dict, as_os_error};
use crate::opened::{self, Progress, Told};

/// Writes a score for each transaction of captures, a line of JSON each.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Scorer {
    state: Mutex<State>,
    progress: Progress,
}

struct State {
    output: BufWriter<File>,
    /// Of the file that is read next.
    first_row: u64,
    threshold: f64,
    api: u64,
}

#[pymethods]
impl Scorer {
    #[new]
    #[pyo3(signature = (output, threshold = API_THRESHOLD))]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "pyo3 makes it from Python's and hands it over"
    )]
    fn new(output: PathBuf, threshold: f64) -> PyResult<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(output)?;
        Ok(Self {
            state: Mutex::new(State {
                output: BufWriter::new(file),
                first_row: 0,
                threshold,
                api: 0,
            }),
            progress: Progress::default(),
        })
    }

    /// Score a capture; rows are counted on from the one before.
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
        let mut state = self.state.lock();
        let State {
            output,
            first_row,
            threshold,
            api,
        } = &mut *state;
        let report = opened::read(py, told, &self.progress, &mut |row, transaction| {
            let score = api_likelihood(transaction);
            let is_api = score >= *threshold;
            *api += u64::from(is_api);
            let row = *first_row + row;
            writeln!(
                output,
                r#"{{"row": {row}, "score": {score:.6}, "api": {is_api}}}"#
            )
        })?;
        *first_row += report.rows;
        as_dict(py, &report)
    }

    /// Bytes and transactions read so far, for whoever watches from another thread.
    fn progress(&self) -> (u64, u64) {
        self.progress.told()
    }

    /// Write out what is still held, and tell how many of the transactions look like API calls.
    fn finish(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| {
            let mut state = self.state.lock();
            state.output.flush().map_err(as_os_error)?;
            Ok(state.api)
        })
    }
}
