//! Values from text: which meanings it can have, and JSON text of the one that is meant.

use std::borrow::Cow;
use std::collections::HashMap;

use smallvec::{SmallVec, smallvec};

use super::nested::{Entry, assemble};
use super::shape::{NodeId, Shape};
use super::style::{Coding, Fault, Style, Styled};
use super::text::{Json, Scalar, push_scalar, push_string, scalars};
use crate::policy::Policy;
use crate::schema::check::{Judging, Subject, syntax_violation};
use crate::schema::store::Schemas;
use crate::schema::types::Types;
use crate::violation::Location;

/// A value whose leaves are text.
#[derive(Debug)]
pub(crate) enum Raw<'t> {
    Text(Cow<'t, str>),
    List(Vec<Raw<'t>>),
    /// Names differ.
    Members(Vec<(Cow<'t, str>, Raw<'t>)>),
    /// JSON text.
    Json(Cow<'t, str>),
    /// One of several, the most specific first.
    Either(Vec<Raw<'t>>),
}

/// What came of one parameter or form field.
pub(crate) struct Source<'t> {
    pub(crate) name: &'t str,
    pub(crate) coding: Coding,
    /// The texts that came with the name itself.
    pub(crate) plain: SmallVec<[&'t [u8]; 4]>,
    /// What came with the name and brackets.
    pub(crate) bracketed: Vec<Entry<'t>>,
    /// What came with the names of the members: `(name, brackets, text)`.
    pub(crate) members: Vec<(&'t str, &'t str, &'t [u8])>,
    /// Whether a text can be JSON of an object or list.
    pub(crate) may_be_json: bool,
}

/// The meanings of a source, the most specific first.
pub(crate) type Meanings<'t> = SmallVec<[Raw<'t>; 1]>;

/// What a source can mean, by the types of the node.
///
/// # Errors
///
/// If it can mean nothing because it cannot be taken apart.
pub(crate) fn meanings<'t>(
    source: &Source<'t>,
    styled: Styled,
    shape: &Shape,
    node: Option<NodeId>,
) -> Result<Meanings<'t>, Fault> {
    let types = node
        .and_then(|node| shape.node(node))
        .map_or(Types::STRING, |node| node.types);
    let Source { name, coding, .. } = *source;
    let mut found = Meanings::new();
    let mut fault = None;
    let mut add = |meaning: Result<Raw<'t>, Fault>| match meaning {
        Ok(raw) => found.push(raw),
        Err(error) => fault = fault.or(Some(error)),
    };
    let is_plain = source.bracketed.is_empty() && source.members.is_empty();
    if let ([raw], true) = (&source.plain[..], is_plain) {
        // Where neither list nor object is possible, the text says what it is, whatever it should be.
        if types.scalars() != Types::NONE || !types.meets(Types::ARRAY.or(Types::OBJECT)) {
            add(styled.scalar(name, raw, coding).map(Raw::Text));
        }
        if source.may_be_json
            && types.meets(Types::ARRAY.or(Types::OBJECT))
            && let Ok(text) = coding.decode(raw)
            && text.starts_with(['{', '['])
        {
            add(Ok(Raw::Json(text)));
        }
    }
    // Without any statement of types a list by delimiter is as good as ruled out: text is what arrives.
    let says_types = types != Types::ALL;
    if types.has(Types::ARRAY) && is_plain && !source.plain.is_empty() {
        if styled.repeats() {
            let items = source
                .plain
                .iter()
                .map(|raw| Ok(Raw::Text(coding.decode(raw)?)));
            add(items.collect::<Result<_, Fault>>().map(Raw::List));
        } else if let ([raw], true) = (
            &source.plain[..],
            says_types && styled.style != Style::DeepObject,
        ) {
            let item = shape.item(node).and_then(|item| shape.node(item));
            // A comma is no part of a number, however it is written: `URLSearchParams` encodes each.
            let is_bare = item.is_some_and(|item| !item.types.has(Types::STRING));
            let items = if is_bare && coding == Coding::Form && styled.style == Style::Form {
                coding.decode(raw).map_err(Fault::from).map(split_at_commas)
            } else {
                styled.items(name, raw, coding)
            };
            add(items.map(|items| Raw::List(items.into_iter().map(Raw::Text).collect())));
        }
    }
    if types.has(Types::OBJECT) && says_types {
        match &source.plain[..] {
            [] if source.bracketed.is_empty() => {
                add(spread(source, shape, node));
            }
            [raw] if is_plain && !styled.spreads() && styled.style != Style::DeepObject => {
                add(styled.members(name, raw, coding).and_then(distinct));
            }
            _ => {}
        }
    }
    if source.plain.is_empty() && !source.bracketed.is_empty() {
        add(assemble(&source.bracketed, shape, node, coding));
    }
    if found.is_empty() {
        return match (fault, &source.plain[..]) {
            // The style has no way to write what the schema allows as one text: it is text, and of the wrong type.
            (None, [raw]) if is_plain => Ok(smallvec![Raw::Text(coding.decode(raw)?)]),
            (fault, _) => Err(fault.unwrap_or(Fault::Malformed)),
        };
    }
    Ok(found)
}

/// The items of a list that has been decoded.
fn split_at_commas(text: Cow<'_, str>) -> Vec<Cow<'_, str>> {
    match text {
        Cow::Borrowed("") => Vec::new(),
        Cow::Borrowed(text) => text.split(',').map(Cow::Borrowed).collect(),
        Cow::Owned(text) => text
            .split(',')
            .map(|item| Cow::Owned(item.to_owned()))
            .collect(),
    }
}

/// Members of an object, each of which came with its own name.
fn spread<'t>(source: &Source<'t>, shape: &Shape, node: Option<NodeId>) -> Result<Raw<'t>, Fault> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    let mut members: Vec<(&'t str, Source<'t>)> = Vec::new();
    for (name, brackets, raw) in &source.members {
        let at = *order.entry(name).or_insert_with(|| {
            let member = Source {
                name,
                coding: source.coding,
                plain: SmallVec::new(),
                bracketed: Vec::new(),
                members: Vec::new(),
                may_be_json: false,
            };
            members.push((name, member));
            members.len() - 1
        });
        if brackets.is_empty() {
            members[at].1.plain.push(raw);
        } else {
            members[at].1.bracketed.push(Entry::new(brackets, raw)?);
        }
    }
    let members = members.into_iter().map(|(name, member)| {
        let node = shape.member(node, name);
        let is_list = node
            .and_then(|node| shape.node(node))
            .is_some_and(|node| node.types.has(Types::ARRAY));
        if member.plain.len() > 1 && !is_list {
            return Err(Fault::Duplicate);
        }
        if !member.plain.is_empty() && !member.bracketed.is_empty() {
            return Err(Fault::Malformed);
        }
        let mut meanings = meanings(&member, Styled::FORM, shape, node)?;
        let meaning = match (meanings.len(), meanings.pop()) {
            (1, Some(only)) => only,
            (_, last) => Raw::Either(meanings.into_iter().chain(last).collect()),
        };
        Ok((Cow::Borrowed(name), meaning))
    });
    members.collect::<Result<_, Fault>>().map(Raw::Members)
}

fn distinct<'t>(members: Vec<(Cow<'t, str>, Cow<'t, str>)>) -> Result<Raw<'t>, Fault> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Fault::Duplicate);
    }
    let members = members
        .into_iter()
        .map(|(name, text)| (name, Raw::Text(text)))
        .collect();
    Ok(Raw::Members(members))
}

/// Writes values as JSON text.
pub(crate) struct Writer<'w> {
    pub(crate) shape: &'w Shape,
    pub(crate) schemas: &'w Schemas,
    pub(crate) judging: Judging,
    pub(crate) strict: bool,
    /// Every text that can be a string is one.
    pub(crate) strings: bool,
    /// Whether a text had several meanings.
    pub(crate) had_choice: bool,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(shape: &'w Shape, schemas: &'w Schemas, policy: &Policy) -> Self {
        Self {
            shape,
            schemas,
            judging: policy.judging(),
            strict: policy.strict_numbers,
            strings: false,
            had_choice: false,
        }
    }

    /// Append the meaning that the node's schema allows, or else the first. Whether it is known to conform.
    pub(crate) fn choose(
        &mut self,
        meanings: &[Raw<'_>],
        node: Option<NodeId>,
        out: &mut Json,
    ) -> bool {
        let [meaning] = meanings else {
            self.had_choice = true;
            let from = out.len();
            if let Some(check) = self.check(node) {
                for meaning in meanings {
                    if self.write(meaning, node, out) || check.conforms(&out[from..], self.judging)
                    {
                        return true;
                    }
                    out.truncate(from);
                }
            }
            if let Some(first) = meanings.first() {
                self.write(first, node, out);
            }
            return false;
        };
        self.write(meaning, node, out)
    }

    fn check(&self, node: Option<NodeId>) -> Option<&'w crate::schema::check::Check> {
        let check = self.shape.node(node?)?.check?;
        self.schemas.check(check)
    }

    /// Append a value. Whether it is known to conform.
    fn write(&mut self, raw: &Raw<'_>, node: Option<NodeId>, out: &mut Json) -> bool {
        match raw {
            Raw::Text(text) => return self.text(text, node, out),
            Raw::List(items) => {
                let item_node = self.shape.item(node);
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.write(item, item_node, out);
                }
                out.push(b']');
            }
            Raw::Members(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    push_string(out, name);
                    out.push(b':');
                    self.write(value, self.shape.member(node, name), out);
                }
                out.push(b'}');
            }
            Raw::Either(meanings) => return self.choose(meanings, node, out),
            Raw::Json(text) => {
                let subject = Subject {
                    location: Location::Body,
                    root: "",
                    at: "",
                };
                // Only what is one JSON value may stand inside another.
                if syntax_violation(text.as_bytes(), self.judging, subject).is_none() {
                    out.extend_from_slice(text.as_bytes());
                } else {
                    push_string(out, text);
                }
            }
        }
        false
    }

    fn text(&mut self, text: &str, node: Option<NodeId>, out: &mut Json) -> bool {
        let Some(known) = node.and_then(|node| self.shape.node(node)) else {
            push_string(out, text);
            return false;
        };
        let found = scalars(text, known.types, self.strict);
        match &found[..] {
            // What no type allows is a string: checking it names the violation.
            [] => push_string(out, text),
            [one] => push_scalar(out, text, one),
            several => {
                self.had_choice = true;
                if self.strings {
                    push_string(out, text);
                    return false;
                }
                let from = out.len();
                if let Some(check) = self.check(node) {
                    for scalar in several {
                        push_scalar(out, text, scalar);
                        if check.conforms(&out[from..], self.judging) {
                            return true;
                        }
                        out.truncate(from);
                    }
                }
                push_scalar(out, text, several.first().unwrap_or(&Scalar::String));
            }
        }
        false
    }
}
