//! Several nodes side by side, while one value is read.
//!
//! Every node that applies to the value is an [`Atom`] of the value's [`Frame`]. Atoms die of the rules they state
//! themselves; a member or item is judged once by all nodes that living atoms ask of it. When the value has been read, what
//! atoms apply in place (`anyOf`, `not`, …) is combined, parts before the whole, into one verdict for each.

mod combine;
mod frame;

use smallvec::SmallVec;

use self::frame::{Frame, Purpose, Use};
use super::Engine;
use super::alone::{accepts_boolean, accepts_null, accepts_number};
use crate::schema::names::NameSet;
use crate::schema::program::{ANY, Kind, NodeId, Route};
use crate::schema::reader::{Raw, Read, Stop};

/// A verdict for each root, in their order.
pub(super) type Verdicts = SmallVec<[bool; 4]>;

/// A node a value is judged by, and whether judging ends if the value does not conform.
pub(super) type Root = (NodeId, bool);

impl<'p, 't> Engine<'p, 't> {
    /// Whether the value that is next conforms to a node; it is passed either way, unless it has to conform.
    pub(super) fn verdict(&mut self, root: Root, depth: usize) -> Read<bool> {
        let (id, must) = root;
        let kind = self.kind()?;
        match self.program.node(id).routes[kind as usize] {
            Route::Any => self.skip(depth).map(|()| true),
            Route::Never if must => Err(Stop::Mismatch),
            Route::Never => self.skip(depth).map(|()| false),
            Route::Alone(id) if must => self.alone(id, kind, depth).map(|()| true),
            Route::Alone(id) => {
                let (at, members) = (self.reader.at, self.reader.members);
                match self.alone(id, kind, depth) {
                    Err(Stop::Mismatch) => {
                        (self.reader.at, self.reader.members) = (at, members);
                        self.skip(depth).map(|()| false)
                    }
                    other => other.map(|()| true),
                }
            }
            Route::Together => Ok(self.together(&[root], kind, depth)?[0]),
        }
    }

    /// Whether the value that is next, of this kind, conforms to each of the roots, which differ and grow.
    #[inline(never)]
    pub(super) fn together(&mut self, roots: &[Root], kind: Kind, depth: usize) -> Read<Verdicts> {
        let mut frame = Frame::new(self.program, roots, kind);
        self.steps.charge(frame.atoms.len() as u64)?;
        frame.settle()?;
        match kind {
            Kind::Null => {
                self.reader.word(b"null")?;
                frame.each_open(|atom| atom.dies_unless(accepts_null(atom.node)));
            }
            Kind::Boolean => {
                let value = self.boolean()?;
                frame.each_open(|atom| atom.dies_unless(accepts_boolean(atom.node, value)));
            }
            Kind::Number => {
                let number = self.reader.number()?;
                frame.each_open(|atom| atom.dies_unless(accepts_number(atom.node, number)));
            }
            Kind::String => {
                let raw = self.reader.string()?;
                let text = raw.read();
                self.strings(&mut frame, &text, raw.is_ascii)?;
            }
            Kind::Array => {
                self.container_literals(&mut frame)?;
                self.items(&mut frame, depth + 1)?;
            }
            Kind::Object => {
                self.container_literals(&mut frame)?;
                self.members(&mut frame, depth + 1)?;
            }
        }
        let verdicts = self.combine(&mut frame)?;
        let fails = roots
            .iter()
            .zip(&verdicts)
            .any(|((_, must), conforms)| *must && !conforms);
        if fails {
            Err(Stop::Mismatch)
        } else {
            Ok(verdicts)
        }
    }

    fn strings(&mut self, frame: &mut Frame<'p>, text: &str, is_ascii: bool) -> Read {
        for at in 0..frame.atoms.len() {
            if frame.atoms[at].is_open() {
                let node = frame.atoms[at].node;
                let accepts = self.accepts_text(node, text, is_ascii)?;
                frame.atoms[at].dies_unless(accepts);
            }
        }
        Ok(())
    }

    /// Whether a member's name, as a string, conforms to a node.
    pub(super) fn accepts_name(&mut self, id: NodeId, name: &str) -> Read<bool> {
        match self.program.node(id).routes[Kind::String as usize] {
            Route::Any => Ok(true),
            Route::Never => Ok(false),
            Route::Alone(id) => {
                let program = self.program;
                self.accepts_text(program.node(id), name, name.is_ascii())
            }
            Route::Together => {
                let mut frame = Frame::new(self.program, &[(id, false)], Kind::String);
                self.steps.charge(frame.atoms.len() as u64)?;
                frame.settle()?;
                self.strings(&mut frame, name, name.is_ascii())?;
                Ok(self.combine(&mut frame)?[0])
            }
        }
    }

    fn container_literals(&mut self, frame: &mut Frame<'p>) -> Read {
        frame.start = self.reader.at;
        for at in 0..frame.atoms.len() {
            let atom = &frame.atoms[at];
            if atom.is_open() && atom.node.literals.is_some() {
                let is_among = self.is_among_literals(atom.node)?;
                frame.atoms[at].dies_unless(is_among);
            }
        }
        Ok(())
    }

    fn items(&mut self, frame: &mut Frame<'p>, depth: usize) -> Read {
        frame.settle()?;
        self.reader.enter(depth)?;
        let mut index = 0;
        let mut uses = SmallVec::<[Use; 8]>::new();
        if self.reader.peek() == Some(b']') {
            self.reader.at += 1;
        } else {
            loop {
                self.reader.count_member()?;
                uses.clear();
                self.steps.charge(frame.item_uses(index, &mut uses))?;
                self.judge_by_uses(frame, &mut uses, index, depth)?;
                index += 1;
                if !self.reader.more(b']')? {
                    break;
                }
            }
        }
        let mut is_unique = None;
        for at in 0..frame.atoms.len() {
            let atom = &frame.atoms[at];
            let Some(rules) = atom.node.array.as_ref().filter(|_| atom.is_open()) else {
                continue;
            };
            let length = index as u64;
            let mut fits = length >= rules.min && length <= rules.max;
            if let Some(contains) = rules.contains {
                let count = u64::from(atom.count);
                fits &= count >= contains.min && count <= contains.max;
            }
            if fits && rules.unique && index > 1 {
                let known = match is_unique {
                    Some(known) => known,
                    None => self.has_unique_items(frame.start, index)?,
                };
                is_unique = Some(known);
                fits = known;
            }
            frame.atoms[at].dies_unless(fits);
        }
        Ok(())
    }

    fn members(&mut self, frame: &mut Frame<'p>, depth: usize) -> Read {
        frame.settle()?;
        let text = self.reader.text();
        self.reader.enter(depth)?;
        let mut names = NameSet::default();
        let mut uses = SmallVec::<[Use; 8]>::new();
        let mut count = 0;
        if self.reader.peek() == Some(b'}') {
            self.reader.at += 1;
        } else {
            loop {
                self.reader.count_member()?;
                let raw = self.reader.name()?;
                if !names.insert(raw, text) {
                    return Err(Stop::Duplicate);
                }
                uses.clear();
                self.member_uses(frame, raw, &mut uses)?;
                let start = raw.text.as_ptr() as usize - text.as_ptr() as usize;
                self.judge_by_uses(frame, &mut uses, start, depth)?;
                count += 1;
                if !self.reader.more(b'}')? {
                    break;
                }
            }
        }
        frame.end_object(count);
        Ok(())
    }

    /// What living atoms ask of a member.
    fn member_uses(
        &mut self,
        frame: &mut Frame<'p>,
        raw: Raw<'t>,
        uses: &mut SmallVec<[Use; 8]>,
    ) -> Read {
        let name = raw.read();
        for at in 0..frame.atoms.len() {
            let atom = &mut frame.atoms[at];
            if !atom.is_open() {
                continue;
            }
            self.steps.charge(1)?;
            let mut is_evaluated = false;
            let node = atom.node;
            if let Some(rules) = &node.object {
                let property = rules.property(&name);
                if let Some((number, property)) = property {
                    atom.count += u32::from(property.is_required);
                    if property.is_read_only && self.refuse_read_only {
                        atom.alive = false;
                        continue;
                    }
                    if property.is_awaited {
                        frame.awaited.push((at, number));
                    }
                    if let Some(node) = property.node {
                        uses.push(Use::new(node, at, Purpose::Must));
                        is_evaluated = true;
                    }
                }
                for (pattern, node) in &rules.patterns {
                    if self.is_match(pattern, &name)? {
                        uses.push(Use::new(*node, at, Purpose::Must));
                        is_evaluated = true;
                    }
                }
                if !is_evaluated && rules.has_additional {
                    uses.push(Use::new(rules.additional, at, Purpose::Must));
                    is_evaluated = true;
                }
                if let Some(names) = rules.property_names {
                    let accepts = self.accepts_name(names, &name)?;
                    frame.atoms[at].dies_unless(accepts);
                }
            }
            let unevaluated = node
                .in_place
                .as_ref()
                .and_then(|in_place| in_place.unevaluated_properties);
            if let Some(node) = unevaluated
                && !is_evaluated
            {
                uses.push(Use::new(node, at, Purpose::IfUnevaluated));
            }
        }
        Ok(())
    }

    /// Judge the member or item that is next by what is asked of it; `part` names it within its container.
    fn judge_by_uses(
        &mut self,
        frame: &mut Frame<'p>,
        uses: &mut SmallVec<[Use; 8]>,
        part: usize,
        depth: usize,
    ) -> Read {
        // What everything conforms to needs no judging, but may count.
        let mut roots = SmallVec::<[Root; 8]>::new();
        for wanted in uses.iter() {
            if wanted.node != ANY {
                let must = wanted.purpose == Purpose::Must && frame.atoms[wanted.atom()].must;
                roots.push((wanted.node, must));
            }
        }
        roots.sort_unstable_by_key(|(id, must)| (*id, !must));
        roots.dedup_by_key(|(id, _)| *id);
        let verdicts = match roots.as_slice() {
            [] => {
                self.skip(depth)?;
                Verdicts::new()
            }
            [only] => SmallVec::from_slice(&[self.verdict(*only, depth)?]),
            several => {
                let kind = self.kind()?;
                self.together(several, kind, depth)?
            }
        };
        let (pending, found) = (frame.pending.len(), frame.found.len());
        let mut is_death = false;
        for wanted in uses.iter() {
            let conforms = wanted.node == ANY || {
                let at = roots.binary_search_by_key(&wanted.node, |(id, _)| *id);
                at.is_ok_and(|at| verdicts[at])
            };
            is_death |= frame.note(*wanted, conforms, part)?;
        }
        if frame.pending.len() == pending {
            // Nobody will ask who has found this one.
            frame.found.truncate(found);
        }
        if is_death {
            frame.settle()?;
        }
        Ok(())
    }
}
