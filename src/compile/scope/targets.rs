//! The services that the proxy's own workload stands behind: through which of its ports a Gateway's server is reached
//! (R-M-016, R-H-068).

use std::sync::Arc;

use crate::mesh::{self, Service};
use crate::terms::address::Address;
use crate::terms::endpoint::Endpoint;
use crate::terms::proxy::Proxy;

/// Services with this label do not translate the ports of gateways.
const NOT_TRANSLATED: &str = "experimental.istio.io/disable-gateway-port-translation";

/// The services of a proxy's workload, in the mesh's order.
#[derive(Debug, Default)]
pub(super) struct ServiceTargets<'m>(Vec<ServiceTarget<'m>>);

#[derive(Debug)]
struct ServiceTarget<'m> {
    service: &'m Service,
    /// The workload itself, where its address says which one it is.
    endpoint: Option<&'m Endpoint>,
}

impl<'m> ServiceTargets<'m> {
    /// Finds them by the address of the proxy among all endpoints, and by its labels among the selectors of its
    /// namespace. O(services, and endpoints if the proxy has an address).
    pub fn new(mesh: &'m mesh::Inner, proxy: &Proxy) -> Self {
        ServiceTargets(all(mesh, proxy).map(|(_, target)| target).collect())
    }

    /// The workload's port behind the service port `number`: of the first service that has it.
    pub fn workload_port(&self, number: u16) -> Option<u16> {
        let found = self.0.iter().find_map(|target| {
            let mut ports = target.service.ports.iter();
            Some((target, ports.find(|port| port.number == number)?))
        });
        let (target, port) = found?;
        match target.endpoint {
            Some(endpoint) => endpoint.port(&port.name),
            None => port.target_port,
        }
    }
}

/// The services whose ports translate those of the Gateways that `proxy` serves.
pub(crate) fn workload_services(mesh: &mesh::Inner, proxy: &Proxy) -> Vec<Arc<Service>> {
    all(mesh, proxy)
        .map(|(service, _)| Arc::clone(service))
        .collect()
}

fn all<'m>(
    mesh: &'m mesh::Inner,
    proxy: &Proxy,
) -> impl Iterator<Item = (&'m Arc<Service>, ServiceTarget<'m>)> {
    let address = proxy.address().map(Address::Ip);
    mesh.services.iter().filter_map(move |service| {
        if service.labels.get(NOT_TRANSLATED).is_some() {
            return None;
        }
        let has_address = |one: &&Endpoint| address.is_some() && one.address == address;
        let endpoint = match address {
            Some(_) => service.endpoints.iter().find(has_address),
            None => None,
        };
        let is_selected = || {
            service.namespace() == proxy.namespace()
                && !service.selector.is_empty()
                && service.selector.selects(proxy.labels())
        };
        let target = ServiceTarget { service, endpoint };
        (endpoint.is_some() || is_selected()).then_some((service, target))
    })
}
