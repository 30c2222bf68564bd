//! Captures: any bytes are read in each format, packed or not.

use std::ops::ControlFlow;

use hauberk_traffic::read::{FieldMap, Format, ReadOptions, ReadReport, read_with};
use hauberk_traffic::{Masker, Transaction};

/// Small, so that the fuzzer finds its way over it.
const MAX_ROW_BYTES: usize = 2000;

/// Reads an archive made of the bytes.
///
/// # Panics
///
/// If a law does not hold.
pub fn check_har(data: &[u8]) {
    check(data, &Format::Har);
}

/// Reads lines of an access log, and of a log of JSON lines, made of the bytes.
///
/// # Panics
///
/// If a law does not hold.
pub fn check_access_log(data: &[u8]) {
    check(data, &Format::AccessLog);
    check(data, &Format::JsonLog(FieldMap::default()));
}

/// Reads records made of the bytes.
///
/// # Panics
///
/// If a law does not hold.
pub fn check_ndjson(data: &[u8]) {
    check(data, &Format::Ndjson);
}

fn check(data: &[u8], format: &Format) {
    let (rows, report) = rows(data, format);
    assert_eq!(
        report.rows,
        report.transactions + report.skipped + report.bad
    );
    assert_eq!(report.transactions, rows.len() as u64);
    assert!(
        rows.is_sorted_by(|one, next| one.0 < next.0),
        "rows only grow"
    );
    assert!(rows.last().is_none_or(|(row, _)| *row < report.rows));
    let masker = Masker::new([7; 32]);
    for (_, transaction) in rows {
        let line = transaction.to_line();
        let again = Transaction::from_line(&line).expect("what we wrote");
        assert_eq!(again, transaction, "writing changes nothing");
        let kept = transaction.into_masked(&masker);
        assert_eq!(
            kept.clone().into_masked(&masker),
            kept,
            "masking again changes nothing"
        );
    }
}

fn rows(data: &[u8], format: &Format) -> (Vec<(u64, Transaction)>, ReadReport) {
    let options = ReadOptions {
        format: Some(format.clone()),
        max_row_bytes: MAX_ROW_BYTES,
        default_host: None,
    };
    let mut rows = Vec::new();
    let report = read_with(data, &options, &mut |row, transaction| {
        rows.push((row, transaction.to_transaction()));
        ControlFlow::Continue(())
    });
    (rows, report.expect("bytes in memory can be read"))
}
