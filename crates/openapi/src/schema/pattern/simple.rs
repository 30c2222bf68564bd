//! Patterns that need no engine: anchored sequences of character classes, such as `^[A-Z]{2}-[0-9]+$`.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// A sequence of classes from the start of the text, each so many times.
///
/// Only sequences where what follows a repetition cannot be taken by the repetition itself: taking as much as possible is
/// then the only way to match, and nothing is ever tried again.
#[derive(Debug)]
pub(super) struct Simple {
    parts: Box<[Part]>,
    to_the_end: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// ASCII characters, a bit each.
    ascii: u128,
    /// Whether there are others, too.
    has_others: bool,
    min: u32,
    max: u32,
}

impl Simple {
    /// The sequence that a pattern of the `regex` crate is, if it is one.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
        let mut parts = Vec::new();
        let HirKind::Concat(pieces) = hir.kind() else {
            return None;
        };
        let (first, rest) = pieces.split_first()?;
        if *first.kind() != HirKind::Look(Look::Start) {
            return None;
        }
        let (to_the_end, middle) = match rest.split_last() {
            Some((last, middle)) if *last.kind() == HirKind::Look(Look::End) => (true, middle),
            _ => (false, rest),
        };
        for piece in middle {
            push(piece, &mut parts)?;
        }
        if !to_the_end && let Some(last) = parts.last_mut() {
            // Whatever follows is free, so the least is enough.
            last.max = last.min;
        }
        let parts = joined(parts);
        is_without_choice(&parts, to_the_end).then(|| Self {
            parts: parts.into(),
            to_the_end,
        })
    }

    /// Whether `text` matches; `None` if it takes a real engine to tell.
    #[inline]
    pub(super) fn matches(&self, text: &[u8]) -> Option<bool> {
        let mut at = 0;
        for part in &self.parts {
            let mut count = 0;
            while count < part.max
                && let Some(byte) = text.get(at)
            {
                if *byte >= 0x80 {
                    if part.has_others {
                        return None;
                    }
                    break;
                }
                if part.ascii >> byte & 1 == 0 {
                    break;
                }
                at += 1;
                count += 1;
            }
            if count < part.min {
                return Some(false);
            }
        }
        Some(!self.to_the_end || at == text.len())
    }
}

fn push(hir: &Hir, parts: &mut Vec<Part>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            for byte in &literal.0 {
                parts.push(Part {
                    ascii: byte.is_ascii().then(|| 1 << byte)?,
                    has_others: false,
                    min: 1,
                    max: 1,
                });
            }
        }
        HirKind::Class(_) => parts.push(class(hir)?),
        HirKind::Repetition(repetition) => {
            let part = class(&repetition.sub)?;
            parts.push(Part {
                min: repetition.min,
                max: repetition.max.unwrap_or(u32::MAX),
                ..part
            });
        }
        HirKind::Capture(capture) => push(&capture.sub, parts)?,
        HirKind::Concat(pieces) => {
            for piece in pieces {
                push(piece, parts)?;
            }
        }
        HirKind::Look(_) | HirKind::Alternation(_) => return None,
    }
    Some(())
}

/// One character of a class.
fn class(hir: &Hir) -> Option<Part> {
    let mut part = Part {
        ascii: 0,
        has_others: false,
        min: 1,
        max: 1,
    };
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                part.has_others |= !range.end().is_ascii();
                for code in u32::from(range.start())..=u32::from(range.end()).min(0x7F) {
                    part.ascii |= 1 << code;
                }
            }
        }
        HirKind::Literal(literal) => match *literal.0 {
            [byte] if byte.is_ascii() => part.ascii = 1 << byte,
            _ => return None,
        },
        HirKind::Capture(capture) => return class(&capture.sub),
        _ => return None,
    }
    Some(part)
}

/// The same sequence, neighbours of the same class taken together.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.ascii == part.ascii && last.has_others == part.has_others => {
                last.min = last.min.saturating_add(part.min);
                last.max = last.max.saturating_add(part.max);
            }
            _ => joined.push(part),
        }
    }
    joined
}

/// Whether nothing that a repetition can take can be taken by what follows.
fn is_without_choice(parts: &[Part], to_the_end: bool) -> bool {
    parts.iter().enumerate().all(|(at, part)| {
        if part.min == part.max {
            return true;
        }
        for next in &parts[at + 1..] {
            let overlap = part.ascii & next.ascii != 0 || (part.has_others && next.has_others);
            if overlap {
                return false;
            }
            if next.min > 0 {
                return true;
            }
        }
        to_the_end
    })
}
