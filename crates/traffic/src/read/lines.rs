//! Captures of one row a line.

use std::io::{self, Read};
use std::ops::ControlFlow;

use memchr::memchr;

use super::report::Problem;
use super::sink::{Odd, Place, Sink};
use super::window::Window;
use crate::TransactionRef;

/// Takes the transaction of a line.
pub(super) type Take<'t> = dyn FnMut(&TransactionRef<'_>) + 't;

/// Reads every line. `parse` is given a line without its break and passes its transaction on, or tells what it is instead.
pub(super) fn read<R: Read>(
    window: &mut Window<R>,
    sink: &mut Sink<'_, '_>,
    parse: impl Fn(&str, &mut Take<'_>) -> Result<(), Odd>,
) -> io::Result<()> {
    let mut line = 0;
    loop {
        line += 1;
        let offset = window.offset();
        let place = Place { line, offset };
        match next_length(window)? {
            Length::End => return Ok(()),
            Length::TooLong => sink.odd(Odd::Bad(Problem::TooLong, 0), place),
            Length::Line(length, is_closed) => {
                let bytes = &window.bytes()[..length];
                let mut flow = ControlFlow::Continue(());
                let odd = match text(bytes) {
                    Ok(text) => parse(text, &mut |transaction| {
                        flow = sink.transaction(transaction);
                    }),
                    Err(odd) => Err(odd),
                };
                if let Err(odd) = odd {
                    let is_cut = !is_closed && window.is_damaged() && odd != Odd::Skipped;
                    sink.odd(
                        if is_cut {
                            Odd::Bad(Problem::CutOff, 0)
                        } else {
                            odd
                        },
                        place,
                    );
                }
                window.consume(length + usize::from(is_closed));
                if flow.is_break() {
                    return Ok(());
                }
            }
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Odd> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim_ascii().is_empty() => Err(Odd::Skipped),
        Ok(text) => Ok(text.strip_suffix('\r').unwrap_or(text)),
        Err(error) => Err(Odd::Bad(Problem::NotUtf8, error.valid_up_to() as u64 + 1)),
    }
}

enum Length {
    End,
    /// It was passed over.
    TooLong,
    /// How many bytes before the line break, and whether there is one.
    Line(usize, bool),
}

/// Brings the next line into the window as a whole.
fn next_length<R: Read>(window: &mut Window<R>) -> io::Result<Length> {
    let mut searched = 0;
    loop {
        let bytes = window.bytes();
        if let Some(found) = memchr(b'\n', &bytes[searched..]) {
            let length = searched + found;
            if length > window.max_row_bytes() {
                window.consume(length + 1);
                return Ok(Length::TooLong);
            }
            return Ok(Length::Line(length, true));
        }
        searched = bytes.len();
        if searched > window.max_row_bytes() {
            skip_line(window)?;
            return Ok(Length::TooLong);
        }
        if !window.fill()? {
            return Ok(match searched {
                0 => Length::End,
                length => Length::Line(length, false),
            });
        }
    }
}

fn skip_line<R: Read>(window: &mut Window<R>) -> io::Result<()> {
    loop {
        let bytes = window.bytes();
        if let Some(found) = memchr(b'\n', bytes) {
            window.consume(found + 1);
            return Ok(());
        }
        window.consume(bytes.len());
        if !window.fill()? {
            return Ok(());
        }
    }
}
