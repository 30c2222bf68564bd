//! Masks secrets in running text: header values, URLs, the strings of a JSON document.

use crate::mask::Masker;
use crate::secrets::{find_token, is_token_character, secrecy};

/// Where the value of `name=value` ends in running text.
const DELIMITERS: &[char] = &[
    ' ', '\t', '\r', '\n', '&', ';', ',', '"', '\'', '<', '>', '(', ')', '{', '}', '|',
];

/// Masks well-known tokens, the values of secret names in `name=value`, and the user of `scheme://user@host`.
pub(crate) fn mask(masker: &Masker, text: &str, depth: usize) -> String {
    // The lines of a key cannot be told from other base64 once they stand alone, so the whole text goes.
    if text.contains("PRIVATE KEY-----") {
        return masker.hide(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = &rest[..rest
            .find(|character| !is_name_character(character))
            .unwrap_or(rest.len())];
        let after = &rest[run.len()..];
        if let Some(value) = after.strip_prefix('=').filter(|_| !run.is_empty()) {
            masked.push_str(&mask_run(masker, run));
            masked.push('=');
            let value = &value[..value_length(value)];
            let consumed = if is_secret_pair(masker, run, value, depth) {
                masked.push_str(&masker.hide(&Masker::decoded(value.trim_matches('"'))));
                value.len()
            } else {
                0
            };
            rest = &after[1 + consumed..];
        } else if !run.is_empty() {
            masked.push_str(&mask_run(masker, run));
            rest = after;
        } else if let Some(authority) = rest.strip_prefix("://") {
            masked.push_str("://");
            let user = user_length(authority);
            masked.push_str(&masker.hide(&authority[..user]));
            rest = &authority[user..];
        } else {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    masked
}

/// Masks a run of characters from where a well-known token begins.
pub(crate) fn mask_run(masker: &Masker, run: &str) -> String {
    let mut masked = String::with_capacity(run.len());
    for piece in run.split_inclusive(|character| !is_token_character(character)) {
        let token = piece.trim_end_matches(|character| !is_token_character(character));
        match find_token(token) {
            Some(start) => {
                masked.push_str(&token[..start]);
                masked.push_str(&masker.hide(&token[start..]));
                masked.push_str(&piece[token.len()..]);
            }
            None => masked.push_str(piece),
        }
    }
    masked
}

fn is_name_character(character: char) -> bool {
    is_token_character(character) || matches!(character, '%' | '[' | ']' | '~' | '$')
}

fn is_secret_pair(masker: &Masker, name: &str, value: &str, depth: usize) -> bool {
    secrecy(&Masker::decoded(name)).hides(value)
        // A value that is encoded may hold a URL with secrets of its own.
        || (value.contains('%') && masker.holds_secret(&Masker::decoded(value), depth + 1))
}

/// How long the value after `name=` is: a string in quotes with them, else up to a delimiter.
fn value_length(value: &str) -> usize {
    if let Some(quoted) = value.strip_prefix('"')
        && let Some(end) = quoted.find('"')
    {
        return end + 2;
    }
    value.find(DELIMITERS).unwrap_or(value.len())
}

/// How long the user (and password) before the `@` of an authority is.
fn user_length(authority: &str) -> usize {
    let end = authority
        .find(['/', '?', '#', ' ', '"', '\'', '<', '>', '\\'])
        .unwrap_or(authority.len());
    authority[..end].rfind('@').unwrap_or(0)
}
