//! What a statement rests on: how often something was seen, in how many samples, and from how many sources.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kmv::{Kmv, Least};
use super::seen::Seen;

/// How often something was seen, in how many samples, and from how many sources; the latter two exact up to 64 and 32.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    requests: u64,
    samples: Kmv<64>,
    sources: Kmv<32>,
}

impl Support {
    /// Notes that it was seen once more.
    #[inline]
    pub fn add(&mut self, seen: &Seen) {
        self.requests = self.requests.saturating_add(1);
        self.samples.add(seen.sample);
        if seen.source != 0 {
            self.sources.add(seen.source);
        }
    }

    /// Adds what another has noted.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.samples.merge(&other.samples);
        self.sources.merge(&other.sources);
    }

    /// The same with so many requests less.
    #[must_use]
    pub(super) fn with_fewer(mut self, requests: u64) -> Self {
        self.requests = self.requests.saturating_sub(requests);
        self
    }

    /// How often it was seen; several times in one request count as several.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// In how many samples: the n of all statistics.
    pub fn samples(&self) -> u64 {
        self.samples.count()
    }

    /// From how many sources; 0 if nobody could be told.
    pub fn sources(&self) -> u64 {
        self.sources.count()
    }

    /// As it stands in profiles: `{"requests": 12, "samples": 9, "sources": 3}`.
    pub fn view(&self) -> Value {
        view(self.requests, self.samples(), self.sources())
    }
}

/// A [`Support`] where there are many: exact up to 8 samples and 8 sources, and no memory of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Few {
    requests: u64,
    samples: Least,
    sources: Least,
}

impl Few {
    /// Notes that it was seen once more.
    #[inline]
    pub fn add(&mut self, seen: &Seen) {
        self.requests = self.requests.saturating_add(1);
        self.samples.add(seen.sample);
        if seen.source != 0 {
            self.sources.add(seen.source);
        }
    }

    /// Adds what another has noted.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.samples.merge(&other.samples);
        self.sources.merge(&other.sources);
    }

    /// Adds what a larger one has noted.
    pub(super) fn merge_support(&mut self, other: &Support) {
        self.requests = self.requests.saturating_add(other.requests);
        self.samples.merge_larger(&other.samples);
        self.sources.merge_larger(&other.sources);
    }

    /// How often it was seen; several times in one request count as several.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// In how many samples.
    pub fn samples(&self) -> u64 {
        self.samples.count()
    }

    /// From how many sources; 0 if nobody could be told.
    pub fn sources(&self) -> u64 {
        self.sources.count()
    }

    /// As it stands in profiles, like [`Support::view`].
    pub fn view(&self) -> Value {
        view(self.requests, self.samples(), self.sources())
    }
}

fn view(requests: u64, samples: u64, sources: u64) -> Value {
    json!({"requests": requests, "samples": samples, "sources": sources})
}
