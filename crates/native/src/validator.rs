//! Judging captures by documents, for people who have no gateway in front yet: what it would say of each request.

mod counts;
mod row;
mod served;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Cursor, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use hauberk_traffic::read::{Format, ReadOptions, read_with};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::captures::{Source, as_dict, as_os_error};
use crate::opened::{self, Progress, Told};

use counts::Counts;
use row::{Judge, Judged};
use served::Documents;

/// Writes a verdict for each transaction of captures, a line of JSON each.
#[pyclass(frozen, module = "hauberk._native")]
pub struct Validator {
    state: Mutex<State>,
    progress: Progress,
}

struct State {
    judge: Judge,
    output: Option<BufWriter<File>>,
    /// Of the file that is read next.
    first_row: u64,
    counts: Counts,
}

#[pymethods]
impl Validator {
    #[new]
    #[pyo3(signature = (documents, *, output = None))]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "pyo3 makes them from Python's and hands them over"
    )]
    fn new(py: Python<'_>, documents: Vec<Vec<u8>>, output: Option<PathBuf>) -> PyResult<Self> {
        let documents = py
            .detach(|| Documents::load(&documents))
            .map_err(PyValueError::new_err)?;
        let output = match output {
            Some(path) => Some(BufWriter::new(
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(path)?,
            )),
            None => None,
        };
        let counts = Counts::new(documents.operations());
        Ok(Self {
            state: Mutex::new(State {
                judge: Judge::new(documents),
                output,
                first_row: 0,
                counts,
            }),
            progress: Progress::default(),
        })
    }

    /// Judge a capture; rows are counted on from the one before.
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
            judge,
            output,
            first_row,
            counts,
        } = &mut *state;
        let mut line = Vec::new();
        let report = opened::read(py, told, &self.progress, &mut |row, transaction| {
            let judged = judge.judge(transaction);
            counts.add(&judged);
            let Some(output) = output else {
                return Ok(());
            };
            line.clear();
            write_line(&mut line, *first_row + row, &judged)?;
            line.push(b'\n');
            output.write_all(&line)
        })?;
        *first_row += report.rows;
        as_dict(py, &report)
    }

    /// Judge JSON lines in memory.
    fn judge(&self, py: Python<'_>, lines: &[u8]) -> PyResult<String> {
        let array = py.detach(|| {
            let mut state = self.state.lock();
            let State { judge, counts, .. } = &mut *state;
            let mut array = vec![b'['];
            let mut failed = Ok(());
            let options = ReadOptions {
                format: Some(Format::Ndjson),
                ..ReadOptions::default()
            };
            let read = read_with(Cursor::new(lines), &options, &mut |row, transaction| {
                let judged = judge.judge(transaction);
                counts.add(&judged);
                if array.len() > 1 {
                    array.push(b',');
                }
                failed = write_line(&mut array, row, &judged);
                match failed {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            array.push(b']');
            read.map_err(|error| error.to_string())?;
            failed.map_err(|error| error.to_string())?;
            String::from_utf8(array).map_err(|error| error.to_string())
        });
        array.map_err(PyValueError::new_err)
    }

    /// Bytes and transactions read so far, for whoever watches from another thread.
    fn progress(&self) -> (u64, u64) {
        self.progress.told()
    }

    /// Write out what is still held, and tell what was counted.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| {
            let mut state = self.state.lock();
            if let Some(output) = &mut state.output {
                output.flush().map_err(as_os_error)?;
            }
            Ok(state.counts.to_json())
        })
    }
}

/// Writes the verdict on a row, without a line break.
fn write_line(line: &mut Vec<u8>, row: u64, judged: &Judged<'_>) -> io::Result<()> {
    write!(line, r#"{{"row": {row}, "operation": "#)?;
    match judged.operation {
        Some(operation) => line.extend_from_slice(operation.name_json.as_bytes()),
        None => line.extend_from_slice(b"null"),
    }
    let verdict = judged.verdict().as_str();
    write!(line, r#", "verdict": "{verdict}", "violations": "#)?;
    serde_json::to_writer(&mut *line, &judged.violations)?;
    line.push(b'}');
    Ok(())
}
