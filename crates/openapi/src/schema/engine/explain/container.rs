//! What is wrong with arrays and objects.

use super::{Explainer, Flow, Step};
use crate::place;
use crate::schema::finding::Finding;
use crate::schema::pattern::Match;
use crate::schema::program::{Kind, Node, ObjectRules};
use crate::schema::reader::Raw;

/// A way through the members or items of a container.
struct Parts {
    /// Where the container starts, or the last value.
    at: usize,
    is_object: bool,
    has_begun: bool,
}

/// A member or item: its name, if it has one, and where its value starts.
struct Part<'t> {
    name: Option<Raw<'t>>,
    at: usize,
}

impl<'p, 't> Explainer<'p, 't, '_> {
    pub(super) fn array(&mut self, node: &'p Node, at: usize) -> Flow {
        let Some(rules) = &node.array else {
            return Flow::Continue(());
        };
        let length = self.count_parts(at);
        let count = length as u64;
        if count < rules.min {
            self.report(node, &Finding::of("minItems"))?;
        }
        if count > rules.max {
            self.report(node, &Finding::of("maxItems"))?;
        }
        if let Some(contains) = rules.contains {
            let mut found = 0;
            let mut items = Parts::new(at, false);
            while let Some(item) = self.next_part(&mut items) {
                found += u64::from(self.conforms(contains.node, item.at)?);
            }
            if found < contains.min {
                let keyword = if contains.min == 1 {
                    "contains"
                } else {
                    "minContains"
                };
                self.report(node, &Finding::of(keyword))?;
            }
            if found > contains.max {
                self.report(node, &Finding::of("maxContains"))?;
            }
        }
        let mut items = Parts::new(at, false);
        let mut index = 0;
        while let Some(item) = self.next_part(&mut items) {
            let id = rules.prefix.get(index).copied().unwrap_or(rules.items);
            self.path.push(Step::Index(index));
            self.check(id, item.at)?;
            self.path.pop();
            index += 1;
        }
        if rules.unique && length > 1 {
            self.engine.reader.at = self.end_of(at);
            match self.engine.has_unique_items(at, length) {
                Ok(true) => {}
                Ok(false) => self.report(node, &Finding::of("uniqueItems"))?,
                Err(_) => return Flow::Break(()),
            }
        }
        Flow::Continue(())
    }

    pub(super) fn object(&mut self, node: &'p Node, at: usize) -> Flow {
        let Some(rules) = &node.object else {
            return Flow::Continue(());
        };
        let count = self.count_parts(at) as u64;
        if count < rules.min {
            self.report(node, &Finding::of("minProperties"))?;
        }
        if count > rules.max {
            self.report(node, &Finding::of("maxProperties"))?;
        }
        let mut has_come = vec![false; rules.names.len()];
        let mut members = Parts::new(at, true);
        while let Some(member) = self.next_part(&mut members) {
            let Some(name) = member.name else {
                continue;
            };
            let text = name.read();
            if let Some(number) = rules.names.find(&text) {
                has_come[number] = true;
            }
            self.path.push(Step::Key(name));
            self.member(node, rules, &text, member.at)?;
            self.path.pop();
        }
        for (number, property) in rules.properties.iter().enumerate() {
            if property.is_required && !has_come[number] {
                // The name comes from the document, so it may be told.
                let name = rules.names.name(number);
                self.report_more(node, &Finding::of("required"), |rule| {
                    place::push_key(rule, name);
                })?;
            }
        }
        for (name, needed) in &rules.dependent_required {
            let is_missing =
                has_come[*name as usize] && needed.iter().any(|needed| !has_come[*needed as usize]);
            if is_missing {
                let name = rules.names.name(*name as usize);
                self.report_more(node, &Finding::of("dependentRequired"), |rule| {
                    place::push_key(rule, name);
                })?;
            }
        }
        Flow::Continue(())
    }

    fn member(&mut self, node: &'p Node, rules: &'p ObjectRules, name: &str, at: usize) -> Flow {
        let property = rules.property(name).map(|(_, property)| property);
        if property.is_some_and(|property| property.is_read_only) && self.engine.refuse_read_only {
            self.report_more(node, &Finding::of("properties"), |rule| {
                place::push_key(rule, name);
                place::push_key(rule, "readOnly");
            })?;
        }
        if let Some(names) = rules.property_names {
            match self.engine.accepts_name(names, name) {
                Ok(true) => {}
                Ok(false) => self.report(node, &Finding::of("propertyNames"))?,
                Err(_) => return Flow::Break(()),
            }
        }
        let mut is_listed = false;
        if let Some(id) = property.and_then(|property| property.node) {
            is_listed = true;
            self.check(id, at)?;
        }
        for (pattern, id) in &rules.patterns {
            if pattern.matches(name, &mut self.engine.steps) == Match::Yes {
                is_listed = true;
                self.check(*id, at)?;
            }
        }
        if !is_listed {
            self.check(rules.additional, at)?;
        }
        Flow::Continue(())
    }

    /// The next member or item on a way.
    fn next_part(&mut self, parts: &mut Parts) -> Option<Part<'t>> {
        let close = if parts.is_object { b'}' } else { b']' };
        if parts.has_begun {
            self.engine.reader.at = self.end_of(parts.at);
            // The text has been found sound.
            if !self.engine.reader.more(close).is_ok_and(|more| more) {
                return None;
            }
        } else {
            parts.has_begun = true;
            self.engine.reader.at = parts.at + 1;
            self.engine.reader.skip_whitespace();
            if self.engine.reader.peek() == Some(close) {
                return None;
            }
        }
        let name = if parts.is_object {
            Some(self.engine.reader.name().ok()?)
        } else {
            None
        };
        parts.at = self.engine.reader.at;
        Some(Part { name, at: parts.at })
    }

    fn count_parts(&mut self, at: usize) -> usize {
        let is_object = self.kind_at(at) == Kind::Object;
        let mut parts = Parts::new(at, is_object);
        let mut count = 0;
        while self.next_part(&mut parts).is_some() {
            count += 1;
        }
        count
    }

    /// Where the value of a member of the object at a place starts.
    pub(super) fn member_at(&mut self, at: usize, name: &str) -> Option<usize> {
        let mut members = Parts::new(at, true);
        while let Some(member) = self.next_part(&mut members) {
            if member.name.is_some_and(|known| known.read() == name) {
                return Some(member.at);
            }
        }
        None
    }
}

impl Parts {
    fn new(at: usize, is_object: bool) -> Self {
        Self {
            at,
            is_object,
            has_begun: false,
        }
    }
}
