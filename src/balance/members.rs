//! The endpoints of a pool: weights, health, keys, by priority and locality.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::router::{Cluster, ClusterSettings, EndpointSet, LbEndpoint, LbPolicy};
use crate::terms::address::Address;
use crate::terms::endpoint;
use crate::terms::hash::HashSet;

use super::keys::{Keys, MaglevKey, RingKey};
use super::target::{EndpointId, Target};
use super::zone::parts;

/// Envoy's `maximum_ring_size`, which istiod never sets.
pub(super) const MAXIMUM_RING_SIZE: u64 = 8_388_608;
/// The largest `table_size` that Envoy takes.
const MAXIMUM_TABLE_SIZE: u64 = 5_000_011;

/// The endpoints of a cluster as its set has them, each once.
pub(super) struct Members {
    pub settings: Arc<ClusterSettings>,
    pub set: Arc<EndpointSet>,
    all: Box<[Member]>,
    /// Hash of each one's address.
    ids: Box<[EndpointId]>,
    /// What DNS says.
    resolved: Box<[IpAddr]>,
    pub priorities: Box<[Priority]>,
    pub keys: Keys,
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

impl Members {
    /// Those of a cluster; `addresses` has what DNS says of a name, `None` where nobody asks it.
    pub(super) fn of<I>(cluster: &Cluster, mut addresses: impl FnMut(&str) -> Option<I>) -> Self
    where
        I: IntoIterator<Item = IpAddr>,
    {
        let (settings, set) = (cluster.settings().clone(), cluster.endpoint_set().clone());
        let mut found = Found::default();
        let mut place = 0;
        for group in set.groups() {
            let level = found.priorities.entry(group.priority()).or_default();
            let name = parts(group.locality());
            let first = found.list.len();
            for lb in group.endpoints() {
                let host = match lb.address() {
                    Some(Address::Host(host)) => addresses(host),
                    _ => None,
                };
                match host {
                    None => found.list.add(&lb, place, None),
                    Some(all) => {
                        let add = |address| found.list.add(&lb, place, Some(address));
                        all.into_iter().for_each(add);
                    }
                }
                place += 1;
            }
            let new = first as u32..found.list.len() as u32;
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
        let mut members = Members {
            all: found.list.all.into(),
            ids: found.list.ids.into(),
            resolved: found.list.resolved.into(),
            keys: Keys::None,
            priorities,
            settings,
            set,
        };
        members.keys = match members.table_size() {
            Some(Size::Ring { .. }) => {
                Keys::Ring((0..members.len()).map(|_| RingKey::default()).collect())
            }
            Some(Size::Maglev(size)) => {
                let keys = (0..members.len()).map(|at| members.key(at as u32));
                Keys::Maglev(MaglevKey::of(&keys.collect::<Vec<_>>(), size))
            }
            None => Keys::None,
        };
        members
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

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn id(&self, place: usize) -> Option<EndpointId> {
        self.ids.get(place).copied()
    }

    /// What the configuration says of it.
    pub(super) fn endpoint(&self, place: usize) -> Option<LbEndpoint<'_>> {
        self.set.nth(self.all.get(place)?.place as usize)
    }

    pub(super) fn target(&self, place: usize) -> Option<Target> {
        let member = self.all.get(place)?;
        let lb = self.set.nth(member.place as usize)?;
        let resolved = (member.resolved as usize).checked_sub(1);
        let address = resolved.and_then(|at| self.resolved.get(at));
        target(&lb, address.copied())
    }

    /// The endpoint's address as it is hashed.
    pub(super) fn key(&self, at: u32) -> String {
        let target = self.target(at as usize);
        target.map(|target| target.to_string()).unwrap_or_default()
    }

    pub(super) fn weight(&self, at: u32) -> u32 {
        self.all.get(at as usize).map_or(1, |member| member.weight)
    }

    /// As the configuration has it.
    pub(super) fn is_healthy(&self, at: u32) -> bool {
        let member = self.all.get(at as usize);
        member.is_some_and(|member| member.is_healthy)
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
    list: List,
    priorities: BTreeMap<u32, FoundPriority<'s>>,
}

#[derive(Default)]
struct List {
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

impl List {
    fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds an endpoint, unless there is one with its address.
    fn add(&mut self, lb: &LbEndpoint<'_>, place: u32, address: Option<IpAddr>) {
        let Some(target) = target(lb, address) else {
            return;
        };
        let id = EndpointId::of(&target);
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
