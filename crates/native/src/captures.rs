//! Captures for Python: records in batches, read by a thread of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use hauberk_traffic::read::{FieldMap, Format, ReadError, ReadOptions, ReadReport, read_with};
use hauberk_traffic::{Masker, SessionIdentifiers, Transaction, TransactionRef, api_likelihood};
use pyo3::create_exception;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

create_exception!(
    _native,
    CaptureError,
    PyValueError,
    "A capture that cannot be read as a whole."
);

/// So many batches wait for Python; then the thread waits, so memory stays small however slow the reader is.
const WAITING_BATCHES: usize = 2;

/// Records as lines of JSON, with their rows.
struct Batch {
    rows: Vec<u64>,
    lines: Vec<u8>,
}

enum Message {
    Batch(Batch),
    End(Result<ReadReport, ReadError>),
}

/// The transactions of a capture, in batches.
#[pyclass(frozen)]
pub struct Capture {
    is_stopped: Arc<AtomicBool>,
    batches: Mutex<Option<Receiver<Message>>>,
    report: Mutex<Option<ReadReport>>,
}

/// Where a capture is.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Descriptor(RawFd),
    Content(Vec<u8>),
    Path(PathBuf),
}

impl Source {
    pub(crate) fn open(self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Descriptor(descriptor) => Box::new(copied(descriptor)?),
            Self::Content(content) => Box::new(Cursor::new(content)),
            Self::Path(path) => Box::new(File::open(path)?),
        })
    }
}

/// A copy of Python's descriptor, so that closing it leaves Python's own as it is.
fn copied(descriptor: RawFd) -> io::Result<File> {
    // SAFETY: the caller keeps the descriptor open during this call, as with any function of `os`; -1 and the like are refused.
    let descriptor = (descriptor >= 0)
        .then(|| unsafe { BorrowedFd::borrow_raw(descriptor) })
        .ok_or(io::ErrorKind::InvalidInput)?;
    Ok(File::from(descriptor.try_clone_to_owned()?))
}

#[pymethods]
impl Capture {
    #[new]
    #[pyo3(signature = (source, *, format_name=None, fields=None, default_host=None, masking_key=None, session_identifiers=None,
        max_row_bytes=None, batch_bytes=1_048_576))]
    #[allow(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "as Python has them"
    )]
    fn new(
        source: Source,
        format_name: Option<&str>,
        fields: Option<BTreeMap<String, String>>,
        default_host: Option<String>,
        masking_key: Option<[u8; 32]>,
        session_identifiers: Option<Vec<String>>,
        max_row_bytes: Option<usize>,
        batch_bytes: usize,
    ) -> PyResult<Self> {
        let options = options(format_name, fields, default_host, max_row_bytes)?;
        let keeping = Keeping {
            masker: masking_key.map(Masker::new),
            sessions: session_identifiers
                .map(|texts| sessions(&texts))
                .transpose()?,
        };
        let source = source.open()?;
        let (sender, receiver) = sync_channel(WAITING_BATCHES);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = is_stopped.clone();
        thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || {
                read_batches(source, &options, &keeping, batch_bytes, &sender, &stopped);
            })?;
        Ok(Self {
            is_stopped,
            batches: Mutex::new(Some(receiver)),
            report: Mutex::new(None),
        })
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<(Vec<u64>, Bound<'py, PyBytes>)>> {
        let message = py.detach(|| {
            let batches = self.batches.lock().ok()?;
            // A thread that is gone without a last word has panicked.
            batches.as_ref().map(|batches| {
                batches.recv().unwrap_or_else(|_| {
                    Message::End(Err(io::Error::other("the reader stopped").into()))
                })
            })
        });
        match message {
            None => Ok(None),
            Some(Message::Batch(batch)) => Ok(Some((batch.rows, PyBytes::new(py, &batch.lines)))),
            Some(Message::End(end)) => {
                self.forget();
                match end {
                    Ok(report) => {
                        if let Ok(mut known) = self.report.lock() {
                            *known = Some(report);
                        }
                        Ok(None)
                    }
                    Err(error) => Err(as_error(py, error)?),
                }
            }
        }
    }

    /// Read no further; what was read is reported.
    fn close(&self, py: Python<'_>) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let report = py.detach(|| {
            let batches = self.batches.lock().ok()?.take()?;
            // The thread looks at the flag at its next row, or has ended.
            batches.iter().find_map(|message| match message {
                Message::End(Ok(report)) => Some(report),
                _ => None,
            })
        });
        if let (Some(report), Ok(mut known)) = (report, self.report.lock()) {
            *known = Some(report);
        }
    }

    /// What reading came to; none before the end.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let report = self.report.lock().ok().and_then(|report| report.clone());
        report.map(|report| as_dict(py, &report)).transpose()
    }
}

impl Capture {
    fn forget(&self) {
        if let Ok(mut batches) = self.batches.lock() {
            *batches = None;
        }
    }
}

/// Options of what Python says.
pub(crate) fn options(
    format: Option<&str>,
    fields: Option<BTreeMap<String, String>>,
    default_host: Option<String>,
    max_row_bytes: Option<usize>,
) -> PyResult<ReadOptions> {
    let value_error = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
    let mut format: Option<Format> = match format {
        Some(name) => Some(name.parse().map_err(|error| value_error(&error))?),
        None => None,
    };
    if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
        let mut map = FieldMap::default();
        for (field, member) in fields {
            map.set(&field, &member)
                .map_err(|error| value_error(&error))?;
        }
        if !matches!(format, None | Some(Format::JsonLog(_))) {
            return Err(PyValueError::new_err(
                "fields can be told for the format json-log alone",
            ));
        }
        format = Some(Format::JsonLog(map));
    }
    let default = ReadOptions::default();
    Ok(ReadOptions {
        format,
        default_host,
        max_row_bytes: max_row_bytes.unwrap_or(default.max_row_bytes),
    })
}

/// What becomes of a transaction before it is handed out.
struct Keeping {
    masker: Option<Masker>,
    /// None: neither the session nor the score is wanted.
    sessions: Option<SessionIdentifiers>,
}

impl Keeping {
    fn kept(&self, seen: &TransactionRef<'_>) -> Transaction {
        let mut kept = seen.to_transaction();
        if let (Some(sessions), Some(masker)) = (&self.sessions, &self.masker) {
            // Both look at what is not masked yet. What a gateway has told already stays.
            kept.score = seen.score.or_else(|| Some(api_likelihood(seen)));
            kept.session = kept.session.or_else(|| sessions.session_id(seen, masker));
        }
        match &self.masker {
            Some(masker) => kept.into_masked(masker),
            None => kept,
        }
    }
}

/// Session identifiers as the command line has them.
pub(crate) fn sessions(texts: &[String]) -> PyResult<SessionIdentifiers> {
    SessionIdentifiers::parse(texts.iter().map(String::as_str))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

fn read_batches(
    source: Box<dyn Read + Send>,
    options: &ReadOptions,
    keeping: &Keeping,
    batch_bytes: usize,
    sender: &SyncSender<Message>,
    stopped: &AtomicBool,
) {
    let empty = || Batch {
        rows: Vec::new(),
        lines: Vec::new(),
    };
    let mut batch = empty();
    let mut each = |row: u64, transaction: &TransactionRef<'_>| {
        let transaction = keeping.kept(transaction);
        if stopped.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        batch.rows.push(row);
        batch
            .lines
            .extend_from_slice(transaction.to_line().as_bytes());
        batch.lines.push(b'\n');
        if batch.lines.len() < batch_bytes {
            return ControlFlow::Continue(());
        }
        match sender.send(Message::Batch(std::mem::replace(&mut batch, empty()))) {
            Ok(()) => ControlFlow::Continue(()),
            // Nobody wants more.
            Err(_) => ControlFlow::Break(()),
        }
    };
    let end = read_with(source, options, &mut each);
    if !batch.rows.is_empty() {
        let _ = sender.send(Message::Batch(batch));
    }
    let _ = sender.send(Message::End(end));
}

/// The exception for a capture that cannot be read.
pub(crate) fn as_error(py: Python<'_>, error: ReadError) -> PyResult<PyErr> {
    match error {
        ReadError::Io(error) => Ok(as_os_error(error)),
        error => as_capture_error(py, &error),
    }
}

/// The exception with its `errno`, which the conversion of `PyO3` leaves out; Python's own constructor chooses the class by it.
pub(crate) fn as_os_error(error: io::Error) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        return error.into();
    };
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    PyOSError::new_err((number, text.to_owned()))
}

fn as_capture_error(py: Python<'_>, error: &ReadError) -> PyResult<PyErr> {
    let raised = CaptureError::new_err(error.to_string());
    let is_flows = matches!(error, ReadError::MitmproxyFlows);
    raised.value(py).setattr("is_mitmproxy_flows", is_flows)?;
    Ok(raised)
}

/// What reading came to, as Python's `CaptureReport`.
pub(crate) fn as_dict<'py>(py: Python<'py>, report: &ReadReport) -> PyResult<Bound<'py, PyDict>> {
    let bad = PyList::empty(py);
    for row in &report.first_bad {
        let place = PyDict::new(py);
        place.set_item("row", row.row)?;
        place.set_item("line", row.line)?;
        place.set_item("column", row.column)?;
        place.set_item("offset", row.offset)?;
        place.set_item("problem", row.problem.to_string())?;
        bad.append(place)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("format", report.format)?;
    dict.set_item("rows", report.rows)?;
    dict.set_item("transactions", report.transactions)?;
    dict.set_item("skipped", report.skipped)?;
    dict.set_item("bad", report.bad)?;
    dict.set_item("first_bad", bad)?;
    dict.set_item("bytes", report.bytes)?;
    dict.set_item("stopped", report.stopped)?;
    dict.set_item("cut_short", report.cut_short.map(|cut| cut.to_string()))?;
    Ok(dict)
}
