//! What a value costs: nanoseconds by kind, once its place is well known, and memory by how many values a place has seen.
//!
//! ```sh
//! cargo run --release -p hauberk-traffic --example value_profiles
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hauberk_traffic::learn::{Seen, ValueProfile, hash};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator, which keeps the contract; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Requests of so many sessions, a tenth of them at a client.
const SESSIONS: u64 = 5_000;

const VALUES: usize = 1 << 16;

type Note = fn(&mut ValueProfile, &str, &Seen);

fn main() {
    let number = |request: u64| hash(&request.to_le_bytes());
    let kinds: [(&str, Note, Box<dyn Fn(u64) -> String>); 14] = [
        (
            "boolean",
            |place, text, seen| place.boolean(text == "1", seen),
            Box::new(move |n| (number(n) % 2).to_string()),
        ),
        (
            "integer 1-100",
            ValueProfile::number,
            Box::new(move |n| (number(n) % 100 + 1).to_string()),
        ),
        (
            "integer id",
            ValueProfile::number,
            Box::new(move |n| (number(n) >> 24).to_string()),
        ),
        (
            "decimal",
            ValueProfile::number,
            Box::new(move |n| format!("{:.2}", (number(n) % 100_000) as f64 / 100.0)),
        ),
        (
            "coordinate",
            ValueProfile::number,
            Box::new(move |n| (number(n) as f64 / 1e18).to_string()),
        ),
        (
            "enum of 5",
            ValueProfile::string,
            Box::new(move |n| {
                ["open", "closed", "draft", "merged", "all"][(number(n) % 5) as usize].to_owned()
            }),
        ),
        (
            "word",
            ValueProfile::string,
            Box::new(move |n| {
                format!("{:x}", number(n) >> 30).replace(|c: char| c.is_ascii_digit(), "g")
            }),
        ),
        (
            "uuid",
            ValueProfile::string,
            Box::new(move |n| {
                format!(
                    "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                    n,
                    n & 0xFFFF,
                    n & 0xFFF,
                    n & 0xFFF,
                    number(n) >> 16
                )
            }),
        ),
        (
            "date-time",
            ValueProfile::string,
            Box::new(move |n| {
                format!(
                    "2026-{:02}-{:02}T{:02}:{:02}:00Z",
                    number(n) % 12 + 1,
                    n % 28 + 1,
                    n % 24,
                    n % 60
                )
            }),
        ),
        (
            "e-mail",
            ValueProfile::string,
            Box::new(move |n| format!("user{}@example.com", number(n) % 10_000)),
        ),
        (
            "URI",
            ValueProfile::string,
            Box::new(move |n| {
                format!(
                    "https://example.com/users/{}/items?page=2",
                    number(n) % 10_000
                )
            }),
        ),
        (
            "sentence",
            ValueProfile::string,
            Box::new(move |n| {
                format!(
                    "The quick brown fox, number {}, jumps over the lazy dog.",
                    number(n) % 10_000
                )
            }),
        ),
        (
            "text: integer",
            ValueProfile::text,
            Box::new(move |n| (number(n) % 1000).to_string()),
        ),
        (
            "text: a,b,c",
            ValueProfile::text,
            Box::new(move |n| {
                format!(
                    "id,{},created",
                    ["name", "kind", "size", "owner"][(number(n) % 4) as usize]
                )
            }),
        ),
    ];
    println!(
        "{:<14} {:>5} {:>9} {:>9}   heap after 1, 5, 16, 17, 100, {VALUES} values",
        "kind", "bytes", "ns/value", "MB/s"
    );
    let seen: Vec<Seen> = (0..VALUES as u64)
        .map(|request| {
            let session = number(request) % SESSIONS;
            let (session, client) = (
                format!("h:{session:012x}"),
                format!("c:{:012x}", session / 10),
            );
            Seen::new(
                Some(&session),
                None,
                Some(&client),
                number(request),
                Some(1_790_000_000 + (request as i64) * 10),
            )
        })
        .collect();
    for (kind, note, value) in kinds {
        let values: Vec<String> = (0..VALUES as u64).map(value).collect();
        let bytes: usize = values.iter().map(String::len).sum();
        let mut held = Vec::new();
        for count in [1, 5, 16, 17, 100, VALUES] {
            let before = HELD.load(Ordering::Relaxed);
            let mut place = ValueProfile::default();
            for (value, seen) in values.iter().zip(&seen).take(count) {
                note(&mut place, value, seen);
            }
            held.push(HELD.load(Ordering::Relaxed) - before);
            drop(place);
        }
        let mut place = ValueProfile::default();
        let mut best = f64::MAX;
        for _ in 0..6 {
            let start = Instant::now();
            for (value, seen) in values.iter().zip(&seen) {
                note(&mut place, black_box(value), seen);
            }
            best = best.min(start.elapsed().as_nanos() as f64 / VALUES as f64);
        }
        black_box(&place);
        println!(
            "{kind:<14} {:>5} {best:>9.1} {:>9.0}   {held:?}",
            bytes / VALUES,
            bytes as f64 / VALUES as f64 / best * 1e3
        );
    }
    let long = "lorem ipsum dolor ".repeat(60_000);
    let mut place = ValueProfile::default();
    let start = Instant::now();
    for seen in seen.iter().take(100) {
        place.string(black_box(&long), seen);
    }
    let nanoseconds = start.elapsed().as_nanos() as f64;
    println!(
        "megabyte strings: {:.0} MB/s",
        long.len() as f64 * 100.0 / nanoseconds * 1e3
    );
}
