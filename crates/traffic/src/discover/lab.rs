//! What `training/paths/` needs of the inside: the numbers that segments are judged by, and judging with other models than
//! those that are shipped. No part of the interface.

use std::collections::HashMap;

use super::among::{AMONG, Group, NEIGHBOURHOOD_NAMES, Place, describe};
use super::lexical::{BEFORE_NAMES, OWN_NAMES};
use super::model::Models;
use super::site::{ALONE, Knowledge, Site};
use super::template::{self, Judge};
use super::tree::{NONE, ROOT};
use super::words::Lexicon;
use super::{Discovery, DiscoveryLimits, FoundOperation, OwnerRules, Sighting, spelling};

/// Words and models, read from the files that training writes.
pub struct Laboratory {
    lexicon: Lexicon,
    models: Option<Models>,
}

/// A request with the template it belongs to.
pub struct Labelled<'a> {
    /// Of the request.
    pub method: &'a str,
    /// Of the request.
    pub path: &'a str,
    /// With variables in braces.
    pub template: &'a str,
}

/// The template of a request that is to disturb and not to be learned.
const NOISE: &str = "!";

/// The numbers of segments, each with whether it is a value.
pub type Rows = Vec<(Vec<f32>, bool)>;

/// What the models say of a segment.
pub struct Said {
    /// The path up to the segment.
    pub prefix: String,
    /// Whether it is a value.
    pub is_value: bool,
    /// How likely it is one, alone and among its neighbours.
    pub likelihood: (f32, f32),
}

impl Laboratory {
    /// Reads words, and models if there are some.
    pub fn new(words: &str, models: Option<&[u8]>) -> Self {
        Self {
            lexicon: Lexicon::parse(words),
            models: models.map(|models| Models::parse(models).expect("models of the right form")),
        }
    }

    /// Those that are compiled in.
    pub fn shipped() -> Self {
        Self::new(include_str!("words.tsv"), Some(include_bytes!("model.bin")))
    }

    /// The names of the numbers by which segments are judged alone, and among their neighbours.
    pub fn names() -> (Vec<&'static str>, Vec<&'static str>) {
        let own = OWN_NAMES.iter().chain(&BEFORE_NAMES).copied();
        let alone = own.clone().chain(["depth"]).collect();
        (alone, own.chain(NEIGHBOURHOOD_NAMES).collect())
    }

    /// The numbers of each segment of a host's requests: alone, and among neighbours where those before it are decided rightly.
    pub fn describe(&self, requests: &[Labelled<'_>]) -> (Rows, Rows) {
        let (alone, among, _) = self.judge(requests);
        (alone, among)
    }

    /// What the models say of each segment, where those before it are decided rightly.
    pub fn say(&self, requests: &[Labelled<'_>]) -> Vec<Said> {
        self.judge(requests).2
    }

    fn judge(&self, requests: &[Labelled<'_>]) -> (Rows, Rows, Vec<Said>) {
        let mut discovery = Discovery::new(DiscoveryLimits::default());
        let mut votes: HashMap<String, (u32, u32)> = HashMap::new();
        for request in requests {
            discovery.observe(&Sighting::once("h", request.method, request.path));
            let Some(path) = spelling::normalise_path(request.path) else {
                continue;
            };
            if request.template == NOISE {
                continue;
            }
            let parts: Vec<&str> = request.template.split('/').skip(1).collect();
            let mut prefix = String::new();
            for (at, segment) in path.split('/').skip(1).enumerate() {
                prefix.push('/');
                prefix.push_str(segment);
                let vote = votes.entry(prefix.clone()).or_default();
                // What a last variable takes beyond its segment is a value too.
                if parts.get(at).is_none_or(|part| part.contains('{')) && !segment.is_empty() {
                    vote.0 += 1;
                } else {
                    vote.1 += 1;
                }
            }
        }
        let Some(tree) = discovery.hosts.get("h") else {
            return (Vec::new(), Vec::new(), Vec::new());
        };
        let site = Site::new(tree, self.knowledge());
        let mut oracle = Oracle {
            truth: vec![None; tree.capacity()],
            alone: Vec::new(),
            among: Vec::new(),
            said: Vec::new(),
        };
        for (prefix, (values, fixed)) in votes {
            let node = find(&site, &prefix);
            oracle.truth[node as usize] = Some(values > fixed);
        }
        template::branches(&site, &mut oracle);
        (oracle.alone, oracle.among, oracle.said)
    }

    /// The operations of requests to one host.
    pub fn operations<'a>(
        &self,
        requests: impl Iterator<Item = (&'a str, &'a str, &'a str, f64)>,
    ) -> Vec<FoundOperation> {
        let mut discovery = Discovery::new(DiscoveryLimits::default());
        for (host, method, path, score) in requests {
            discovery.observe(&Sighting {
                score,
                ..Sighting::once(host, method, path)
            });
        }
        discovery.operations_by(self.knowledge(), &OwnerRules::default())
    }

    fn knowledge(&self) -> Knowledge<'_> {
        Knowledge {
            lexicon: &self.lexicon,
            models: self.models.as_ref(),
        }
    }
}

struct Oracle {
    truth: Vec<Option<bool>>,
    alone: Rows,
    among: Rows,
    said: Vec<Said>,
}

impl Judge for Oracle {
    fn likelihoods(&mut self, site: &Site<'_>, place: &Place, groups: &[Group]) -> Vec<f32> {
        let features: Vec<[f32; AMONG]> = describe(site, place, groups);
        let mut likelihoods = Vec::new();
        for (group, features) in groups.iter().zip(&features) {
            let votes = |is: bool| {
                group
                    .nodes
                    .iter()
                    .filter(|&&node| self.truth[node as usize] == Some(is))
                    .count()
            };
            let is_value = votes(true) > votes(false);
            likelihoods.push(f32::from(u8::from(is_value)));
            let is_noise = votes(true) + votes(false) == 0;
            if is_noise || template::certain(site, group.text).is_some() {
                continue;
            }
            if let Some(models) = site.models {
                let segments = template::segments_of(site, group.nodes[0]);
                self.said.push(Said {
                    prefix: super::operations::joined(&segments),
                    is_value,
                    likelihood: (
                        site.alone[group.nodes[0] as usize],
                        models.among.likelihood(features),
                    ),
                });
            }
            self.among.push((features.to_vec(), is_value));
            let parent = site.tree.node(group.nodes[0]).parent;
            let before = if parent == ROOT {
                NONE
            } else {
                site.text_of[parent as usize]
            };
            let alone: [f32; ALONE] = site.describe_alone(group.text, before, place.depth.min(8));
            self.alone.push((alone.to_vec(), is_value));
        }
        likelihoods
    }
}

fn find(site: &Site<'_>, prefix: &str) -> u32 {
    prefix.split('/').skip(1).fold(ROOT, |at, segment| {
        let children = &site.tree.node(at).children;
        let found = children
            .iter()
            .find(|&&child| *site.tree.node(child).segment == *segment);
        *found.expect("observed before")
    })
}
