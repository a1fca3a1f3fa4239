//! Ids of clusters by name. A name that has an id keeps it, also over updates, so that rules which were made before still
//! mean the same cluster, and so that what an embedder keeps for a cluster (connections, counters) can be kept by its id.
//! The id of a cluster that is gone and that nothing names is taken back, and another cluster gets it in a later update.

use std::sync::Arc;

use smallvec::SmallVec;

use super::cluster::{ClusterId, ClusterSide};
use crate::terms::hash::HashMap;

/// The ids of the clusters of a router.
#[derive(Clone, Debug)]
pub(crate) struct RouterIds {
    pub mesh: ClusterIds,
    pub gateway: ClusterIds,
}

impl Default for RouterIds {
    fn default() -> Self {
        RouterIds {
            mesh: ClusterIds::new(ClusterSide::Mesh),
            gateway: ClusterIds::new(ClusterSide::Gateway),
        }
    }
}

/// Those of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClusterIds {
    side: ClusterSide,
    /// The ids are those of the places `0..len`, without the free ones.
    len: u32,
    /// Places whose ids were taken back, the lowest last.
    free: Vec<u32>,
    /// How many ids have been given since some were last taken back.
    given: u32,
    /// So many may be given before it is worth while to look which are named.
    spare: u32,
    by_host: HashMap<Arc<str>, OfHost>,
    special: SmallVec<[(Special, ClusterId); 2]>,
}

/// At least so many ids are given before some are taken back; in debug builds so few that tests see it.
const SPARE: u32 = if cfg!(debug_assertions) { 8 } else { 256 };

/// The clusters of a host, in the order in which they came.
#[derive(Clone, Debug, Default)]
struct OfHost {
    all: SmallVec<[Numbered; 2]>,
    /// Their places by port and subset, where they are many.
    places: HashMap<(u16, Option<Arc<str>>), usize>,
}

/// So many are looked at one by one.
const FEW: usize = 8;

impl OfHost {
    fn find(&self, port: u16, subset: Option<&Arc<str>>) -> Option<ClusterId> {
        let place = match self.all.len() <= FEW {
            true => {
                let mut all = self.all.iter();
                all.position(|numbered| numbered.port == port && numbered.subset.as_ref() == subset)
            }
            false => self.places.get(&(port, subset.cloned())).copied(),
        };
        place.map(|place| self.all[place].id)
    }

    fn push(&mut self, numbered: Numbered) {
        self.all.push(numbered);
        if self.all.len() > FEW {
            let known = self.places.len();
            for (place, numbered) in self.all.iter().enumerate().skip(known) {
                let key = (numbered.port, numbered.subset.clone());
                self.places.insert(key, place);
            }
        }
    }

    /// Keeps only these; the others go to `released`.
    fn retain(&mut self, mut keep: impl FnMut(&Numbered) -> bool, released: &mut Vec<ClusterId>) {
        let before = self.all.len();
        self.all.retain(|numbered| {
            let stays = keep(numbered);
            if !stays {
                released.push(numbered.id);
            }
            stays
        });
        if self.all.len() < before {
            self.places.clear();
            if let Some(last) = self.all.pop() {
                self.push(last);
            }
        }
    }
}

/// A cluster of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub port: u16,
    pub subset: Option<Arc<str>>,
    pub id: ClusterId,
}

/// A cluster that is not a host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Passthrough,
    BlackHole,
    DynamicDns,
    UnknownService,
}

impl ClusterIds {
    /// No ids yet.
    pub(crate) fn new(side: ClusterSide) -> Self {
        ClusterIds {
            side,
            ..ClusterIds::default()
        }
    }

    /// The side whose clusters they are.
    pub(crate) fn side(&self) -> ClusterSide {
        self.side
    }

    /// How many places there are: every id is that of one of `0..len`.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Whether so many ids have been given since the last [`release`](Self::release) that another one is worth its walk.
    pub(crate) fn is_crowded(&self) -> bool {
        self.given > self.spare.max(SPARE)
    }

    /// Takes back the ids that `keep` does not want; they are given anew from now on. To know which they are cost a walk over
    /// `walked` things: the next one waits for a number of ids in proportion.
    ///
    /// # Complexity
    /// Linear in the ids.
    pub(crate) fn release(
        &mut self,
        walked: usize,
        mut keep: impl FnMut(&Arc<str>, &Numbered) -> bool,
    ) -> Vec<ClusterId> {
        let mut released = Vec::new();
        self.by_host.retain(|host, all| {
            all.retain(|numbered| keep(host, numbered), &mut released);
            !all.all.is_empty()
        });
        self.free
            .extend(released.iter().map(|id| id.index() as u32));
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        let walked = walked.saturating_add(self.len as usize);
        self.spare = u32::try_from(walked / 4).unwrap_or(u32::MAX);
        self.given = 0;
        released
    }

    /// Forgets free places behind all others: for who makes the whole table anew.
    pub(crate) fn shrink(&mut self) {
        let is_last = |len: u32, place: u32| place + 1 == len;
        let mut cut = 0;
        while let Some(&place) = self.free.get(cut)
            && is_last(self.len, place)
        {
            self.len -= 1;
            cut += 1;
        }
        self.free.drain(..cut);
    }

    fn give(&mut self) -> ClusterId {
        self.given = self.given.saturating_add(1);
        let place = self.free.pop().unwrap_or_else(|| {
            self.len += 1;
            self.len - 1
        });
        ClusterId::new(self.side, place)
    }

    /// The id of `outbound|port|subset|host`.
    pub(crate) fn of_host(
        &mut self,
        host: &Arc<str>,
        port: u16,
        subset: Option<&Arc<str>>,
    ) -> ClusterId {
        let known = self.by_host.get(host);
        if let Some(id) = known.and_then(|all| all.find(port, subset)) {
            return id;
        }
        let id = self.give();
        let subset = subset.cloned();
        let all = self.by_host.entry(Arc::clone(host)).or_default();
        all.push(Numbered { port, subset, id });
        id
    }

    /// The id of a cluster that is not a host's.
    pub(crate) fn of_special(&mut self, special: Special) -> ClusterId {
        let known = self.special.iter().find(|(other, _)| *other == special);
        if let Some(&(_, id)) = known {
            return id;
        }
        let id = self.give();
        self.special.push((special, id));
        id
    }

    /// All clusters of a host that have an id.
    pub(crate) fn all_of_host(&self, host: &str) -> &[Numbered] {
        self.by_host.get(host).map_or(&[], |all| all.all.as_slice())
    }

    pub(crate) fn special(&self) -> impl Iterator<Item = (Special, ClusterId)> + '_ {
        self.special.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_name_keeps_its_id_until_it_is_taken_back_and_no_two_have_one(
            steps in prop::collection::vec(
                (prop::collection::vec((0_u8..4, 0_u16..12), 0..20), prop::option::of(any::<u64>())),
                1..12,
            ),
        ) {
            let mut ids = ClusterIds::new(ClusterSide::Gateway);
            let passthrough = ids.of_special(Special::Passthrough);
            let mut known: BTreeMap<(u8, u16), ClusterId> = BTreeMap::new();
            let mut most = 0;
            for (names, kept) in steps {
                for (host, port) in names {
                    let name: Arc<str> = host.to_string().into();
                    let id = ids.of_host(&name, port, None);
                    prop_assert_eq!(*known.entry((host, port)).or_insert(id), id);
                }
                most = most.max(known.len() + 1);
                if let Some(kept) = kept {
                    let keeps = |port: u16| kept >> port & 1 == 1;
                    let released = ids.release(0, |_, numbered| keeps(numbered.port));
                    let gone = known.iter().filter(|((_, port), _)| !keeps(*port));
                    let mut gone: Vec<ClusterId> = gone.map(|(_, id)| *id).collect();
                    known.retain(|(_, port), _| keeps(*port));
                    let mut told = released.clone();
                    told.sort();
                    gone.sort();
                    prop_assert_eq!(told, gone);
                }
                let mut all: Vec<ClusterId> = known.values().copied().chain([passthrough]).collect();
                all.sort();
                all.dedup();
                prop_assert_eq!(all.len(), known.len() + 1, "each its own");
                prop_assert!(all.iter().all(|id| id.index() < ids.len() as usize));
                prop_assert!(ids.len() as usize <= most, "no more places than there ever were names at a time");
                let mut shrunk = ids.clone();
                shrunk.shrink();
                let last = all.iter().map(|id| id.index()).max();
                prop_assert_eq!(last.map(|last| last + 1), Some(shrunk.len() as usize));
            }
        }
    }
}
