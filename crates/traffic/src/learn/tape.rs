//! JSON text as a flat list of tokens, made in one pass before anything is learned from it.
//!
//! A body that turns out to be broken at its end must teach nothing, and an object may name its kind in its last member:
//! both need the whole text to be known first. A token takes 16 bytes and the list is used again for the next body, so no
//! tree is built. What a gateway refuses whatever the schema says is refused here as well: a member that comes twice, half
//! of a surrogate pair, a byte order mark, text behind the value.

use super::hash::hash;

/// So many tokens one body may have; more is taken for unreadable. They take 64 MiB.
const MAX_TOKENS: usize = 4 * 1024 * 1024;

/// Members that name the kind of an object, the first of them before the others.
pub(super) const TAG_NAMES: [&str; 12] = [
    "type",
    "kind",
    "object",
    "event",
    "action",
    "op",
    "role",
    "method",
    "mode",
    "@type",
    "$type",
    "__typename",
];

/// What a token is. Names stand before their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Name,
    String,
    /// With escapes.
    EscapedName,
    /// With escapes.
    EscapedString,
    Number,
    True,
    False,
    Null,
}

/// A token; what `start` and `end` are depends on its kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Of an object: the number of the name in [`TAG_NAMES`] that says its kind; else [`NO_TAG`].
    pub(super) tag: u8,
    /// Of text and numbers: where they begin, without quotes. Of an object: the token of the tag's value.
    pub(super) start: u32,
    /// Of text and numbers: where they end. Of containers: how many members or items.
    pub(super) end: u32,
    /// The token behind this one and all that is in it.
    pub(super) next: u32,
}

pub(super) const NO_TAG: u8 = u8::MAX;

/// The text is no JSON as a gateway would take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Tokens of one text, and what is needed to make them.
#[derive(Debug, Default)]
pub(super) struct Tape {
    tokens: Vec<Token>,
    /// Containers that are open.
    open: Vec<u32>,
    /// Hashes of the names of one object.
    hashes: Vec<(u64, u32)>,
}

impl Tape {
    /// Reads a text. The first token is its value.
    pub(super) fn read(&mut self, text: &str) -> Result<&[Token], Unreadable> {
        self.tokens.clear();
        self.open.clear();
        if text.len() > u32::MAX as usize {
            return Err(Unreadable);
        }
        Scan {
            text,
            bytes: text.as_bytes(),
            at: 0,
            tape: self,
        }
        .run()?;
        Ok(&self.tokens)
    }
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    tape: &'t mut Tape,
}

type Done<T = ()> = Result<T, Unreadable>;

impl Scan<'_> {
    fn run(&mut self) -> Done {
        self.skip_whitespace();
        self.value()?;
        while let Some(&open) = self.tape.open.last() {
            self.skip_whitespace();
            let is_object = self.tape.tokens[open as usize].kind == Kind::Object;
            match (self.peek(), is_object) {
                (Some(b','), true) => {
                    self.at += 1;
                    self.member(open)?;
                }
                (Some(b','), false) => {
                    self.at += 1;
                    self.skip_whitespace();
                    self.tape.tokens[open as usize].end += 1;
                    self.value()?;
                }
                (Some(b'}'), true) => {
                    self.at += 1;
                    self.close_object(open)?;
                }
                (Some(b']'), false) => {
                    self.at += 1;
                    self.close(open);
                }
                _ => return Err(Unreadable),
            }
        }
        self.skip_whitespace();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(Unreadable)
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the text is shorter than 4 GiB, as is the list of its tokens"
    )]
    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Done {
        let next = self.tape.tokens.len() + 1;
        if next > MAX_TOKENS {
            return Err(Unreadable);
        }
        self.tape.tokens.push(Token {
            kind,
            tag: NO_TAG,
            start: start as u32,
            end: end as u32,
            next: next as u32,
        });
        Ok(())
    }

    /// A value, or of a container what opens it and the first thing in it.
    #[inline]
    fn value(&mut self) -> Done {
        loop {
            match self.peek() {
                Some(b'"') => return self.string(Kind::String, Kind::EscapedString),
                Some(b'{') => {
                    let open = self.open(Kind::Object)?;
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                        self.close(open);
                        return Ok(());
                    }
                    self.name(open)?;
                }
                Some(b'[') => {
                    let open = self.open(Kind::Array)?;
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        self.close(open);
                        return Ok(());
                    }
                    self.tape.tokens[open as usize].end = 1;
                }
                Some(b'-' | b'0'..=b'9') => return self.number(),
                Some(b't') => return self.word("true", Kind::True),
                Some(b'f') => return self.word("false", Kind::False),
                Some(b'n') => return self.word("null", Kind::Null),
                _ => return Err(Unreadable),
            }
        }
    }

    fn open(&mut self, kind: Kind) -> Done<u32> {
        #[allow(clippy::cast_possible_truncation, reason = "at most MAX_TOKENS")]
        let open = self.tape.tokens.len() as u32;
        self.push(kind, 0, 0)?;
        self.tape.open.push(open);
        self.at += 1;
        self.skip_whitespace();
        Ok(open)
    }

    /// Another member.
    #[inline]
    fn member(&mut self, open: u32) -> Done {
        self.skip_whitespace();
        self.name(open)?;
        self.value()
    }

    /// The name of a member, up to its value.
    #[inline]
    fn name(&mut self, open: u32) -> Done {
        if self.peek() != Some(b'"') {
            return Err(Unreadable);
        }
        let name = self.tape.tokens.len();
        self.string(Kind::Name, Kind::EscapedName)?;
        self.skip_whitespace();
        if self.peek() != Some(b':') {
            return Err(Unreadable);
        }
        self.at += 1;
        self.skip_whitespace();
        let object = &mut self.tape.tokens[open as usize];
        object.end += 1;
        // Only a name that is written without escapes says the kind: nobody escapes a `t`.
        if self.peek() == Some(b'"') {
            self.tag(open, name);
        }
        Ok(())
    }

    /// Notes that a member may say what kind of object it is in.
    #[inline]
    fn tag(&mut self, open: u32, name: usize) {
        let token = self.tape.tokens[name];
        let length = token.end - token.start;
        if token.kind != Kind::Name || !(2..=10).contains(&length) {
            return;
        }
        let text = &self.text[token.start as usize..token.end as usize];
        if let Some(rank) = tag_rank(text) {
            let object = &mut self.tape.tokens[open as usize];
            if rank < object.tag {
                object.tag = rank;
                object.start = token.next;
            }
        }
    }

    #[inline]
    fn close(&mut self, open: u32) {
        #[allow(clippy::cast_possible_truncation, reason = "at most MAX_TOKENS")]
        let next = self.tape.tokens.len() as u32;
        self.tape.tokens[open as usize].next = next;
        self.tape.open.pop();
    }

    fn close_object(&mut self, open: u32) -> Done {
        self.close(open);
        if self.tape.tokens[open as usize].end > 1 {
            self.refuse_duplicates(open)?;
        }
        Ok(())
    }

    /// Compares the names of an object that has just been closed.
    fn refuse_duplicates(&mut self, open: u32) -> Done {
        let Tape { tokens, hashes, .. } = &mut *self.tape;
        hashes.clear();
        // Which of 64 values the hashes have had: most objects have few names, and most of those no value in common.
        let (mut had, mut is_doubtful) = (0_u64, false);
        let mut at = open as usize + 1;
        let mut place = 0;
        while place < tokens[open as usize].end {
            let name = tokens[at];
            let hashed = match name.kind {
                Kind::EscapedName => hash(read(self.text, name).as_bytes()),
                _ => hash(raw(self.text, name).as_bytes()),
            };
            let bit = 1 << (hashed & 63);
            is_doubtful |= had & bit != 0;
            had |= bit;
            #[allow(clippy::cast_possible_truncation, reason = "at most MAX_TOKENS")]
            hashes.push((hashed, at as u32));
            at = tokens[at + 1].next as usize;
            place += 1;
        }
        if !is_doubtful {
            return Ok(());
        }
        hashes.sort_unstable();
        let is_twice = hashes.windows(2).any(|pair| {
            // Another name of the same hash stands between two that are equal only if someone went to great lengths.
            pair[0].0 == pair[1].0
        });
        if is_twice { Err(Unreadable) } else { Ok(()) }
    }

    #[inline]
    fn string(&mut self, plain: Kind, escaped: Kind) -> Done {
        self.at += 1;
        let start = self.at;
        let mut kind = plain;
        loop {
            self.at += plain_run(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.push(kind, start, self.at)?;
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    kind = escaped;
                    self.escape()?;
                }
                _ => return Err(Unreadable),
            }
        }
    }

    fn escape(&mut self) -> Done {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.unit()? {
                0xD800..=0xDBFF => {
                    let is_low = self.bytes[self.at..].starts_with(b"\\u")
                        && (0xDC00..=0xDFFF).contains(&self.unit()?);
                    if !is_low {
                        return Err(Unreadable);
                    }
                }
                0xDC00..=0xDFFF => return Err(Unreadable),
                _ => {}
            },
            _ => return Err(Unreadable),
        }
        Ok(())
    }

    /// The UTF-16 unit of `\uXXXX`, which is next.
    fn unit(&mut self) -> Done<u32> {
        let digits = self.bytes.get(self.at + 2..self.at + 6).ok_or(Unreadable)?;
        let mut unit = 0;
        for digit in digits {
            unit = unit * 16 + char::from(*digit).to_digit(16).ok_or(Unreadable)?;
        }
        self.at += 6;
        Ok(unit)
    }

    #[inline]
    fn number(&mut self) -> Done {
        let start = self.at;
        self.at += usize::from(self.bytes[start] == b'-');
        let first = self.at;
        self.digits()?;
        // No zero before other digits.
        if self.bytes[first] == b'0' && self.at > first + 1 {
            return Err(Unreadable);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, self.at)
    }

    #[inline]
    fn digits(&mut self) -> Done {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(Unreadable)
        }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Done {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(Unreadable);
        }
        let start = self.at;
        self.at += word.len();
        self.push(kind, start, self.at)
    }
}

/// The number of a name in [`TAG_NAMES`].
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "there are twelve")]
fn tag_rank(name: &str) -> Option<u8> {
    if !matches!(
        name.as_bytes()[0],
        b't' | b'k' | b'o' | b'e' | b'a' | b'r' | b'm' | b'@' | b'$' | b'_'
    ) {
        return None;
    }
    TAG_NAMES
        .iter()
        .position(|known| *known == name)
        .map(|rank| rank as u8)
}

/// How many bytes stand before the first that ends a string or needs a second look: a quote, a backslash, a control.
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quotes = zero(word ^ (ONES * u64::from(b'"')));
        let backslashes = zero(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let ends = (quotes | backslashes | controls) & HIGHS;
        if ends != 0 {
            return at + ends.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
    at + end.unwrap_or(rest.len())
}

/// The text of a token as it is written.
#[inline]
pub(super) fn raw(text: &str, token: Token) -> &str {
    &text[token.start as usize..token.end as usize]
}

/// The text of a token that has escapes, as it reads.
pub(super) fn read(text: &str, token: Token) -> String {
    let mut out = String::new();
    unescape(raw(text, token), &mut out);
    out
}

/// Adds the text that escapes stand for; false if they are none of JSON, or half of a surrogate pair.
pub(super) fn unescape(escaped: &str, out: &mut String) -> bool {
    let mut rest = escaped;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let Some((character, length)) = escape_at(&rest.as_bytes()[at..]) else {
            return false;
        };
        out.push(character);
        let Some(after) = rest.get(at + length..) else {
            return false;
        };
        rest = after;
    }
    out.push_str(rest);
    true
}

/// The character that an escape stands for, and its length.
fn escape_at(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let digits = bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |unit, digit| {
            Some(unit * 16 + char::from(*digit).to_digit(16)?)
        })
    };
    Some(match bytes.get(1)? {
        b'"' => ('"', 2),
        b'\\' => ('\\', 2),
        b'/' => ('/', 2),
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'u' => match unit(2)? {
            high @ 0xD800..=0xDBFF => {
                let low = bytes[6..].starts_with(b"\\u").then(|| unit(8))??;
                let low = (0xDC00..=0xDFFF).contains(&low).then_some(low)?;
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                (char::from_u32(code)?, 12)
            }
            code => (char::from_u32(code)?, 6),
        },
        _ => return None,
    })
}
