//! What is known of one place of a body: its values, the items of its arrays, the members of its objects.

use super::object::Objects;
use super::value::ValueProfile;

/// A place below which more than this lies is learned by its kinds only.
pub(super) const MAX_DEPTH: usize = 32;

/// So many places one operation may have.
pub(super) const MAX_PLACES: usize = 4096;

/// How many places an operation may still grow by, and what there was no room for.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) places: usize,
    pub(super) left_out: u64,
}

impl Room {
    /// Takes room for one more place; false if there is none.
    pub(super) fn take(&mut self) -> bool {
        let is_free = self.places < MAX_PLACES;
        if is_free {
            self.places += 1;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        is_free
    }
}

/// What is known of one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) value: ValueProfile,
    /// Of all arrays here together.
    pub(super) items: Option<Box<Node>>,
    pub(super) objects: Option<Box<Objects>>,
}

impl Node {
    /// Where the items of arrays here are known, if there is room.
    pub(super) fn items(&mut self, room: &mut Room) -> Option<&mut Self> {
        if self.items.is_none() && room.take() {
            self.items = Some(Box::default());
        }
        self.items.as_deref_mut()
    }

    /// Where the objects here are known.
    pub(super) fn objects(&mut self) -> &mut Objects {
        self.objects.get_or_insert_with(Box::default)
    }

    /// Takes in what another one knows. Its places must be counted in `room` already: they are given back where both are one.
    pub(super) fn merge(&mut self, other: Self, room: &mut Room) {
        self.value.merge(&other.value);
        match (&mut self.items, other.items) {
            (Some(items), Some(others)) => {
                room.places = room.places.saturating_sub(1);
                items.merge(*others, room);
            }
            (items @ None, others) => *items = others,
            (Some(_), None) => {}
        }
        match (&mut self.objects, other.objects) {
            (Some(objects), Some(others)) => objects.merge(*others, room),
            (objects @ None, others) => *objects = others,
            (Some(_), None) => {}
        }
    }

    /// How many places there are, this one among them.
    pub(super) fn places(&self) -> usize {
        let items = self.items.as_deref().map_or(0, Self::places);
        let objects = self.objects.as_deref().map_or(0, Objects::places);
        1 + items + objects
    }
}
