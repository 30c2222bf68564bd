//! A compiled expression: what it answers for a request.

use std::cmp::Ordering;

use super::fields::{Field, FieldSource, FlagField, TextField};

/// A compiled expression.
///
/// It prints as its canonical text: operators as words, no parentheses but the needed ones, lists sorted, host names in
/// lower case. Compiling that text gives an equal expression, unless the longer spelling exceeds
/// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub(super) root: Node,
}

impl Expression {
    pub(super) fn new(root: Node) -> Self {
        Self { root }
    }

    /// Whether the expression holds for the request. Asks for no field that cannot change the answer any more, from
    /// left to right, and allocates nothing.
    pub fn evaluate(&self, fields: &dyn FieldSource) -> bool {
        self.root.evaluate(fields)
    }

    /// The values the field is compared with, in whatever way.
    pub fn values_of(&self, field: TextField) -> Vec<&str> {
        let mut values = Vec::new();
        self.root.collect_values(field, &mut values);
        values
    }

    /// Whether the field stands in the expression.
    pub fn uses(&self, field: impl Into<Field>) -> bool {
        self.root.uses(field.into())
    }
}

/// A part of an expression, in canonical shape: each meaning that the parser tells apart has one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Constant(bool),
    Flag {
        field: FlagField,
        wanted: bool,
    },
    Equals {
        field: TextField,
        value: Box<str>,
        wanted: bool,
    },
    /// Values sorted, without repetition.
    OneOf {
        field: TextField,
        values: Box<[Box<str>]>,
        wanted: bool,
    },
    /// Only over `All` and `Any`; the other nodes carry their negation themselves.
    Not(Box<Node>),
    /// Two or more, none of them an `All`.
    All(Vec<Node>),
    /// Two or more, none of them an `Any`.
    Any(Vec<Node>),
}

impl Node {
    /// A comparison of a string field with one value.
    pub(super) fn equals(field: TextField, value: &str, wanted: bool) -> Self {
        Self::Equals {
            field,
            value: literal(field, value),
            wanted,
        }
    }

    /// A comparison of a string field with several values.
    pub(super) fn one_of(field: TextField, values: &[String]) -> Self {
        let mut values: Vec<Box<str>> = values.iter().map(|value| literal(field, value)).collect();
        values.sort_unstable();
        values.dedup();
        Self::OneOf {
            field,
            values: values.into(),
            wanted: true,
        }
    }

    /// The conjunction of one or more nodes.
    pub(super) fn all(nodes: Vec<Self>) -> Self {
        let split = |node| {
            if let Self::All(inner) = node {
                inner
            } else {
                vec![node]
            }
        };
        let mut flat: Vec<Self> = nodes.into_iter().flat_map(split).collect();
        if flat.len() == 1 {
            flat.remove(0)
        } else {
            Self::All(flat)
        }
    }

    /// The disjunction of one or more nodes.
    pub(super) fn any(nodes: Vec<Self>) -> Self {
        let split = |node| {
            if let Self::Any(inner) = node {
                inner
            } else {
                vec![node]
            }
        };
        let mut flat: Vec<Self> = nodes.into_iter().flat_map(split).collect();
        if flat.len() == 1 {
            flat.remove(0)
        } else {
            Self::Any(flat)
        }
    }

    /// The opposite.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(!value),
            Self::Flag { field, wanted } => Self::Flag {
                field,
                wanted: !wanted,
            },
            Self::Equals {
                field,
                value,
                wanted,
            } => Self::Equals {
                field,
                value,
                wanted: !wanted,
            },
            Self::OneOf {
                field,
                values,
                wanted,
            } => Self::OneOf {
                field,
                values,
                wanted: !wanted,
            },
            Self::Not(node) => *node,
            Self::All(_) | Self::Any(_) => Self::Not(Box::new(self)),
        }
    }

    fn evaluate(&self, fields: &dyn FieldSource) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Flag { field, wanted } => fields.flag(*field) == *wanted,
            Self::Equals {
                field,
                value,
                wanted,
            } => compare(*field, value, fields.text(*field)).is_eq() == *wanted,
            Self::OneOf {
                field,
                values,
                wanted,
            } => {
                let actual = fields.text(*field);
                values
                    .binary_search_by(|value| compare(*field, value, actual))
                    .is_ok()
                    == *wanted
            }
            Self::Not(node) => !node.evaluate(fields),
            Self::All(nodes) => nodes.iter().all(|node| node.evaluate(fields)),
            Self::Any(nodes) => nodes.iter().any(|node| node.evaluate(fields)),
        }
    }

    fn collect_values<'n>(&'n self, wanted: TextField, found: &mut Vec<&'n str>) {
        match self {
            Self::Equals { field, value, .. } if *field == wanted => found.push(value),
            Self::OneOf { field, values, .. } if *field == wanted => {
                found.extend(values.iter().map(|value| &**value));
            }
            Self::Not(node) => node.collect_values(wanted, found),
            Self::All(nodes) | Self::Any(nodes) => {
                for node in nodes {
                    node.collect_values(wanted, found);
                }
            }
            Self::Constant(_) | Self::Flag { .. } | Self::Equals { .. } | Self::OneOf { .. } => {}
        }
    }

    fn uses(&self, wanted: Field) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Flag { field, .. } => Field::from(*field) == wanted,
            Self::Equals { field, .. } | Self::OneOf { field, .. } => Field::from(*field) == wanted,
            Self::Not(node) => node.uses(wanted),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(|node| node.uses(wanted)),
        }
    }
}

/// A value as it is kept: in lower case where the field ignores case.
fn literal(field: TextField, value: &str) -> Box<str> {
    if field.ignores_case() {
        value.to_ascii_lowercase().into()
    } else {
        value.into()
    }
}

/// How a kept value stands to a field's actual one, in the order of [`Node::OneOf`].
///
/// The case of the actual value is folded here, not trusted: a host in capitals must not slip past a rule.
fn compare(field: TextField, kept: &str, actual: &str) -> Ordering {
    if field.ignores_case() {
        kept.bytes()
            .cmp(actual.bytes().map(|byte| byte.to_ascii_lowercase()))
    } else {
        kept.cmp(actual)
    }
}
