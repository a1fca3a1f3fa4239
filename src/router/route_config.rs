//! One route configuration: virtual hosts by domain.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunked::Chunked;
use super::host_table::HostTable;
use super::virtual_host::VirtualHost;

/// What Envoy calls a RouteConfiguration: `80`, `http.8080`, `https.443.name.gw.ns`.
#[derive(Clone)]
pub struct RouteConfig {
    name: Arc<str>,
    /// `None`: a place that an update has left free.
    virtual_hosts: Chunked<Option<Arc<VirtualHost>>>,
    /// Places without a virtual host.
    free: Vec<u32>,
    /// From each domain to the place of its virtual host.
    hosts: HostTable,
}

impl RouteConfig {
    /// A route configuration of these virtual hosts. Where two have a domain in common, the first keeps it.
    pub(crate) fn new(name: &str, list: Vec<Arc<VirtualHost>>) -> Self {
        let domains = (0_u32..)
            .zip(&list)
            .flat_map(|(place, host)| host.domains.iter().map(move |domain| (&**domain, place)));
        RouteConfig {
            hosts: HostTable::new(domains),
            name: name.into(),
            virtual_hosts: list.into_iter().map(Some).collect(),
            free: Vec::new(),
        }
    }

    /// Envoy's name of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many virtual hosts it has.
    pub(crate) fn len(&self) -> usize {
        self.virtual_hosts.len() - self.free.len()
    }

    /// Its virtual hosts, in the order in which they were made.
    pub fn virtual_hosts(&self) -> impl Iterator<Item = &VirtualHost> {
        self.virtual_hosts.iter().flatten().map(|host| &**host)
    }

    /// The virtual host that answers for `authority` as sent, in any case, with or without a port (R-H-076..R-H-080):
    /// the exact domain, else the longest `*suffix`, else `*`.
    ///
    /// # Complexity
    /// See [`HostTable::find`]. No allocation.
    pub fn find(&self, authority: &str) -> Option<&VirtualHost> {
        let place = self.hosts.find(authority)?;
        self.virtual_hosts.get(place as usize)?.as_deref()
    }

    /// The same as [`find`](Self::find), shared.
    pub(crate) fn claimant(&self, authority: &str) -> Option<&Arc<VirtualHost>> {
        let place = self.hosts.find(authority)?;
        self.virtual_hosts.get(place as usize)?.as_ref()
    }

    /// How many domains its virtual hosts have.
    pub(crate) fn domains_count(&self) -> usize {
        self.hosts.len()
    }

    /// Heap bytes of the tables that virtual hosts are found by, without what these hold.
    pub fn memory_usage(&self) -> usize {
        self.hosts.memory_usage() + self.virtual_hosts.memory_usage()
    }

    /// The virtual host that has this very domain (lower case).
    pub(crate) fn owner(&self, domain: &str) -> Option<&Arc<VirtualHost>> {
        let place = self.hosts.get(domain)?;
        self.virtual_hosts.get(place as usize)?.as_ref()
    }

    /// The same without the virtual hosts that have the domains `removed`, and with `added`, which must have no domain
    /// in common with those that stay.
    ///
    /// # Complexity
    /// In proportion to what is removed and added; what is neither is shared, and a virtual host that comes back under its
    /// name keeps its place.
    pub(crate) fn with(&self, removed: &[&str], added: Vec<Arc<VirtualHost>>) -> Self {
        let mut free = self.free.clone();
        let mut gone: BTreeMap<&str, (u32, &VirtualHost)> = BTreeMap::new();
        for place in removed.iter().filter_map(|domain| self.hosts.get(domain)) {
            if let Some(Some(host)) = self.virtual_hosts.get(place as usize) {
                gone.insert(host.name(), (place, host));
            }
        }
        let mut places: Vec<(usize, Option<Arc<VirtualHost>>)> = Vec::new();
        let mut leave: Vec<&str> = Vec::new();
        let mut come: Vec<(&str, u32)> = Vec::new();
        let mut added_anew = Vec::new();
        for host in &added {
            let Some((place, before)) = gone.remove(host.name()) else {
                added_anew.push(host);
                continue;
            };
            places.push((place as usize, Some(Arc::clone(host))));
            let is_of = |host: &VirtualHost, domain: &str| host.domains().any(|own| own == domain);
            leave.extend(before.domains().filter(|domain| !is_of(host, domain)));
            let new = host.domains().filter(|domain| !is_of(before, domain));
            come.extend(new.map(|domain| (domain, place)));
        }
        for (place, host) in gone.into_values() {
            leave.extend(host.domains());
            places.push((place as usize, None));
            free.push(place);
        }
        let mut next = self.virtual_hosts.len();
        for host in added_anew {
            let place = free.pop().map_or(next, |place| place as usize);
            next = next.max(place + 1);
            come.extend(host.domains().map(|domain| (domain, place as u32)));
            places.push((place, Some(Arc::clone(host))));
        }
        let leave = leave.into_iter().map(|domain| (domain, None));
        let come = come
            .into_iter()
            .map(|(domain, place)| (domain, Some(place)));
        let domains: Vec<(&str, Option<u32>)> = leave.chain(come).collect();
        RouteConfig {
            name: Arc::clone(&self.name),
            hosts: match domains.is_empty() {
                true => self.hosts.clone(),
                false => self.hosts.update(domains),
            },
            virtual_hosts: self.virtual_hosts.with(places),
            free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::VirtualHostKind;

    fn config(domains: &[&[&str]]) -> RouteConfig {
        let host = |domains: &&[&str]| {
            Arc::new(VirtualHost {
                name: domains[0].into(),
                kind: VirtualHostKind::Hosts,
                domains: domains.iter().map(|&domain| domain.into()).collect(),
                require_tls: false,
                rules: Arc::default(),
            })
        };
        let list = domains.iter().map(host).collect();
        RouteConfig::new("80", list)
    }

    fn name<'c>(config: &'c RouteConfig, authority: &str) -> Option<&'c str> {
        config.find(authority).map(VirtualHost::name)
    }

    #[test]
    fn r_h_076_port_and_077_case_and_order() {
        let config = config(&[&["foo.com"], &["*.foo.com"], &["*-x.foo.com"], &["[::1]"]]);
        assert_eq!(name(&config, "Foo.com:8443"), Some("foo.com"));
        assert_eq!(name(&config, "foo.com:bar"), Some("foo.com"));
        assert_eq!(name(&config, "[::1]:80"), Some("[::1]"));
        assert_eq!(name(&config, "a.b.foo.com"), Some("*.foo.com"));
        assert_eq!(name(&config, "a-x.foo.com"), Some("*-x.foo.com"));
        assert_eq!(name(&config, "bar.com"), None);
    }

    #[test]
    fn r_h_078_a_wildcard_needs_a_character() {
        let config = config(&[&["*.foo.com"], &["*"]]);
        assert_eq!(name(&config, "foo.com"), Some("*"));
        assert_eq!(name(&config, ".foo.com"), Some("*"));
    }

    #[test]
    fn r_h_080_a_trailing_dot_is_another_host() {
        let config = config(&[&["foo.com", "foo.com."], &["bar.com"]]);
        assert_eq!(name(&config, "foo.com."), Some("foo.com"));
        assert_eq!(name(&config, "bar.com."), None);
    }
}
