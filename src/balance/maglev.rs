//! Maglev: a table that each endpoint fills by a permutation of its own, as often as its share asks (R-B-40, R-B-41).

use super::keys::MaglevKey;
use super::weights::Share;

/// A table of endpoints; a request goes to the slot of its hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Maglev {
    table: Box<[u32]>,
}

/// How one endpoint fills the table.
struct Permutation {
    endpoint: u32,
    share: f64,
    /// The share that the endpoint has to reach before it is served again.
    target: f64,
    /// Its next slot, and how far the one after that is.
    slot: u64,
    skip: u64,
}

impl Maglev {
    /// A table of `size` slots, a prime, for these shares. `key` has each endpoint's own way through a table of that size.
    ///
    /// # Complexity
    /// O(size) steps where all shares are equal, more where they differ.
    pub(super) fn new(shares: &[Share], size: u64, key: impl Fn(u32) -> MaglevKey) -> Self {
        if shares.is_empty() || size < 2 {
            return Maglev::default();
        }
        let mut sorted: Vec<&Share> = shares.iter().collect();
        sorted.sort_by_key(|share| key(share.endpoint).rank);
        let mut sorted: Vec<Permutation> = sorted
            .into_iter()
            .map(|share| {
                let key = key(share.endpoint);
                Permutation {
                    endpoint: share.endpoint,
                    share: share.share,
                    target: 0.0,
                    slot: key.offset,
                    skip: key.skip,
                }
            })
            .collect();
        let largest = sorted.iter().map(|entry| entry.share).fold(0.0, f64::max);
        const EMPTY: u32 = u32::MAX;
        let mut table = vec![EMPTY; size as usize];
        let mut left = size;
        let mut round = 1.0;
        'fill: loop {
            for entry in &mut sorted {
                if round * entry.share < entry.target {
                    continue;
                }
                entry.target += largest;
                let mut steps = 0;
                while table[entry.slot as usize] != EMPTY {
                    entry.slot += entry.skip;
                    if entry.slot >= size {
                        entry.slot -= size;
                    }
                    // Only in a table whose size is no prime: the way leads round and round.
                    steps += 1;
                    if steps == size {
                        entry.skip = 1;
                    }
                }
                table[entry.slot as usize] = entry.endpoint;
                left -= 1;
                if left == 0 {
                    break 'fill;
                }
            }
            round += 1.0;
        }
        Maglev {
            table: table.into(),
        }
    }

    /// The endpoint of a hash; another `attempt` turns the hash over first.
    ///
    /// # Complexity
    /// One load. No allocation.
    #[inline]
    pub(super) fn choose(&self, hash: u64, attempt: u32) -> Option<u32> {
        let hash = match attempt {
            0 => hash,
            attempt => hash ^ (!0 - u64::from(attempt) + 1),
        };
        let at = hash.checked_rem(self.table.len() as u64)?;
        self.table.get(at as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::weights;
    use super::*;

    fn table(keys: &[&str]) -> Vec<u32> {
        let eligible: Vec<(u32, u32)> = (0..keys.len() as u32)
            .map(|endpoint| (endpoint, 1))
            .collect();
        let shares = weights::of_endpoints(&eligible);
        let keys = MaglevKey::of(keys, 7);
        Maglev::new(&shares, 7, |endpoint| keys[endpoint as usize])
            .table
            .into()
    }

    #[test]
    fn r_b_40_envoys_published_tables() {
        let addresses: Vec<String> = (90..=95).map(|port| format!("127.0.0.1:{port}")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        assert_eq!(table(&addresses), [2, 4, 0, 1, 5, 0, 3]);
        assert_eq!(
            table(&["90", "91", "92", "93", "94", "95"]),
            [2, 5, 0, 3, 4, 1, 0]
        );
    }

    #[test]
    fn r_b_41_a_slot_by_the_hash_and_another_for_each_retry() {
        let eligible = [(0, 1), (1, 1), (2, 1)];
        let shares = weights::of_endpoints(&eligible);
        let keys = MaglevKey::of(&["a", "b", "c"], 7);
        let maglev = Maglev::new(&shares, 7, |endpoint| keys[endpoint as usize]);
        for hash in [0_u64, 6, 7, 1 << 63] {
            let at = |hash: u64| Some(maglev.table[(hash % 7) as usize]);
            assert_eq!(maglev.choose(hash, 0), at(hash));
            assert_eq!(maglev.choose(hash, 2), at(hash ^ (u64::MAX - 1)));
        }
        assert_eq!(Maglev::default().choose(1, 0), None);
    }
}
