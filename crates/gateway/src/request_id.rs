//! Request ids: 32 hexadecimal digits, unique among all requests of all gateways for practical purposes.

use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Half of each id: random, of this process.
static PROCESS: LazyLock<u64> = LazyLock::new(random);

/// Ids are numbered in blocks of a thread's own, so that threads do not fight for one counter.
const BLOCK: u64 = 1 << 16;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

/// An id, in its text form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 32]);

impl RequestId {
    pub(crate) fn new() -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let number = scatter(next_number() ^ *PROCESS);
        let bytes = [PROCESS.to_be_bytes(), number.to_be_bytes()];
        let mut text = [0; 32];
        for (index, byte) in bytes.as_flattened().iter().enumerate() {
            text[2 * index] = DIGITS[usize::from(byte >> 4)];
            text[2 * index + 1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are text")
    }
}

fn next_number() -> u64 {
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    NEXT.with(|next| {
        if next.get().is_multiple_of(BLOCK) {
            next.set(NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK + 1);
        }
        next.replace(next.get() + 1)
    })
}

/// One number for each number, without order to the eye (the finalizer of `SplitMix64`).
fn scatter(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Ids identify, they do not protect: without randomness the address of a static still differs between processes.
    match openssl::rand::rand_bytes(&mut bytes) {
        Ok(()) => u64::from_be_bytes(bytes),
        Err(_) => (&raw const NEXT_BLOCK).addr() as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::RequestId;

    #[test]
    fn ids_are_32_hexadecimal_digits_and_do_not_repeat() {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                std::thread::spawn(|| {
                    let ids = (0..70_000).map(|_| RequestId::new().as_str().to_owned());
                    ids.collect::<Vec<_>>()
                })
            })
            .collect();
        let ids: Vec<String> = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect();
        let shape =
            |id: &String| id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
        assert!(ids.iter().all(shape));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }
}
