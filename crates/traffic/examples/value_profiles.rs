//! What a value costs: nanoseconds by kind, once its place is well known, and memory by how many values a place has seen.
//!
//! ```sh
//! cargo run --release -p hauberk-traffic --example value_profiles
//! ```

#![allow(clippy::cast_precision_loss, reason = "figures are rounded")]

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

/// Requests are of so many sessions, ten of them at a client.
const SESSIONS: u64 = 5_000;

/// Requests, each with a value.
const VALUES: u64 = 1 << 16;

/// Each kind is measured so often; the best counts.
const ROUNDS: usize = 25;

struct Kind {
    name: &'static str,
    note: fn(&mut ValueProfile, &str, &Seen),
    /// The value of a request, by its number and a number by chance.
    value: fn(u64, u64) -> String,
}

const fn kind(
    name: &'static str,
    note: fn(&mut ValueProfile, &str, &Seen),
    value: fn(u64, u64) -> String,
) -> Kind {
    Kind { name, note, value }
}

const KINDS: [Kind; 14] = [
    kind(
        "boolean",
        |place, text, seen| place.boolean(text == "1", seen),
        |_, chance| (chance % 2).to_string(),
    ),
    kind("integer 1-100", ValueProfile::number, |_, chance| {
        (chance % 100 + 1).to_string()
    }),
    kind("integer id", ValueProfile::number, |_, chance| {
        (chance >> 24).to_string()
    }),
    kind("decimal", ValueProfile::number, |_, chance| {
        format!("{:.2}", (chance % 100_000) as f64 / 100.0)
    }),
    kind("coordinate", ValueProfile::number, |_, chance| {
        (chance as f64 / 1e18).to_string()
    }),
    kind("enum of 5", ValueProfile::string, |_, chance| {
        one_of(&["open", "closed", "draft", "merged", "all"], chance).to_owned()
    }),
    kind("word", ValueProfile::string, |_, chance| {
        format!("{:x}", chance >> 30).replace(|digit: char| digit.is_ascii_digit(), "g")
    }),
    kind("uuid", ValueProfile::string, |number, chance| {
        let (low, high) = (chance & 0xFFF, chance >> 52);
        format!("{number:08x}-{low:04x}-4{high:03x}-8{low:03x}-{chance:012.12x}")
            .chars()
            .take(36)
            .collect()
    }),
    kind("date-time", ValueProfile::string, |number, chance| {
        let (month, day) = (chance % 12 + 1, number % 28 + 1);
        format!(
            "2026-{month:02}-{day:02}T{:02}:{:02}:00Z",
            number % 24,
            number % 60
        )
    }),
    kind("e-mail", ValueProfile::string, |_, chance| {
        format!("user{}@example.com", chance % 10_000)
    }),
    kind("URI", ValueProfile::string, |_, chance| {
        format!("https://example.com/users/{}/items?page=2", chance % 10_000)
    }),
    kind("sentence", ValueProfile::string, |_, chance| {
        let number = chance % 10_000;
        format!("The quick brown fox, number {number}, jumps over the lazy dog.")
    }),
    kind("text: integer", ValueProfile::text, |_, chance| {
        (chance % 1000).to_string()
    }),
    kind("text: a,b,c", ValueProfile::text, |_, chance| {
        let field = one_of(&["name", "kind", "size", "owner"], chance);
        format!("id,{field},created")
    }),
];

fn one_of(texts: &'static [&'static str], chance: u64) -> &'static str {
    let at = usize::try_from(chance).unwrap_or(0) % texts.len();
    texts[at]
}

fn chance(number: u64) -> u64 {
    hash(&number.to_le_bytes())
}

fn seen(request: u64) -> Seen {
    let session = chance(request) % SESSIONS;
    let (session, client) = (
        format!("h:{session:012x}"),
        format!("c:{:012x}", session / 10),
    );
    let at = 1_790_000_000 + i64::try_from(request).unwrap_or(0) * 10;
    Seen::new(
        Some(&session),
        None,
        Some(&client),
        chance(request),
        Some(at),
    )
}

fn measure(kind: &Kind, seen: &[Seen]) {
    let values = (0..VALUES).map(|number| (kind.value)(number, chance(number)));
    let values: Vec<String> = values.collect();
    let bytes: usize = values.iter().map(String::len).sum();
    let held = [1, 5, 16, 33, 100, values.len()].map(|count| {
        let before = HELD.load(Ordering::Relaxed);
        let mut place = ValueProfile::default();
        for (value, seen) in values.iter().zip(seen).take(count) {
            (kind.note)(&mut place, value, seen);
        }
        HELD.load(Ordering::Relaxed) - before
    });
    let mut place = ValueProfile::default();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for (value, seen) in values.iter().zip(seen) {
            (kind.note)(&mut place, black_box(value), seen);
        }
        best = best.min(start.elapsed().as_nanos() as f64 / values.len() as f64);
    }
    black_box(&place);
    let size = bytes as f64 / values.len() as f64;
    println!(
        "{:<14} {size:>5.0} {best:>9.1} {:>9.0}   {held:?}",
        kind.name,
        size / best * 1e3
    );
}

/// Values of all kinds at the places of so many operations in turn: what is known of a place is rarely in the cache.
fn measure_together(operations: usize, seen: &[Seen]) {
    let values: Vec<Vec<String>> = KINDS
        .iter()
        .map(|kind| {
            (0..256)
                .map(|number| (kind.value)(number, chance(number)))
                .collect()
        })
        .collect();
    let mut places = vec![vec![ValueProfile::default(); KINDS.len()]; operations];
    let mut best = f64::MAX;
    for _ in 0..4 {
        let start = Instant::now();
        for (request, seen) in seen.iter().enumerate() {
            let operation = &mut places[request % operations];
            for ((kind, values), place) in KINDS.iter().zip(&values).zip(operation) {
                (kind.note)(place, black_box(&values[request % values.len()]), seen);
            }
        }
        let count = seen.len() * KINDS.len();
        best = best.min(start.elapsed().as_nanos() as f64 / count as f64);
    }
    println!("all kinds, {operations} operations: {best:.1} ns/value");
}

fn main() {
    let kind_of_interest = std::env::args().nth(1).unwrap_or_default();
    let seen: Vec<Seen> = (0..VALUES).map(seen).collect();
    println!(
        "{:<14} {:>5} {:>9} {:>9}   heap after 1, 5, 16, 33, 100, {VALUES} values",
        "kind", "bytes", "ns/value", "MB/s"
    );
    for kind in KINDS {
        if kind.name.contains(&kind_of_interest) {
            measure(&kind, &seen);
        }
    }
    for operations in [1, 10, 100, 1_000] {
        measure_together(operations, &seen);
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
