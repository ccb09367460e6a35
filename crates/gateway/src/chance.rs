//! Chance and request ids for one listener: SplitMix64 over a counter. Fast and well spread, not
//! secret.

use crate::forwarding::REQUEST_ID_MAX;
use http::HeaderValue;
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const HEX: &[u8; 16] = b"0123456789abcdef";
const ID_LENGTH: usize = 32;

/// A source of chance.
#[derive(Debug)]
pub(crate) struct Chance {
    prefix: [u8; ID_LENGTH / 2],
    counter: AtomicU64,
}

impl Chance {
    /// Starts somewhere the operating system chose.
    pub(crate) fn new() -> Self {
        let seeds = RandomState::new();
        Self { prefix: hex(seeds.hash_one(0)), counter: AtomicU64::new(seeds.hash_one(1)) }
    }

    pub(crate) fn next(&self) -> u64 {
        mix(self.counter.fetch_add(STEP, Relaxed))
    }

    /// A new request id: 32 hexadecimal digits.
    pub(crate) fn request_id(&self) -> HeaderValue {
        let mut id = [0; ID_LENGTH];
        let (prefix, own) = id.split_at_mut(ID_LENGTH / 2);
        prefix.copy_from_slice(&self.prefix);
        own.copy_from_slice(&hex(self.next()));
        HeaderValue::from_bytes(&id).expect("hexadecimal digits are visible ASCII")
    }
}

/// Whether a client's request id may be passed on.
pub(crate) fn is_request_id(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=REQUEST_ID_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hex(number: u64) -> [u8; ID_LENGTH / 2] {
    let mut digits = [0; ID_LENGTH / 2];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn request_ids_differ() {
        let chance = Chance::new();
        let ids: HashSet<_> = (0..1000).map(|_| chance.request_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| is_request_id(id) && id.len() == ID_LENGTH));
    }

    #[test]
    fn a_strange_request_id_is_not_passed_on() {
        for bad in ["", "a b", "a\tb", &"x".repeat(REQUEST_ID_MAX + 1)] {
            assert!(!is_request_id(&HeaderValue::from_str(bad).unwrap()), "{bad}");
        }
    }
}
