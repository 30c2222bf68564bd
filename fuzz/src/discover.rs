//! Finding operations: what is found can be saved, and the router sends each path to the endpoint it was found in.
//!
//! The input is text, a request a line: `METHOD /path`, or `METHOD host /path`.

use hauberk_openapi::RouterBuilder;
use hauberk_traffic::discover::{Discovery, DiscoveryLimits, FoundOperation, OwnerRules, Sighting};

/// Most lines.
const MAX_LINES: usize = 128;

/// Find the operations of the requests.
///
/// # Panics
///
/// If requests are lost, the order of requests matters, an endpoint is none for the router, or a path's endpoint is not the one the router
/// finds for it.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    for max_children in [16, 1000] {
        let limits = DiscoveryLimits {
            max_children,
            ..DiscoveryLimits::default()
        };
        let (found, left_out) = find(limits, lines.iter().copied());
        let (backwards, _) = find(limits, lines.iter().rev().copied());
        assert_eq!(found, backwards);
        let requests: u64 = found.iter().map(|one| one.requests).sum();
        assert_eq!(requests + left_out, lines.len() as u64);
        for of_host in found.chunk_by(|one, two| one.host == two.host) {
            check_host(of_host);
        }
    }
}

fn find<'t>(
    limits: DiscoveryLimits,
    lines: impl Iterator<Item = &'t str>,
) -> (Vec<FoundOperation>, u64) {
    let (mut one, mut two) = (Discovery::new(limits), Discovery::new(limits));
    for (number, line) in lines.enumerate() {
        let (method, rest) = line.split_once(' ').unwrap_or(("GET", line));
        let (host, path) = rest.split_once(' ').unwrap_or(("h.example.com", rest));
        let half = if number % 2 == 0 { &mut one } else { &mut two };
        half.observe(&Sighting::once(host, method, path));
    }
    one.merge(two);
    (one.operations(&OwnerRules::default()), one.left_out())
}

fn check_host(operations: &[FoundOperation]) {
    let mut builder = RouterBuilder::new();
    for one in operations {
        let inserted = builder.insert(&one.method, &one.endpoint, &*one.endpoint);
        assert!(inserted.is_ok(), "{} {:?}", one.endpoint, inserted.err());
    }
    let router = builder.build();
    for one in operations {
        for path in &one.examples {
            let found = router.find(&one.method, path).map(|found| *found.value);
            assert_eq!(found, Some(&*one.endpoint), "{path}");
        }
    }
}
