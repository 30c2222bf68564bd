//! What is wrong with an expression, said to its author.

use std::fmt;

/// An expression that does not compile: where, what stands there, and what would be right.
///
/// It prints as one line, such as `column 11: found "eqq", expected one of: eq, ne, in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where it stands: the first character of the expression is column 1; line breaks count as one character.
    pub column: usize,
    /// What stands there: a piece of the expression (shortened if long) or a description.
    pub found: String,
    /// What would have been right there, with a hint where there is one.
    pub expected: String,
}

impl SyntaxError {
    pub(super) fn new(
        column: usize,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            column,
            found: found.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "column {}: found {}, expected {}",
            self.column, self.found, self.expected
        )
    }
}

impl std::error::Error for SyntaxError {}

/// A piece of the expression as it is shown in a message: short, on one line, look-alikes of a space made visible.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for character in text.chars().take(LONGEST) {
        if character != ' ' && (character.is_control() || character.is_whitespace()) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
