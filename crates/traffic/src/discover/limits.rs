//! How much of the traffic's paths is remembered.

use serde::{Deserialize, Serialize};

/// What a [`Discovery`](super::Discovery) may hold. Each bound has a default that fits a large API in well under 1 GB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoveryLimits {
    /// The most different segments kept under one path prefix. What is beyond is counted and summed up as values of one
    /// variable, of which no single one can be named any more. At least 16.
    pub max_children: usize,

    /// The most path prefixes kept over all hosts, about 200 bytes each. When there are more, `max_children` is halved,
    /// down to 16; when even that does not help, paths with a new prefix are left out and counted.
    pub max_nodes: usize,

    /// The most hosts kept; sightings of further ones are left out and counted.
    pub max_hosts: usize,
}

impl Default for DiscoveryLimits {
    fn default() -> Self {
        Self {
            max_children: 65_536,
            max_nodes: 4_000_000,
            max_hosts: 20_000,
        }
    }
}
