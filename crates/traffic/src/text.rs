//! Masks secrets in running text: header values, URLs, the strings of a JSON document.

use crate::mask::Masker;
use crate::secrets::{Secrecy, find_token, is_token_character, secrecy};

/// Where the value of `name=value` ends in running text.
const DELIMITERS: &[char] = &[
    ' ', '\t', '\r', '\n', '&', ';', ',', '"', '\'', '<', '>', '(', ')', '{', '}', '|',
];

/// How often a masked text is looked at again at most; a text that needs more is made to be difficult.
const MAX_PASSES: usize = 4;

/// Masks well-known tokens, the values of secret names in `name=value` and `name: "value"`, what
/// follows `Bearer`, and the user of `scheme://user@host`.
pub(crate) fn mask(masker: &Masker, text: &str, depth: usize) -> String {
    let mut shown = mask_once(masker, text, depth);
    // A hash may stand where a delimiter stood, and bring together what was apart: `://token=/{@` becomes a user and
    // his host. So masked text is masked again, until that changes nothing.
    for _ in 1..MAX_PASSES {
        let again = mask_once(masker, &shown, depth);
        if again == shown {
            break;
        }
        shown = again;
    }
    shown
}

fn mask_once(masker: &Masker, text: &str, depth: usize) -> String {
    // The lines of a key cannot be told from other base64 once they stand alone, so the whole text goes.
    if text.contains("PRIVATE KEY-----") {
        return masker.hide(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    // Up to where (counted from the end) the text has been decoded and found harmless. A value may hold pairs again;
    // decoding each of them anew would take time in the square of the length.
    let mut harmless = usize::MAX;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| !is_name_character(character));
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !run.is_empty() {
            shown.push_str(&mask_run(masker, run));
            rest = after;
            if let Some(following) = after.strip_prefix('=') {
                shown.push('=');
                rest = following;
                let (hidden, left) = mask_pair(masker, run, following, depth, &mut harmless);
                shown.push_str(&hidden);
                rest = &rest[rest.len() - left..];
            } else if let Some((between, secret, following)) = argument(run, after) {
                shown.push_str(between);
                shown.push('"');
                shown.push_str(&masker.hide(secret));
                shown.push('"');
                rest = following;
            } else if let Some((blank, secret, following)) = credentials(run, after) {
                shown.push_str(blank);
                shown.push_str(&masker.hide(secret));
                rest = following;
            }
        } else if let Some(authority) = rest.strip_prefix("://") {
            shown.push_str("://");
            let (user, host) = authority.split_at(user_length(authority));
            shown.push_str(&masker.hide(user));
            rest = host;
        } else {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    shown
}

/// What stands between a secret name and its value in `name: "value"`, the value, and what follows; GraphQL and YAML write arguments so.
fn argument<'t>(name: &str, after: &'t str) -> Option<(&'t str, &'t str, &'t str)> {
    let value = after.strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let end = closing_quote(value)?;
    let between = &after[..after.len() - value.len() - 1];
    let secret = &value[..end];
    (!secret.is_empty() && secrecy(name).hides(secret)).then_some((
        between,
        secret,
        &value[end + 1..],
    ))
}

/// Where the quote stands that is not escaped.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

/// The credentials behind `Bearer` or `Basic` in a text, with the blank before and what follows. Words behind them are none.
fn credentials<'t>(scheme: &str, after: &'t str) -> Option<(&'t str, &'t str, &'t str)> {
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let value = after.strip_prefix(' ')?;
    let is_part = |character: char| is_token_character(character) || "~+/=".contains(character);
    let end = value
        .find(|character| !is_part(character))
        .unwrap_or(value.len());
    let secret = &value[..end];
    let is_word = secret
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || b".-_".contains(&byte));
    (secret.len() >= 8 && !is_word).then_some((&after[..1], secret, &value[end..]))
}

/// What stands for the value of `name=value`, if it is secret, and how many bytes of the text are left to be masked.
fn mask_pair(
    masker: &Masker,
    name: &str,
    text: &str,
    depth: usize,
    harmless: &mut usize,
) -> (String, usize) {
    let secrecy = secrecy(&Masker::decoded(name));
    if secrecy == Secrecy::Open && text.len() > *harmless {
        // Part of a value that has been looked at.
        return (String::new(), text.len());
    }
    let (value, after) = text.split_at(value_length(text));
    let decoded = Masker::decoded(value);
    // A value that is encoded may hold a URL with secrets of its own.
    if secrecy.hides(value) || (decoded != value && masker.holds_secret(&decoded, depth + 1)) {
        (
            masker.hide(&Masker::decoded(value.trim_matches('"'))),
            after.len(),
        )
    } else {
        *harmless = after.len();
        (String::new(), text.len())
    }
}

/// Masks a run of characters from where a well-known token begins.
pub(crate) fn mask_run(masker: &Masker, run: &str) -> String {
    let mut shown = String::with_capacity(run.len());
    for piece in run.split_inclusive(|character| !is_token_character(character)) {
        let token = piece.trim_end_matches(|character| !is_token_character(character));
        match find_token(token) {
            Some(start) => {
                shown.push_str(&token[..start]);
                shown.push_str(&masker.hide(&token[start..]));
                shown.push_str(&piece[token.len()..]);
            }
            None => shown.push_str(piece),
        }
    }
    shown
}

fn is_name_character(character: char) -> bool {
    is_token_character(character) || matches!(character, '%' | '[' | ']' | '~' | '$')
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
