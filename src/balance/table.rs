//! What the hash of a request is looked up in: a ring or a Maglev table over the endpoints of a priority that are eligible.

use super::keys::{Keys, ring_entry};
use super::maglev::Maglev;
use super::members::{MAXIMUM_RING_SIZE, Members, Priority, Size};
use super::ring::Ring;
use super::weights::{self, LocalityShare, Share};

#[derive(Clone, Debug)]
pub(super) enum Table {
    Ring(Ring),
    Maglev(Maglev),
}

impl Table {
    /// The table of a priority for those of its endpoints that pass `is_eligible` (R-B-20, R-B-21).
    ///
    /// # Complexity
    /// That of the ring or table, but for hashes: each is made once in the life of the members.
    pub(super) fn of(
        members: &Members,
        priority: &Priority,
        is_eligible: &dyn Fn(u32) -> bool,
    ) -> Self {
        let shares = shares(members, priority, is_eligible);
        match (members.table_size(), &members.keys) {
            (Some(Size::Ring { minimum }), Keys::Ring(keys)) => {
                let mut text = String::new();
                let entries = |at: u32, count: usize, add: &mut dyn FnMut(u64)| {
                    let Some(key) = keys.get(at as usize) else {
                        return;
                    };
                    let mut address = None;
                    let hash = |number| {
                        let address = address.get_or_insert_with(|| members.key(at));
                        ring_entry(&mut text, address, number)
                    };
                    key.for_each(count, hash, add);
                };
                Table::Ring(Ring::new(&shares, minimum, MAXIMUM_RING_SIZE, entries))
            }
            (Some(Size::Maglev(size)), Keys::Maglev(keys)) => {
                let table = Maglev::new(&shares, size, |at| keys[at as usize]);
                Table::Maglev(table)
            }
            _ => Table::Ring(Ring::default()),
        }
    }

    /// The endpoint of a hash; another `attempt` moves on (R-B-32, R-B-41).
    #[inline]
    pub(super) fn choose(&self, hash: u64, attempt: u32) -> Option<u32> {
        match self {
            Table::Ring(ring) => ring.choose(hash, attempt),
            Table::Maglev(maglev) => maglev.choose(hash, attempt),
        }
    }
}

fn shares(members: &Members, priority: &Priority, is_eligible: &dyn Fn(u32) -> bool) -> Vec<Share> {
    let weighted = |places: &[u32]| -> Vec<(u32, u32)> {
        let eligible = places.iter().copied().filter(|at| is_eligible(*at));
        eligible.map(|at| (at, members.weight(at))).collect()
    };
    if !members.settings.locality_weighted {
        return weights::of_endpoints(&weighted(&priority.members));
    }
    let localities = priority.localities.iter().map(|locality| LocalityShare {
        weight: locality.weight,
        endpoints: locality.members.len(),
        eligible: weighted(&locality.members),
    });
    weights::of_localities(&localities.collect::<Vec<_>>())
}
