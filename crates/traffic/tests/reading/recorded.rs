//! Recorded traffic: every line of the collection is read, and tells its format.

use super::read_all;
use crate::records::recordings;

#[test]
fn each_recorded_file_is_told_and_read_whole() {
    for file in recordings() {
        let packed = std::fs::read(&file).expect("a readable file");
        let (rows, report) = read_all(&packed, None);
        let place = file.display();
        assert_eq!(
            (report.format, report.bad, report.skipped),
            ("ndjson", 0, 0),
            "{place}"
        );
        assert!(
            rows.iter()
                .enumerate()
                .all(|(number, (row, _))| *row == number as u64),
            "{place}"
        );
    }
}
