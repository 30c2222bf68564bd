//! The numbers that describe a segment by itself, and the fixed text before it.

use super::piece;
use super::shape::Shape;
use super::words::{Lexicon, Usage, is_plural, parts};

/// How many numbers describe a segment by itself.
pub(super) const OWN: usize = 33;
/// How many describe the fixed text before a segment.
pub(super) const BEFORE: usize = 9;

/// What those numbers are, in their order; `training/paths/` prints them beside their weight.
pub(super) const OWN_NAMES: [&str; OWN] = [
    "shape",
    "is_word",
    "is_small_integer",
    "is_identifier",
    "is_version",
    "is_date",
    "is_file_name",
    "is_mixed",
    "is_odd",
    "has_fixed_end",
    "length",
    "digits",
    "digit_share",
    "capital_share",
    "begins_with_capital",
    "humps",
    "hyphens",
    "underscores",
    "dots",
    "parts",
    "longest_digits",
    "longest_consonants",
    "vowel_share",
    "fluency",
    "fixed",
    "value",
    "before_variable_share",
    "part_fixed_least",
    "part_fixed_mean",
    "part_fixed_last",
    "part_fixed_first",
    "part_value_mean",
    "is_plural",
];
/// See [`OWN_NAMES`].
pub(super) const BEFORE_NAMES: [&str; BEFORE] = [
    "before_shape",
    "before_length",
    "before_fixed",
    "before_is_plural",
    "before_leads_to_variable",
    "before_leads_to_fixed",
    "before_part_leads_to_variable",
    "before_part_leads_to_fixed",
    "before_fluency",
];

/// A segment with what its letters tell.
#[derive(Debug, Clone)]
pub(super) struct Lexical {
    /// Of the part before a fixed end.
    pub shape: Shape,
    /// How APIs use the segment as a whole.
    pub usage: Usage,
    /// Whether it ends like the name of a collection.
    pub plural: bool,
    /// How it is written: which cases and joints it has, a bit each.
    pub style: u8,
    /// The numbers of [`OWN_NAMES`].
    pub own: [f32; OWN],
    /// The numbers of [`BEFORE_NAMES`], when another segment follows this one.
    pub before: [f32; BEFORE],
}

fn logarithm(count: u16) -> f32 {
    f32::from(count).ln_1p()
}

#[expect(clippy::cast_precision_loss, reason = "lengths of segments")]
fn number(count: usize) -> f32 {
    count as f32
}

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// The share of the publishers after whose word comes what is asked for, drawn towards a half while they are few.
fn share(of: u16, other: u16) -> f32 {
    (f32::from(of) + 0.5) / (f32::from(of) + f32::from(other) + 1.0)
}

impl Lexical {
    pub(super) fn of(segment: &str, lexicon: &Lexicon) -> Self {
        let (stem, end) = piece::split(segment);
        let shape = Shape::of(stem);
        let usage = lexicon.segment(segment);
        let bytes = stem.as_bytes();
        let length = number(bytes.len().max(1));
        let count = |of: fn(&u8) -> bool| number(bytes.iter().filter(|byte| of(byte)).count());
        let digits = count(u8::is_ascii_digit);
        let letters = count(u8::is_ascii_alphabetic).max(1.0);
        let uses: Vec<Usage> = parts(stem).map(|part| lexicon.part(part)).collect();
        let last = uses.last().copied().unwrap_or_default();
        let mean = |of: fn(&Usage) -> u16| {
            let sum: f32 = uses.iter().map(|usage| logarithm(of(usage))).sum();
            sum / number(uses.len().max(1))
        };
        let plural = parts(stem).last().is_some_and(is_plural);
        let fluency = lexicon.fluency(stem);
        let shape_number = f32::from(shape as u8);
        let own = [
            shape_number,
            flag(shape == Shape::Word),
            flag(shape == Shape::SmallInteger),
            flag(shape.is_identifier()),
            flag(shape == Shape::Version),
            flag(shape == Shape::Date),
            flag(shape == Shape::FileName),
            flag(shape == Shape::Mixed),
            flag(shape == Shape::Odd),
            flag(!end.is_empty()),
            length,
            digits,
            digits / length,
            count(u8::is_ascii_uppercase) / letters,
            flag(bytes.first().is_some_and(u8::is_ascii_uppercase)),
            humps(bytes),
            count(|byte| *byte == b'-'),
            count(|byte| *byte == b'_'),
            count(|byte| *byte == b'.'),
            number(uses.len()),
            longest(bytes, u8::is_ascii_digit),
            longest(bytes, |byte| byte.is_ascii_alphabetic() && !is_vowel(byte)),
            count(is_vowel) / letters,
            fluency,
            logarithm(usage.fixed),
            logarithm(usage.value),
            share(usage.before_variable, usage.before_fixed),
            uses.iter()
                .map(|usage| logarithm(usage.fixed))
                .fold(f32::INFINITY, f32::min)
                .min(9.0),
            mean(|usage| usage.fixed),
            logarithm(last.fixed),
            logarithm(uses.first().copied().unwrap_or_default().fixed),
            mean(|usage| usage.value),
            flag(plural),
        ];
        let before = [
            shape_number,
            length,
            logarithm(usage.fixed),
            flag(plural),
            share(usage.before_variable, usage.before_fixed),
            logarithm(usage.before_fixed),
            share(last.before_variable, last.before_fixed),
            logarithm(last.before_fixed),
            fluency,
        ];
        Self {
            style: style(bytes),
            shape,
            usage,
            plural,
            own,
            before,
        }
    }
}

/// How many ways of writing there are.
pub(super) const STYLES: usize = 64;

fn style(bytes: &[u8]) -> u8 {
    let has = |of: fn(&u8) -> bool| u8::from(bytes.iter().any(of));
    u8::from(bytes.first().is_some_and(u8::is_ascii_uppercase))
        | u8::from(bytes.iter().skip(1).any(u8::is_ascii_uppercase)) << 1
        | has(|byte| *byte == b'-') << 2
        | has(|byte| *byte == b'_') << 3
        | has(u8::is_ascii_digit) << 4
        | has(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte)) << 5
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "as the methods of `u8` that it is used like"
)]
fn is_vowel(byte: &u8) -> bool {
    b"aeiouyAEIOUY".contains(byte)
}

fn longest(bytes: &[u8], of: impl Fn(&u8) -> bool) -> f32 {
    let runs = bytes.split(|byte| !of(byte)).map(<[u8]>::len);
    number(runs.max().unwrap_or(0))
}

fn humps(bytes: &[u8]) -> f32 {
    let is_hump = |pair: &&[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    number(bytes.windows(2).filter(is_hump).count())
}
