//! VirtualServices by host, whatever their gateways: which ones a change of one has to do with.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::terms::hash::{HashMap, HashSet};
use crate::terms::host::is_wildcard;
use crate::terms::name::ResourceName;

use super::virtual_service::VirtualService;

type Few = SmallVec<[Arc<VirtualService>; 1]>;

/// More VirtualServices than this are too many to be called the neighbours of one.
const MOST_NEIGHBOURS: usize = 256;

/// The VirtualServices of a mesh by lower-case host, and by where they lead.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualServiceHosts {
    /// By the host of a destination, as written.
    destinations: HashMap<Box<str>, Few>,
    exact: HashMap<Box<str>, Few>,
    /// By the host without its `*`.
    tails: HashMap<Box<str>, Few>,
    /// How many hosts have tails of this length.
    lengths: BTreeMap<usize, usize>,
}

/// Some VirtualServices, and all others that share a host with one of them, directly or through others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbourhood {
    /// All who have one of `hosts`.
    pub members: Vec<Arc<VirtualService>>,
    /// Others, of which a wildcard host covers one of `hosts`.
    pub covering: Vec<Arc<VirtualService>>,
    /// Lower-case hosts of all members, and those that a change has taken from some.
    pub hosts: Vec<Box<str>>,
}

impl Neighbourhood {
    /// The hosts that are wildcards.
    pub fn wildcards(&self) -> impl Iterator<Item = &str> {
        let hosts = self.hosts.iter().map(|host| &**host);
        hosts.filter(|host| is_wildcard(host))
    }
}

impl VirtualServiceHosts {
    /// Indexes all of a mesh. O(hosts).
    pub fn new(virtual_services: &[Arc<VirtualService>]) -> Self {
        let mut index = VirtualServiceHosts::default();
        for virtual_service in virtual_services {
            index.insert(virtual_service);
        }
        index
    }

    /// Adds one.
    pub fn insert(&mut self, virtual_service: &Arc<VirtualService>) {
        for host in lower_case_hosts(virtual_service) {
            let list = match host.strip_prefix('*') {
                None => self.exact.entry(host).or_default(),
                Some(tail) => {
                    *self.lengths.entry(tail.len()).or_default() += 1;
                    self.tails.entry(tail.into()).or_default()
                }
            };
            list.push(Arc::clone(virtual_service));
        }
        for host in destination_hosts(virtual_service) {
            let list = self.destinations.entry(host.into()).or_default();
            list.push(Arc::clone(virtual_service));
        }
    }

    /// Those with a destination of this host.
    pub fn leading_to(&self, host: &str) -> impl Iterator<Item = &Arc<VirtualService>> {
        self.destinations.get(host).into_iter().flatten()
    }

    /// Removes the one of this name.
    pub fn remove(&mut self, virtual_service: &VirtualService) {
        for host in lower_case_hosts(virtual_service) {
            let (map, key) = match host.strip_prefix('*') {
                None => (&mut self.exact, &*host),
                Some(tail) => {
                    if let Some(count) = self.lengths.get_mut(&tail.len()) {
                        *count -= 1;
                        if *count == 0 {
                            self.lengths.remove(&tail.len());
                        }
                    }
                    (&mut self.tails, tail)
                }
            };
            take_out(map, key, virtual_service);
        }
        for host in destination_hosts(virtual_service) {
            take_out(&mut self.destinations, host, virtual_service);
        }
    }

    /// The neighbourhood of these hosts (of VirtualServices that may be gone or not be there yet) and of those who have
    /// one of them; `None` if it is large. Who covers a host, or has one that a wildcard covers, is not for that reason a
    /// member.
    ///
    /// # Complexity
    /// In proportion to its hosts.
    pub fn neighbourhood<'h>(
        &self,
        hosts: impl IntoIterator<Item = &'h str>,
    ) -> Option<Neighbourhood> {
        let mut found = Neighbourhood::default();
        let mut seen: HashSet<Box<str>> = HashSet::default();
        let mut members: HashSet<ResourceName> = HashSet::default();
        let mut open: Vec<Box<str>> = hosts.into_iter().map(lower_case).collect();
        while let Some(host) = open.pop() {
            if !seen.insert(host.clone()) {
                continue;
            }
            let with_host = match host.strip_prefix('*') {
                None => self.exact.get(&host),
                Some(tail) => self.tails.get(tail),
            };
            for member in with_host.into_iter().flatten() {
                if members.insert(member.resource().clone()) {
                    open.extend(lower_case_hosts(member));
                    found.members.push(Arc::clone(member));
                }
            }
            if found.members.len() > MOST_NEIGHBOURS {
                return None;
            }
            found.hosts.push(host);
        }
        for host in &found.hosts {
            let tails = self.lengths.keys().filter(|length| **length < host.len());
            let tails = tails.filter_map(|length| host.get(host.len() - length..));
            for one in tails.filter_map(|tail| self.tails.get(tail)).flatten() {
                if members.insert(one.resource().clone()) {
                    found.covering.push(Arc::clone(one));
                }
            }
        }
        (found.covering.len() <= MOST_NEIGHBOURS).then_some(found)
    }
}

fn take_out(map: &mut HashMap<Box<str>, Few>, key: &str, virtual_service: &VirtualService) {
    if let Some(list) = map.get_mut(key) {
        list.retain(|one| one.resource() != virtual_service.resource());
        if list.is_empty() {
            map.remove(key);
        }
    }
}

/// Each once.
fn destination_hosts(virtual_service: &VirtualService) -> impl Iterator<Item = &str> {
    let mut hosts: Vec<&str> = virtual_service
        .destinations()
        .map(|one| &*one.host)
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into_iter()
}

fn lower_case(host: &str) -> Box<str> {
    host.to_ascii_lowercase().into()
}

/// Each once.
fn lower_case_hosts(virtual_service: &VirtualService) -> impl Iterator<Item = Box<str>> {
    let mut hosts: Vec<Box<str>> = virtual_service
        .hosts
        .iter()
        .map(|host| lower_case(host))
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into_iter()
}
