//! Cuts an expression into tokens, each with its column.
//!
//! Tokens are cut on demand, so that the parser's complaint about column 5 comes before the lexer's about column 50.

use super::error::{SyntaxError, shown};

/// What a token is; the two spellings of an operator are one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name: of a field, or a word the language does not know.
    Word,
    /// A string literal, its escapes resolved.
    Text(String),
    True,
    False,
    Equal,
    NotEqual,
    In,
    Not,
    And,
    Or,
    OpenParenthesis,
    CloseParenthesis,
    OpenBrace,
    CloseBrace,
    /// A character that starts no token. The parser refuses it, because only it knows what would be right there.
    Stray,
    End,
}

/// A token, its source text, and the column of its first character (from 1).
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) column: usize,
}

impl Token<'_> {
    /// The token as a message names it.
    pub(super) fn described(&self) -> String {
        match self.kind {
            TokenKind::End => "the end of the expression".to_owned(),
            // A string already stands in quotes.
            TokenKind::Text(_) => shown(self.text),
            _ => format!("\"{}\"", shown(self.text)),
        }
    }
}

const SYMBOLS: &[(&str, TokenKind)] = &[
    ("==", TokenKind::Equal),
    // Before the single `!`, of which it would otherwise be one.
    ("!=", TokenKind::NotEqual),
    ("!", TokenKind::Not),
    ("&&", TokenKind::And),
    ("||", TokenKind::Or),
    ("(", TokenKind::OpenParenthesis),
    (")", TokenKind::CloseParenthesis),
    ("{", TokenKind::OpenBrace),
    ("}", TokenKind::CloseBrace),
];

const WORDS: &[(&str, TokenKind)] = &[
    ("eq", TokenKind::Equal),
    ("ne", TokenKind::NotEqual),
    ("in", TokenKind::In),
    ("not", TokenKind::Not),
    ("and", TokenKind::And),
    ("or", TokenKind::Or),
    ("true", TokenKind::True),
    ("false", TokenKind::False),
];

/// The rest of an expression that has not been cut yet.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(expression: &'a str) -> Self {
        Self {
            rest: expression,
            column: 1,
        }
    }

    /// The next token; [`TokenKind::End`] again and again once all is cut.
    pub(super) fn next_token(&mut self) -> Result<Token<'a>, SyntaxError> {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.take(blank);
        let Some(first) = self.rest.chars().next() else {
            return Ok(self.cut(TokenKind::End, 0));
        };
        if first == '"' {
            return self.quoted();
        }
        if self.rest.starts_with("r\"") || self.rest.starts_with("r#") {
            return self.raw();
        }
        if let Some((symbol, kind)) = SYMBOLS
            .iter()
            .find(|(symbol, _)| self.rest.starts_with(symbol))
        {
            return Ok(self.cut(kind.clone(), symbol.len()));
        }
        let length = self
            .rest
            .find(|character| !is_word(character))
            .unwrap_or(self.rest.len());
        if length == 0 {
            return Ok(self.cut(TokenKind::Stray, first.len_utf8()));
        }
        let word = &self.rest[..length];
        let kind = WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map_or(TokenKind::Word, |(_, kind)| kind.clone());
        Ok(self.cut(kind, length))
    }

    /// A string in quotes, where a backslash stands before a quote or another backslash.
    fn quoted(&mut self) -> Result<Token<'a>, SyntaxError> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => return Ok(self.cut(TokenKind::Text(value), at + 1)),
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    Some((_, other)) => {
                        let column = self.column + self.rest[..at].chars().count();
                        let found = format!("\"\\{}\"", shown(other.encode_utf8(&mut [0; 4])));
                        return Err(SyntaxError::new(
                            column,
                            found,
                            r#"\" or \\ after a backslash in a string"#,
                        ));
                    }
                    None => break,
                },
                other => value.push(other),
            }
        }
        Err(self.unclosed("\""))
    }

    /// A string as `r"…"` or `r#"…"#`, with any number of `#`, in which nothing is escaped.
    fn raw(&mut self) -> Result<Token<'a>, SyntaxError> {
        let hashes = self.rest[1..]
            .bytes()
            .take_while(|byte| *byte == b'#')
            .count();
        let start = 1 + hashes + 1;
        if self.rest.as_bytes().get(start - 1) != Some(&b'"') {
            let found = format!("\"{}\"", shown(&self.rest[..start - 1]));
            return Err(SyntaxError::new(
                self.column,
                found,
                "a quote to follow, as in r#\"…\"#",
            ));
        }
        let end = format!("\"{}", &self.rest[1..=hashes]);
        let Some(length) = self.rest[start..].find(&end) else {
            return Err(self.unclosed(&end));
        };
        let value = self.rest[start..start + length].to_owned();
        Ok(self.cut(TokenKind::Text(value), start + length + end.len()))
    }

    fn unclosed(&self, end: &str) -> SyntaxError {
        SyntaxError::new(
            self.column,
            "a string without an end",
            format!("{} to close it", shown(end)),
        )
    }

    fn cut(&mut self, kind: TokenKind, bytes: usize) -> Token<'a> {
        let column = self.column;
        Token {
            kind,
            text: self.take(bytes),
            column,
        }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.column += taken.chars().count();
        taken
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.')
}
