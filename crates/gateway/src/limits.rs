//! Bounds on the head of a request, and framings that two servers could read differently.

use http::HeaderMap;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING};
use pingora::proxy::Session;
use smallvec::SmallVec;

use crate::forward::is_spelling;
use crate::refusal::Refusal;
use crate::snapshot::Settings;

/// The longest registered method has half of it. What is longer has no place in an event.
const MAX_METHOD_BYTES: usize = 32;

/// Checks the head of a request.
///
/// # Errors
///
/// 431 for more header fields or bytes than the settings allow, 400 for lines or a body whose end is not clear, or a method
/// that cannot be one.
pub(crate) fn check_head(session: &Session, settings: &Settings) -> Result<(), Refusal> {
    let headers = &session.req_header().headers;
    let (count, bytes) = match session.as_http1() {
        Some(http1) => (headers.len(), http1.get_headers_raw_bytes().len()),
        None => (headers.len(), size(headers)),
    };
    if count > settings.max_header_count {
        return Err(too_large("more header fields than this gateway takes"));
    }
    if bytes > settings.max_header_bytes {
        return Err(too_large("more bytes of header than this gateway takes"));
    }
    if session.req_header().method.as_str().len() > MAX_METHOD_BYTES {
        return Err(Refusal::new(400, "malformed_request", "the method is too long").closing());
    }
    check_framing(session, headers)
}

/// Takes away the fields that `Connection` says are for the next hop only. They never reach the origin, so they must not
/// be judged as if they did.
///
/// # Errors
///
/// 400 when a field is named that tells where the body ends.
pub(crate) fn drop_nominated(session: &mut Session) -> Result<(), Refusal> {
    let nominations = session.req_header().headers.get_all(CONNECTION).iter();
    let mut names: SmallVec<[HeaderName; 2]> = SmallVec::new();
    for option in nominations.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')) {
        // What is no name names no field; Pingora refuses it later.
        let Ok(name) = HeaderName::from_bytes(option.trim_ascii()) else {
            continue;
        };
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING || name == HOST {
            return unclear("Connection names a field that every hop needs");
        }
        if !matches!(name.as_str(), "close" | "keep-alive" | "upgrade") {
            names.push(name);
        }
    }
    for name in &names {
        session.req_header_mut().remove_header(name);
    }
    Ok(())
}

fn too_large(detail: &'static str) -> Refusal {
    Refusal::new(431, "header_too_large", detail).closing()
}

/// As HTTP/2 counts them: 32 bytes more for each field.
fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

fn unclear(detail: &'static str) -> Result<(), Refusal> {
    Err(Refusal::new(400, "unclear_framing", detail).closing())
}

fn check_framing(session: &Session, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next()
        && (lengths.next().is_some() || !is_length(length.as_bytes()))
    {
        return unclear("Content-Length is there twice, or is not a number");
    }
    if headers.keys().any(misspells_framing) {
        return unclear("a field is Content-Length or Transfer-Encoding but for its spelling");
    }
    if let Some(http1) = session.as_http1() {
        let head = http1.get_headers_raw_bytes();
        if !has_clear_lines(&head) {
            return unclear("a line ends otherwise than with CR LF");
        }
        let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
        if let Some(coding) = codings.next() {
            if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                return unclear("Transfer-Encoding is something else than chunked");
            }
            // Pingora has let go of a Content-Length beside it; the bytes still show it.
            if has_line(&head, b"content-length:") {
                return unclear("both Content-Length and Transfer-Encoding are there");
            }
        }
    }
    Ok(())
}

/// A number in its shortest spelling: with a zero before it, some take it for octal.
fn is_length(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit) && (text.len() == 1 || text.first() != Some(&b'0'))
}

/// `Content_Length` is no length, but becomes one in application servers that turn names into variables.
fn misspells_framing(name: &HeaderName) -> bool {
    [CONTENT_LENGTH, TRANSFER_ENCODING]
        .iter()
        .any(|framing| name != framing && is_spelling(name.as_str(), framing.as_str()))
}

/// Whether CR and LF come in pairs only. Some servers take one alone for the end of a line, others do not.
fn has_clear_lines(head: &[u8]) -> bool {
    let ones = |is: bool| usize::from(is);
    let count = |wanted| head.iter().map(|byte| ones(*byte == wanted)).sum::<usize>();
    let both = head.iter().zip(head.iter().skip(1));
    let pairs = both
        .map(|pair| ones(pair == (&b'\r', &b'\n')))
        .sum::<usize>();
    pairs == count(b'\r') && pairs == count(b'\n')
}

/// Whether a line of the head begins with `name`, given in lower case.
fn has_line(head: &[u8], name: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n').any(|line| {
        line.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}
