//! What is known by name: a table that guesses the next name from the one before.
//!
//! Requests of an operation name the same things in the same order, so the entry that followed the last one most lately is
//! tried first, and most names are found by comparing a few bytes.

use hashbrown::HashTable;

use super::hash::hash;

/// Up to here entries are looked through one by one.
const FEW: usize = 8;

/// Values by name, in the order they first came. What is written out is sorted, so the order is of no account.
#[derive(Debug, Clone)]
pub(super) struct Named<T> {
    entries: Vec<Entry<T>>,
    /// Places of entries by hash; empty while there are few.
    index: HashTable<u32>,
    /// The entry that came first the last time.
    first: u32,
}

/// A name and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Entry<T> {
    pub(super) name: Box<str>,
    hash: u64,
    /// The entry that followed this one the last time.
    next: u32,
    pub(super) value: T,
}

impl<T> Entry<T> {
    /// The hash of the name, the same everywhere.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            index: HashTable::new(),
            first: 0,
        }
    }
}

/// Where in a table the reader of a request is; names are asked for in the order they come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor(Option<u32>);

impl<T> Named<T> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<T>> {
        self.entries.iter()
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry<T>> {
        self.entries.into_iter()
    }

    /// Entries by name.
    pub(super) fn sorted(&self) -> Vec<&Entry<T>> {
        let mut sorted: Vec<_> = self.entries.iter().collect();
        sorted.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        sorted
    }

    pub(super) fn entry(&self, at: usize) -> &Entry<T> {
        &self.entries[at]
    }

    pub(super) fn value(&mut self, at: usize) -> &mut T {
        &mut self.entries[at].value
    }

    /// The place of a name, guessed from where the cursor is; the cursor moves on.
    #[inline]
    pub(super) fn find(&mut self, name: &str, cursor: &mut Cursor) -> Option<usize> {
        let guess = match cursor.0 {
            Some(before) => self.entries[before as usize].next,
            None => self.first,
        };
        if let Some(entry) = self.entries.get(guess as usize)
            && *entry.name == *name
        {
            cursor.0 = Some(guess);
            return Some(guess as usize);
        }
        let found = self.find_by_hash(name, hash(name.as_bytes()))?;
        self.follow(found, cursor);
        Some(found)
    }

    fn find_by_hash(&self, name: &str, hash: u64) -> Option<usize> {
        let is_it = |entry: &Entry<T>| entry.hash == hash && *entry.name == *name;
        if self.entries.len() <= FEW {
            return self.entries.iter().position(is_it);
        }
        let found = self
            .index
            .find(hash, |at| is_it(&self.entries[*at as usize]));
        found.map(|at| *at as usize)
    }

    /// Adds a name that is not there.
    pub(super) fn insert(&mut self, name: &str, value: T, cursor: &mut Cursor) -> usize {
        let at = self.entries.len();
        let hash = hash(name.as_bytes());
        self.entries.push(Entry {
            name: name.into(),
            hash,
            next: place(at + 1),
            value,
        });
        if self.entries.len() > FEW {
            let entries = &self.entries;
            let hash_at = |at: &u32| entries[*at as usize].hash;
            let from = if self.index.is_empty() { 0 } else { at };
            for (new, entry) in entries.iter().enumerate().skip(from) {
                self.index.insert_unique(entry.hash, place(new), hash_at);
            }
        }
        self.follow(at, cursor);
        at
    }

    fn follow(&mut self, at: usize, cursor: &mut Cursor) {
        match cursor.0 {
            Some(before) => self.entries[before as usize].next = place(at),
            None => self.first = place(at),
        }
        cursor.0 = Some(place(at));
    }
}

/// Tables have at most some hundred entries.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_whatever_order_they_come() {
        let mut table = Named::default();
        let names: Vec<String> = (0..50).map(|number| format!("name{number}")).collect();
        let mut cursor = Cursor::default();
        for (at, name) in names.iter().enumerate() {
            assert_eq!(table.find(name, &mut cursor), None);
            assert_eq!(table.insert(name, at, &mut cursor), at);
        }
        let orders: [Vec<usize>; 4] = [
            (0..50).collect(),
            (0..50).rev().collect(),
            (0..50).step_by(7).collect(),
            vec![3, 3, 3, 49, 0],
        ];
        for order in orders {
            // The second time by guessing.
            for _ in 0..2 {
                let mut cursor = Cursor::default();
                for &at in &order {
                    assert_eq!(table.find(&names[at], &mut cursor), Some(at));
                }
                assert_eq!(table.find("other", &mut cursor), None);
            }
        }
    }
}
