//! The paths of a host made ready for judging: each segment described once, and where else the same text stands.

use std::collections::HashMap;

use super::habits::Habits;
use super::lexical::{BEFORE, Lexical, OWN};
use super::model::Models;
use super::tree::{NONE, PathTree, ROOT};
use super::words::Lexicon;

/// From this mean likelihood on a path is evidence for the structure of its host.
const EVIDENCE_SCORE: f64 = 0.5;
/// How many numbers describe a segment alone: its own, those of the one before, and its depth.
pub(super) const ALONE: usize = OWN + BEFORE + 1;
/// Deeper than this is as deep as this.
const MAX_DEPTH: u8 = 8;

/// What segments are judged by.
#[derive(Clone, Copy)]
pub(super) struct Knowledge<'k> {
    pub lexicon: &'k Lexicon,
    /// Without it (when a model is about to be made) all segments count as undecided.
    pub models: Option<&'k Models>,
}

impl Knowledge<'static> {
    pub(super) fn shipped() -> Self {
        Self {
            lexicon: Lexicon::shipped(),
            models: Some(Models::shipped()),
        }
    }
}

/// A host's tree with what its segments' letters tell.
pub(super) struct Site<'t> {
    pub tree: &'t PathTree,
    pub models: Option<&'t Models>,
    /// The different segments, sorted.
    pub texts: Vec<&'t str>,
    /// By text.
    pub lexical: Vec<Lexical>,
    /// By text: under how many different words and values it stands.
    pub places: Vec<(u32, u32)>,
    /// What is said of the host as a whole.
    pub habits: Habits,
    /// By node; [`NONE`] for what has no text of its own.
    pub text_of: Vec<u32>,
    /// By node: the text of the first segment on its way; [`NONE`] at the root.
    pub first_of: Vec<u32>,
    /// By node: how likely it is a value, by its own letters and those before.
    pub alone: Vec<f32>,
    /// By node: whether a path through it is evidence for the structure.
    pub evidence: Vec<bool>,
}

impl<'t> Site<'t> {
    pub(super) fn new(tree: &'t PathTree, knowledge: Knowledge<'t>) -> Self {
        let order = nodes_from_the_root(tree);
        let mut texts: Vec<&str> = order
            .iter()
            .map(|&node| &*tree.node(node).segment)
            .collect();
        texts.sort_unstable();
        texts.dedup();
        let lexical: Vec<Lexical> = texts
            .iter()
            .map(|text| Lexical::of(text, knowledge.lexicon))
            .collect();
        let numbers: HashMap<&str, u32> = texts.iter().copied().zip(0..).collect();
        let mut site = Self {
            tree,
            models: knowledge.models,
            lexical,
            places: Vec::new(),
            habits: Habits::default(),
            text_of: vec![NONE; tree.capacity()],
            first_of: vec![NONE; tree.capacity()],
            alone: vec![0.5; tree.capacity()],
            evidence: evidence(tree, &order),
            texts,
        };
        let mut depths = vec![0_u8; tree.capacity()];
        let mut known: HashMap<(u32, u32, u8), f32> = HashMap::new();
        for &node in &order[1..] {
            let parent = tree.node(node).parent;
            let depth = depths[parent as usize].saturating_add(1).min(MAX_DEPTH);
            depths[node as usize] = depth;
            if is_overflow(tree, node) {
                site.alone[node as usize] = 1.0;
                continue;
            }
            let text = numbers[&*tree.node(node).segment];
            site.text_of[node as usize] = text;
            site.first_of[node as usize] = if parent == ROOT {
                text
            } else {
                site.first_of[parent as usize]
            };
            let before = site.text_of[parent as usize];
            site.alone[node as usize] = *known
                .entry((text, before, depth))
                .or_insert_with(|| site.judge_alone(text, before, depth));
        }
        site.find_places(&order);
        site.habits = Habits::of(&site, &order);
        site
    }

    /// The numbers by which a segment is judged alone.
    pub(super) fn describe_alone(&self, text: u32, before: u32, depth: u8) -> [f32; ALONE] {
        let mut all = [0.0; ALONE];
        all[..OWN].copy_from_slice(&self.lexical[text as usize].own);
        if before != NONE {
            all[OWN..OWN + BEFORE].copy_from_slice(&self.lexical[before as usize].before);
        }
        all[ALONE - 1] = f32::from(depth);
        all
    }

    fn judge_alone(&self, text: u32, before: u32, depth: u8) -> f32 {
        self.models.map_or(0.5, |models| {
            models
                .alone
                .likelihood(&self.describe_alone(text, before, depth))
        })
    }

    fn find_places(&mut self, order: &[u32]) {
        let mut pairs: Vec<(u32, u32, bool)> = order
            .iter()
            .filter(|&&node| self.text_of[node as usize] != NONE && self.evidence[node as usize])
            .map(|&node| {
                let parent = self.tree.node(node).parent;
                let is_value = self.alone[parent as usize] > 0.5;
                (
                    self.text_of[node as usize],
                    self.text_of[parent as usize],
                    is_value,
                )
            })
            .collect();
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| (pair.0, pair.1));
        self.places = vec![(0, 0); self.texts.len()];
        for (text, _, is_value) in pairs {
            let place = &mut self.places[text as usize];
            if is_value {
                place.1 += 1;
            } else {
                place.0 += 1;
            }
        }
    }
}

/// Whether a node sums up what was too much to keep.
pub(super) fn is_overflow(tree: &PathTree, node: u32) -> bool {
    let parent = tree.node(node).parent;
    parent != NONE && tree.node(parent).overflow == node
}

/// All nodes, each after its parent.
fn nodes_from_the_root(tree: &PathTree) -> Vec<u32> {
    let mut order = vec![ROOT];
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        let node = tree.node(node);
        order.extend(&node.children);
        if node.overflow != NONE {
            order.push(node.overflow);
        }
        at += 1;
    }
    order
}

/// Which nodes have a path of a good score at or below them; all, if there is none in the whole tree.
fn evidence(tree: &PathTree, order: &[u32]) -> Vec<bool> {
    let mut evidence = vec![false; tree.capacity()];
    for &node in order.iter().rev() {
        let own = tree.node(node);
        if own
            .tallies
            .iter()
            .any(|(_, tally)| tally.mean_score() >= EVIDENCE_SCORE)
        {
            evidence[node as usize] = true;
        }
        if evidence[node as usize] && own.parent != NONE {
            evidence[own.parent as usize] = true;
        }
    }
    if !evidence[ROOT as usize] {
        evidence.fill(true);
    }
    evidence
}
