//! One route configuration: virtual hosts by domain.

use std::sync::Arc;

use super::host_table::HostTable;
use super::virtual_host::VirtualHost;

/// What Envoy calls a RouteConfiguration: `80`, `http.8080`, `https.443.name.gw.ns`.
#[derive(Clone, Debug)]
pub struct RouteConfig {
    name: Box<str>,
    virtual_hosts: Vec<Arc<VirtualHost>>,
    /// From each domain to the place of its virtual host.
    hosts: HostTable,
}

impl RouteConfig {
    /// A route configuration of these virtual hosts. Where two have a domain in common, the first keeps it.
    pub(crate) fn new(name: &str, virtual_hosts: Vec<Arc<VirtualHost>>) -> Self {
        let domains = (0_u32..)
            .zip(&virtual_hosts)
            .flat_map(|(place, host)| host.domains.iter().map(move |domain| (&**domain, place)));
        RouteConfig {
            hosts: HostTable::new(domains),
            name: name.into(),
            virtual_hosts,
        }
    }

    /// Envoy's name of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its virtual hosts, in the order in which they were made.
    pub fn virtual_hosts(&self) -> impl ExactSizeIterator<Item = &VirtualHost> {
        self.virtual_hosts.iter().map(|host| &**host)
    }

    /// The virtual host that answers for `authority` as sent, in any case, with or without a port (R-H-076..R-H-080):
    /// the exact domain, else the longest `*suffix`, else `*`.
    ///
    /// # Complexity
    /// See [`HostTable::find`]. No allocation.
    pub fn find(&self, authority: &str) -> Option<&VirtualHost> {
        let place = self.hosts.find(authority)?;
        self.virtual_hosts.get(place as usize).map(|host| &**host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(domains: &[&[&str]]) -> RouteConfig {
        let host = |domains: &&[&str]| {
            Arc::new(VirtualHost {
                name: domains[0].into(),
                domains: domains.iter().map(|&domain| domain.into()).collect(),
                require_tls: false,
                rules: Arc::default(),
            })
        };
        RouteConfig::new("80", domains.iter().map(host).collect())
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
