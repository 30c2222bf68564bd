//! What is wrong with arrays and objects.

use std::borrow::Cow;

use super::{Explainer, Flow, Step};
use crate::place;
use crate::schema::finding::Finding;
use crate::schema::pattern::Match;
use crate::schema::program::{Node, ObjectRules};
use crate::schema::reader::Raw;

impl<'p, 't> Explainer<'p, 't, '_> {
    pub(super) fn array(&mut self, node: &'p Node, at: usize) -> Flow {
        let Some(rules) = &node.array else {
            return Flow::Continue(());
        };
        let items = self.items_at(at);
        let count = items.len() as u64;
        if count < rules.min {
            self.report(node, &Finding::of("minItems"))?;
        }
        if count > rules.max {
            self.report(node, &Finding::of("maxItems"))?;
        }
        if let Some(contains) = rules.contains {
            let mut found = 0;
            for item in &items {
                found += u64::from(self.conforms(contains.node, *item)?);
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
        for (index, item) in items.iter().enumerate() {
            let id = rules.prefix.get(index).copied().unwrap_or(rules.items);
            self.path.push(Step::Index(index));
            self.check(id, *item)?;
            self.path.pop();
        }
        if rules.unique && items.len() > 1 {
            self.engine.reader.at = self.end_of(at);
            match self.engine.has_unique_items(at, items.len()) {
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
        let members = self.members_at(at);
        let count = members.len() as u64;
        if count < rules.min {
            self.report(node, &Finding::of("minProperties"))?;
        }
        if count > rules.max {
            self.report(node, &Finding::of("maxProperties"))?;
        }
        for (name, value) in &members {
            self.path.push(Step::Key(*name));
            self.member(node, rules, &name.read(), *value)?;
            self.path.pop();
        }
        let mut has_come = vec![false; rules.names.len()];
        for (name, _) in &members {
            if let Some(number) = rules.names.find(&name.read()) {
                has_come[number] = true;
            }
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

    /// The places of the items of the array at a place.
    fn items_at(&mut self, at: usize) -> Vec<usize> {
        let mut items = Vec::new();
        self.engine.reader.at = at + 1;
        self.engine.reader.skip_whitespace();
        if self.engine.reader.peek() == Some(b']') {
            return items;
        }
        loop {
            let item = self.engine.reader.at;
            items.push(item);
            self.engine.reader.at = self.end_of(item);
            // The text has been found sound.
            if !self.engine.reader.more(b']').is_ok_and(|more| more) {
                return items;
            }
        }
    }

    /// The names and the places of the values of the object at a place.
    fn members_at(&mut self, at: usize) -> Vec<(Raw<'t>, usize)> {
        let mut members = Vec::new();
        self.engine.reader.at = at + 1;
        self.engine.reader.skip_whitespace();
        if self.engine.reader.peek() == Some(b'}') {
            return members;
        }
        while let Ok(name) = self.engine.reader.name() {
            let value = self.engine.reader.at;
            members.push((name, value));
            self.engine.reader.at = self.end_of(value);
            if !self.engine.reader.more(b'}').is_ok_and(|more| more) {
                break;
            }
        }
        members
    }

    pub(super) fn names_at(&mut self, at: usize) -> Vec<(Cow<'t, str>, usize)> {
        let members = self.members_at(at).into_iter();
        members.map(|(name, value)| (name.read(), value)).collect()
    }
}
