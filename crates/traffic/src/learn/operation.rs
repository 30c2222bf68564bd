//! What is known of the requests of one operation.

use std::borrow::Cow;

use super::body::learn_json;
use super::days::Times;
use super::decode;
use super::form::learn_form;
use super::headers::{Headers, Takers};
use super::media_type::MediaType;
use super::multipart::learn_multipart;
use super::names::{Cursor, Named};
use super::node::{Node, Room};
use super::parameter::Parameters;
use super::query::learn_query;
use super::secret::Hiding;
use super::seen::Seen;
use super::support::Support;
use super::tape::{Tape, Unreadable};

/// So many media types, and charsets of each, are told apart.
pub(super) const MAX_MEDIA_TYPES: usize = 32;

/// Everything an operation has been asked, summed up.
///
/// It is a function of the requests alone, whatever their order, and of two that were summed up apart [`merge`](Self::merge) makes what both
/// together would have made; as long as [`left_out`](Self::left_out) is 0, see [`MAX_PLACES`](super::node::MAX_PLACES).
#[derive(Debug, Clone, Default)]
pub struct OperationProfile {
    pub(super) requests: Support,
    /// Requests of which it can be told whose they are.
    pub(super) identified: u64,
    pub(super) times: Times,
    pub(super) path: Vec<Parameters>,
    pub(super) query: Parameters,
    pub(super) headers: Parameters,
    pub(super) cookies: Parameters,
    pub(super) bodies: Named<Body>,
    pub(super) without_body: Support,
    /// Places and media types there was no room for, each time they came.
    pub(super) left_out: u64,
    /// How many places the bodies have.
    pub(super) places: usize,
}

/// What is known of the bodies of one media type.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub(super) present: Support,
    pub(super) charsets: Named<Support>,
    /// Not what their type says.
    pub(super) unreadable: Support,
    /// Parts that are files, by name.
    pub(super) files: Named<Support>,
    pub(super) node: Node,
}

/// A request, taken apart as far as its operation is to be found.
pub(super) struct Request<'r> {
    /// As they stand in the path.
    pub(super) variables: &'r [&'r str],
    pub(super) query: Option<&'r str>,
    pub(super) headers: &'r [crate::Header<'r>],
    pub(super) body: Content<'r>,
    /// Who sent it can be told.
    pub(super) is_identified: bool,
}

/// The body of a request.
pub(super) enum Content<'r> {
    None,
    Text(&'r str),
    /// No text as a whole.
    Bytes(&'r [u8]),
    /// There was one, and it was not recorded.
    Omitted,
    /// The record of it is broken.
    Broken,
}

/// What is used again for each request.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) tape: Tape,
    pub(super) headers: Headers,
}

impl OperationProfile {
    /// Learns from a request.
    pub(super) fn learn(&mut self, request: &Request<'_>, tools: &mut Tools, seen: &Seen) {
        self.requests.add(seen);
        self.identified = self
            .identified
            .saturating_add(u64::from(request.is_identified));
        if let Some(at) = seen.at {
            self.times.add(at);
        }
        self.learn_path(request.variables, seen);
        self.query.begin();
        if let Some(query) = request.query {
            learn_query(query, &mut self.query, seen);
        }
        self.query.end(seen);
        self.headers.begin();
        self.cookies.begin();
        let mut takers = Takers {
            headers: &mut self.headers,
            cookies: &mut self.cookies,
        };
        tools.headers.learn(request.headers, &mut takers, seen);
        self.headers.end(seen);
        self.cookies.end(seen);
        self.learn_body(request, &mut tools.tape, seen);
    }

    fn learn_path(&mut self, variables: &[&str], seen: &Seen) {
        if self.path.len() < variables.len() {
            self.path.resize_with(variables.len(), Parameters::default);
        }
        for (known, variable) in self.path.iter_mut().zip(variables) {
            known.begin();
            if let Some(text) = decode::path(variable) {
                known.add("", &text, seen);
            }
            known.end(seen);
        }
    }

    fn learn_body(&mut self, request: &Request<'_>, tape: &mut Tape, seen: &Seen) {
        if matches!(request.body, Content::None) {
            self.without_body.add(seen);
            return;
        }
        let stated = header(request.headers, "content-type");
        let media_type = stated.and_then(MediaType::parse);
        let essence = media_type
            .as_ref()
            .map_or("", |media_type| &media_type.essence);
        let Some(at) = named(&mut self.bodies, essence) else {
            self.left_out = self.left_out.saturating_add(1);
            return;
        };
        let body = self.bodies.value(at);
        body.present.add(seen);
        let charset = media_type
            .as_ref()
            .and_then(|known| known.charset.as_deref());
        if let Some(at) = charset.and_then(|charset| named(&mut body.charsets, charset)) {
            body.charsets.value(at).add(seen);
        }
        let mut room = Room {
            places: self.places,
            left_out: 0,
        };
        // A body that is coded (gzip) is not what its type says before that is undone.
        let is_coded = header(request.headers, "content-encoding")
            .is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"));
        let read = body.learn(&request.body, media_type.as_ref(), tape, seen, &mut room);
        if read.is_err() && !is_coded {
            body.unreadable.add(seen);
        }
        self.places = room.places;
        self.left_out = self.left_out.saturating_add(room.left_out);
    }

    /// Takes in what another one knows of the same operation.
    pub fn merge(&mut self, other: Self) {
        self.requests.merge(&other.requests);
        self.identified = self.identified.saturating_add(other.identified);
        self.times.merge(&other.times);
        if self.path.len() < other.path.len() {
            self.path.resize_with(other.path.len(), Parameters::default);
        }
        for (known, other) in self.path.iter_mut().zip(other.path) {
            known.merge(other);
        }
        self.query.merge(other.query);
        self.headers.merge(other.headers);
        self.cookies.merge(other.cookies);
        self.without_body.merge(&other.without_body);
        self.left_out = self.left_out.saturating_add(other.left_out);
        let mut room = Room {
            places: self.places + other.places,
            left_out: 0,
        };
        for entry in other.bodies.into_entries() {
            match named(&mut self.bodies, &entry.name) {
                Some(at) => self.bodies.value(at).merge(entry.value, &mut room),
                None => room.left_out += 1,
            }
        }
        self.left_out = self.left_out.saturating_add(room.left_out);
        self.places = self.count_places();
    }

    pub(super) fn count_places(&self) -> usize {
        self.bodies
            .iter()
            .map(|body| body.value.node.places())
            .sum()
    }

    /// How many requests it has learned from.
    pub fn requests(&self) -> u64 {
        self.requests.requests()
    }
}

impl Body {
    fn learn(
        &mut self,
        content: &Content<'_>,
        media_type: Option<&MediaType>,
        tape: &mut Tape,
        seen: &Seen,
        room: &mut Room,
    ) -> Result<(), Unreadable> {
        let bytes = match content {
            Content::None | Content::Omitted => return Ok(()),
            Content::Broken => return Err(Unreadable),
            Content::Text(text) => text.as_bytes(),
            Content::Bytes(bytes) => bytes,
        };
        let text = match content {
            Content::Text(text) => Ok(*text),
            _ => std::str::from_utf8(bytes).map_err(|_| Unreadable),
        };
        let Some(media_type) = media_type else {
            // What says nothing of itself may be anything; most often it is JSON.
            return match text {
                Ok(text) if text.trim_ascii_start().starts_with(['{', '[']) => {
                    learn_json(text, tape, &mut self.node, Hiding::Open, seen, room)
                }
                _ => Ok(()),
            };
        };
        if media_type.is_json() {
            learn_json(text?, tape, &mut self.node, Hiding::Open, seen, room)
        } else if media_type.is_form() {
            let text = text?;
            // `curl` says so of everything.
            if text.starts_with(['{', '[']) && tape.read(text).is_ok() {
                return Err(Unreadable);
            }
            learn_form(text, &mut self.node, seen, room)
        } else if media_type.is_multipart() {
            let boundary = media_type.boundary.as_deref().ok_or(Unreadable)?;
            let files = &mut self.files;
            let file = |name: &str| {
                if let Some(at) = named(files, name) {
                    files.value(at).add(seen);
                }
            };
            learn_multipart(bytes, boundary, &mut self.node, tape, seen, room, file)
        } else {
            Ok(())
        }
    }

    fn merge(&mut self, other: Self, room: &mut Room) {
        self.present.merge(&other.present);
        self.unreadable.merge(&other.unreadable);
        for (known, others) in [
            (&mut self.charsets, other.charsets),
            (&mut self.files, other.files),
        ] {
            for entry in others.into_entries() {
                if let Some(at) = named(known, &entry.name) {
                    known.value(at).merge(&entry.value);
                }
            }
        }
        self.node.merge(other.node, room);
    }
}

/// The place of a name in a small table, where there is room.
fn named<T: Default>(table: &mut Named<T>, name: &str) -> Option<usize> {
    let mut cursor = Cursor::default();
    match table.find(name, &mut cursor) {
        Some(at) => Some(at),
        None if table.len() < MAX_MEDIA_TYPES => {
            Some(table.insert(name, T::default(), &mut cursor))
        }
        None => None,
    }
}

fn header<'h>(headers: &'h [crate::Header<'h>], name: &str) -> Option<&'h str> {
    let found = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name));
    found.map(|header| header.value.as_ref())
}

/// A body in base64, as a record has it.
pub(super) fn from_base64(text: &str) -> Option<Cow<'_, [u8]>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    STANDARD.decode(text.trim_ascii()).ok().map(Cow::Owned)
}
