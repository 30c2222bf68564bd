//! Captures that are cut off, damaged, or made to be difficult.

use std::io::{self, Read};
use std::ops::ControlFlow;

use hauberk_traffic::read::{
    self, CutShort, Format, MAX_REPORTED, Problem, ReadError, ReadOptions, detect,
};

use super::har::{archive, entry};
use super::{gzip, read_all, read_with, zstd};
use crate::transaction;

fn records(count: usize) -> Vec<u8> {
    format!("{}\n", transaction().to_line())
        .repeat(count)
        .into_bytes()
}

#[test]
fn a_bad_line_costs_itself_and_keeps_its_row() {
    let line = transaction().to_line();
    let bad: [(&[u8], Problem, u64); 6] = [
        (b"{", Problem::NotJson, 1),
        (b"\0", Problem::NotJson, 1),
        (b"{\"a\":\"\xff\"}", Problem::NotUtf8, 7),
        (&line.as_bytes()[..40], Problem::NotJson, 40),
        (b"{}", Problem::NotTransaction, 2),
        (b"[1]", Problem::NotTransaction, 0),
    ];
    for (bytes, problem, column) in bad {
        let capture = [line.as_bytes(), bytes, b"", line.as_bytes()].join(&b"\n"[..]);
        let (rows, report) = read_all(&capture, Some(&Format::Ndjson));
        assert_eq!(rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 3]);
        assert_eq!((report.bad, report.skipped), (1, 1));
        let found = &report.first_bad[0];
        assert_eq!(
            (found.row, found.line, found.offset, found.problem),
            (1, 2, line.len() as u64 + 1, problem)
        );
        assert!(found.column == column || column == 0, "{found}");
    }
}

#[test]
fn only_the_first_bad_lines_are_shown() {
    let (_, report) = read_all(&b"x\n".repeat(1000), Some(&Format::Ndjson));
    assert_eq!((report.bad, report.first_bad.len()), (1000, MAX_REPORTED));
}

#[test]
fn a_line_over_the_limit_is_passed_over() {
    let options = ReadOptions {
        max_row_bytes: 1000,
        format: Some(Format::Ndjson),
        ..ReadOptions::default()
    };
    let line = transaction().to_line();
    for length in [1000, 1001, 300_000, 2_000_000] {
        let capture = [line.as_bytes(), &b" ".repeat(length), line.as_bytes()].join(&b"\n"[..]);
        let (rows, report) = read_with(&capture, &options);
        assert_eq!(
            rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
            [0, 2],
            "{length}"
        );
        assert_eq!(
            (report.bad, report.skipped),
            if length > 1000 { (1, 0) } else { (0, 1) }
        );
        assert_eq!(report.bytes, capture.len() as u64);
    }
}

#[test]
fn packed_captures_are_unpacked_of_one_part_or_several() {
    let plain = records(100);
    let (first, second) = plain.split_at(plain.len() / 2);
    let mut skippable = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    skippable.extend(zstd(&plain));
    for packed in [
        gzip(&plain),
        zstd(&plain),
        [gzip(first), gzip(second)].concat(),
        [zstd(first), zstd(second)].concat(),
        skippable,
    ] {
        let (rows, report) = read_all(&packed, None);
        assert_eq!((rows.len(), report.bad, report.cut_short), (100, 0, None));
        assert_eq!(report.bytes, plain.len() as u64);
    }
}

#[test]
fn of_packed_data_that_is_cut_off_what_came_before_is_read() {
    // Text that does not repeat, so that half of the packed bytes are about half of the lines.
    let mut plain = Vec::new();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        plain.extend(
            format!("{{\"host\":\"a\",\"method\":\"GET\",\"url\":\"/{state:x}\"}}\n").bytes(),
        );
    }
    for packed in [gzip(&plain), zstd(&plain)] {
        let (rows, report) = read_all(&packed[..packed.len() / 2], None);
        assert!(rows.len() > 5000, "{}", rows.len());
        assert!(
            report.bad <= 1
                && report
                    .first_bad
                    .iter()
                    .all(|bad| bad.problem == Problem::CutOff)
        );
        assert!(matches!(report.cut_short, Some(CutShort::Packed(bytes)) if bytes > 100_000));
        let is_gzip = packed[0] == 0x1f;
        let mut damaged = packed;
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xff);
        let (rows, report) = read_all(&damaged, None);
        // zstd without a checksum may unpack damage to wrong letters.
        assert!(rows.len() > 5000 && (report.cut_short.is_some() || !is_gzip));
    }
}

#[test]
fn a_bomb_is_one_bad_row() {
    let bomb = zstd::encode_all(io::repeat(b'0').take(300_000_000), 1).unwrap();
    let (rows, report) = read_all(&bomb, Some(&Format::Ndjson));
    assert_eq!(
        (rows.len(), report.bad, report.first_bad[0].problem),
        (0, 1, Problem::TooLong)
    );
}

#[test]
fn an_archive_that_is_cut_off_gives_what_came_before() {
    let text = archive(
        &[
            "https://a.example/1",
            "https://a.example/2",
            "https://a.example/3",
        ]
        .map(entry),
    );
    let cut = text.find("example/3").unwrap();
    let (rows, report) = read_all(&text.as_bytes()[..cut], None);
    assert_eq!(
        (rows.len(), report.bad, report.cut_short),
        (2, 1, Some(CutShort::Unclosed))
    );
    assert_eq!(report.first_bad[0].problem, Problem::CutOff);
}

/// Any byte may be the damaged one: its own entry may be lost, and no other.
#[test]
fn one_damaged_byte_in_an_archive_costs_at_most_its_entry() {
    let urls: Vec<String> = (0..5)
        .map(|number| format!("https://a.example/{number}"))
        .collect();
    let compact = archive(&urls.iter().map(|url| entry(url)).collect::<Vec<_>>());
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&compact).unwrap())
            .unwrap();
    for text in [compact, pretty] {
        let starts: Vec<usize> = text
            .match_indices("\"request\"")
            .map(|(at, _)| at)
            .collect();
        assert_eq!(starts.len(), 5);
        for at in text.find("entries").unwrap() + 12..text.len() - 5 {
            // Every byte is tried, with some of what could stand there.
            let others = [
                0xff, 0, b'"', b'{', b'}', b'[', b']', b',', b':', b'\\', b'x', b' ',
            ];
            for byte in (0..3).map(|number| others[(at + 5 * number) % others.len()]) {
                let mut damaged = text.clone().into_bytes();
                damaged[at] = byte;
                let (rows, _) = read_all(&damaged, Some(&Format::Har));
                let here =
                    damaged[at.saturating_sub(40)..(at + 40).min(damaged.len())].escape_ascii();
                assert!(
                    rows.len() >= 4,
                    "{} left after {byte} at {at}: {here}",
                    rows.len()
                );
            }
        }
    }
}

#[test]
fn an_entry_over_the_limit_is_passed_over_and_its_long_texts_do_not_count() {
    let options = ReadOptions {
        max_row_bytes: 4_000_000,
        ..ReadOptions::default()
    };
    let mut body = entry("https://a.example/0");
    body["response"]["content"]["text"] = "x".repeat(9_000_000).into();
    let mut wide = entry("https://a.example/1");
    wide["request"]["headers"] =
        vec![serde_json::json!({"name": "a", "value": "b"}); 300_000].into();
    let (rows, report) = read_with(
        archive(&[body, wide, entry("https://a.example/2")]).as_bytes(),
        &options,
    );
    assert_eq!(rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(rows[0].1.response_body_size, Some(7));
    assert_eq!(report.first_bad[0].problem, Problem::TooLong);
}

#[test]
fn archives_made_to_be_difficult_end_soon() {
    let nested = format!(
        "{{\"log\":{{\"entries\":[{}",
        "{\"pageref\":[".repeat(200_000)
    );
    let deep = format!("{{\"log\":{{\"entries\":[{}", "[".repeat(2_000_000));
    let broken = format!(
        "{{\"log\":{{\"entries\":[{}",
        "{\"pageref\":x".repeat(200_000)
    );
    let objects = format!(
        "{{\"log\":{{\"entries\":[{}",
        "{\"pageref\":{}},x".repeat(200_000)
    );
    for text in [nested, deep, broken, objects] {
        let (rows, report) = read_all(text.as_bytes(), Some(&Format::Har));
        assert!(rows.is_empty() && report.bad > 0);
    }
}

#[test]
fn the_caller_may_stop() {
    let har = archive(&["https://a.example/1", "https://a.example/2"].map(entry)).into_bytes();
    for capture in [records(5), har] {
        let mut count = 0;
        let report = read::read(&capture[..], None, &mut |_, _| {
            count += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!((count, report.transactions, report.stopped), (1, 1, true));
    }
}

#[test]
fn a_format_is_told_from_the_content_or_not_at_all() {
    let long = format!(
        "{{\"host\":\"a\",\"method\":\"GET\",\"url\":\"/{}",
        "x".repeat(500_000)
    );
    let cases: [(&[u8], Option<&str>); 12] = [
        (b"", Some("ndjson")),
        (b"\n\n", Some("ndjson")),
        (
            b"garbage\n{\"host\":\"a\",\"method\":\"GET\",\"url\":\"/\"}",
            Some("ndjson"),
        ),
        (long.as_bytes(), Some("ndjson")),
        (b"\xef\xbb\xbf{\"log\":{\"entries\":[]}}", Some("har")),
        (b"{\"entries\":[", Some("har")),
        (b"{\"method\":\"GET\",\"path\":\"/\"}", Some("json-log")),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n",
            Some("access-log"),
        ),
        (b"5:hello,", None),
        (b"hello\nworld\n", None),
        (b"{\"a\":1}", None),
        (b"\x89PNG\r\n\x1a\n\0\0", None),
    ];
    for (beginning, wanted) in cases {
        let found = detect(beginning).ok().map(|format| format.name());
        assert_eq!(
            found,
            wanted,
            "{}",
            beginning[..beginning.len().min(60)].escape_ascii()
        );
    }
    assert!(matches!(
        detect(b"1234:9:websocket;0:~"),
        Err(ReadError::MitmproxyFlows)
    ));
}

/// A disk that fails is no damage in the file.
#[test]
fn an_error_of_the_source_is_an_error() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let packed = gzip(&records(10_000));
    for start in [
        &records(10)[..],
        &packed[..packed.len() / 2],
        &zstd(&records(10_000))[..100],
        b"",
    ] {
        let source = start.chain(Failing);
        let error = read::read(source, Some(&Format::Ndjson), &mut |_, _| {
            ControlFlow::Continue(())
        });
        assert_eq!(
            error.unwrap_err().to_string(),
            "cannot be read: the disk is on fire"
        );
    }
}
