//! Multipart forms, as captures hold them whole.
//!
//! Recorders may have written line ends in their own way, so a bare line feed is taken for one; a gateway is stricter.

use std::borrow::Cow;

use memchr::memmem;

use super::body::learn_json;
use super::form::{MAX_FIELDS, learn_fields, learn_text};
use super::media_type::MediaType;
use super::node::{Node, Room};
use super::secret::Hiding;
use super::seen::Seen;
use super::tape::{Tape, Unreadable};

/// A part, as it lies in the body.
struct Part<'b> {
    /// It has a file name, or is no text.
    is_file: bool,
    is_json: bool,
    content: &'b [u8],
}

/// Learns from a multipart form: the names of its parts, and what those that are text hold. Of a file it is known that it
/// was there: it is named in `files`.
pub(super) fn learn_multipart(
    bytes: &[u8],
    boundary: &str,
    node: &mut Node,
    tape: &mut Tape,
    seen: &Seen,
    room: &mut Room,
    mut file: impl FnMut(&str),
) -> Result<(), Unreadable> {
    let mut parts = parts(bytes, boundary).ok_or(Unreadable)?;
    for (name, part) in &parts {
        if part.is_file {
            file(name);
        }
    }
    let learn = |part: &Part<'_>, node: &mut Node, hiding: Hiding, seen: &Seen, room: &mut Room| {
        let text = std::str::from_utf8(part.content).ok();
        let Some(text) = text.filter(|_| !part.is_file) else {
            return;
        };
        if !part.is_json || learn_json(text, tape, node, hiding, seen, room).is_err() {
            learn_text(text, node, hiding, seen);
        }
    };
    learn_fields(&mut parts, node, seen, room, learn);
    Ok(())
}

/// The parts with their names.
fn parts<'b>(bytes: &'b [u8], boundary: &str) -> Option<Vec<(Cow<'b, str>, Part<'b>)>> {
    let mark = [b"--", boundary.as_bytes()].concat();
    let finder = memmem::Finder::new(&mark);
    let mut rest = &bytes[finder.find(bytes)? + mark.len()..];
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        rest = after_line_end(rest)?;
        let (head, content) = split_head(rest)?;
        // The mark begins a line; the line end before it is its own.
        let end = content_end(content, &finder)?;
        let part = without_line_end(&content[..end])?;
        if parts.len() == MAX_FIELDS {
            return None;
        }
        parts.push(part_of(head, part)?);
        rest = &content[end + mark.len()..];
    }
}

fn after_line_end(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .strip_prefix(b"\r\n")
        .or_else(|| bytes.strip_prefix(b"\n"))
}

fn without_line_end(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .strip_suffix(b"\r\n")
        .or_else(|| bytes.strip_suffix(b"\n"))
}

fn content_end(content: &[u8], finder: &memmem::Finder<'_>) -> Option<usize> {
    finder
        .find_iter(content)
        .find(|at| content[..*at].ends_with(b"\n"))
}

/// The lines of a head and what follows them.
fn split_head(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (end, length) = match (
        memmem::find(bytes, b"\r\n\r\n"),
        memmem::find(bytes, b"\n\n"),
    ) {
        (Some(at), Some(bare)) if bare < at => (bare, 2),
        (Some(at), _) => (at, 4),
        (None, bare) => (bare?, 2),
    };
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((head, &bytes[end + length..]))
}

fn part_of<'b>(head: &'b str, content: &'b [u8]) -> Option<(Cow<'b, str>, Part<'b>)> {
    let (mut name, mut is_file, mut is_json) = (None, false, false);
    for line in head.lines() {
        let (field, value) = line.split_once(':')?;
        if field.eq_ignore_ascii_case("content-disposition") {
            name = parameter(value, "name");
            is_file |=
                parameter(value, "filename").is_some() || parameter(value, "filename*").is_some();
        } else if field.eq_ignore_ascii_case("content-type") {
            let media_type = MediaType::parse(value);
            is_json = media_type.as_ref().is_some_and(MediaType::is_json);
            is_file |= !is_json
                && media_type.is_some_and(|media_type| !media_type.essence.starts_with("text/"));
        }
    }
    let part = Part {
        is_file,
        is_json,
        content,
    };
    Some((Cow::Borrowed(name?), part))
}

/// A parameter of `form-data; name="x"; filename="y"`. Browsers write `%22` for a quote in it.
fn parameter<'v>(value: &'v str, wanted: &str) -> Option<&'v str> {
    let (_, mut rest) = value.split_once(';')?;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (text, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(wanted) {
            return Some(text.trim());
        }
        rest = after.split_once(';')?.1;
    }
}
