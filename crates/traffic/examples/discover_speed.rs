//! How much processor time sightings and finding operations take, and how much memory: `cargo run --release --example discover_speed`.

use std::time::Duration;

use hauberk_traffic::discover::{Discovery, DiscoveryLimits, OwnerRules, Sighting};

fn main() {
    for paths in [10_000_u64, 100_000, 1_000_000] {
        let before = resident();
        let made: Vec<String> = (0..paths).map(path).collect();
        let texts = resident();
        let mut discovery = Discovery::new(DiscoveryLimits::default());
        let began = busy();
        for path in &made {
            discovery.observe(&Sighting::once("api.example.com", "GET", path));
        }
        let first = since(began);
        let held = resident();
        let began = busy();
        let mut again = 0_u32;
        while since(began).as_secs_f64() < 1.0 {
            for path in made.iter().take(10_000) {
                discovery.observe(&Sighting::once("api.example.com", "GET", path));
                again += 1;
            }
        }
        let rate = f64::from(again) / since(began).as_secs_f64();
        let began = busy();
        let found = discovery.operations(&OwnerRules::default());
        println!(
            "{paths} paths ({} MB of text): {} nodes, {} MB; first seen in {first:.1?}; {rate:.0} sightings/s of seen paths; {} operations in {:.2?}; {} MB at the end",
            (texts - before) >> 20,
            discovery.nodes(),
            (held - texts) >> 20,
            found.len(),
            since(began),
            (resident() - texts) >> 20,
        );
    }
}

/// Paths of an API with some tenants, many users, and things of theirs.
fn path(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let user = mixed % 20_000;
    match number % 5 {
        0 => format!("/v1/users/{user}/orders/{number}"),
        1 => format!("/v1/users/{user}/orders/{number}/items"),
        2 => format!("/v1/files/{mixed:016x}"),
        3 => format!("/v1/projects/project-{}/builds/{number}/log", mixed % 500),
        _ => format!(
            "/v1/people/{}.{}/cards/card_{mixed:016x}",
            ["ann", "bob", "eve"][(mixed % 3) as usize],
            number % 70_000
        ),
    }
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
