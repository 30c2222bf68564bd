//! What text can mean, by the types a schema allows: a copy of the schema's outline, made when the document is loaded.

use crate::schema::SchemaId;
use crate::schema::types::Types;

/// The number of a node in its shape.
pub(crate) type NodeId = u32;

/// The outline of one schema.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The first is the schema's own.
    pub(crate) nodes: Box<[Node]>,
    pub(crate) schema: SchemaId,
    /// The schema says nothing beyond the type, so a value that could be made conforms.
    pub(crate) type_only: bool,
}

/// The outline of a value and of what is in it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) types: Types,
    /// What tells which of several meanings a text has; `None` if it can have one only.
    pub(crate) check: Option<SchemaId>,
    /// The items of an array; `None`: anything.
    pub(crate) items: Option<NodeId>,
    /// The members of an object that have a name, sorted by it.
    pub(crate) properties: Box<[(Box<str>, NodeId)]>,
    /// The other members; `None`: anything.
    pub(crate) additional: Option<NodeId>,
    /// Whether there can be members beyond those named.
    pub(crate) is_open: bool,
}

impl Shape {
    pub(crate) const ROOT: NodeId = 0;

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// Types of the whole value.
    pub(crate) fn types(&self) -> Types {
        self.nodes.first().map_or(Types::ALL, |node| node.types)
    }

    /// The node of an item of `array`.
    pub(crate) fn item(&self, array: Option<NodeId>) -> Option<NodeId> {
        self.node(array?)?.items
    }

    /// The node of a member of `object`.
    pub(crate) fn member(&self, object: Option<NodeId>, name: &str) -> Option<NodeId> {
        let node = self.node(object?)?;
        node.property(name).or(node.additional)
    }
}

impl Node {
    /// The member that the schema names so.
    pub(crate) fn property(&self, name: &str) -> Option<NodeId> {
        self.properties
            .binary_search_by(|(known, _)| known.as_ref().cmp(name))
            .ok()
            .map(|at| self.properties[at].1)
    }
}
