//! Hash maps with fixed seeds: the same input makes the same table on every run and every machine.

use std::hash::BuildHasherDefault;

use ahash::AHasher;

/// A map that is looked up, never walked: walking order is not part of any answer.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<AHasher>>;

/// A `HashSet` hashed like [`HashMap`].
pub(crate) type HashSet<T> = std::collections::HashSet<T, BuildHasherDefault<AHasher>>;
