//! JSON bodies: what a value of a request says of its place, and of all places in it.

use super::names::Cursor;
use super::node::{MAX_DEPTH, Node, Room};
use super::object::{Members, Object};
use super::secret::{Hiding, SECRET, is_secret};
use super::seen::Seen;
use super::tape::{Kind, NO_TAG, Tape, Token, Unreadable, raw, unescape};

/// Learns from a JSON text. One that is none teaches nothing.
pub(super) fn learn_json(
    text: &str,
    tape: &mut Tape,
    node: &mut Node,
    hiding: Hiding,
    seen: &Seen,
    room: &mut Room,
) -> Result<(), Unreadable> {
    let tokens = tape.read(text)?;
    let mut walk = Walk {
        text,
        tokens,
        seen,
        room,
        text_buffer: String::new(),
        name_buffer: String::new(),
    };
    walk.value(node, 0, MAX_DEPTH, hiding);
    Ok(())
}

struct Walk<'w> {
    text: &'w str,
    tokens: &'w [Token],
    seen: &'w Seen,
    room: &'w mut Room,
    /// What a string with escapes reads.
    text_buffer: String,
    name_buffer: String,
}

impl<'w> Walk<'w> {
    /// Learns from the value at a token, `depth` being how much deeper to look.
    #[inline]
    fn value(&mut self, node: &mut Node, at: usize, depth: usize, hiding: Hiding) {
        let token = self.tokens[at];
        match token.kind {
            Kind::String => {
                let text = raw(self.text, token);
                node.value.string(shown(text, hiding), self.seen);
            }
            Kind::EscapedString => {
                self.text_buffer.clear();
                unescape(raw(self.text, token), &mut self.text_buffer);
                node.value
                    .string(shown(&self.text_buffer, hiding), self.seen);
            }
            Kind::Number => {
                let literal = raw(self.text, token);
                // Masking makes a string of a number that is a secret.
                if hiding.hides(literal) {
                    node.value.string(SECRET, self.seen);
                } else {
                    node.value.number(literal, self.seen);
                }
            }
            Kind::True => node.value.boolean(true, self.seen),
            Kind::False => node.value.boolean(false, self.seen),
            Kind::Null => node.value.null(self.seen),
            Kind::Array => self.array(node, at, depth, hiding),
            Kind::Object => self.object(node, at, depth, hiding),
            // Names stand before values, and are passed with them.
            Kind::Name | Kind::EscapedName => {}
        }
    }

    fn array(&mut self, node: &mut Node, at: usize, depth: usize, hiding: Hiding) {
        let token = self.tokens[at];
        node.value.array(token.end as usize, self.seen);
        if depth == 0 || token.end == 0 {
            return;
        }
        let Some(items) = node.items(self.room) else {
            return;
        };
        let mut item = at + 1;
        while item < token.next as usize {
            self.value(items, item, depth - 1, hiding);
            item = self.tokens[item].next as usize;
        }
    }

    fn object(&mut self, node: &mut Node, at: usize, depth: usize, hiding: Hiding) {
        let token = self.tokens[at];
        node.value.object(token.end as usize, self.seen);
        if depth == 0 {
            return;
        }
        let kind = self.kind(token);
        let object = node.objects().of_kind(kind, self.room);
        object.present.add(self.seen);
        self.members(object, at, depth, hiding);
    }

    /// Which member says the kind of an object, and what it says.
    fn kind(&self, object: Token) -> Option<(u8, &'w str)> {
        if object.tag == NO_TAG {
            return None;
        }
        let value = self.tokens[object.start as usize];
        // Kinds are words: one with escapes, or a secret, is none.
        let is_word = value.kind == Kind::String;
        let text = raw(self.text, value);
        (is_word && !is_secret(text, Hiding::Open)).then_some((object.tag, text))
    }

    fn members(&mut self, object: &mut Object, at: usize, depth: usize, hiding: Hiding) {
        let token = self.tokens[at];
        let mut cursor = Cursor::default();
        let mut shape: u64 = 0;
        let mut is_whole = true;
        let mut name = at + 1;
        while name < token.next as usize {
            let place = self.member(object, name, &mut cursor);
            if let Some(place) = place {
                shape = shape.wrapping_add(place.shape);
                self.value(place.node, name + 1, depth - 1, hiding.max(place.hiding));
            } else {
                is_whole = false;
            }
            name = self.tokens[name + 1].next as usize;
        }
        if is_whole && let Members::Listed(_) = object.members {
            let (text, tokens) = (self.text, self.tokens);
            object.shape(shape, self.seen, || names(text, tokens, at));
        }
    }

    fn member<'o>(
        &mut self,
        object: &'o mut Object,
        name: usize,
        cursor: &mut Cursor,
    ) -> Option<super::object::Place<'o>> {
        let token = self.tokens[name];
        let name = if token.kind == Kind::EscapedName {
            self.name_buffer.clear();
            unescape(raw(self.text, token), &mut self.name_buffer);
            self.name_buffer.as_str()
        } else {
            raw(self.text, token)
        };
        object.member(name, cursor, self.seen, self.room)
    }
}

/// A text, or what stands for it if it is a secret.
#[inline]
fn shown(text: &str, hiding: Hiding) -> &str {
    if is_secret(text, hiding) {
        SECRET
    } else {
        text
    }
}

/// The names of an object.
fn names(text: &str, tokens: &[Token], at: usize) -> Vec<Box<str>> {
    let mut names = Vec::new();
    let mut name = at + 1;
    while name < tokens[at].next as usize {
        let token = tokens[name];
        names.push(match token.kind {
            Kind::EscapedName => super::tape::read(text, token).into(),
            _ => raw(text, token).into(),
        });
        name = tokens[name + 1].next as usize;
    }
    names
}
