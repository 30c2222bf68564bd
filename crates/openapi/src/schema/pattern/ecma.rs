//! From the syntax of ECMA-262 to that of the `regex` crate.
//!
//! `jsonschema-regex` translates the classes (`\d \w \s`), `\cX` and brackets within brackets. What reads differently
//! beyond those is rewritten here first.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// What `.` matches: everything but line terminators.
const DOT: &str = r"[^\n\r\x{2028}\x{2029}]";

/// Translate a pattern; `linear` if it is for an engine that never takes steps back.
///
/// # Errors
///
/// If it is no pattern.
pub(super) fn to_rust(pattern: &str, linear: bool) -> Result<String, String> {
    let rewritten = rewrite(pattern, linear);
    if !linear {
        // Patterns with lookaround or backreferences are left alone by that crate, so all of it has been done here.
        return Ok(rewritten);
    }
    jsonschema_regex::to_rust_regex(&rewritten)
        .map(std::borrow::Cow::into_owned)
        .map_err(|()| "it is no regular expression of ECMA-262".to_owned())
}

fn rewrite(pattern: &str, linear: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let groups = if linear { Vec::new() } else { groups(pattern) };
    let mut in_class = false;
    let mut after_class = false;
    while let Some(character) = rest.next() {
        let is_behind_class = std::mem::take(&mut after_class);
        if character == '\\' {
            let escaped = rest.peek().copied();
            after_class = matches!(escaped, Some('d' | 'D' | 'w' | 'W' | 's' | 'S'));
        }
        match character {
            '\\' if linear => escape(&mut rest, in_class, linear, &mut out),
            '\\' => match class_escape(&mut rest, in_class, &groups) {
                Some(class) => out.push_str(&class),
                None => escape(&mut rest, in_class, linear, &mut out),
            },
            // Brackets and doubled signs in brackets are themselves.
            '[' | '&' | '~' if in_class && !linear => {
                out.push('\\');
                out.push(character);
            }
            // So is a hyphen behind a class.
            '-' if in_class && is_behind_class => out.push_str(r"\-"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' if !in_class => {
                let mut ahead = rest.clone();
                match (ahead.next(), ahead.next()) {
                    (Some('^'), Some(']')) => {
                        rest = ahead;
                        out.push_str(r"[\s\S]");
                    }
                    (Some(']'), _) => {
                        rest.next();
                        out.push_str(r"[^\s\S]");
                    }
                    _ => {
                        in_class = true;
                        out.push('[');
                    }
                }
            }
            '.' if !in_class => out.push_str(DOT),
            // A brace that begins no counted repetition is itself.
            '{' if !in_class && !begins_repetition(&rest) => out.push_str(r"\{"),
            '}' if !in_class && !ends_repetition(&out) => out.push_str(r"\}"),
            other => out.push(other),
        }
    }
    out
}

fn escape(rest: &mut Peekable<Chars<'_>>, in_class: bool, linear: bool, out: &mut String) {
    let Some(escaped) = rest.next() else {
        out.push('\\');
        return;
    };
    match escaped {
        // The boundary of ASCII words.
        'b' | 'B' if !in_class && linear => {
            let _ = write!(out, r"(?-u:\{escaped})");
        }
        'b' if in_class => out.push_str(r"\x08"),
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\x00"),
        'u' => match surrogate_pair(rest) {
            Some(character) => {
                let _ = write!(out, r"\x{{{:x}}}", u32::from(character));
            }
            None => out.push_str(r"\u"),
        },
        '/' => out.push('/'),
        other => {
            out.push('\\');
            out.push(other);
        }
    }
    // The braces of `\p{…}` and `\u{…}` are no repetition.
    if matches!(escaped, 'p' | 'P' | 'x' | 'u') && rest.peek() == Some(&'{') {
        for character in rest.by_ref() {
            out.push(character);
            if character == '}' {
                break;
            }
        }
    }
}

/// Classes and references by name, for the engine that takes steps back; `None`, and nothing passed, if it is none.
fn class_escape(
    rest: &mut Peekable<Chars<'_>>,
    in_class: bool,
    groups: &[String],
) -> Option<String> {
    const SPACE: &str = r"\t-\r \x{A0}\x{FEFF}\x{2028}\x{2029}\p{Zs}";
    let mut ahead = rest.clone();
    let escaped = ahead.next()?;
    let out = match escaped {
        'd' => "[0-9]".to_owned(),
        'D' => "[^0-9]".to_owned(),
        'w' => "[A-Za-z0-9_]".to_owned(),
        'W' => "[^A-Za-z0-9_]".to_owned(),
        's' => format!("[{SPACE}]"),
        'S' => format!("[^{SPACE}]"),
        'c' => {
            let letter = ahead.next().filter(char::is_ascii_alphabetic)?;
            format!(r"\x{{{:x}}}", u32::from(letter) % 32)
        }
        'k' if !in_class => {
            let name: String = ahead
                .by_ref()
                .skip(1)
                .take_while(|character| *character != '>')
                .collect();
            let number = groups.iter().position(|known| *known == name)? + 1;
            // In a group, so that a digit behind it stays one.
            format!(r"(?:\{number})")
        }
        _ => return None,
    };
    *rest = ahead;
    Some(out)
}

/// The names of the groups that capture, empty for those without.
fn groups(pattern: &str) -> Vec<String> {
    let mut groups = Vec::new();
    let mut in_class = false;
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                rest.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let rest = rest.as_str();
                let named = rest
                    .strip_prefix("?<")
                    .filter(|name| !name.starts_with(['=', '!']));
                if let Some((name, _)) = named.and_then(|named| named.split_once('>')) {
                    groups.push(name.to_owned());
                } else if !rest.starts_with('?') {
                    groups.push(String::new());
                }
            }
            _ => {}
        }
    }
    groups
}

/// The character of `\uD83D\uDE00`, whose first `\u` has been passed.
fn surrogate_pair(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let unit = |ahead: &mut Peekable<Chars<'_>>| {
        (0..4).try_fold(0, |code, _| {
            Some(code << 4 | ahead.next().and_then(|digit| digit.to_digit(16))?)
        })
    };
    let mut ahead = rest.clone();
    let high: u32 = unit(&mut ahead).filter(|code| (0xD800..0xDC00).contains(code))?;
    if (ahead.next(), ahead.next()) != (Some('\\'), Some('u')) {
        return None;
    }
    let low: u32 = unit(&mut ahead).filter(|code| (0xDC00..0xE000).contains(code))?;
    *rest = ahead;
    char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
}

/// Whether `2}`, `2,}` or `2,3}` follows.
fn begins_repetition(rest: &Peekable<Chars<'_>>) -> bool {
    let (mut digits, mut commas) = (0, 0);
    for character in rest.clone() {
        match character {
            '0'..='9' => digits += 1,
            ',' if digits > 0 && commas == 0 => commas += 1,
            '}' => return digits > 0,
            _ => return false,
        }
    }
    false
}

/// Whether a closing brace after `out` ends a counted repetition.
fn ends_repetition(out: &str) -> bool {
    out.rfind('{').is_some_and(|at| {
        !out[..at].ends_with('\\')
            && out.len() > at + 1
            && out[at + 1..]
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',')
    })
}
