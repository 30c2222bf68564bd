//! Why a segment is a variable, or fixed: in words, with numbers.

use serde::{Deserialize, Serialize};

use super::METHODS;
use super::operations::{pieces_of, render};
use super::piece;
use super::rules::HostRules;
use super::shape::Shape;
use super::site::{Site, is_overflow};
use super::spelling::normalise_path;
use super::template::{Branch, Part, certain};

/// Why a path belongs to its endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// As asked for.
    pub method: String,

    /// As operations have it.
    pub host: String,

    /// The endpoint that the path belongs to.
    pub endpoint: String,

    /// Whether the owner said so.
    pub pinned: bool,

    /// From the left.
    pub segments: Vec<SegmentExplanation>,
}

/// Why a segment is a variable, or fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentExplanation {
    /// As it stands in the endpoint that was found, all variables being called `{}`.
    pub text: String,

    /// Whether it is, or holds, a variable.
    pub variable: bool,

    /// How likely it is a value, from 0 to 1; of a variable the mean over its values.
    pub likelihood: f64,

    /// How many different segments stand for it in traffic.
    pub distinct_values: u64,

    /// At most three of them; as sent.
    pub examples: Vec<String>,

    /// Sentences for people.
    pub reasons: Vec<String>,
}

/// The most examples of a variable's values.
const MAX_EXAMPLES: usize = 3;

/// Explains the endpoint of a path, or an endpoint that was found; `None` if nothing like it was seen.
pub(super) fn explain(
    site: &Site<'_>,
    branches: &[Branch],
    (host, method): (&str, &str),
    path: &str,
    rules: &HostRules<'_>,
) -> Option<Explanation> {
    METHODS.contains(&method).then_some(())?;
    let wanted: Vec<String> = if path.contains('{') {
        path.split('/').skip(1).map(str::to_owned).collect()
    } else {
        let path = normalise_path(path)?;
        path.split('/').skip(1).map(str::to_owned).collect()
    };
    let trail = follow(site, branches, &wanted)?;
    let segments: Vec<Option<&str>> = wanted
        .iter()
        .map(|text| (!text.contains('{')).then_some(text.as_str()))
        .collect();
    let pieces = pieces_of(site, branches, *trail.last()?);
    let endpoint = if rules.is_empty() {
        render(pieces.iter().map(String::as_str))
    } else {
        rules.apply(method, &segments, &pieces)
    };
    let explained = trail.iter().enumerate().map(|(at, &branch)| {
        let mut one = explain_segment(site, branches, branch);
        one.text.clone_from(&pieces[at]);
        if one.variable && rules.splits(method, &segments, at) {
            one.variable = false;
            one.text.clone_from(&wanted[at]);
            one.reasons =
                vec!["the owner split this variable: its values are fixed text".to_owned()];
        }
        one
    });
    Some(Explanation {
        method: method.to_owned(),
        host: host.to_owned(),
        endpoint,
        pinned: rules.pins(method, &segments),
        segments: explained.collect(),
    })
}

/// The branches that a path or template goes along, from the first segment on.
fn follow(site: &Site<'_>, branches: &[Branch], wanted: &[String]) -> Option<Vec<usize>> {
    let mut trail = Vec::new();
    let mut at = 0;
    for segment in wanted {
        let below =
            || (at + 1..branches.len()).filter(|&child| branches[child].parent as usize == at);
        let is_fixed = |child: &usize| matches!(&branches[*child].part, Part::Fixed(text) if site.texts[*text as usize] == segment);
        let is_range = |child: &usize| branches[*child].part == Part::Range;
        let ends = |child: &usize| match &branches[*child].part {
            Part::Variable(end) => segment.ends_with(end.as_str()) && segment.len() > end.len(),
            _ => false,
        };
        at = below()
            .find(is_fixed)
            .or_else(|| below().filter(|_| piece::is_range(segment)).find(is_range))
            .or_else(|| {
                below()
                    .filter(ends)
                    .max_by_key(|&child| match &branches[child].part {
                        Part::Variable(end) => end.len(),
                        _ => 0,
                    })
            })?;
        trail.push(at);
    }
    Some(trail)
}

fn explain_segment(site: &Site<'_>, branches: &[Branch], at: usize) -> SegmentExplanation {
    let branch = &branches[at];
    let mut texts: Vec<u32> = branch
        .nodes
        .iter()
        .filter(|&&node| !is_overflow(site.tree, node))
        .map(|&node| site.text_of[node as usize])
        .collect();
    texts.sort_unstable();
    texts.dedup();
    let beyond: u64 = branch
        .nodes
        .iter()
        .filter(|&&node| is_overflow(site.tree, node))
        .map(|&node| site.tree.overflowed(site.tree.node(node).parent))
        .sum();
    let distinct = texts.len() as u64 + beyond;
    let before = match &branches[branch.parent as usize].part {
        Part::Fixed(text) => Some(*text),
        _ => None,
    };
    let reasons = match &branch.part {
        Part::Root | Part::Fixed(_) => fixed_reasons(site, texts[0], branch.likelihood),
        Part::Variable(_) | Part::Range => {
            let parent = &branches[branch.parent as usize];
            variable_reasons(site, &texts, distinct, before, parent, branch)
        }
    };
    SegmentExplanation {
        text: String::new(),
        variable: !matches!(branch.part, Part::Fixed(_) | Part::Root),
        likelihood: f64::from(branch.likelihood),
        distinct_values: distinct,
        examples: texts
            .iter()
            .take(MAX_EXAMPLES)
            .map(|&text| site.texts[text as usize].to_owned())
            .collect(),
        reasons,
    }
}

fn fixed_reasons(site: &Site<'_>, text: u32, likelihood: f32) -> Vec<String> {
    let lexical = &site.lexical[text as usize];
    let mut reasons = Vec::new();
    if lexical.shape == Shape::Empty {
        reasons
            .push("nothing stands there: the path ends in a slash or has two together".to_owned());
        return reasons;
    }
    if lexical.usage.fixed > 0 {
        let verb = if lexical.usage.fixed == 1 {
            "uses"
        } else {
            "use"
        };
        reasons.push(format!(
            "a word that {} of the publishers we learned from {verb} as fixed text",
            lexical.usage.fixed
        ));
    } else if lexical.shape == Shape::Version {
        reasons.push("reads as the version of an API".to_owned());
    } else if lexical.shape == Shape::Word {
        reasons.push("reads as a word, or words joined, and as no value".to_owned());
    }
    if lexical.usage.beside_variable > 0 {
        reasons.push(format!(
            "stands beside a variable with {} of them",
            lexical.usage.beside_variable
        ));
    }
    let (words, values) = site.places[text as usize];
    if words + values > 1 {
        reasons.push(format!(
            "stands behind {} different segments on this host",
            words + values
        ));
    }
    reasons.push(format!(
        "judged {:.0} % likely to be a value",
        f64::from(likelihood) * 100.0
    ));
    reasons
}

fn variable_reasons(
    site: &Site<'_>,
    texts: &[u32],
    distinct: u64,
    before: Option<u32>,
    parent: &Branch,
    branch: &Branch,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut shapes = [(0_usize, Shape::Empty); Shape::COUNT];
    for &text in texts {
        let shape = site.lexical[text as usize].shape;
        shapes[shape as usize] = (shapes[shape as usize].0 + 1, shape);
    }
    if let Some((count, shape)) = shapes.into_iter().max_by_key(|(count, _)| *count)
        && count > 0
    {
        let percent = count * 100 / texts.len().max(1);
        let looks = if distinct == 1 {
            format!("1 value, of the kind {}", shape.plural())
        } else {
            format!(
                "{distinct} distinct values; {percent} % look like {}",
                shape.plural()
            )
        };
        reasons.push(looks);
        if shape.is_identifier() && texts.iter().all(|&text| certain(site, text) == Some(1.0)) {
            reasons.push(format!(
                "no API we learned from has {} as fixed text",
                shape.plural()
            ));
        }
    }
    if let Some(text) = before {
        let word = &site.lexical[text as usize];
        let usage = word.usage;
        if usage.before_variable > 0 {
            reasons.push(format!(
                "follows `{}`, after which {} publishers have a variable and {} fixed text",
                site.texts[text as usize], usage.before_variable, usage.before_fixed
            ));
        } else if word.plural {
            reasons.push(format!(
                "follows the collection word `{}`",
                site.texts[text as usize]
            ));
        }
    }
    if parent.nodes.len() > 1 && distinct > 1 {
        reasons.push(format!(
            "its values stand behind {} different prefixes",
            parent.nodes.len()
        ));
    }
    if let Some((alike, of)) = alike_below(site, branch)
        && distinct > 1
    {
        reasons.push(format!(
            "the paths below {alike} of its {of} values that go on are alike"
        ));
    }
    reasons.push(format!(
        "judged {:.0} % likely to be a value",
        f64::from(branch.likelihood) * 100.0
    ));
    reasons
}

/// Of the values that have something below, after how many the most frequent segment stands.
fn alike_below(site: &Site<'_>, branch: &Branch) -> Option<(usize, usize)> {
    let mut next: Vec<(u32, u32)> = Vec::new();
    let mut of: Vec<u32> = Vec::new();
    for &node in &branch.nodes {
        let children = &site.tree.node(node).children;
        if !children.is_empty() {
            of.push(site.text_of[node as usize]);
        }
        next.extend(
            children
                .iter()
                .map(|&child| (site.text_of[child as usize], site.text_of[node as usize])),
        );
    }
    of.sort_unstable();
    of.dedup();
    next.sort_unstable();
    next.dedup();
    let most = next
        .chunk_by(|one, two| one.0 == two.0)
        .map(<[_]>::len)
        .max()?;
    (most > 1).then_some((most, of.len()))
}
