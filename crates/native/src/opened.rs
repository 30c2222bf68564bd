//! Captures that are read here to their end, with the GIL released, for whoever makes something of all of their transactions.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use hauberk_traffic::TransactionRef;
use hauberk_traffic::read::{ReadError, ReadReport, read_with};
use pyo3::prelude::*;

use crate::captures::{Source, as_error, options};

/// A capture and what it does not say itself.
pub(crate) struct Told {
    pub(crate) source: Source,
    pub(crate) format_name: Option<String>,
    pub(crate) fields: Option<BTreeMap<String, String>>,
    pub(crate) default_host: Option<String>,
    pub(crate) max_row_bytes: Option<usize>,
}

/// How far reading has come, for whoever watches from another thread.
#[derive(Default)]
pub(crate) struct Progress {
    bytes: AtomicU64,
    transactions: AtomicU64,
}

impl Progress {
    /// Bytes taken from files, packed as they are, and transactions.
    pub(crate) fn told(&self) -> (u64, u64) {
        (
            self.bytes.load(Ordering::Relaxed),
            self.transactions.load(Ordering::Relaxed),
        )
    }
}

/// Reads a capture to its end.
pub(crate) fn read(
    py: Python<'_>,
    told: Told,
    progress: &Progress,
    each: &mut (dyn FnMut(u64, &TransactionRef<'_>) -> io::Result<()> + Send),
) -> PyResult<ReadReport> {
    let options = options(
        told.format_name.as_deref(),
        told.fields,
        told.default_host,
        told.max_row_bytes,
    )?;
    let source = told.source.open()?;
    let read = py.detach(|| {
        let mut failed = None;
        let counted = Counted(source, &progress.bytes);
        let report = read_with(counted, &options, &mut |row, transaction| {
            progress.transactions.fetch_add(1, Ordering::Relaxed);
            match each(row, transaction) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(report), |error| Err(ReadError::Io(error)))
    });
    match read {
        Ok(report) => Ok(report),
        Err(error) => Err(as_error(py, error)?),
    }
}

struct Counted<'c, R>(R, &'c AtomicU64);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
