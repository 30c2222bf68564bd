//! URL-encoded forms: fields to JSON text.

use std::borrow::Cow;
use std::collections::HashMap;

use super::encoded::{Pair, PairsError, pairs};
use super::finder::{Finder, Flow};
use super::nested::Entry;
use super::parameter::fault_violation;
use super::plan::{Encoding, Form};
use super::shape::{NodeId, Shape};
use super::style::{Coding, Fault, Styled};
use super::text::Json;
use super::value::{Raw, Source, Writer, meanings};
use crate::place;
use crate::policy::Policy;
use crate::schema::check::Subject;
use crate::schema::store::Schemas;
use crate::schema::types::Types;
use crate::violation::{ErrorClass, Location, Violation};

/// Judge a form.
pub(super) fn judge(
    form: &Form,
    schemas: &Schemas,
    bytes: &[u8],
    at: &str,
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    let refused = |fault| fault_violation(Location::Body, "$", fault, at);
    let pairs = match pairs(bytes, policy.max_members) {
        Ok(pairs) => pairs,
        Err(PairsError::Name(error)) => return finder.add(refused(Fault::Decode(error))),
        Err(PairsError::TooMany) => {
            let violation =
                Violation::new(Location::Body, "$", ErrorClass::TooManyValues, None, at);
            return finder.add(violation);
        }
    };
    let members = members(form, &pairs, Coding::Form, at, finder)?;
    match (&form.shape, members) {
        (Some(shape), Some(members)) => {
            check(shape, schemas, &Raw::Members(members), at, policy, finder)
        }
        _ => Flow::Continue(()),
    }
}

/// Names and values, the leaves of which are text.
pub(super) type Members<'t> = Vec<(Cow<'t, str>, Raw<'t>)>;

/// The members that the fields of a form make; `None` if a field cannot be read.
pub(super) fn members<'t>(
    form: &Form,
    pairs: &'t [Pair<'t>],
    coding: Coding,
    at: &str,
    finder: &mut Finder,
) -> Flow<Option<Members<'t>>> {
    let mut members = Vec::new();
    let mut is_sound = true;
    for field in fields(form, pairs, coding) {
        let named = field.and_then(|field| Ok((field.source.name, field.meaning(form)?)));
        match named {
            Ok((name, meaning)) => members.push((Cow::Borrowed(name), meaning)),
            Err((name, fault)) => {
                is_sound = false;
                let target = place::key("$", name);
                finder.add(fault_violation(Location::Body, &target, fault, at))?;
            }
        }
    }
    Flow::Continue(is_sound.then_some(members))
}

/// Whether the outline of a form has a field of this name, brackets or not.
pub(super) fn names(shape: &Shape, name: &str) -> bool {
    let pair = Pair {
        name: Cow::Borrowed(name),
        raw: b"",
    };
    property(shape, &pair).is_some()
}

/// Whether the field of this name can be a list.
pub(super) fn is_list(shape: &Shape, name: &str) -> bool {
    let node = shape.member(Some(Shape::ROOT), name);
    node.and_then(|node| shape.node(node))
        .is_some_and(|node| node.types.has(Types::ARRAY))
}

/// Check an object whose leaves are text.
pub(super) fn check(
    shape: &Shape,
    schemas: &Schemas,
    value: &Raw<'_>,
    at: &str,
    policy: &Policy,
    finder: &mut Finder,
) -> Flow {
    let Some(check) = schemas.check(shape.schema) else {
        return finder.add(super::body::not_judged(at));
    };
    let judging = policy.judging();
    let mut writer = Writer::new(shape, schemas, policy);
    let mut text = Json::new();
    writer.choose(std::slice::from_ref(value), Some(Shape::ROOT), &mut text);
    let subject = Subject {
        location: Location::Body,
        root: "$",
        at,
    };
    let found = check.violations(&text, judging, subject, schemas, finder.wants_first());
    if !found.is_empty() && writer.had_choice {
        writer.strings = true;
        let mut strings = Json::new();
        writer.choose(std::slice::from_ref(value), Some(Shape::ROOT), &mut strings);
        if check.conforms(&strings, judging) {
            return Flow::Continue(());
        }
    }
    for violation in found {
        finder.add(violation)?;
    }
    Flow::Continue(())
}

/// What came of one field.
struct Field<'t> {
    source: Source<'t>,
    node: Option<NodeId>,
    encoding: Option<Encoding>,
}

impl<'t> Field<'t> {
    fn meaning(self, form: &Form) -> Result<Raw<'t>, (&'t str, Fault)> {
        let name = self.source.name;
        self.read(form).map_err(|fault| (name, fault))
    }

    fn read(self, form: &Form) -> Result<Raw<'t>, Fault> {
        let Self {
            source,
            node,
            encoding,
        } = self;
        let texts = |raws: &[&'t [u8]]| {
            let texts = raws
                .iter()
                .map(|raw| Ok(Raw::Text(source.coding.decode(raw)?)));
            texts.collect::<Result<Vec<_>, Fault>>()
        };
        let known = form
            .shape
            .as_ref()
            .and_then(|shape| Some((shape, shape.node(node?)?)));
        let Some((shape, known)) = known else {
            // Text, or the list of texts of a field that is repeated.
            let mut texts = texts(&source.plain)?;
            return match (texts.len(), texts.pop()) {
                (1, Some(only)) => Ok(only),
                (_, last) => Ok(Raw::List(texts.into_iter().chain(last).collect())),
            };
        };
        if !source.plain.is_empty() && !source.bracketed.is_empty() {
            return Err(Fault::Malformed);
        }
        let styled = encoding.map_or(Styled::FORM, |encoding| encoding.styled);
        let is_list = known.types.has(Types::ARRAY) && styled.repeats();
        if source.plain.len() > 1 && !is_list {
            return Err(Fault::Duplicate);
        }
        if encoding.is_some_and(|encoding| encoding.is_json)
            && let [raw] = source.plain[..]
        {
            return Ok(Raw::Json(source.coding.decode(raw)?));
        }
        let mut meanings = meanings(&source, styled, shape, node)?;
        match (meanings.len(), meanings.pop()) {
            (1, Some(only)) => Ok(only),
            (_, last) => Ok(Raw::Either(meanings.into_iter().chain(last).collect())),
        }
    }
}

/// The fields of a form, in the order they first appear.
fn fields<'t>(
    form: &Form,
    pairs: &'t [Pair<'t>],
    coding: Coding,
) -> Vec<Result<Field<'t>, (&'t str, Fault)>> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    let mut fields: Vec<Result<Field<'t>, (&'t str, Fault)>> = Vec::new();
    for pair in pairs {
        let (name, brackets, node) = place_of(form, pair);
        let at = *order.entry(name).or_insert_with(|| {
            let encodings = &form.encodings;
            let encoding = encodings.iter().find(|(known, _)| known == name);
            let encoding = encoding.map(|(_, encoding)| *encoding);
            let mut source = Source::nothing(name, coding);
            source.may_be_json = encoding.is_none();
            fields.push(Ok(Field {
                source,
                node,
                encoding,
            }));
            fields.len() - 1
        });
        let Ok(field) = &mut fields[at] else { continue };
        if brackets.is_empty() {
            field.source.plain.push(pair.raw);
            continue;
        }
        match Entry::new(brackets, pair.raw) {
            Ok(entry) => field.source.bracketed.push(entry),
            Err(fault) => fields[at] = Err((name, fault)),
        }
    }
    fields
}

/// The field that a pair is of, the brackets after its name, and the field's outline.
fn place_of<'t>(form: &Form, pair: &'t Pair<'t>) -> (&'t str, &'t str, Option<NodeId>) {
    let name = pair.name.as_ref();
    let Some(shape) = &form.shape else {
        return (name, "", None);
    };
    match property(shape, pair) {
        Some((base, brackets, node)) => (base, brackets, Some(node)),
        None => (name, "", shape.member(Some(Shape::ROOT), name)),
    }
}

fn property<'t>(shape: &Shape, pair: &'t Pair<'_>) -> Option<(&'t str, &'t str, NodeId)> {
    let object = shape.node(Shape::ROOT)?;
    let name = pair.name.as_ref();
    if let Some(node) = object.property(name) {
        return Some((name, "", node));
    }
    // Also of what can be no list or object: to many readers `age[]=x` is a value of `age`, and the last one wins.
    let (base, brackets) = pair.split();
    let node = object.property(base).filter(|_| !brackets.is_empty())?;
    Some((base, brackets, node))
}
