//! The endpoints of a cluster as Envoy is told of them (EDS): groups by locality and priority.
//!
//! A set names the endpoints of its service by place: they stand once, in one list, for all ports and subsets of the service
//! and for all services that select the same.

use std::fmt;
use std::sync::Arc;

use crate::terms::address::Address;
use crate::terms::endpoint::{Endpoint, Health};

/// The endpoints of a cluster, in Envoy's order. Immutable, and shared: as long as it is the same (`Arc::ptr_eq`), nothing has
/// changed.
#[derive(Clone, Default)]
pub struct EndpointSet {
    /// All endpoints of the service.
    pub(crate) pool: Arc<[Endpoint]>,
    /// Name of the service port: what endpoints are asked by for their own.
    pub(crate) port_name: Box<str>,
    pub(crate) groups: Box<[Group]>,
    /// Group by group; then those that have no address, which belong to none.
    pub(crate) members: Box<[Member]>,
}

/// A group of a set: the members from the end of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub locality: Arc<str>,
    pub priority: u32,
    pub weight: u32,
    pub end: u32,
}

/// An endpoint by its place in the pool; the lowest bit says whether it is spoken to by mutual TLS where that is automatic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member(u32);

impl Member {
    pub(crate) fn new(place: u32, is_mutual: bool) -> Self {
        Member(place << 1 | u32::from(is_mutual))
    }

    fn place(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn is_mutual(self) -> bool {
        self.0 & 1 == 1
    }
}

impl EndpointSet {
    /// The groups in Envoy's order: by locality, and what failover labels part by priority.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = EndpointGroup<'_>> {
        (0..self.groups.len()).map(|at| EndpointGroup { set: self, at })
    }

    /// Those that have an address, group by group.
    pub fn endpoints(&self) -> impl Iterator<Item = LbEndpoint<'_>> {
        let grouped = &self.members[..self.grouped()];
        grouped.iter().map(|member| self.endpoint(*member))
    }

    /// The one at this place of [`endpoints`](Self::endpoints).
    pub fn nth(&self, place: usize) -> Option<LbEndpoint<'_>> {
        let grouped = &self.members[..self.grouped()];
        grouped.get(place).map(|member| self.endpoint(*member))
    }

    /// How many have an address.
    pub fn len(&self) -> usize {
        self.grouped()
    }

    /// Whether none has an address.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What stands behind it in the configuration, with and without an address.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Endpoint> {
        let places = self.members.iter().map(|member| member.place());
        places.filter_map(|place| self.pool.get(place))
    }

    /// The own port of `endpoint` for the cluster.
    pub(crate) fn port_of(&self, endpoint: &Endpoint) -> Option<u16> {
        endpoint.port(&self.port_name)
    }

    fn grouped(&self) -> usize {
        self.groups.last().map_or(0, |last| last.end as usize)
    }

    fn endpoint(&self, member: Member) -> LbEndpoint<'_> {
        let endpoint = &self.pool[member.place()];
        LbEndpoint {
            endpoint,
            port: self.port_of(endpoint).unwrap_or_default(),
            is_mutual: member.is_mutual(),
        }
    }
}

impl PartialEq for EndpointSet {
    /// Whether a proxy is told the same.
    fn eq(&self, other: &Self) -> bool {
        let same_pool = Arc::ptr_eq(&self.pool, &other.pool);
        self.groups == other.groups
            && (same_pool && self.members == other.members && self.port_name == other.port_name
                || self.endpoints().eq(other.endpoints()) && self.all().eq(other.all()))
    }
}

impl fmt::Debug for EndpointSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSet")
            .field("groups", &self.groups.len())
            .field("endpoints", &self.len())
            .finish_non_exhaustive()
    }
}

/// Endpoints of one locality and priority.
#[derive(Clone, Copy)]
pub struct EndpointGroup<'s> {
    set: &'s EndpointSet,
    at: usize,
}

impl<'s> EndpointGroup<'s> {
    /// `region/zone/subzone`; empty: unknown.
    pub fn locality(&self) -> &'s str {
        &self.row().locality
    }

    /// 0 comes first.
    pub fn priority(&self) -> u32 {
        self.row().priority
    }

    /// What the locality weighs where localities are weighted.
    pub fn weight(&self) -> u32 {
        self.row().weight
    }

    /// Its endpoints; none where all traffic goes to other localities (R-M-127).
    pub fn endpoints(&self) -> impl ExactSizeIterator<Item = LbEndpoint<'s>> + use<'s> {
        let set = self.set;
        let start = match self.at.checked_sub(1) {
            Some(before) => set.groups[before].end as usize,
            None => 0,
        };
        let members = &set.members[start..self.row().end as usize];
        members.iter().map(|member| set.endpoint(*member))
    }

    fn row(&self) -> &'s Group {
        &self.set.groups[self.at]
    }
}

impl fmt::Debug for EndpointGroup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointGroup")
            .field("locality", &self.locality())
            .field("priority", &self.priority())
            .field("weight", &self.weight())
            .field("endpoints", &self.endpoints().len())
            .finish()
    }
}

/// An endpoint of a cluster: one that has an address. Prints as Envoy writes that: `10.0.0.1:80`, `[fd00::1]:80`,
/// `db.example.com:80`, the path of a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbEndpoint<'s> {
    endpoint: &'s Endpoint,
    port: u16,
    is_mutual: bool,
}

impl<'s> LbEndpoint<'s> {
    /// What the configuration says of it.
    pub fn endpoint(&self) -> &'s Endpoint {
        self.endpoint
    }

    /// Where it is reached, at [`port`](Self::port); always there.
    pub fn address(&self) -> Option<&'s Address> {
        self.endpoint.address.as_ref()
    }

    /// Its own port for the cluster; 0 with a Unix socket.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its weight in its locality, at least 1.
    pub fn weight(&self) -> u32 {
        self.endpoint.weight
    }

    /// Whether it takes requests.
    pub fn health(&self) -> Health {
        self.endpoint.health
    }

    /// Whether it has a sidecar that takes mutual TLS (`tlsMode: istio`): how it is spoken to where that is automatic (R-M-119).
    pub fn is_mutual_tls(&self) -> bool {
        self.is_mutual
    }
}

impl fmt::Display for LbEndpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(Address::Ip(address)) => std::net::SocketAddr::new(*address, self.port).fmt(f),
            Some(Address::Host(host)) => write!(f, "{host}:{}", self.port),
            Some(Address::Unix(path)) => f.write_str(path),
            None => Ok(()),
        }
    }
}
