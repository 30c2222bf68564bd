//! What texts are made of, run by run: `id-0042` is two lower-case letters, a hyphen and four digits.
//!
//! Texts of the same classes in the same order have the same structure; how long each run is, and what stands there
//! where it is always the same, is kept with it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::classes::{CLASSES, Class, Classes, class_of, class_of_byte, name_of};
use super::hash::hash;
use super::seen::Seen;
use super::support::Few;

/// More runs have no structure.
pub(super) const MAX_RUNS: usize = 24;

/// More structures are none.
const MAX_STRUCTURES: usize = 32;

/// So many runs in all structures together.
const MAX_RUNS_TOGETHER: usize = 256;

/// What stands in longer texts is not kept, in bytes.
const MAX_KEPT_BYTES: usize = 32;

/// The structures of texts; `None` once there are too many or a text has too many runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Structures(Option<Vec<Structure>>);

impl Default for Structures {
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

/// Texts of the same classes in the same order. Kept in the order of `(hash, classes)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Structure {
    hash: u64,
    runs: Box<[Run]>,
    support: Few,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    class: Class,
    /// Characters.
    least: u32,
    most: u32,
    /// What stands there, while it is always the same.
    text: Option<Box<str>>,
}

/// A run of a text.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    class: Class,
    characters: u32,
    /// In bytes.
    end: u32,
}

/// The runs of a text.
struct Stretches {
    stretches: [Stretch; MAX_RUNS],
    count: usize,
}

impl Stretches {
    /// The runs of a text with these classes; `None` if there are too many.
    #[inline]
    fn of(text: &str, classes: Classes) -> Option<Self> {
        let mut runs = Self {
            stretches: [Stretch::default(); MAX_RUNS],
            count: 0,
        };
        if classes.is_ascii() {
            for byte in text.bytes() {
                runs.push(class_of_byte(byte), 1)?;
            }
        } else {
            for character in text.chars() {
                let bytes = u32::try_from(character.len_utf8()).unwrap_or(4);
                runs.push(class_of(character), bytes)?;
            }
        }
        Some(runs)
    }

    #[inline]
    fn push(&mut self, class: Class, bytes: u32) -> Option<()> {
        let end = match self.stretches[..self.count].last_mut() {
            Some(last) if last.class == class => {
                last.characters = last.characters.saturating_add(1);
                last.end = last.end.saturating_add(bytes);
                return Some(());
            }
            last => last.map_or(0, |last| last.end),
        };
        *self.stretches.get_mut(self.count)? = Stretch {
            class,
            characters: 1,
            end: end.saturating_add(bytes),
        };
        self.count += 1;
        Some(())
    }

    fn list(&self) -> &[Stretch] {
        &self.stretches[..self.count]
    }
}

impl Structures {
    /// Notes the structure of a text with these classes.
    pub(super) fn add(&mut self, text: &str, classes: Classes, seen: &Seen) {
        let Some(known) = &mut self.0 else { return };
        let Some(stretches) = Stretches::of(text, classes) else {
            self.0 = None;
            return;
        };
        let stretches = stretches.list();
        let mut key = [0; MAX_RUNS];
        for (class, stretch) in key.iter_mut().zip(stretches) {
            *class = stretch.class;
        }
        let key = &key[..stretches.len()];
        let hash = hash(key);
        let kept = (text.len() <= MAX_KEPT_BYTES).then_some(text);
        match find(known, hash, key) {
            Ok(at) => {
                let structure = &mut known[at];
                structure.support.add(seen);
                let mut start = 0;
                for (run, stretch) in structure.runs.iter_mut().zip(stretches) {
                    let end = stretch.end as usize;
                    run.least = run.least.min(stretch.characters);
                    run.most = run.most.max(stretch.characters);
                    if let Some(same) = &run.text
                        && kept.is_none_or(|text| text[start..end] != **same)
                    {
                        run.text = None;
                    }
                    start = end;
                }
            }
            Err(at) => {
                let mut start = 0;
                let runs = stretches.iter().map(|stretch| {
                    let end = stretch.end as usize;
                    let text = kept.map(|text| text[start..end].into());
                    start = end;
                    Run {
                        class: stretch.class,
                        least: stretch.characters,
                        most: stretch.characters,
                        text,
                    }
                });
                let mut support = Few::default();
                support.add(seen);
                let structure = Structure {
                    hash,
                    runs: runs.collect(),
                    support,
                };
                known.insert(at, structure);
                self.limit();
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let (Some(known), Some(others)) = (&mut self.0, &other.0) else {
            self.0 = None;
            return;
        };
        for other in others {
            match find_same(known, other) {
                Ok(at) => {
                    let structure = &mut known[at];
                    structure.support.merge(&other.support);
                    for (run, other) in structure.runs.iter_mut().zip(&other.runs) {
                        run.least = run.least.min(other.least);
                        run.most = run.most.max(other.most);
                        if run.text != other.text {
                            run.text = None;
                        }
                    }
                }
                Err(at) => known.insert(at, other.clone()),
            }
        }
        self.limit();
    }

    fn limit(&mut self) {
        if let Some(known) = &self.0 {
            let runs: usize = known.iter().map(|structure| structure.runs.len()).sum();
            if known.len() > MAX_STRUCTURES || runs > MAX_RUNS_TOGETHER {
                self.0 = None;
            }
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        let Some(known) = &self.0 else { return true };
        let is_run = |run: &Run| {
            usize::from(run.class) < CLASSES
                && run.least <= run.most
                && run
                    .text
                    .as_ref()
                    .is_none_or(|text| text.len() <= MAX_KEPT_BYTES)
        };
        known.len() <= MAX_STRUCTURES
            && known.is_sorted_by(|one, two| order(one, two.hash, two.classes()).is_lt())
            && known.iter().all(|structure| {
                let key: Vec<Class> = structure.classes().collect();
                structure.hash == hash(&key)
                    && key.len() <= MAX_RUNS
                    && structure.runs.iter().all(is_run)
            })
    }

    /// As it stands in profiles.
    pub(super) fn view(&self) -> Value {
        let Some(known) = &self.0 else {
            return Value::Null;
        };
        let mut known: Vec<_> = known.iter().collect();
        known.sort_by(|one, two| one.classes().cmp(two.classes()));
        let shown = known.into_iter().map(|structure| {
            let runs: Value = structure
                .runs
                .iter()
                .map(|run| {
                    json!({
                        "class": name_of(run.class),
                        "text": run.text,
                        "least": run.least,
                        "most": run.most,
                    })
                })
                .collect();
            json!({"runs": runs, "support": structure.support.view()})
        });
        shown.collect()
    }
}

impl Structure {
    fn classes(&self) -> impl Iterator<Item = Class> {
        self.runs.iter().map(|run| run.class)
    }
}

fn order(known: &Structure, hash: u64, key: impl Iterator<Item = Class>) -> std::cmp::Ordering {
    let by_hash = known.hash.cmp(&hash);
    by_hash.then_with(|| known.classes().cmp(key))
}

#[inline]
fn find(known: &[Structure], hash: u64, key: &[Class]) -> Result<usize, usize> {
    known.binary_search_by(|known| order(known, hash, key.iter().copied()))
}

fn find_same(known: &[Structure], other: &Structure) -> Result<usize, usize> {
    known.binary_search_by(|known| order(known, other.hash, other.classes()))
}
