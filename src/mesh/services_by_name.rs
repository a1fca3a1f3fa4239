//! Services as routes of the Gateway API name them.

use super::service::Service;

/// Looks services up by what a route may call them.
pub(crate) trait ServicesByName {
    /// The service that the Service of this name makes.
    fn service(&self, namespace: &str, name: &str) -> Option<&Service>;

    /// Those that the ServiceEntry of this name makes; none: it does not exist.
    fn entry(&self, namespace: &str, name: &str) -> Vec<&Service>;

    /// Whether there is a service of this host in `namespace`; those that other namespaces export do not count.
    fn has_host(&self, host: &str, namespace: &str) -> bool;
}
