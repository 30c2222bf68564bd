//! Finds the next entry behind damage.

use std::io::{self, Read};

use memchr::memchr;

use crate::read::window::Window;

/// What entries begin with, and nothing else in an archive does: names of the format, and of browsers.
const KNOWN: [&[u8]; 14] = [
    b"_connectionId",
    b"_fromCache",
    b"_initiator",
    b"_priority",
    b"_requestId",
    b"_resourceType",
    b"cache",
    b"connection",
    b"pageref",
    b"request",
    b"response",
    b"serverIPAddress",
    b"startedDateTime",
    b"timings",
];

/// What smaller objects in an archive begin with, so it tells nothing of entries.
const ELSEWHERE: [&[u8]; 10] = [
    b"name",
    b"value",
    b"type",
    b"url",
    b"method",
    b"mimeType",
    b"size",
    b"status",
    b"id",
    b"title",
];

/// More than these would be made to be difficult.
const MAX_LEARNED: usize = 16;

/// Blanks and a name of this length are looked at.
pub(super) const LOOKED_AT_BYTES: usize = 256;

/// The names of members that entries of this archive begin with.
#[derive(Default)]
pub(super) struct Beginnings {
    learned: Vec<Vec<u8>>,
}

impl Beginnings {
    /// Learns from an entry that was read: recorders keep to their order of members.
    pub(super) fn learn(&mut self, entry: &[u8]) {
        if let Some(name) = first_name(entry)
            && !self.knows(name)
            && !ELSEWHERE.contains(&name)
            && self.learned.len() < MAX_LEARNED
        {
            self.learned.push(name.to_vec());
        }
    }

    /// Where in the first bytes of a text something begins like an entry.
    pub(super) fn find_in(&self, text: &[u8], first: usize) -> Option<usize> {
        memchr::memchr_iter(b'{', &text[..first]).find(|at| self.fit(&text[*at..]))
    }

    fn fit(&self, text: &[u8]) -> bool {
        let text = &text[..text.len().min(LOOKED_AT_BYTES)];
        first_name(text).is_some_and(|name| self.knows(name))
    }

    fn knows(&self, name: &[u8]) -> bool {
        KNOWN.contains(&name) || self.learned.iter().any(|learned| learned == name)
    }
}

/// The name of the first member of an object.
fn first_name(object: &[u8]) -> Option<&[u8]> {
    let name = object
        .strip_prefix(b"{")?
        .trim_ascii_start()
        .strip_prefix(b"\"")?;
    Some(&name[..memchr(b'"', name)?])
}

/// Moves to the next text that begins like an entry; false if none does.
pub(super) fn next_entry<R: Read>(
    window: &mut Window<R>,
    beginnings: &Beginnings,
) -> io::Result<bool> {
    loop {
        let bytes = window.bytes();
        if let Some(at) = memchr(b'{', bytes) {
            window.consume(at);
            if beginnings.fit(window.peek(LOOKED_AT_BYTES)?) {
                return Ok(true);
            }
            window.consume(1);
        } else {
            let count = bytes.len();
            window.consume(count);
            if !window.fill()? {
                return Ok(false);
            }
        }
    }
}
