//! Judges segments by the model, and by what the model said of the same text elsewhere and of siblings that lead to the same.

use std::collections::HashMap;

use super::among::{Group, Place, describe};
use super::below::words_below;
use super::shape::Shape;
use super::site::Site;
use super::template::{Judge, VALUE_LIKELIHOOD, certain};
use super::tree::NONE;

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

/// A word that so many publishers have beside a variable is one: `me`, `search`, `latest`.
const KNOWN_BESIDE: u16 = 4;
/// So many two-letter codes or locales in one place are values; fewer are the languages of a site.
const MANY_LOCALES: usize = 6;

/// From this on it is one so surely that long text which no publisher has as fixed is one everywhere.
const VALUE_BEYOND_DOUBT: f32 = 0.8;
/// Text of so many bytes is not the same in two places by chance, as `mod` or `bug` may be.
const LONG: usize = 8;

/// Asks the model, where the letters leave a doubt.
#[derive(Default)]
pub(super) struct ModelJudge {
    /// By text.
    heard: HashMap<u32, Heard>,
    /// Whether what was heard is complete.
    complete: bool,
}

/// How likely a text is a value in its places (each told by its first prefix): the two that say most and the two that say
/// least, so that each place can be compared with the others.
struct Heard {
    most: [(f32, u32); 2],
    least: [(f32, u32); 2],
}

impl Heard {
    fn new() -> Self {
        Self {
            most: [(f32::NEG_INFINITY, NONE); 2],
            least: [(f32::INFINITY, NONE); 2],
        }
    }

    fn add(&mut self, place: u32, likelihood: f32) {
        if likelihood > self.most[0].0 {
            self.most = [(likelihood, place), self.most[0]];
        } else if likelihood > self.most[1].0 {
            self.most[1] = (likelihood, place);
        }
        if likelihood < self.least[0].0 {
            self.least = [(likelihood, place), self.least[0]];
        } else if likelihood < self.least[1].0 {
            self.least[1] = (likelihood, place);
        }
    }

    /// What the other places say at most and at least.
    fn elsewhere(&self, place: u32) -> (f32, f32) {
        let other = |said: &[(f32, u32); 2]| {
            if said[0].1 == place {
                said[1].0
            } else {
                said[0].0
            }
        };
        (other(&self.most), other(&self.least))
    }
}

impl ModelJudge {
    /// Takes what was heard so far for all there is; `true` if that may change a judgement.
    pub(super) fn listen(&mut self) -> bool {
        self.complete = true;
        self.heard
            .values()
            .any(|heard| heard.most[0].0 >= SURELY_VALUE && heard.least[0].0 <= VALUE_LIKELIHOOD)
    }

    /// Whether a segment is a value because its text is one in another place: without doubt and known to nobody as fixed, or
    /// fixed nowhere else.
    fn is_value_elsewhere(&self, site: &Site<'_>, text: u32, place: u32, likelihood: f32) -> bool {
        let Some(heard) = self
            .heard
            .get(&text)
            .filter(|_| likelihood <= VALUE_LIKELIHOOD)
        else {
            return false;
        };
        let (most, least) = heard.elsewhere(place);
        let lexical = &site.lexical[text as usize];
        if lexical.shape == Shape::Empty {
            return false;
        }
        let is_long = site.texts[text as usize].len() >= LONG;
        most >= VALUE_BEYOND_DOUBT && is_long && lexical.usage.fixed == 0
            || likelihood >= DOUBT && most >= SURELY_VALUE && least > SURELY_FIXED
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
                let surely = certain(site, group.text)
                    .or_else(|| is_beside(site, group.text).then_some(0.0));
                surely.unwrap_or_else(|| {
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
                    .or_insert_with(Heard::new)
                    .add(place.prefixes[0], *likelihood);
            } else if self.is_value_elsewhere(site, group.text, place.prefixes[0], *likelihood) {
                *likelihood = SURELY_VALUE;
            }
        }
        join_alike(site, groups, &mut likelihoods);
        join_locales(site, groups, &mut likelihoods);
        likelihoods
    }
}

/// Whether a word is one that stands beside variables, and hardly ever a value of theirs.
fn is_beside(site: &Site<'_>, text: u32) -> bool {
    let usage = site.lexical[text as usize].usage;
    usage.beside_variable >= KNOWN_BESIDE && usage.value * 4 <= usage.beside_variable
}

/// Takes codes of languages and countries for values when there are many in one place.
fn join_locales(site: &Site<'_>, groups: &[Group], likelihoods: &mut [f32]) {
    let is_locale = |group: &Group| {
        let text = site.texts[group.text as usize];
        site.lexical[group.text as usize].shape == Shape::Locale
            || text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let many = groups
        .iter()
        .filter(|group| group.evidence && is_locale(group))
        .count();
    if many < MANY_LOCALES {
        return;
    }
    for (group, likelihood) in groups.iter().zip(likelihoods) {
        if is_locale(group) {
            *likelihood = likelihood.max(SURELY_VALUE);
        }
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
