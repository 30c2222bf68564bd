//! Reads captures: our newline-delimited JSON, HAR files, access logs, logs of JSON lines; plain or packed by gzip or zstd.
//!
//! All of it streams. At any time one row lies in memory, and a row that is longer than [`ReadOptions::max_row_bytes`] is passed over without
//! being held, so the size of a capture does not matter. A row that cannot be read is counted and reported with its place, and the next one is
//! read. Values of a capture never stand in a report or an error.
//!
//! Rows are numbered from 0: in formats of lines, the row of a transaction is the number of its line, less one, whatever stands in the lines
//! before; in a HAR it is the number of the entry. So results can be joined to their input.

mod access_log;
mod detect;
mod har;
mod json_log;
mod lines;
mod ndjson;
mod report;
mod sink;
mod target;
mod time;
mod unpack;
mod window;

use std::io::Read;
use std::ops::ControlFlow;

use crate::TransactionRef;

pub use detect::detect;
pub use json_log::{FieldMap, UnknownField};
pub use report::{BadRow, CutShort, Problem, ReadError, ReadReport};
pub use unpack::{Unpacked, decompressed};

pub(crate) use time::unix_seconds;

use sink::Sink;
use window::Window;

/// Stands for the host where a log does not tell it and [`ReadOptions::default_host`] does not either. RFC 6761 keeps `.invalid` for names that
/// are nobody's.
pub const UNKNOWN_HOST: &str = "unknown.invalid";

/// Bodies longer than this are not kept; their size is.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// How many rows that could not be read are reported with their place; the others are counted.
pub const MAX_REPORTED: usize = 20;

/// How much of the (unpacked) beginning of a capture tells its format.
pub const DETECTED_FROM_BYTES: usize = 256 * 1024;

/// How the transactions of a capture are written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One record a line, as [`Transaction::to_line`](crate::Transaction::to_line) writes it.
    Ndjson,
    /// HTTP Archive 1.1 or 1.2, or several of them one after another.
    Har,
    /// Lines as Apache, nginx and Envoy write them when nobody says otherwise: the common and the combined format, with or without the virtual
    /// host before or further fields behind, and Envoy's own. Each line may be of another one.
    AccessLog,
    /// A JSON object a line, as nginx, Caddy, Traefik and Envoy can write it, or a CDN pushes it.
    JsonLog(FieldMap),
}

impl Format {
    /// `ndjson`, `har`, `access-log` or `json-log`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Har => "har",
            Self::AccessLog => "access-log",
            Self::JsonLog(_) => "json-log",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = UnknownFormat;

    /// The format of this name; a log of JSON lines with the fields it usually has.
    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        match name {
            "ndjson" => Ok(Self::Ndjson),
            "har" => Ok(Self::Har),
            "access-log" => Ok(Self::AccessLog),
            "json-log" => Ok(Self::JsonLog(FieldMap::default())),
            _ => Err(UnknownFormat),
        }
    }
}

/// The name of no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFormat;

impl std::fmt::Display for UnknownFormat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a format is ndjson, har, access-log or json-log")
    }
}

impl std::error::Error for UnknownFormat {}

/// What is not said by the capture itself.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The format; none: it is told from the first [`DETECTED_FROM_BYTES`].
    pub format: Option<Format>,
    /// A line or an entry that is longer is passed over and counted as bad. An entry of a HAR is measured without its longest texts (over
    /// 1 MiB), which are bodies and not kept.
    pub max_row_bytes: usize,
    /// The host of transactions whose log does not tell it.
    pub default_host: Option<String>,
}

impl Default for ReadOptions {
    /// Format from the content, 16 MiB a row.
    fn default() -> Self {
        Self {
            format: None,
            max_row_bytes: 16 * 1024 * 1024,
            default_host: None,
        }
    }
}

/// Takes a transaction with its row; `Break` ends the reading.
pub type Each<'e> = dyn FnMut(u64, &TransactionRef<'_>) -> ControlFlow<()> + 'e;

/// Calls `each` for every transaction of a capture, packed or not, with its row.
///
/// # Errors
///
/// If the source cannot be read, or its format is not told and cannot be recognised. Rows that cannot be read are no errors: the report has
/// them.
pub fn read<R: Read>(
    source: R,
    format: Option<&Format>,
    each: &mut Each<'_>,
) -> Result<ReadReport, ReadError> {
    let options = ReadOptions {
        format: format.cloned(),
        ..ReadOptions::default()
    };
    read_with(source, &options, each)
}

/// Like [`read`], with all options.
///
/// # Errors
///
/// As [`read`].
pub fn read_with<R: Read>(
    source: R,
    options: &ReadOptions,
    each: &mut Each<'_>,
) -> Result<ReadReport, ReadError> {
    let mut window = Window::new(decompressed(source)?, options.max_row_bytes);
    window.skip_byte_order_mark()?;
    let told;
    let format = if let Some(format) = &options.format {
        format
    } else {
        told = detect(window.peek(DETECTED_FROM_BYTES)?)?;
        &told
    };
    let mut sink = Sink::new(format.name(), each);
    let host = options.default_host.as_deref().unwrap_or(UNKNOWN_HOST);
    match format {
        Format::Ndjson => lines::read(&mut window, &mut sink, ndjson::read)?,
        Format::Har => har::read(&mut window, &mut sink)?,
        Format::AccessLog => lines::read(&mut window, &mut sink, |line, take| {
            access_log::read(line, host, take)
        })?,
        Format::JsonLog(fields) => lines::read(&mut window, &mut sink, |line, take| {
            json_log::read(line, fields, host, take)
        })?,
    }
    Ok(sink.into_report(&window))
}
