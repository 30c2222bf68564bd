//! Masks secrets in JSON text and leaves every other byte as it stands: numbers keep their precision, members their
//! order, and a document that is cut off or broken is still masked.

use crate::mask::Masker;
use crate::secrets::{Secrecy, secrecy};

/// Whether a text is to be read as JSON: it begins like an object or an array, and not like a query of GraphQL (`{ user(id: 1) {`).
pub(crate) fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    let is_in_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    match text.strip_prefix('{').map(str::trim_start) {
        None => text.starts_with('['),
        Some(inner) if !inner.starts_with(is_in_word) => true,
        Some(inner) => {
            let behind = inner.trim_start_matches(is_in_word).trim_start();
            !behind.starts_with(['(', '{']) && !behind.starts_with(is_in_word)
        }
    }
}

/// Masks the values of members with secret names, at any depth below them, and what is secret by its own shape.
pub(crate) fn mask(masker: &Masker, text: &str, depth: usize) -> String {
    let mut scanner = Scanner {
        masker,
        depth,
        masked: String::with_capacity(text.len()),
        enclosing: Vec::new(),
        next_value: Secrecy::Open,
    };
    let mut rest = text;
    while !rest.is_empty() {
        rest = scanner.step(rest);
    }
    scanner.masked
}

struct Scanner<'a> {
    masker: &'a Masker,
    depth: usize,
    masked: String,
    /// The secrecy that each open object and array hands down to what is in it.
    enclosing: Vec<Secrecy>,
    /// The secrecy that the name just read gives to its value.
    next_value: Secrecy,
}

impl Scanner<'_> {
    /// Masks the next token, of at least one byte, and gives back what follows it.
    fn step<'t>(&mut self, text: &'t str) -> &'t str {
        let length = match text.as_bytes()[0] {
            b'"' => {
                let length = string_length(text);
                self.string(&text[..length], is_name(&text[length..]));
                return &text[length..];
            }
            b'{' | b'[' => {
                self.enclosing.push(self.secrecy());
                self.next_value = Secrecy::Open;
                1
            }
            b'}' | b']' => {
                self.enclosing.pop();
                self.next_value = Secrecy::Open;
                1
            }
            b',' => {
                self.next_value = Secrecy::Open;
                1
            }
            b':' | b' ' | b'\t' | b'\r' | b'\n' => 1,
            _ => {
                let length = text.find(is_structure).unwrap_or(text.len());
                self.literal(&text[..length], is_name(&text[length..]));
                return &text[length..];
            }
        };
        self.masked.push_str(&text[..length]);
        &text[length..]
    }

    /// The secrecy of a value that stands here.
    fn secrecy(&self) -> Secrecy {
        self.next_value
            .max(self.enclosing.last().copied().unwrap_or(Secrecy::Open))
    }

    fn string(&mut self, token: &str, is_name: bool) {
        let text = unescaped(token);
        let masked = if is_name {
            self.name(&text)
        } else if self.secrecy().hides(&text) {
            self.masker.hide(&text)
        } else {
            self.masker.mask_value(&text, self.depth + 1)
        };
        self.push(token, &text, masked);
    }

    /// A number, `true`, `false`, `null`, or what is no JSON at all.
    fn literal(&mut self, token: &str, is_name: bool) {
        let masked = if is_name {
            self.name(token)
        } else if matches!(token, "true" | "false" | "null") {
            token.to_owned()
        } else if self.secrecy().hides(token) {
            self.masker.hide(token)
        } else if token.parse::<f64>().is_ok() {
            token.to_owned()
        } else {
            self.masker.mask_value(token, self.depth + 1)
        };
        // `{token="…"}` is no JSON, but its author thought so.
        if let Some(name) = token.strip_suffix('=').filter(|_| masked == token) {
            self.next_value = secrecy(name);
        }
        self.push(token, token, masked);
    }

    /// Masks the name of a member and notes what it says of the value.
    fn name(&mut self, name: &str) -> String {
        let masked = crate::text::mask(self.masker, name, self.depth);
        self.next_value = secrecy(&masked);
        masked
    }

    /// Writes a token as it stood, or as a string when masking changed what it says.
    fn push(&mut self, token: &str, text: &str, masked: String) {
        if masked == text {
            self.masked.push_str(token);
        } else {
            self.masked
                .push_str(&serde_json::Value::String(masked).to_string());
        }
    }
}

/// Whether what stands before this text is the name of a member.
fn is_name(following: &str) -> bool {
    following.trim_start().starts_with(':')
}

fn is_structure(character: char) -> bool {
    matches!(
        character,
        '"' | '{' | '[' | '}' | ']' | ',' | ':' | ' ' | '\t' | '\r' | '\n'
    )
}

/// How long the string at the start of a text is, with its quotes; to the end when it is not closed.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// What a string literal says; one that is broken says what stands between its quotes.
fn unescaped(token: &str) -> String {
    serde_json::from_str(token).unwrap_or_else(|_| {
        let inner = token.strip_prefix('"').unwrap_or(token);
        inner.strip_suffix('"').unwrap_or(inner).to_owned()
    })
}
