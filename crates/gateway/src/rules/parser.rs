//! Reads the tokens of an expression by recursive descent, one function for each level of precedence.

use super::error::SyntaxError;
use super::expression::Node;
use super::fields::{Field, FlagField, TextField};
use super::lexer::{Lexer, Token, TokenKind};
use super::{MAX_CHARACTERS, MAX_LIST_ENTRIES, MAX_NESTING};

/// Words of the full language that are not in our subset, so that their author is told so and does not hunt for a typo.
const UNSUPPORTED: &[&str] = &[
    "xor",
    "contains",
    "matches",
    "wildcard",
    "strict",
    "lt",
    "le",
    "gt",
    "ge",
    "bitwise_and",
    "any",
    "all",
    "concat",
    "ends_with",
    "starts_with",
    "len",
    "lower",
    "upper",
    "lookup_json_string",
    "regex_replace",
    "substring",
    "to_string",
    "url_decode",
];

/// Reads a whole expression.
pub(super) fn parse(expression: &str) -> Result<Node, SyntaxError> {
    let characters = expression.chars().count();
    if characters > MAX_CHARACTERS {
        let found = format!("an expression of {characters} characters");
        return Err(SyntaxError::new(
            MAX_CHARACTERS + 1,
            found,
            format!("at most {MAX_CHARACTERS}"),
        ));
    }
    let mut lexer = Lexer::new(expression);
    let current = lexer.next_token()?;
    let mut parser = Parser {
        lexer,
        current,
        nesting: 0,
    };
    let node = parser.any()?;
    match parser.current.kind {
        TokenKind::End => Ok(node),
        _ => Err(parser.unexpected("one of: and, or, the end of the expression")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    current: Token<'a>,
    nesting: usize,
}

impl<'a> Parser<'a> {
    /// `a or b or …`
    fn any(&mut self) -> Result<Node, SyntaxError> {
        let mut nodes = vec![self.all()?];
        while self.current.kind == TokenKind::Or {
            self.advance()?;
            nodes.push(self.all()?);
        }
        Ok(Node::any(nodes))
    }

    /// `a and b and …`
    fn all(&mut self) -> Result<Node, SyntaxError> {
        let mut nodes = vec![self.negation()?];
        while self.current.kind == TokenKind::And {
            self.advance()?;
            nodes.push(self.negation()?);
        }
        Ok(Node::all(nodes))
    }

    /// `not a`. A row of `not` is counted, not recursed into.
    fn negation(&mut self) -> Result<Node, SyntaxError> {
        let mut negated = false;
        while self.current.kind == TokenKind::Not {
            self.advance()?;
            negated = !negated;
        }
        let node = self.operand()?;
        Ok(if negated { node.negated() } else { node })
    }

    /// A comparison, a boolean, or an expression in parentheses.
    fn operand(&mut self) -> Result<Node, SyntaxError> {
        match self.current.kind {
            TokenKind::OpenParenthesis => self.parenthesized(),
            TokenKind::True | TokenKind::False => {
                let value = self.current.kind == TokenKind::True;
                self.advance()?;
                Ok(Node::Constant(value))
            }
            TokenKind::Word => match Field::named(self.current.text) {
                Some(Field::Text(field)) => self.text_comparison(field),
                Some(Field::Flag(field)) => self.flag_comparison(field),
                None => Err(self.unknown_field()),
            },
            _ => Err(self.unexpected("a field, not, true, false or \"(\"")),
        }
    }

    fn parenthesized(&mut self) -> Result<Node, SyntaxError> {
        if self.nesting == MAX_NESTING {
            return Err(self.unexpected(&format!(
                "at most {MAX_NESTING} parentheses inside each other"
            )));
        }
        self.nesting += 1;
        self.advance()?;
        let node = self.any()?;
        if self.current.kind != TokenKind::CloseParenthesis {
            return Err(self.unexpected("one of: and, or, \")\""));
        }
        self.nesting -= 1;
        self.advance()?;
        Ok(node)
    }

    fn text_comparison(&mut self, field: TextField) -> Result<Node, SyntaxError> {
        self.advance()?;
        match self.current.kind {
            TokenKind::Equal | TokenKind::NotEqual => {
                let wanted = self.current.kind == TokenKind::Equal;
                let name = Field::from(field).name();
                let operator = self.advance()?.text;
                let TokenKind::Text(value) = &self.current.kind else {
                    let hint = if self.current.kind == TokenKind::OpenBrace {
                        format!("a string after {operator}; a list stands after in")
                    } else {
                        format!("a string in double quotes, because {name} is a string")
                    };
                    return Err(self.unexpected(&hint));
                };
                let node = Node::equals(field, value, wanted);
                self.advance()?;
                Ok(node)
            }
            TokenKind::In => {
                self.advance()?;
                Ok(Node::one_of(field, &self.list()?))
            }
            _ => Err(self.unexpected("one of: eq, ne, in")),
        }
    }

    fn flag_comparison(&mut self, field: FlagField) -> Result<Node, SyntaxError> {
        self.advance()?;
        let wanted = match self.current.kind {
            TokenKind::Equal => true,
            TokenKind::NotEqual => false,
            TokenKind::And | TokenKind::Or | TokenKind::CloseParenthesis | TokenKind::End => {
                return Ok(Node::Flag {
                    field,
                    wanted: true,
                });
            }
            TokenKind::In => {
                return Err(self.unexpected(
                    "one of: eq, ne, and, or, because the field before it is true or false",
                ));
            }
            _ => return Err(self.unexpected("one of: eq, ne, and, or")),
        };
        self.advance()?;
        let value = match self.current.kind {
            TokenKind::True => true,
            TokenKind::False => false,
            _ => return Err(self.unexpected("true or false")),
        };
        self.advance()?;
        Ok(Node::Flag {
            field,
            wanted: wanted == value,
        })
    }

    /// `{"a" "b" …}`
    fn list(&mut self) -> Result<Vec<String>, SyntaxError> {
        if self.current.kind != TokenKind::OpenBrace {
            return Err(self.unexpected("a list such as {\"a\" \"b\"}"));
        }
        self.advance()?;
        let mut values = Vec::new();
        loop {
            match &self.current.kind {
                TokenKind::Text(_) if values.len() == MAX_LIST_ENTRIES => {
                    return Err(
                        self.unexpected(&format!("at most {MAX_LIST_ENTRIES} strings in a list"))
                    );
                }
                TokenKind::Text(value) => values.push(value.clone()),
                TokenKind::CloseBrace if !values.is_empty() => break,
                _ if values.is_empty() => return Err(self.unexpected("a string in double quotes")),
                TokenKind::Stray if self.current.text == "," => {
                    return Err(self.unexpected(
                        "a string or \"}\"; nothing but blanks stands between the strings",
                    ));
                }
                _ => return Err(self.unexpected("a string or \"}\"")),
            }
            self.advance()?;
        }
        self.advance()?;
        Ok(values)
    }

    /// Goes on to the next token and gives back the one that was current.
    fn advance(&mut self) -> Result<Token<'a>, SyntaxError> {
        let next = self.lexer.next_token()?;
        Ok(std::mem::replace(&mut self.current, next))
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let mut expected = expected.to_owned();
        if self.current.kind == TokenKind::Word && UNSUPPORTED.contains(&self.current.text) {
            expected.push_str("; this word of the Rules language is not supported");
        }
        SyntaxError::new(self.current.column, self.current.described(), expected)
    }

    fn unknown_field(&self) -> SyntaxError {
        match Field::nearest_name(self.current.text) {
            Some(name) => self.unexpected(&format!("a field; did you mean {name}?")),
            None => {
                self.unexpected("a field such as http.host or cf.tls_client_auth.cert_verified")
            }
        }
    }
}
