//! Paths that differ in spelling only.
//!
//! Origins disagree about what is one path: `/Temps`, `/temps/`, `/temps;x=1` and `/temps%20` are other paths for some and
//! `/temps` for others. Whoever asks for one of them where only `/temps` is saved would be served unjudged. Here each path
//! is brought to its loosest reading, the one in which all such spellings fall together.

use std::borrow::Cow;
use std::collections::HashMap;

use smallvec::SmallVec;

use crate::template::{Mixed, Segment, hex_pair};

/// How often percent-encoding is taken off: origins behind another proxy, or careless ones, do it twice.
const MAX_DECODINGS: usize = 4;

/// The loosest reading of a path: lower case, nothing percent-encoded, no parameters of segments (`;v=1`), no empty segments,
/// no trailing slash, dot or space, dots resolved, backslashes as slashes, nothing behind `?`, `#` or a zero byte. Letters
/// of full width and characters without width are read as file systems and databases read them.
///
/// Two paths with the same reading may be one to an origin. It is for comparing only: never send it anywhere.
pub fn loosest_reading(path: &str) -> Cow<'_, str> {
    if is_loosest(path) {
        return Cow::Borrowed(path);
    }
    let text = decoded(path);
    let mut segments: Vec<String> = Vec::new();
    for segment in text.split(['/', '\\']) {
        match folded(segment) {
            Folded::Nothing => {}
            Folded::Parent => drop(segments.pop()),
            Folded::Text(text) => segments.push(text),
        }
    }
    Cow::Owned(format!("/{}", segments.join("/")))
}

/// Whether nothing has to be done, as for most paths.
fn is_loosest(path: &str) -> bool {
    let bytes = path.as_bytes();
    let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'/');
    path == "/"
        || (bytes.first() == Some(&b'/')
            && bytes.last() != Some(&b'/')
            && bytes.iter().all(plain)
            && !path.contains("//"))
}

fn decoded(path: &str) -> String {
    let mut bytes = Cow::Borrowed(path.as_bytes());
    for _ in 0..MAX_DECODINGS {
        match decoded_once(&bytes) {
            Some(next) => bytes = Cow::Owned(next),
            None => break,
        }
    }
    let mut text: String = String::from_utf8_lossy(&bytes)
        .chars()
        .map(narrow)
        .collect();
    text.truncate(text.find(['?', '#', '\0']).unwrap_or(text.len()));
    text
}

/// A character of full width as the plain one.
fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        other => other,
    }
}

/// None when nothing is encoded.
fn decoded_once(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let decoded = (byte == b'%').then(|| hex_pair(bytes, at + 1)).flatten();
        match (decoded, &mut out) {
            (Some(decoded), Some(out)) => out.push(decoded),
            (Some(decoded), None) => {
                let mut begun = bytes[..at].to_vec();
                begun.push(decoded);
                out = Some(begun);
            }
            (None, Some(out)) => out.push(byte),
            (None, None) => {}
        }
        at += if decoded.is_some() { 3 } else { 1 };
    }
    out
}

enum Folded {
    Nothing,
    Parent,
    Text(String),
}

fn folded(segment: &str) -> Folded {
    // Matrix parameters, and the streams of one Windows file (`x::$DATA`).
    let name = segment.split(';').next().unwrap_or_default();
    let name = name.split("::$").next().unwrap_or_default();
    let text = lower(name);
    let text = text.trim_matches(is_blank);
    if text == ".." {
        return Folded::Parent;
    }
    match text.trim_end_matches(|character| character == '.' || is_blank(character)) {
        "" => Folded::Nothing,
        text => Folded::Text(text.to_owned()),
    }
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// Lower case by way of upper case, in which `ſ` and `ı` are `S` and `I`.
fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .filter(|character| {
            !matches!(
                character,
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
            )
        })
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Templates by their loosest reading.
#[derive(Debug)]
pub(crate) struct Lookalikes {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, usize>,
    mixed: Vec<(Mixed, usize)>,
    variable: Option<usize>,
    /// What was inserted here.
    found: SmallVec<[usize; 1]>,
}

impl Lookalikes {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Puts `value` where paths that read like the template will find it.
    pub(crate) fn insert(&mut self, segments: &[Segment], value: usize) {
        let mut at = 0;
        for segment in segments {
            at = match segment {
                Segment::Literal(text) => match folded(&decoded(text)) {
                    Folded::Text(text) => self.literal(at, text),
                    Folded::Nothing | Folded::Parent => at,
                },
                Segment::Mixed(mixed) => {
                    self.mixed(at, mixed.map_literals(|text| lower(&decoded(text))))
                }
                Segment::Variable => self.variable(at),
            };
        }
        if !self.nodes[at].found.contains(&value) {
            self.nodes[at].found.push(value);
        }
    }

    fn literal(&mut self, at: usize, text: String) -> usize {
        let next = self.nodes.len();
        let child = *self.nodes[at].literals.entry(text.into()).or_insert(next);
        self.grown_to(child)
    }

    fn mixed(&mut self, at: usize, mixed: Mixed) -> usize {
        let next = self.nodes.len();
        let known = &mut self.nodes[at].mixed;
        let child = if let Some((_, child)) = known.iter().find(|(one, _)| *one == mixed) {
            *child
        } else {
            known.push((mixed, next));
            next
        };
        self.grown_to(child)
    }

    fn variable(&mut self, at: usize) -> usize {
        let next = self.nodes.len();
        let child = *self.nodes[at].variable.get_or_insert(next);
        self.grown_to(child)
    }

    fn grown_to(&mut self, child: usize) -> usize {
        if child == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Everything that the path reads like.
    pub(crate) fn find(&self, path: &str) -> SmallVec<[usize; 4]> {
        let reading = loosest_reading(path);
        let mut found = SmallVec::new();
        let rest = reading.strip_prefix('/').unwrap_or(&reading);
        self.collect(0, (!rest.is_empty()).then_some(rest), &mut found);
        found
    }

    fn collect(&self, at: usize, rest: Option<&str>, found: &mut SmallVec<[usize; 4]>) {
        let node = &self.nodes[at];
        let Some(rest) = rest else {
            found.extend_from_slice(&node.found);
            return;
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = node.literals.get(segment) {
            self.collect(*child, rest, found);
        }
        for (mixed, child) in &node.mixed {
            if mixed.matches(segment, |_, _| {}) {
                self.collect(*child, rest, found);
            }
        }
        if let Some(child) = node.variable {
            self.collect(child, rest, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::loosest_reading;
    use crate::RouterBuilder;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_reading_is_a_path_that_reads_like_itself(path in "/(\\PC|[a-zA-Z0-9./;\\\\?# ]){0,30}") {
            let reading = loosest_reading(&path).into_owned();
            prop_assert!(reading.starts_with('/') && !reading.contains("//"));
            prop_assert!(reading == "/" || !reading.ends_with(['/', '.', ' ']));
            if !path.contains('%') {
                prop_assert_eq!(&loosest_reading(&reading), &reading);
            }
        }

        #[test]
        fn a_path_is_its_templates_or_resembles_them(
            segments in proptest::collection::vec("[a-zA-Z]{1,5}|\\{x\\}", 1..5),
            upper in any::<bool>(),
            tail in "(;[a-z]{0,2})?[./ ]{0,2}",
        ) {
            let template = format!("/{}", segments.join("/"));
            let mut builder = RouterBuilder::new();
            builder.insert("GET", &template, ()).expect("a template");
            let router = builder.build();
            let path = template.replace("{x}", "value");
            prop_assert_eq!(router.lookalikes(&path).count(), 0);
            let path = if upper { path.to_uppercase() } else { path.to_lowercase() } + &tail;
            let matches = router.find("GET", &path).is_some();
            prop_assert_eq!(router.lookalikes(&path).count(), usize::from(!matches), "{}", path);
        }
    }

    #[test]
    fn spellings_that_origins_take_for_one_path_fall_together() {
        for spelling in [
            "/admin",
            "/Admin",
            "/ADMIN/",
            "//admin",
            "/admin//",
            "/admin;x=1",
            "/;x/admin;a=1;b=2",
            "/admin.",
            "/admin...",
            "/admin%20",
            "/%20admin",
            "/admin%09",
            "/adm%69n",
            "/adm%2569n",
            "/adm%252569n",
            "/x/../admin",
            "/x/%2e%2e/admin",
            "/x/..;/admin",
            "/x%252f..%252fadmin",
            "/x\\..\\admin",
            "/./admin/.",
            "/admin%3Fx",
            "/admin%23x",
            "/admin%2500.png",
            "/admin::$DATA",
            "/adm%C4%B1n",
            "/%EF%BD%81dmin",
            "/x/%EF%BC%8E%EF%BC%8E%EF%BC%8Fadmin",
            "/ad%E2%80%8Bmin",
            "/admin%C2%A0",
        ] {
            assert_eq!(loosest_reading(spelling), "/admin", "{spelling}");
        }
    }

    #[test]
    fn other_paths_stay_apart() {
        for (path, reading) in [
            ("/", "/"),
            ("//", "/"),
            ("/a-b_c/1", "/a-b_c/1"),
            ("/users:batch", "/users:batch"),
            ("/v1.0", "/v1.0"),
            ("/100%", "/100%"),
            ("/caf%C3%A9", "/caf\u{e9}"),
            ("/a+b", "/a+b"),
            ("/.well-known", "/.well-known"),
        ] {
            assert_eq!(loosest_reading(path), reading, "{path}");
            assert_eq!(loosest_reading(&loosest_reading(path)), reading, "{path}");
        }
    }
}
