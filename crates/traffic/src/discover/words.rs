//! What is known of words: which ones APIs use as fixed text, and what follows them.
//!
//! The numbers are counted over the publishers of the documents that the path model is made from, one voice each; see
//! `training/paths/`.

use std::collections::HashMap;
use std::sync::OnceLock;

/// How many publishers use a word in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// As fixed text (a whole segment, or a part of one when it is a part of words that is looked up).
    pub fixed: u16,
    /// At the end of a fixed segment that a variable follows.
    pub before_variable: u16,
    /// At the end of a fixed segment that another fixed one follows.
    pub before_fixed: u16,
    /// In an example or enumeration of a variable.
    pub value: u16,
    /// As fixed text in a place where a variable stands too, as `me` does beside the ids of users.
    pub beside_variable: u16,
}

/// The words, and how likely letters are to follow each other in them.
pub(super) struct Lexicon {
    segments: HashMap<Box<str>, Usage>,
    parts: HashMap<Box<str>, Usage>,
    /// Logarithm of the share in hundredths, by first and second letter; 0 is the edge of a word, 1 is `a`.
    pairs: Vec<i16>,
}

/// Letters of the alphabet and the edge.
const LETTERS: usize = 27;
/// The most parts of a segment that are looked at.
const MAX_PARTS: usize = 12;

impl Lexicon {
    /// The one that is compiled in.
    pub(super) fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<Lexicon> = OnceLock::new();
        SHIPPED.get_or_init(|| Self::parse(include_str!("words.tsv")))
    }

    /// Reads the form that `training/paths/` writes: lines of tab-separated fields, the first of which is `pairs`, `s` or `p`.
    pub(super) fn parse(text: &str) -> Self {
        let mut lexicon = Self {
            segments: HashMap::new(),
            parts: HashMap::new(),
            pairs: vec![0; LETTERS * LETTERS],
        };
        for line in text.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            if kind == "pairs" {
                let numbers = fields.filter_map(|field| field.parse().ok());
                for (place, number) in lexicon.pairs.iter_mut().zip(numbers) {
                    *place = number;
                }
                continue;
            }
            let Some(word) = fields.next() else { continue };
            let mut number = || {
                fields
                    .next()
                    .and_then(|field| field.parse().ok())
                    .unwrap_or(0)
            };
            let usage = Usage {
                fixed: number(),
                before_variable: number(),
                before_fixed: number(),
                value: number(),
                beside_variable: number(),
            };
            let map = if kind == "s" {
                &mut lexicon.segments
            } else {
                &mut lexicon.parts
            };
            map.insert(word.into(), usage);
        }
        lexicon
    }

    /// How a whole segment is used; capitals do not count.
    pub(super) fn segment(&self, segment: &str) -> Usage {
        lookup(&self.segments, segment)
    }

    /// How a part of segments is used.
    pub(super) fn part(&self, part: &str) -> Usage {
        lookup(&self.parts, part)
    }

    /// The mean likelihood of the pairs of letters of a segment, as a logarithm: about -2.5 for words, -4 for random letters.
    pub(super) fn fluency(&self, segment: &str) -> f32 {
        let mut sum = 0_i64;
        let mut pairs = 0_i64;
        let mut before = 0;
        for byte in segment.bytes() {
            let letter = match byte {
                b'a'..=b'z' => usize::from(byte - b'a') + 1,
                b'A'..=b'Z' => usize::from(byte - b'A') + 1,
                _ => 0,
            };
            if before != 0 || letter != 0 {
                sum += i64::from(self.pairs[before * LETTERS + letter]);
                pairs += 1;
            }
            before = letter;
        }
        if before != 0 {
            sum += i64::from(self.pairs[before * LETTERS]);
            pairs += 1;
        }
        if pairs == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let mean = sum as f32 / pairs as f32 / 100.0;
        mean
    }
}

fn lookup(map: &HashMap<Box<str>, Usage>, word: &str) -> Usage {
    if word.len() > 64 {
        return Usage::default();
    }
    if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        map.get(word.to_ascii_lowercase().as_str())
    } else {
        map.get(word)
    }
    .copied()
    .unwrap_or_default()
}

/// The runs of letters of a segment, words joined `likeThis` apart.
pub(super) fn parts(segment: &str) -> impl Iterator<Item = &str> {
    let bytes = segment.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !bytes[at].is_ascii_alphabetic() {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
            let begins = at > start
                && bytes[at].is_ascii_uppercase()
                && (bytes[at - 1].is_ascii_lowercase()
                    || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
            if begins {
                break;
            }
            at += 1;
        }
        (at > start).then(|| &segment[start..at])
    })
    .take(MAX_PARTS)
}

/// Whether a word reads as the name of a collection.
pub(super) fn is_plural(word: &str) -> bool {
    let lower = word.as_bytes();
    lower.len() > 3
        && lower[lower.len() - 1].eq_ignore_ascii_case(&b's')
        && !b"sui".contains(&lower[lower.len() - 2].to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_fall_into_words() {
        let cases: [(&str, &[&str]); 5] = [
            ("code-scanning", &["code", "scanning"]),
            ("targetHTTPSProxies", &["target", "HTTPS", "Proxies"]),
            ("getUserByID2", &["get", "User", "By", "ID"]),
            ("123", &[]),
            ("a_b.c", &["a", "b", "c"]),
        ];
        for (segment, wanted) in cases {
            assert_eq!(parts(segment).collect::<Vec<_>>(), wanted, "{segment}");
        }
    }

    #[test]
    fn the_shipped_words_are_small_and_know_the_usual_ones() {
        assert!(include_str!("words.tsv").len() <= 300_000);
        let lexicon = Lexicon::shipped();
        let users = lexicon.segment("Users");
        assert!(users.fixed > 20 && users.before_variable > 10, "{users:?}");
        assert_eq!(lexicon.segment("kX9ajd2Fqq"), Usage::default());
        assert!(lexicon.fluency("repository") > lexicon.fluency("xkqzvjwq"));
    }
}
