//! How a compiled expression is written.

use std::fmt::{self, Display, Formatter};

use super::expression::{Expression, Node};
use super::fields::Field;

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.root.fmt(formatter)
    }
}

impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(formatter, "{value}"),
            Self::Flag { field, wanted } => {
                let not = if *wanted { "" } else { "not " };
                write!(formatter, "{not}{}", Field::from(*field).name())
            }
            Self::Equals {
                field,
                value,
                wanted,
            } => {
                let operator = if *wanted { "eq" } else { "ne" };
                write!(
                    formatter,
                    "{} {operator} {}",
                    Field::from(*field).name(),
                    Quoted(value)
                )
            }
            Self::OneOf {
                field,
                values,
                wanted,
            } => {
                let not = if *wanted { "" } else { "not " };
                write!(formatter, "{not}{} in {{", Field::from(*field).name())?;
                join(formatter, " ", values.iter().map(|value| Quoted(value)))?;
                formatter.write_str("}")
            }
            Self::Not(node) => write!(formatter, "not ({node})"),
            Self::All(nodes) => join(formatter, " and ", nodes.iter().map(InConjunction)),
            Self::Any(nodes) => join(formatter, " or ", nodes),
        }
    }
}

/// A node as it stands beside an `and`, which binds tighter than `or`.
struct InConjunction<'a>(&'a Node);

impl Display for InConjunction<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if matches!(self.0, Node::Any(_)) {
            write!(formatter, "({})", self.0)
        } else {
            self.0.fmt(formatter)
        }
    }
}

/// A string as a literal of the language.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "\"{}\"",
            self.0.replace('\\', r"\\").replace('"', r#"\""#)
        )
    }
}

fn join<T: Display>(
    formatter: &mut Formatter<'_>,
    separator: &str,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            formatter.write_str(separator)?;
        }
        item.fmt(formatter)?;
    }
    Ok(())
}
