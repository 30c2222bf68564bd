//! Regular expressions of ECMA-262, matched in linear time where the pattern allows it.
//!
//! Three engines, the cheapest that will do: a matcher of our own for the common `^[a-z]{2,8}-[0-9]+$`, the `regex` crate,
//! and `fancy-regex` for lookaround and backreferences, which takes steps back and therefore has a budget.

mod ecma;
mod reach;
mod simple;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::simple::Simple;
use super::engine::Steps;

/// What matching came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// Nobody knows: the pattern took more steps back than it may.
    TooCostly,
}

/// How many steps back a pattern may take, the fewest first. Most matches need few, and how many a match took is not told,
/// so it is paid for in several rates.
const STEPS_BACK: &[usize] = &[1_000, 100_000];

/// The same for patterns that may read the whole text for each step back.
const LONG_STEPS_BACK: &[usize] = &[100, 1_000, 10_000];

/// Steps back that cost one step of judging.
const STEPS_BACK_PER_STEP: usize = 4;

/// Bytes read for a step back that cost one step of judging.
const BYTES_PER_STEP: usize = 16;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    simple: Option<Simple>,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking {
        /// The steps back it may take, the fewest first.
        tries: Box<[(fancy_regex::Regex, usize)]>,
        /// Whether a single step back can be followed by reading all of the text.
        reads_far: bool,
    },
    /// What is no pattern matches nothing; documents with such a pattern are refused.
    Faulty,
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        Self::compile(pattern).unwrap_or(Self {
            simple: None,
            engine: Engine::Faulty,
        })
    }

    /// Compile a pattern.
    ///
    /// # Errors
    ///
    /// If it is no pattern, with the reason.
    pub(crate) fn compile(pattern: &str) -> Result<Self, String> {
        let linear = ecma::to_rust(pattern, true).and_then(|translated| {
            let regex = regex::Regex::new(&translated).map_err(|error| error.to_string())?;
            Ok((Simple::of(&translated), regex))
        });
        let translated = ecma::to_rust(pattern, false)?;
        match linear {
            Ok((simple, regex)) => {
                let engine = Engine::Linear(regex);
                return Ok(Self { simple, engine });
            }
            Err(fault) if !needs_steps_back(&translated) => return Err(fault),
            Err(_) => {}
        }
        let engine = |limit| {
            let mut builder = fancy_regex::RegexBuilder::new(&translated);
            let regex = builder.backtrack_limit(limit).build();
            regex
                .map(|regex| (regex, limit))
                .map_err(|error| error.to_string())
        };
        let reads_far = fancy_regex::Expr::parse_tree(&translated)
            .map_or(true, |tree| reach::is_far(&tree.expr));
        let limits = if reads_far {
            LONG_STEPS_BACK
        } else {
            STEPS_BACK
        };
        let tries = limits.iter().map(|limit| engine(*limit));
        Ok(Self {
            simple: None,
            engine: Engine::Backtracking {
                tries: tries.collect::<Result<_, _>>()?,
                reads_far,
            },
        })
    }

    /// Whether some part of `text` matches.
    #[inline]
    pub(crate) fn matches(&self, text: &str, steps: &mut Steps) -> Match {
        if let Some(simple) = &self.simple
            && let Some(matches) = simple.matches(text.as_bytes())
        {
            return if matches { Match::Yes } else { Match::No };
        }
        self.engine.matches(text, steps)
    }
}

impl Engine {
    fn matches(&self, text: &str, steps: &mut Steps) -> Match {
        match self {
            Self::Linear(regex) => {
                // Some patterns make `regex-automata` 0.4 panic: https://github.com/rust-lang/regex/issues/1344.
                match catch_unwind(AssertUnwindSafe(|| regex.is_match(text))) {
                    Ok(true) => Match::Yes,
                    Ok(false) => Match::No,
                    Err(_) => Match::TooCostly,
                }
            }
            Self::Backtracking { tries, reads_far } => {
                for (regex, limit) in tries {
                    let cost = if *reads_far {
                        let each = text.len() / BYTES_PER_STEP + 1;
                        limit.saturating_mul(each)
                    } else {
                        limit / STEPS_BACK_PER_STEP + text.len()
                    };
                    if steps.charge(cost as u64).is_err() {
                        return Match::TooCostly;
                    }
                    match catch_unwind(AssertUnwindSafe(|| regex.is_match(text))) {
                        Ok(Ok(true)) => return Match::Yes,
                        Ok(Ok(false)) => return Match::No,
                        // The budget was too small, or the engine has an error of its own.
                        Ok(Err(_)) | Err(_) => {}
                    }
                }
                Match::TooCostly
            }
            Self::Faulty => Match::No,
        }
    }
}

/// Whether a pattern has lookaround or backreferences; others that the linear engine refuses are faulty.
fn needs_steps_back(translated: &str) -> bool {
    use regex_syntax::ast::{ErrorKind, parse::Parser};
    let kinds = [
        ErrorKind::UnsupportedLookAround,
        ErrorKind::UnsupportedBackreference,
    ];
    let parsed = Parser::new().parse(translated);
    parsed.is_err_and(|error| kinds.contains(error.kind()))
}

/// What is wrong with a pattern.
pub(crate) fn fault(pattern: &str) -> Option<String> {
    Pattern::compile(pattern).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> Match {
        Pattern::compile(pattern)
            .unwrap_or_else(|fault| panic!("{pattern}: {fault}"))
            .matches(text, &mut Steps::new(1_000_000))
    }

    #[test]
    fn patterns_mean_what_ecma_262_says() {
        for (pattern, yes, no) in [
            (r"^\d+$", &["12"][..], &["١٢", "", "1a", "12\n"][..]),
            (r"^\w+$", &["a_1"], &["é", "a-b"]),
            (
                r"^\s$",
                &[" ", "\u{a0}", "\u{feff}", "\u{2028}"],
                &["a", "\u{85}"],
            ),
            (r"\bfoo\b", &["a foo", "éfoo"], &["afoo"]),
            (r"^\cA$", &["\u{1}"], &["A"]),
            (r"^\p{L}+$", &["aé"], &["1"]),
            (r"^\p{Script=Greek}$", &["α"], &["a"]),
            (
                r"^.$",
                &["a", "é", "😀", "\u{85}"],
                &["\n", "\r", "\u{2028}", ""],
            ),
            (r"^[^]$", &["a", "\n"], &[""]),
            (r"^[]", &[], &["", "a"]),
            (r"^a\/b$", &["a/b"], &["a\\/b"]),
            (r"^(?<year>\d{4})-\k<year>$", &["2024-2024"], &["2024-2025"]),
            (r"^(?<year>\d{4})$", &["2024"], &["24"]),
            (r"^(?=.*\d).{3,}$", &["ab1"], &["abc"]),
            (r"^(?!foo)", &["bar"], &["foo"]),
            (r"^[a-z&&b]$", &["&", "z"], &["A"]),
            (r"^[[]$", &["["], &["]"]),
            (r"^\u00e9$", &["é"], &["e"]),
            (r"^\u{1F600}$", &["😀"], &["a"]),
            (r"^\ud83d\ude00$", &["😀"], &["a"]),
            (r"^\x41\0$", &["A\0"], &["A"]),
            (r"^[\b]$", &["\u{8}"], &["b"]),
            (r"^a{,2}$", &["a{,2}"], &["aa"]),
            (r"^a{$", &["a{"], &["a"]),
            (r"^[\w-.]+$", &["a-.b"], &["a b"]),
            (r"^\-\_$", &["-_"], &["a"]),
            (r"^#a b$", &["#a b"], &["#ab"]),
            (r"^[^\d\s]+$", &["ab"], &["a b", "a1"]),
            (r"^(?=\d)[\w-.]+\s$", &["1.-x\u{a0}"], &["١a ", "a "]),
            (r"^(?![[&&~])\S\cJ$", &["a\n"], &["[\n", "&\n"]),
            (r"x*", &["", "y"], &[]),
            (r"^(a|ab)(c|bcd)$", &["abcd", "ac", "abc"], &["a"]),
        ] {
            for text in yes {
                assert_eq!(matches(pattern, text), Match::Yes, "{pattern} on {text:?}");
            }
            for text in no {
                assert_eq!(matches(pattern, text), Match::No, "{pattern} on {text:?}");
            }
        }
        for pattern in ["(", "[a", r"\p{Nonsense}", "(?<a>", "[b-a]"] {
            assert!(fault(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_take_steps_back_have_a_budget() {
        let text = "a".repeat(40) + "!";
        assert_eq!(matches(r"^(?=(a+)+$)a", &text), Match::No);
        assert_eq!(matches(r"^(a|a)*\1$", &text), Match::TooCostly);
        let pattern = Pattern::compile(r"^(?!x)a").expect("a pattern");
        assert_eq!(pattern.matches("a", &mut Steps::new(10)), Match::TooCostly);
        // At each character all the others are read.
        let text = "a".repeat(1_000_000);
        let pattern = r"(?=.*\d)(?=.*[A-Z])[A-Za-z\d]{8,}";
        assert_eq!(matches(pattern, &text), Match::TooCostly);
        // Reading on costs steps back of its own.
        assert_eq!(matches(r"^((?!<script).)*$", &text[..50_000]), Match::Yes);
        assert_eq!(matches(r"^(?!\s*$).+", &text[..50_000]), Match::Yes);
    }
}
