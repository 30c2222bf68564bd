//! Reading captures: formats in tables, laws beside them.

mod access_log;
mod damage;
mod har;
mod json_log;
mod laws;
mod recorded;

use std::io::Write;
use std::ops::ControlFlow;

use hauberk_traffic::Transaction;
use hauberk_traffic::read::{self, Format, ReadOptions, ReadReport};

/// All transactions of a capture with their rows.
fn read_all(capture: &[u8], format: Option<&Format>) -> (Vec<(u64, Transaction)>, ReadReport) {
    let options = ReadOptions {
        format: format.cloned(),
        ..ReadOptions::default()
    };
    read_with(capture, &options)
}

fn read_with(capture: &[u8], options: &ReadOptions) -> (Vec<(u64, Transaction)>, ReadReport) {
    let mut rows = Vec::new();
    let report = read::read_with(capture, options, &mut |row, transaction| {
        rows.push((row, transaction.to_transaction()));
        ControlFlow::Continue(())
    })
    .expect("a capture");
    assert_eq!(report.transactions, rows.len() as u64);
    assert_eq!(
        report.rows,
        report.transactions + report.skipped + report.bad
    );
    (rows, report)
}

/// The only transaction of a capture whose format is not told.
fn read_one(capture: &str, format: &str) -> Transaction {
    let (mut rows, report) = read_all(capture.as_bytes(), None);
    assert_eq!(
        (report.format, report.bad, rows.len()),
        (format, 0, 1),
        "{capture}: {report:?}"
    );
    rows.remove(0).1
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}
