//! Segments of which only a part is a value: `{id}.json`, `{id}:cancel`, `{base}...{head}`.

/// Extensions by which an API tells the format of its answer. Other extensions belong to the value: `readme.md` is a file's name.
const FORMATS: &[&str] = &[
    ".json", ".xml", ".rss", ".atom", ".csv", ".pbf", ".jsonld", ".geojson",
];

/// Cuts the fixed end off a segment: a format's extension, or a custom method as Google's APIs have them.
pub(super) fn split(segment: &str) -> (&str, &str) {
    if let Some(at) = segment.rfind(':')
        && is_custom_method(&segment[at + 1..])
        && at > 0
        && !segment[..at].trim_end_matches(':').contains(':')
    {
        return segment.split_at(at);
    }
    if let Some(at) = segment.rfind('.')
        && at > 0
        && FORMATS.contains(&&segment[at..])
    {
        return segment.split_at(at);
    }
    (segment, "")
}

/// A verb in camel case: `getIamPolicy`. What begins with a capital or holds digits is rather a value.
fn is_custom_method(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Between two values, as in comparisons of versions: `main...feature`.
pub(super) const BETWEEN: &str = "...";

/// Whether a segment holds two values.
pub(super) fn is_range(segment: &str) -> bool {
    segment
        .split_once(BETWEEN)
        .is_some_and(|(one, two)| !one.is_empty() && !two.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_ends_are_cut_off() {
        for (segment, wanted) in [
            ("12.json", ("12", ".json")),
            ("readme.md", ("readme.md", "")),
            (".json", (".json", "")),
            ("42:cancel", ("42", ":cancel")),
            ("p:getIamPolicy", ("p", ":getIamPolicy")),
            ("urn:ngsi:thing", ("urn:ngsi:thing", "")),
            // The router sends it to `{var1}:cancel`.
            ("42::cancel", ("42:", ":cancel")),
            ("12:30", ("12:30", "")),
            (":cancel", (":cancel", "")),
            ("", ("", "")),
        ] {
            assert_eq!(split(segment), wanted);
        }
        for (segment, wanted) in [
            ("a...b", true),
            ("...b", false),
            ("a...", false),
            ("a..b", false),
            // The router takes it for one, so it is one here too.
            ("a....", true),
        ] {
            assert_eq!(is_range(segment), wanted, "{segment}");
        }
    }
}
