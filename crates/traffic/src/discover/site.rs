//! The paths of a host made ready for judging: each segment described once, and where else the same text stands.

use std::collections::HashMap;

use super::lexical::{BEFORE, Lexical, OWN, STYLES};
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

/// How a host writes and uses its words.
#[derive(Debug, Default)]
pub(super) struct Habits {
    /// The mean likelihood of its different segments to be values.
    pub alone_mean: f32,
    /// The share of them that are values beyond doubt.
    pub identifiers: f32,
    /// How many of its words, more likely fixed than not, are written in which style.
    pub styles: Vec<f32>,
    /// How many such words there are.
    pub words: f32,
    /// By text: behind how many different segments it stands, and what the segments after it are alone: their number and sum.
    pub behind: Vec<(u32, u32, f32)>,
    /// For two texts, one after the other: behind how many different segments they stand.
    pub pairs: HashMap<(u32, u32), u32>,
}

impl Habits {
    fn of(site: &Site<'_>, order: &[u32]) -> Self {
        let mut habits = Self {
            styles: vec![0.0; STYLES],
            behind: vec![(0, 0, 0.0); site.texts.len()],
            ..Self::default()
        };
        let mut texts: Vec<(u32, f32)> = Vec::new();
        // Text before the one before, text before, text; of what stands at the beginning the first is none.
        let mut rows: Vec<(u32, u32, u32, f32)> = Vec::new();
        for &node in &order[1..] {
            let text = site.text_of[node as usize];
            if text == NONE || !site.evidence[node as usize] {
                continue;
            }
            texts.push((text, site.alone[node as usize]));
            let parent = site.tree.node(node).parent;
            let before = site.text_of[parent as usize];
            if before != NONE {
                let grandparent = site.tree.node(parent).parent;
                rows.push((before, text, site.text_of[grandparent as usize], site.alone[node as usize]));
            }
        }
        texts.sort_unstable_by(|one, two| one.0.cmp(&two.0).then(one.1.total_cmp(&two.1)));
        texts.dedup_by_key(|pair| pair.0);
        let mut count = 0.0_f32;
        for &(text, alone) in &texts {
            let lexical = &site.lexical[text as usize];
            count += 1.0;
            habits.alone_mean += alone;
            habits.identifiers += f32::from(u8::from(lexical.shape.is_identifier()));
            if alone <= 0.5 {
                habits.words += 1.0;
                habits.styles[usize::from(lexical.style)] += 1.0;
            }
        }
        habits.alone_mean /= count.max(1.0);
        habits.identifiers /= count.max(1.0);
        rows.sort_unstable_by(|one, two| {
            (one.0, one.1, one.2).cmp(&(two.0, two.1, two.2)).then(one.3.total_cmp(&two.3))
        });
        rows.dedup_by_key(|row| (row.0, row.1, row.2));
        for pair in rows.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            let (before, text, _, alone) = pair[0];
            let behind = &mut habits.behind[before as usize];
            behind.1 += 1;
            behind.2 += alone;
            if pair.len() > 1 {
                let len = u32::try_from(pair.len()).unwrap_or(u32::MAX);
                habits.pairs.insert((before, text), len);
            }
        }
        let mut places: Vec<(u32, u32)> = rows.iter().map(|row| (row.0, row.2)).collect();
        places.sort_unstable();
        places.dedup();
        for (before, _) in places {
            habits.behind[before as usize].0 += 1;
        }
        habits
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
