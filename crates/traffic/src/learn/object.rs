//! What is known of the objects of one place: their members by name, or, where names are data, all members together; and
//! apart from each other the kinds of objects that say their kind themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hash::{hash, mix};
use super::names::{Cursor, Named};
use super::node::{Node, Room};
use super::secret::{Hiding, hiding};
use super::seen::Seen;
use super::support::{Few, Support};
use super::value::ValueProfile;

/// With more different names than this, names are data.
pub(super) const MAX_MEMBERS: usize = 128;

/// A longer name is data, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 256;

/// So many combinations of members are told apart.
pub(super) const MAX_SHAPES: usize = 64;

/// So many kinds of objects are told apart.
pub(super) const MAX_BRANCHES: usize = 16;

/// The longest value that says a kind, in bytes.
pub(super) const MAX_BRANCH_BYTES: usize = 64;

/// So many names of a map are kept, chosen by their hash.
const MAX_MAP_NAMES: usize = 256;

/// Tells the hash that chooses names from others.
const CHOICE: u64 = 1;

/// So many bytes of them.
const MAX_MAP_NAME_BYTES: usize = 64;

/// Objects that say their kind, and all others.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    /// Those that say no kind; all, where kinds are not told apart.
    pub(super) plain: Object,
    pub(super) kinds: Kinds,
}

/// Whether objects are told apart by a member.
#[derive(Debug, Clone, Default)]
pub(super) enum Kinds {
    /// None of them has said its kind so far.
    #[default]
    Unsaid,
    /// The number of the member's name in [`TAG_NAMES`](super::tape::TAG_NAMES), and the objects by its value.
    Said(u8, BTreeMap<Box<str>, Object>),
    /// By different members, or too many kinds.
    Mixed,
}

impl Objects {
    /// Where an object is known that says its kind by a member (its number) and value, or does not.
    pub(super) fn of_kind(&mut self, kind: Option<(u8, &str)>, room: &mut Room) -> &mut Object {
        let Some((name, value)) = kind else {
            return &mut self.plain;
        };
        if matches!(self.kinds, Kinds::Unsaid) {
            self.kinds = Kinds::Said(name, BTreeMap::new());
        }
        let is_one_of_them = match &self.kinds {
            Kinds::Said(known, branches) => {
                *known == name
                    && value.len() <= MAX_BRANCH_BYTES
                    && (branches.len() < MAX_BRANCHES || branches.contains_key(value))
            }
            _ => false,
        };
        if !is_one_of_them {
            self.mix(room);
        }
        match &mut self.kinds {
            Kinds::Said(_, branches) => {
                if !branches.contains_key(value) {
                    branches.insert(value.into(), Object::default());
                }
                branches
                    .get_mut(value)
                    .expect("it is there, or has just been put there")
            }
            _ => &mut self.plain,
        }
    }

    /// Tells kinds apart no longer.
    fn mix(&mut self, room: &mut Room) {
        if let Kinds::Said(_, branches) = std::mem::replace(&mut self.kinds, Kinds::Mixed) {
            for object in branches.into_values() {
                self.plain.merge(object, room);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self, room: &mut Room) {
        self.plain.merge(other.plain, room);
        match (&mut self.kinds, other.kinds) {
            (_, Kinds::Unsaid) => {}
            (kinds @ Kinds::Unsaid, others) => {
                let is_mixed = matches!(others, Kinds::Mixed);
                *kinds = others;
                if is_mixed {
                    self.mix(room);
                }
            }
            (Kinds::Mixed | Kinds::Said(..), Kinds::Mixed) => self.mix(room),
            (Kinds::Mixed, Kinds::Said(_, branches)) => {
                for object in branches.into_values() {
                    self.plain.merge(object, room);
                }
            }
            (Kinds::Said(name, _), Kinds::Said(other_name, branches)) => {
                let is_same = *name == other_name;
                if !is_same {
                    self.mix(room);
                }
                for (value, object) in branches {
                    let kind = is_same.then_some((other_name, &*value));
                    self.of_kind(kind, room).merge(object, room);
                }
            }
        }
    }

    pub(super) fn places(&self) -> usize {
        let branches = match &self.kinds {
            Kinds::Said(_, branches) => branches.values().map(Object::places).sum(),
            _ => 0,
        };
        self.plain.places() + branches
    }
}

/// What is known of some objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    pub(super) present: Support,
    pub(super) members: Members,
    /// None when there are too many.
    pub(super) shapes: Shapes,
}

/// Members by name, or all together.
#[derive(Debug, Clone)]
pub(super) enum Members {
    Listed(Named<Member>),
    Map(Box<Map>),
}

impl Default for Members {
    fn default() -> Self {
        Self::Listed(Named::default())
    }
}

/// What is known of the members of one name.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) node: Node,
    /// What of its values must not be learned; it follows from the name.
    pub(super) hiding: Hiding,
}

impl Member {
    /// How often it was there: a member has one value, so nothing is counted apart.
    pub(super) fn present(&self) -> Support {
        self.node.value.support()
    }

    pub(super) fn named(name: &str) -> Self {
        Self {
            hiding: hiding(name),
            ..Self::default()
        }
    }
}

/// What is known of members whose names are data.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    pub(super) node: Node,
    pub(super) names: MapNames,
}

/// Where a member is known.
pub(super) struct Place<'o> {
    pub(super) node: &'o mut Node,
    pub(super) hiding: Hiding,
    /// What the name adds to the shape of its object.
    pub(super) shape: u64,
}

impl Object {
    /// Where the member of a name is known, if there is room; notes that it is there.
    #[inline]
    pub(super) fn member(
        &mut self,
        name: &str,
        cursor: &mut Cursor,
        seen: &Seen,
        room: &mut Room,
    ) -> Option<Place<'_>> {
        if let Members::Listed(members) = &mut self.members {
            let found = match members.find(name, cursor) {
                Some(found) => Some(found),
                None if members.len() == MAX_MEMBERS || name.len() > MAX_NAME_BYTES => {
                    self.put_together(room);
                    None
                }
                None => {
                    if !room.take() {
                        return None;
                    }
                    Some(members.insert(name, Member::named(name), cursor))
                }
            };
            if let Some(at) = found {
                // Borrowed anew: what was borrowed above may have become a map.
                let Members::Listed(members) = &mut self.members else {
                    return None;
                };
                let shape = members.entry(at).hash();
                let member = members.value(at);
                return Some(Place {
                    node: &mut member.node,
                    hiding: member.hiding,
                    shape,
                });
            }
        }
        let Members::Map(map) = &mut self.members else {
            return None;
        };
        map.names.add(name, hash(name.as_bytes()), |support| {
            support.add(seen);
        });
        Some(Place {
            node: &mut map.node,
            hiding: hiding(name),
            shape: 0,
        })
    }

    /// Notes which members an object had, as the sum of their [`Place::shape`].
    pub(super) fn shape(&mut self, shape: u64, seen: &Seen, names: impl Fn() -> Vec<Box<str>>) {
        if matches!(self.members, Members::Listed(_)) {
            self.shapes.add(shape, seen, names);
        }
    }

    /// Puts all members together.
    fn put_together(&mut self, room: &mut Room) {
        self.shapes = Shapes(None);
        let Members::Listed(members) = std::mem::take(&mut self.members) else {
            return;
        };
        let mut map = Box::<Map>::default();
        // The place of the map itself.
        room.places += 1;
        for entry in members.into_entries() {
            room.places = room.places.saturating_sub(1);
            map.names.add(&entry.name, entry.hash(), |support| {
                support.merge_support(&entry.value.present());
            });
            map.node.merge(entry.value.node, room);
        }
        self.members = Members::Map(map);
    }

    pub(super) fn merge(&mut self, other: Self, room: &mut Room) {
        self.present.merge(&other.present);
        self.shapes.merge(other.shapes);
        match other.members {
            Members::Map(map) => {
                if let Members::Listed(_) = self.members {
                    self.put_together(room);
                }
                if let Members::Map(known) = &mut self.members {
                    room.places = room.places.saturating_sub(1);
                    known.merge(*map, room);
                }
            }
            Members::Listed(members) => {
                let mut cursor = Cursor::default();
                for entry in members.into_entries() {
                    self.merge_member(&entry.name, entry.hash(), entry.value, &mut cursor, room);
                }
            }
        }
    }

    fn merge_member(
        &mut self,
        name: &str,
        hash: u64,
        other: Member,
        cursor: &mut Cursor,
        room: &mut Room,
    ) {
        if let Members::Listed(members) = &mut self.members {
            if let Some(at) = members.find(name, cursor) {
                room.places = room.places.saturating_sub(1);
                let member = members.value(at);
                member.node.merge(other.node, room);
                return;
            }
            if members.len() < MAX_MEMBERS {
                members.insert(name, other, cursor);
                return;
            }
            self.put_together(room);
        }
        if let Members::Map(map) = &mut self.members {
            map.names.add(name, hash, |support| {
                support.merge_support(&other.present());
            });
            room.places = room.places.saturating_sub(1);
            map.node.merge(other.node, room);
        }
    }

    pub(super) fn places(&self) -> usize {
        match &self.members {
            Members::Listed(members) => members.iter().map(|entry| entry.value.node.places()).sum(),
            Members::Map(map) => map.node.places(),
        }
    }
}

impl Map {
    fn merge(&mut self, other: Self, room: &mut Room) {
        self.names.merge(&other.names);
        self.node.merge(other.node, room);
    }
}

/// Names that are data: some of them, chosen by their hash, so that any two observers choose the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct MapNames(BTreeMap<u64, (Box<str>, Few)>);

impl MapNames {
    fn add(&mut self, name: &str, hash: u64, note: impl FnOnce(&mut Few)) {
        // The hash that numbers members is not one that names are chosen by.
        let hash = mix(hash, CHOICE);
        if let Some((_, support)) = self.0.get_mut(&hash) {
            note(support);
            return;
        }
        if self.0.len() == MAX_MAP_NAMES {
            if self.0.last_key_value().is_none_or(|(last, _)| hash > *last) {
                return;
            }
            self.0.pop_last();
        }
        let mut support = Few::default();
        note(&mut support);
        self.0.insert(hash, (cut(name).into(), support));
    }

    /// How many names were seen in one sample only, and in two; of all, if only some are kept.
    pub(super) fn seldom(&self) -> (usize, usize) {
        let count = |samples| {
            let kept = self.0.values().filter(|(_, few)| few.samples() == samples);
            kept.count()
        };
        (count(1), count(2))
    }

    /// The names as values: each is one sample, however often it came.
    pub(super) fn profile(&self) -> ValueProfile {
        let mut profile = ValueProfile::default();
        for (hash, (name, _)) in &self.0 {
            let seen = Seen {
                source: *hash,
                sample: *hash,
                at: None,
            };
            profile.string(name, &seen);
        }
        profile
    }

    fn merge(&mut self, other: &Self) {
        for (hash, (name, support)) in &other.0 {
            match self.0.get_mut(hash) {
                Some((_, known)) => known.merge(support),
                None => {
                    self.0.insert(*hash, (name.clone(), support.clone()));
                }
            }
        }
        while self.0.len() > MAX_MAP_NAMES {
            self.0.pop_last();
        }
    }
}

/// The beginning of a name.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_MAP_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// Which members objects had together; `None` when there are more than [`MAX_SHAPES`] combinations, or names are data.
#[derive(Debug, Clone)]
pub(super) struct Shapes(pub(super) Option<Vec<Shape>>);

/// Objects with the same members.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// The sum of the hashes of the names.
    pub(super) key: u64,
    /// In order.
    pub(super) names: Box<[Box<str>]>,
    pub(super) support: Support,
}

impl Default for Shapes {
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

impl Shape {
    /// As it was written down.
    pub(super) fn known(names: Box<[Box<str>]>, support: Support) -> Self {
        let key = names
            .iter()
            .fold(0_u64, |sum, name| sum.wrapping_add(hash(name.as_bytes())));
        Self {
            key,
            names,
            support,
        }
    }
}

impl Shapes {
    fn add(&mut self, key: u64, seen: &Seen, names: impl Fn() -> Vec<Box<str>>) {
        let Some(shapes) = &mut self.0 else { return };
        if let Some(at) = shapes.iter().position(|shape| shape.key == key) {
            shapes[at].support.add(seen);
            // Objects of a kind come in rows.
            if at > 0 {
                shapes.swap(at, at - 1);
            }
            return;
        }
        if shapes.len() == MAX_SHAPES {
            self.0 = None;
            return;
        }
        let mut names = names();
        names.sort_unstable();
        let mut support = Support::default();
        support.add(seen);
        shapes.push(Shape {
            key,
            names: names.into(),
            support,
        });
    }

    fn merge(&mut self, other: Self) {
        let (Some(shapes), Some(others)) = (&mut self.0, other.0) else {
            self.0 = None;
            return;
        };
        for other in others {
            match shapes.iter_mut().find(|shape| shape.key == other.key) {
                Some(shape) => shape.support.merge(&other.support),
                None => shapes.push(other),
            }
        }
        if shapes.len() > MAX_SHAPES {
            self.0 = None;
        }
    }
}
