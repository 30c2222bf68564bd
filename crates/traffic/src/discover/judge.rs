//! Judges segments by the model, and by what the model said of the same text elsewhere and of siblings that lead to the same.

use std::collections::HashMap;

use super::among::{Before, Group, Place, describe};
use super::below::words_below;
use super::site::Site;
use super::template::{Judge, VALUE_LIKELIHOOD, certain};

/// Below this a segment is fixed, whatever stands beside it.
const DOUBT: f32 = 0.08;
/// From this on a segment is so surely a value that the same text elsewhere is one too.
const SURELY_VALUE: f32 = 0.6;
/// Up to this a segment is so surely fixed that it is no value elsewhere.
const SURELY_FIXED: f32 = 0.2;
/// So many siblings that are values must lead to the same words.
const MIN_ALIKE: u32 = 3;
/// A word that so many publishers use as fixed text stays fixed beside values that lead to the same, as `me` does beside users.
/// That is for words that stand for one thing: the name of a collection stands for none of them.
const KNOWN_WORD: u16 = 5;

/// Asks the model, where the letters leave a doubt.
#[derive(Default)]
pub(super) struct ModelJudge {
    /// By text: what it stood behind, and how likely it was a value there.
    heard: HashMap<u32, Vec<(Before, f32)>>,
    /// Whether what was heard is complete.
    complete: bool,
}

impl ModelJudge {
    /// Takes what was heard so far for all there is; `true` if it would change a judgement.
    pub(super) fn listen(&mut self) -> bool {
        self.complete = true;
        self.heard.iter().any(|(text, heard)| {
            heard
                .iter()
                .any(|(before, likelihood)| self.is_value_elsewhere(*text, *before, *likelihood))
        })
    }

    /// Whether a segment in doubt is a value because its text is one behind another segment, and fixed nowhere else.
    fn is_value_elsewhere(&self, text: u32, before: Before, likelihood: f32) -> bool {
        if !(DOUBT..=VALUE_LIKELIHOOD).contains(&likelihood) {
            return false;
        }
        let others = || {
            self.heard
                .get(&text)
                .into_iter()
                .flatten()
                .filter(move |(other, _)| *other != before)
        };
        others().any(|(_, other)| *other >= SURELY_VALUE)
            && !others().any(|(_, other)| *other <= SURELY_FIXED)
    }
}

impl Judge for ModelJudge {
    fn likelihoods(&mut self, site: &Site<'_>, place: &Place, groups: &[Group]) -> Vec<f32> {
        let Some(models) = site.models else {
            return vec![0.0; groups.len()];
        };
        let features = describe(site, place, groups);
        let mut known: HashMap<Vec<u32>, f32> = HashMap::new();
        let mut likelihoods: Vec<f32> = groups
            .iter()
            .zip(&features)
            .map(|(group, features)| {
                certain(site, group.text).unwrap_or_else(|| {
                    let key = features.iter().map(|number| number.to_bits()).collect();
                    *known
                        .entry(key)
                        .or_insert_with(|| models.among.likelihood(features))
                })
            })
            .collect();
        for (group, likelihood) in groups.iter().zip(&mut likelihoods) {
            if !self.complete && group.evidence {
                self.heard
                    .entry(group.text)
                    .or_default()
                    .push((place.before, *likelihood));
            } else if self.is_value_elsewhere(group.text, place.before, *likelihood) {
                *likelihood = SURELY_VALUE;
            }
        }
        join_alike(site, groups, &mut likelihoods);
        likelihoods
    }
}

/// Takes segments in doubt for values when several siblings that are values lead to the same words.
fn join_alike(site: &Site<'_>, groups: &[Group], likelihoods: &mut [f32]) {
    let is_in_doubt = |group: &Group, likelihood: f32| {
        (DOUBT..=VALUE_LIKELIHOOD).contains(&likelihood)
            && (site.lexical[group.text as usize].usage.fixed < KNOWN_WORD
                || site.lexical[group.text as usize].plural)
    };
    let any = groups
        .iter()
        .zip(&*likelihoods)
        .any(|(group, likelihood)| is_in_doubt(group, *likelihood));
    if !any || groups.len() <= MIN_ALIKE as usize {
        return;
    }
    // After how many values, and after how many fixed segments, a word stands.
    let mut after: HashMap<u32, (u32, u32)> = HashMap::new();
    for (group, likelihood) in groups
        .iter()
        .zip(&*likelihoods)
        .filter(|(group, _)| group.evidence)
    {
        for word in words_below(site, group) {
            let count = after.entry(word).or_default();
            if *likelihood > VALUE_LIKELIHOOD {
                count.0 += 1;
            } else if *likelihood < DOUBT {
                count.1 += 1;
            }
        }
    }
    for (group, likelihood) in groups.iter().zip(likelihoods) {
        if is_in_doubt(group, *likelihood) {
            let words = words_below(site, group);
            let alike = |word: &&u32| {
                after
                    .get(word)
                    .is_some_and(|(values, fixed)| *values >= MIN_ALIKE && fixed * 5 <= *values)
            };
            let shared = words.iter().filter(alike).count();
            if shared > 0 && shared * 2 >= words.len() {
                *likelihood = SURELY_VALUE;
            }
        }
    }
}
