//! HTTP Archives, as browsers, proxies and API clients write them.
//!
//! The archive is never built as a tree: `scanner` walks through it and hands out one entry after another as text, `entry` reads that. Behind
//! damage the walk goes on at the next text that begins like an entry (`resync`).

mod body;
mod entry;
mod lenient;
mod resync;
mod scanner;

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::report::Problem;
use super::sink::{Odd, Place, Sink};
use super::window::Window;
use resync::Beginnings;
use scanner::{Scanner, Stop, Taken};

/// Reads one archive after another, to the end.
pub(super) fn read<R: Read>(window: &mut Window<R>, sink: &mut Sink<'_, '_>) -> io::Result<()> {
    let mut walk = Walk {
        scanner: Scanner::new(window),
        sink,
        beginnings: Beginnings::default(),
        damaged_entry: None,
    };
    // Up to where damage has been looked at; looking back from it twice could go round in circles.
    let mut damaged_to = 0;
    let mut step = walk.archives();
    loop {
        match step {
            Ok(()) | Err(Stop::Stopped) => return Ok(()),
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::End) => {
                walk.sink.unclosed();
                return Ok(());
            }
            Err(Stop::Damaged) => {
                let at = walk.scanner.offset();
                if at > damaged_to {
                    damaged_to = at;
                    walk.look_back()?;
                }
                step = match resync::next_entry(walk.scanner.window(), &walk.beginnings) {
                    Ok(true) => walk.recovered(),
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(error),
                };
            }
        }
    }
}

/// Whether a capture that begins so is an archive: an object with `log` or `entries`.
pub(super) fn is_har(beginning: &[u8]) -> bool {
    let mut window = Window::new(beginning, beginning.len());
    let mut scanner = Scanner::new(&mut window);
    if scanner.take(b'{').is_err() {
        return false;
    }
    loop {
        let Ok(name) = scanner.name() else {
            return false;
        };
        match (&name[..], scanner.need_token()) {
            (b"log", Ok(b'{')) | (b"entries", Ok(b'[')) => return true,
            _ => {}
        }
        if scanner.skip_value().is_err() || scanner.take(b',').is_err() {
            return false;
        }
    }
}

struct Walk<'w, 'k, 's, 'e, R> {
    scanner: Scanner<'w, R>,
    sink: &'k mut Sink<'s, 'e>,
    beginnings: Beginnings,
    /// Where the entry begins in which reading stopped.
    damaged_entry: Option<u64>,
}

impl<R: Read> Walk<'_, '_, '_, '_, R> {
    fn archives(&mut self) -> Result<(), Stop> {
        while let Some(byte) = self.scanner.peek_token()? {
            if byte != b'{' {
                return Err(Stop::Damaged);
            }
            self.members(true)?;
        }
        Ok(())
    }

    /// An object that has `entries`, or `log` that has them.
    fn members(&mut self, is_root: bool) -> Result<(), Stop> {
        self.scanner.take(b'{')?;
        if self.scanner.need_token()? == b'}' {
            return self.scanner.take(b'}');
        }
        loop {
            let name = self.scanner.name()?;
            match (&name[..], self.scanner.need_token()?) {
                (b"log", b'{') if is_root => self.members(false)?,
                (b"entries", b'[') => {
                    self.scanner.take(b'[')?;
                    if self.scanner.need_token()? == b']' {
                        self.scanner.take(b']')?;
                    } else {
                        self.entries()?;
                    }
                }
                _ => self.scanner.skip_value()?,
            }
            match self.scanner.need_token()? {
                b',' => self.scanner.take(b',')?,
                b'}' => return self.scanner.take(b'}'),
                _ => return Err(Stop::Damaged),
            }
        }
    }

    /// Entries up to the `]` behind them.
    fn entries(&mut self) -> Result<(), Stop> {
        loop {
            self.entry()?;
            match self.scanner.need_token()? {
                b',' => self.scanner.take(b',')?,
                b']' => return self.scanner.take(b']'),
                _ => return Err(Stop::Damaged),
            }
        }
    }

    fn entry(&mut self) -> Result<(), Stop> {
        let first = self.scanner.need_token()?;
        let place = Place {
            line: self.scanner.line(),
            offset: self.scanner.offset(),
        };
        // Whatever is wrong with this one, the next may begin in what is taken for part of it.
        self.damaged_entry = Some(place.offset);
        if first == b'[' {
            // No entry, but perhaps all of them behind a byte that should not be there.
            self.sink.odd(Odd::Bad(Problem::NotTransaction, 1), place);
            return Err(Stop::Damaged);
        }
        let odd = match self.scanner.copy_value() {
            Ok(Taken::TooLong) => Err(Odd::Bad(Problem::TooLong, 0)),
            Ok(Taken::Whole) => {
                let text = self.scanner.copied();
                let mut flow = ControlFlow::Continue(());
                let odd = entry::read(text, &mut |transaction| {
                    flow = self.sink.transaction(transaction);
                });
                if odd.is_ok() {
                    self.damaged_entry = None;
                    self.beginnings.learn(self.scanner.copied());
                }
                if flow.is_break() {
                    return Err(Stop::Stopped);
                }
                odd
            }
            Err(Stop::End) => {
                self.sink.odd(Odd::Bad(Problem::CutOff, 0), place);
                return Err(Stop::End);
            }
            Err(Stop::Damaged) => {
                let column = self.scanner.offset() - place.offset + 1;
                self.sink.odd(Odd::Bad(Problem::NotJson, column), place);
                return Err(Stop::Damaged);
            }
            Err(stop) => return Err(stop),
        };
        if let Err(odd) = odd {
            self.sink.odd(odd, place);
        }
        Ok(())
    }

    /// Goes back to where an entry begins in what was read as part of the damaged one.
    fn look_back(&mut self) -> io::Result<()> {
        let Some(entry) = self.damaged_entry.take() else {
            return Ok(());
        };
        let window = self.scanner.window();
        window.peek(resync::LOOKED_AT_BYTES)?;
        // Nothing of the entry may have been read: damage can stand at its first byte.
        let inside =
            usize::try_from(window.offset().saturating_sub(entry + 1)).unwrap_or(usize::MAX);
        let (read, inside) = window.with_consumed(inside);
        if let Some(at) = self.beginnings.find_in(read, inside) {
            window.rewind(inside - at);
        }
        Ok(())
    }

    /// Entries behind damage. What stands around them is not known any more, and not needed.
    fn recovered(&mut self) -> Result<(), Stop> {
        loop {
            self.entries()?;
            if !resync::next_entry(self.scanner.window(), &self.beginnings)? {
                return Ok(());
            }
        }
    }
}
