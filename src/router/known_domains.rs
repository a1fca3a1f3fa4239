//! What an update leaves to be settled anew; and the domains of a router by their tails, so that a wildcard finds those under
//! it: made when a wildcard first changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Place, Tables, VirtualHost};
use crate::terms::overlap_index::OverlapIndex;

/// How tables differ from those before: what is to be settled anew.
#[derive(Default)]
pub(crate) struct Unsettled<'a> {
    /// All domains, in lower case, whose virtual host is another one now, is gone or new, or whose listener is; for a service
    /// with a listener of its own, all its names.
    pub domains: BTreeSet<&'a str>,
    /// Patterns of servers whose listener is another one.
    pub patterns: BTreeSet<&'a str>,
    /// Where listeners of the mesh side are others.
    pub listeners: Vec<Place>,
    /// Any host may be answered otherwise.
    pub is_everywhere: bool,
}

/// So many domains more than at first may be there, beside as many as there were at first.
const SPARE: usize = if cfg!(test) { 8 } else { 1024 };

/// All domains that hosts are told apart by, and perhaps some that once were.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownDomains {
    domains: OverlapIndex<Arc<str>>,
    len: usize,
    at_first: usize,
}

impl KnownDomains {
    /// Of these tables.
    ///
    /// # Complexity
    /// Linear in the domains.
    pub(crate) fn new(tables: &Tables) -> Self {
        let mut known = KnownDomains::default();
        for view in [&tables.mesh, &tables.gateway].into_iter().flatten() {
            for config in view.route_configs() {
                let domains = config.virtual_hosts().flat_map(VirtualHost::domains);
                domains.for_each(|domain| known.add(domain));
            }
            let listeners = view.listeners().iter();
            let chains = listeners.flat_map(|listener| listener.chains());
            let names = chains.flat_map(|chain| chain.server_names());
            names.for_each(|name| known.add(name));
        }
        for gateway in tables.arrivals.ids() {
            for host in tables.arrivals.hosts(gateway) {
                known.add(&host);
            }
        }
        // One that is no domain any more may still have a record, which says what the wildcard around it says.
        for table in tables.door.tables.iter() {
            table.domains().for_each(|domain| known.add(&domain));
        }
        known.at_first = known.len;
        known
    }

    /// Adds domains; false: there are many now that are no domains any more.
    pub(crate) fn extend(&mut self, domains: &[&str]) -> bool {
        domains.iter().for_each(|domain| self.add(domain));
        self.len <= 2 * self.at_first + SPARE
    }

    /// Those that a wildcard covers, but for itself.
    pub(crate) fn covered(&self, wildcard: &str) -> impl Iterator<Item = &Arc<str>> {
        self.domains.covered(wildcard)
    }

    fn add(&mut self, domain: &str) {
        if self.domains.at(domain).is_empty() {
            self.domains.insert(domain, domain.into());
            self.len += 1;
        }
    }
}
