//! The outlines of schemas, by which text becomes values.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Compiler;
use crate::operation::shape::{Node, NodeId, Shape};
use crate::schema::SchemaId;
use crate::schema::types::{Definitions, Types};

/// Most nodes of one outline. What is beyond is read as text.
const MAX_NODES: usize = 16_384;

impl Compiler<'_, '_> {
    /// The outline of a lowered schema.
    pub(super) fn shape(&mut self, schema: SchemaId, pointer: &str) -> Shape {
        let definitions = Definitions(self.lowering.definitions());
        let lowered = &definitions.0[schema];
        let keywords = lowered.as_object();
        let type_only = match keywords {
            Some(keywords) => keywords.keys().all(|keyword| keyword == "type"),
            None => lowered == &Value::Bool(true),
        };
        let mut outline = Outline {
            definitions,
            nodes: Vec::new(),
            known: HashMap::new(),
            waiting: Vec::new(),
            ambiguous: Vec::new(),
        };
        outline.number(vec![lowered]);
        while let Some((id, schemas)) = outline.waiting.pop() {
            outline.fill(id, &schemas);
        }
        let Outline {
            mut nodes,
            ambiguous,
            ..
        } = outline;
        for (id, part) in ambiguous {
            let check = match part {
                None => schema,
                Some(part) => self.lowering.part(part, pointer),
            };
            nodes[id as usize].check = Some(check);
        }
        Shape {
            nodes: nodes.into(),
            schema,
            type_only,
        }
    }
}

struct Outline<'s> {
    definitions: Definitions<'s>,
    nodes: Vec<Node>,
    /// The schemas of a node, by where they are: references lead to the same place again.
    known: HashMap<Vec<*const Value>, NodeId>,
    waiting: Vec<(NodeId, Vec<&'s Value>)>,
    /// Nodes whose text can have several meanings, with a schema that tells which; `None`: the whole.
    ambiguous: Vec<(NodeId, Option<Value>)>,
}

impl<'s> Outline<'s> {
    /// The number of the node of a value that each of the schemas may apply to.
    fn number(&mut self, schemas: Vec<&'s Value>) -> Option<NodeId> {
        let key: Vec<*const Value> = schemas
            .iter()
            .map(|schema| std::ptr::from_ref(*schema))
            .collect();
        if let Some(id) = self.known.get(&key) {
            return Some(*id);
        }
        if self.nodes.len() == MAX_NODES {
            return None;
        }
        let id = NodeId::try_from(self.nodes.len()).ok()?;
        self.nodes.push(Node {
            types: Types::ALL,
            check: None,
            items: None,
            properties: Box::default(),
            additional: None,
            is_open: true,
        });
        self.known.insert(key, id);
        self.waiting.push((id, schemas));
        Some(id)
    }

    fn fill(&mut self, id: NodeId, schemas: &[&'s Value]) {
        let definitions = self.definitions;
        let types = schemas
            .iter()
            .map(|schema| definitions.types(schema))
            .fold(Types::NONE, Types::or);
        let is_root = id == Shape::ROOT;
        // What says nothing is text, and nothing has to tell what else it could mean.
        let says_nothing = |schema: &&Value| {
            *schema == &Value::Bool(true)
                || schema.as_object().is_some_and(serde_json::Map::is_empty)
        };
        if !is_root && schemas.iter().all(says_nothing) {
            self.nodes[id as usize].types = Types::STRING;
            return;
        }
        if types.is_ambiguous() {
            let part = match schemas {
                _ if is_root => None,
                [schema] => Some((*schema).clone()),
                schemas => Some(json!({"anyOf": schemas})),
            };
            self.ambiguous.push((id, part));
        }
        let items = if types.has(Types::ARRAY) {
            let mut found = Vec::new();
            for schema in schemas {
                definitions.items(schema, &mut |items| found.push(items));
            }
            self.some(found)
        } else {
            None
        };
        let mut properties: Vec<(&'s str, Vec<&'s Value>)> = Vec::new();
        let mut additional = Vec::new();
        let mut is_open = false;
        if types.has(Types::OBJECT) {
            let mut order: HashMap<&str, usize> = HashMap::new();
            for schema in schemas {
                definitions.properties(schema, &mut |name, property| {
                    let at = *order.entry(name).or_insert_with(|| {
                        properties.push((name, Vec::new()));
                        properties.len() - 1
                    });
                    properties[at].1.push(property);
                });
                definitions.additional(schema, &mut |schema| additional.push(schema));
                is_open |= definitions.has_open_properties(schema);
            }
        }
        let mut numbered: Vec<(Box<str>, NodeId)> = Vec::with_capacity(properties.len());
        for (name, schemas) in properties {
            numbered.extend(self.number(schemas).map(|id| (name.into(), id)));
        }
        numbered.sort_unstable();
        let additional = self.some(additional);
        let node = &mut self.nodes[id as usize];
        node.types = types;
        node.items = items;
        node.properties = numbered.into();
        node.additional = additional;
        node.is_open = is_open;
    }

    fn some(&mut self, schemas: Vec<&'s Value>) -> Option<NodeId> {
        let schemas: Vec<&'s Value> = schemas
            .into_iter()
            .filter(|schema| !schema.is_boolean())
            .collect();
        (!schemas.is_empty()).then(|| self.number(schemas))?
    }
}
