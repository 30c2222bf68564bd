//! The nodes that apply to one value, and how they fare.

use smallvec::SmallVec;

use crate::schema::program::{InPlace, Kind, Node, NodeId, Program, Route};
use crate::schema::reader::{Read, Stop};

use super::Root;

/// One node at one value.
#[allow(clippy::struct_excessive_bools)] // each is known at another time
pub(super) struct Atom<'p> {
    pub(super) node: &'p Node,
    /// Nothing has been found wrong yet.
    pub(super) alive: bool,
    /// Its verdict makes a difference.
    pub(super) needed: bool,
    /// Values of this kind conform, whatever they are.
    pub(super) is_settled: bool,
    /// Judging ends if it dies.
    pub(super) must: bool,
    /// Required names that have come, or items that `contains` has found.
    pub(super) count: u32,
}

impl Atom<'_> {
    /// Whether there is anything left to find out.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.alive && self.needed && !self.is_settled
    }

    #[inline]
    pub(super) fn dies_unless(&mut self, condition: bool) {
        self.alive &= condition;
    }
}

/// What a member or item is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The atom dies if it does not conform.
    Must,
    /// It counts if it conforms.
    Contains,
    /// If it does not conform, another keyword has to have evaluated it.
    IfUnevaluated,
}

/// What an atom asks of a member or item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    pub(super) node: NodeId,
    atom: u32,
    pub(super) purpose: Purpose,
}

impl Use {
    pub(super) fn new(node: NodeId, atom: usize, purpose: Purpose) -> Self {
        Self {
            node,
            atom: u32::try_from(atom).expect("a program has fewer nodes"),
            purpose,
        }
    }

    /// The place of the atom that asks.
    pub(super) fn atom(self) -> usize {
        self.atom as usize
    }
}

pub(super) struct Frame<'p> {
    pub(super) kind: Kind,
    /// Upwards by number: what applies in place comes before what applies it.
    pub(super) atoms: SmallVec<[Atom<'p>; 6]>,
    /// The roots' places among the atoms.
    pub(super) roots: SmallVec<[usize; 4]>,
    /// Where the value starts.
    pub(super) start: usize,
    /// Names that have come and that something depends on, by atom.
    pub(super) awaited: Vec<(usize, usize)>,
    /// Members (by place of their name) or items (by number) that an atom allows only if they are evaluated.
    pub(super) pending: Vec<(u32, u32)>,
    /// Items that an atom's `contains` has found, while somebody asks for unevaluated ones.
    pub(super) found: Vec<(u32, u32)>,
    /// Whether somebody asks for unevaluated members or items.
    pub(super) has_unevaluated: bool,
}

impl<'p> Frame<'p> {
    pub(super) fn new(program: &'p Program, roots: &[Root], kind: Kind) -> Self {
        let mut ids = SmallVec::<[NodeId; 16]>::new();
        for (id, _) in roots {
            if program.node(*id).in_place.is_none() {
                ids.push(*id);
            } else {
                ids.extend_from_slice(&program.closure(*id));
            }
        }
        if roots.len() > 1 {
            ids.sort_unstable();
            ids.dedup();
        }
        let has_unevaluated = ids.iter().any(|id| {
            program
                .node(*id)
                .in_place
                .as_ref()
                .is_some_and(|in_place| match kind {
                    Kind::Array => in_place.unevaluated_items.is_some(),
                    Kind::Object => in_place.unevaluated_properties.is_some(),
                    _ => false,
                })
        });
        let atoms = ids.iter().map(|id| {
            let node = program.node(*id);
            let route = node.routes[kind as usize];
            Atom {
                node,
                alive: route != Route::Never,
                needed: false,
                // What is evaluated has to be known even of those that cannot fail.
                is_settled: route == Route::Any && !has_unevaluated,
                must: false,
                count: 0,
            }
        });
        let mut frame = Self {
            kind,
            atoms: atoms.collect(),
            roots: SmallVec::new(),
            start: 0,
            awaited: Vec::new(),
            pending: Vec::new(),
            found: Vec::new(),
            has_unevaluated,
        };
        for (id, must) in roots {
            let at = frame.at(*id);
            frame.atoms[at].must = *must;
            frame.roots.push(at);
        }
        frame
    }

    /// The place of a node that is known to be among the atoms.
    #[inline]
    pub(super) fn at(&self, id: NodeId) -> usize {
        self.atoms
            .binary_search_by_key(&id, |atom| atom.node.id)
            .expect("a closure holds all that is applied in place")
    }

    pub(super) fn each_open(&mut self, mut visit: impl FnMut(&mut Atom<'p>)) {
        for atom in &mut self.atoms {
            if atom.is_open() {
                visit(atom);
            }
        }
    }

    /// Draw conclusions from deaths: who else is dead, and whose verdict makes no difference any more.
    ///
    /// # Errors
    ///
    /// If one has died that must not.
    pub(super) fn settle(&mut self) -> Read {
        for at in 0..self.atoms.len() {
            let atom = &self.atoms[at];
            if let Some(in_place) = &atom.node.in_place
                && atom.alive
                && !atom.is_settled
                && self.is_lost(in_place)
            {
                self.atoms[at].alive = false;
            }
        }
        for atom in &mut self.atoms {
            atom.needed = false;
        }
        for at in &self.roots {
            self.atoms[*at].needed = true;
        }
        for at in (0..self.atoms.len()).rev() {
            let atom = &self.atoms[at];
            if atom.must && !atom.alive {
                return Err(Stop::Mismatch);
            }
            if !atom.is_open() {
                continue;
            }
            let (must, node) = (atom.must, atom.node);
            let Some(in_place) = &node.in_place else {
                continue;
            };
            for id in in_place.nodes() {
                let at = self.at(id);
                self.atoms[at].needed = true;
            }
            if must {
                for id in &in_place.all {
                    let at = self.at(*id);
                    self.atoms[at].must = true;
                }
            }
        }
        Ok(())
    }

    /// Whether branches that have died leave no way to conform.
    fn is_lost(&self, in_place: &InPlace) -> bool {
        let is_dead = |id: &NodeId| !self.atoms[self.at(*id)].alive;
        in_place.all.iter().any(is_dead)
            || in_place
                .any
                .as_ref()
                .is_some_and(|branches| branches.iter().all(is_dead))
            || in_place
                .one
                .as_ref()
                .is_some_and(|branches| branches.iter().all(is_dead))
    }

    /// What living atoms ask of an item; how many atoms were asked.
    pub(super) fn item_uses(&self, index: usize, uses: &mut SmallVec<[Use; 8]>) -> u64 {
        let mut asked = 0;
        for (at, atom) in self.atoms.iter().enumerate() {
            if !atom.is_open() {
                continue;
            }
            asked += 1;
            let mut is_evaluated = false;
            if let Some(rules) = &atom.node.array {
                is_evaluated = index < rules.prefix.len() || rules.has_items;
                let item = rules.prefix.get(index).copied().unwrap_or(rules.items);
                uses.push(Use::new(item, at, Purpose::Must));
                if let Some(contains) = rules.contains {
                    uses.push(Use::new(contains.node, at, Purpose::Contains));
                }
            }
            let unevaluated = atom
                .node
                .in_place
                .as_ref()
                .and_then(|in_place| in_place.unevaluated_items);
            if let Some(node) = unevaluated
                && !is_evaluated
            {
                uses.push(Use::new(node, at, Purpose::IfUnevaluated));
            }
        }
        asked
    }

    /// Note what came of a member or item; whether the atom died of it.
    pub(super) fn note(&mut self, wanted: Use, conforms: bool, part: usize) -> Read<bool> {
        // Texts are shorter than 4 GiB, see `Check`.
        let place = |number: usize| u32::try_from(number).map_err(|_| Stop::TooCostly);
        match (wanted.purpose, conforms) {
            (Purpose::Must, false) => {
                self.atoms[wanted.atom()].alive = false;
                return Ok(true);
            }
            (Purpose::Contains, true) => {
                self.atoms[wanted.atom()].count += 1;
                if self.has_unevaluated {
                    self.found.push((wanted.atom, place(part)?));
                }
            }
            (Purpose::IfUnevaluated, false) => {
                // What its own `contains` has found is evaluated; that has been noted just before.
                let part = place(part)?;
                let of_part = self
                    .found
                    .iter()
                    .rev()
                    .take_while(|(_, item)| *item == part);
                if self.kind == Kind::Array
                    && of_part.into_iter().any(|(atom, _)| *atom == wanted.atom)
                {
                    return Ok(false);
                }
                self.pending.push((wanted.atom, part));
            }
            _ => {}
        }
        Ok(false)
    }

    /// The rules that wait for all members.
    pub(super) fn end_object(&mut self, count: u64) {
        for (at, atom) in self.atoms.iter_mut().enumerate() {
            let Some(rules) = atom.node.object.as_ref().filter(|_| atom.is_open()) else {
                continue;
            };
            let has = |name: u32| self.awaited.contains(&(at, name as usize));
            let fits = count >= rules.min
                && count <= rules.max
                && atom.count == rules.required
                && rules
                    .dependent_required
                    .iter()
                    .all(|(name, needed)| !has(*name) || needed.iter().all(|needed| has(*needed)));
            atom.dies_unless(fits);
        }
    }
}
