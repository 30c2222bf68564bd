//! One node at a time, straight through the text.

use super::Engine;
use crate::schema::format::TextFormat;
use crate::schema::names::NameSet;
use crate::schema::number::Number;
use crate::schema::pattern::{Match, Pattern};
use crate::schema::program::{
    ANY, ArrayRules, Bound, Kind, Node, NodeId, NumberRules, ObjectRules, Property, Route,
    StringRules,
};
use crate::schema::reader::{Raw, Read, Stop};
use crate::schema::types::Types;

/// Which of a schema's names have come.
struct Seen {
    first: u64,
    /// For names beyond the 64th.
    rest: Vec<u64>,
}

impl Seen {
    #[inline]
    fn new(count: usize) -> Self {
        Self {
            first: 0,
            rest: if count > 64 {
                vec![0; count.div_ceil(64) - 1]
            } else {
                Vec::new()
            },
        }
    }

    /// Note a name; `false` if it has come before.
    #[inline]
    fn insert(&mut self, number: usize) -> bool {
        let word = match number / 64 {
            0 => &mut self.first,
            word => &mut self.rest[word - 1],
        };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn has(&self, number: u32) -> bool {
        let word = match number / 64 {
            0 => self.first,
            word => self.rest[word as usize - 1],
        };
        word >> (number % 64) & 1 == 1
    }
}

#[inline]
fn fits(condition: bool) -> Read {
    if condition {
        Ok(())
    } else {
        Err(Stop::Mismatch)
    }
}

impl<'p, 't> Engine<'p, 't> {
    /// Read the value that is next, which has to conform to a node.
    #[inline]
    pub(super) fn expect(&mut self, id: NodeId, depth: usize) -> Read {
        if id == ANY {
            return self.skip(depth);
        }
        let kind = self.kind()?;
        match self.program.node(id).routes[kind as usize] {
            Route::Any => self.skip(depth),
            Route::Never => Err(Stop::Mismatch),
            Route::Alone(id) => self.alone(id, kind, depth),
            Route::Together => self.together(&[(id, true)], kind, depth).map(drop),
        }
    }

    /// Read the value that is next, which has to conform to a node's own rules.
    #[inline]
    pub(super) fn alone(&mut self, id: NodeId, kind: Kind, depth: usize) -> Read {
        let program = self.program;
        let node = program.node(id);
        match kind {
            Kind::Null => self.reader.word(b"null"),
            Kind::Boolean => {
                let value = self.boolean()?;
                fits(accepts_boolean(node, value))
            }
            Kind::Number => {
                let number = self.reader.number()?;
                fits(accepts_number(node, number))
            }
            Kind::String => {
                let raw = self.reader.string()?;
                let accepts = self.accepts_string(node, raw)?;
                fits(accepts)
            }
            Kind::Array => {
                if node.literals.is_some() && !self.is_among_literals(node)? {
                    return Err(Stop::Mismatch);
                }
                match &node.array {
                    Some(rules) => self.array(rules, depth + 1),
                    None => self.skip_array(depth + 1),
                }
            }
            Kind::Object => {
                if node.literals.is_some() && !self.is_among_literals(node)? {
                    return Err(Stop::Mismatch);
                }
                match &node.object {
                    Some(rules) => self.object(rules, depth + 1),
                    None => self.skip_object(depth + 1),
                }
            }
        }
    }

    /// Whether the array or object that is next is among the values a node lists; nothing is passed.
    pub(super) fn is_among_literals(&mut self, node: &Node) -> Read<bool> {
        let start = self.reader.at;
        for list in node.literals.iter().flat_map(|literals| literals.lists()) {
            let is_among = list.has_container(&mut self.reader, &mut self.steps)?;
            self.reader.at = start;
            if !is_among {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[inline(never)]
    fn array(&mut self, rules: &'p ArrayRules, depth: usize) -> Read {
        let start = self.reader.at;
        self.reader.enter(depth)?;
        let mut count = 0;
        if self.reader.peek() == Some(b']') {
            self.reader.at += 1;
        } else {
            loop {
                self.reader.count_member()?;
                let id = rules.prefix.get(count).copied().unwrap_or(rules.items);
                self.expect(id, depth)?;
                count += 1;
                if !self.reader.more(b']')? {
                    break;
                }
            }
        }
        let length = count as u64;
        fits(length >= rules.min && length <= rules.max)?;
        if rules.unique && count > 1 {
            let is_unique = self.has_unique_items(start, count)?;
            fits(is_unique)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn object(&mut self, rules: &'p ObjectRules, depth: usize) -> Read {
        let text = self.reader.text();
        self.reader.enter(depth)?;
        let mut seen = Seen::new(rules.names.len());
        let mut others = NameSet::default();
        let (mut count, mut required, mut previous) = (0_u64, 0, 0);
        if self.reader.peek() == Some(b'}') {
            self.reader.at += 1;
        } else {
            loop {
                self.reader.count_member()?;
                if self.reader.peek() != Some(b'"') {
                    return Err(Stop::Syntax);
                }
                let likely = rules.names.likely_after(previous);
                let after_quote = self.reader.bytes().get(self.reader.at + 1..);
                let next = after_quote.and_then(|rest| rules.names.is_next(likely, rest));
                let (known, name) = if let Some(length) = next {
                    self.reader.at += 1 + length;
                    self.reader.colon()?;
                    (Some(likely), None)
                } else {
                    let raw = self.reader.name()?;
                    let found = rules.names.find(&raw.read());
                    if let Some(number) = found {
                        rules.names.expect_after(previous, number);
                    }
                    (found, Some(raw))
                };
                let mut property = None;
                if let Some(number) = known {
                    if !seen.insert(number) {
                        return Err(Stop::Duplicate);
                    }
                    previous = number + 1;
                    let known = rules.properties[number];
                    required += u32::from(known.is_required);
                    property = Some(known);
                    if known.is_read_only && self.refuse_read_only {
                        return Err(Stop::Mismatch);
                    }
                } else if let Some(raw) = name
                    && !others.insert(raw, text)
                {
                    return Err(Stop::Duplicate);
                }
                if rules.patterns.is_empty() && rules.property_names.is_none() {
                    let listed = property.and_then(|property| property.node);
                    self.expect(listed.unwrap_or(rules.additional), depth)?;
                } else {
                    let name = match (known, name) {
                        (Some(number), _) => rules.names.name(number).into(),
                        (None, Some(raw)) => raw.read(),
                        (None, None) => continue,
                    };
                    self.member_by_name(rules, &name, property, depth)?;
                }
                count += 1;
                if !self.reader.more(b'}')? {
                    break;
                }
            }
        }
        fits(count >= rules.min && count <= rules.max && required == rules.required)?;
        for (name, needed) in &rules.dependent_required {
            fits(!seen.has(*name) || needed.iter().all(|needed| seen.has(*needed)))?;
        }
        Ok(())
    }

    /// A member of an object whose rules look at names as texts.
    #[inline(never)]
    fn member_by_name(
        &mut self,
        rules: &'p ObjectRules,
        name: &str,
        property: Option<Property>,
        depth: usize,
    ) -> Read {
        if let Some(names) = rules.property_names {
            let accepts = self.accepts_name(names, name)?;
            fits(accepts)?;
        }
        let mut nodes = smallvec::SmallVec::<[NodeId; 4]>::new();
        let mut is_listed = false;
        if let Some(node) = property.and_then(|property| property.node) {
            nodes.push(node);
            is_listed = true;
        }
        for (pattern, node) in &rules.patterns {
            if self.is_match(pattern, name)? {
                nodes.push(*node);
                is_listed = true;
            }
        }
        if !is_listed {
            nodes.push(rules.additional);
        }
        nodes.retain(|id| *id != ANY);
        nodes.sort_unstable();
        nodes.dedup();
        match nodes.as_slice() {
            [] => self.skip(depth),
            [only] => self.expect(*only, depth),
            several => {
                let roots: smallvec::SmallVec<[(NodeId, bool); 4]> =
                    several.iter().map(|id| (*id, true)).collect();
                let kind = self.kind()?;
                self.together(&roots, kind, depth).map(drop)
            }
        }
    }

    #[inline]
    pub(super) fn is_match(&mut self, pattern: &Pattern, text: &str) -> Read<bool> {
        match pattern.matches(text, &mut self.steps) {
            Match::Yes => Ok(true),
            // With no steps left, nothing more can be judged.
            Match::TooCostly if self.steps.left == 0 => Err(Stop::TooCostly),
            Match::No | Match::TooCostly => Ok(false),
        }
    }

    /// Whether a string conforms to a node's own rules.
    #[inline]
    pub(super) fn accepts_string(&mut self, node: &Node, raw: Raw<'t>) -> Read<bool> {
        if raw.has_escapes {
            return self.accepts_text(node, &raw.read(), false);
        }
        self.accepts_text(node, raw.text, raw.is_ascii)
    }

    #[inline]
    pub(super) fn accepts_text(&mut self, node: &Node, text: &str, is_ascii: bool) -> Read<bool> {
        if !node.types.has(Types::STRING) {
            return Ok(false);
        }
        if let Some(literals) = &node.literals
            && !literals.lists().all(|list| list.has_string(text))
        {
            return Ok(false);
        }
        match &node.string {
            Some(rules) => self.follows_string_rules(rules, text, is_ascii),
            None => Ok(true),
        }
    }

    #[inline]
    fn follows_string_rules(
        &mut self,
        rules: &StringRules,
        text: &str,
        is_ascii: bool,
    ) -> Read<bool> {
        if !has_length(rules, text, is_ascii) {
            return Ok(false);
        }
        if rules.format.is_some_and(|format| !allows(format, text)) {
            return Ok(false);
        }
        match &rules.pattern {
            Some(pattern) => self.is_match(pattern, text),
            None => Ok(true),
        }
    }
}

#[inline]
fn allows(format: TextFormat, text: &str) -> bool {
    format.allows(text)
}

/// Whether the number of characters is within bounds.
#[inline]
pub(super) fn has_length(rules: &StringRules, text: &str, is_ascii: bool) -> bool {
    let bytes = text.len() as u64;
    if is_ascii {
        return bytes >= rules.min && bytes <= rules.max;
    }
    // A character takes one to four bytes.
    if bytes < rules.min || bytes / 4 > rules.max {
        return false;
    }
    if bytes / 4 >= rules.min && bytes <= rules.max {
        return true;
    }
    let count = text.chars().count() as u64;
    count >= rules.min && count <= rules.max
}

pub(super) fn accepts_null(node: &Node) -> bool {
    let mut lists = node.literals.iter().flat_map(|literals| literals.lists());
    node.types.has(Types::NULL) && lists.all(|list| list.null)
}

pub(super) fn accepts_boolean(node: &Node, value: bool) -> bool {
    let mut lists = node.literals.iter().flat_map(|literals| literals.lists());
    node.types.has(Types::BOOLEAN) && lists.all(|list| list.booleans[usize::from(value)])
}

#[inline]
pub(super) fn accepts_number(node: &Node, number: Number<'_>) -> bool {
    has_number_type(node.types, number)
        && node
            .literals
            .as_ref()
            .is_none_or(|literals| literals.lists().all(|list| list.has_number(number)))
        && node
            .number
            .as_ref()
            .is_none_or(|rules| follows_number_rules(rules, number))
}

#[inline]
pub(super) fn has_number_type(types: Types, number: Number<'_>) -> bool {
    types.has(Types::NUMBER) || (types.has(Types::INTEGER) && number.is_integer())
}

#[inline]
fn follows_number_rules(rules: &NumberRules, number: Number<'_>) -> bool {
    rules
        .bounds
        .iter()
        .all(|(bound, limit)| is_within(*bound, number, limit.number()))
        && rules
            .multiple_of
            .as_ref()
            .is_none_or(|divisor| number.is_multiple_of(divisor.number()))
        && rules.format.is_none_or(|format| format.allows(number))
}

#[inline]
pub(super) fn is_within(bound: Bound, number: Number<'_>, limit: Number<'_>) -> bool {
    let order = number.compare(limit);
    match bound {
        Bound::Minimum => order.is_ge(),
        Bound::ExclusiveMinimum => order.is_gt(),
        Bound::Maximum => order.is_le(),
        Bound::ExclusiveMaximum => order.is_lt(),
    }
}
