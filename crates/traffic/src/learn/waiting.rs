//! Requests that wait to be learned from, until there are many: then those of one operation are taken one after the other.
//!
//! What is known of some hundred operations is far more than a processor keeps at hand. If each request is of another one than the request before, most
//! of the time is spent waiting for memory. In whatever order requests come, the profiles are the same, and those of one
//! operation stay in theirs.

use super::operation::{Content, OperationProfile, Request, Tools};
use super::seen::Seen;
use super::tape::unescape;
use crate::borrowed::Header;

/// So many requests wait at most.
const MAX_REQUESTS: usize = 16_384;

/// When so many bytes wait, no more are taken.
const MAX_BYTES: usize = 4 << 20;

/// Requests that wait to be learned from.
#[derive(Default)]
pub(super) struct Waiting {
    requests: Vec<Waits>,
    /// Bodies, variables, queries and headers, one behind the other.
    texts: String,
    /// Bodies that are no text.
    bytes: Vec<u8>,
    /// Where in `texts` each of them ends.
    ends: Vec<usize>,
}

/// A request that waits: first its body (if it is a text), then its variables, its query, names and values of its headers.
struct Waits {
    /// The place of its operation.
    operation: usize,
    seen: Seen,
    is_identified: bool,
    body: Body,
    variables: usize,
    has_query: bool,
    headers: usize,
    /// Where it begins in `texts` and in `ends`.
    text: usize,
    end: usize,
}

#[derive(Clone, Copy)]
enum Body {
    None,
    Text,
    /// Where in `bytes`.
    Bytes(usize, usize),
    Omitted,
    Broken,
}

/// What was begun with a body and is given up or gets the rest.
pub(super) struct Begun {
    body: Body,
    text: usize,
    end: usize,
    bytes: usize,
}

impl Waiting {
    /// Begins a request with its body.
    pub(super) fn begin(&mut self, body: &Content<'_>) -> Begun {
        let mut begun = self.begun();
        begun.body = match body {
            Content::None | Content::Text("") | Content::Bytes([]) => Body::None,
            Content::Text(text) => {
                self.push(text);
                Body::Text
            }
            Content::Bytes(bytes) => {
                self.bytes.extend_from_slice(bytes);
                Body::Bytes(begun.bytes, self.bytes.len())
            }
            Content::Omitted => Body::Omitted,
            Content::Broken => Body::Broken,
        };
        begun
    }

    /// Begins a request with a body that is a text in JSON, without its quotation marks.
    pub(super) fn begin_json(&mut self, text: &str) -> Begun {
        let mut begun = self.begun();
        begun.body = if !unescape(text, &mut self.texts) {
            self.texts.truncate(begun.text);
            Body::Broken
        } else if self.texts.len() == begun.text {
            Body::None
        } else {
            self.ends.push(self.texts.len());
            Body::Text
        };
        begun
    }

    fn begun(&self) -> Begun {
        Begun {
            body: Body::None,
            text: self.texts.len(),
            end: self.ends.len(),
            bytes: self.bytes.len(),
        }
    }

    /// The bytes of a body; none where there is none.
    pub(super) fn body(&self, begun: &Begun) -> Option<&[u8]> {
        match begun.body {
            Body::Text => Some(&self.texts.as_bytes()[begun.text..]),
            Body::Bytes(start, end) => Some(&self.bytes[start..end]),
            Body::None | Body::Omitted | Body::Broken => None,
        }
    }

    /// Gives up what was begun.
    pub(super) fn give_up(&mut self, begun: &Begun) {
        self.texts.truncate(begun.text);
        self.ends.truncate(begun.end);
        self.bytes.truncate(begun.bytes);
    }

    /// Adds the rest of what was begun, whose own body is of no account.
    pub(super) fn finish(
        &mut self,
        begun: &Begun,
        operation: usize,
        request: &Request<'_>,
        seen: Seen,
    ) {
        for text in request.variables.iter().copied().chain(request.query) {
            self.push(text);
        }
        for header in request.headers {
            self.push(&header.name);
            self.push(&header.value);
        }
        self.requests.push(Waits {
            operation,
            seen,
            is_identified: request.is_identified,
            body: begun.body,
            variables: request.variables.len(),
            has_query: request.query.is_some(),
            headers: request.headers.len(),
            text: begun.text,
            end: begun.end,
        });
    }

    fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    /// Whether it is time to learn from them.
    pub(super) fn is_full(&self) -> bool {
        self.requests.len() >= MAX_REQUESTS || self.texts.len() + self.bytes.len() >= MAX_BYTES
    }

    /// Learns from all that wait.
    pub(super) fn settle(
        &mut self,
        profiles: &mut [Option<Box<OperationProfile>>],
        tools: &mut Tools,
    ) {
        if self.requests.is_empty() {
            return;
        }
        // Those of one operation stay in their order.
        self.requests.sort_by_key(|waits| waits.operation);
        let (mut variables, mut headers) = (Vec::new(), Vec::new());
        for waits in &self.requests {
            let mut start = waits.text;
            let mut texts = self.ends[waits.end..].iter().map(|end| {
                let text = &self.texts[start..*end];
                start = *end;
                text
            });
            let mut next = || texts.next().unwrap_or_default();
            let body = match waits.body {
                Body::None => Content::None,
                Body::Text => Content::Text(next()),
                Body::Bytes(start, end) => Content::Bytes(&self.bytes[start..end]),
                Body::Omitted => Content::Omitted,
                Body::Broken => Content::Broken,
            };
            variables.clear();
            variables.extend((0..waits.variables).map(|_| next()));
            let query = waits.has_query.then(&mut next);
            headers.clear();
            headers.extend((0..waits.headers).map(|_| Header {
                name: next().into(),
                value: next().into(),
            }));
            let request = Request {
                variables: &variables,
                query,
                headers: &headers,
                body,
                is_identified: waits.is_identified,
            };
            let profile = profiles[waits.operation].get_or_insert_default();
            profile.learn(&request, tools, &waits.seen);
        }
        self.clear();
    }

    /// Room is kept for as many again, but not for a body that was larger than all others.
    fn clear(&mut self) {
        self.requests.clear();
        self.ends.clear();
        self.texts.clear();
        self.texts.shrink_to(2 * MAX_BYTES);
        self.bytes.clear();
        self.bytes.shrink_to(2 * MAX_BYTES);
        self.ends.shrink_to(64 * MAX_REQUESTS);
    }
}
