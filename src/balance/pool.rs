//! The pool of a cluster: its endpoints by priority and locality, and what rings and tables are made of. Made once for each
//! endpoint set; immutable.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::router::{Cluster, ClusterSettings, Discovery, EndpointSet, LbEndpoint, LbPolicy};
use crate::terms::address::Address;
use crate::terms::endpoint;
use crate::terms::hash::HashSet;
use crate::terms::request_hash::hash_bytes;

use super::keys::{Keys, MaglevKey, RingKey};
use super::table::Table;
use super::zone::Peers;

/// Envoy's `maximum_ring_size`, which istiod never sets.
pub(super) const MAXIMUM_RING_SIZE: u64 = 8_388_608;
/// The largest `table_size` that Envoy takes.
const MAXIMUM_TABLE_SIZE: u64 = 5_000_011;

/// The endpoints of a cluster, ready to be chosen from by a [`State`](super::State). Immutable; it shares the endpoint set with
/// the router and copies no address.
///
/// Of endpoints with the same address the first one counts, as in Envoy.
pub struct Pool {
    settings: Arc<ClusterSettings>,
    set: Arc<EndpointSet>,
    members: Box<[Member]>,
    /// Hash of each member's address.
    ids: Box<[EndpointId]>,
    /// What DNS says.
    resolved: Box<[IpAddr]>,
    pub(super) priorities: Box<[Priority]>,
    pub(super) keys: Keys,
    /// For each priority, as the configuration alone has it: where nobody is ejected.
    pub(super) tables: Box<[Arc<Table>]>,
    pub(super) peers: Option<Peers>,
}

/// An endpoint of the pool.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// Place in the set.
    place: u32,
    /// Place among what DNS says, and one; 0: it has an address of its own.
    resolved: u32,
    weight: u32,
    is_healthy: bool,
}

/// Endpoints of a priority.
pub(super) struct Priority {
    /// In the order of the assignment.
    pub members: Box<[u32]>,
    /// Those that have an endpoint, ordered by region, zone and sub-zone.
    pub localities: Box<[Locality]>,
}

/// Endpoints of a priority in one place.
pub(super) struct Locality {
    /// `region/zone/subzone`.
    pub name: Arc<str>,
    pub weight: u32,
    pub members: Box<[u32]>,
}

/// Names an endpoint of a cluster by its address: it means the same one in the states that [follow](super::State::carry).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(u64);

/// Where an endpoint is reached. Prints as Envoy writes it: `10.0.0.1:80`, `[fd00::1]:80`, `db.example.com:80`, the path of a
/// Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// An IP address and a port.
    Socket(SocketAddr),
    /// A name that the caller resolves, and a port.
    Host(Box<str>, u16),
    /// A Unix socket.
    Unix(Box<str>),
}

impl Target {
    /// The socket address; `None` where there is a name or a Unix socket.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Target::Socket(address) => Some(*address),
            Target::Host(..) | Target::Unix(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Socket(address) => address.fmt(f),
            Target::Host(host, port) => write!(f, "{host}:{port}"),
            Target::Unix(path) => f.write_str(path),
        }
    }
}

impl Pool {
    /// The pool of a cluster. A name that only DNS knows is an endpoint as it stands: what a cluster with
    /// [`Discovery::LogicalDns`] wants; for [`Discovery::StrictDns`] see [`resolved`](Self::resolved).
    ///
    /// # Complexity
    /// Linear in the endpoints; that of its rings or tables, where it has them: a ring of n entries O(n log n), a Maglev table of
    /// m slots O(m) where weights are equal.
    pub fn new(cluster: &Cluster) -> Self {
        Pool::build(cluster, |_| None::<[IpAddr; 0]>, None)
    }

    /// The pool of a cluster whose names DNS resolves: each address of a name is an endpoint of its own, with the weight of the
    /// name (R-M-130). `addresses` is asked once for each name; one without an address has no endpoint.
    pub fn resolved<I>(cluster: &Cluster, mut addresses: impl FnMut(&str) -> I) -> Self
    where
        I: IntoIterator<Item = IpAddr>,
    {
        Pool::build(cluster, |host| Some(addresses(host)), None)
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

    fn build<I>(
        cluster: &Cluster,
        mut addresses: impl FnMut(&str) -> Option<I>,
        peers: Option<Peers>,
    ) -> Self
    where
        I: IntoIterator<Item = IpAddr>,
    {
        let (settings, set) = (cluster.settings().clone(), cluster.endpoint_set().clone());
        let mut found = Found::default();
        let mut place = 0;
        for group in set.groups() {
            let level = found.priorities.entry(group.priority()).or_default();
            let name = parts(group.locality());
            let first = found.members.len();
            for lb in group.endpoints() {
                let host = match lb.address() {
                    Some(Address::Host(host)) => addresses(host),
                    _ => None,
                };
                match host {
                    None => found.members.add(&lb, place, None),
                    Some(all) => {
                        let add = |address| found.members.add(&lb, place, Some(address));
                        all.into_iter().for_each(add);
                    }
                }
                place += 1;
            }
            let new = first as u32..found.members.len() as u32;
            if new.is_empty() {
                continue;
            }
            level.members.extend(new.clone());
            let locality = level
                .localities
                .entry(name)
                .or_insert_with(|| FoundLocality {
                    name: group.locality(),
                    weight: 0,
                    members: Vec::new(),
                });
            locality.weight = group.weight();
            locality.members.extend(new);
        }
        let priorities = found.priorities.values().map(|level| Priority {
            members: level.members.as_slice().into(),
            localities: level.localities.values().map(Locality::from).collect(),
        });
        let priorities: Box<[Priority]> = priorities.collect();
        let Members {
            all, ids, resolved, ..
        } = found.members;
        let mut pool = Pool {
            settings,
            members: all.into(),
            ids: ids.into(),
            resolved: resolved.into(),
            priorities,
            keys: Keys::None,
            tables: Box::default(),
            peers,
            set,
        };
        pool.hash();
        pool
    }

    /// Makes what a hash is looked up in.
    fn hash(&mut self) {
        self.keys = match self.table_size() {
            Some(Size::Ring { .. }) => {
                Keys::Ring((0..self.len()).map(|_| RingKey::default()).collect())
            }
            Some(Size::Maglev(size)) => {
                let keys: Vec<String> = (0..self.len()).map(|at| self.key(at as u32)).collect();
                Keys::Maglev(MaglevKey::of(&keys, size))
            }
            None => return,
        };
        let is_healthy = |at: u32| self.is_healthy(at);
        let tables = self.priorities.iter().map(|priority| {
            let table = Table::of(self, priority, &is_healthy);
            Arc::new(table)
        });
        self.tables = tables.collect();
    }

    pub(super) fn table_size(&self) -> Option<Size> {
        match self.settings.lb_policy {
            LbPolicy::RingHash { minimum_size } => Some(Size::Ring {
                minimum: minimum_size.min(MAXIMUM_RING_SIZE),
            }),
            LbPolicy::Maglev { table_size } => {
                Some(Size::Maglev(table_size.clamp(2, MAXIMUM_TABLE_SIZE)))
            }
            _ => None,
        }
    }

    /// How many endpoints there are, healthy or not.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// What the cluster says of balancing, limits and outliers.
    pub fn settings(&self) -> &Arc<ClusterSettings> {
        &self.settings
    }

    /// The set that it was made from: as long as a cluster has the same one (`Arc::ptr_eq`) and the same settings, its pool need
    /// not be made anew.
    pub fn endpoint_set(&self) -> &Arc<EndpointSet> {
        &self.set
    }

    /// Whether a pool of `cluster` would be this one, names that DNS resolves aside.
    pub fn is_of(&self, cluster: &Cluster) -> bool {
        Arc::ptr_eq(&self.set, cluster.endpoint_set())
            && (Arc::ptr_eq(&self.settings, cluster.settings())
                || *self.settings == **cluster.settings())
    }

    /// What the configuration says of the endpoint at this place: its workload, labels, and whether it takes mutual TLS. Where
    /// DNS resolves its name, the name's.
    pub fn endpoint(&self, place: usize) -> Option<LbEndpoint<'_>> {
        self.set.nth(self.members.get(place)?.place as usize)
    }

    /// The address of the endpoint at this place.
    pub fn target(&self, place: usize) -> Option<Target> {
        let member = self.members.get(place)?;
        let lb = self.set.nth(member.place as usize)?;
        let resolved = (member.resolved as usize).checked_sub(1);
        let address = resolved.and_then(|at| self.resolved.get(at));
        target(&lb, address.copied())
    }

    /// The name of the endpoint at this place.
    pub fn id(&self, place: usize) -> Option<EndpointId> {
        self.ids.get(place).copied()
    }

    /// The endpoint's address as it is hashed.
    pub(super) fn key(&self, at: u32) -> String {
        let target = self.target(at as usize);
        target.map(|target| target.to_string()).unwrap_or_default()
    }

    pub(super) fn weight(&self, at: u32) -> u32 {
        self.members
            .get(at as usize)
            .map_or(1, |member| member.weight)
    }

    /// As the configuration has it.
    pub(super) fn is_healthy(&self, at: u32) -> bool {
        let member = self.members.get(at as usize);
        member.is_some_and(|member| member.is_healthy)
    }

    /// Where the caller says where to go.
    pub(super) fn goes_where_told(&self) -> bool {
        let by_discovery = matches!(
            self.settings.discovery,
            Discovery::OriginalDst { .. } | Discovery::DynamicForwardProxy
        );
        by_discovery || self.settings.lb_policy == LbPolicy::ClusterProvided
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("lb_policy", &self.settings.lb_policy)
            .field("endpoints", &self.members.len())
            .field("priorities", &self.priorities.len())
            .finish_non_exhaustive()
    }
}

/// What a hash is looked up in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    Ring { minimum: u64 },
    Maglev(u64),
}

#[derive(Default)]
struct Found<'s> {
    members: Members,
    priorities: BTreeMap<u32, FoundPriority<'s>>,
}

#[derive(Default)]
struct Members {
    all: Vec<Member>,
    ids: Vec<EndpointId>,
    known: HashSet<EndpointId>,
    resolved: Vec<IpAddr>,
}

#[derive(Default)]
struct FoundPriority<'s> {
    members: Vec<u32>,
    localities: BTreeMap<(&'s str, &'s str, &'s str), FoundLocality<'s>>,
}

struct FoundLocality<'s> {
    name: &'s str,
    weight: u32,
    members: Vec<u32>,
}

impl From<&FoundLocality<'_>> for Locality {
    fn from(found: &FoundLocality<'_>) -> Self {
        Locality {
            name: found.name.into(),
            weight: found.weight,
            members: found.members.as_slice().into(),
        }
    }
}

impl Members {
    fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds an endpoint, unless there is one with its address.
    fn add(&mut self, lb: &LbEndpoint<'_>, place: u32, address: Option<IpAddr>) {
        let Some(target) = target(lb, address) else {
            return;
        };
        let id = EndpointId(hash_bytes(target.to_string().as_bytes()));
        if !self.known.insert(id) {
            return;
        }
        self.resolved.extend(address);
        self.all.push(Member {
            place,
            resolved: address.map_or(0, |_| self.resolved.len() as u32),
            weight: lb.weight().max(1),
            is_healthy: lb.health() == endpoint::Health::Healthy,
        });
        self.ids.push(id);
    }
}

fn target(lb: &LbEndpoint<'_>, resolved: Option<IpAddr>) -> Option<Target> {
    if let Some(address) = resolved {
        return Some(Target::Socket(SocketAddr::new(address, lb.port())));
    }
    Some(match lb.address()? {
        Address::Ip(address) => Target::Socket(SocketAddr::new(*address, lb.port())),
        Address::Host(host) => Target::Host(host.clone(), lb.port()),
        Address::Unix(path) => Target::Unix(path.clone()),
    })
}

/// Region, zone and sub-zone: localities are ordered part by part (R-B-21).
pub(super) fn parts(name: &str) -> (&str, &str, &str) {
    let mut parts = name.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}
