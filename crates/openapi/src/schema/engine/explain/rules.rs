//! What is wrong with types, listed values, numbers and strings.

use super::{Explainer, Flow};
use crate::schema::engine::alone::{has_length, has_number_type, is_within};
use crate::schema::finding::Finding;
use crate::schema::pattern::Match;
use crate::schema::program::{Bound, Kind, Node, Variants};
use crate::schema::types::Types;

impl Explainer<'_, '_, '_> {
    pub(super) fn has_type(&mut self, node: &Node, kind: Kind, at: usize) -> bool {
        let types = match kind {
            Kind::Null => Types::NULL,
            Kind::Boolean => Types::BOOLEAN,
            Kind::String => Types::STRING,
            Kind::Array => Types::ARRAY,
            Kind::Object => Types::OBJECT,
            Kind::Number => {
                self.engine.reader.at = at;
                let number = self.engine.reader.number();
                return number.is_ok_and(|number| has_number_type(node.types, number));
            }
        };
        node.types.has(types)
    }

    pub(super) fn literals(&mut self, node: &Node, kind: Kind, at: usize) -> Flow {
        let Some(literals) = &node.literals else {
            return Flow::Continue(());
        };
        for (keyword, list) in [("enum", &literals.variants), ("const", &literals.constant)] {
            if let Some(list) = list
                && !self.is_among(list, kind, at)
            {
                self.report(node, &Finding::of(keyword))?;
            }
        }
        Flow::Continue(())
    }

    fn is_among(&mut self, list: &Variants, kind: Kind, at: usize) -> bool {
        let engine = &mut self.engine;
        engine.reader.at = at;
        match kind {
            Kind::Null => list.null,
            Kind::Boolean => engine
                .boolean()
                .is_ok_and(|value| list.booleans[usize::from(value)]),
            Kind::Number => engine
                .reader
                .number()
                .is_ok_and(|number| list.has_number(number)),
            Kind::String => engine
                .reader
                .string()
                .is_ok_and(|text| list.has_string(&text.read())),
            Kind::Array | Kind::Object => list
                .has_container(&mut engine.reader, &mut engine.steps)
                .is_ok_and(|is_among| is_among),
        }
    }

    pub(super) fn number(&mut self, node: &Node, at: usize) -> Flow {
        self.engine.reader.at = at;
        let (Some(rules), Ok(number)) = (&node.number, self.engine.reader.number()) else {
            return Flow::Continue(());
        };
        for (bound, limit) in &rules.bounds {
            if !is_within(*bound, number, limit.number()) {
                let keyword = match bound {
                    Bound::Minimum => "minimum",
                    Bound::ExclusiveMinimum => "exclusiveMinimum",
                    Bound::Maximum => "maximum",
                    Bound::ExclusiveMaximum => "exclusiveMaximum",
                };
                self.report(node, &Finding::of(keyword))?;
            }
        }
        if let Some(divisor) = &rules.multiple_of
            && !number.is_multiple_of(divisor.number())
        {
            self.report(node, &Finding::of("multipleOf"))?;
        }
        if let Some(format) = rules.format
            && !format.allows(number)
        {
            self.report(node, &Finding::of_format(format.name()))?;
        }
        Flow::Continue(())
    }

    pub(super) fn string(&mut self, node: &Node, at: usize) -> Flow {
        self.engine.reader.at = at;
        let (Some(rules), Ok(raw)) = (&node.string, self.engine.reader.string()) else {
            return Flow::Continue(());
        };
        let text = raw.read();
        if !has_length(rules, &text, false) {
            let is_short = (text.chars().count() as u64) < rules.min;
            let keyword = if is_short { "minLength" } else { "maxLength" };
            self.report(node, &Finding::of(keyword))?;
        }
        if let Some(format) = rules.format
            && !format.allows(&text)
        {
            self.report(node, &Finding::of_format(format.name()))?;
        }
        if let Some(pattern) = &rules.pattern {
            match pattern.matches(&text, &mut self.engine.steps) {
                Match::Yes => {}
                Match::No => self.report(node, &Finding::of("pattern"))?,
                Match::TooCostly => self.report(node, &Finding::too_costly_pattern())?,
            }
        }
        Flow::Continue(())
    }
}
