//! URL-encoded forms, and what forms of both kinds have in common: an object whose members are texts.

use std::borrow::Cow;

use super::decode;
use super::names::Cursor;
use super::node::{Node, Room};
use super::object::Object;
use super::secret::{Hiding, SECRET, is_secret};
use super::seen::Seen;
use super::tape::Unreadable;

/// More fields than this are taken for unreadable.
pub(super) const MAX_FIELDS: usize = 10_000;

/// Learns from a URL-encoded form. One that cannot be decoded teaches nothing.
pub(super) fn learn_form(
    text: &str,
    node: &mut Node,
    seen: &Seen,
    room: &mut Room,
) -> Result<(), Unreadable> {
    let mut fields = Vec::new();
    for (name, value) in decode::pairs(text) {
        if fields.len() == MAX_FIELDS {
            return Err(Unreadable);
        }
        let name = decode::form(name).ok_or(Unreadable)?;
        let value = decode::form(value).ok_or(Unreadable)?;
        fields.push((name, value));
    }
    learn_fields(
        &mut fields,
        node,
        seen,
        room,
        |text, node, hiding, seen, _| learn_text(text, node, hiding, seen),
    );
    Ok(())
}

/// Learns from fields; of those with one name, all are the items of an array.
pub(super) fn learn_fields<V>(
    fields: &mut [(Cow<'_, str>, V)],
    node: &mut Node,
    seen: &Seen,
    room: &mut Room,
    mut learn: impl FnMut(&V, &mut Node, Hiding, &Seen, &mut Room),
) {
    // Stable, so values of one name stay in order.
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    let groups = || fields.chunk_by(|(one, _), (other, _)| one == other);
    node.value.object(groups().count(), seen);
    let object: &mut Object = node.objects().of_kind(None, room);
    object.present.add(seen);
    let mut cursor = Cursor::default();
    let (mut shape, mut is_whole) = (0_u64, true);
    for group in groups() {
        let Some(place) = object.member(&group[0].0, &mut cursor, seen, room) else {
            is_whole = false;
            continue;
        };
        shape = shape.wrapping_add(place.shape);
        if let [(_, only)] = group {
            learn(only, place.node, place.hiding, seen, room);
            continue;
        }
        place.node.value.array(group.len(), seen);
        if let Some(items) = place.node.items(room) {
            for (_, value) in group {
                learn(value, items, place.hiding, seen, room);
            }
        }
    }
    if is_whole {
        object.shape(shape, seen, || {
            groups().map(|group| (*group[0].0).into()).collect()
        });
    }
}

/// Learns from the text of a field.
pub(super) fn learn_text(text: &str, node: &mut Node, hiding: Hiding, seen: &Seen) {
    let shown = if is_secret(text, hiding) {
        SECRET
    } else {
        text
    };
    node.value.text(shown, seen);
}
