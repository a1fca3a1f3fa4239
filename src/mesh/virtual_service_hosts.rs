//! VirtualServices by host and by where they lead, whatever their gateways: which ones a change of another, or of a service,
//! has to do with.

use std::sync::Arc;

use crate::terms::overlap_index::OverlapIndex;

use super::virtual_service::VirtualService;

/// The VirtualServices of a mesh by lower-case host, and by where they lead.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualServiceHosts {
    by_host: OverlapIndex<ByIdentity>,
    /// By the host of a destination, as written.
    destinations: OverlapIndex<ByIdentity>,
}

/// A VirtualService: itself, not one that is like it.
#[derive(Clone, Debug)]
struct ByIdentity(Arc<VirtualService>);

impl PartialEq for ByIdentity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl VirtualServiceHosts {
    /// Indexes all of a mesh. O(hosts).
    pub(crate) fn new(virtual_services: &[Arc<VirtualService>]) -> Self {
        let mut index = VirtualServiceHosts::default();
        for virtual_service in virtual_services {
            index.insert(virtual_service);
        }
        index
    }

    /// Adds one.
    pub(crate) fn insert(&mut self, virtual_service: &Arc<VirtualService>) {
        let known = || ByIdentity(Arc::clone(virtual_service));
        for host in lower_case_hosts(virtual_service) {
            self.by_host.insert(&host, known());
        }
        for host in destination_hosts(virtual_service) {
            self.destinations.insert(host, known());
        }
    }

    /// Removes one.
    pub(crate) fn remove(&mut self, virtual_service: &Arc<VirtualService>) {
        let known = ByIdentity(Arc::clone(virtual_service));
        for host in lower_case_hosts(virtual_service) {
            self.by_host.remove(&host, &known);
        }
        for host in destination_hosts(virtual_service) {
            self.destinations.remove(host, &known);
        }
    }

    /// Those with a destination of this host, as written.
    pub(crate) fn leading_to(&self, host: &str) -> impl Iterator<Item = &Arc<VirtualService>> {
        self.destinations.at(host).iter().map(|known| &known.0)
    }

    /// Those with a destination that fits `pattern` (R-M-003).
    pub(crate) fn leading_within(
        &self,
        pattern: &str,
    ) -> impl Iterator<Item = &Arc<VirtualService>> {
        let within = self.destinations.covered(pattern);
        self.destinations
            .at(pattern)
            .iter()
            .chain(within)
            .map(|known| &known.0)
    }

    /// Those with exactly this lower-case host.
    pub(crate) fn with(&self, host: &str) -> impl Iterator<Item = &Arc<VirtualService>> {
        self.by_host.at(host).iter().map(|known| &known.0)
    }

    /// Those with another wildcard host that covers this lower-case one: for each such wildcard its length and who has it,
    /// the longest first.
    pub(crate) fn covering<'i>(
        &'i self,
        host: &str,
    ) -> impl Iterator<
        Item = (
            usize,
            impl Iterator<Item = &'i Arc<VirtualService>> + use<'i>,
        ),
    > + use<'i> {
        let lists = self.by_host.covering(host);
        lists.map(|(length, list)| (length, list.iter().map(|known| &known.0)))
    }

    /// Those with a host that overlaps this lower-case one (R-M-002); one may come several times.
    pub(crate) fn overlapping(&self, host: &str) -> impl Iterator<Item = &Arc<VirtualService>> {
        self.by_host.overlapping(host).map(|known| &known.0)
    }
}

/// Each once.
fn destination_hosts(virtual_service: &VirtualService) -> impl Iterator<Item = &str> {
    let destinations = virtual_service.destinations();
    let mut hosts: Vec<&str> = destinations.map(|target| &*target.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into_iter()
}

/// Each once.
fn lower_case_hosts(virtual_service: &VirtualService) -> impl Iterator<Item = Box<str>> {
    let hosts = virtual_service.hosts.iter();
    let mut hosts: Vec<Box<str>> = hosts.map(|host| host.to_ascii_lowercase().into()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into_iter()
}
