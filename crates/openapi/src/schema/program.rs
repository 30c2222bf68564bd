//! A schema as the engine runs it: nodes that know their rules and each other by number.
//!
//! A node is one schema object. What applies to the same value (`allOf`, `anyOf`, `not`, …) leads to nodes of smaller
//! numbers, so going through numbers upwards always meets parts before the whole. What applies to members and items can
//! lead anywhere. A node that only refers to another is left out.

pub(crate) mod compile;
mod literal;
mod route;

pub(crate) use self::literal::{Literal, Literals, Variants};

use std::borrow::Cow;

use super::SchemaId;
use super::format::{NumberFormat, TextFormat};
use super::names::NameTable;
use super::number::OwnedNumber;
use super::pattern::Pattern;
use super::types::Types;

/// The number of a node.
pub(crate) type NodeId = u32;

/// The node that everything conforms to.
pub(crate) const ANY: NodeId = 0;

/// The kinds of JSON values, as their first byte tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

pub(crate) const KINDS: [Kind; 6] = [
    Kind::Null,
    Kind::Boolean,
    Kind::Number,
    Kind::String,
    Kind::Array,
    Kind::Object,
];

/// How a value of one kind is judged by a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// It conforms.
    Any,
    /// It does not.
    Never,
    /// By the rules of one node alone, without what that node applies in place.
    Alone(NodeId),
    /// By all nodes that apply in place, side by side.
    Together,
}

/// A compiled schema and everything it leads to.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) nodes: Box<[Node]>,
    pub(crate) root: NodeId,
}

impl Program {
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The node and all that it applies in place, upwards.
    pub(crate) fn closure(&self, id: NodeId) -> Cow<'_, [NodeId]> {
        let node = self.node(id);
        if node.closure.is_empty() {
            // A branch that is judged alone to find what is wrong, which nobody waits for.
            Cow::Owned(route::closure(&self.nodes, id).into_vec())
        } else {
            Cow::Borrowed(&node.closure)
        }
    }
}

/// One schema.
#[derive(Debug)]
pub(crate) struct Node {
    /// How a value is judged, for each [`Kind`].
    pub(crate) routes: [Route; 6],
    pub(crate) types: Types,
    pub(crate) literals: Option<Box<Literals>>,
    pub(crate) number: Option<Box<NumberRules>>,
    pub(crate) string: Option<Box<StringRules>>,
    pub(crate) array: Option<Box<ArrayRules>>,
    pub(crate) object: Option<Box<ObjectRules>>,
    pub(crate) in_place: Option<Box<InPlace>>,
    /// This node and all that it applies in place, upwards. Empty if no value takes the route [`Route::Together`].
    pub(crate) closure: Box<[NodeId]>,
    /// Its own number.
    pub(crate) id: NodeId,
    /// The definition the schema is in, and its place from there.
    pub(crate) definition: SchemaId,
    pub(crate) place: Box<str>,
    /// The schema is `false`.
    pub(crate) is_never: bool,
}

/// A bound and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
}

#[derive(Debug, Default)]
pub(crate) struct NumberRules {
    pub(crate) bounds: Vec<(Bound, OwnedNumber)>,
    pub(crate) multiple_of: Option<OwnedNumber>,
    pub(crate) format: Option<NumberFormat>,
}

#[derive(Debug)]
pub(crate) struct StringRules {
    /// In characters.
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) format: Option<TextFormat>,
    pub(crate) pattern: Option<Pattern>,
}

#[derive(Debug)]
pub(crate) struct ArrayRules {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) prefix: Box<[NodeId]>,
    pub(crate) items: NodeId,
    /// Whether there is `items`, which evaluates all items.
    pub(crate) has_items: bool,
    pub(crate) unique: bool,
    pub(crate) contains: Option<Contains>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Contains {
    pub(crate) node: NodeId,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

#[derive(Debug)]
pub(crate) struct ObjectRules {
    pub(crate) min: u64,
    pub(crate) max: u64,
    /// All names the schema mentions.
    pub(crate) names: NameTable,
    /// What is said of each name.
    pub(crate) properties: Box<[Property]>,
    /// How many names are required.
    pub(crate) required: u32,
    pub(crate) patterns: Box<[(Pattern, NodeId)]>,
    pub(crate) additional: NodeId,
    /// Whether there is `additionalProperties`, which evaluates all members.
    pub(crate) has_additional: bool,
    pub(crate) property_names: Option<NodeId>,
    /// Names that, if they are there, require others.
    pub(crate) dependent_required: Box<[(u32, Box<[u32]>)]>,
}

/// What a schema says of one name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    /// `None`: the name is mentioned, but not among `properties`.
    pub(crate) node: Option<NodeId>,
    pub(crate) is_required: bool,
    pub(crate) is_read_only: bool,
    /// Whether something depends on the name being there.
    pub(crate) is_awaited: bool,
}

/// What applies to the same value.
#[derive(Debug, Default)]
pub(crate) struct InPlace {
    /// `allOf` and `$ref`.
    pub(crate) all: Box<[NodeId]>,
    pub(crate) any: Option<Box<[NodeId]>>,
    pub(crate) one: Option<Box<[NodeId]>>,
    pub(crate) not: Option<NodeId>,
    pub(crate) condition: Option<Condition>,
    /// Schemas that apply if a name, by its number in [`ObjectRules::names`], is there.
    pub(crate) dependent: Box<[(u32, NodeId)]>,
    pub(crate) unevaluated_properties: Option<NodeId>,
    pub(crate) unevaluated_items: Option<NodeId>,
    pub(crate) discriminator: Option<Discriminator>,
}

/// `if`, `then`, `else`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    pub(crate) test: NodeId,
    pub(crate) then: Option<NodeId>,
    pub(crate) otherwise: Option<NodeId>,
}

/// Which branch of `oneOf` or `anyOf` a member says it is. Tells where to look for what is wrong, never what conforms.
#[derive(Debug)]
pub(crate) struct Discriminator {
    pub(crate) property: Box<str>,
    /// Values and the branches they name.
    pub(crate) branches: Box<[(Box<str>, u32)]>,
}

impl InPlace {
    /// The nodes that apply in place.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let condition = self.condition.iter();
        self.all
            .iter()
            .chain(self.any.iter().flatten())
            .chain(self.one.iter().flatten())
            .copied()
            .chain(self.not)
            .chain(condition.flat_map(|condition| {
                [Some(condition.test), condition.then, condition.otherwise]
                    .into_iter()
                    .flatten()
            }))
            .chain(self.dependent.iter().map(|(_, node)| *node))
    }
}

impl ObjectRules {
    /// The number of a name and what is said of it.
    #[inline]
    pub(crate) fn property(&self, name: &str) -> Option<(usize, Property)> {
        let number = self.names.find(name)?;
        Some((number, self.properties[number]))
    }
}
