//! What is put into discovery, and what comes out.

use serde::{Deserialize, Serialize};

/// Successful requests of one method to one path, counted together.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// As recorded, with its port if it has one.
    pub host: &'a str,

    /// One of the nine methods that an operation may have, in upper case; others are left out and counted.
    pub method: &'a str,

    /// As sent; a query is cut off.
    pub path: &'a str,

    /// How many requests there were.
    pub requests: u64,

    /// The mean likelihood that they are API calls, from 0 to 1.
    pub score: f64,

    /// How many of the requests carried a session identifier.
    pub with_session: u64,

    /// When the first of them came, in Unix seconds.
    pub first_seen: Option<i64>,

    /// When the last of them came, in Unix seconds.
    pub last_seen: Option<i64>,
}

impl<'a> Sighting<'a> {
    /// One request that is surely an API call, of which nothing else is known.
    pub fn once(host: &'a str, method: &'a str, path: &'a str) -> Self {
        Self {
            host,
            method,
            path,
            requests: 1,
            score: 1.0,
            with_session: 0,
            first_seen: None,
            last_seen: None,
        }
    }
}

/// An operation found in traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundOperation {
    /// In upper case.
    pub method: String,

    /// Lower case, with its port as recorded; a label may be a variable, `{hostVar1}` being the rightmost.
    pub host: String,

    /// Path template with the variables `{var1}`, `{var2}`, … from the left.
    pub endpoint: String,

    /// How many requests belong to it.
    pub requests: u64,

    /// The mean likelihood of its requests to be API calls.
    pub score: f64,

    /// How many of its requests carried a session identifier.
    pub with_session: u64,

    /// How many different paths (and hosts, if the host has a variable) there were; an estimate where
    /// [`DiscoveryLimits::max_children`](super::DiscoveryLimits) was exceeded.
    pub distinct_paths: u64,

    /// When the first request came, in Unix seconds.
    pub first_seen: Option<i64>,

    /// When the last request came, in Unix seconds.
    pub last_seen: Option<i64>,

    /// At most five of its paths, those with the most requests; not masked.
    pub examples: Vec<String>,
}

/// How often a path was requested with a method. Sums of integers, so that the order of adding never matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub requests: u64,
    /// Sum of the scores in millionths.
    pub score: u64,
    pub with_session: u64,
    /// `i64::MAX` if unknown.
    pub first_seen: i64,
    /// `i64::MIN` if unknown.
    pub last_seen: i64,
}

const MILLIONTHS: f64 = 1e6;

impl Tally {
    pub(super) const EMPTY: Self = Self {
        requests: 0,
        score: 0,
        with_session: 0,
        first_seen: i64::MAX,
        last_seen: i64::MIN,
    };

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the product lies between 0 and a million"
    )]
    pub(super) fn of(sighting: &Sighting<'_>) -> Self {
        let score = if sighting.score.is_nan() {
            0.0
        } else {
            sighting.score.clamp(0.0, 1.0)
        };
        Self {
            requests: sighting.requests,
            score: ((score * MILLIONTHS).round() as u64).saturating_mul(sighting.requests),
            with_session: sighting.with_session.min(sighting.requests),
            first_seen: sighting.first_seen.unwrap_or(i64::MAX),
            last_seen: sighting.last_seen.unwrap_or(i64::MIN),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.score = self.score.saturating_add(other.score);
        self.with_session = self.with_session.saturating_add(other.with_session);
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }

    /// The mean likelihood, from 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean of so many needs no more digits"
    )]
    pub(super) fn mean_score(&self) -> f64 {
        if self.requests == 0 {
            0.0
        } else {
            (self.score as f64 / self.requests as f64 / MILLIONTHS).min(1.0)
        }
    }

    pub(super) fn first_seen(&self) -> Option<i64> {
        (self.first_seen != i64::MAX).then_some(self.first_seen)
    }

    pub(super) fn last_seen(&self) -> Option<i64> {
        (self.last_seen != i64::MIN).then_some(self.last_seen)
    }
}
