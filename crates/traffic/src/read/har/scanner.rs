//! Walks through JSON text of any size, a token at a time.
//!
//! It knows enough of the grammar to notice damage soon: what may follow what, and which bracket closes which. What literals and strings say is
//! left to who reads the copied value.

use std::io::{self, Read};

use memchr::{memchr, memchr2};

use crate::read::window::Window;

/// Objects and arrays inside each other. What nests deeper in an archive is damage, or made to be difficult.
const MAX_DEPTH: usize = 512;

/// A longer string is copied as the number of its bytes. It is a body that is not kept; anything else that long is an error.
const MAX_STRING_BYTES: usize = 1024 * 1024;

/// A longer name is no name we look for.
const MAX_NAME_BYTES: usize = 64;

/// Why the walk ends.
#[derive(Debug)]
pub(super) enum Stop {
    Io(io::Error),
    /// The source ends where more must come.
    End,
    /// This cannot stand here.
    Damaged,
    /// Whoever takes the transactions wants no more.
    Stopped,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How much of a value was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Whole,
    TooLong,
}

pub(super) struct Scanner<'w, R> {
    window: &'w mut Window<R>,
    /// The value copied last, without white space around tokens.
    copied: Vec<u8>,
    taken: Taken,
    /// What closes the objects and arrays that are open.
    open: Vec<u8>,
}

impl<'w, R: Read> Scanner<'w, R> {
    pub(super) fn new(window: &'w mut Window<R>) -> Self {
        Self {
            window,
            copied: Vec::new(),
            taken: Taken::Whole,
            open: Vec::new(),
        }
    }

    pub(super) fn window(&mut self) -> &mut Window<R> {
        self.window
    }

    pub(super) fn offset(&self) -> u64 {
        self.window.offset()
    }

    pub(super) fn line(&self) -> u64 {
        self.window.line()
    }

    pub(super) fn copied(&self) -> &[u8] {
        &self.copied
    }

    /// The first byte of the next token; none at the end.
    pub(super) fn peek_token(&mut self) -> io::Result<Option<u8>> {
        loop {
            let bytes = self.window.bytes();
            let blanks = bytes
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
            if let Some(blanks) = blanks {
                let byte = bytes[blanks];
                self.window.consume(blanks);
                return Ok(Some(byte));
            }
            let blanks = bytes.len();
            self.window.consume(blanks);
            if !self.window.fill()? {
                return Ok(None);
            }
        }
    }

    pub(super) fn need_token(&mut self) -> Result<u8, Stop> {
        self.peek_token()?.ok_or(Stop::End)
    }

    /// Consumes a token of one byte.
    pub(super) fn take(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.need_token()? != wanted {
            return Err(Stop::Damaged);
        }
        self.window.consume(1);
        Ok(())
    }

    /// Consumes the name of a member and its colon. A name too long to be one of ours is cut.
    pub(super) fn name(&mut self) -> Result<Vec<u8>, Stop> {
        if self.need_token()? != b'"' {
            return Err(Stop::Damaged);
        }
        let known = self.window.peek(MAX_NAME_BYTES + 2)?;
        let known = &known[1..known.len().min(MAX_NAME_BYTES + 2)];
        let name = memchr(b'"', known)
            .map_or(&[][..], |end| &known[..end])
            .to_vec();
        self.string(false)?;
        self.take(b':')?;
        Ok(name)
    }

    /// Passes over the next value.
    pub(super) fn skip_value(&mut self) -> Result<(), Stop> {
        self.value(false)
    }

    /// Copies the next value.
    pub(super) fn copy_value(&mut self) -> Result<Taken, Stop> {
        self.copied.clear();
        self.taken = Taken::Whole;
        self.value(true)?;
        Ok(self.taken)
    }

    fn value(&mut self, copy: bool) -> Result<(), Stop> {
        self.open.clear();
        loop {
            match self.need_token()? {
                first @ (b'{' | b'[') => {
                    if self.open.len() == MAX_DEPTH {
                        return Err(Stop::Damaged);
                    }
                    self.pass(1, copy);
                    let close = if first == b'{' { b'}' } else { b']' };
                    if self.need_token()? == close {
                        self.pass(1, copy);
                    } else {
                        self.open.push(close);
                        if close == b'}' {
                            self.member_name(copy)?;
                        }
                        continue;
                    }
                }
                b'"' => self.string(copy)?,
                byte if is_literal(byte) => self.literal(copy)?,
                _ => return Err(Stop::Damaged),
            }
            if !self.behind_value(copy)? {
                return Ok(());
            }
        }
    }

    /// Closes what ends behind a value; whether another value follows.
    fn behind_value(&mut self, copy: bool) -> Result<bool, Stop> {
        while let Some(close) = self.open.last().copied() {
            let byte = self.need_token()?;
            if byte == close {
                self.pass(1, copy);
                self.open.pop();
            } else if byte == b',' {
                self.pass(1, copy);
                if close == b'}' {
                    self.member_name(copy)?;
                }
                return Ok(true);
            } else {
                return Err(Stop::Damaged);
            }
        }
        Ok(false)
    }

    fn member_name(&mut self, copy: bool) -> Result<(), Stop> {
        if self.need_token()? != b'"' {
            return Err(Stop::Damaged);
        }
        self.string(copy)?;
        if self.need_token()? != b':' {
            return Err(Stop::Damaged);
        }
        self.pass(1, copy);
        Ok(())
    }

    fn string(&mut self, copy: bool) -> Result<(), Stop> {
        let start = self.copied.len();
        let before = self.window.offset();
        let mut is_copied = copy;
        self.pass(1, is_copied);
        loop {
            let bytes = self.window.bytes();
            let (length, is_end) = match memchr2(b'"', b'\\', bytes) {
                Some(at) if bytes[at] == b'"' => (at + 1, true),
                // What is escaped never ends the string, whatever it is.
                Some(at) if at + 1 < bytes.len() => (at + 2, false),
                Some(at) => (at, false),
                None => (bytes.len(), false),
            };
            self.pass(length, is_copied);
            let size = self.window.offset() - before;
            if is_copied && size > MAX_STRING_BYTES as u64 {
                self.copied.truncate(start);
                is_copied = false;
            }
            if is_end {
                if copy && !is_copied {
                    self.push_number(size - 2);
                }
                return Ok(());
            }
            if self.window.bytes().len() < 2 && !self.window.fill()? {
                let left = self.window.bytes().len();
                self.window.consume(left);
                return Err(Stop::End);
            }
        }
    }

    fn literal(&mut self, copy: bool) -> Result<(), Stop> {
        loop {
            let bytes = self.window.bytes();
            let length = bytes.iter().position(|byte| !is_literal(*byte));
            let (length, is_end) = length.map_or((bytes.len(), false), |length| (length, true));
            self.pass(length, copy);
            if is_end || !self.window.fill()? {
                return Ok(());
            }
        }
    }

    /// Consumes bytes, and copies them if asked to and there is room.
    fn pass(&mut self, count: usize, copy: bool) {
        if copy {
            if self.copied.len() + count > self.window.max_row_bytes() {
                self.taken = Taken::TooLong;
            } else if self.taken == Taken::Whole {
                self.copied.extend_from_slice(&self.window.bytes()[..count]);
            }
        }
        self.window.consume(count);
    }

    fn push_number(&mut self, number: u64) {
        if self.taken == Taken::Whole {
            self.copied.extend_from_slice(number.to_string().as_bytes());
        }
    }
}

fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}
