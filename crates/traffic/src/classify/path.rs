//! Features of the path.

use super::feature::{At, Vector};
use super::media::{extension, lower};
use super::words::{Word, path_word};

/// As much of a path or query is looked at; the length is told of the whole.
pub(super) const MAX_BYTES: usize = 512;
/// As many words of a path are looked up.
const MAX_WORDS: usize = 32;
/// The longest word of the lists is shorter.
pub(super) const MAX_WORD_BYTES: usize = 20;

/// What a segment looks like, as the feature `last_kind` numbers it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SegmentKind {
    Other = 1,
    Word = 2,
    Number = 3,
    Token = 4,
}

/// What is counted over the segments of a path.
#[derive(Default)]
struct Path {
    depth: usize,
    version_at: usize,
    numbers: usize,
    tokens: usize,
    words: usize,
    plurals: usize,
    camel: usize,
    underscore: usize,
    dashes: usize,
    longest: usize,
    digits: usize,
    escapes: usize,
    odd: usize,
    dots: usize,
}

pub(super) fn path_features(path: &str, vector: &mut Vector) {
    let bytes = &path.as_bytes()[..path.len().min(MAX_BYTES)];
    let mut seen = Path::default();
    let mut words = WordCounts::default();
    let mut last: &[u8] = b"";
    for segment in bytes.split(|byte| *byte == b'/') {
        if segment.is_empty() {
            continue;
        }
        if seen.depth > 0 && last.contains(&b'.') {
            seen.dots += 1;
        }
        seen.depth += 1;
        last = segment;
        seen.segment(segment, &mut words);
    }
    words.set(vector);

    vector.count(At::PathDepth, seen.depth);
    vector.count(At::PathLength, path.len());
    vector.set(At::PathEndsInSlash, path.len() > 1 && path.ends_with('/'));
    vector.count(At::PathVersion, seen.version_at);
    vector.count(At::PathNumbers, seen.numbers);
    vector.count(At::PathTokens, seen.tokens);
    vector.count(At::PathWordSegments, seen.words);
    vector.count(At::PathPlurals, seen.plurals);
    vector.count(At::PathCamel, seen.camel);
    vector.count(At::PathUnderscore, seen.underscore);
    vector.count(At::PathDashes, seen.dashes);
    vector.count(At::PathLongest, seen.longest);
    #[expect(clippy::cast_precision_loss, reason = "both are at most 512")]
    vector.set(
        At::PathDigits,
        seen.digits as f32 / bytes.len().max(1) as f32,
    );
    vector.count(At::PathEscapes, seen.escapes);
    vector.count(At::PathOdd, seen.odd);
    vector.count(At::PathDots, seen.dots);
    last_segment(last, vector);
}

impl Path {
    fn segment(&mut self, segment: &[u8], words: &mut WordCounts) {
        let shape = Shape::of(segment, words);
        self.longest = self.longest.max(segment.len());
        self.digits += shape.digits;
        self.escapes += shape.escapes;
        self.odd += shape.odd;
        self.dashes = self.dashes.max(shape.dashes);
        self.underscore += usize::from(shape.underscores > 0);
        self.camel += usize::from(shape.humps > 0 && shape.digits * 4 < segment.len());
        if self.version_at == 0 && is_version(segment) {
            self.version_at = self.depth;
            return;
        }
        match shape.kind(segment) {
            SegmentKind::Number => self.numbers += 1,
            SegmentKind::Token => self.tokens += 1,
            SegmentKind::Word => {
                self.words += 1;
                self.plurals += usize::from(segment.len() > 3 && segment.ends_with(b"s"));
            }
            SegmentKind::Other => {}
        }
    }
}

/// The bytes of a segment by what they are.
#[derive(Default)]
struct Shape {
    lower: usize,
    upper: usize,
    digits: usize,
    hex: usize,
    dashes: usize,
    underscores: usize,
    escapes: usize,
    odd: usize,
    /// How often an upper-case letter follows a lower-case one.
    humps: usize,
    /// How often a letter follows a digit or the other way round.
    changes: usize,
}

impl Shape {
    /// Looks at a segment; its words are counted on the way.
    fn of(segment: &[u8], words: &mut WordCounts) -> Self {
        let mut shape = Self::default();
        let mut before = 0_u8;
        let mut word_start = 0;
        for (at, &byte) in segment.iter().enumerate() {
            let mut ends_word = false;
            match byte {
                b'a'..=b'z' => {
                    shape.lower += 1;
                    shape.hex += usize::from(byte <= b'f');
                    shape.changes += usize::from(before.is_ascii_digit());
                }
                b'A'..=b'Z' => {
                    shape.upper += 1;
                    shape.hex += usize::from(byte <= b'F');
                    shape.changes += usize::from(before.is_ascii_digit());
                    if before.is_ascii_lowercase() {
                        shape.humps += 1;
                        words.add(&segment[word_start..at]);
                        word_start = at;
                    }
                }
                b'0'..=b'9' => {
                    shape.digits += 1;
                    shape.hex += 1;
                    shape.changes += usize::from(before.is_ascii_alphabetic());
                }
                b'-' => {
                    shape.dashes += 1;
                    ends_word = true;
                }
                b'_' => {
                    shape.underscores += 1;
                    ends_word = true;
                }
                b'%' => {
                    shape.escapes += 1;
                    ends_word = true;
                }
                b'"' | b'\'' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';'
                | b'|' | b'\\' | b'^' | b'`' | b'*' => {
                    shape.odd += 1;
                    ends_word = true;
                }
                b'.' => {
                    shape.odd += usize::from(before == b'.');
                    ends_word = true;
                }
                _ => ends_word = true,
            }
            if ends_word {
                words.add(&segment[word_start..at]);
                word_start = at + 1;
            }
            before = byte;
        }
        words.add(&segment[word_start..]);
        shape
    }

    fn kind(&self, segment: &[u8]) -> SegmentKind {
        let length = segment.len();
        if self.digits == length {
            SegmentKind::Number
        } else if self.lower == length {
            SegmentKind::Word
        } else if self.is_token(length) {
            SegmentKind::Token
        } else {
            SegmentKind::Other
        }
    }

    /// UUIDs and digests, and letters so mixed with digits or in case that no person chose them.
    fn is_token(&self, length: usize) -> bool {
        let letters = self.lower + self.upper;
        let alone = letters + self.digits + self.dashes + self.underscores == length;
        alone
            && length >= 8
            && (self.hex + self.dashes == length && self.digits > 0
                || self.changes >= 3
                || self.humps * 4 >= length)
    }
}

/// `v1`, `v2beta1`, `2.0`, `2015-01-09`.
fn is_version(segment: &[u8]) -> bool {
    match segment {
        [b'v' | b'V', first, rest @ ..] if first.is_ascii_digit() && rest.len() < 10 => rest
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.'),
        [first, b'.', second, rest @ ..]
            if first.is_ascii_digit() && second.is_ascii_digit() && rest.len() < 4 =>
        {
            rest.iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b'.')
        }
        [b'1' | b'2', _, _, _, b'-', _, _, b'-', _, _] => segment
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'-'),
        _ => false,
    }
}

fn last_segment(last: &[u8], vector: &mut Vector) {
    let (name, ending) = match last.iter().rposition(|byte| *byte == b'.') {
        Some(at) if at > 0 => (&last[..at], &last[at + 1..]),
        _ => (last, &b""[..]),
    };
    let is_extension = (1..=12).contains(&ending.len())
        && ending.iter().all(u8::is_ascii_alphanumeric)
        && ending.iter().any(u8::is_ascii_alphabetic)
        && !is_version(last);
    vector.set(
        At::Extension,
        if is_extension { extension(ending) } else { 0 },
    );
    let has_digest = is_extension
        && name
            .split(|byte| matches!(byte, b'.' | b'-' | b'_'))
            .any(|part| {
                part.len() >= 6
                    && part.iter().all(u8::is_ascii_alphanumeric)
                    && part.iter().any(u8::is_ascii_digit)
                    && (part.iter().any(u8::is_ascii_alphabetic) || part.len() >= 20)
            });
    vector.set(At::NameHash, has_digest);
    let verb = last.iter().rposition(|byte| *byte == b':');
    let is_verb = verb.is_some_and(|at| {
        at > 0 && at + 2 < last.len() && last[at + 1..].iter().all(u8::is_ascii_alphabetic)
    });
    vector.set(At::PathVerb, is_verb);
    let kind = if last.is_empty() {
        0
    } else {
        Shape::of(name, &mut WordCounts::full()).kind(name) as u8
    };
    vector.set(At::LastKind, kind);
}

/// Words by their kind.
#[derive(Default)]
struct WordCounts {
    kinds: [u8; 8],
    first: u8,
    looked_up: usize,
}

impl WordCounts {
    /// Takes no more words.
    fn full() -> Self {
        Self {
            looked_up: MAX_WORDS,
            ..Self::default()
        }
    }

    fn add(&mut self, word: &[u8]) {
        if !(2..=MAX_WORD_BYTES).contains(&word.len()) || self.looked_up == MAX_WORDS {
            return;
        }
        self.looked_up += 1;
        let mut buffer = [0; MAX_WORD_BYTES];
        let letters = without_number(word);
        if let Some(word) = path_word(lower(letters, &mut buffer)) {
            self.kinds[word as usize] += 1;
            if self.first == 0 {
                self.first = word as u8;
            }
        }
    }

    fn set(&self, vector: &mut Vector) {
        for (at, word) in [
            (At::WordsStatic, Word::Static),
            (At::WordsPage, Word::Page),
            (At::WordsBeacon, Word::Beacon),
            (At::WordsAuth, Word::Auth),
            (At::WordsAction, Word::Action),
            (At::WordsResource, Word::Resource),
            (At::WordsApi, Word::Api),
        ] {
            vector.set(at, self.kinds[word as usize]);
        }
        vector.set(At::FirstWord, self.first);
    }
}

/// The word of `img3`, `oauth2` or `cdn02`.
pub(super) fn without_number(word: &[u8]) -> &[u8] {
    let end = word.iter().rposition(|byte| !byte.is_ascii_digit());
    &word[..end.map_or(0, |at| at + 1)]
}
