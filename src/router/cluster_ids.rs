//! Ids of clusters by name. A name that has an id keeps it, also over updates, so that rules which were made before still
//! mean the same cluster, and so that what an embedder keeps for a cluster (connections, counters) can be kept by its id.

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
    next: u32,
    by_host: HashMap<Arc<str>, OfHost>,
    special: SmallVec<[(Special, ClusterId); 2]>,
}

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
                all.position(|one| one.port == port && one.subset.as_ref() == subset)
            }
            false => self.places.get(&(port, subset.cloned())).copied(),
        };
        place.map(|place| self.all[place].id)
    }

    fn push(&mut self, one: Numbered) {
        self.all.push(one);
        if self.all.len() > FEW {
            let known = self.places.len();
            for (place, one) in self.all.iter().enumerate().skip(known) {
                let key = (one.port, one.subset.clone());
                self.places.insert(key, place);
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

    /// How many there are: the ids are those of the places `0..len`.
    pub(crate) fn len(&self) -> u32 {
        self.next
    }

    /// The id of `outbound|port|subset|host`.
    pub(crate) fn of_host(
        &mut self,
        host: &Arc<str>,
        port: u16,
        subset: Option<&Arc<str>>,
    ) -> ClusterId {
        let all = match self.by_host.get_mut(host) {
            Some(all) => all,
            None => self.by_host.entry(Arc::clone(host)).or_default(),
        };
        all.find(port, subset).unwrap_or_else(|| {
            let id = ClusterId::new(self.side, self.next);
            self.next += 1;
            let subset = subset.cloned();
            all.push(Numbered { port, subset, id });
            id
        })
    }

    /// The id of a cluster that is not a host's.
    pub(crate) fn of_special(&mut self, special: Special) -> ClusterId {
        let known = self.special.iter().find(|(other, _)| *other == special);
        if let Some(&(_, id)) = known {
            return id;
        }
        let id = ClusterId::new(self.side, self.next);
        self.next += 1;
        self.special.push((special, id));
        id
    }

    /// All clusters of a host that have an id.
    pub(crate) fn all_of_host(&self, host: &str) -> &[Numbered] {
        self.by_host.get(host).map_or(&[], |one| one.all.as_slice())
    }

    /// The hosts that have clusters.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_host.keys()
    }

    pub(crate) fn special(&self) -> impl Iterator<Item = (Special, ClusterId)> + '_ {
        self.special.iter().copied()
    }
}
