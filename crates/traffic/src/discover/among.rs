//! The numbers that describe a segment among its neighbours: what stands beside it, before it and below it.

use std::collections::HashMap;

use super::lexical::{BEFORE, OWN};
use super::site::Site;
use super::tree::NONE;

/// How many numbers describe the neighbourhood.
pub(super) const NEIGHBOURHOOD: usize = 43;
/// How many numbers describe a segment among its neighbours.
pub(super) const AMONG: usize = OWN + BEFORE + NEIGHBOURHOOD;

/// What those numbers are, in their order.
pub(super) const NEIGHBOURHOOD_NAMES: [&str; NEIGHBOURHOOD] = [
    "alone",
    "before_kind",
    "before_before_kind",
    "depth",
    "variables_before",
    "siblings",
    "siblings_alone_mean",
    "siblings_values_share",
    "siblings_same_shape_share",
    "prefixes",
    "prefixes_with_it",
    "prefixes_with_it_share",
    "segments_per_place",
    "next",
    "next_alone_mean",
    "next_alone_most",
    "ends_here",
    "next_fixed_most",
    "next_alike_most",
    "next_alike_share",
    "takes_get",
    "takes_post",
    "takes_put",
    "takes_patch",
    "takes_delete",
    "before_takes_get",
    "before_takes_post",
    "before_takes_change",
    "places_under_words",
    "places_under_values",
    "siblings_fixed_mean",
    "siblings_same_methods_share",
    "siblings_same_alone_share",
    "next_is_fixed_everywhere",
    "siblings_alike_values_share",
    "host_alone_mean",
    "host_identifiers",
    "host_words",
    "host_style_share",
    "elsewhere_after_word",
    "elsewhere_after_word_alone_mean",
    "elsewhere_same_pair",
    "elsewhere_same_pair_share",
];

/// What a segment stands behind, once that is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Before {
    /// The beginning of the path.
    Root,
    /// Fixed text, by number.
    Fixed(u32),
    /// A variable.
    Variable,
}

impl Before {
    fn number(self) -> f32 {
        match self {
            Self::Root => 0.0,
            Self::Fixed(_) => 1.0,
            Self::Variable => 2.0,
        }
    }
}

/// Prefixes that are one in the template, and what leads to them.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub prefixes: Vec<u32>,
    pub before: Before,
    pub before_before: Before,
    pub depth: u8,
    pub variables: u8,
}

/// A segment that stands at a place, with the nodes it has there.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub text: u32,
    pub nodes: Vec<u32>,
    /// Whether it counts when others are judged.
    pub evidence: bool,
}

/// What is said of a group's further path.
struct Below {
    /// The different texts that follow.
    next: Vec<u32>,
    alone_mean: f32,
    alone_most: f32,
    fixed_most: f32,
    /// Methods of paths that end here, a bit each.
    methods: u16,
    alone: f32,
}

/// Describes each of the segments at a place.
pub(super) fn describe(site: &Site<'_>, place: &Place, groups: &[Group]) -> Vec<[f32; AMONG]> {
    let below: Vec<Below> = groups.iter().map(|group| look_below(site, group)).collect();
    let sums = Sums::of(site, groups, &below);
    let prefixes = place
        .prefixes
        .iter()
        .filter(|&&node| site.evidence[node as usize])
        .count()
        .max(1);
    let own_methods = methods_of(site, &place.prefixes);
    let one = |(group, below): (&Group, &Below)| {
        let mut all = [0.0; AMONG];
        let lexical = &site.lexical[group.text as usize];
        all[..OWN].copy_from_slice(&lexical.own);
        if let Before::Fixed(text) = place.before {
            all[OWN..OWN + BEFORE].copy_from_slice(&site.lexical[text as usize].before);
        }
        let others = (sums.groups - f32::from(u8::from(group.evidence))).max(0.0);
        // A share of the other siblings, -1 if there are none.
        let rest = |sum: f32, own: f32| {
            if others < 0.5 {
                -1.0
            } else {
                (sum - if group.evidence { own } else { 0.0 }) / others
            }
        };
        let shape = lexical.shape as usize;
        let alike: Vec<f32> = below
            .next
            .iter()
            .filter_map(|text| sums.next.get(text))
            .map(|count| (count - f32::from(u8::from(group.evidence))).max(0.0))
            .collect();
        let alike_values = below
            .next
            .iter()
            .filter_map(|text| sums.next_values.get(text));
        let alike_values = alike_values.copied().fold(0.0, f32::max);
        let is_value = flag(below.alone > 0.5);
        let habits = &site.habits;
        // How usual the way of writing is among the host's other words; 0.5 if there are too few to say.
        let in_words = group.evidence && below.alone <= 0.5;
        let mine = f32::from(u8::from(in_words));
        let style_share = (habits.styles[usize::from(lexical.style)] - mine + 1.0)
            / (habits.words - mine + 2.0).max(2.0);
        let (mut after_word, mut after_word_alone, mut same_pair, mut places_of_word) = (0, -1.0, 1, 1);
        if let Before::Fixed(word) = place.before {
            let (places, others, alone) = habits.behind[word as usize];
            places_of_word = places;
            after_word = others.saturating_sub(1);
            if others > 1 {
                after_word_alone = (alone - below.alone) / count(others as usize - 1);
            }
            same_pair = habits.pairs.get(&(word, group.text)).copied().unwrap_or(1);
        }
        let (words, values) = site.places[group.text as usize];
        let nodes = count(group.nodes.len());
        let takes = |bit: u16| flag(below.methods & bit != 0);
        let neighbourhood: [f32; NEIGHBOURHOOD] = [
            below.alone,
            place.before.number(),
            place.before_before.number(),
            f32::from(place.depth),
            f32::from(place.variables),
            sums.groups.ln_1p(),
            rest(sums.alone, below.alone),
            rest(sums.values, is_value),
            rest(sums.shapes[shape], 1.0),
            count(prefixes).ln(),
            nodes.ln(),
            nodes / count(place.prefixes.len().max(1)),
            sums.groups / sums.nodes.max(1.0),
            count(below.next.len()).ln_1p(),
            below.alone_mean,
            below.alone_most,
            flag(below.methods != 0),
            below.fixed_most,
            alike.iter().copied().fold(0.0, f32::max).ln_1p(),
            if alike.is_empty() {
                -1.0
            } else {
                alike.iter().sum::<f32>() / count(alike.len()) / others.max(1.0)
            },
            takes(GET),
            takes(POST),
            takes(PUT),
            takes(PATCH),
            takes(DELETE),
            flag(own_methods & GET != 0),
            flag(own_methods & POST != 0),
            flag(own_methods & (PUT | PATCH | DELETE) != 0),
            count(words as usize).ln_1p(),
            count(values as usize).ln_1p(),
            rest(sums.fixed, lexical.own[FIXED]),
            rest(
                sums.methods.get(&below.methods).copied().unwrap_or(0.0),
                1.0,
            ),
            rest(
                if below.alone > 0.5 {
                    sums.values
                } else {
                    sums.groups - sums.values
                },
                1.0,
            ),
            flag(!below.next.is_empty() && below.alone_most < 0.5),
            (alike_values - if group.evidence { is_value } else { 0.0 })
                .max(0.0)
                .ln_1p(),
            habits.alone_mean,
            habits.identifiers,
            habits.words.ln_1p(),
            style_share,
            count(after_word as usize).ln_1p(),
            after_word_alone,
            count(same_pair as usize).ln(),
            count(same_pair as usize) / count(places_of_word.max(1) as usize),
        ];
        all[OWN + BEFORE..].copy_from_slice(&neighbourhood);
        all
    };
    groups.iter().zip(&below).map(one).collect()
}

/// Place of `fixed` among the numbers of a segment by itself; a test compares it with the name.
pub(super) const FIXED: usize = 24;

const GET: u16 = 1;
const POST: u16 = 1 << 1;
const PUT: u16 = 1 << 4;
const DELETE: u16 = 1 << 5;
const PATCH: u16 = 1 << 7;
/// At most so many nodes of a group are looked at; they are the first in the tree's sorted order.
const MAX_LOOKED_AT: usize = 64;

#[expect(
    clippy::cast_precision_loss,
    reason = "logarithms and shares need few digits"
)]
fn count(number: usize) -> f32 {
    number as f32
}

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

fn methods_of(site: &Site<'_>, nodes: &[u32]) -> u16 {
    nodes
        .iter()
        .filter(|&&node| site.evidence[node as usize])
        .flat_map(|&node| &site.tree.node(node).tallies)
        .fold(0, |methods, (method, _)| methods | 1 << method)
}

/// The words that follow a segment.
pub(super) fn words_below(site: &Site<'_>, group: &Group) -> Vec<u32> {
    look_below(site, group).next
}

fn look_below(site: &Site<'_>, group: &Group) -> Below {
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
    Below {
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

/// Sums over the groups of a place that count.
struct Sums {
    groups: f32,
    nodes: f32,
    alone: f32,
    values: f32,
    fixed: f32,
    shapes: [f32; super::shape::Shape::COUNT],
    methods: HashMap<u16, f32>,
    /// After how many of the groups a text follows.
    next: HashMap<u32, f32>,
    /// After how many of those that look like values.
    next_values: HashMap<u32, f32>,
}

impl Sums {
    fn of(site: &Site<'_>, groups: &[Group], below: &[Below]) -> Self {
        let mut sums = Self {
            groups: 0.0,
            nodes: 0.0,
            alone: 0.0,
            values: 0.0,
            fixed: 0.0,
            shapes: [0.0; super::shape::Shape::COUNT],
            methods: HashMap::new(),
            next: HashMap::new(),
            next_values: HashMap::new(),
        };
        for (group, below) in groups.iter().zip(below).filter(|(group, _)| group.evidence) {
            let lexical = &site.lexical[group.text as usize];
            sums.groups += 1.0;
            sums.nodes += count(group.nodes.len());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lexical::OWN_NAMES;

    #[test]
    fn numbers_stand_where_their_names_do() {
        assert_eq!(OWN_NAMES[FIXED], "fixed");
        for (bit, method) in [
            (GET, "GET"),
            (POST, "POST"),
            (PUT, "PUT"),
            (DELETE, "DELETE"),
            (PATCH, "PATCH"),
        ] {
            assert_eq!(super::super::METHODS[bit.trailing_zeros() as usize], method);
        }
    }
}
