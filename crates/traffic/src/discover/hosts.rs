//! Sub-domains that are tenants: many hosts that differ in one label and serve the same paths become one host with a variable.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::labels::{is_region, is_service};
use super::rules::OwnerRules;
use super::shape::Shape;
use super::site::{Knowledge, Site};
use super::template::find_branches;
use super::tree::{PathTree, Room};

/// So many hosts must differ in one label. Fewer are regions, stages, or two services.
const MIN_TENANTS: usize = 4;
/// So many suffice if no label among them is a word of the trade.
const MIN_ODD_TENANTS: usize = 8;
/// Of the endpoints of a tenant so many, in the middle of them all, must be those of most tenants.
const MIN_SHARED: f64 = 0.5;

/// A host, or several that are one.
pub(super) struct Merged<'t> {
    /// With variables for labels that are tenants.
    pub host: String,
    /// Theirs together, if they are several.
    pub tree: std::borrow::Cow<'t, PathTree>,
    /// The hosts that are in it.
    pub members: Vec<&'t str>,
}

/// Puts tenants together. Hosts that a rule names by their full name stay by themselves; those that a rule's host with a
/// variable matches are put together in any case.
pub(super) fn merged<'t>(
    hosts: &'t BTreeMap<Box<str>, PathTree>,
    rules: &OwnerRules,
    knowledge: Knowledge<'t>,
    room: Room,
) -> Vec<Merged<'t>> {
    let named: HashSet<String> = rules.hosts().collect();
    let patterns: Vec<String> = named
        .iter()
        .filter(|host| host.contains('{'))
        .map(|host| pattern(host))
        .collect();
    let mut families: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for host in hosts.keys().filter(|host| !named.contains(&***host)) {
        for family in families_of(host) {
            families.entry(family).or_default().push(host);
        }
    }
    let mut taken: HashMap<&str, String> = HashMap::new();
    let mut endpoints: HashMap<&str, HashSet<String>> = HashMap::new();
    let by_rule = |family: &String| patterns.contains(family);
    let mut order: Vec<(&String, &Vec<&str>)> = families.iter().collect();
    // What the owner says first, then the largest family.
    order.sort_by_key(|(family, members)| {
        (
            !by_rule(family),
            std::cmp::Reverse(members.len()),
            (*family).clone(),
        )
    });
    for (family, members) in order {
        let members: Vec<&str> = members
            .iter()
            .copied()
            .filter(|host| !taken.contains_key(host))
            .collect();
        let tenants = if by_rule(family) {
            members
        } else {
            tenants(hosts, family, &members, knowledge, &mut endpoints)
        };
        for host in tenants {
            taken.insert(host, family.clone());
        }
    }
    let mut found: BTreeMap<String, Merged<'t>> = BTreeMap::new();
    for (host, tree) in hosts {
        let name = taken
            .get(&**host)
            .map_or_else(|| host.to_string(), |family| named_pattern(family));
        match found.get_mut(&name) {
            None => {
                let tree = std::borrow::Cow::Borrowed(tree);
                found.insert(
                    name.clone(),
                    Merged {
                        host: name,
                        tree,
                        members: vec![host],
                    },
                );
            }
            Some(merged) => {
                merged.tree.to_mut().merge(tree, room, &mut 0);
                merged.members.push(host);
            }
        }
    }
    found.into_values().collect()
}

/// The patterns that a host may belong to: each label but the last two may be the variable.
fn families_of(host: &str) -> Vec<String> {
    let labels: Vec<&str> = host.split('.').collect();
    if host.starts_with('[') || labels.len() < 3 || is_address(host) {
        return Vec::new();
    }
    (0..labels.len() - 2)
        .map(|at| {
            let mut labels = labels.clone();
            labels[at] = "{}";
            labels.join(".")
        })
        .collect()
}

fn is_address(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    name.split('.')
        .all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
}

fn pattern(host: &str) -> String {
    let labels = host
        .split('.')
        .map(|label| if label.starts_with('{') { "{}" } else { label });
    labels.collect::<Vec<_>>().join(".")
}

/// Numbers the variables from the right.
fn named_pattern(pattern: &str) -> String {
    let mut number = 0;
    let mut labels: Vec<String> = pattern
        .rsplit('.')
        .map(|label| {
            if label == "{}" {
                number += 1;
                format!("{{hostVar{number}}}")
            } else {
                label.to_owned()
            }
        })
        .collect();
    labels.reverse();
    labels.join(".")
}

/// Which members of a family are tenants: those whose label could be one, and that serve what most of them serve.
fn tenants<'t>(
    hosts: &'t BTreeMap<Box<str>, PathTree>,
    family: &str,
    members: &[&'t str],
    knowledge: Knowledge<'t>,
    endpoints: &mut HashMap<&'t str, HashSet<String>>,
) -> Vec<&'t str> {
    let at = family
        .split('.')
        .position(|label| label == "{}")
        .unwrap_or_default();
    let label = |host: &str| host.split('.').nth(at).unwrap_or_default().to_owned();
    let candidates: Vec<&str> = members
        .iter()
        .copied()
        .filter(|host| !is_service(&label(host)) && !is_region(&label(host)))
        .collect();
    let surely = |host: &&&str| Shape::of(&label(host)).is_identifier();
    let identifiers = candidates.iter().filter(surely).count();
    if candidates.len() < MIN_TENANTS
        || identifiers * 2 < candidates.len() && candidates.len() < MIN_ODD_TENANTS
    {
        return Vec::new();
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for host in &candidates {
        let of = endpoints
            .entry(host)
            .or_insert_with(|| endpoints_of(&hosts[*host], knowledge));
        for endpoint in of.iter() {
            *counts.entry(endpoint.clone()).or_default() += 1;
        }
    }
    // What at least three tenants serve, of which one is not enough to be alike: every host has a `/`.
    let is_common =
        |endpoint: &String| counts[endpoint] >= 3.min(candidates.len()) && endpoint != "/";
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let shared = |host: &str| {
        let of = &endpoints[host];
        of.iter().filter(|endpoint| is_common(endpoint)).count() as f64 / of.len().max(1) as f64
    };
    let alike: Vec<&str> = candidates
        .iter()
        .copied()
        .filter(|host| shared(host) >= MIN_SHARED)
        .collect();
    if alike.len() < MIN_TENANTS {
        return Vec::new();
    }
    alike
}

fn endpoints_of(tree: &PathTree, knowledge: Knowledge<'_>) -> HashSet<String> {
    let site = Site::new(tree, knowledge);
    let branches = find_branches(&site);
    (0..branches.len())
        .filter(|&branch| {
            branches[branch]
                .nodes
                .iter()
                .any(|&node| !tree.node(node).tallies.is_empty())
        })
        .map(|branch| {
            super::operations::render(
                super::operations::pieces_of(&site, &branches, branch)
                    .iter()
                    .map(String::as_str),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_variables_are_numbered_from_the_right() {
        assert_eq!(
            named_pattern("{}.{}.example.com:8443"),
            "{hostVar2}.{hostVar1}.example.com:8443"
        );
        assert_eq!(
            families_of("a.b.example.com"),
            ["{}.b.example.com", "a.{}.example.com"]
        );
        assert!(families_of("192.0.2.1:80").is_empty());
        assert!(families_of("example.com").is_empty());
    }
}
