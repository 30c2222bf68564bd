//! Parameters of a query, a path, headers and cookies: whether they are there, how often in a request, and their values.

use super::names::{Cursor, Named};
use super::object::MAX_NAME_BYTES;
use super::secret::{Hiding, SECRET, hiding, is_secret};
use super::seen::Seen;
use super::support::Support;
use super::value::ValueProfile;

/// So many names of parameters are kept of a query, and of headers and cookies.
pub(super) const MAX_PARAMETERS: usize = 256;

/// What is known of one parameter.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameter {
    /// How many of its values were not the first of their request.
    pub(super) more: u64,
    /// Requests with more than one of it.
    pub(super) repeated: Support,
    pub(super) value: ValueProfile,
    hiding: Hiding,
    /// The request in which it was seen last, and how often in it.
    last: (u64, usize),
}

impl Parameter {
    fn named(name: &str) -> Self {
        Self {
            hiding: hiding(name),
            ..Self::default()
        }
    }

    /// As it was written down.
    pub(super) fn known(name: &str, more: u64, repeated: Support, value: ValueProfile) -> Self {
        Self {
            more,
            repeated,
            value,
            ..Self::named(name)
        }
    }

    /// Notes a value, in a request of this number; true if it is the second.
    fn add(&mut self, text: &str, is_hidden: bool, request: u64, seen: &Seen) -> bool {
        if self.last.0 == request {
            self.last.1 += 1;
            self.more = self.more.saturating_add(1);
        } else {
            self.last = (request, 1);
        }
        if is_hidden || is_secret(text, self.hiding) {
            self.value.text(SECRET, seen);
        } else {
            self.value.text(text, seen);
        }
        self.last.1 == 2
    }

    /// How many requests had it.
    pub(super) fn present(&self) -> Support {
        self.value.support().with_fewer(self.more)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.more = self.more.saturating_add(other.more);
        self.repeated.merge(&other.repeated);
        self.value.merge(&other.value);
        // The requests of another one have other numbers.
        self.last = (0, 0);
    }
}

/// Parameters of one place by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters {
    pub(super) known: Named<Parameter>,
    /// The number of the request that is being read; the first is 1.
    request: u64,
    cursor: Cursor,
    /// Those that this request has more than once, each once.
    repeated: Vec<u32>,
    pub(super) left_out: u64,
}

impl Parameters {
    /// As they were written down.
    pub(super) fn known(known: Named<Parameter>, left_out: u64) -> Self {
        Self {
            known,
            left_out,
            ..Self::default()
        }
    }

    /// A request begins.
    pub(super) fn begin(&mut self) {
        self.request += 1;
        self.cursor = Cursor::default();
        self.repeated.clear();
    }

    /// The request ends.
    pub(super) fn end(&mut self, seen: &Seen) {
        for at in &self.repeated {
            let parameter = self.known.value(*at as usize);
            parameter.repeated.add(seen);
            parameter.value.count(parameter.last.1, seen);
        }
    }

    /// Notes a parameter of the request.
    pub(super) fn add(&mut self, name: &str, text: &str, seen: &Seen) {
        self.note(name, text, false, seen);
    }

    /// Notes a parameter of the request whose value is a secret.
    pub(super) fn add_hidden(&mut self, name: &str, seen: &Seen) {
        self.note(name, SECRET, true, seen);
    }

    fn note(&mut self, name: &str, text: &str, is_hidden: bool, seen: &Seen) {
        let at = match self.known.find(name, &mut self.cursor) {
            Some(at) => at,
            None if self.known.len() < MAX_PARAMETERS && name.len() <= MAX_NAME_BYTES => self
                .known
                .insert(name, Parameter::named(name), &mut self.cursor),
            None => {
                self.left_out = self.left_out.saturating_add(1);
                return;
            }
        };
        let request = self.request;
        if self.known.value(at).add(text, is_hidden, request, seen) {
            self.repeated.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.left_out = self.left_out.saturating_add(other.left_out);
        let mut cursor = Cursor::default();
        for entry in other.known.into_entries() {
            match self.known.find(&entry.name, &mut cursor) {
                Some(at) => self.known.value(at).merge(&entry.value),
                None if self.known.len() < MAX_PARAMETERS => {
                    let mut parameter = entry.value;
                    parameter.last = (0, 0);
                    self.known.insert(&entry.name, parameter, &mut cursor);
                }
                None => self.left_out = self.left_out.saturating_add(1),
            }
        }
    }
}
