//! What texts are made of, run by run: `id-0042` is two lower-case letters, a hyphen and four digits.
//!
//! Texts of the same classes in the same order have the same structure; how long each run is, and what stands there
//! where it is always the same, is kept with it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::classes::{CLASSES, Class, Classes, class_of, class_of_byte, is_one_character, name_of};
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
#[serde(from = "Written")]
struct Structure {
    /// Not written: it follows from the classes.
    #[serde(skip)]
    hash: u64,
    runs: Box<[Run]>,
    support: Few,
}

#[derive(Deserialize)]
struct Written {
    runs: Box<[Run]>,
    support: Few,
}

impl From<Written> for Structure {
    fn from(written: Written) -> Self {
        let Written { runs, support } = written;
        let key: Vec<Class> = runs.iter().map(|run| run.class).collect();
        Self {
            hash: hash(&key),
            runs,
            support,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    class: Class,
    /// Characters.
    least: u32,
    most: u32,
    /// What stands there, while it is always the same; not of classes of one character, whose length tells.
    text: Option<Box<str>>,
}

/// The runs of a text.
struct Stretches {
    count: usize,
    classes: [Class; MAX_RUNS],
    /// Characters.
    lengths: [u32; MAX_RUNS],
    /// In bytes.
    ends: [u32; MAX_RUNS],
}

impl Stretches {
    fn new() -> Self {
        Self {
            count: 0,
            classes: [0; MAX_RUNS],
            lengths: [0; MAX_RUNS],
            ends: [0; MAX_RUNS],
        }
    }

    /// Finds the runs of a text with these classes; `None` if there are too many.
    #[inline]
    fn find(&mut self, text: &str, classes: Classes) -> Option<()> {
        if classes.is_ascii() {
            let mut classes = text.bytes().map(class_of_byte).enumerate();
            let Some((_, mut class)) = classes.next() else {
                return Some(());
            };
            let mut start = 0;
            for (at, next) in classes {
                if next != class {
                    self.push(class, at - start, at)?;
                    (class, start) = (next, at);
                }
            }
            return self.push(class, text.len() - start, text.len());
        }
        let mut classes = text.char_indices().map(|(at, next)| (at, class_of(next)));
        let (mut class, mut length) = (classes.next()?.1, 0);
        for (at, next) in classes {
            length += 1;
            if next != class {
                self.push(class, length, at)?;
                (class, length) = (next, 0);
            }
        }
        self.push(class, length + 1, text.len())
    }

    #[inline]
    fn push(&mut self, class: Class, length: usize, end: usize) -> Option<()> {
        *self.classes.get_mut(self.count)? = class;
        self.lengths[self.count] = u32::try_from(length).unwrap_or(u32::MAX);
        self.ends[self.count] = u32::try_from(end).unwrap_or(u32::MAX);
        self.count += 1;
        Some(())
    }

    fn classes(&self) -> &[Class] {
        &self.classes[..self.count]
    }

    /// What stands in a run of the text.
    #[inline]
    fn text<'t>(&self, run: usize, text: &'t str) -> Option<&'t str> {
        let start = run.checked_sub(1).map_or(0, |before| self.ends[before]);
        text.get(start as usize..self.ends[run] as usize)
    }
}

impl Structures {
    /// Notes the structure of a text with these classes.
    pub(super) fn add(&mut self, text: &str, classes: Classes, seen: &Seen) {
        let Some(known) = &mut self.0 else { return };
        let mut stretches = Stretches::new();
        if stretches.find(text, classes).is_none() {
            self.0 = None;
            return;
        }
        let key = stretches.classes();
        let hash = hash(key);
        let kept = (text.len() <= MAX_KEPT_BYTES).then_some(text);
        match find(known, hash, key) {
            Ok(at) => {
                let structure = &mut known[at];
                structure.support.add(seen);
                for (at, run) in structure.runs.iter_mut().enumerate() {
                    let length = stretches.lengths[at];
                    run.least = run.least.min(length);
                    run.most = run.most.max(length);
                    if let Some(same) = &run.text
                        && kept.and_then(|text| stretches.text(at, text)) != Some(same)
                    {
                        run.text = None;
                    }
                }
            }
            Err(at) => {
                let runs = key.iter().enumerate().map(|(at, class)| Run {
                    class: *class,
                    least: stretches.lengths[at],
                    most: stretches.lengths[at],
                    text: kept
                        .filter(|_| !is_one_character(*class))
                        .and_then(|text| stretches.text(at, text))
                        .map(Box::from),
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
        let runs: usize = known.iter().map(|structure| structure.runs.len()).sum();
        known.len() <= MAX_STRUCTURES
            && runs <= MAX_RUNS_TOGETHER
            && known.is_sorted_by(|one, two| order(one, two.hash, two.classes()).is_lt())
            && known.iter().all(|structure| {
                structure.runs.len() <= MAX_RUNS && structure.runs.iter().all(is_run)
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
                        "text": run.view_text(),
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

impl Run {
    fn view_text(&self) -> Option<String> {
        if is_one_character(self.class) && self.least == self.most {
            let length = usize::try_from(self.least)
                .ok()
                .filter(|length| *length <= MAX_KEPT_BYTES);
            let character = if name_of(self.class) == "space" {
                " "
            } else {
                name_of(self.class)
            };
            return length.map(|length| character.repeat(length));
        }
        self.text.as_deref().map(str::to_owned)
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
