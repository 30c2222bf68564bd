//! Judging JSON text while it is read.
//!
//! A node that stands alone is followed straight through the text and given up at the first thing wrong ([`alone`]). Where
//! several nodes apply to one value and some may fail (`anyOf`, `not`, `unevaluatedProperties`, …), all of them go through
//! the value side by side, each at most once ([`together`]): no schema, however it recurses, makes a value be read more
//! often than it is deep. Nothing is kept of what was read but the names of open objects, by their places.

mod alone;
pub(crate) mod explain;
pub(crate) mod syntax;
mod together;
mod unique;

use super::check::Judging;
use super::names::NameSet;
use super::program::{Kind, NodeId, Program};
use super::reader::{Read, Reader, Stop};

/// How much may still be done. Only judging side by side and patterns that take steps back are counted: all else is
/// linear in the text.
#[derive(Debug)]
pub(crate) struct Steps {
    left: u64,
}

impl Steps {
    pub(crate) fn new(left: u64) -> Self {
        Self { left }
    }

    #[inline]
    pub(crate) fn charge(&mut self, steps: u64) -> Read {
        if let Some(left) = self.left.checked_sub(steps) {
            self.left = left;
            Ok(())
        } else {
            self.left = 0;
            Err(Stop::TooCostly)
        }
    }
}

/// A program at work on a text.
pub(crate) struct Engine<'p, 't> {
    program: &'p Program,
    reader: Reader<'t>,
    steps: Steps,
    refuse_read_only: bool,
    /// Members and items that no keyword has evaluated, while somebody asks for them.
    unevaluated: Option<Vec<Unevaluated>>,
}

/// A member or item that `unevaluatedProperties` or `unevaluatedItems` of a node refuses.
#[derive(Clone, Copy, Debug)]
struct Unevaluated {
    node: NodeId,
    /// Where the container starts.
    container: usize,
    /// Where the member's name starts, behind its quote, or the number of the item.
    part: usize,
}

impl<'p, 't> Engine<'p, 't> {
    pub(crate) fn new(program: &'p Program, text: &'t str, judging: Judging, steps: u64) -> Self {
        Self {
            program,
            reader: Reader::new(text, judging.limits),
            steps: Steps::new(steps),
            refuse_read_only: judging.refuse_read_only,
            unevaluated: None,
        }
    }

    /// Judge the whole text.
    pub(crate) fn run(&mut self) -> Read {
        self.reader.skip_whitespace();
        self.expect(self.program.root, 0)?;
        self.reader.end()
    }

    /// What the next value is, by its first byte.
    #[inline]
    fn kind(&self) -> Read<Kind> {
        match self.reader.peek() {
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'n') => Ok(Kind::Null),
            _ => Err(Stop::Syntax),
        }
    }

    #[inline]
    fn boolean(&mut self) -> Read<bool> {
        if self.reader.peek() == Some(b't') {
            self.reader.word(b"true")?;
            Ok(true)
        } else {
            self.reader.word(b"false")?;
            Ok(false)
        }
    }

    /// Read a value that nothing is asked of.
    fn skip(&mut self, depth: usize) -> Read {
        match self.kind()? {
            Kind::Null => self.reader.word(b"null"),
            Kind::Boolean => self.boolean().map(drop),
            Kind::Number => self.reader.number().map(drop),
            Kind::String => self.reader.string().map(drop),
            Kind::Array => self.skip_array(depth + 1),
            Kind::Object => self.skip_object(depth + 1),
        }
    }

    fn skip_array(&mut self, depth: usize) -> Read {
        self.reader.enter(depth)?;
        if self.reader.peek() == Some(b']') {
            self.reader.at += 1;
            return Ok(());
        }
        loop {
            self.reader.count_member()?;
            self.skip(depth)?;
            if !self.reader.more(b']')? {
                return Ok(());
            }
        }
    }

    fn skip_object(&mut self, depth: usize) -> Read {
        self.reader.enter(depth)?;
        if self.reader.peek() == Some(b'}') {
            self.reader.at += 1;
            return Ok(());
        }
        let text = self.reader.text();
        let mut names = NameSet::default();
        loop {
            self.reader.count_member()?;
            let name = self.reader.name()?;
            if !names.insert(name, text) {
                return Err(Stop::Duplicate);
            }
            self.skip(depth)?;
            if !self.reader.more(b'}')? {
                return Ok(());
            }
        }
    }
}
