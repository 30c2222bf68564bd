//! Multipart forms, read as they arrive: RFC 2046 and RFC 7578, without what readers disagree about.
//!
//! A form begins with its boundary, lines end in CRLF, a boundary stands alone in its line, and nothing follows the last.

mod header;
pub(super) mod judge;

use std::fmt;

use memchr::memmem;

pub(super) use header::PartHeader;

/// Longest boundary, RFC 2046 §5.1.1.
const MAX_BOUNDARY: usize = 70;

/// Most bytes of the header of one part.
const MAX_HEADER: usize = 8 * 1024;

/// A boundary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Boundary {
    bytes: [u8; MAX_BOUNDARY],
    length: u8,
}

impl Boundary {
    /// `None` if the text is no boundary.
    pub(super) fn new(text: &str) -> Option<Self> {
        let is_boundary = !text.ends_with(' ')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte));
        let length = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; MAX_BOUNDARY];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        (is_boundary && length > 0).then_some(Self { bytes, length })
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for Boundary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client chose it.
        formatter.write_str("Boundary")
    }
}

/// What a form is made of, in order.
pub(super) enum Event<'b> {
    /// A part begins.
    Part(PartHeader<'b>),
    /// More of its content.
    Content(&'b [u8]),
    /// The part is over.
    End,
}

/// Why a form cannot be read on.
pub(super) enum Stop<E> {
    /// It is no form.
    Malformed,
    /// Whoever takes the events has had enough.
    Refused(E),
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Refused(error)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Start,
    Header,
    Content {
        /// Nothing of the part has been passed on.
        fresh: bool,
    },
    /// Behind the last boundary.
    End,
}

/// Takes a form apart as it arrives.
pub(super) struct Parser {
    /// Finds `--` and the boundary.
    finder: memmem::Finder<'static>,
    state: State,
    /// What could not be told yet: less than a header, or than a boundary and its line end.
    held: Vec<u8>,
}

impl Parser {
    pub(super) fn new(boundary: &Boundary) -> Self {
        let mark = [b"--", boundary.as_bytes()].concat();
        Self {
            finder: memmem::Finder::new(&mark).into_owned(),
            state: State::Start,
            held: Vec::new(),
        }
    }

    /// Read on.
    pub(super) fn push<E>(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        if self.held.is_empty() {
            let used = self.read(bytes, &mut take)?;
            self.held.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let used = self.read(&held, &mut take)?;
        held.drain(..used);
        // What is held is small, whatever came.
        held.shrink_to(MAX_HEADER);
        self.held = held;
        Ok(())
    }

    /// Whether the form is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::End && (self.held.is_empty() || self.held == b"\r\n")
    }

    /// Read what can be told; how much that was.
    fn read<E>(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<usize, Stop<E>> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let used = match self.state {
                State::Start => self.start(rest)?,
                State::Header => self.header(rest, take)?,
                State::Content { fresh } => self.content(rest, fresh, take)?,
                State::End if b"\r\n".starts_with(rest) => None,
                State::End => return Err(Stop::Malformed),
            };
            match used {
                Some(used) => at += used,
                None => return Ok(at),
            }
            if let State::Content { fresh: false } = self.state
                && at == bytes.len()
            {
                return Ok(at);
            }
        }
    }

    fn start<E>(&mut self, bytes: &[u8]) -> Result<Option<usize>, Stop<E>> {
        let mark = self.finder.needle();
        let common = bytes.len().min(mark.len());
        if bytes[..common] != mark[..common] {
            return Err(Stop::Malformed);
        }
        let length = mark.len();
        self.line_end(&bytes[common..], common == length)
            .map(|next| next.map(|()| length + 2))
    }

    /// What follows a boundary: another part or the end of the form.
    fn line_end<E>(&mut self, after: &[u8], is_whole: bool) -> Result<Option<()>, Stop<E>> {
        match after.get(..2).filter(|_| is_whole) {
            Some(b"\r\n") => self.state = State::Header,
            Some(b"--") => self.state = State::End,
            Some(_) => return Err(Stop::Malformed),
            None => return Ok(None),
        }
        Ok(Some(()))
    }

    fn header<E>(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<usize>, Stop<E>> {
        let within = &bytes[..bytes.len().min(MAX_HEADER)];
        let Some(end) = memmem::find(within, b"\r\n\r\n") else {
            return if within.len() == MAX_HEADER {
                Err(Stop::Malformed)
            } else {
                Ok(None)
            };
        };
        let header = PartHeader::parse(&bytes[..end]).ok_or(Stop::Malformed)?;
        take(Event::Part(header))?;
        self.state = State::Content { fresh: true };
        Ok(Some(end + 4))
    }

    fn content<E>(
        &mut self,
        bytes: &[u8],
        fresh: bool,
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<usize>, Stop<E>> {
        let length = self.finder.needle().len();
        let mut from = 0;
        while let Some(found) = self.finder.find(&bytes[from..]) {
            let at = from + found;
            match &bytes[at.saturating_sub(2)..at] {
                b"\r\n" => {
                    let content = &bytes[..at - 2];
                    if !content.is_empty() {
                        take(Event::Content(content))?;
                    }
                    let next = self.line_end(&bytes[at + length..], true)?;
                    if next.is_none() {
                        self.state = State::Content { fresh: false };
                        return Ok((!content.is_empty()).then_some(content.len()));
                    }
                    take(Event::End)?;
                    return Ok(Some(at + length + 2));
                }
                // A boundary to some readers. What precedes it counts, as it would have if it had come before.
                [.., b'\r' | b'\n'] => {
                    if at > 1 {
                        take(Event::Content(&bytes[..at - 1]))?;
                    }
                    return Err(Stop::Malformed);
                }
                [] if fresh => return Err(Stop::Malformed),
                _ => from = at + 1,
            }
        }
        // A boundary may have begun: what precedes it in its line is kept with it.
        let tail = length + 1;
        if bytes.len() <= tail {
            return Ok(None);
        }
        let (content, _) = bytes.split_at(bytes.len() - tail);
        take(Event::Content(content))?;
        self.state = State::Content { fresh: false };
        Ok(Some(content.len()))
    }
}
