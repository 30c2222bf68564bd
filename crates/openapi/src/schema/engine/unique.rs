//! `uniqueItems`: whether the items of an array differ.
//!
//! Items are hashed by what they mean, so `1.0` equals `1` and the order of members does not matter. An array that was read
//! once is read again for this; if it has many items, several times, each time for a part of the hashes, so that the memory
//! it takes does not grow with the array.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Engine;
use crate::schema::program::Kind;
use crate::schema::reader::Read;

/// Hashes that are held at once.
const MOST_HASHES: usize = 4_096;

/// Bytes of text that cost one step to read again.
const BYTES_PER_STEP: usize = 16;

impl Engine<'_, '_> {
    /// Whether the items of the array that starts at `start` and has just been read differ.
    pub(super) fn has_unique_items(&mut self, start: usize, count: usize) -> Read<bool> {
        let (end, members) = (self.reader.at, self.reader.members);
        // SipHash with keys nobody knows: the client chooses the items, and equal hashes have to mean equal items.
        let seed = RandomState::new();
        // Half as many on average, as hashes do not spread evenly.
        let parts = if count <= MOST_HASHES {
            1
        } else {
            (count / (MOST_HASHES / 2)) as u64 + 1
        };
        let mut hashes = smallvec::SmallVec::<[u64; 16]>::new();
        for part in 0..parts {
            self.steps.charge(((end - start) / BYTES_PER_STEP) as u64)?;
            hashes.clear();
            self.reader.at = start;
            self.opens_empty(b']');
            loop {
                let hash = self.hash_value(&seed)?;
                if hash % parts == part {
                    if hashes.len() == MOST_HASHES * 2 {
                        // So many hashes of one part are many equal items.
                        break;
                    }
                    hashes.push(hash);
                }
                if !self.reader.more(b']')? {
                    break;
                }
            }
            hashes.sort_unstable();
            // Of 64 bits with a seed that nobody knows, equal ones are equal items.
            if hashes.windows(2).any(|pair| pair[0] == pair[1]) {
                (self.reader.at, self.reader.members) = (end, members);
                return Ok(false);
            }
        }
        (self.reader.at, self.reader.members) = (end, members);
        Ok(true)
    }

    /// The hash of the value that is next, which is known to be sound.
    fn hash_value(&mut self, seed: &RandomState) -> Read<u64> {
        let mut hasher = seed.build_hasher();
        let kind = self.kind()?;
        hasher.write_u8(kind as u8);
        match kind {
            Kind::Null => self.reader.word(b"null")?,
            Kind::Boolean => hasher.write_u8(self.boolean()?.into()),
            Kind::Number => self.reader.number()?.hash_value(&mut hasher),
            Kind::String => {
                let text = self.reader.string()?;
                hasher.write(text.read().as_bytes());
            }
            Kind::Array => {
                if !self.opens_empty(b']') {
                    loop {
                        hasher.write_u64(self.hash_value(seed)?);
                        if !self.reader.more(b']')? {
                            break;
                        }
                    }
                }
            }
            Kind::Object => {
                // In no order.
                let (mut sum, mut count) = (0_u64, 0_u64);
                if !self.opens_empty(b'}') {
                    loop {
                        let name = self.reader.name()?;
                        let mut member = seed.build_hasher();
                        member.write(name.read().as_bytes());
                        member.write_u64(self.hash_value(seed)?);
                        sum = sum.wrapping_add(member.finish());
                        count += 1;
                        if !self.reader.more(b'}')? {
                            break;
                        }
                    }
                }
                hasher.write_u64(sum);
                hasher.write_u64(count);
            }
        }
        Ok(hasher.finish())
    }

    /// Pass the bracket that is next, and its partner if nothing is between.
    fn opens_empty(&mut self, close: u8) -> bool {
        self.reader.at += 1;
        self.reader.skip_whitespace();
        let is_empty = self.reader.peek() == Some(close);
        self.reader.at += usize::from(is_empty);
        is_empty
    }
}
