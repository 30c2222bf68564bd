//! From paths to operations: which segments of the paths of a host are values, and the templates that follow.
//!
//! [`Discovery`] takes sightings (how often a path was requested with a method) and gives operations. It holds a tree of
//! the different paths of each host, so its cost grows with those and not with requests, and it decides nothing before it
//! is asked: all traffic of a host, with whatever method, is evidence for each of its segments.
//!
//! What is held does not depend on the order of sightings, nor on how they were split over several `Discovery` that were
//! merged later, while the number of nodes stays below [`DiscoveryLimits::max_nodes`]. Beyond that `max_children` is
//! halved, and when that happens may depend on the order; what is then kept under each prefix is still the same choice.

mod among;
mod below;
mod explain;
mod habits;
mod hosts;
mod judge;
#[doc(hidden)]
pub mod lab;
mod labels;
mod lexical;
mod limits;
mod model;
mod operations;
mod piece;
mod rules;
mod shape;
mod sighting;
mod site;
mod spelling;
mod template;
mod tree;
mod words;

use std::collections::BTreeMap;

pub use explain::{Explanation, SegmentExplanation};
pub use limits::DiscoveryLimits;
pub use rules::{OwnerRules, Pin, RuleError, Split};
use sighting::Tally;
pub use sighting::{FoundOperation, Sighting};
use site::{Knowledge, Site};
use tree::{PathTree, Room};

/// The methods an operation may have.
pub const METHODS: [&str; 9] = [
    "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PATCH", "TRACE",
];

/// The fewest children that a prefix keeps, however little room there is.
const MIN_WIDTH: usize = 16;

/// The paths of successful requests, by host.
#[derive(Debug)]
pub struct Discovery {
    limits: DiscoveryLimits,
    width: usize,
    hosts: BTreeMap<Box<str>, PathTree>,
    left_out: u64,
    /// Of all hosts together.
    nodes: usize,
}

impl Discovery {
    /// Makes one that has seen nothing.
    pub fn new(limits: DiscoveryLimits) -> Self {
        Self {
            width: limits.max_children.max(MIN_WIDTH),
            limits,
            hosts: BTreeMap::new(),
            left_out: 0,
            nodes: 0,
        }
    }

    /// Takes a sighting. What can be no operation (a path that does not begin with `/`, another method) is left out and
    /// counted, as is what goes beyond the limits.
    pub fn observe(&mut self, sighting: &Sighting<'_>) {
        if sighting.requests == 0 {
            return;
        }
        if !self.try_observe(sighting) {
            self.left_out = self.left_out.saturating_add(sighting.requests);
        }
    }

    fn try_observe(&mut self, sighting: &Sighting<'_>) -> bool {
        let Some(method) = METHODS.iter().position(|known| *known == sighting.method) else {
            return false;
        };
        let Some(path) = spelling::normalise_path(sighting.path) else {
            return false;
        };
        let host = spelling::normalise_host(sighting.host);
        let room = self.room();
        let is_full = self.hosts.len() >= self.limits.max_hosts || room.full;
        let tree = match self.hosts.get_mut(&*host) {
            Some(tree) => tree,
            None if is_full => return false,
            None => {
                self.nodes += 1;
                self.hosts.entry(host.into()).or_insert_with(PathTree::new)
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "nine methods")]
        let method = method as u8;
        let before = tree.len();
        let taken = tree.add(&path, method, &Tally::of(sighting), room);
        self.nodes = self.nodes + tree.len() - before;
        taken
    }

    /// What may still grow; makes room first when the nodes have become too many.
    fn room(&mut self) -> Room {
        while self.nodes >= self.limits.max_nodes && self.width > MIN_WIDTH {
            self.width = (self.width / 2).max(MIN_WIDTH);
            for tree in self.hosts.values_mut() {
                tree.narrow(self.width);
            }
            self.nodes = self.hosts.values().map(PathTree::len).sum();
        }
        Room {
            width: self.width,
            full: self.nodes >= self.limits.max_nodes,
        }
    }

    /// Takes in what another one has seen.
    pub fn merge(&mut self, other: Self) {
        self.left_out = self.left_out.saturating_add(other.left_out);
        if other.width < self.width {
            self.width = other.width;
            for tree in self.hosts.values_mut() {
                tree.narrow(self.width);
            }
            self.nodes = self.hosts.values().map(PathTree::len).sum();
        }
        for (host, tree) in other.hosts {
            let room = self.room();
            if let Some(known) = self.hosts.get_mut(&host) {
                let before = known.len();
                known.merge(&tree, room, &mut self.left_out);
                self.nodes = self.nodes + known.len() - before;
            } else if room.full || self.hosts.len() >= self.limits.max_hosts {
                self.left_out = self.left_out.saturating_add(tree.all_requests());
            } else {
                let mut tree = tree;
                tree.narrow(room.width);
                self.nodes += tree.len();
                self.hosts.insert(host, tree);
            }
        }
        self.room();
    }

    /// How many requests were left out: of what can be no operation, and of what went beyond the limits.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many path prefixes are held, of which [`DiscoveryLimits::max_nodes`] is the limit.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The operations, by host, endpoint and method.
    pub fn operations(&self, rules: &OwnerRules) -> Vec<FoundOperation> {
        self.operations_by(Knowledge::shipped(), rules)
    }

    fn operations_by(&self, knowledge: Knowledge<'_>, rules: &OwnerRules) -> Vec<FoundOperation> {
        let mut found = Vec::new();
        for merged in hosts::merged(&self.hosts, rules, knowledge, self.room_to_read()) {
            let site = Site::new(&merged.tree, knowledge);
            let branches = template::find_branches(&site);
            let rules = rules.of_host(&merged.host);
            found.extend(operations::operations(
                &site,
                &branches,
                &merged.host,
                &rules,
            ));
        }
        found
    }

    /// Why a path belongs to its endpoint, or why an endpoint is what it is. `None` if there is nothing like it in what was seen.
    ///
    /// The whole host is judged for it, which takes as long as [`Self::operations`] of that host.
    pub fn explain(
        &self,
        host: &str,
        method: &str,
        path_or_endpoint: &str,
        rules: &OwnerRules,
    ) -> Option<Explanation> {
        let host = spelling::normalise_host(host);
        let knowledge = Knowledge::shipped();
        let all = hosts::merged(&self.hosts, rules, knowledge, self.room_to_read());
        let merged = all.into_iter().find(|merged| {
            merged.host == host || merged.members.iter().any(|member| *member == host)
        })?;
        let site = Site::new(&merged.tree, knowledge);
        let branches = template::find_branches(&site);
        let rules = rules.of_host(&merged.host);
        explain::explain(
            &site,
            &branches,
            (&merged.host, method),
            path_or_endpoint,
            &rules,
        )
    }

    /// Trees that are put together to be read may take as much room as they had apart.
    fn room_to_read(&self) -> Room {
        Room {
            width: self.width,
            full: false,
        }
    }
}
