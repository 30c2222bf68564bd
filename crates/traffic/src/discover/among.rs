//! The numbers that describe a segment among its neighbours: what stands beside it, before it and below it.

use super::below::{
    Below, DELETE, FIXED, GET, PATCH, POST, PUT, Sums, count, evident, flag, methods_of,
};
use super::habits::Habit;
use super::lexical::{BEFORE, OWN};
use super::site::Site;

/// How many numbers describe the neighbourhood.
pub(super) const NEIGHBOURHOOD: usize = 43;
/// How many numbers describe a segment among its neighbours.
pub(super) const AMONG: usize = OWN + BEFORE + NEIGHBOURHOOD;

/// What those numbers are, in their order.
pub(super) const NEIGHBOURHOOD_NAMES: [&str; NEIGHBOURHOOD] = [
    "alone",
    "before_kind",
    "before_before_kind",
    "depth",
    "variables_before",
    "siblings",
    "siblings_alone_mean",
    "siblings_values_share",
    "siblings_same_shape_share",
    "prefixes",
    "prefixes_with_it",
    "prefixes_with_it_share",
    "segments_per_place",
    "next",
    "next_alone_mean",
    "next_alone_most",
    "ends_here",
    "next_fixed_most",
    "next_alike_most",
    "next_alike_share",
    "takes_get",
    "takes_post",
    "takes_put",
    "takes_patch",
    "takes_delete",
    "before_takes_get",
    "before_takes_post",
    "before_takes_change",
    "places_under_words",
    "places_under_values",
    "siblings_fixed_mean",
    "siblings_same_methods_share",
    "siblings_same_alone_share",
    "next_is_fixed_everywhere",
    "siblings_alike_values_share",
    "around_alone_mean",
    "around_identifiers",
    "around_words",
    "around_style_share",
    "elsewhere_after_word",
    "elsewhere_after_word_alone_mean",
    "elsewhere_same_pair",
    "elsewhere_same_pair_share",
];

/// What a segment stands behind, once that is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Before {
    /// The beginning of the path.
    Root,
    /// Fixed text, by number.
    Fixed(u32),
    /// A variable.
    Variable,
}

impl Before {
    fn number(self) -> f32 {
        match self {
            Self::Root => 0.0,
            Self::Fixed(_) => 1.0,
            Self::Variable => 2.0,
        }
    }
}

/// Prefixes that are one in the template, and what leads to them.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub prefixes: Vec<u32>,
    pub before: Before,
    pub before_before: Before,
    pub depth: u8,
    pub variables: u8,
}

/// A segment that stands at a place, with the nodes it has there.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub text: u32,
    pub nodes: Vec<u32>,
    /// Whether it counts when others are judged.
    pub evidence: bool,
}

/// Describes each of the segments at a place.
pub(super) fn describe(site: &Site<'_>, place: &Place, groups: &[Group]) -> Vec<[f32; AMONG]> {
    let below: Vec<Below> = groups.iter().map(|group| Below::of(site, group)).collect();
    let around = Around {
        site,
        place,
        sums: Sums::of(site, groups, &below),
        habit: Habit::around(site, &place.prefixes),
        prefixes: count(evident(site, &place.prefixes).max(1)),
        methods: methods_of(site, &place.prefixes),
    };
    let one = |(group, below): (&Group, &Below)| {
        let mut all = [0.0; AMONG];
        all[..OWN].copy_from_slice(&site.lexical[group.text as usize].own);
        if let Before::Fixed(text) = place.before {
            all[OWN..OWN + BEFORE].copy_from_slice(&site.lexical[text as usize].before);
        }
        all[OWN + BEFORE..].copy_from_slice(&around.neighbourhood(group, below));
        all
    };
    groups.iter().zip(&below).map(one).collect()
}

/// A place, with what is the same for all of its segments.
struct Around<'a, 't> {
    site: &'a Site<'t>,
    place: &'a Place,
    sums: Sums,
    habit: Habit,
    prefixes: f32,
    /// Of paths that end before the segments.
    methods: u16,
}

impl Around<'_, '_> {
    /// The numbers of [`NEIGHBOURHOOD_NAMES`].
    fn neighbourhood(&self, group: &Group, below: &Below) -> [f32; NEIGHBOURHOOD] {
        let (site, place, sums, habit) = (self.site, self.place, &self.sums, &self.habit);
        let lexical = &site.lexical[group.text as usize];
        let counts = flag(group.evidence);
        let others = (sums.groups - counts).max(0.0);
        // A share of the other siblings, -1 if there are none.
        let rest = |sum: f32, own: f32| {
            if others < 0.5 {
                -1.0
            } else {
                (sum - counts * own) / others
            }
        };
        let is_value = flag(below.alone > 0.5);
        let [alike_most, alike_share, alike_values] = self.alike(group, below, others);
        let [after_word, after_word_alone, same_pair, same_pair_share] =
            self.elsewhere(group, below);
        let (words, values) = site.places[group.text as usize];
        let nodes = if group.evidence {
            count(evident(site, &group.nodes))
        } else {
            count(group.nodes.len())
        };
        // How usual the way of writing is among the other words around; 0.5 if there are none.
        let mine = flag(group.evidence && below.alone <= 0.5);
        let style_share = (habit.styles[usize::from(lexical.style)] - mine + 1.0)
            / (habit.words - mine + 2.0).max(2.0);
        let takes = |bit: u16| flag(below.methods & bit != 0);
        let same_methods = sums.methods.get(&below.methods).copied().unwrap_or(0.0);
        let same_kind = if below.alone > 0.5 {
            sums.values
        } else {
            sums.groups - sums.values
        };
        [
            below.alone,
            place.before.number(),
            place.before_before.number(),
            f32::from(place.depth),
            f32::from(place.variables),
            sums.groups.ln_1p(),
            rest(sums.alone, below.alone),
            rest(sums.values, is_value),
            rest(sums.shapes[lexical.shape as usize], 1.0),
            self.prefixes.ln(),
            nodes.ln(),
            nodes / self.prefixes,
            sums.groups / sums.nodes.max(1.0),
            count(below.next.len()).ln_1p(),
            below.alone_mean,
            below.alone_most,
            flag(below.methods != 0),
            below.fixed_most,
            alike_most,
            alike_share,
            takes(GET),
            takes(POST),
            takes(PUT),
            takes(PATCH),
            takes(DELETE),
            flag(self.methods & GET != 0),
            flag(self.methods & POST != 0),
            flag(self.methods & (PUT | PATCH | DELETE) != 0),
            count(words as usize).ln_1p(),
            count(values as usize).ln_1p(),
            rest(sums.fixed, lexical.own[FIXED]),
            rest(same_methods, 1.0),
            rest(same_kind, 1.0),
            flag(!below.next.is_empty() && below.alone_most < 0.5),
            alike_values,
            habit.alone / habit.texts.max(1.0),
            habit.identifiers / habit.texts.max(1.0),
            habit.words.ln_1p(),
            style_share,
            after_word,
            after_word_alone,
            same_pair,
            same_pair_share,
        ]
    }

    /// Of the words that follow: how many siblings the most shared one follows too, what share of the siblings they follow in
    /// the mean, and how many siblings that look like values.
    fn alike(&self, group: &Group, below: &Below, others: f32) -> [f32; 3] {
        let counts = flag(group.evidence);
        let shared = |text| self.sums.next.get(text).map(|sum| (sum - counts).max(0.0));
        let alike: Vec<f32> = below.next.iter().filter_map(shared).collect();
        let values = |text| self.sums.next_values.get(text).copied();
        let values = below.next.iter().filter_map(values).fold(0.0, f32::max);
        let own = counts * flag(below.alone > 0.5);
        let share = if alike.is_empty() {
            -1.0
        } else {
            alike.iter().sum::<f32>() / count(alike.len()) / others.max(1.0)
        };
        [
            alike.iter().copied().fold(0.0, f32::max).ln_1p(),
            share,
            (values - own).max(0.0).ln_1p(),
        ]
    }

    /// What else follows the word before, wherever it stands, and in how many of these places the same segment does.
    fn elsewhere(&self, group: &Group, below: &Below) -> [f32; 4] {
        let Before::Fixed(word) = self.place.before else {
            return [0.0, -1.0, 0.0, 1.0];
        };
        let habits = &self.site.habits;
        let (places, others, alone) = habits.behind[word as usize];
        let mean = if others > 1 {
            (alone - below.alone) / count(others as usize - 1)
        } else {
            -1.0
        };
        let same = habits.pairs.get(&(word, group.text)).copied().unwrap_or(1);
        let same = count(same as usize);
        [
            count(others.saturating_sub(1) as usize).ln_1p(),
            mean,
            same.ln(),
            same / count(places.max(1) as usize),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lexical::OWN_NAMES;

    #[test]
    fn numbers_stand_where_their_names_do() {
        assert_eq!(OWN_NAMES[FIXED], "fixed");
        for (bit, method) in [
            (GET, "GET"),
            (POST, "POST"),
            (PUT, "PUT"),
            (DELETE, "DELETE"),
            (PATCH, "PATCH"),
        ] {
            assert_eq!(super::super::METHODS[bit.trailing_zeros() as usize], method);
        }
    }
}
