//! The pool of a cluster: its endpoints, and what rings and tables are made of. Made once for each endpoint set; immutable.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::router::{Cluster, ClusterSettings, Discovery, EndpointSet, LbEndpoint, LbPolicy};

use super::members::Members;
use super::table::Table;
use super::target::{EndpointId, Target};
use super::zone::Peers;

/// The endpoints of a cluster, ready to be chosen from by a [`State`](super::State). Immutable; it shares the endpoint set with
/// the router and copies no address.
///
/// Of endpoints with the same address the first one counts, as in Envoy.
pub struct Pool {
    pub(super) members: Members,
    /// For each priority, as the configuration alone has it: where nobody is ejected.
    pub(super) tables: Box<[Arc<Table>]>,
    pub(super) peers: Option<Peers>,
}

impl Pool {
    /// The pool of a cluster. A name that only DNS knows is an endpoint as it stands: what a cluster with
    /// [`Discovery::LogicalDns`] wants; for [`Discovery::StrictDns`] see [`resolved`](Self::resolved).
    ///
    /// # Complexity
    /// Linear in the endpoints; that of its rings or tables, where it has them: a ring of n entries O(n log n), a Maglev table of
    /// m slots O(m) where weights are equal.
    pub fn new(cluster: &Cluster) -> Self {
        Members::of(cluster, |_| None::<[IpAddr; 0]>).into()
    }

    /// The pool of a cluster whose names DNS resolves: each address of a name is an endpoint of its own, with the weight of the
    /// name (R-M-130). `addresses` is asked once for each name; one without an address has no endpoint.
    pub fn resolved<I>(cluster: &Cluster, mut addresses: impl FnMut(&str) -> I) -> Self
    where
        I: IntoIterator<Item = IpAddr>,
    {
        Members::of(cluster, |host| Some(addresses(host))).into()
    }

    /// The same pool for a proxy in `locality` that has peers of its own kind: so many in each locality, itself included. Only
    /// with them is the client's own zone preferred (`zoneAwareLbSetting`, R-M-094): so much traffic stays in a zone as it has a
    /// share of the endpoints.
    #[must_use]
    pub fn with_peers<'p>(
        mut self,
        locality: &str,
        peers: impl IntoIterator<Item = (&'p str, u32)>,
    ) -> Self {
        self.peers = Some(Peers::new(locality, peers));
        self
    }

    /// How many endpoints there are, healthy or not.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    /// What the cluster says of balancing, limits and outliers.
    pub fn settings(&self) -> &Arc<ClusterSettings> {
        &self.members.settings
    }

    /// The set that it was made from: as long as a cluster has the same one (`Arc::ptr_eq`) and the same settings, its pool need
    /// not be made anew.
    pub fn endpoint_set(&self) -> &Arc<EndpointSet> {
        &self.members.set
    }

    /// Whether a pool of `cluster` would be this one, names that DNS resolves aside.
    pub fn is_of(&self, cluster: &Cluster) -> bool {
        Arc::ptr_eq(&self.members.set, cluster.endpoint_set())
            && (Arc::ptr_eq(self.settings(), cluster.settings())
                || **self.settings() == **cluster.settings())
    }

    /// What the configuration says of the endpoint at this place: its workload, labels, and whether it takes mutual TLS. Where
    /// DNS resolves its name, the name's.
    pub fn endpoint(&self, place: usize) -> Option<LbEndpoint<'_>> {
        self.members.endpoint(place)
    }

    /// The address of the endpoint at this place.
    pub fn target(&self, place: usize) -> Option<Target> {
        self.members.target(place)
    }

    /// The name of the endpoint at this place.
    pub fn id(&self, place: usize) -> Option<EndpointId> {
        self.members.id(place)
    }

    /// Where the caller says where to go.
    pub(super) fn goes_where_told(&self) -> bool {
        let by_discovery = matches!(
            self.settings().discovery,
            Discovery::OriginalDst { .. } | Discovery::DynamicForwardProxy
        );
        by_discovery || self.settings().lb_policy == LbPolicy::ClusterProvided
    }
}

impl From<Members> for Pool {
    fn from(members: Members) -> Self {
        let priorities = members.priorities.iter();
        let priorities = priorities.filter(|_| members.table_size().is_some());
        let is_healthy = |at: u32| members.is_healthy(at);
        let tables =
            priorities.map(|priority| Arc::new(Table::of(&members, priority, &is_healthy)));
        Pool {
            tables: tables.collect(),
            members,
            peers: None,
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("lb_policy", &self.settings().lb_policy)
            .field("endpoints", &self.members.len())
            .field("priorities", &self.members.priorities.len())
            .finish_non_exhaustive()
    }
}
