//! Which values need the branches of a schema side by side, and which are settled by their kind.
//!
//! Most branches exclude each other by type, and most `allOf`s add only words: `anyOf: [{type: string}, {type: "null"}]`
//! is, for a string, a string.

use super::{ANY, InPlace, KINDS, Kind, Node, NodeId, Route};
use crate::schema::types::Types;

/// Fill in routes and closures.
pub(super) fn plan(nodes: &mut [Node], root: NodeId) {
    for id in 0..nodes.len() {
        let routes = KINDS.map(|kind| route(nodes, id, kind));
        nodes[id].routes = routes;
    }
    for id in roots(nodes, root) {
        if nodes[id as usize].in_place.is_some() {
            nodes[id as usize].closure = closure(nodes, id);
        }
    }
}

fn route(nodes: &[Node], id: usize, kind: Kind) -> Route {
    let node = &nodes[id];
    if !allows_kind(node, kind) {
        return Route::Never;
    }
    let own = if needs_own_rules(node, kind) {
        Route::Alone(NodeId::try_from(id).unwrap_or(ANY))
    } else {
        Route::Any
    };
    let array = node.array.as_ref().filter(|_| kind == Kind::Array);
    if array.is_some_and(|array| array.contains.is_some()) {
        return Route::Together;
    }
    match &node.in_place {
        Some(in_place) if is_together(in_place, kind) => Route::Together,
        Some(in_place) => with_branches(nodes, in_place, kind, own),
        None => own,
    }
}

fn allows_kind(node: &Node, kind: Kind) -> bool {
    let types = match kind {
        Kind::Null => Types::NULL,
        Kind::Boolean => Types::BOOLEAN,
        Kind::Number => Types::INTEGER,
        Kind::String => Types::STRING,
        Kind::Array => Types::ARRAY,
        Kind::Object => Types::OBJECT,
    };
    node.types.meets(types)
        && node
            .literals
            .iter()
            .flat_map(|literals| literals.lists())
            .all(|list| match kind {
                Kind::Null => list.null,
                Kind::Boolean => list.booleans[0] || list.booleans[1],
                Kind::Number => !list.numbers.is_empty(),
                Kind::String => !list.strings.is_empty(),
                Kind::Array => !list.arrays.is_empty(),
                Kind::Object => !list.objects.is_empty(),
            })
}

/// Whether a node says more of values of a kind than that they may be.
fn needs_own_rules(node: &Node, kind: Kind) -> bool {
    let by_kind = match kind {
        Kind::Null | Kind::Boolean => false,
        Kind::Number => node.number.is_some() || !node.types.has(Types::NUMBER),
        Kind::String => node.string.is_some(),
        Kind::Array => node.array.is_some(),
        Kind::Object => node.object.is_some(),
    };
    by_kind || (node.literals.is_some() && kind != Kind::Null)
}

/// Whether a keyword asks for all nodes side by side, whatever the branches are.
fn is_together(in_place: &InPlace, kind: Kind) -> bool {
    match kind {
        Kind::Array => in_place.unevaluated_items.is_some(),
        Kind::Object => in_place.unevaluated_properties.is_some() || !in_place.dependent.is_empty(),
        _ => false,
    }
}

fn with_branches(nodes: &[Node], in_place: &InPlace, kind: Kind, own: Route) -> Route {
    let of = |id: NodeId| nodes[id as usize].routes[kind as usize];
    let mut route = own;
    for branch in &in_place.all {
        route = both(route, of(*branch));
    }
    if let Some(branches) = &in_place.any {
        let possible: Vec<Route> = branches
            .iter()
            .map(|branch| of(*branch))
            .filter(|branch| *branch != Route::Never)
            .collect();
        let either = if possible.contains(&Route::Any) {
            Route::Any
        } else {
            match possible.as_slice() {
                [] => Route::Never,
                [only] => *only,
                _ => Route::Together,
            }
        };
        route = both(route, either);
    }
    if let Some(branches) = &in_place.one {
        let mut possible = branches
            .iter()
            .map(|branch| of(*branch))
            .filter(|branch| *branch != Route::Never);
        let one = match (possible.next(), possible.next()) {
            (None, _) => Route::Never,
            (Some(only), None) => only,
            _ => Route::Together,
        };
        route = both(route, one);
    }
    if let Some(not) = in_place.not {
        let rest = match of(not) {
            Route::Never => Route::Any,
            Route::Any => Route::Never,
            _ => Route::Together,
        };
        route = both(route, rest);
    }
    if let Some(condition) = in_place.condition {
        let then = condition.then.map_or(Route::Any, of);
        let otherwise = condition.otherwise.map_or(Route::Any, of);
        let rest = match of(condition.test) {
            Route::Any => then,
            Route::Never => otherwise,
            _ if then == Route::Any && otherwise == Route::Any => Route::Any,
            _ => Route::Together,
        };
        route = both(route, rest);
    }
    route
}

fn both(left: Route, right: Route) -> Route {
    match (left, right) {
        (Route::Never, _) | (_, Route::Never) => Route::Never,
        (Route::Any, other) | (other, Route::Any) => other,
        (left, right) if left == right => left,
        _ => Route::Together,
    }
}

/// The nodes that values are judged by, not only applied in place.
fn roots(nodes: &[Node], root: NodeId) -> Vec<NodeId> {
    let mut roots = vec![root];
    for node in nodes {
        if let Some(array) = &node.array {
            roots.extend(array.prefix.iter());
            roots.push(array.items);
            roots.extend(array.contains.map(|contains| contains.node));
        }
        if let Some(object) = &node.object {
            roots.extend(
                object
                    .properties
                    .iter()
                    .filter_map(|property| property.node),
            );
            roots.extend(object.patterns.iter().map(|(_, node)| *node));
            roots.push(object.additional);
            roots.extend(object.property_names);
        }
        if let Some(in_place) = &node.in_place {
            roots.extend(in_place.unevaluated_properties);
            roots.extend(in_place.unevaluated_items);
        }
    }
    roots.sort_unstable();
    roots.dedup();
    roots
}

/// A node and all that it applies in place, upwards.
pub(super) fn closure(nodes: &[Node], root: NodeId) -> Box<[NodeId]> {
    let mut found = vec![root];
    let mut seen = std::collections::HashSet::from([root]);
    let mut at = 0;
    while at < found.len() {
        if let Some(in_place) = &nodes[found[at] as usize].in_place {
            found.extend(in_place.nodes().filter(|id| seen.insert(*id)));
        }
        at += 1;
    }
    found.sort_unstable();
    found.into()
}
