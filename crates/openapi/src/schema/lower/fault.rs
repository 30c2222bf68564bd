//! Which schemas an error reaches.

use serde_json::Value;

use super::reference_number;
use crate::schema::SchemaId;

/// For each definition, whether it is faulty or refers to one that is, however far away: what was left out of it may turn
/// the meaning of what is around it, as in a `not`.
pub(crate) fn unusable(definitions: &[Value], faulty: &[SchemaId]) -> Vec<bool> {
    let mut reached = vec![false; definitions.len()];
    if faulty.is_empty() {
        return reached;
    }
    let mut users: Vec<Vec<SchemaId>> = vec![Vec::new(); definitions.len()];
    for (id, schema) in definitions.iter().enumerate() {
        each_reference(schema, &mut |target| {
            if let Some(users) = users.get_mut(target) {
                users.push(id);
            }
        });
    }
    let mut open = faulty.to_vec();
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut reached[id], true) {
            open.extend(&users[id]);
        }
    }
    reached
}

/// The definitions that a lowered schema refers to, anywhere in it.
fn each_reference(schema: &Value, found: &mut impl FnMut(SchemaId)) {
    match schema {
        Value::Object(members) => {
            if let Some(target) = members.get("$ref").and_then(reference_number) {
                found(target);
            }
            members
                .values()
                .for_each(|member| each_reference(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, found)),
        _ => {}
    }
}
