//! Log lines as JSON on standard error.

use std::io::Write;

use log::{LevelFilter, Log, Metadata, Record};
use serde::Serialize;

use crate::clock;

/// Writes our own lines. Those of libraries are left out: Pingora's quote request lines, headers and addresses.
struct Logger;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    logger: &'a str,
    event: String,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hauberk")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = Line {
            timestamp: clock::rfc3339(),
            level: level(record.level()),
            logger: record.target(),
            event: record.args().to_string(),
        };
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            // There is nowhere to complain that standard error is gone.
            let _ = std::io::stderr().lock().write_all(&text);
        }
    }

    fn flush(&self) {}
}

fn level(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "error",
        log::Level::Warn => "warning",
        log::Level::Info => "info",
        log::Level::Debug | log::Level::Trace => "debug",
    }
}

/// Sends the gateway's log lines to standard error, one JSON object a line with `timestamp`, `level`, `logger` and
/// `event`. Lines of libraries are dropped. The first call decides; where another logger is in place it stays.
pub fn init_logging(level: LevelFilter) {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(level);
    }
}

/// As [`init_logging`] with warnings and errors.
pub fn init_default_logging() {
    init_logging(LevelFilter::Warn);
}
