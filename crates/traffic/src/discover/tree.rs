//! The paths seen on one host, as a tree of their segments, bounded.
//!
//! Under each prefix at most so many different segments are kept, those of the lowest *rank*; the rest become one nameless
//! child, the *overflow*. Rank depends on nothing but the segment: words that APIs are known to use come first, then
//! everything in the order of a hash. So what is kept is a fair sample, the same whichever order the paths came in, and the
//! highest kept rank tells how many there were (k minimum values).

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::shape::Shape;
use super::sighting::Tally;
use super::words::Lexicon;

/// Stands for "no node".
pub(super) const NONE: u32 = u32::MAX;
/// The node of the empty prefix.
pub(super) const ROOT: u32 = 0;
/// Ranks from here on are those of segments that are no known words.
const UNKNOWN: u64 = 1 << 63;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub segment: Box<str>,
    rank: u64,
    /// Segments of this rank and above go to the overflow.
    threshold: u64,
    pub parent: u32,
    /// The nameless child, or [`NONE`].
    pub overflow: u32,
    /// In no order; a heap with the highest rank first once some have gone to the overflow.
    pub children: Vec<u32>,
    /// By method, few.
    pub tallies: Vec<(u8, Tally)>,
}

/// The tree of a host.
#[derive(Debug, Clone)]
pub(super) struct PathTree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    table: HashTable<u32>,
    hasher: RandomState,
}

impl PathTree {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new("", 0, NONE)],
            free: Vec::new(),
            table: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// The number of prefixes held.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// One more than the highest number of a node.
    pub(super) fn capacity(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// Adds to the tally of a path; `false` if that takes a new node and none may be made.
    pub(super) fn add(&mut self, path: &str, method: u8, tally: &Tally, limits: Room) -> bool {
        let mut at = ROOT;
        for segment in path.split('/').skip(1) {
            at = match self.find(at, segment) {
                Some(child) => child,
                None if limits.full && !self.goes_over(at, segment) => return false,
                None => self.enter(at, segment, limits.width),
            };
        }
        self.nodes[at as usize].add(method, tally);
        true
    }

    fn find(&self, parent: u32, segment: &str) -> Option<u32> {
        let found = self.table.find(self.hash(parent, segment), |&other| {
            let node = &self.nodes[other as usize];
            node.parent == parent && *node.segment == *segment
        });
        found.copied()
    }

    fn hash(&self, parent: u32, segment: &str) -> u64 {
        self.hasher.hash_one((parent, segment))
    }

    /// The child for a segment that has none yet: a new one, or the overflow.
    fn enter(&mut self, parent: u32, segment: &str, width: usize) -> u32 {
        let rank = rank(segment);
        if rank >= self.nodes[parent as usize].threshold {
            return self.overflow(parent);
        }
        let child = self.make(segment, rank, parent);
        self.attach(parent, child, width);
        // It may itself be the one that had to go.
        if self.nodes[child as usize].parent == parent {
            child
        } else {
            self.nodes[parent as usize].overflow
        }
    }

    /// Whether a segment is counted in an overflow that is there already.
    fn goes_over(&self, parent: u32, segment: &str) -> bool {
        let parent = self.node(parent);
        parent.overflow != NONE && rank(segment) >= parent.threshold
    }

    fn make(&mut self, segment: &str, rank: u64, parent: u32) -> u32 {
        let node = Node::new(segment, rank, parent);
        if let Some(free) = self.free.pop() {
            self.nodes[free as usize] = node;
            return free;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).expect("the limit of nodes is lower")
    }

    fn overflow(&mut self, parent: u32) -> u32 {
        if self.nodes[parent as usize].overflow == NONE {
            let made = self.make("", u64::MAX, parent);
            self.nodes[parent as usize].overflow = made;
        }
        self.nodes[parent as usize].overflow
    }

    /// Puts a node under a parent that has no child of that segment, and moves to the overflow who does not fit.
    fn attach(&mut self, parent: u32, child: u32, width: usize) {
        self.nodes[child as usize].parent = parent;
        let segment = &self.nodes[child as usize].segment;
        let hash = self.hasher.hash_one((parent, &**segment));
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.table.insert_unique(hash, child, |&other| {
            let node = &nodes[other as usize];
            hasher.hash_one((node.parent, &*node.segment))
        });
        let children = &mut self.nodes[parent as usize].children;
        if children.capacity() == 0 {
            children.reserve_exact(1);
        }
        children.push(child);
        if self.nodes[parent as usize].threshold != u64::MAX {
            self.sift_up(parent);
        }
        self.shrink(parent, width);
    }

    /// Moves the children of the highest rank to the overflow until there are `width` left.
    fn shrink(&mut self, parent: u32, width: usize) {
        if self.nodes[parent as usize].children.len() <= width {
            return;
        }
        if self.nodes[parent as usize].threshold == u64::MAX {
            let mut children = std::mem::take(&mut self.nodes[parent as usize].children);
            children
                .sort_unstable_by_key(|&child| std::cmp::Reverse(self.nodes[child as usize].rank));
            self.nodes[parent as usize].children = children;
        }
        while self.nodes[parent as usize].children.len() > width {
            let highest = self.nodes[parent as usize].children[0];
            self.lower_threshold(parent, self.nodes[highest as usize].rank, width);
        }
    }

    /// Sends the children of this rank and above to the overflow. The children must be a heap, or there must be none to go.
    fn lower_threshold(&mut self, parent: u32, threshold: u64, width: usize) {
        let node = &mut self.nodes[parent as usize];
        node.threshold = node.threshold.min(threshold);
        while let Some(&highest) = self.nodes[parent as usize].children.first() {
            if self.nodes[highest as usize].rank < threshold {
                break;
            }
            self.pop(parent);
            self.unlist(highest);
            let overflow = self.overflow(parent);
            self.absorb(overflow, highest, width);
        }
    }

    fn pop(&mut self, parent: u32) {
        let mut children = std::mem::take(&mut self.nodes[parent as usize].children);
        children.swap_remove(0);
        let rank = |child: u32| self.nodes[child as usize].rank;
        let mut at = 0;
        loop {
            let highest = [2 * at + 1, 2 * at + 2]
                .into_iter()
                .filter(|&below| below < children.len())
                .max_by_key(|&below| rank(children[below]));
            match highest {
                Some(below) if rank(children[below]) > rank(children[at]) => {
                    children.swap(below, at);
                    at = below;
                }
                _ => break,
            }
        }
        self.nodes[parent as usize].children = children;
    }

    fn sift_up(&mut self, parent: u32) {
        let mut children = std::mem::take(&mut self.nodes[parent as usize].children);
        let rank = |child: u32| self.nodes[child as usize].rank;
        let mut at = children.len() - 1;
        while at > 0 && rank(children[at]) > rank(children[(at - 1) / 2]) {
            children.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        self.nodes[parent as usize].children = children;
    }

    fn unlist(&mut self, child: u32) {
        let node = &self.nodes[child as usize];
        let hash = self.hash(node.parent, &node.segment);
        if let Ok(entry) = self.table.find_entry(hash, |&other| other == child) {
            entry.remove();
        }
    }

    /// Adds a subtree that hangs nowhere to another one of this tree.
    fn absorb(&mut self, into: u32, from: u32, width: usize) {
        let node = std::mem::replace(&mut self.nodes[from as usize], Node::new("", 0, NONE));
        for (method, tally) in &node.tallies {
            self.nodes[into as usize].add(*method, tally);
        }
        for child in node.children {
            // Its hash was that of the old parent's number.
            let hash = self.hash(from, &self.nodes[child as usize].segment);
            if let Ok(entry) = self.table.find_entry(hash, |&other| other == child) {
                entry.remove();
            }
            let segment = std::mem::take(&mut self.nodes[child as usize].segment);
            let twin = self.find(into, &segment);
            self.nodes[child as usize].segment = segment;
            if let Some(twin) = twin {
                self.absorb(twin, child, width);
            } else if self.nodes[child as usize].rank >= self.nodes[into as usize].threshold {
                let overflow = self.overflow(into);
                self.absorb(overflow, child, width);
            } else {
                self.attach(into, child, width);
            }
        }
        if node.overflow != NONE {
            self.prepare_heap(into);
            self.lower_threshold(into, node.threshold, width);
            let overflow = self.overflow(into);
            self.absorb(overflow, node.overflow, width);
        }
        self.free.push(from);
    }

    fn prepare_heap(&mut self, parent: u32) {
        if self.nodes[parent as usize].threshold == u64::MAX {
            let mut children = std::mem::take(&mut self.nodes[parent as usize].children);
            children
                .sort_unstable_by_key(|&child| std::cmp::Reverse(self.nodes[child as usize].rank));
            self.nodes[parent as usize].children = children;
        }
    }

    /// Keeps fewer children everywhere from now on.
    pub(super) fn narrow(&mut self, width: usize) {
        let mut waiting = vec![ROOT];
        while let Some(at) = waiting.pop() {
            self.shrink(at, width);
            let node = &self.nodes[at as usize];
            waiting.extend(&node.children);
            if node.overflow != NONE {
                waiting.push(node.overflow);
            }
        }
    }

    /// Adds another host's tree to this one. What takes a new node when none may be made is added to the count.
    pub(super) fn merge(&mut self, other: &Self, limits: Room, left_out: &mut u64) {
        self.graft(ROOT, other, ROOT, limits, left_out);
    }

    fn graft(&mut self, into: u32, other: &Self, from: u32, limits: Room, left_out: &mut u64) {
        let source = other.node(from);
        for (method, tally) in &source.tallies {
            self.nodes[into as usize].add(*method, tally);
        }
        if source.overflow != NONE {
            self.prepare_heap(into);
            self.lower_threshold(into, source.threshold, limits.width);
            let overflow = self.overflow(into);
            self.graft(overflow, other, source.overflow, limits, left_out);
        }
        for &child in &source.children {
            let segment = &*other.node(child).segment;
            let twin = match self.find(into, segment) {
                Some(twin) => twin,
                None if limits.full && !self.goes_over(into, segment) => {
                    *left_out = left_out.saturating_add(other.requests(child));
                    continue;
                }
                None => self.enter(into, segment, limits.width),
            };
            self.graft(twin, other, child, limits, left_out);
        }
    }

    /// The requests of all its paths.
    pub(super) fn all_requests(&self) -> u64 {
        self.requests(ROOT)
    }

    fn requests(&self, node: u32) -> u64 {
        let node = self.node(node);
        let own: u64 = node.tallies.iter().map(|(_, tally)| tally.requests).sum();
        let below = node
            .children
            .iter()
            .chain((node.overflow != NONE).then_some(&node.overflow));
        below.fold(own, |sum, &child| sum.saturating_add(self.requests(child)))
    }

    /// About how many different segments went to the overflow of a node.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub(super) fn overflowed(&self, node: u32) -> u64 {
        let node = self.node(node);
        if node.overflow == NONE {
            return 0;
        }
        let kept = node
            .children
            .iter()
            .filter(|&&child| self.node(child).rank >= UNKNOWN)
            .count() as f64;
        let share = (node.threshold.saturating_sub(UNKNOWN)) as f64 / UNKNOWN as f64;
        if share <= 0.0 {
            return 1;
        }
        ((kept / share - kept) as u64).max(1)
    }
}

impl Node {
    fn new(segment: &str, rank: u64, parent: u32) -> Self {
        Self {
            segment: segment.into(),
            rank,
            threshold: u64::MAX,
            parent,
            overflow: NONE,
            children: Vec::new(),
            tallies: Vec::new(),
        }
    }

    fn add(&mut self, method: u8, tally: &Tally) {
        if let Some((_, known)) = self.tallies.iter_mut().find(|(known, _)| *known == method) {
            known.add(tally);
        } else {
            self.tallies.reserve_exact(1);
            self.tallies.push((method, *tally));
        }
    }
}

/// How much a tree may still grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// The most children of a node.
    pub width: usize,
    /// No node may be made any more, except to take what overflows.
    pub full: bool,
}

/// The order in which segments are kept.
fn rank(segment: &str) -> u64 {
    // FNV-1a, then the last mixing of MurmurHash3: the same on every machine.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in segment.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    let known =
        Shape::of(segment) <= Shape::Version && Lexicon::shipped().segment(segment).fixed > 0;
    if known {
        hash >> 1
    } else {
        (hash >> 1) | UNKNOWN
    }
}
