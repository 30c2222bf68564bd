//! Schemas that apply themselves to the same value again: checking them would never end.

use serde_json::{Map, Value};

use super::reference_number;
use crate::problem::{self, Problems};
use crate::schema::SchemaId;

/// Report every schema that leads back to itself without a property or item in between. Returns one of each circle.
pub(super) fn find_circles(
    definitions: &[Value],
    places: &[String],
    problems: &mut Problems,
) -> Vec<SchemaId> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let edges: Vec<Vec<SchemaId>> = definitions
        .iter()
        .map(|schema| {
            let mut targets = Vec::new();
            in_place_targets(schema, &mut targets);
            targets
        })
        .collect();
    let mut circles = Vec::new();
    let mut marks = vec![Mark::New; definitions.len()];
    for root in 0..definitions.len() {
        if marks[root] != Mark::New {
            continue;
        }
        let mut stack = vec![(root, 0)];
        marks[root] = Mark::Open;
        while let Some((node, edge)) = stack.last_mut() {
            let Some(target) = edges[*node].get(*edge).copied() else {
                marks[*node] = Mark::Done;
                stack.pop();
                continue;
            };
            *edge += 1;
            match marks[target] {
                Mark::New => {
                    marks[target] = Mark::Open;
                    stack.push((target, 0));
                }
                Mark::Open => {
                    let message =
                        "the schema refers back to itself without a property or item in between";
                    problems.add(problem::CIRCULAR_REFERENCE, places[target].clone(), message);
                    circles.push(target);
                }
                Mark::Done => {}
            }
        }
    }
    circles
}

/// References in `schema` that apply to the very value the schema applies to.
fn in_place_targets(schema: &Value, targets: &mut Vec<SchemaId>) {
    let Some(schema) = schema.as_object() else {
        return;
    };
    targets.extend(schema.get("$ref").and_then(reference_number));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for branch in schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            in_place_targets(branch, targets);
        }
    }
    for keyword in ["not", "if", "then", "else"] {
        if let Some(branch) = schema.get(keyword) {
            in_place_targets(branch, targets);
        }
    }
    for branch in schema
        .get("dependentSchemas")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::values)
    {
        in_place_targets(branch, targets);
    }
}
