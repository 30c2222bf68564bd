//! Captures that are files: opened here, read by `hauberk_traffic::read`, with the GIL released.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use hauberk_traffic::TransactionRef;
use hauberk_traffic::read::{ReadError, ReadOptions, ReadReport, read_with};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use serde_json::json;

/// Stands for standard input.
const STANDARD: &str = "-";

/// Options of the names a person gives.
pub(crate) fn options(format: Option<&str>, default_host: Option<String>) -> PyResult<ReadOptions> {
    let format = format
        .map(str::parse)
        .transpose()
        .map_err(|error: hauberk_traffic::read::UnknownFormat| PyValueError::new_err(error.to_string()))?;
    Ok(ReadOptions {
        format,
        default_host,
        ..ReadOptions::default()
    })
}

/// Read a capture to its end.
///
/// `bytes_read` grows by what is taken from the file, packed as it is.
pub(crate) fn read(
    py: Python<'_>,
    file: &Path,
    options: &ReadOptions,
    bytes_read: &AtomicU64,
    each: &mut (dyn FnMut(u64, &TransactionRef<'_>) -> io::Result<()> + Send),
) -> PyResult<ReadReport> {
    py.detach(|| {
        let source: Box<dyn Read> = if file == Path::new(STANDARD) {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(file)?)
        };
        let mut failed = None;
        let report = read_with(Counted(source, bytes_read), options, &mut |row, transaction| {
            match each(row, transaction) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(report), |error| Err(error.into()))
    })
    .map_err(|error: ReadError| match error {
        ReadError::Io(error) => error.into(),
        other => PyOSError::new_err(other.to_string()),
    })
}

/// What reading came to, as JSON.
pub(crate) fn as_json(report: &ReadReport) -> String {
    let bad: Vec<String> = report.first_bad.iter().map(ToString::to_string).collect();
    json!({
        "format": report.format,
        "rows": report.rows,
        "transactions": report.transactions,
        "skipped": report.skipped,
        "bad": report.bad,
        "first_bad": bad,
        "bytes": report.bytes,
        "cut_short": report.cut_short.map(|cut| cut.to_string()),
    })
    .to_string()
}

struct Counted<'c, R>(R, &'c AtomicU64);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
