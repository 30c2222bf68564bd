//! A compiled expression as data, for whoever shows it as something other than text.

use serde_json::{Value, json};

use super::expression::{Expression, Node};
use super::fields::Field;

impl Expression {
    /// The expression in its canonical shape:
    ///
    /// - `{"all": […]}`, `{"any": […]}` and `{"not": …}` over others,
    /// - `{"field": NAME, "operator": "eq" | "ne" | "in" | "not in", "values": [TEXT, …]}`,
    /// - `{"field": NAME, "operator": "true" | "false", "values": []}` of a field that is true or false,
    /// - `{"constant": true | false}`.
    pub fn tree(&self) -> Value {
        self.root.tree()
    }
}

impl Node {
    fn tree(&self) -> Value {
        match self {
            Self::Constant(value) => json!({ "constant": value }),
            Self::Flag { field, wanted } => {
                comparison((*field).into(), if *wanted { "true" } else { "false" }, &[])
            }
            Self::Equals {
                field,
                value,
                wanted,
            } => {
                let operator = if *wanted { "eq" } else { "ne" };
                comparison((*field).into(), operator, std::slice::from_ref(value))
            }
            Self::OneOf {
                field,
                values,
                wanted,
            } => {
                let operator = if *wanted { "in" } else { "not in" };
                comparison((*field).into(), operator, values)
            }
            Self::Not(node) => json!({ "not": node.tree() }),
            Self::All(nodes) => json!({ "all": nodes.iter().map(Self::tree).collect::<Vec<_>>() }),
            Self::Any(nodes) => json!({ "any": nodes.iter().map(Self::tree).collect::<Vec<_>>() }),
        }
    }
}

fn comparison(field: Field, operator: &str, values: &[Box<str>]) -> Value {
    json!({ "field": field.name(), "operator": operator, "values": values })
}
