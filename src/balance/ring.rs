//! Ring hash: every endpoint stands on a ring as often as its share asks, and a request goes to the next entry (R-B-30..R-B-32).

use super::weights::Share;

/// Entries sorted by hash: as two slices, so that a search touches hashes only.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    hashes: Box<[u64]>,
    endpoints: Box<[u32]>,
}

impl Ring {
    /// A ring for these shares. `entries(endpoint, count, add)` hands the first `count` entries of an endpoint to `add`.
    ///
    /// # Complexity
    /// O(n log n) for the n entries.
    pub(super) fn new(
        shares: &[Share],
        minimum: u64,
        maximum: u64,
        mut entries: impl FnMut(u32, usize, &mut dyn FnMut(u64)),
    ) -> Self {
        let smallest = shares.iter().map(|share| share.share).fold(1.0, f64::min);
        let scale = ((smallest * minimum as f64).ceil() / smallest).min(maximum as f64);
        let mut all: Vec<(u64, u32)> = Vec::with_capacity(scale.ceil() as usize + 1);
        let (mut current, mut target) = (0.0, 0.0);
        for share in shares {
            target += scale * share.share;
            let mut count = 0;
            while current < target {
                count += 1;
                current += 1.0;
            }
            let mut add = |hash| all.push((hash, share.endpoint));
            entries(share.endpoint, count, &mut add);
        }
        all.sort_by_key(|(hash, _)| *hash);
        Ring {
            hashes: all.iter().map(|(hash, _)| *hash).collect(),
            endpoints: all.iter().map(|(_, endpoint)| *endpoint).collect(),
        }
    }

    /// The endpoint of a hash; another `attempt` takes the entry that many places on.
    ///
    /// # Complexity
    /// Logarithmic. No allocation.
    #[inline]
    pub(super) fn choose(&self, hash: u64, attempt: u32) -> Option<u32> {
        let at = self.hashes.partition_point(|entry| *entry < hash);
        let at = (at + attempt as usize).checked_rem(self.hashes.len())?;
        self.endpoints.get(at).copied()
    }

    #[cfg(test)]
    fn entries(&self) -> impl Iterator<Item = (u64, u32)> {
        self.hashes
            .iter()
            .copied()
            .zip(self.endpoints.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::ring_entry;
    use super::super::weights;
    use super::*;

    const KEYS: [&str; 6] = [
        "127.0.0.1:90",
        "127.0.0.1:91",
        "127.0.0.1:92",
        "127.0.0.1:93",
        "127.0.0.1:94",
        "127.0.0.1:95",
    ];

    fn ring(minimum: u64) -> Ring {
        let eligible: Vec<(u32, u32)> = (0..6).map(|endpoint| (endpoint, 1)).collect();
        let shares = weights::of_endpoints(&eligible);
        let mut text = String::new();
        Ring::new(&shares, minimum, 8_388_608, |endpoint, count, add| {
            for number in 0..count as u64 {
                add(ring_entry(&mut text, KEYS[endpoint as usize], number));
            }
        })
    }

    #[test]
    fn r_b_30_envoys_published_ring() {
        let ring = ring(12);
        let first: Vec<(u64, u32)> = ring.entries().take(3).collect();
        assert_eq!(
            first,
            [
                (833437586790550860, 4),
                (928266305478181108, 2),
                (1033482794131418490, 0)
            ]
        );
        assert_eq!(ring.entries().count(), 12);
    }

    #[test]
    fn r_b_31_the_next_entry_and_r_b_32_the_ones_after_it() {
        let ring = ring(12);
        assert_eq!(ring.choose(0, 0), Some(4));
        assert_eq!(ring.choose(833437586790550860, 0), Some(4));
        assert_eq!(ring.choose(833437586790550861, 0), Some(2));
        assert_eq!(ring.choose(0, 1), Some(2));
        // Past the end comes the first one.
        assert_eq!(ring.choose(u64::MAX, 0), Some(4));
        assert_eq!(Ring::default().choose(1, 0), None);
    }
}
