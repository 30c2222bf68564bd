//! What reading a capture came to.

use std::{fmt, io};

/// What reading a capture came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadReport {
    /// The name of the format that was read.
    pub format: &'static str,
    /// Lines or entries, whatever they held.
    pub rows: u64,
    /// Those that were transactions.
    pub transactions: u64,
    /// Those that hold no HTTP request and are right so: blank lines, comments, `data:` URLs of a page, connections closed before a request.
    pub skipped: u64,
    /// Those that could not be read.
    pub bad: u64,
    /// The first of the bad ones, at most [`MAX_REPORTED`](super::MAX_REPORTED).
    pub first_bad: Vec<BadRow>,
    /// Bytes that were read, unpacked.
    pub bytes: u64,
    /// Why the capture ends before its end, if it does.
    pub cut_short: Option<CutShort>,
    /// Whether the caller ended the reading.
    pub stopped: bool,
}

/// A row that could not be read. It names the place and not what stands there, which came from traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its number, from 0.
    pub row: u64,
    /// The line, from 1; in a HAR the line where the entry begins.
    pub line: u64,
    /// Where in the line (in a HAR: in the entry) reading stopped, in bytes from 1; 0 when it was read to its end.
    pub column: u64,
    /// Where in the unpacked capture the row begins, in bytes from 0.
    pub offset: u64,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for BadRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            row,
            line,
            column,
            offset,
            problem,
        } = self;
        write!(formatter, "row {row} (line {line}, byte {offset}")?;
        if *column > 0 {
            write!(formatter, ", column {column}")?;
        }
        write!(formatter, "): {problem}")
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Some bytes are no UTF-8.
    NotUtf8,
    /// The text is no JSON, or not all of it.
    NotJson,
    /// It is JSON without the members of a transaction, or with wrong ones.
    NotTransaction,
    /// It has no form of an access log that is known.
    NotLogLine,
    /// The URL has no host, and no header names one.
    NoHost,
    /// It is longer than [`ReadOptions::max_row_bytes`](super::ReadOptions::max_row_bytes).
    TooLong,
    /// The capture ends in it.
    CutOff,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotUtf8 => "not text in UTF-8",
            Self::NotJson => "not one whole JSON object",
            Self::NotTransaction => "a member of the transaction is missing or of the wrong type",
            Self::NotLogLine => "not in a known form of access logs",
            Self::NoHost => "neither the URL nor a header names the host",
            Self::TooLong => "longer than a row may be",
            Self::CutOff => "cut off: the capture ends here",
        })
    }
}

/// Why a capture ends before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutShort {
    /// The packed data ends early or is damaged; so many unpacked bytes came before.
    Packed(u64),
    /// The HAR is not closed.
    Unclosed,
}

impl fmt::Display for CutShort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packed(bytes) => write!(
                formatter,
                "the packed data is cut off or damaged after {bytes} unpacked bytes; what came before was read"
            ),
            Self::Unclosed => formatter
                .write_str("the file ends before the archive is closed; what came before was read"),
        }
    }
}

/// A capture that cannot be read at all.
#[derive(Debug)]
pub enum ReadError {
    /// The source failed.
    Io(io::Error),
    /// The beginning fits no format.
    Unrecognised,
    /// It is a flow file of mitmproxy, which only mitmproxy itself can read.
    MitmproxyFlows,
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "cannot be read: {error}"),
            Self::Unrecognised => formatter.write_str(
                "the content is in no known format: neither HAR nor transactions as JSON lines, nor an access log, nor a log of JSON lines",
            ),
            Self::MitmproxyFlows => formatter.write_str("a flow file of mitmproxy, which mitmproxy itself must read"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Unrecognised | Self::MitmproxyFlows => None,
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
