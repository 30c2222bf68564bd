//! All that is known of the values at one place of an operation's requests: a query parameter, a member of a body.
//!
//! A profile is a function of what was seen, however it came together: in any order, in any parts, on any machine. It
//! takes at most 64 KB, whatever comes, and some hundred bytes while it is a handful of short values.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::delimited;
use super::distinct::ValueLimits;
use super::full::{Full, KINDS, Limits};
use super::observed::Observed;
use super::profile::Profile;
use super::range::{Range, RangeLimits};
use super::seen::Seen;
use super::support::Support;

const LIMITS: Limits = Limits {
    values: ValueLimits {
        values: 64,
        bytes: 2048,
    },
    sample: 128,
    numbers: RangeLimits {
        sources: 32,
        days: 64,
        buckets: 512,
    },
    counts: RangeLimits {
        sources: 32,
        days: 64,
        buckets: 256,
    },
    has_items: true,
};

/// All that is known of the values at one place.
///
/// ```
/// use hauberk_traffic::learn::{Seen, ValueProfile};
///
/// let mut limit = ValueProfile::default();
/// for (request, text) in ["10", "20", "20", "50"].into_iter().enumerate() {
///     let session = format!("h:00000000000{request}");
///     limit.text(text, &Seen::new(Some(&session), None, None, request as u64, None));
/// }
/// let view = limit.view();
/// assert_eq!(view["kinds"]["integer"]["sources"], 4);
/// assert_eq!(view["numbers"]["high"][0][0], 50);
/// assert_eq!(view["values"][1]["value"], "20");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ValueProfile(Profile);

impl ValueProfile {
    /// Notes a `null` of JSON.
    #[inline]
    pub fn null(&mut self, seen: &Seen) {
        self.0.add(Observed::Null, seen, &LIMITS);
    }

    /// Notes a boolean of JSON.
    #[inline]
    pub fn boolean(&mut self, value: bool, seen: &Seen) {
        self.0.add(Observed::Boolean(value), seen, &LIMITS);
    }

    /// Notes a number of JSON as it was written. What JSON's grammar does not allow is not noted.
    #[inline]
    pub fn number(&mut self, literal: &str, seen: &Seen) {
        self.0.add(Observed::Number(literal), seen, &LIMITS);
    }

    /// Notes a string of JSON.
    #[inline]
    pub fn string(&mut self, text: &str, seen: &Seen) {
        self.0.add(Observed::String(text), seen, &LIMITS);
    }

    /// Notes the text of a parameter or form field. What kind it is, is read from it: an integer such as `10`, but not
    /// `010` or `1e1`; a number as JSON writes it; `true` or `false`; else a string. All are texts as well.
    #[inline]
    pub fn text(&mut self, text: &str, seen: &Seen) {
        self.0.add(Observed::Text(text), seen, &LIMITS);
    }

    /// Notes an array of so many items.
    #[inline]
    pub fn array(&mut self, items: usize, seen: &Seen) {
        self.0.add(Observed::Array(items as u64), seen, &LIMITS);
    }

    /// Notes an object of so many members.
    #[inline]
    pub fn object(&mut self, members: usize, seen: &Seen) {
        self.0.add(Observed::Object(members as u64), seen, &LIMITS);
    }

    /// Notes how many values a parameter has in one request.
    #[inline]
    pub fn count(&mut self, values: usize, seen: &Seen) {
        self.0.add(Observed::Count(values as u64), seen, &LIMITS);
    }

    /// Adds what another has noted.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0, &LIMITS);
    }

    /// How often there was a value, of whatever kind, a secret among them.
    pub fn support(&self) -> Support {
        self.0.support()
    }

    /// All that is known, as it stands in profiles; keys are there where something was seen.
    pub fn view(&self) -> Value {
        self.0.with_full(&LIMITS, view)
    }
}

impl<'de> Deserialize<'de> for ValueProfile {
    /// # Errors
    ///
    /// What no profile is written as.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let profile = Profile::deserialize(from)?;
        if profile.is_sound(&LIMITS) {
            Ok(Self(profile))
        } else {
            Err(serde::de::Error::custom("a profile that is not in order"))
        }
    }
}

fn view(full: &Full) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    let kinds = KINDS.into_iter().zip(&full.kinds);
    let kinds = kinds.filter_map(|(kind, support)| {
        support
            .as_ref()
            .map(|support| (kind.to_owned(), support.view()))
    });
    put("kinds", Value::Object(kinds.collect()));
    if let Some(secret) = &full.secret {
        put("secret", secret.view());
    }
    if let Some(numbers) = &full.numbers {
        let mut numbers = numbers.view(full.is_whole());
        numbers.insert("decimals".to_owned(), full.decimals.into());
        put("numbers", Value::Object(numbers));
    }
    let counts = |range: &Range| Value::Object(range.view(true));
    if let Some(lengths) = &full.lengths {
        put("lengths", counts(lengths));
    }
    if let Some(texts) = &full.texts {
        let formats = texts
            .formats()
            .map(|(name, few)| (name.to_owned(), few.view()));
        let classes = texts
            .classes()
            .map(|(name, few)| (name.to_owned(), few.view()));
        let texts = json!({
            "formats": Value::Object(formats.collect()),
            "classes": Value::Object(classes.collect()),
            "structures": texts.structures.view(),
        });
        put("texts", texts);
    }
    put("values", full.distinct.view());
    put("distinct", full.distinct.count().into());
    put("sample", full.sample.view());
    if let Some(delimited) = &full.delimited {
        let items = delimited.iter().map(|(mark, items)| {
            let mark = char::from(mark).to_string();
            (mark, items.with_full(&delimited::LIMITS, view))
        });
        put("delimited", Value::Object(items.collect()));
    }
    if let Some(range) = &full.counts {
        put("counts", counts(range));
    }
    if let Some(members) = &full.members {
        put("members", counts(members));
    }
    Value::Object(shown)
}
