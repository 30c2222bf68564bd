//! Hashes that are the same on every machine and in every version, because profiles of different processes are put
//! together and kept.
//!
//! Folded multiplication as in wyhash and foldhash, with constants of our own. Nobody gains by finding texts of equal
//! hash: what is compared by hash alone are identities and requests, and those are keyed hashes or masked before they come here.

/// Digits of π, as good as any: odd numbers with about as many ones as zeros.
const ONE: u64 = 0x2438_6a88_85a3_08d3;
const TWO: u64 = 0x1319_8a2e_0370_7345;
const THREE: u64 = 0xa409_3822_299f_31d1;
const FOUR: u64 = 0x082e_fa98_ec4e_6c89;

/// A 64-bit hash of bytes, the same everywhere and always.
///
/// ```
/// use hauberk_traffic::learn::hash;
///
/// assert_eq!(hash(b"GET /users/7"), hash(b"GET /users/7"));
/// assert_ne!(hash(b"GET /users/7"), hash(b"GET /users/8"));
/// ```
#[inline]
pub fn hash(bytes: &[u8]) -> u64 {
    hash_with(bytes, 0)
}

/// As [`hash`], of another family for each `seed`.
#[inline]
pub(super) fn hash_with(bytes: &[u8], seed: u64) -> u64 {
    let mut state = fold(seed ^ ONE, (bytes.len() as u64) ^ TWO);
    let mut rest = bytes;
    if rest.len() > 16 {
        while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
            if after.is_empty() {
                break;
            }
            state = fold(eight(chunk, 0) ^ state, eight(chunk, 8) ^ THREE);
            rest = after;
        }
    }
    // At most 16 are left; two words that overlap hold them all.
    let (low, high) = match rest.len() {
        0 => (0, 0),
        1..=3 => {
            let (first, middle, last) = (rest[0], rest[rest.len() / 2], rest[rest.len() - 1]);
            (u64::from(first) << 8 | u64::from(middle), u64::from(last))
        }
        4..=7 => (four(rest, 0), four(rest, rest.len() - 4)),
        _ => (eight(rest, 0), eight(rest, rest.len() - 8)),
    };
    fold(fold(low ^ state, high ^ THREE), FOUR)
}

/// Two hashes as one.
#[inline]
pub(super) fn mix(one: u64, two: u64) -> u64 {
    fold(fold(one ^ ONE, two ^ THREE), FOUR)
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the two halves are meant")]
fn fold(one: u64, two: u64) -> u64 {
    let product = u128::from(one) * u128::from(two);
    (product as u64) ^ ((product >> 64) as u64)
}

#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at..].first_chunk().expect("the caller counted");
    u64::from_le_bytes(*word)
}

#[inline]
fn four(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at..].first_chunk().expect("the caller counted");
    u32::from_le_bytes(*word).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_what_they_are() {
        // If one of these changes, profiles that were kept no longer fit to new ones.
        for (text, expected) in [
            ("", 0x4c92_9aa9_5875_4673),
            ("a", 0x3271_bf1d_32b0_da1f),
            ("ab", 0x1b36_937d_690e_c37e),
            ("abc", 0xa4b9_dff7_9f5f_e4e9),
            ("abcd", 0xc8f1_76db_b21c_ea3f),
            ("abcdefgh", 0x5a04_09be_5755_46bc),
            ("abcdefghijklmnop", 0x425d_4bff_40cc_1d3a),
        ] {
            assert_eq!(hash(text.as_bytes()), expected, "{text}");
        }
        let long = "abcdefghijklmnopqrstuvwxyz".repeat(3);
        assert_eq!(hash(long.as_bytes()), 0x8059_709b_ae1b_c176);
    }

    #[test]
    fn no_byte_is_left_out() {
        for length in 1..100 {
            let text = vec![0; length];
            let mut seen = vec![hash(&text)];
            for at in 0..length {
                let mut text = text.clone();
                text[at] = 1;
                seen.push(hash(&text));
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), length + 1, "{length}");
        }
    }
}
