//! The services that the proxy's own workload stands behind: through which of its ports a Gateway's server is reached
//! (R-M-016, R-H-068, R-G-018).

use std::sync::Arc;

use crate::mesh::{self, Service};
use crate::terms::address::Address;
use crate::terms::endpoint::Endpoint;
use crate::terms::proxy::Proxy;

/// Services with this label do not translate the ports of gateways.
const NOT_TRANSLATED: &str = "experimental.istio.io/disable-gateway-port-translation";

/// The services of a proxy's workload, in the mesh's order.
#[derive(Debug, Default)]
pub(super) struct ServiceTargets(Vec<ServiceTarget>);

#[derive(Debug)]
pub(super) struct ServiceTarget {
    service: Arc<Service>,
    /// Whether it translates the ports of Gateways with a selector.
    translates: bool,
    /// The workload's place among the endpoints, where its address says which one it is.
    endpoint: Option<usize>,
}

impl ServiceTargets {
    /// Finds them by the address of the proxy among all endpoints, and by its labels among the selectors of its
    /// namespace. O(services, and endpoints if the proxy has an address).
    pub(super) fn new(mesh: &mesh::Inner, proxy: &Proxy) -> Self {
        ServiceTargets(targets(&mesh.services, proxy).collect())
    }

    /// The workload's port behind the service port `number`: of the first service that has it.
    pub(super) fn workload_port(&self, number: u16) -> Option<u16> {
        let mut translating = self.0.iter().filter(|target| target.translates);
        translating.find_map(|target| target.port(number))?
    }

    /// The workload's service of this name.
    pub(super) fn named(&self, hostname: &str, namespace: &str) -> Option<&ServiceTarget> {
        self.0.iter().find(|target| {
            *target.service.hostname == *hostname && target.service.namespace() == namespace
        })
    }
}

impl ServiceTarget {
    /// The workload's port behind the service port `number`, if it is known; `None`: the service has no such port.
    pub(super) fn port(&self, number: u16) -> Option<Option<u16>> {
        let port = self.service.ports.numbered(number).next()?;
        Some(match self.endpoint {
            Some(place) => self.service.endpoints[place].port(&port.name),
            None => port.target_port,
        })
    }
}

/// Those of `services` that the proxy's workload stands behind.
pub(super) fn targets(
    services: &[Arc<Service>],
    proxy: &Proxy,
) -> impl Iterator<Item = ServiceTarget> {
    let address = proxy.address().map(Address::Ip);
    services.iter().filter_map(move |service| {
        let has_address = |one: &Endpoint| address.is_some() && one.address == address;
        let endpoint = match address {
            Some(_) => service.endpoints.iter().position(has_address),
            None => None,
        };
        let is_selected = || {
            service.namespace() == proxy.namespace()
                && !service.selector.is_empty()
                && service.selector.selects(proxy.labels())
        };
        let target = ServiceTarget {
            service: Arc::clone(service),
            translates: service.labels.get(NOT_TRANSLATED).is_none(),
            endpoint,
        };
        (endpoint.is_some() || is_selected()).then_some(target)
    })
}
