//! The record and the masking against recorded traffic, where it is at hand.
//!
//! The recordings are no part of the repository: `HAUBERK_DATA` names the folder that holds `traffic/`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use hauberk_traffic::{Header, LazyText, Masker, Transaction, TransactionRef, mask_path};
use ruzstd::decoding::StreamingDecoder;
use serde_json::Value;

/// The files of recorded traffic; none, said why, where there are none. CI must have them.
pub(super) fn recordings() -> Vec<PathBuf> {
    let data = std::env::var_os("HAUBERK_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = data.join("traffic");
    let Ok(entries) = fs::read_dir(&folder) else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "no recorded traffic in {}",
            folder.display()
        );
        eprintln!(
            "skipped: no recorded traffic in {}; set HAUBERK_DATA",
            folder.display()
        );
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.retain(|file| file.to_string_lossy().ends_with(".ndjson.zst"));
    files.sort();
    assert!(
        !files.is_empty(),
        "no .ndjson.zst file in {}",
        folder.display()
    );
    files
}

pub(super) fn lines(file: &PathBuf) -> impl Iterator<Item = String> {
    let decoder =
        StreamingDecoder::new(File::open(file).expect("a readable file")).expect("a zstd file");
    BufReader::new(decoder)
        .lines()
        .map(|line| line.expect("UTF-8 text"))
}

#[test]
fn each_recorded_transaction_is_read_written_and_masked_once_for_all() {
    let masker = Masker::new([7; 32]);
    for file in recordings() {
        for (number, line) in lines(&file).enumerate() {
            let place = format!("{}:{}", file.display(), number + 1);
            let transaction =
                Transaction::from_line(&line).unwrap_or_else(|error| panic!("{place}: {error}"));
            let again = Transaction::from_line(&transaction.to_line()).expect("what we wrote");
            assert!(again == transaction, "{place}: writing changed it");

            let kept = transaction.clone().into_masked(&masker);
            assert_eq!(
                kept.request_headers.len(),
                transaction.request_headers.len(),
                "{place}"
            );
            let still_json = |body: &Option<String>| {
                body.as_ref()
                    .map(|body| serde_json::from_str::<Value>(body).is_ok())
            };
            assert_eq!(
                still_json(&kept.response_body),
                still_json(&transaction.response_body),
                "{place}"
            );
            assert!(
                kept.clone().into_masked(&masker) == kept,
                "{place}: masking again changed it"
            );
        }
    }
}

#[test]
fn a_line_reads_alike_borrowed_and_owned() {
    for file in recordings() {
        for (number, line) in lines(&file).enumerate() {
            let place = format!("{}:{}", file.display(), number + 1);
            let owned = Transaction::from_line(&line).expect("a transaction");
            let borrowed = TransactionRef::from_line(&line).expect("the same transaction");
            let pairs = |headers: &[Header<'_>]| -> Vec<(String, String)> {
                headers
                    .iter()
                    .map(|header| (header.name.to_string(), header.value.to_string()))
                    .collect()
            };
            let text =
                |text: &Option<LazyText<'_>>| text.as_ref().map(|text| text.decoded().into_owned());
            assert_eq!(borrowed.url, owned.url, "{place}");
            assert_eq!(borrowed.host, owned.host, "{place}");
            assert_eq!(borrowed.method, owned.method, "{place}");
            assert_eq!(borrowed.status, owned.status, "{place}");
            assert_eq!(
                pairs(&borrowed.request_headers),
                owned.request_headers,
                "{place}"
            );
            assert_eq!(
                pairs(&borrowed.response_headers),
                owned.response_headers,
                "{place}"
            );
            assert_eq!(text(&borrowed.request_body), owned.request_body, "{place}");
            assert_eq!(
                text(&borrowed.response_body),
                owned.response_body,
                "{place}"
            );
            assert_eq!(
                borrowed.response_content_type.as_deref(),
                owned.response_content_type.as_deref(),
                "{place}"
            );
            assert!(
                owned.url.contains(borrowed.path()) || borrowed.path() == "/",
                "{place}"
            );
        }
    }
}

/// Enough digits for an identifier.
fn has_digits(segment: &str) -> bool {
    segment.bytes().filter(u8::is_ascii_digit).count() > 2
}

/// The words of documented path templates stay, and what the documents call a variable does not show its digits; but
/// for tags such as `v0.7.1`, which are versions there too.
#[test]
fn the_masked_path_of_a_recorded_request_reads_like_its_template() {
    let (mut words, mut kept, mut values, mut hidden) = (0, 0, 0, 0);
    for file in recordings() {
        for line in lines(&file) {
            let row: Value = serde_json::from_str(&line).expect("JSON");
            let (Some(template), Some(url)) = (row["template"].as_str(), row["url"].as_str())
            else {
                continue;
            };
            let path = url
                .splitn(4, '/')
                .nth(3)
                .unwrap_or_default()
                .split(['?', '#'])
                .next()
                .unwrap_or_default();
            let (template, path): (Vec<_>, Vec<_>) = (
                template[1..].split('/').collect(),
                path.split('/').collect(),
            );
            if template.len() != path.len() {
                continue;
            }
            for (part, segment) in template.into_iter().zip(path) {
                let stays = mask_path(segment) == segment;
                if part == segment {
                    words += 1;
                    kept += usize::from(stays);
                    if !stays {
                        println!("lost {segment}");
                    }
                } else if part.starts_with('{') && !segment.starts_with('v') && has_digits(segment)
                {
                    values += 1;
                    hidden += usize::from(!stays);
                    if stays {
                        println!("shown {segment} {part}");
                    }
                }
            }
        }
    }
    println!("{kept} of {words} words kept, {hidden} of {values} values with digits hidden");
    assert!(kept * 1000 >= words * 999, "{kept} of {words}");
    assert_eq!(hidden, values);
}
