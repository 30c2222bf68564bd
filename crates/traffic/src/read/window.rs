//! The part of a source that lies in memory.

use std::io::{self, ErrorKind, Read};

/// How much is asked of the source at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// How much of what was consumed stays, for who finds out too late where he should have stopped.
const KEPT_BYTES: usize = 16 * 1024;

/// A source with the bytes that were read ahead. What damage in packed data leaves unread is missing, and `is_damaged` tells.
pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    /// What lies between these has been read and not been consumed.
    start: usize,
    end: usize,
    /// Where in the source `start` is.
    offset: u64,
    /// How many line breaks came before the buffer.
    lines: u64,
    is_at_end: bool,
    is_damaged: bool,
    max_row_bytes: usize,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R, max_row_bytes: usize) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            end: 0,
            offset: 0,
            lines: 0,
            is_at_end: false,
            is_damaged: false,
            max_row_bytes,
        }
    }

    pub(super) fn max_row_bytes(&self) -> usize {
        self.max_row_bytes
    }

    /// How many bytes were consumed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes were read.
    pub(super) fn end_offset(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The number of the line that is next, from 1.
    pub(super) fn line(&self) -> u64 {
        self.lines + line_breaks(&self.buffer[..self.start]) + 1
    }

    /// What was read and not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads on; false at the end.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        let left = self.start.saturating_sub(KEPT_BYTES);
        if left > 0 {
            self.lines += line_breaks(&self.buffer[..left]);
            self.buffer.copy_within(left..self.end, 0);
            self.start -= left;
            self.end -= left;
        }
        if self.end + CHUNK_BYTES / 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    (self.is_at_end, self.is_damaged) = (true, true);
                }
                Err(error) => return Err(error),
            }
            return Ok(false);
        }
    }

    /// At least so many bytes, less only at the end.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count && self.fill()? {}
        Ok(self.bytes())
    }

    /// Consumes bytes that were read.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// What was read, with at most so many bytes that were consumed before; how many those are. There are at least [`KEPT_BYTES`], if so
    /// many were consumed.
    pub(super) fn with_consumed(&self, most: usize) -> (&[u8], usize) {
        let consumed = most.min(self.start);
        (&self.buffer[self.start - consumed..self.end], consumed)
    }

    /// Takes back what was consumed last; at most as much as `with_consumed` tells.
    pub(super) fn rewind(&mut self, count: usize) {
        self.start -= count;
        self.offset -= count as u64;
    }

    /// Passes over the mark that some Windows programs write before UTF-8.
    pub(super) fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        if self.peek(3)?.starts_with(b"\xef\xbb\xbf") {
            self.consume(3);
        }
        Ok(())
    }
}

fn line_breaks(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
