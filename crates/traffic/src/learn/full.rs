//! Everything that is known of the values at one place, once they are more than a few.

use serde::{Deserialize, Serialize};

use super::classes::{CLASSES, Classes};
use super::delimited::Delimited;
use super::distinct::{Distinct, Scalar, ValueLimits};
use super::formats::{self, Formats, is_boolean, is_integer};
use super::masked::is_masked;
use super::number::{Literal, Number};
use super::observed::Observed;
use super::range::{Range, RangeLimits};
use super::sample::Sample;
use super::seen::Seen;
use super::structures::Structures;
use super::support::{Few, Support};
use super::table::Table;

/// How much is kept.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) values: ValueLimits,
    pub(super) sample: usize,
    pub(super) numbers: RangeLimits,
    /// Of lengths and counts.
    pub(super) counts: RangeLimits,
    /// Whether the items of delimited texts are looked at.
    pub(super) has_items: bool,
}

/// The kinds of values, in the order of `Full::kinds`.
pub(super) const KINDS: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];
const NULL: usize = 0;
const BOOLEAN: usize = 1;
const INTEGER: usize = 2;
const NUMBER: usize = 3;
const STRING: usize = 4;
const ARRAY: usize = 5;
const OBJECT: usize = 6;

/// What is known of the values at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Full {
    pub(super) kinds: [Option<Box<Support>>; 7],
    pub(super) secret: Option<Box<Support>>,
    pub(super) numbers: Option<Box<Range>>,
    pub(super) decimals: u8,
    pub(super) lengths: Option<Box<Range>>,
    pub(super) texts: Option<Box<Texts>>,
    pub(super) counts: Option<Box<Range>>,
    pub(super) members: Option<Box<Range>>,
    pub(super) distinct: Distinct,
    pub(super) sample: Sample,
    pub(super) delimited: Option<Box<Delimited>>,
}

/// What is known of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Texts {
    formats: Table,
    classes: Table,
    pub(super) structures: Structures,
}

impl Full {
    #[inline]
    pub(super) fn add(&mut self, observed: Observed<'_>, seen: &Seen, limits: &Limits) {
        match observed {
            Observed::Null => self.kind(NULL, seen),
            Observed::Boolean(value) => {
                self.kind(BOOLEAN, seen);
                self.scalar(Scalar::Boolean(value), true, seen, limits);
            }
            Observed::Number(literal) => self.number(literal, seen, limits),
            Observed::String(text) => self.string(text, false, seen, limits),
            Observed::Text(text) => self.string(text, true, seen, limits),
            Observed::Array(items) => {
                self.kind(ARRAY, seen);
                add_to(&mut self.counts, Number::count(items), seen, &limits.counts);
            }
            Observed::Object(members) => {
                self.kind(OBJECT, seen);
                let members = Number::count(members);
                add_to(&mut self.members, members, seen, &limits.counts);
            }
            Observed::Count(values) => {
                add_to(
                    &mut self.counts,
                    Number::count(values),
                    seen,
                    &limits.counts,
                );
            }
        }
    }

    fn number(&mut self, literal: &str, seen: &Seen, limits: &Limits) {
        let Some(literal) = Literal::read(literal) else {
            return;
        };
        self.kind(if literal.is_whole { INTEGER } else { NUMBER }, seen);
        self.literal(&literal, seen, limits);
        self.scalar(
            Scalar::Number(literal.number),
            literal.is_exact,
            seen,
            limits,
        );
    }

    fn literal(&mut self, literal: &Literal, seen: &Seen, limits: &Limits) {
        add_to(&mut self.numbers, literal.number, seen, &limits.numbers);
        self.decimals = self.decimals.max(literal.decimals);
    }

    /// `is_text`: what kind it is can be read from it, as in parameters and forms.
    fn string(&mut self, text: &str, is_text: bool, seen: &Seen, limits: &Limits) {
        let classes = Classes::of(text);
        if is_masked(text, classes) {
            add_support(&mut self.secret, seen);
            return;
        }
        let formats = Formats::of(text, classes);
        let kind = match &formats.literal {
            Some(literal) if is_text => {
                self.literal(literal, seen, limits);
                if is_integer(classes, literal) {
                    INTEGER
                } else {
                    NUMBER
                }
            }
            None if is_text && is_boolean(text) => BOOLEAN,
            _ => STRING,
        };
        self.kind(kind, seen);
        let characters = if classes.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        let characters = Number::count(characters as u64);
        add_to(&mut self.lengths, characters, seen, &limits.counts);
        let texts = self.texts.get_or_insert_default();
        texts.formats.add(formats.bits, seen);
        texts.classes.add(classes.0, seen);
        texts.structures.add(text, classes, seen);
        let scalar = Scalar::Text(text);
        self.scalar(scalar, scalar.is_short(), seen, limits);
        if is_text && limits.has_items {
            Delimited::add(&mut self.delimited, text, classes, seen);
        }
    }

    fn scalar(&mut self, value: Scalar<'_>, is_exact: bool, seen: &Seen, limits: &Limits) {
        let hash = value.hash();
        self.distinct
            .add(&value, hash, is_exact, seen, &limits.values);
        self.sample.add(value, hash, seen, limits.sample);
    }

    #[inline]
    fn kind(&mut self, kind: usize, seen: &Seen) {
        add_support(&mut self.kinds[kind], seen);
    }

    pub(super) fn merge(&mut self, other: &Self, limits: &Limits) {
        for (kind, other) in self.kinds.iter_mut().zip(&other.kinds) {
            merge_support(kind, other.as_deref());
        }
        merge_support(&mut self.secret, other.secret.as_deref());
        merge_range(&mut self.numbers, other.numbers.as_deref(), &limits.numbers);
        self.decimals = self.decimals.max(other.decimals);
        merge_range(&mut self.lengths, other.lengths.as_deref(), &limits.counts);
        merge_range(&mut self.counts, other.counts.as_deref(), &limits.counts);
        merge_range(&mut self.members, other.members.as_deref(), &limits.counts);
        if let Some(other) = &other.texts {
            let texts = self.texts.get_or_insert_default();
            texts.formats.merge(&other.formats);
            texts.classes.merge(&other.classes);
            texts.structures.merge(&other.structures);
        }
        self.distinct.merge(&other.distinct, &limits.values);
        self.sample.merge(&other.sample, limits.sample);
        if let Some(other) = &other.delimited {
            self.delimited.get_or_insert_default().merge(other);
        }
    }

    /// Whether it can have come from here.
    pub(super) fn is_sound(&self, limits: &Limits) -> bool {
        let is_sound = |range: &Option<Box<Range>>, limits| {
            range.as_ref().is_none_or(|range| range.is_sound(limits))
        };
        is_sound(&self.numbers, &limits.numbers)
            && is_sound(&self.lengths, &limits.counts)
            && is_sound(&self.counts, &limits.counts)
            && is_sound(&self.members, &limits.counts)
            && self.texts.as_ref().is_none_or(|texts| {
                texts.formats.is_sound(formats::NAMES.len())
                    && texts.classes.is_sound(CLASSES)
                    && texts.structures.is_sound()
            })
            && self.distinct.is_sound(&limits.values)
            && self.sample.is_sound(limits.sample)
            && match &self.delimited {
                Some(delimited) => limits.has_items && delimited.is_sound(),
                None => true,
            }
    }

    /// How often there was a value of any kind.
    pub(super) fn support(&self) -> Support {
        let mut support = Support::default();
        let kinds = self.kinds.iter().chain([&self.secret]).flatten();
        kinds.for_each(|kind| support.merge(kind));
        support
    }

    /// How many classes of characters occur in texts.
    pub(super) fn count_classes(&self) -> u32 {
        let texts = self.texts.as_ref();
        texts.map_or(0, |texts| texts.classes.present().count_ones())
    }

    /// Whether all numbers are integers.
    pub(super) fn is_whole(&self) -> bool {
        self.decimals == 0
    }
}

impl Texts {
    /// Names of formats and their supports.
    pub(super) fn formats(&self) -> impl Iterator<Item = (&'static str, &Few)> {
        let formats = self.formats.iter();
        formats.map(|(format, support)| (formats::NAMES[usize::from(format)], support))
    }

    /// Names of classes and their supports.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&'static str, &Few)> {
        let classes = self.classes.iter();
        classes.map(|(class, support)| (super::classes::name_of(class), support))
    }
}

#[inline]
fn add_support(support: &mut Option<Box<Support>>, seen: &Seen) {
    support.get_or_insert_default().add(seen);
}

fn merge_support(support: &mut Option<Box<Support>>, other: Option<&Support>) {
    if let Some(other) = other {
        support.get_or_insert_default().merge(other);
    }
}

#[inline]
fn add_to(range: &mut Option<Box<Range>>, number: Number, seen: &Seen, limits: &RangeLimits) {
    range.get_or_insert_default().add(number, seen, limits);
}

fn merge_range(range: &mut Option<Box<Range>>, other: Option<&Range>, limits: &RangeLimits) {
    if let Some(other) = other {
        range.get_or_insert_default().merge(other, limits);
    }
}
