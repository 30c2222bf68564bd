//! Scoring of the gradient-boosted trees that judge segments.

use std::sync::OnceLock;

/// The two models, one for a segment by itself and one for a segment among its neighbours.
pub(super) struct Models {
    pub alone: Trees,
    pub among: Trees,
}

impl Models {
    /// Those that are compiled in.
    pub(super) fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<Models> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            Self::parse(include_bytes!("model.bin"))
                .expect("a test reads the file that is compiled in")
        })
    }

    /// Reads two models, one after the other.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bytes = bytes;
        let alone = Trees::parse(&mut bytes)?;
        let among = Trees::parse(&mut bytes)?;
        bytes.is_empty().then_some(Self { alone, among })
    }
}

/// Oblivious trees: all nodes of a level ask the same question, so the answers together are the number of the leaf.
pub(super) struct Trees {
    bias: f32,
    trees: Vec<Tree>,
}

struct Tree {
    /// Feature and the border above which its bit is set, from the lowest bit.
    questions: Vec<(u16, f32)>,
    leaves: Vec<f32>,
}

impl Trees {
    /// Little-endian: bias `f32`, count `u32`; for each tree its depth `u8`, questions (`u16`, `f32`), leaves `f32`.
    fn parse(bytes: &mut &[u8]) -> Option<Self> {
        let bias = f32::from_le_bytes(take(bytes)?);
        let count = u32::from_le_bytes(take(bytes)?);
        let mut trees = Vec::new();
        for _ in 0..count {
            let [depth] = take(bytes)?;
            if depth > 10 {
                return None;
            }
            let mut questions = Vec::new();
            for _ in 0..depth {
                let feature = u16::from_le_bytes(take(bytes)?);
                questions.push((feature, f32::from_le_bytes(take(bytes)?)));
            }
            let mut leaves = Vec::new();
            for _ in 0..1_usize << depth {
                leaves.push(f32::from_le_bytes(take(bytes)?));
            }
            trees.push(Tree { questions, leaves });
        }
        Some(Self { bias, trees })
    }

    /// The likelihood, from 0 to 1, that a segment of these features is a value. A feature the vector lacks counts as 0.
    pub(super) fn likelihood(&self, features: &[f32]) -> f32 {
        let mut sum = self.bias;
        for tree in &self.trees {
            let mut leaf = 0;
            for (bit, (feature, border)) in tree.questions.iter().enumerate() {
                let value = features.get(usize::from(*feature)).copied().unwrap_or(0.0);
                leaf |= usize::from(value > *border) << bit;
            }
            sum += tree.leaves[leaf];
        }
        1.0 / (1.0 + (-sum).exp())
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_models_are_whole_and_small() {
        assert!(include_bytes!("model.bin").len() <= 1_000_000);
        assert!(Models::parse(include_bytes!("model.bin")).is_some());
    }

    #[test]
    fn a_tree_is_read_from_its_lowest_bit() {
        let mut bytes = Vec::new();
        bytes.extend(0.5_f32.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.push(2);
        for (feature, border) in [(0_u16, 1.0_f32), (1, 2.0)] {
            bytes.extend(feature.to_le_bytes());
            bytes.extend(border.to_le_bytes());
        }
        for leaf in [0.0_f32, 1.0, -1.0, 3.0] {
            bytes.extend(leaf.to_le_bytes());
        }
        let trees = Trees::parse(&mut bytes.as_slice()).expect("whole");
        let sigmoid = |sum: f32| 1.0 / (1.0 + (-sum).exp());
        for (features, sum) in [
            ([0.0, 0.0], 0.5),
            ([1.5, 0.0], 1.5),
            ([0.0, 2.5], -0.5),
            ([2.0, 3.0], 3.5),
        ] {
            assert!((trees.likelihood(&features) - sigmoid(sum)).abs() < 1e-6);
        }
    }
}
