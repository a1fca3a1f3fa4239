//! The clusters of a router by id: what rules, filter chains and settled answers name. An update puts clusters into their
//! places and leaves everything that names them as it is. A place whose id was taken back is vacant until the id is given
//! anew.

use std::sync::Arc;

use super::chunked::Chunked;
use super::cluster::{Cluster, ClusterFacts, ClusterId, ClusterKind, ClusterSide};

/// The clusters of both sides. Cheap to clone: the parts are shared.
#[derive(Clone)]
pub(crate) struct ClusterTable {
    sides: [Chunked<Cluster>; 2],
    /// What stands in a place that has no cluster: one that does not exist.
    vacant: Cluster,
}

impl Default for ClusterTable {
    fn default() -> Self {
        ClusterTable {
            sides: Default::default(),
            vacant: Cluster::from(ClusterFacts {
                exists: false,
                ..ClusterFacts::named("", ClusterKind::Outbound)
            }),
        }
    }
}

impl ClusterTable {
    /// These are all clusters of a side, in the order of their ids, which have no gap.
    pub(crate) fn set(&mut self, side: ClusterSide, clusters: impl IntoIterator<Item = Cluster>) {
        self.sides[side as usize] = clusters.into_iter().collect();
    }

    /// These are all clusters of a side, in the order of their ids; places that they leave out are vacant.
    pub(crate) fn set_with_gaps(
        &mut self,
        side: ClusterSide,
        clusters: impl IntoIterator<Item = (ClusterId, Cluster)>,
    ) {
        let mut all: Vec<Cluster> = Vec::new();
        for (id, cluster) in clusters {
            all.resize(id.index().max(all.len()), self.vacant.clone());
            all.push(cluster);
        }
        self.set(side, all);
    }

    /// The cluster that something of the same router names.
    ///
    /// # Complexity
    /// Constant: three loads, what the cluster says is not touched.
    #[inline]
    pub(crate) fn cluster(&self, id: ClusterId) -> &Cluster {
        &self.sides[id.side()][id.index()]
    }

    /// The cluster of any id; `None`: no cluster has it.
    pub(crate) fn get(&self, id: ClusterId) -> Option<&Cluster> {
        let cluster = self.sides[id.side()].get(id.index())?;
        (!self.is_vacant(cluster)).then_some(cluster)
    }

    fn is_vacant(&self, cluster: &Cluster) -> bool {
        Arc::ptr_eq(&cluster.facts, &self.vacant.facts)
    }

    /// The same table with these clusters in their places, and none in those that are `released`; new ids follow those that are
    /// there without a gap.
    ///
    /// # Complexity
    /// A copy of 128 pairs of pointers for each group of as many ids with a change, and of the list of groups.
    pub(crate) fn with(
        &self,
        changes: impl IntoIterator<Item = (ClusterId, Cluster)>,
        released: &[ClusterId],
    ) -> Self {
        let mut by_side: [Vec<(usize, Cluster)>; 2] = Default::default();
        let released = released.iter().map(|id| (*id, self.vacant.clone()));
        for (id, cluster) in changes.into_iter().chain(released) {
            by_side[id.side()].push((id.index(), cluster));
        }
        let [mesh, gateway] = by_side;
        let with = |side: ClusterSide, changes: Vec<_>| match &self.sides[side as usize] {
            same if changes.is_empty() => same.clone(),
            before => before.with(changes),
        };
        ClusterTable {
            sides: [
                with(ClusterSide::Mesh, mesh),
                with(ClusterSide::Gateway, gateway),
            ],
            vacant: self.vacant.clone(),
        }
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.sides.iter().map(Chunked::len).sum()
    }

    /// All clusters with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ClusterId, &Cluster)> {
        let side = |side: ClusterSide| {
            let all = (0..).zip(self.sides[side as usize].iter());
            all.map(move |(index, cluster)| (ClusterId::new(side, index), cluster))
        };
        let all = side(ClusterSide::Mesh).chain(side(ClusterSide::Gateway));
        all.filter(|(_, cluster)| !self.is_vacant(cluster))
    }

    /// Heap bytes of the table itself.
    pub(crate) fn memory_usage(&self) -> usize {
        self.sides.iter().map(Chunked::memory_usage).sum()
    }
}
