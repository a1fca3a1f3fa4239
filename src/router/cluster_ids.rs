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
    by_host: HashMap<Arc<str>, SmallVec<[Numbered; 2]>>,
    special: SmallVec<[(Special, ClusterId); 2]>,
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
        let key =
            |numbered: &Numbered| (numbered.port, numbered.subset.as_ref()).cmp(&(port, subset));
        match all.binary_search_by(key) {
            Ok(place) => all[place].id,
            Err(place) => {
                let id = ClusterId::new(self.side, self.next);
                self.next += 1;
                let subset = subset.cloned();
                all.insert(place, Numbered { port, subset, id });
                id
            }
        }
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
        self.by_host.get(host).map_or(&[], |all| all.as_slice())
    }

    /// The hosts that have clusters.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_host.keys()
    }

    pub(crate) fn special(&self) -> impl Iterator<Item = (Special, ClusterId)> + '_ {
        self.special.iter().copied()
    }
}
