//! Some values with time and source: one of a sample, of the samples whose keys are the smallest, so any two observers
//! choose the same and no caller gets more than its share.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::distinct::{Kept, MAX_TEXT_BYTES, Scalar};
use super::seen::Seen;

/// Some values: of each sample that with the smallest hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sample {
    /// In order. What is looked at for each value is apart from what is kept, so that it is near together in memory.
    keys: Vec<u64>,
    /// Of each sample the hash of its value.
    hashes: Vec<u64>,
    picks: Vec<Pick>,
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pick {
    value: Kept,
    at: Option<i64>,
    source: u64,
}

impl Sample {
    /// Offers a value and its hash; at most `most` are kept.
    #[inline]
    pub(super) fn add(&mut self, value: Scalar<'_>, hash: u64, seen: &Seen, most: usize) {
        if self.keys.len() >= most && self.keys.last().is_none_or(|last| *last < seen.sample) {
            return;
        }
        // Of a long text only the beginning is kept, and told apart.
        let hash = if value.is_short() {
            hash
        } else {
            value.cut().hash()
        };
        let pick = || Pick {
            value: value.keep(),
            at: seen.at,
            source: seen.source,
        };
        match self.keys.binary_search(&seen.sample) {
            Ok(at) => {
                if hash > self.hashes[at] {
                    return;
                }
                let known = &self.picks[at];
                if hash < self.hashes[at] || (seen.at, seen.source) < (known.at, known.source) {
                    self.hashes[at] = hash;
                    self.picks[at] = pick();
                }
            }
            Err(at) => {
                self.keys.insert(at, seen.sample);
                self.hashes.insert(at, hash);
                self.picks.insert(at, pick());
                self.keys.truncate(most);
                self.hashes.truncate(most);
                self.picks.truncate(most);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self, most: usize) {
        for ((key, hash), pick) in other.keys.iter().zip(&other.hashes).zip(&other.picks) {
            let seen = Seen {
                source: pick.source,
                sample: *key,
                at: pick.at,
            };
            self.add(pick.value.as_scalar(), *hash, &seen, most);
        }
    }

    pub(super) fn is_sound(&self, most: usize) -> bool {
        self.keys.len() <= most
            && self.keys.is_sorted_by(|one, two| one < two)
            && self.picks.iter().all(|pick| match &pick.value {
                Kept::Text(text) => text.len() <= MAX_TEXT_BYTES,
                _ => true,
            })
    }

    /// As it stands in profiles.
    pub(super) fn view(&self) -> Value {
        let shown = self.picks.iter().map(|pick| {
            json!({
                "value": pick.value.view(),
                "at": pick.at,
                "source": format!("{:016x}", pick.source),
            })
        });
        shown.collect()
    }
}

/// Hashes are not written: they follow from the values.
impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.keys.iter().zip(&self.picks))
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = Vec::<(u64, Pick)>::deserialize(from)?;
        let (keys, picks): (Vec<u64>, Vec<Pick>) = written.into_iter().unzip();
        let hashes = picks.iter().map(|pick| pick.value.as_scalar().hash());
        Ok(Self {
            keys,
            hashes: hashes.collect(),
            picks,
        })
    }
}
