//! From the templates of a host to its operations.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::METHODS;
use super::piece;
use super::rules::HostRules;
use super::sighting::{FoundOperation, Tally};
use super::site::{Site, is_overflow};
use super::template::{Branch, Part, segments_of};

/// The most examples of an operation.
const MAX_EXAMPLES: usize = 5;

/// What is summed up for an operation.
#[derive(Debug)]
struct Sum<'t> {
    tally: Tally,
    distinct: u64,
    /// Nodes with the most requests first; of equal ones that of the lesser path.
    examples: Vec<(u64, Vec<Option<&'t str>>)>,
}

/// The operations of a host, by endpoint and then method.
pub(super) fn operations(
    site: &Site<'_>,
    branches: &[Branch],
    host: &str,
    rules: &HostRules<'_>,
) -> Vec<FoundOperation> {
    let mut sums: BTreeMap<(String, u8), Sum<'_>> = BTreeMap::new();
    let mut overflowed = HashMap::new();
    for branch in 0..branches.len() {
        let mut pieces = None;
        for &node in &branches[branch].nodes {
            for (method, tally) in &site.tree.node(node).tallies {
                let pieces = pieces.get_or_insert_with(|| pieces_of(site, branches, branch));
                let endpoint = if rules.is_empty() {
                    render(pieces.iter().map(|piece| &**piece))
                } else {
                    rules.apply(
                        METHODS[usize::from(*method)],
                        &segments_of(site, node),
                        pieces,
                    )
                };
                let sum = sums.entry((endpoint, *method)).or_insert_with(|| Sum {
                    tally: Tally::EMPTY,
                    distinct: 0,
                    examples: Vec::new(),
                });
                sum.tally.add(tally);
                sum.distinct =
                    sum.distinct
                        .saturating_add(distinct(site, node, tally, &mut overflowed));
                sum.offer(site, node, tally.requests);
            }
        }
    }
    sums.into_iter()
        .map(|((endpoint, method), sum)| sum.finish(METHODS[usize::from(method)], host, endpoint))
        .collect()
}

impl<'t> Sum<'t> {
    fn offer(&mut self, site: &Site<'t>, node: u32, requests: u64) {
        let is_full = self.examples.len() == MAX_EXAMPLES;
        if is_full && self.examples[MAX_EXAMPLES - 1].0 > requests {
            return;
        }
        let segments = segments_of(site, node);
        if segments.contains(&None) {
            return;
        }
        let at = self.examples.partition_point(|(known, path)| {
            (std::cmp::Reverse(*known), path) < (std::cmp::Reverse(requests), &segments)
        });
        self.examples.insert(at, (requests, segments));
        self.examples.truncate(MAX_EXAMPLES);
    }

    fn finish(self, method: &str, host: &str, endpoint: String) -> FoundOperation {
        FoundOperation {
            method: method.to_owned(),
            host: host.to_owned(),
            endpoint,
            requests: self.tally.requests,
            score: self.tally.mean_score(),
            with_session: self.tally.with_session,
            distinct_paths: self.distinct,
            first_seen: self.tally.first_seen(),
            last_seen: self.tally.last_seen(),
            examples: self
                .examples
                .into_iter()
                .map(|(_, path)| joined(&path))
                .collect(),
        }
    }
}

/// How many paths a node stands for: one, or about as many as went to the overflows on its way, but no more than requests.
///
/// The estimate of each prefix is kept in `overflowed`: it looks at all children, of which there are most where many paths ask.
fn distinct(site: &Site<'_>, node: u32, tally: &Tally, overflowed: &mut HashMap<u32, u64>) -> u64 {
    let mut most = 1;
    let mut at = node;
    loop {
        let parent = site.tree.node(at).parent;
        if parent == super::tree::NONE {
            return most.min(tally.requests);
        }
        if is_overflow(site.tree, at) {
            let about = overflowed
                .entry(parent)
                .or_insert_with(|| site.tree.overflowed(parent));
            most = most.max(*about);
        }
        at = parent;
    }
}

/// The path of some segments; one that was not kept is left empty.
pub(super) fn joined(path: &[Option<&str>]) -> String {
    path.iter().fold(String::new(), |mut text, segment| {
        text.push('/');
        text.push_str(segment.unwrap_or_default());
        text
    })
}

/// The segments of a branch, variables as `{}`.
pub(super) fn pieces_of(site: &Site<'_>, branches: &[Branch], branch: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut at = branch;
    while at != 0 {
        let here = &branches[at];
        pieces.push(match &here.part {
            Part::Root => String::new(),
            Part::Fixed(text) => site.texts[*text as usize].to_owned(),
            Part::Variable(end) => format!("{{}}{end}"),
            Part::Range => format!("{{}}{}{{}}", piece::BETWEEN),
        });
        at = here.parent as usize;
    }
    pieces.reverse();
    pieces
}

/// Joins segments and numbers their variables from the left. Text from paths holds no braces: they are percent-encoded.
pub(super) fn render<'p>(pieces: impl Iterator<Item = &'p str>) -> String {
    let mut endpoint = String::new();
    let mut variables = 0;
    for piece in pieces {
        endpoint.push('/');
        let mut rest = piece;
        while let Some((text, more)) = rest.split_once("{}") {
            variables += 1;
            endpoint.push_str(text);
            write!(endpoint, "{{var{variables}}}").expect("writing to a string");
            rest = more;
        }
        endpoint.push_str(rest);
    }
    endpoint
}
