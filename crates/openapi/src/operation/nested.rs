//! Names with brackets: `filter[a][b]=1`, `tags[]=x`, `tags[0]=x`.

use std::borrow::Cow;
use std::collections::HashMap;

use smallvec::SmallVec;

use super::shape::{NodeId, Shape};
use super::style::{Coding, Fault};
use super::value::Raw;
use crate::schema::types::Types;

/// Most brackets of one name.
const MAX_BRACKETS: usize = 16;

/// The names in the brackets of one name, outermost first, and the text.
pub(crate) struct Entry<'t> {
    path: SmallVec<[&'t str; 4]>,
    raw: &'t [u8],
}

impl<'t> Entry<'t> {
    /// `brackets` is what follows the name: `[a][b]`.
    pub(crate) fn new(brackets: &'t str, raw: &'t [u8]) -> Result<Self, Fault> {
        let mut path = SmallVec::new();
        let mut rest = brackets;
        while !rest.is_empty() {
            let inner = rest.strip_prefix('[').ok_or(Fault::Malformed)?;
            let (name, after) = inner.split_once(']').ok_or(Fault::Malformed)?;
            if name.contains('[') {
                return Err(Fault::Malformed);
            }
            if path.len() == MAX_BRACKETS {
                return Err(Fault::TooDeep);
            }
            path.push(name);
            rest = after;
        }
        Ok(Self { path, raw })
    }
}

/// The value that the entries of one name make.
pub(crate) fn assemble<'t>(
    entries: &[Entry<'t>],
    shape: &Shape,
    node: Option<NodeId>,
    coding: Coding,
) -> Result<Raw<'t>, Fault> {
    let entries: Vec<&Entry<'t>> = entries.iter().collect();
    Assembly { shape, coding }.value(&entries, 0, node)
}

struct Assembly<'s> {
    shape: &'s Shape,
    coding: Coding,
}

impl Assembly<'_> {
    /// The value of entries that share the first `depth` names.
    fn value<'t>(
        &self,
        entries: &[&Entry<'t>],
        depth: usize,
        node: Option<NodeId>,
    ) -> Result<Raw<'t>, Fault> {
        if let Some(leaf) = entries.iter().find(|entry| entry.path.len() == depth) {
            return match entries {
                [_] => Ok(Raw::Text(self.coding.decode(leaf.raw)?)),
                _ if entries.iter().all(|entry| entry.path.len() == depth) => Err(Fault::Duplicate),
                _ => Err(Fault::Malformed),
            };
        }
        let groups = grouped(entries, depth);
        let can_be_list = node
            .and_then(|node| self.shape.node(node))
            .is_some_and(|node| node.types.has(Types::ARRAY));
        // `x[]` is an item to whoever reads it, and never a member without a name.
        let is_list = matches!(groups[..], [("", _)]);
        if (can_be_list || is_list)
            && let Some(items) = self.list(&groups, depth, node)?
        {
            return Ok(Raw::List(items));
        }
        if groups.iter().any(|(name, _)| name.is_empty()) {
            return Err(Fault::Malformed);
        }
        let members = groups.into_iter().map(|(name, entries)| {
            let node = self.shape.member(node, name);
            Ok((Cow::Borrowed(name), self.value(&entries, depth + 1, node)?))
        });
        members.collect::<Result<_, Fault>>().map(Raw::Members)
    }

    /// The items, if the names are those of items.
    fn list<'t>(
        &self,
        groups: &[(&'t str, Vec<&Entry<'t>>)],
        depth: usize,
        node: Option<NodeId>,
    ) -> Result<Option<Vec<Raw<'t>>>, Fault> {
        let item = self.shape.item(node);
        if let [("", entries)] = groups {
            // `x[][a]=1&x[][b]=2` is one item to some readers and two to others.
            if entries.len() > 1 && entries.iter().any(|entry| entry.path.len() > depth + 1) {
                return Err(Fault::Malformed);
            }
            let items = entries
                .iter()
                .map(|entry| self.value(&[*entry], depth + 1, item));
            return items.collect::<Result<_, _>>().map(Some);
        }
        let mut numbered = Vec::with_capacity(groups.len());
        for (name, entries) in groups {
            let Some(index) = index(name) else {
                return Ok(None);
            };
            numbered.push((index, entries));
        }
        // Gaps are closed up, as readers do.
        numbered.sort_by_key(|(index, _)| *index);
        let items = numbered
            .into_iter()
            .map(|(_, entries)| self.value(entries, depth + 1, item));
        items.collect::<Result<_, _>>().map(Some)
    }
}

/// The number of an item in its one spelling.
fn index(name: &str) -> Option<u32> {
    let is_canonical = name == "0" || !name.starts_with(['0', '+']);
    name.parse().ok().filter(|_| is_canonical)
}

/// The entries by the name at `depth`, in the order the names first appear.
fn grouped<'e, 't>(entries: &[&'e Entry<'t>], depth: usize) -> Vec<(&'t str, Vec<&'e Entry<'t>>)> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&'t str, Vec<&'e Entry<'t>>)> = Vec::new();
    for entry in entries {
        let name = entry.path[depth];
        let at = *order.entry(name).or_insert_with(|| {
            groups.push((name, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(entry);
    }
    groups
}
