//! Hash maps with fixed seeds: the same input makes the same table on every run and every machine.

use std::hash::BuildHasher;

use ahash::{AHasher, RandomState};

/// A map that is looked up, never walked: walking order is not part of any answer.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, FixedSeeds>;

/// A set that is looked up, never walked.
pub(crate) type HashSet<K> = std::collections::HashSet<K, FixedSeeds>;

/// Builds hashers that start from constants.
#[derive(Clone, Debug)]
pub(crate) struct FixedSeeds(RandomState);

impl Default for FixedSeeds {
    fn default() -> Self {
        FixedSeeds(RandomState::with_seeds(
            0x243f_6a88_85a3_08d3,
            0x1319_8a2e_0370_7344,
            0xa409_3822_299f_31d0,
            0x082e_fa98_ec4e_6c89,
        ))
    }
}

impl BuildHasher for FixedSeeds {
    type Hasher = AHasher;

    fn build_hasher(&self) -> AHasher {
        self.0.build_hasher()
    }
}
