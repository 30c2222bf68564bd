//! From what atoms found to verdicts.

use smallvec::SmallVec;

use super::Verdicts;
use super::frame::Frame;
use crate::schema::engine::{Engine, Unevaluated};
use crate::schema::program::{InPlace, Kind, NodeId};
use crate::schema::reader::{Raw, Read};

impl<'p, 't> Engine<'p, 't> {
    /// The verdicts of the roots, once the value has been read.
    pub(super) fn combine(&mut self, frame: &mut Frame<'p>) -> Read<Verdicts> {
        // From here on, alive means that the value conforms.
        for at in 0..frame.atoms.len() {
            let atom = &frame.atoms[at];
            if !atom.is_open() {
                continue;
            }
            let node = atom.node;
            let Some(in_place) = &node.in_place else {
                continue;
            };
            let mut conforms = frame.conforms_in_place(at, in_place);
            if conforms && !frame.pending.is_empty() {
                conforms = self.all_is_evaluated(frame, at)?;
            }
            frame.atoms[at].alive = conforms;
        }
        let verdicts = frame.roots.iter().map(|at| frame.atoms[*at].alive);
        Ok(verdicts.collect())
    }

    /// Whether the members or items that an atom leaves to others have been evaluated by those.
    fn all_is_evaluated(&mut self, frame: &Frame<'p>, at: usize) -> Read<bool> {
        let own = |(atom, _): &&(u32, u32)| *atom as usize == at;
        if !frame.pending.iter().any(|pending| own(&pending)) {
            return Ok(true);
        }
        let contributors = frame.contributors(at);
        let mut is_fine = true;
        for (_, part) in frame.pending.iter().filter(own) {
            self.steps.charge(contributors.len() as u64)?;
            let is_evaluated = match frame.kind {
                Kind::Object => {
                    let name = self.name_at(*part as usize)?.read();
                    let mut is_evaluated = false;
                    for contributor in &contributors {
                        is_evaluated |= self.evaluates_name(frame, *contributor, &name, at)?;
                    }
                    is_evaluated
                }
                _ => contributors
                    .iter()
                    .any(|contributor| frame.evaluates_item(*contributor, *part, at)),
            };
            if !is_evaluated {
                is_fine = false;
                match &mut self.unevaluated {
                    Some(list) => list.push(Unevaluated {
                        node: frame.atoms[at].node.id,
                        container: frame.start,
                        part: *part as usize,
                    }),
                    None => break,
                }
            }
        }
        Ok(is_fine)
    }

    /// The name that starts at `start`, behind its quote.
    fn name_at(&mut self, start: usize) -> Read<Raw<'t>> {
        let at = self.reader.at;
        self.reader.at = start - 1;
        let name = self.reader.string();
        self.reader.at = at;
        name
    }

    fn evaluates_name(
        &mut self,
        frame: &Frame<'p>,
        contributor: usize,
        name: &str,
        asking: usize,
    ) -> Read<bool> {
        let node = frame.atoms[contributor].node;
        let evaluates_rest = node
            .in_place
            .as_ref()
            .is_some_and(|in_place| in_place.unevaluated_properties.is_some());
        if contributor != asking && evaluates_rest {
            return Ok(true);
        }
        let Some(rules) = &node.object else {
            return Ok(false);
        };
        let property = rules.property(name);
        if rules.has_additional || property.is_some_and(|(_, property)| property.node.is_some()) {
            return Ok(true);
        }
        for (pattern, _) in &rules.patterns {
            if self.is_match(pattern, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Frame<'_> {
    /// Whether a node of the closure conforms, which has been combined before.
    fn conforms(&self, id: NodeId) -> bool {
        self.atoms[self.at(id)].alive
    }

    fn has_come(&self, at: usize, name: u32) -> bool {
        self.awaited.contains(&(at, name as usize))
    }

    fn conforms_in_place(&self, at: usize, in_place: &InPlace) -> bool {
        let conforms = |id: &NodeId| self.conforms(*id);
        let fits = in_place.all.iter().all(conforms)
            && in_place
                .any
                .as_ref()
                .is_none_or(|branches| branches.iter().any(conforms))
            && in_place
                .one
                .as_ref()
                .is_none_or(|branches| branches.iter().filter(|id| conforms(id)).count() == 1)
            && !in_place.not.as_ref().is_some_and(conforms);
        fits && in_place.condition.is_none_or(|condition| {
            let branch = if self.conforms(condition.test) {
                condition.then
            } else {
                condition.otherwise
            };
            branch.as_ref().is_none_or(conforms)
        }) && in_place
            .dependent
            .iter()
            .all(|(name, id)| !self.has_come(at, *name) || self.conforms(*id))
    }

    /// The atoms whose annotations reach an atom: itself and what conforms of that it applies in place.
    fn contributors(&self, asking: usize) -> SmallVec<[usize; 8]> {
        let mut found = SmallVec::<[usize; 8]>::from_slice(&[asking]);
        let mut next = 0;
        while next < found.len() {
            let at = found[next];
            next += 1;
            let Some(in_place) = &self.atoms[at].node.in_place else {
                continue;
            };
            let mut branches: SmallVec<[NodeId; 8]> = in_place.all.iter().copied().collect();
            branches.extend(in_place.any.iter().flatten().copied());
            branches.extend(in_place.one.iter().flatten().copied());
            if let Some(condition) = in_place.condition {
                if self.conforms(condition.test) {
                    branches.push(condition.test);
                    branches.extend(condition.then);
                } else {
                    branches.extend(condition.otherwise);
                }
            }
            let dependent = in_place.dependent.iter();
            branches.extend(
                dependent
                    .filter(|(name, _)| self.has_come(at, *name))
                    .map(|(_, id)| *id),
            );
            for id in branches {
                let at = self.at(id);
                if self.atoms[at].alive && self.atoms[at].needed && !found.contains(&at) {
                    found.push(at);
                }
            }
        }
        found
    }

    /// Whether an atom's `contains` has found an item.
    fn has_found(&self, at: usize, index: u32) -> bool {
        // Items came in order.
        let from = self.found.partition_point(|(_, item)| *item < index);
        self.found[from..]
            .iter()
            .take_while(|(_, item)| *item == index)
            .any(|(atom, _)| *atom as usize == at)
    }

    fn evaluates_item(&self, contributor: usize, index: u32, asking: usize) -> bool {
        let node = self.atoms[contributor].node;
        let evaluates_rest = node
            .in_place
            .as_ref()
            .is_some_and(|in_place| in_place.unevaluated_items.is_some());
        if contributor != asking && evaluates_rest {
            return true;
        }
        node.array.as_ref().is_some_and(|rules| {
            rules.has_items
                || (index as usize) < rules.prefix.len()
                || self.has_found(contributor, index)
        })
    }
}
