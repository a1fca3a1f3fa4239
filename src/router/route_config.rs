//! One route configuration: virtual hosts by domain.

use std::sync::Arc;

use super::virtual_host::VirtualHost;

/// What Envoy calls a RouteConfiguration: `80`, `http.8080`, `https.443.name.gw.ns`.
#[derive(Clone, Debug)]
pub struct RouteConfig {
    pub(crate) name: Box<str>,
    /// In the order in which they were made; the host lookup does not depend on it.
    pub(crate) virtual_hosts: Vec<Arc<VirtualHost>>,
}

impl RouteConfig {
    /// A route configuration of these virtual hosts.
    pub(crate) fn new(name: &str, virtual_hosts: Vec<Arc<VirtualHost>>) -> Self {
        RouteConfig {
            name: name.into(),
            virtual_hosts,
        }
    }
}
