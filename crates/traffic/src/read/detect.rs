//! Tells the format of a capture from its beginning.

use memchr::memchr_iter;

use super::sink::Odd;
use super::{FieldMap, Format, ReadError, access_log, har, json_log, ndjson};

/// So many lines are tried at most.
const MAX_LINES: usize = 100;

/// The format of a capture, unpacked, that begins so. The more of it is given, the surer is the answer; 256 KiB are plenty.
///
/// # Errors
///
/// [`ReadError::MitmproxyFlows`] or [`ReadError::Unrecognised`].
pub fn detect(beginning: &[u8]) -> Result<Format, ReadError> {
    let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    if har::is_har(beginning) {
        return Ok(Format::Har);
    }
    if is_flow_file(beginning) {
        return Err(ReadError::MitmproxyFlows);
    }
    let fields = FieldMap::default();
    let (mut records, mut json, mut logged) = (0, 0, 0);
    for line in lines(beginning).take(MAX_LINES) {
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        let line = line.trim_ascii();
        let fits = |odd: Result<(), Odd>| usize::from(matches!(odd, Ok(()) | Err(Odd::Skipped)));
        if line.starts_with('{') {
            let record = fits(ndjson::read(line, &mut |_| ()));
            records += record;
            json += usize::from(record == 0) * fits(json_log::read(line, &fields, "", &mut |_| ()));
        } else if !line.is_empty() && !line.starts_with('#') {
            logged += fits(access_log::read(line, "", &mut |_| ()));
        }
    }
    let most = records.max(json).max(logged);
    match most {
        0 if beginning.trim_ascii().is_empty() => Ok(Format::Ndjson),
        0 => unfinished(beginning, fields),
        most if most == records => Ok(Format::Ndjson),
        most if most == json => Ok(Format::JsonLog(fields)),
        _ => Ok(Format::AccessLog),
    }
}

/// The lines, the last one also if it is not closed.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b'\n', text)
        .chain([text.len()])
        .map(move |end| {
            let line = &text[start.min(end)..end];
            start = end + 1;
            line
        })
}

/// A line so long that its end is not seen: its first members must tell.
fn unfinished(beginning: &[u8], fields: FieldMap) -> Result<Format, ReadError> {
    let has = |name: &str| {
        let name = format!("\"{name}\"");
        memchr::memmem::find(beginning, name.as_bytes()).is_some()
    };
    let is_object = beginning.trim_ascii_start().starts_with(b"{");
    if !is_object {
        Err(ReadError::Unrecognised)
    } else if has("method") && has("url") && has("host") {
        Ok(Format::Ndjson)
    } else if [
        "ClientRequestMethod",
        "RequestMethod",
        "request_method",
        "request",
    ]
    .iter()
    .any(|name| has(name))
    {
        Ok(Format::JsonLog(fields))
    } else {
        Err(ReadError::Unrecognised)
    }
}

/// Whether it begins as mitmproxy's flow files do: the length of a dictionary, a colon, and the length of its first name.
fn is_flow_file(beginning: &[u8]) -> bool {
    let mut parts = beginning.splitn(3, |byte| *byte == b':');
    let mut is_length = || {
        parts.next().is_some_and(|part| {
            (1..=12).contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
        })
    };
    is_length() && is_length()
}
