//! How a host, or a part of it, writes and uses its words.

use std::collections::HashMap;

use super::lexical::{Lexical, STYLES};
use super::site::Site;
use super::tree::NONE;

/// How words are written and used in a part of a host.
#[derive(Debug, Clone)]
pub(super) struct Habit {
    /// How many different segments there are.
    pub texts: f32,
    /// The sum of their likelihoods to be values.
    pub alone: f32,
    /// How many are values beyond doubt.
    pub identifiers: f32,
    /// How many are more likely fixed than not.
    pub words: f32,
    /// How many of these are written in which style.
    pub styles: [f32; STYLES],
}

impl Default for Habit {
    fn default() -> Self {
        Self {
            texts: 0.0,
            alone: 0.0,
            identifiers: 0.0,
            words: 0.0,
            styles: [0.0; STYLES],
        }
    }
}

impl Habit {
    fn add(&mut self, lexical: &Lexical, alone: f32) {
        self.texts += 1.0;
        self.alone += alone;
        self.identifiers += f32::from(u8::from(lexical.shape.is_identifier()));
        if alone <= 0.5 {
            self.words += 1.0;
            self.styles[usize::from(lexical.style)] += 1.0;
        }
    }

    /// Those of the parts in which some prefixes lie, together.
    pub(super) fn around(site: &Site<'_>, prefixes: &[u32]) -> Self {
        let mut firsts: Vec<u32> = prefixes
            .iter()
            .filter(|&&node| site.evidence[node as usize])
            .map(|&node| site.first_of[node as usize])
            .collect();
        firsts.sort_unstable();
        firsts.dedup();
        let mut all = Self::default();
        for habit in firsts
            .iter()
            .filter_map(|first| site.habits.by_first.get(first))
        {
            all.texts += habit.texts;
            all.alone += habit.alone;
            all.identifiers += habit.identifiers;
            all.words += habit.words;
            for (sum, one) in all.styles.iter_mut().zip(habit.styles) {
                *sum += one;
            }
        }
        all
    }
}

/// How a host writes and uses its words.
#[derive(Debug, Default)]
pub(super) struct Habits {
    /// By the first segment of paths. Apart, so that odd paths elsewhere (scanners leave some on any host) change nothing.
    pub by_first: HashMap<u32, Habit>,
    /// By text: behind how many different segments it stands, and what the segments after it are alone: their number and sum.
    pub behind: Vec<(u32, u32, f32)>,
    /// For two texts, one after the other: behind how many different segments they stand.
    pub pairs: HashMap<(u32, u32), u32>,
}

impl Habits {
    pub(super) fn of(site: &Site<'_>, order: &[u32]) -> Self {
        let mut habits = Self {
            behind: vec![(0, 0, 0.0); site.texts.len()],
            ..Self::default()
        };
        let mut texts: Vec<(u32, u32, f32)> = Vec::new();
        // Text before the one before, text before, text; of what stands at the beginning the first is none.
        let mut rows: Vec<(u32, u32, u32, f32)> = Vec::new();
        for &node in &order[1..] {
            let text = site.text_of[node as usize];
            if text == NONE || !site.evidence[node as usize] {
                continue;
            }
            texts.push((
                site.first_of[node as usize],
                text,
                site.alone[node as usize],
            ));
            let parent = site.tree.node(node).parent;
            let before = site.text_of[parent as usize];
            if before != NONE {
                let grandparent = site.tree.node(parent).parent;
                rows.push((
                    before,
                    text,
                    site.text_of[grandparent as usize],
                    site.alone[node as usize],
                ));
            }
        }
        texts.sort_unstable_by(|one, two| {
            (one.0, one.1)
                .cmp(&(two.0, two.1))
                .then(one.2.total_cmp(&two.2))
        });
        texts.dedup_by_key(|row| (row.0, row.1));
        for &(first, text, alone) in &texts {
            let habit = habits.by_first.entry(first).or_default();
            habit.add(&site.lexical[text as usize], alone);
        }
        rows.sort_unstable_by(|one, two| {
            (one.0, one.1, one.2)
                .cmp(&(two.0, two.1, two.2))
                .then(one.3.total_cmp(&two.3))
        });
        rows.dedup_by_key(|row| (row.0, row.1, row.2));
        for pair in rows.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            let (before, text, _, alone) = pair[0];
            let behind = &mut habits.behind[before as usize];
            behind.1 += 1;
            behind.2 += alone;
            if pair.len() > 1 {
                let len = u32::try_from(pair.len()).unwrap_or(u32::MAX);
                habits.pairs.insert((before, text), len);
            }
        }
        let mut places: Vec<(u32, u32)> = rows.iter().map(|row| (row.0, row.2)).collect();
        places.sort_unstable();
        places.dedup();
        for (before, _) in places {
            habits.behind[before as usize].0 += 1;
        }
        habits
    }
}
