//! Some values with time and source: one of a sample, of the samples whose keys are the smallest, so any two observers
//! choose the same and no caller gets more than its share.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::distinct::{Kept, MAX_TEXT_BYTES, Scalar};
use super::seen::Seen;

/// Some values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample(Vec<Pick>);

/// The value of a sample: of its values that with the smallest hash. In the order of `key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pick {
    key: u64,
    value: Kept,
    at: Option<i64>,
    source: u64,
}

impl Sample {
    /// Offers a value and its hash; at most `most` are kept.
    #[inline]
    pub(super) fn add(&mut self, value: Scalar<'_>, hash: u64, seen: &Seen, most: usize) {
        if self.0.len() >= most && self.0.last().is_none_or(|last| last.key < seen.sample) {
            return;
        }
        let found = self.0.binary_search_by_key(&seen.sample, |pick| pick.key);
        if let Ok(at) = found {
            let known = &self.0[at];
            let hash = if value.is_short() {
                hash
            } else {
                value.cut().hash()
            };
            let order = (hash, seen.at, seen.source);
            if order >= (known.value.as_scalar().hash(), known.at, known.source) {
                return;
            }
        }
        self.put(
            found,
            Pick {
                key: seen.sample,
                value: value.keep(),
                at: seen.at,
                source: seen.source,
            },
            most,
        );
    }

    fn put(&mut self, at: Result<usize, usize>, pick: Pick, most: usize) {
        match at {
            Ok(at) => self.0[at] = pick,
            Err(at) => {
                if self.0.len() >= most {
                    self.0.pop();
                }
                self.0.insert(at, pick);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self, most: usize) {
        for pick in &other.0 {
            let seen = Seen {
                source: pick.source,
                sample: pick.key,
                at: pick.at,
            };
            let value = pick.value.as_scalar();
            self.add(value, value.hash(), &seen, most);
        }
    }

    pub(super) fn is_sound(&self, most: usize) -> bool {
        self.0.len() <= most
            && self.0.is_sorted_by(|one, two| one.key < two.key)
            && self.0.iter().all(|pick| match &pick.value {
                Kept::Text(text) => text.len() <= MAX_TEXT_BYTES,
                _ => true,
            })
    }

    /// As it stands in profiles.
    pub(super) fn view(&self) -> Value {
        let shown = self.0.iter().map(|pick| {
            json!({
                "value": pick.value.view(),
                "at": pick.at,
                "source": format!("{:016x}", pick.source),
            })
        });
        shown.collect()
    }
}
