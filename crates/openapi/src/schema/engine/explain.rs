//! What is wrong with a value that does not conform, said once it is known that something is.
//!
//! Goes from the top downwards and judges every part before it looks into it, so that only what is wrong is looked into.
//! Nobody is in a hurry here: parts are read again as often as they are deep.

mod container;
mod rules;

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{Engine, syntax};
use crate::operation::MAX_VIOLATIONS;
use crate::place;
use crate::schema::check::Subject;
use crate::schema::finding::Finding;
use crate::schema::program::{InPlace, Kind, Node, NodeId, Program};
use crate::schema::reader::{Raw, Stop};
use crate::schema::store::Schemas;
use crate::violation::{Location, Violation};

/// `Break` when enough has been found, or more cannot be afforded.
type Flow = ControlFlow<()>;

/// Bytes of text that cost one step to judge again.
const BYTES_PER_STEP: usize = 32;

/// One step of the way from the root to a value.
#[derive(Clone)]
enum Step<'t> {
    Key(Raw<'t>),
    Index(usize),
}

pub(crate) struct Explainer<'p, 't, 's> {
    engine: Engine<'p, 't>,
    program: &'p Program,
    subject: Subject<'s>,
    schemas: &'s Schemas,
    max: usize,
    found: Vec<Violation>,
    path: Vec<Step<'t>>,
    /// Which nodes have been explained at which places: two ways to the same fault report it once.
    explained: HashSet<(NodeId, usize)>,
}

impl<'p, 't, 's> Explainer<'p, 't, 's> {
    /// Explain the text of an engine, which is JSON within the limits.
    pub(crate) fn new(
        engine: Engine<'p, 't>,
        program: &'p Program,
        subject: Subject<'s>,
        schemas: &'s Schemas,
        first_only: bool,
    ) -> Self {
        Self {
            engine,
            program,
            subject,
            schemas,
            max: if first_only { 1 } else { MAX_VIOLATIONS },
            found: Vec::new(),
            path: Vec::new(),
            explained: HashSet::new(),
        }
    }

    pub(crate) fn explain(mut self) -> Vec<Violation> {
        self.engine.reader.skip_whitespace();
        let at = self.engine.reader.at;
        // Ended early or not: what has been found is the answer.
        let _ = self.node(self.program.root, at);
        if self.found.is_empty() {
            self.found.push(syntax::too_costly(self.subject));
        }
        self.found
    }

    /// Whether the value at a place conforms to a node.
    fn conforms(&mut self, id: NodeId, at: usize) -> ControlFlow<(), bool> {
        let reader = &mut self.engine.reader;
        (reader.at, reader.members) = (at, 0);
        let judged = self.engine.expect(id, 0);
        let read = self.engine.reader.at.saturating_sub(at);
        let cost = (read / BYTES_PER_STEP) as u64;
        match (judged, self.engine.steps.charge(cost)) {
            (Ok(()), Ok(())) => ControlFlow::Continue(true),
            (Err(Stop::TooCostly), _) | (_, Err(_)) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(false),
        }
    }

    /// The place behind the value at a place.
    fn end_of(&mut self, at: usize) -> usize {
        let reader = &mut self.engine.reader;
        (reader.at, reader.members) = (at, 0);
        // The text has been found sound.
        let _ = self.engine.skip(0);
        self.engine.reader.at
    }

    fn kind_at(&mut self, at: usize) -> Kind {
        self.engine.reader.at = at;
        self.engine.kind().unwrap_or(Kind::Null)
    }

    /// Report a failed keyword of a node at the value that `path` leads to; `more` follows the keyword's place.
    fn report_more(
        &mut self,
        node: &Node,
        finding: &Finding,
        more: impl FnOnce(&mut String),
    ) -> Flow {
        let mut rule = self.schemas.place(node.definition).to_owned();
        rule.push_str(&node.place);
        if !finding.keyword.is_empty() {
            place::push_key(&mut rule, finding.keyword);
        }
        more(&mut rule);
        let mut target = self.subject.root.to_owned();
        // A parameter's name is the whole target: an item of `ids` is still reported as `ids`.
        if self.subject.location == Location::Body {
            for step in &self.path {
                match step {
                    Step::Key(name) => place::push_key(&mut target, &name.read()),
                    Step::Index(index) => place::push_index(&mut target, *index),
                }
            }
        }
        let violation = Violation::new(
            self.subject.location,
            &target,
            finding.class,
            finding.detail.as_deref(),
            &rule,
        );
        if !self.found.contains(&violation) {
            self.found.push(violation);
        }
        if self.found.len() < self.max {
            Flow::Continue(())
        } else {
            Flow::Break(())
        }
    }

    fn report(&mut self, node: &Node, finding: &Finding) -> Flow {
        self.report_more(node, finding, |_| {})
    }

    /// Explain the value at a place if it does not conform.
    fn check(&mut self, id: NodeId, at: usize) -> Flow {
        if self.conforms(id, at)? {
            return Flow::Continue(());
        }
        self.node(id, at)
    }

    /// Explain why the value at a place does not conform to a node.
    fn node(&mut self, id: NodeId, at: usize) -> Flow {
        if !self.explained.insert((id, at)) {
            return Flow::Continue(());
        }
        let node = self.program.node(id);
        if node.is_never {
            return self.report(node, &Finding::of(""));
        }
        let before = self.found.len();
        let kind = self.kind_at(at);
        if !self.has_type(node, kind, at) {
            return self.report(node, &Finding::of_type(node.types.expected()));
        }
        self.literals(node, kind, at)?;
        match kind {
            Kind::Null | Kind::Boolean => {}
            Kind::Number => self.number(node, at)?,
            Kind::String => self.string(node, at)?,
            Kind::Array => self.array(node, at)?,
            Kind::Object => self.object(node, at)?,
        }
        if let Some(in_place) = &node.in_place {
            self.in_place(node, in_place, at)?;
            if self.found.len() == before {
                self.unevaluated(id, node, in_place, at)?;
            }
        }
        Flow::Continue(())
    }

    fn in_place(&mut self, node: &Node, in_place: &InPlace, at: usize) -> Flow {
        for branch in &in_place.all {
            self.check(*branch, at)?;
        }
        if let Some(branches) = &in_place.any {
            let count = self.count_conforming(branches, at)?;
            if count == 0 && !self.in_named_branch(in_place, branches, at)? {
                self.report(node, &Finding::of("anyOf"))?;
            }
        }
        if let Some(branches) = &in_place.one {
            let count = self.count_conforming(branches, at)?;
            if count != 1 && (count > 0 || !self.in_named_branch(in_place, branches, at)?) {
                self.report(node, &Finding::of("oneOf"))?;
            }
        }
        if let Some(not) = in_place.not
            && self.conforms(not, at)?
        {
            self.report(node, &Finding::of("not"))?;
        }
        if let Some(condition) = in_place.condition {
            let branch = if self.conforms(condition.test, at)? {
                condition.then
            } else {
                condition.otherwise
            };
            if let Some(branch) = branch {
                self.check(branch, at)?;
            }
        }
        if !in_place.dependent.is_empty()
            && let Some(rules) = &node.object
            && self.kind_at(at) == Kind::Object
        {
            for (name, dependent) in &in_place.dependent {
                if self
                    .member_at(at, rules.names.name(*name as usize))
                    .is_some()
                {
                    self.check(*dependent, at)?;
                }
            }
        }
        Flow::Continue(())
    }

    fn count_conforming(&mut self, branches: &[NodeId], at: usize) -> ControlFlow<(), usize> {
        let mut count = 0;
        for branch in branches {
            count += usize::from(self.conforms(*branch, at)?);
        }
        ControlFlow::Continue(count)
    }

    /// Explain inside the branch that a discriminator names; `false` if none is named, or nothing is wrong with it.
    fn in_named_branch(
        &mut self,
        in_place: &InPlace,
        branches: &[NodeId],
        at: usize,
    ) -> ControlFlow<(), bool> {
        let Some(discriminator) = &in_place.discriminator else {
            return ControlFlow::Continue(false);
        };
        if self.kind_at(at) != Kind::Object {
            return ControlFlow::Continue(false);
        }
        let value = self.member_at(at, &discriminator.property);
        let Some(value) = value.filter(|value| self.kind_at(*value) == Kind::String) else {
            return ControlFlow::Continue(false);
        };
        self.engine.reader.at = value;
        let Ok(value) = self.engine.reader.string() else {
            return ControlFlow::Continue(false);
        };
        let value = value.read();
        let branch = discriminator
            .branches
            .iter()
            .find(|(known, _)| **known == *value)
            .and_then(|(_, branch)| branches.get(*branch as usize));
        let Some(branch) = branch else {
            return ControlFlow::Continue(false);
        };
        let before = self.found.len();
        self.check(*branch, at)?;
        ControlFlow::Continue(self.found.len() > before)
    }

    /// Report the members or items that nothing has evaluated.
    fn unevaluated(&mut self, id: NodeId, node: &Node, in_place: &InPlace, at: usize) -> Flow {
        if in_place.unevaluated_properties.is_none() && in_place.unevaluated_items.is_none() {
            return Flow::Continue(());
        }
        let reader = &mut self.engine.reader;
        (reader.at, reader.members) = (at, 0);
        self.engine.unevaluated = Some(Vec::new());
        let judged = self.engine.verdict((id, false), 0);
        let list = self.engine.unevaluated.take().unwrap_or_default();
        if judged.is_err() {
            return Flow::Break(());
        }
        let is_object = self.kind_at(at) == Kind::Object;
        for part in list {
            if part.node != id || part.container != at {
                continue;
            }
            if !is_object {
                return self.report(node, &Finding::of("unevaluatedItems"));
            }
            self.engine.reader.at = part.part - 1;
            if let Ok(name) = self.engine.reader.string() {
                self.path.push(Step::Key(name));
                self.report(node, &Finding::of("unevaluatedProperties"))?;
                self.path.pop();
            }
        }
        Flow::Continue(())
    }
}
