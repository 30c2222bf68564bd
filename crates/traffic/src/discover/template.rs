//! The paths of a host put together into templates: from the root on, at each place it is decided which segments are
//! values of a variable, and what is below them becomes one.

use super::among::{Before, Group, Place};
use super::judge::ModelJudge;
use super::piece;
use super::shape::Shape;
use super::site::{Site, is_overflow};
use super::tree::{NONE, ROOT};

/// From this likelihood on a segment is taken for a value. Less than a half: to miss a variable makes an operation of each of
/// its values, to see one too many makes one operation of two or three.
pub(super) const VALUE_LIKELIHOOD: f32 = 0.33;

/// Part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The beginning.
    Root,
    /// Fixed text, by number.
    Fixed(u32),
    /// A variable with the fixed text at its end, often none.
    Variable(String),
    /// Two variables with [`piece::BETWEEN`] between them.
    Range,
}

/// A place in the tree of templates.
#[derive(Debug)]
pub(super) struct Branch {
    pub parent: u32,
    pub part: Part,
    /// The nodes of the observed tree that are one here.
    pub nodes: Vec<u32>,
    /// How likely the segment is a value; of a variable the mean over its values.
    pub likelihood: f32,
}

/// Decides which segments at a place are values.
pub(super) trait Judge {
    /// The likelihood of each segment to be a value, in their order.
    fn likelihoods(&mut self, site: &Site<'_>, place: &Place, groups: &[Group]) -> Vec<f32>;
}

/// What needs no model: whatever looks so is no fixed text in any API, and an empty segment is no value.
pub(super) fn certain(site: &Site<'_>, text: u32) -> Option<f32> {
    match site.lexical[text as usize].shape {
        _ if piece::is_range(site.texts[text as usize]) => Some(1.0),
        Shape::Empty => Some(0.0),
        Shape::Integer
        | Shape::Hex
        | Shape::Ulid
        | Shape::ObjectId
        | Shape::Hash
        | Shape::Uuid
        | Shape::Token
        | Shape::Email => Some(1.0),
        _ => None,
    }
}

/// Puts the paths of a host together as the model judges them.
pub(super) fn find_branches(site: &Site<'_>) -> Vec<Branch> {
    let mut judge = ModelJudge::default();
    let first = branches(site, &mut judge);
    // What is a value in one place counts in another only when all places have been judged.
    if judge.listen() {
        branches(site, &mut judge)
    } else {
        first
    }
}

/// Puts the paths of a host together. The first branch is the root; each comes after its parent.
pub(super) fn branches(site: &Site<'_>, judge: &mut dyn Judge) -> Vec<Branch> {
    let mut branches = vec![Branch {
        parent: NONE,
        part: Part::Root,
        nodes: vec![ROOT],
        likelihood: 0.0,
    }];
    let mut places = vec![Place {
        prefixes: vec![ROOT],
        before: Before::Root,
        before_before: Before::Root,
        depth: 1,
        variables: 0,
    }];
    let mut at = 0;
    while at < branches.len() {
        let place = std::mem::replace(
            &mut places[at],
            Place {
                prefixes: Vec::new(),
                before: Before::Root,
                before_before: Before::Root,
                depth: 0,
                variables: 0,
            },
        );
        let (groups, overflow) = groups(site, &place.prefixes);
        if !groups.is_empty() || !overflow.is_empty() {
            let likelihoods = judge.likelihoods(site, &place, &groups);
            let parent = u32::try_from(at).expect("no more branches than nodes");
            for (part, nodes, likelihood) in decide(site, groups, overflow, &likelihoods) {
                let is_variable = !matches!(part, Part::Fixed(_));
                places.push(Place {
                    prefixes: nodes.clone(),
                    before: match part {
                        Part::Fixed(text) => Before::Fixed(text),
                        _ => Before::Variable,
                    },
                    before_before: place.before,
                    depth: place.depth.saturating_add(1),
                    variables: place.variables.saturating_add(u8::from(is_variable)),
                });
                branches.push(Branch {
                    parent,
                    part,
                    nodes,
                    likelihood,
                });
            }
        }
        at += 1;
    }
    branches
}

/// The segments below some prefixes in the order of their text, and what overflowed there.
fn groups(site: &Site<'_>, prefixes: &[u32]) -> (Vec<Group>, Vec<u32>) {
    let mut children: Vec<(u32, u32)> = Vec::new();
    let mut overflow = Vec::new();
    for &prefix in prefixes {
        let node = site.tree.node(prefix);
        children.extend(
            node.children
                .iter()
                .map(|&child| (site.text_of[child as usize], child)),
        );
        if node.overflow != NONE {
            overflow.push(node.overflow);
        }
    }
    // Stable, so that nodes stand in the order of their prefixes, which is that of the texts that led there.
    children.sort_by_key(|child| child.0);
    let mut groups: Vec<Group> = Vec::new();
    for (text, node) in children {
        let evidence = site.evidence[node as usize];
        match groups.last_mut() {
            Some(group) if group.text == text => {
                group.nodes.push(node);
                group.evidence |= evidence;
            }
            _ => groups.push(Group {
                text,
                nodes: vec![node],
                evidence,
            }),
        }
    }
    (groups, overflow)
}

type Decided = (Part, Vec<u32>, f32);

fn decide(
    site: &Site<'_>,
    groups: Vec<Group>,
    overflow: Vec<u32>,
    likelihoods: &[f32],
) -> Vec<Decided> {
    let mut decided: Vec<Decided> = Vec::new();
    let mut values: Vec<(Group, f32)> = Vec::new();
    for (group, &likelihood) in groups.into_iter().zip(likelihoods) {
        if likelihood > VALUE_LIKELIHOOD {
            values.push((group, likelihood));
        } else {
            decided.push((Part::Fixed(group.text), group.nodes, likelihood));
        }
    }
    decided.extend(variables(site, values, overflow));
    decided
}

/// Makes variables of values: one for each fixed end, and one for ranges.
fn variables(site: &Site<'_>, values: Vec<(Group, f32)>, overflow: Vec<u32>) -> Vec<Decided> {
    let mut plain: Vec<(Group, f32)> = Vec::new();
    let mut ranges: Vec<(Group, f32)> = Vec::new();
    let mut ended: Vec<(&str, Vec<(Group, f32)>)> = Vec::new();
    for value in values {
        let text = site.texts[value.0.text as usize];
        let (_, end) = piece::split(text);
        if !end.is_empty() {
            match ended.iter_mut().find(|(known, _)| *known == end) {
                Some((_, values)) => values.push(value),
                None => ended.push((end, vec![value])),
            }
        } else if piece::is_range(text) {
            ranges.push(value);
        } else {
            plain.push(value);
        }
    }
    let mut variables = Vec::new();
    ended.sort_unstable_by_key(|(end, _)| *end);
    for (end, mut values) in ended {
        if end.starts_with(':') || is_format(site, &plain, &values, end) {
            variables.push(variable(Part::Variable(end.to_owned()), values, Vec::new()));
        } else {
            // Where there are ranges the gateway takes these for some: to it no extension is special.
            let is_range =
                |(group, _): &(Group, f32)| piece::is_range(site.texts[group.text as usize]);
            ranges.extend(values.extract_if(.., |value| is_range(value)));
            plain.append(&mut values);
        }
    }
    // `1.0...2.0` among values of other kinds is just a value that has dots.
    if evident(&ranges) < evident(&plain) {
        plain.append(&mut ranges);
    }
    if !ranges.is_empty() {
        ranges.sort_by_key(|(group, _)| group.text);
        variables.push(variable(Part::Range, ranges, Vec::new()));
    }
    if !plain.is_empty() || !overflow.is_empty() {
        plain.sort_by_key(|(group, _)| group.text);
        variables.push(variable(Part::Variable(String::new()), plain, overflow));
    }
    variables
}

fn evident(values: &[(Group, f32)]) -> usize {
    values.iter().filter(|(group, _)| group.evidence).count()
}

/// Whether an extension tells a format and is no part of file names: without it the values look like those that have none,
/// or those that have none only lead further down.
fn is_format(site: &Site<'_>, plain: &[(Group, f32)], ended: &[(Group, f32)], end: &str) -> bool {
    let ends_here = |group: &Group| {
        group
            .nodes
            .iter()
            .any(|&node| !site.tree.node(node).tallies.is_empty())
    };
    let mut shapes = [0_usize; Shape::COUNT];
    let mut ending = 0;
    let any = evident(plain) > 0;
    for (group, _) in plain
        .iter()
        .filter(|(group, _)| ends_here(group) && (group.evidence || !any))
    {
        shapes[site.lexical[group.text as usize].shape as usize] += 1;
        ending += 1;
    }
    if ending == 0 {
        return true;
    }
    let alike = ended
        .iter()
        .filter(|(group, _)| {
            let stem = site.texts[group.text as usize].trim_end_matches(end);
            shapes[Shape::of(stem) as usize] * 2 > ending
        })
        .count();
    // File names beside words tell nothing: both are names.
    alike * 2 > ended.len() && shapes[Shape::Word as usize] * 2 <= ending
}

fn variable(part: Part, values: Vec<(Group, f32)>, overflow: Vec<u32>) -> Decided {
    let mut sum = 0.0_f64;
    let mut nodes = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let count = (values.len() + usize::from(!overflow.is_empty())) as f64;
    for (group, likelihood) in values {
        sum += f64::from(likelihood);
        nodes.extend(group.nodes);
    }
    sum += f64::from(u8::from(!overflow.is_empty()));
    nodes.extend(overflow);
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let likelihood = (sum / count) as f32;
    (part, nodes, likelihood)
}

/// The segments of the path that leads to a node; `None` for one that was not kept.
pub(super) fn segments_of<'t>(site: &Site<'t>, node: u32) -> Vec<Option<&'t str>> {
    let mut segments = Vec::new();
    let mut at = node;
    while at != ROOT {
        let here = site.tree.node(at);
        segments.push((!is_overflow(site.tree, at)).then_some(&*here.segment));
        at = here.parent;
    }
    segments.reverse();
    segments
}
