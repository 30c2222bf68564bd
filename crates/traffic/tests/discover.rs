//! Discovery of operations: what is found in small traffic, and the laws that hold for any.

use std::collections::HashSet;

use hauberk_traffic::Transaction;
use hauberk_traffic::discover::{
    Discovery, DiscoveryLimits, FoundOperation, OwnerRules, Pin, Sighting, Split,
};
use proptest::prelude::*;

const HOST: &str = "api.example.com";

fn observe<'a>(requests: impl IntoIterator<Item = (&'a str, &'a str)>) -> Discovery {
    let mut discovery = Discovery::new(DiscoveryLimits::default());
    for (method, path) in requests {
        discovery.observe(&Sighting::once(HOST, method, path));
    }
    discovery
}

fn gets(paths: &[&str]) -> Discovery {
    observe(paths.iter().map(|path| ("GET", *path)))
}

fn endpoints(discovery: &Discovery) -> Vec<String> {
    endpoints_by(discovery, &OwnerRules::default())
}

fn endpoints_by(discovery: &Discovery, rules: &OwnerRules) -> Vec<String> {
    let operations = discovery.operations(rules);
    let mut found: Vec<String> = operations.into_iter().map(|one| one.endpoint).collect();
    found.dedup();
    found
}

#[test]
fn paths_fall_into_templates() {
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["/users/1", "/users/2", "/users/me", "/users/search"],
            &["/users/me", "/users/search", "/users/{var1}"],
        ),
        (
            &["/v1/users/6fa459ea-ee8a-3ca4-894e-db77e160355e/orders"],
            &["/v1/users/{var1}/orders"],
        ),
        (
            &["/v1/charges/ch_2P5XabcdE9fGh1", "/v1/charges"],
            &["/v1/charges", "/v1/charges/{var1}"],
        ),
        (
            &["/v2/users/12:cancel", "/v2/users/13:cancel"],
            &["/v2/users/{var1}:cancel"],
        ),
        (
            &["/posts/11.json", "/posts/12.json", "/posts/12/replies.json"],
            &["/posts/{var1}.json", "/posts/{var1}/replies.json"],
        ),
        (
            &["/repos/a1b2c3d4e5/compare/main...feature"],
            &["/repos/{var1}/compare/{var2}...{var3}"],
        ),
        (
            &["/a/b...c", "/a/b...c.json", "/a/x"],
            &["/a/{var1}", "/a/{var1}...{var2}"],
        ),
        (
            &["/users/%7Esmith%2F1", "/users/a@b.example"],
            &["/users/{var1}"],
        ),
        (&["/users/"], &["/users/"]),
        (&["/"], &["/"]),
    ];
    for (paths, wanted) in cases {
        assert_eq!(endpoints(&gets(paths)), *wanted, "{paths:?}");
    }
}

#[test]
fn what_is_a_variable_for_one_method_is_one_for_all() {
    let mut requests: Vec<(&str, &str)> = vec![("DELETE", "/teams/platform"), ("GET", "/teams")];
    let names = [
        "kestrel", "osprey-2", "merlin", "goshawk", "harrier9", "buzzard", "falcon-x", "kite",
    ];
    let paths: Vec<String> = names.iter().map(|name| format!("/teams/{name}")).collect();
    requests.extend(paths.iter().map(|path| ("GET", path.as_str())));
    let found = observe(requests).operations(&OwnerRules::default());
    let keys: Vec<(&str, &str, u64)> = found
        .iter()
        .map(|one| {
            (
                one.method.as_str(),
                one.endpoint.as_str(),
                one.distinct_paths,
            )
        })
        .collect();
    assert_eq!(
        keys,
        [
            ("GET", "/teams", 1),
            ("GET", "/teams/{var1}", 8),
            ("DELETE", "/teams/{var1}", 1)
        ]
    );
}

#[test]
fn what_was_counted_is_told() {
    let mut discovery = Discovery::new(DiscoveryLimits::default());
    for (path, requests, score, session, seen) in [
        ("/users/1?q=secret", 10, 0.5, 4, Some(100)),
        ("/users/2", 30, 0.9, 30, None),
        ("/users/2", 10, 0.9, 0, Some(50)),
        ("/users/3", 0, 0.9, 0, Some(1)),
    ] {
        discovery.observe(&Sighting {
            host: "API.example.com.",
            method: "GET",
            path,
            requests,
            score,
            with_session: session,
            first_seen: seen,
            last_seen: seen,
        });
    }
    discovery.observe(&Sighting::once(HOST, "BREW", "/pot"));
    discovery.observe(&Sighting::once(HOST, "OPTIONS", "*"));
    assert_eq!(discovery.left_out(), 2);
    let found = discovery.operations(&OwnerRules::default());
    assert_eq!(
        found,
        [FoundOperation {
            method: "GET".into(),
            host: HOST.into(),
            endpoint: "/users/{var1}".into(),
            requests: 50,
            score: 0.82,
            with_session: 34,
            distinct_paths: 2,
            first_seen: Some(50),
            last_seen: Some(100),
            examples: vec!["/users/2".into(), "/users/1".into()],
        }]
    );
}

#[test]
fn the_owner_has_the_last_word() {
    let discovery = gets(&[
        "/files/12/raw",
        "/files/13/raw",
        "/files/13",
        "/status/a",
        "/status/b",
        "/report-1.pdf",
    ]);
    let rules = OwnerRules {
        pins: vec![
            pin("/status/{state}"),
            pin("/report-{number}.pdf"),
            pin("/files/12/raw"),
        ],
        splits: vec![Split {
            host: "API.example.com".into(),
            method: Some("get".into()),
            endpoint: "/files/{id}".into(),
            segment: 1,
        }],
    };
    rules.check().expect("rules that can be followed");
    let wanted = [
        "/files/12/raw",
        "/files/13",
        "/files/{var1}/raw",
        "/report-{var1}.pdf",
        "/status/{var1}",
    ];
    assert_eq!(endpoints_by(&discovery, &rules), wanted);
    let of_other_host = OwnerRules {
        pins: vec![Pin {
            host: "example.com".into(),
            ..pin("/{any}/{thing}")
        }],
        splits: Vec::new(),
    };
    assert_eq!(
        endpoints_by(&discovery, &of_other_host),
        endpoints(&discovery)
    );
}

#[test]
fn a_rule_that_cannot_be_followed_is_told() {
    for (endpoint, segment, wanted) in [
        ("users", 0, "must begin with '/'"),
        ("/a?b", 0, "must be a path alone"),
        ("/{a", 0, "braces that do not pair"),
        ("/{a}{b}", 0, "two variables that touch"),
        ("/a/{b}", 0, "no variable in the segment"),
        ("/a/{b}", 2, "fewer segments"),
    ] {
        let split = Split {
            host: HOST.into(),
            method: None,
            endpoint: endpoint.into(),
            segment,
        };
        let rules = OwnerRules {
            pins: Vec::new(),
            splits: vec![split],
        };
        let error = rules.check().expect_err(endpoint).to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

fn pin(endpoint: &str) -> Pin {
    Pin {
        host: HOST.into(),
        method: None,
        endpoint: endpoint.into(),
    }
}

#[test]
fn it_is_told_why() {
    let paths: Vec<String> = (0..412)
        .map(|at| format!("/users/6fa459ea-ee8a-3ca4-894e-{at:012x}/orders"))
        .collect();
    let discovery = observe(paths.iter().map(|path| ("GET", path.as_str())));
    for asked in ["/users/{var1}/orders", paths[7].as_str()] {
        let told = discovery
            .explain(HOST, "GET", asked, &OwnerRules::default())
            .expect("was seen");
        assert_eq!(told.endpoint, "/users/{var1}/orders");
        assert!(
            !told.segments[0].variable && told.segments[1].variable && !told.segments[2].variable
        );
        let reasons = told.segments[1].reasons.join("; ");
        assert!(
            reasons.contains("412 distinct values; 100 % look like UUIDs"),
            "{reasons}"
        );
        assert!(reasons.contains("follows `users`"), "{reasons}");
        assert!(
            told.segments[2]
                .reasons
                .join("; ")
                .contains("publishers we learned from use as fixed text")
        );
    }
    assert_eq!(
        discovery.explain(HOST, "GET", "/never/seen", &OwnerRules::default()),
        None
    );
    assert_eq!(
        discovery.explain("other.example.com", "GET", "/users", &OwnerRules::default()),
        None
    );
}

#[test]
fn tenants_are_one_host_and_services_are_not() {
    let mut discovery = Discovery::new(DiscoveryLimits::default());
    let tenants = [
        "acme",
        "globex",
        "initech",
        "umbrella",
        "hooli",
        "stark",
        "wayne",
        "cyberdyne",
        "tyrell",
    ];
    for (at, tenant) in tenants.iter().enumerate() {
        let host = format!("{tenant}.example.com:8443");
        for path in [
            "/users".to_owned(),
            format!("/users/{}", at + 100),
            "/status".to_owned(),
        ] {
            discovery.observe(&Sighting::once(&host, "GET", &path));
        }
    }
    for service in [
        "compute",
        "storage",
        "dns",
        "bigquery",
        "pubsub",
        "logging",
        "monitoring",
        "iam",
        "run",
    ] {
        let host = format!("{service}.clouds.example");
        for path in [
            format!("/{service}/v1/projects"),
            format!("/{service}/v1/{service}Jobs"),
        ] {
            discovery.observe(&Sighting::once(&host, "GET", &path));
        }
    }
    for region in [
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "eu",
        "ap-south-1",
        "www",
        "api",
        "staging",
        "beta",
    ] {
        discovery.observe(&Sighting::once(
            &format!("{region}.example.org"),
            "GET",
            "/users",
        ));
    }
    let found = discovery.operations(&OwnerRules::default());
    let mut hosts: Vec<&str> = found.iter().map(|one| one.host.as_str()).collect();
    hosts.dedup();
    assert_eq!(hosts.iter().filter(|host| host.contains('{')).count(), 1);
    let of_tenants: Vec<(&str, u64)> = found
        .iter()
        .filter(|one| one.host == "{hostVar1}.example.com:8443")
        .map(|one| (one.endpoint.as_str(), one.requests))
        .collect();
    assert_eq!(
        of_tenants,
        [("/status", 9), ("/users", 9), ("/users/{var1}", 9)]
    );
    assert_eq!(hosts.len(), 1 + 9 + 9);
    let told = discovery.explain(
        "acme.example.com:8443",
        "GET",
        "/users/100",
        &OwnerRules::default(),
    );
    assert_eq!(told.expect("was seen").host, "{hostVar1}.example.com:8443");
}

#[test]
fn values_beyond_those_that_are_kept_count_for_their_operation() {
    let mut discovery = Discovery::new(DiscoveryLimits::default());
    for id in 0..200_000_u64 {
        let order = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        discovery.observe(&Sighting::once(
            HOST,
            "GET",
            &format!("/users/{id}/orders/{order:x}"),
        ));
    }
    let found = discovery.operations(&OwnerRules::default());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].endpoint, "/users/{var1}/orders/{var2}");
    assert_eq!(found[0].requests, 200_000);
}

#[test]
fn more_values_than_are_kept_are_one_variable_with_an_estimate() {
    let mut discovery = Discovery::new(DiscoveryLimits {
        max_children: 256,
        ..DiscoveryLimits::default()
    });
    for id in 0..20_000 {
        discovery.observe(&Sighting::once(HOST, "GET", &format!("/users/{id}")));
        discovery.observe(&Sighting::once(HOST, "GET", &format!("/users/{id}/orders")));
    }
    discovery.observe(&Sighting::once(HOST, "GET", "/users/me"));
    assert!(discovery.nodes() < 1000);
    let found = discovery.operations(&OwnerRules::default());
    let endpoints: Vec<(&str, u64)> = found
        .iter()
        .map(|one| (one.endpoint.as_str(), one.requests))
        .collect();
    assert_eq!(
        endpoints,
        [
            ("/users/me", 1),
            ("/users/{var1}", 20_000),
            ("/users/{var1}/orders", 20_000)
        ]
    );
    for one in &found[1..] {
        assert!(
            (14_000..26_000).contains(&one.distinct_paths),
            "{}",
            one.distinct_paths
        );
    }
}

#[test]
fn memory_stays_within_the_limit_of_nodes() {
    let limits = DiscoveryLimits {
        max_nodes: 5000,
        max_hosts: 3,
        ..DiscoveryLimits::default()
    };
    let mut discovery = Discovery::new(limits);
    for number in 0..30_000_u32 {
        let path = format!("/a{}/b{}/c{}", number % 211, number % 1009, number);
        discovery.observe(&Sighting::once(HOST, "GET", &path));
    }
    for host in ["b.example.com", "c.example.com", "d.example.com"] {
        discovery.observe(&Sighting::once(host, "GET", "/"));
    }
    assert!(discovery.nodes() < 5200, "{}", discovery.nodes());
    let counted: u64 = discovery
        .operations(&OwnerRules::default())
        .iter()
        .map(|one| one.requests)
        .sum();
    assert_eq!(counted + discovery.left_out(), 30_003);
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => proptest::sample::select(vec!["users", "orders", "v1", "me", "search", "items", "status", "export.json", ""]).prop_map(str::to_owned),
        3 => "[0-9]{1,7}",
        2 => "[a-z]{2,8}(-[a-z]{2,5})?",
        1 => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
        1 => "[a-z]{2}_[A-Za-z0-9]{14}",
        1 => "\\PC{0,5}",
    ]
}

fn sightings() -> impl Strategy<Value = Vec<(usize, usize, String, u64, f64)>> {
    let path = proptest::collection::vec(segment(), 0..5)
        .prop_map(|segments| format!("/{}", segments.join("/")));
    proptest::collection::vec((0..2_usize, 0..3_usize, path, 1..20_u64, 0.0..=1.0), 0..60)
}

fn all(sightings: &[(usize, usize, String, u64, f64)], limits: DiscoveryLimits) -> Discovery {
    let mut discovery = Discovery::new(limits);
    for (host, method, path, requests, score) in sightings {
        discovery.observe(&Sighting {
            requests: *requests,
            score: *score,
            ..Sighting::once(
                ["a.example.com", "b.example.com"][*host],
                ["GET", "POST", "DELETE"][*method],
                path,
            )
        });
    }
    discovery
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn order_and_splitting_do_not_matter(
        one in sightings(),
        two in sightings(),
        narrow in any::<bool>(),
        turn in 0..60_usize,
    ) {
        let limits = DiscoveryLimits { max_children: if narrow { 16 } else { 1000 }, ..DiscoveryLimits::default() };
        let mut both = [one.clone(), two.clone()].concat();
        let wanted = all(&both, limits).operations(&OwnerRules::default());
        let at = turn.min(both.len());
        both.rotate_left(at);
        both.reverse();
        prop_assert_eq!(&all(&both, limits).operations(&OwnerRules::default()), &wanted);
        let mut merged = all(&one, limits);
        merged.merge(all(&two, limits));
        prop_assert_eq!(&merged.operations(&OwnerRules::default()), &wanted);
        let mut other_way = all(&two, limits);
        other_way.merge(all(&one, limits));
        prop_assert_eq!(&other_way.operations(&OwnerRules::default()), &wanted);
    }

    #[test]
    fn nothing_is_lost_and_an_endpoint_matches_its_paths(given in sightings()) {
        let discovery = all(&given, DiscoveryLimits::default());
        let found = discovery.operations(&OwnerRules::default());
        let requests: u64 = given.iter().map(|(_, _, _, requests, _)| requests).sum();
        prop_assert_eq!(found.iter().map(|one| one.requests).sum::<u64>() + discovery.left_out(), requests);
        for one in &found {
            for example in &one.examples {
                prop_assert!(is_of(&one.endpoint, example), "{} {}", one.endpoint, example);
                let told = discovery.explain(&one.host, &one.method, example, &OwnerRules::default());
                prop_assert_eq!(told.map(|told| told.endpoint), Some(one.endpoint.clone()));
            }
        }
    }

    #[test]
    fn a_pin_takes_what_it_matches_whatever_else_comes(given in sightings()) {
        let rules = OwnerRules {
            pins: vec![Pin { host: "a.example.com".into(), method: None, endpoint: "/users/{x}".into() }],
            splits: Vec::new(),
        };
        for one in all(&given, DiscoveryLimits::default()).operations(&rules) {
            if one.host == "a.example.com" && one.examples.iter().any(|path| is_of("/users/{var1}", path)) {
                prop_assert_eq!(one.endpoint, "/users/{var1}");
            }
        }
    }

    #[test]
    fn more_values_of_a_variable_never_make_it_text(
        style in 0..5_usize,
        few in 4..12_u32,
        more in 1..200_u32,
        seed in any::<u32>(),
    ) {
        let value = |at: u32| {
            let mixed = u64::from(at.wrapping_add(seed)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            match style {
                0 => format!("{}", mixed % 90_000 + 1),
                1 => format!("cus_{:014x}", mixed >> 8),
                2 => format!("id{}-a", mixed % 100_000),
                3 => format!("{mixed:016x}"),
                _ => format!("user.{}{}", ["kim", "lee", "ana", "tom"][(mixed % 4) as usize], mixed % 1000),
            }
        };
        let paths = |count: u32| -> Vec<String> {
            (0..count).flat_map(|at| [format!("/v1/customers/{}", value(at)), format!("/v1/customers/{}/invoices", value(at))]).collect()
        };
        let found = |count: u32| {
            let paths = paths(count);
            endpoints(&observe(paths.iter().map(|path| ("GET", path.as_str()))))
        };
        let wanted = ["/v1/customers/{var1}", "/v1/customers/{var1}/invoices"];
        prop_assert_eq!(found(few), wanted);
        prop_assert_eq!(found(few + more), wanted);
    }
}

fn is_of(endpoint: &str, path: &str) -> bool {
    let (endpoint, path): (Vec<&str>, Vec<&str>) =
        (endpoint.split('/').collect(), path.split('/').collect());
    endpoint.len() == path.len()
        && endpoint.iter().zip(path).all(|(part, segment)| {
            match (part.find('{'), part.rfind('}')) {
                (Some(from), Some(to)) => {
                    segment.len() > part.len() - (to + 1 - from)
                        && segment.starts_with(&part[..from])
                        && segment.ends_with(&part[to + 1..])
                }
                _ => *part == segment,
            }
        })
}

/// Method, host and path of the successful requests of a recorded source; none if there are no recordings.
fn recorded(source: &str) -> Vec<(String, String, String)> {
    let files = super::records::recordings();
    let file = files
        .iter()
        .find(|file| file.ends_with(format!("{source}.ndjson.zst")));
    let transactions = file
        .into_iter()
        .flat_map(super::records::lines)
        .map(|line| {
            let transaction = Transaction::from_line(&line).expect("a recorded transaction");
            let path = transaction.url.splitn(4, '/').nth(3).unwrap_or_default();
            let row = (transaction.method, transaction.host, format!("/{path}"));
            (transaction.status, row)
        });
    transactions
        .filter(|(status, _)| (200..300).contains(status))
        .map(|(_, row)| row)
        .collect()
}

#[test]
fn what_a_scanner_leaves_behind_loses_no_operation() {
    let noise = recorded("log-vulnscan");
    for (source, host) in [
        ("linodego", "api.linode.com"),
        ("pygithub", "api.github.com"),
    ] {
        let find = |noise_score: Option<f64>| {
            let mut discovery = Discovery::new(DiscoveryLimits::default());
            for (method, host, path) in recorded(source) {
                discovery.observe(&Sighting::once(&host, &method, &path));
            }
            for (method, _, path) in noise_score.iter().flat_map(|_| &noise) {
                let score = noise_score.unwrap_or_default();
                discovery.observe(&Sighting {
                    score,
                    ..Sighting::once(host, method, path)
                });
            }
            let found = discovery.operations(&OwnerRules::default());
            found
                .into_iter()
                .map(|one| (one.method, one.host, one.endpoint))
                .collect::<HashSet<_>>()
        };
        let clean = find(None);
        for score in [0.05, 1.0] {
            let disturbed = find(Some(score));
            let lost: Vec<_> = clean.difference(&disturbed).collect();
            assert!(
                lost.is_empty(),
                "{source} with noise of score {score}: {lost:?}"
            );
        }
    }
}
