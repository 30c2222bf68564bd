//! Labels of host names that name a service, a stage or a place, and so no tenant.

/// Labels that name a service, a stage or a place, and never a tenant.
const SERVICE_LABELS: &[&str] = &[
    "admin",
    "alpha",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "backend",
    "beta",
    "blog",
    "cdn",
    "console",
    "dashboard",
    "data",
    "demo",
    "dev",
    "docs",
    "download",
    "downloads",
    "edge",
    "events",
    "files",
    "gateway",
    "graphql",
    "help",
    "id",
    "images",
    "img",
    "internal",
    "login",
    "m",
    "mail",
    "media",
    "metrics",
    "mobile",
    "oauth",
    "portal",
    "preprod",
    "preview",
    "prod",
    "production",
    "public",
    "qa",
    "rest",
    "sandbox",
    "search",
    "secure",
    "shop",
    "smtp",
    "sso",
    "stage",
    "staging",
    "static",
    "stats",
    "status",
    "storage",
    "store",
    "support",
    "test",
    "testing",
    "uat",
    "upload",
    "uploads",
    "video",
    "web",
    "webhooks",
    "ws",
    "www",
];

/// Whether a label names a service or a stage.
pub(super) fn is_service(label: &str) -> bool {
    SERVICE_LABELS.contains(&label)
}

/// `us-east-1`, `eu1`, `fra`: short, and few of a kind.
pub(super) fn is_region(label: &str) -> bool {
    const PLACES: &[&str] = &[
        "us",
        "eu",
        "ap",
        "asia",
        "europe",
        "northamerica",
        "southamerica",
        "australia",
        "africa",
        "me",
        "sa",
        "ca",
        "cn",
        "uk",
        "de",
        "fr",
        "jp",
        "in",
        "au",
        "br",
        "sg",
        "hk",
        "kr",
        "nl",
        "ie",
        "na",
        "emea",
        "apac",
    ];
    let first = label
        .split(|byte: char| !byte.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    PLACES.contains(&first)
        && (first.len() == label.len()
            || !label[first.len()..].starts_with(|byte: char| byte.is_ascii_alphabetic()))
        && label.len() <= 24
        && (label.len() <= first.len() + 3
            || label[first.len()..].split('-').skip(1).all(is_direction))
}

fn is_direction(part: &str) -> bool {
    let word = part.trim_end_matches(|byte: char| byte.is_ascii_digit());
    matches!(
        word,
        "" | "east"
            | "west"
            | "north"
            | "south"
            | "central"
            | "northeast"
            | "northwest"
            | "southeast"
            | "southwest"
            | "a"
            | "b"
            | "c"
            | "gov"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_no_tenants() {
        for (label, wanted) in [
            ("us-east-1", true),
            ("eu", true),
            ("eu1", true),
            ("europe-west4", true),
            ("acme", false),
            ("us-acme", false),
            ("usability", false),
        ] {
            assert_eq!(is_region(label), wanted, "{label}");
        }
    }
}
