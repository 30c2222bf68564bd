//! How fast profiles are learned, and how much memory they take.
//!
//! ```text
//! cargo run --release -p hauberk-traffic --example learn -- speed
//! cargo run --release -p hauberk-traffic --example learn -- memory 10000000
//! cargo run --release -p hauberk-traffic --example learn -- write 200000 small.ndjson
//! ```
//!
//! `benchmarks/learning/SPEED.md` tells the method and what came out.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "numbers that were made up, and rates"
)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::time::Duration;

use hauberk_traffic::TransactionRef;
use hauberk_traffic::learn::{Learner, LearnerOptions};
use hauberk_traffic::read::{Format, read};

/// So many operations the requests are spread over.
const OPERATIONS: u64 = 400;

/// Each measurement goes on for so long.
const SECONDS: f64 = 3.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["speed"] => {
            small_requests();
            bodies("1 KB", 1_000);
            bodies("32 KB", 32_000);
        }
        ["speed", "small"] => small_requests(),
        ["speed", "bodies"] => bodies("32 KB", 32_000),
        ["memory", requests] => memory(requests.parse().expect("a number of requests")),
        ["write", requests, path] => write(requests.parse().expect("a number of requests"), path),
        _ => {
            eprintln!(
                "learn speed [small | bodies] | learn memory REQUESTS | learn write REQUESTS FILE"
            );
            std::process::exit(2);
        }
    }
}

fn small_requests() {
    let path = std::env::temp_dir().join(format!("hauberk-learn-{}.ndjson", std::process::id()));
    let requests = 200_000;
    write(requests, path.to_str().expect("a path of UTF-8"));
    let bytes = std::fs::metadata(&path).expect("just written").len();
    println!(
        "small requests: {requests} lines, {} bytes each, of a file",
        bytes / requests
    );
    let mut learner = learner();
    let rate = measured(|| {
        let file = File::open(&path).expect("just written");
        let report = read(file, Some(&Format::Ndjson), &mut |_, transaction| {
            learner.see(transaction);
            ControlFlow::Continue(())
        });
        report.expect("a file that can be read").transactions
    });
    println!("  read and learned    {rate:>12.0} requests/s");
    let only_read = measured(|| {
        let file = File::open(&path).expect("just written");
        let report = read(file, Some(&Format::Ndjson), &mut |_, _| {
            ControlFlow::Continue(())
        });
        report.expect("a file that can be read").transactions
    });
    println!("  only read           {only_read:>12.0} requests/s");
    let text = std::fs::read_to_string(&path).expect("just written");
    let as_value = measured(|| {
        let mut count = 0;
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            count += u64::from(value.is_object());
        }
        count
    });
    println!(
        "  serde_json::Value   {as_value:>12.0} requests/s, read only; learning takes {:.2} times as long",
        as_value / rate
    );
    drop(text);
    std::fs::remove_file(&path).expect("just written");
}

fn bodies(name: &str, size: usize) {
    let bodies: Vec<String> = (0..(6_400_000 / size as u64))
        .map(|number| body(number, size))
        .collect();
    let mean = bodies.iter().map(String::len).sum::<usize>() / bodies.len();
    let lines: Vec<String> = bodies
        .iter()
        .zip(0..)
        .map(|(body, number)| line(number, "POST", "/documents", Some(body)))
        .collect();
    println!(
        "JSON bodies of about {name}: {} of them, {mean} bytes each",
        bodies.len()
    );
    let total = bodies.iter().map(String::len).sum::<usize>() as u64;
    let mb = |rate: f64| rate / 1e6;
    let mut learner = learner();
    let noted = measured(|| {
        for body in &bodies {
            let transaction = TransactionRef {
                request_body: Some(hauberk_traffic::LazyText::Plain(body.into())),
                ..document()
            };
            assert!(learner.see(&transaction));
        }
        total
    });
    let fed = measured(|| {
        for line in &lines {
            assert_eq!(learner.feed(line.as_bytes()), 1);
        }
        total
    });
    let value = measured(|| {
        let mut count = 0;
        for body in &bodies {
            let value: serde_json::Value = serde_json::from_str(body).expect("JSON");
            count += u64::from(value.is_object());
        }
        total + count - count
    });
    let skipped = measured(|| {
        for body in &bodies {
            serde_json::from_str::<serde::de::IgnoredAny>(body).expect("JSON");
        }
        total
    });
    println!("  learned                    {:>8.0} MB/s", mb(noted));
    println!(
        "  learned from lines         {:>8.0} MB/s of bodies",
        mb(fed)
    );
    println!(
        "  serde_json::Value          {:>8.0} MB/s, parsed only; learning is {:.2} times as fast",
        mb(value),
        noted / value
    );
    println!("  serde_json, values passed  {:>8.0} MB/s", mb(skipped));
}

fn memory(requests: u64) {
    let mut learner = learner();
    let before = resident();
    let began = busy();
    let mut line = String::new();
    let mut most = 0;
    for number in 0..requests {
        line.clear();
        small(number, &mut line);
        assert_eq!(learner.feed(line.as_bytes()), 1);
        if number % 100_000 == 0 {
            most = most.max(resident());
        }
    }
    let held = resident();
    let known = learner.operations().into_iter();
    let known: Vec<[String; 3]> = known
        .map(|(method, host, endpoint)| [method, host, endpoint].map(str::to_owned))
        .collect();
    let operations = known.len() as u64;
    let dumped: usize = known
        .iter()
        .map(|[method, host, endpoint]| {
            learner
                .dump(method, host, endpoint)
                .expect("it has requests")
                .len()
        })
        .sum();
    println!(
        "{requests} requests of {operations} operations in {:.1} s: {} MB resident, at most {} MB; {} KB an operation, {} KB dumped",
        since(began).as_secs_f64(),
        held >> 20,
        most.max(held) >> 20,
        (held.saturating_sub(before) as u64 / operations) >> 10,
        (dumped as u64 / operations) >> 10,
    );
}

fn write(requests: u64, path: &str) {
    let mut file = BufWriter::new(File::create(path).expect("a file that can be written"));
    let mut line = String::new();
    for number in 0..requests {
        line.clear();
        small(number, &mut line);
        file.write_all(line.as_bytes()).expect("room on the disk");
    }
    file.flush().expect("room on the disk");
}

/// A learner of all operations below.
fn learner() -> Learner {
    let host = || "api.example.com".to_owned();
    let mut operations: Vec<_> = (0..OPERATIONS)
        .map(|operation| match operation % 2 {
            0 => (
                "GET".to_owned(),
                host(),
                format!("/v1/things{operation}/{{var1}}"),
            ),
            _ => (
                "POST".to_owned(),
                host(),
                format!("/v1/things{operation}/{{var1}}/parts"),
            ),
        })
        .collect();
    operations.push(("POST".to_owned(), host(), "/documents".to_owned()));
    Learner::new(operations, LearnerOptions::default()).expect("operations that differ")
}

/// A request as the traffic store has it: half of them ask with a query, half send a small body.
fn small(number: u64, out: &mut String) {
    let mixed = mix(number);
    let operation = mixed % OPERATIONS;
    let thing = mixed >> 20 & 0xF_FFFF;
    let line = if operation.is_multiple_of(2) {
        let sort = ["name", "created", "updated"][(mixed >> 9) as usize % 3];
        let url = format!(
            "https://api.example.com/v1/things{operation}/{thing}?page={}&per_page=50&sort={sort}&since=2026-11-{:02}T00:00:00Z",
            mixed % 40,
            1 + mixed % 28,
        );
        line(number, "GET", &url, None)
    } else {
        let url = format!("https://api.example.com/v1/things{operation}/{thing}/parts");
        let body = format!(
            r#"{{"name":"part {}","count":{},"price":{}.{:02},"kind":"{}","active":{}}}"#,
            mixed % 100_000,
            mixed % 500,
            mixed % 900,
            mixed % 97,
            ["bolt", "nut", "washer", "screw"][(mixed >> 33) as usize % 4],
            mixed & 1 == 0,
        );
        line(number, "POST", &url, Some(&body))
    };
    out.push_str(&line);
    out.push('\n');
}

fn line(number: u64, method: &str, url: &str, body: Option<&str>) -> String {
    let mixed = mix(number);
    let content_type = if body.is_some() {
        r#"["content-type","application/json"],"#
    } else {
        ""
    };
    let body = body.map_or("null".to_owned(), |body| {
        serde_json::to_string(body).expect("a text has a JSON form")
    });
    let url = if url.starts_with('/') {
        format!("https://api.example.com{url}")
    } else {
        url.to_owned()
    };
    format!(
        concat!(
            r#"{{"host":"api.example.com","method":"{}","url":"{}","http_version":"HTTP/1.1","request_headers":[["user-agent","example/1.0"],"#,
            r#"["accept","application/json"],{}["authorization","Bearer h:{:012x}"],["x-tenant","t{}"]],"request_body":{},"status":200,"#,
            r#""response_headers":[["content-type","application/json"]],"response_body_size":120,"response_content_type":"application/json","#,
            r#""time":"2026-11-{:02}T{:02}:{:02}:07Z","client":"c:{:012x}","session":"s:{:012x}"}}"#
        ),
        method,
        url,
        content_type,
        mixed % 50_000,
        mixed % 20,
        body,
        1 + number % 14,
        number / 14 % 24,
        number / 336 % 60,
        mixed % 80_000,
        mixed % 50_000,
    )
}

fn document() -> TransactionRef<'static> {
    TransactionRef {
        host: "api.example.com".into(),
        method: "POST".into(),
        url: "https://api.example.com/documents".into(),
        request_headers: vec![hauberk_traffic::Header {
            name: "content-type".into(),
            value: "application/json".into(),
        }],
        status: 200,
        time: Some("2026-11-20T10:00:00Z".into()),
        session: Some("s:0123456789ab".into()),
        ..TransactionRef::default()
    }
}

/// An order with so many lines that it has about `size` bytes: nested objects, texts of words, numbers, times, identifiers.
fn body(number: u64, size: usize) -> String {
    let mut text = format!(
        r#"{{"id":"ord_{:012x}","created":"2026-11-{:02}T10:{:02}:00Z","customer":{{"name":"Customer number {}","email":"u{}@example.com","address":{{"street":"{} Long Street","city":"Ulm","zip":"{:05}","country":"DE"}}}},"items":["#,
        mix(number),
        1 + number % 28,
        number % 60,
        number % 10_000,
        number % 10_000,
        number % 200,
        number % 100_000,
    );
    let mut item = 0;
    while text.len() < size {
        let mixed = mix(number * 1000 + item);
        if item > 0 {
            text.push(',');
        }
        write!(
            text,
            r#"{{"sku":"SKU-{:05}-{}","title":"A thing that is described in some words, variant {}","quantity":{},"price":{{"amount":{}.{:02},"currency":"{}"}},"tags":["new","sale-{}"],"in_stock":{},"weight_grams":{},"note":null,"options":{{"colour":"{}","size":"{}","gift":{}}}}}"#,
            mixed % 100_000,
            ["a", "b", "c"][mixed as usize % 3],
            mixed % 1000,
            1 + mixed % 9,
            mixed % 500,
            mixed % 100,
            ["EUR", "USD"][mixed as usize % 2],
            mixed % 30,
            mixed & 4 == 0,
            mixed % 20_000,
            ["red", "green", "blue", "black"][(mixed >> 7) as usize % 4],
            ["S", "M", "L"][(mixed >> 9) as usize % 3],
            mixed & 8 == 0,
        )
        .expect("writing to a string");
        item += 1;
    }
    text.push_str(r#"],"comment":"Please leave it at the door.","total":1234.56}"#);
    text
}

fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 3
}

/// How much a second of processor time does, of what `work` says it has done.
fn measured(mut work: impl FnMut() -> u64) -> f64 {
    // Once, so that tables are filled.
    work();
    let began = busy();
    let mut done = 0;
    while since(began).as_secs_f64() < SECONDS {
        done += work();
    }
    done as f64 / since(began).as_secs_f64()
}
/// Processor time used so far; time spent waiting for other programs does not count.
fn busy() -> Duration {
    let status = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = status.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn since(began: Duration) -> Duration {
    busy().saturating_sub(began)
}

/// Bytes of memory in use.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = status
        .split(' ')
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    pages * 4096
}
