//! The items of texts such as `id,name,-created`: what is known of them, by the mark between them.

use serde::{Deserialize, Serialize};

use super::classes::Classes;
use super::distinct::{MAX_TEXT_BYTES, ValueLimits};
use super::full::Limits;
use super::observed::Observed;
use super::profile::Profile;
use super::range::RangeLimits;
use super::seen::Seen;

/// The marks, the first that a text holds is the one between its items.
pub(super) const MARKS: [u8; 3] = [b',', b'|', b' '];

/// So many items of a text are looked at.
const MAX_ITEMS: usize = 64;

/// Items of more classes of characters are no items, but running text.
const MAX_CLASSES: u32 = 14;

/// How much is kept of items; less than of values, because there are up to three kinds of items.
pub(super) const LIMITS: Limits = Limits {
    values: ValueLimits {
        values: 48,
        bytes: 768,
    },
    sample: 0,
    numbers: RangeLimits {
        sources: 16,
        days: 0,
        buckets: 96,
    },
    counts: RangeLimits {
        sources: 12,
        days: 0,
        buckets: 64,
    },
    has_items: false,
};

/// What is known of items, by the number of their mark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delimited([Items; 3]);

/// What is known of items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Items {
    #[default]
    None,
    Some(Profile),
    /// They are running text.
    Prose,
}

impl Delimited {
    /// Notes the items of a text with these classes, if it holds a mark.
    #[inline]
    pub(super) fn add(
        delimited: &mut Option<Box<Self>>,
        text: &str,
        classes: Classes,
        seen: &Seen,
    ) {
        if let Some(at) = MARKS.iter().position(|mark| classes.has(*mark)) {
            let items = &mut delimited.get_or_insert_default().0[at];
            items.add(text, MARKS[at].into(), seen);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (items, other) in self.0.iter_mut().zip(&other.0) {
            match (&mut *items, other) {
                (_, Items::None) | (Items::Prose, _) => {}
                (Items::None, _) | (_, Items::Prose) => items.clone_from(other),
                (Items::Some(known), Items::Some(other)) => known.merge(other, &LIMITS),
            }
            items.limit();
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        self.0.iter().all(|items| match items {
            Items::Some(profile) => profile.is_sound(&LIMITS),
            _ => true,
        })
    }

    /// Marks and what is known of the items between them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, &Profile)> {
        let all = MARKS.into_iter().zip(&self.0);
        all.filter_map(|(mark, items)| match items {
            Items::Some(profile) => Some((mark, profile)),
            _ => None,
        })
    }
}

impl Items {
    fn add(&mut self, text: &str, mark: char, seen: &Seen) {
        if matches!(self, Self::Prose) {
            return;
        }
        let items = text.split(mark);
        if items
            .clone()
            .take(MAX_ITEMS)
            .any(|item| item.len() > MAX_TEXT_BYTES)
        {
            *self = Self::Prose;
            return;
        }
        if let Self::None = self {
            *self = Self::Some(Profile::default());
        }
        let Self::Some(profile) = self else { return };
        for item in items.clone().take(MAX_ITEMS) {
            profile.add(Observed::Text(item), seen, &LIMITS);
        }
        profile.add(Observed::Count(items.count() as u64), seen, &LIMITS);
        self.limit();
    }

    /// Gives up what is running text.
    fn limit(&mut self) {
        if let Self::Some(Profile::Full(full)) = self
            && full.count_classes() > MAX_CLASSES
        {
            *self = Self::Prose;
        }
    }
}
