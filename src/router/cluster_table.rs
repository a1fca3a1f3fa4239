//! The clusters of a router by id: what rules, filter chains and settled answers name. An update puts clusters into their
//! places and leaves everything that names them as it is.

use super::chunked::Chunked;
use super::cluster::{Cluster, ClusterId, ClusterSide};

/// The clusters of both sides. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(crate) struct ClusterTable {
    sides: [Chunked<Cluster>; 2],
}

impl ClusterTable {
    /// A table without a cluster but these, which are all of their side, in the order of their ids.
    pub(crate) fn set(&mut self, side: ClusterSide, clusters: impl IntoIterator<Item = Cluster>) {
        self.sides[side as usize] = clusters.into_iter().collect();
    }

    /// The cluster that something of the same router names.
    ///
    /// # Complexity
    /// Constant: three loads, what the cluster says is not touched.
    #[inline]
    pub(crate) fn cluster(&self, id: ClusterId) -> &Cluster {
        &self.sides[id.side()][id.index()]
    }

    /// The cluster of any id.
    pub(crate) fn get(&self, id: ClusterId) -> Option<&Cluster> {
        self.sides[id.side()].get(id.index())
    }

    /// The same table with these clusters in their places; new ids follow those that are there without a gap.
    ///
    /// # Complexity
    /// A copy of 128 pairs of pointers for each group of as many ids with a change, and of the list of groups.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (ClusterId, Cluster)>) -> Self {
        let mut by_side: [Vec<(usize, Cluster)>; 2] = Default::default();
        for (id, cluster) in changes {
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
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sides.iter().map(Chunked::len).sum()
    }

    /// All clusters with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ClusterId, &Cluster)> {
        let side = |side: ClusterSide| {
            let all = (0..).zip(self.sides[side as usize].iter());
            all.map(move |(index, cluster)| (ClusterId::new(side, index), cluster))
        };
        side(ClusterSide::Mesh).chain(side(ClusterSide::Gateway))
    }

    /// Heap bytes of the table itself.
    pub(crate) fn memory_usage(&self) -> usize {
        self.sides.iter().map(Chunked::memory_usage).sum()
    }
}
