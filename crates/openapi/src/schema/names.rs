//! Member names: finding those a schema knows, and noticing those that come twice.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashTable;
use smallvec::SmallVec;

use super::reader::{Raw, Reader};

/// The names one schema knows, by number.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    names: Box<[Name]>,
    /// Open addressing: a name's number and one more, or 0. Empty if there are few names.
    slots: Box<[u32]>,
    /// The number of the name that came last after each, the first after none. Only a guess, which any thread may change:
    /// clients of one kind send members in one order, whatever the order of the document.
    followers: Box<[AtomicU32]>,
}

#[derive(Debug)]
struct Name {
    /// The name and a quote, as a text that has no need for escapes spells its end.
    quoted: Box<str>,
    needs_escapes: bool,
}

impl Name {
    #[inline]
    fn name(&self) -> &str {
        &self.quoted[..self.quoted.len() - 1]
    }
}

/// Up to this many names are compared one by one.
const FEW_NAMES: usize = 4;

impl NameTable {
    /// Take names that differ.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names: Box<[Name]> = names
            .into_iter()
            .map(|mut name| {
                let needs_escapes = name
                    .bytes()
                    .any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
                name.push('"');
                Name {
                    quoted: name.into(),
                    needs_escapes,
                }
            })
            .collect();
        let slots = if names.len() > FEW_NAMES {
            let count = (names.len() * 2).next_power_of_two();
            let mut slots = vec![0_u32; count].into_boxed_slice();
            for (number, name) in names.iter().enumerate() {
                let mut slot = slot_of(name.name().as_bytes(), count);
                while slots[slot] != 0 {
                    slot = (slot + 1) % count;
                }
                slots[slot] = u32::try_from(number + 1).expect("a schema has fewer names");
            }
            slots
        } else {
            Box::default()
        };
        let count = u32::try_from(names.len()).expect("a schema has fewer names");
        Self {
            followers: (0..=count).map(AtomicU32::new).collect(),
            names,
            slots,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        self.names[number].name()
    }

    /// The name that is likely to come after another, which is given by its number and one more, or 0 for none.
    #[inline]
    pub(crate) fn likely_after(&self, previous: usize) -> usize {
        self.followers
            .get(previous)
            .map_or(usize::MAX, |number| number.load(Ordering::Relaxed) as usize)
    }

    /// Expect the same next time.
    #[inline]
    pub(crate) fn expect_after(&self, previous: usize, number: usize) {
        if let (Some(follower), Ok(number)) = (self.followers.get(previous), u32::try_from(number))
        {
            follower.store(number, Ordering::Relaxed);
        }
    }

    /// The bytes that the name and its closing quote take, if `text` begins with them.
    #[inline]
    pub(crate) fn is_next(&self, number: usize, text: &[u8]) -> Option<usize> {
        let name = self.names.get(number)?;
        (!name.needs_escapes && text.starts_with(name.quoted.as_bytes()))
            .then_some(name.quoted.len())
    }

    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        if self.slots.is_empty() {
            return self.names.iter().position(|known| known.name() == name);
        }
        let count = self.slots.len();
        let mut slot = slot_of(name.as_bytes(), count);
        loop {
            let number = self.slots[slot].checked_sub(1)? as usize;
            if self.names[number].name() == name {
                return Some(number);
            }
            slot = (slot + 1) % count;
        }
    }
}

/// The names are the document's, so nobody can choose them to collide; a request's name costs as many looks at most.
#[inline]
fn slot_of(name: &[u8], count: usize) -> usize {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (Some(first), Some(last)) => (
                u64::from(u32::from_le_bytes(*first)),
                u64::from(u32::from_le_bytes(*last)),
            ),
            _ => name.iter().fold((0, 0), |(first, _), byte| {
                (first << 8 | u64::from(*byte), 0)
            }),
        },
    };
    let mixed =
        (first ^ last.rotate_left(23) ^ name.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // The count is a power of two; the high bits are the mixed ones.
    (mixed >> 40) as usize & (count - 1)
}

/// The names of one object that have come, to notice one that comes again.
///
/// Only places in the text are kept, so that an object of many names takes no copy of them.
#[derive(Default)]
pub(crate) struct NameSet<'t> {
    few: SmallVec<[Raw<'t>; FEW_MEMBERS]>,
    many: Option<Box<Many>>,
}

/// Up to this many names are compared one by one.
const FEW_MEMBERS: usize = 8;

struct Many {
    starts: HashTable<u32>,
    /// Seeded: the client chooses the names.
    seed: foldhash::fast::RandomState,
}

impl<'t> NameSet<'t> {
    /// Note a name of `text`; `false` if it has come before.
    #[inline]
    pub(crate) fn insert(&mut self, name: Raw<'t>, text: &'t str) -> bool {
        if self.many.is_some() {
            return self.insert_into_many(name, text);
        }
        if self.few.iter().any(|known| known.reads_as(name)) {
            return false;
        }
        if self.few.len() < FEW_MEMBERS {
            self.few.push(name);
            return true;
        }
        self.many = Some(Box::new(Many {
            starts: HashTable::new(),
            seed: foldhash::fast::RandomState::default(),
        }));
        for known in std::mem::take(&mut self.few) {
            self.insert_into_many(known, text);
        }
        self.insert_into_many(name, text)
    }

    #[cold]
    fn insert_into_many(&mut self, name: Raw<'t>, text: &'t str) -> bool {
        let Some(many) = &mut self.many else {
            return true;
        };
        let start = name.text.as_ptr() as usize - text.as_ptr() as usize;
        let start = u32::try_from(start).expect("longer texts are refused before they are read");
        let seed = &many.seed;
        let entry = many.starts.entry(
            hash(seed, name),
            |known| name_at(text, *known).reads_as(name),
            |known| hash(seed, name_at(text, *known)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(_) => false,
            hashbrown::hash_table::Entry::Vacant(entry) => {
                entry.insert(start);
                true
            }
        }
    }
}

fn hash(seed: &foldhash::fast::RandomState, name: Raw<'_>) -> u64 {
    seed.hash_one(name.read().as_ref())
}

/// The name whose text starts at `start`, which has been read before.
fn name_at(text: &str, start: u32) -> Raw<'_> {
    let limits = crate::source::json::JsonLimits {
        max_depth: 0,
        max_members: 0,
    };
    let mut reader = Reader::new(text, limits);
    // At the quote before it.
    reader.at = start as usize - 1;
    reader.string().unwrap_or(Raw {
        text: "",
        has_escapes: false,
        is_ascii: true,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn names_are_found_in_small_and_large_tables() {
        for count in [0, 1, 4, 5, 9, 300] {
            let names: Vec<String> = (0..count)
                .map(|index| "x".repeat(index % 13) + &index.to_string())
                .chain(["a\"b".to_owned(), String::new()])
                .collect();
            let table = NameTable::new(names.clone());
            for (number, name) in names.iter().enumerate() {
                assert_eq!(table.find(name), Some(number), "{name}");
                let next = format!("{name}\":1");
                let plain = !name.contains('"');
                assert_eq!(
                    table.is_next(number, next.as_bytes()),
                    plain.then_some(name.len() + 1)
                );
            }
            for name in ["x", "301", "xxxxxxxxxxxxxxxxxxx"] {
                assert_eq!(table.find(name), None, "{name}");
            }
        }
    }

    #[test]
    fn a_name_that_comes_again_is_noticed_however_it_is_written() {
        let mut text = String::new();
        for index in 0..200 {
            write!(text, "\"name{index}\",\"\\u006eame{index}\",")
                .expect("writing to a String cannot fail");
        }
        let limits = crate::source::json::JsonLimits {
            max_depth: 1,
            max_members: 1,
        };
        let mut reader = Reader::new(&text, limits);
        let mut set = NameSet::default();
        for index in 0..200 {
            let name = reader.string().expect("a name");
            assert!(set.insert(name, &text), "{index}");
            reader.at += 1;
            let again = reader.string().expect("a name");
            assert!(again.has_escapes);
            assert!(!set.insert(again, &text), "{index}");
            assert!(!set.insert(name, &text), "{index}");
            reader.at += 1;
        }
    }
}
