//! A claim of the token in a header: where it stands, and reading it. Nothing is verified here; the value only tells
//! sessions apart.

use serde_json::Value;

use crate::borrowed::TransactionRef;

/// Longest name of a claim with its path, in bytes.
const MAX_CLAIM_BYTES: usize = 512;

/// Deepest path.
const MAX_STEPS: usize = 32;

/// Longest token that is looked into, in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Where a claim stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// In lower case.
    header: Box<str>,
    path: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(Box<str>),
    Index(usize),
}

impl Claim {
    /// Reads `<token configuration's id>:$.path` or `<header>:$.path`.
    pub(super) fn parse(name: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "it should read <token configuration's id or header>:$.path, e.g. authorization:$.sub";
        if name.len() > MAX_CLAIM_BYTES {
            return Err("it is longer than 512 bytes");
        }
        let (place, path) = name.split_once(':').ok_or(FORM)?;
        let header = if is_configuration_id(place) {
            "authorization".into()
        } else if is_header_name(place) {
            place.to_ascii_lowercase().into()
        } else {
            return Err(FORM);
        };
        let path = parse_path(path).ok_or(
            "the path should have literal keys and indexes only, such as $.user.id or $['user']['ids'][0]",
        )?;
        Ok(Self { header, path })
    }

    /// The claim as text: strings as they are, numbers and booleans as JSON writes them.
    pub(super) fn value(&self, transaction: &TransactionRef<'_>) -> Option<String> {
        let header = transaction.request_header(&self.header)?.trim();
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) => return None,
            None => header,
        };
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let claims = decode(token.split('.').nth(1)?)?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let found = self
            .path
            .iter()
            .try_fold(&claims, |value, step| match step {
                Step::Key(key) => value.as_object()?.get(&**key),
                Step::Index(index) => value.as_array()?.get(*index),
            })?;
        match found {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(found.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Whether this has the form of the id of a token configuration, a UUID with or without dashes.
fn is_configuration_id(place: &str) -> bool {
    (32..=36).contains(&place.len())
        && place
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Whether this may be the name of a header (RFC 9110 section 5.1).
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Reads a `JSONPath` (RFC 9535) of one name or index a segment, and at least one.
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (key, after) = name.split_at(end);
            (is_shorthand(key).then(|| Step::Key(key.into()))?, after)
        } else {
            let inner = rest.strip_prefix('[')?;
            if let Some(quote @ ('\'' | '"')) = inner.chars().next() {
                let (key, after) = quoted(&inner[1..], quote)?;
                (Step::Key(key.into()), after.strip_prefix(']')?)
            } else {
                let (index, after) = inner.split_once(']')?;
                let is_canonical = index == "0" || !index.starts_with(['0', '+']);
                let index = is_canonical.then(|| index.parse().ok())??;
                (Step::Index(index), after)
            }
        };
        steps.push(step);
        if steps.len() > MAX_STEPS {
            return None;
        }
        rest = after;
    }
    (!steps.is_empty()).then_some(steps)
}

/// Whether a name may stand behind a dot.
fn is_shorthand(name: &str) -> bool {
    let starts = |first: char| first.is_ascii_alphabetic() || first == '_' || !first.is_ascii();
    name.starts_with(starts)
        && name
            .chars()
            .all(|character| starts(character) || character.is_ascii_digit())
}

/// What stands between quotes, and what follows them. Of escapes those of the quote and the backslash are known.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next()?.1 {
                escaped if escaped == quote || escaped == '\\' => key.push(escaped),
                _ => return None,
            },
            _ if character == quote => return Some((key, &text[at + 1..])),
            _ => key.push(character),
        }
    }
    None
}

/// Undoes base64, of either alphabet, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits: u32 = 0;
        for byte in group {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' | b'+' => 62,
                b'_' | b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        let bytes = (bits << (6 * (4 - group.len()))).to_be_bytes();
        decoded.extend_from_slice(match group.len() {
            4 => &bytes[1..],
            3 => &bytes[1..3],
            2 => &bytes[1..2],
            _ => return None,
        });
    }
    Some(decoded)
}
