//! Random moments that can be had again: `FAIRWAY_SEED=N cargo test`.

use std::hash::{BuildHasher, RandomState};

/// The seed that was asked for, else a new one. Name it when a test fails.
#[expect(clippy::disallowed_methods, reason = "tests read how they are to run")]
pub fn seed() -> u64 {
    match std::env::var("FAIRWAY_SEED") {
        Ok(seed) => seed.parse().expect("FAIRWAY_SEED is a number"),
        Err(_) => RandomState::new().hash_one(0) % 1_000_000,
    }
}

/// A number that depends on the seed and on which one it is (the finalizer of SplitMix64).
pub fn random(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
