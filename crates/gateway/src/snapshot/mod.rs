//! The snapshot: the bytes a control plane sends, and what they become before a request meets them.
//!
//! One header line, then JSON:
//!
//! ```text
//! hauberk-snapshot 1 <version> <SHA-256 in hex of everything after this line>
//! ```

mod compile;
mod document;
mod operations;
mod schemas;
mod settings;

use openssl::sha::sha256;

pub(crate) use compile::{Compiler, Enforced, Rule, RuleAction, Zone};
pub(crate) use operations::{Mitigation, Operations, SavedOperation};
pub(crate) use settings::{OversizeBody, Settings, Suspicious};

use crate::error::Refused;

/// The format this gateway enforces.
const FORMAT: &str = "1";

/// Longest header line: name, format, a 20-digit version and a digest need about 110 bytes.
const MAX_HEADER_BYTES: usize = 256;

/// Checks the header line against the rest.
///
/// # Errors
///
/// A header of another shape or format, or a body of another digest: cut off, or changed on the way.
pub(crate) fn open(bytes: &[u8]) -> Result<(u64, &[u8]), Refused> {
    let refuse = |reason: &str| Refused::new("header", reason);
    let end = bytes
        .iter()
        .take(MAX_HEADER_BYTES)
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| refuse("there is no header line"))?;
    let (header, body) = (&bytes[..end], &bytes[end + 1..]);
    let header = std::str::from_utf8(header).map_err(|_| refuse("it is not text"))?;
    let mut words = header.split(' ');
    let (Some("hauberk-snapshot"), Some(format), Some(version), Some(digest), None) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return Err(refuse(
            "it should read: hauberk-snapshot 1 <version> <sha256>",
        ));
    };
    if format != FORMAT {
        return Err(Refused::new(
            "header",
            format_args!("format {format:?} is not known here, only {FORMAT}"),
        ));
    }
    let version = version
        .parse()
        .map_err(|_| refuse("the version is not a whole number"))?;
    if !digest.eq_ignore_ascii_case(&hex(&sha256(body))) {
        return Err(refuse(
            "the digest differs from the content: it was cut off or changed on the way",
        ));
    }
    Ok((version, body))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}
