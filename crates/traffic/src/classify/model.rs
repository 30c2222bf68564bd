//! The trained trees, read from `model.bin` while compiling: a malformed file is a compile error, and nothing is left to fail or to be
//! set up at run time.
//!
//! The file, all numbers little-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `HBKTREE1` |
//! | 4 × u16 | features, borders, trees, splits a tree |
//! | 3 × f64 | bias, threshold, reserved (0) |
//! | features × u16 | how many borders each feature has |
//! | borders × f32 | the borders, ascending for each feature |
//! | trees × splits × u16 | the border each split of a tree compares with |
//! | trees × 2^splits × f32 | the leaves of the trees |
//!
//! A tree is oblivious: all nodes of a level have the same split, so its leaf is found by putting the answers side by side as bits.

use super::feature::COUNT;

const FILE: &[u8] = include_bytes!("model.bin");

const fn u16_at(at: usize) -> usize {
    u16::from_le_bytes([FILE[at], FILE[at + 1]]) as usize
}

const fn f32_at(at: usize) -> f32 {
    f32::from_le_bytes([FILE[at], FILE[at + 1], FILE[at + 2], FILE[at + 3]])
}

const fn f64_at(at: usize) -> f64 {
    let mut bytes = [0; 8];
    let mut index = 0;
    while index < 8 {
        bytes[index] = FILE[at + index];
        index += 1;
    }
    f64::from_le_bytes(bytes)
}

const BORDERS: usize = u16_at(10);
const TREES: usize = u16_at(12);
const DEPTH: usize = u16_at(14);
const BIAS: f64 = f64_at(16);

/// From this likelihood on a transaction counts as API call; chosen on predictions for sites the model was not trained on.
pub const API_THRESHOLD: f64 = f64_at(24);

const COUNTS_AT: usize = 40;
const BORDERS_AT: usize = COUNTS_AT + 2 * COUNT;
const SPLITS_AT: usize = BORDERS_AT + 4 * BORDERS;
const LEAVES_AT: usize = SPLITS_AT + 2 * TREES * DEPTH;
const LEAVES_PER_TREE: usize = 1 << DEPTH;

/// Where the borders of each feature end.
static ENDS: [u16; COUNT] = ends();
static BORDER: [f32; BORDERS] = borders();
static SPLITS: [[u16; DEPTH]; TREES] = splits();
static LEAVES: [[f32; LEAVES_PER_TREE]; TREES] = leaves();

const _: () = {
    let magic = b"HBKTREE1";
    let mut index = 0;
    while index < magic.len() {
        assert!(FILE[index] == magic[index], "model.bin is no model");
        index += 1;
    }
    assert!(
        u16_at(8) == COUNT,
        "model.bin was trained on other features: run the training"
    );
    assert!(DEPTH <= 8 && BORDERS > 0, "model.bin is malformed");
    assert!(
        FILE.len() == LEAVES_AT + 4 * TREES * LEAVES_PER_TREE,
        "model.bin is cut short or too long"
    );
    assert!(
        API_THRESHOLD > 0.0 && API_THRESHOLD < 1.0 && BIAS.is_finite(),
        "model.bin has a threshold that is no probability"
    );
};

const fn ends() -> [u16; COUNT] {
    let mut ends = [0; COUNT];
    let (mut feature, mut end) = (0, 0);
    while feature < COUNT {
        end += u16_at(COUNTS_AT + 2 * feature);
        ends[feature] = u16::from_le_bytes([end.to_le_bytes()[0], end.to_le_bytes()[1]]);
        feature += 1;
    }
    assert!(end == BORDERS, "model.bin has borders of no feature");
    ends
}

const fn borders() -> [f32; BORDERS] {
    let mut borders = [0.0; BORDERS];
    let mut index = 0;
    while index < BORDERS {
        borders[index] = f32_at(BORDERS_AT + 4 * index);
        assert!(
            !borders[index].is_nan(),
            "model.bin has a border that is no number"
        );
        index += 1;
    }
    borders
}

const fn splits() -> [[u16; DEPTH]; TREES] {
    let mut splits = [[0; DEPTH]; TREES];
    let mut index = 0;
    while index < TREES * DEPTH {
        let border = u16_at(SPLITS_AT + 2 * index);
        assert!(border < BORDERS, "model.bin has a split at no border");
        splits[index / DEPTH][index % DEPTH] =
            u16::from_le_bytes([border.to_le_bytes()[0], border.to_le_bytes()[1]]);
        index += 1;
    }
    splits
}

// Some 20,000 leaves are read once a build; more of them are no mistake.
#[allow(long_running_const_eval)]
#[allow(
    clippy::large_stack_arrays,
    reason = "evaluated while compiling, where there is no stack"
)]
const fn leaves() -> [[f32; LEAVES_PER_TREE]; TREES] {
    let mut leaves = [[0.0; LEAVES_PER_TREE]; TREES];
    let mut index = 0;
    while index < TREES * LEAVES_PER_TREE {
        let leaf = f32_at(LEAVES_AT + 4 * index);
        assert!(leaf.is_finite(), "model.bin has a leaf that is no number");
        leaves[index / LEAVES_PER_TREE][index % LEAVES_PER_TREE] = leaf;
        index += 1;
    }
    leaves
}

/// The likelihood of a feature vector.
pub(super) fn likelihood(vector: &[f32; COUNT]) -> f64 {
    let mut above = [0_u8; BORDERS];
    let mut start = 0;
    for (value, end) in vector.iter().zip(&ENDS) {
        let end = usize::from(*end);
        for (answer, border) in above[start..end].iter_mut().zip(&BORDER[start..end]) {
            // False for NaN, which so lies below all borders, as in training.
            *answer = u8::from(value > border);
        }
        start = end;
    }
    let mut sum = BIAS;
    for (splits, leaves) in SPLITS.iter().zip(&LEAVES) {
        let mut leaf = 0;
        for (level, border) in splits.iter().enumerate() {
            leaf |= usize::from(above[usize::from(*border)]) << level;
        }
        sum += f64::from(leaves[leaf]);
    }
    1.0 / (1.0 + (-sum).exp())
}
