//! Finding an operation: the router agrees with a search through all templates.
//!
//! The input is text. Lines up to the first empty one are routes, `METHOD /path/{template}`; the others are requests, `METHOD /path`.

use std::cmp::Ordering;

use hauberk_openapi::{RouteError, RouterBuilder};

/// Most lines of either kind.
const MAX_LINES: usize = 64;

/// Build a router and ask it.
///
/// # Panics
///
/// If the router finds another route than the search does.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (routes, requests) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut builder = RouterBuilder::new();
    let mut known: Vec<Route<'_>> = Vec::new();
    for line in routes.lines().take(MAX_LINES) {
        let (method, template) = line.split_once(' ').unwrap_or(("", line));
        let inserted = builder.insert(method, template, known.len());
        let route = Route::parse(method, template);
        match inserted {
            Ok(()) => {
                let route = route.expect("what the router takes is a template");
                assert!(!known.iter().any(|other| other.equals(&route)), "{line}");
                known.push(route);
            }
            Err(RouteError::Duplicate { .. }) => {
                let route = route.expect("what the router takes is a template");
                assert!(known.iter().any(|other| other.equals(&route)), "{line}");
            }
            Err(RouteError::Template { reason, .. }) => assert!(!reason.is_empty()),
        }
    }
    let built = builder.build();
    assert_eq!(built.len(), known.len());
    for line in requests.lines().take(MAX_LINES) {
        let (method, path) = line.split_once(' ').unwrap_or(("", line));
        let found = built.find(method, path);
        let found = found.map(|found| (*found.value, found.variables.to_vec()));
        assert_eq!(found, search(&known, method, path), "{line}");
    }
}

struct Route<'t> {
    method: &'t str,
    segments: Vec<Segment>,
}

/// Literals around variables, each literal a row of tokens.
type Segment = Vec<Vec<Token>>;

/// What a character of a path stands for: itself, or a byte that must be percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Plain(u8),
    Encoded(u8),
}

impl<'t> Route<'t> {
    fn parse(method: &'t str, template: &str) -> Option<Self> {
        let segments = template.strip_prefix('/')?.split('/');
        let segments = segments.map(|text| {
            let mut literals = Vec::new();
            let mut rest = text;
            while let Some((literal, variable)) = rest.split_once('{') {
                literals.push(literal);
                rest = variable.split_once('}')?.1;
            }
            literals.push(rest);
            let alone = |text| tokens(text).into_iter().map(|(token, _)| token).collect();
            Some(literals.into_iter().map(alone).collect())
        });
        Some(Self {
            method,
            segments: segments.collect::<Option<_>>()?,
        })
    }

    fn equals(&self, other: &Self) -> bool {
        self.method == other.method && self.segments == other.segments
    }

    /// The texts of the variables, if the path is the route's.
    fn matches<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        if segments.len() != self.segments.len() {
            return None;
        }
        let mut variables = Vec::new();
        for (literals, text) in self.segments.iter().zip(segments) {
            let tokens = tokens(text);
            let plain: Vec<Token> = tokens.iter().map(|(token, _)| *token).collect();
            for (from, to) in ranges(literals, &plain)? {
                let end = tokens.get(to).map_or(text.len(), |(_, offset)| *offset);
                variables.push(text.get(tokens[from].1..end).unwrap_or_default());
            }
        }
        Some(variables)
    }
}

/// Where the variables of a segment lie: each takes as little as it can, from the left, and at least one token.
fn ranges(literals: &[Vec<Token>], text: &[Token]) -> Option<Vec<(usize, usize)>> {
    fn rest(
        literals: &[Vec<Token>],
        text: &[Token],
        at: usize,
        found: &mut Vec<(usize, usize)>,
    ) -> bool {
        let Some((literal, more)) = literals.split_first() else {
            return at == text.len();
        };
        for end in at + 1..=text.len() {
            if text[end..].starts_with(literal) {
                found.push((at, end));
                if rest(more, text, end + literal.len(), found) {
                    return true;
                }
                found.pop();
            }
        }
        false
    }
    let (first, more) = literals.split_first()?;
    let mut found = Vec::new();
    let begins = text.starts_with(first);
    (begins && rest(more, text, first.len(), &mut found)).then_some(found)
}

/// The most specific of the routes that match.
fn search<'p>(known: &[Route<'_>], method: &str, path: &'p str) -> Option<(usize, Vec<&'p str>)> {
    let matching = known.iter().enumerate().filter_map(|(number, route)| {
        let variables = (route.method == method).then(|| route.matches(path))??;
        Some((number, variables))
    });
    matching.min_by(|(one, _), (two, _)| compare(known, *one, *two))
}

/// The more specific route is the lesser one. At the first segment in which two routes differ a literal comes before mixed text before a
/// variable; of mixed texts the one with more literal text, and of equals the one that was there first.
fn compare(known: &[Route<'_>], one: usize, two: usize) -> Ordering {
    let (left, right) = (&known[one].segments, &known[two].segments);
    let Some(at) = (0..left.len()).find(|at| left[*at] != right[*at]) else {
        return Ordering::Equal;
    };
    let rank = |segments: &[Segment]| {
        let segment = &segments[at];
        let literal: usize = segment.iter().flatten().map(|token| token.len()).sum();
        let kind = match (segment.len(), literal) {
            (1, _) => 0,
            (2, 0) => 2,
            _ => 1,
        };
        let first = known
            .iter()
            .position(|route| route.segments.starts_with(&segments[..=at]));
        (kind, usize::MAX - literal, first)
    };
    rank(left).cmp(&rank(right))
}

impl Token {
    /// The length in the normal spelling.
    fn len(self) -> usize {
        match self {
            Self::Plain(_) => 1,
            Self::Encoded(_) => 3,
        }
    }
}

/// The tokens of a text, each with its offset (RFC 3986 §6.2.2).
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let encoded = pair
            .filter(|pair| pair.iter().all(u8::is_ascii_hexdigit))
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let token = match encoded {
            Some(byte) if is_unreserved(byte) => Token::Plain(byte),
            Some(byte) => Token::Encoded(byte),
            None if is_unreserved(bytes[at]) || b"!$&'()*+,;=:@".contains(&bytes[at]) => {
                Token::Plain(bytes[at])
            }
            None => Token::Encoded(bytes[at]),
        };
        found.push((token, at));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    found
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
