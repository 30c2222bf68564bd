//! What follows segments, and what the segments at a place have in common.

use std::collections::HashMap;

use super::among::Group;
use super::shape::Shape;
use super::site::Site;
use super::tree::NONE;

/// What is said of a segment's further path.
pub(super) struct Below {
    /// The different words that follow.
    pub next: Vec<u32>,
    /// How likely what follows is a value by itself: in the mean, and at most; -1 if nothing follows.
    pub alone_mean: f32,
    /// See above.
    pub alone_most: f32,
    /// How many publishers use what follows as fixed text: the most, as a logarithm.
    pub fixed_most: f32,
    /// Methods of paths that end here, a bit each.
    pub methods: u16,
    /// How likely the segment itself is a value by itself.
    pub alone: f32,
}

/// How many of some nodes are evidence.
pub(super) fn evident(site: &Site<'_>, nodes: &[u32]) -> usize {
    nodes
        .iter()
        .filter(|&&node| site.evidence[node as usize])
        .count()
}

/// Place of `fixed` among the numbers of a segment by itself; a test compares it with the name.
pub(super) const FIXED: usize = 24;

pub(super) const GET: u16 = 1;
pub(super) const POST: u16 = 1 << 1;
pub(super) const PUT: u16 = 1 << 4;
pub(super) const DELETE: u16 = 1 << 5;
pub(super) const PATCH: u16 = 1 << 7;
/// At most so many nodes of a group are looked at; they are the first in the tree's sorted order.
const MAX_LOOKED_AT: usize = 64;

#[expect(
    clippy::cast_precision_loss,
    reason = "logarithms and shares need few digits"
)]
pub(super) fn count(number: usize) -> f32 {
    number as f32
}

pub(super) fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// The methods of paths that end at some nodes, a bit each.
pub(super) fn methods_of(site: &Site<'_>, nodes: &[u32]) -> u16 {
    nodes
        .iter()
        .filter(|&&node| site.evidence[node as usize])
        .flat_map(|&node| &site.tree.node(node).tallies)
        .fold(0, |methods, (method, _)| methods | 1 << method)
}

/// The words that follow a segment.
pub(super) fn words_below(site: &Site<'_>, group: &Group) -> Vec<u32> {
    Below::of(site, group).next
}

impl Below {
    pub(super) fn of(site: &Site<'_>, group: &Group) -> Self {
        let counted = |node: &&u32| site.evidence[**node as usize] || !group.evidence;
        let mut next: Vec<(u32, f32)> = Vec::new();
        let mut methods = 0;
        for &node in group.nodes.iter().filter(counted) {
            let node = site.tree.node(node);
            for (method, _) in &node.tallies {
                methods |= 1_u16 << method;
            }
            for child in node.children.iter().filter(counted) {
                next.push((site.text_of[*child as usize], site.alone[*child as usize]));
            }
        }
        next.sort_unstable_by(|one, two| one.0.cmp(&two.0).then(one.1.total_cmp(&two.1)));
        next.dedup_by_key(|pair| pair.0);
        let looked_at = group.nodes.iter().filter(counted).take(MAX_LOOKED_AT);
        let (sum, nodes) = looked_at.fold((0.0, 0), |(sum, nodes), &node| {
            (sum + site.alone[node as usize], nodes + 1)
        });
        let alone_mean = if next.is_empty() {
            -1.0
        } else {
            next.iter().map(|pair| pair.1).sum::<f32>() / count(next.len())
        };
        Self {
            alone_mean,
            alone_most: next.iter().map(|pair| pair.1).fold(-1.0, f32::max),
            fixed_most: next
                .iter()
                .filter(|pair| pair.0 != NONE)
                .map(|pair| site.lexical[pair.0 as usize].own[FIXED])
                .fold(-1.0, f32::max),
            methods,
            alone: sum / count(nodes.max(1)),
            // Only words are worth comparing: values differ anyway.
            next: next
                .into_iter()
                .filter(|pair| pair.0 != NONE && pair.1 <= 0.5)
                .map(|pair| pair.0)
                .collect(),
        }
    }
}

/// Sums over the groups of a place that count.
pub(super) struct Sums {
    pub groups: f32,
    pub nodes: f32,
    pub alone: f32,
    pub values: f32,
    pub fixed: f32,
    pub shapes: [f32; Shape::COUNT],
    pub methods: HashMap<u16, f32>,
    /// After how many of the groups a text follows.
    pub next: HashMap<u32, f32>,
    /// After how many of those that look like values.
    pub next_values: HashMap<u32, f32>,
}

impl Sums {
    pub(super) fn of(site: &Site<'_>, groups: &[Group], below: &[Below]) -> Self {
        let mut sums = Self {
            groups: 0.0,
            nodes: 0.0,
            alone: 0.0,
            values: 0.0,
            fixed: 0.0,
            shapes: [0.0; Shape::COUNT],
            methods: HashMap::new(),
            next: HashMap::new(),
            next_values: HashMap::new(),
        };
        for (group, below) in groups.iter().zip(below).filter(|(group, _)| group.evidence) {
            let lexical = &site.lexical[group.text as usize];
            sums.groups += 1.0;
            sums.nodes += count(evident(site, &group.nodes));
            sums.alone += below.alone;
            sums.values += flag(below.alone > 0.5);
            sums.fixed += lexical.own[FIXED];
            sums.shapes[lexical.shape as usize] += 1.0;
            *sums.methods.entry(below.methods).or_default() += 1.0;
            for &text in &below.next {
                *sums.next.entry(text).or_default() += 1.0;
                if below.alone > 0.5 {
                    *sums.next_values.entry(text).or_default() += 1.0;
                }
            }
        }
        sums
    }
}
