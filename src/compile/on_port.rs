//! One HTTP port of a sidecar, as VirtualServices see it: where their destinations lead.

use std::cell::RefCell;
use std::sync::Arc;

use crate::mesh::virtual_service::DestinationRef;
use crate::router::ClusterId;
use crate::terms::name::GatewayName;
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::HashKey;

use super::clusters::Clusters;
use super::http_rules::Listening;
use super::scope::EgressListener;

/// One HTTP port of a sidecar, as VirtualServices see it.
pub(super) struct OnPort<'s, 'a> {
    pub egress: &'s EgressListener<'a>,
    pub port: u16,
    pub proxy: &'s Proxy,
    pub clusters: &'s RefCell<Clusters<'a>>,
}

impl OnPort<'_, '_> {
    /// The cluster of a service without a VirtualService.
    pub(super) fn service(&self, hostname: &Arc<str>, port: u16) -> ClusterId {
        self.clusters.borrow_mut().cluster(hostname, port, None)
    }
}

impl Listening for OnPort<'_, '_> {
    fn gateway(&self) -> &GatewayName {
        &GatewayName::Mesh
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn is_tls(&self) -> bool {
        false
    }

    fn proxy(&self) -> &Proxy {
        self.proxy
    }

    /// Only services that expose the listener's port are looked at, and only that port of them (R-H-040, R-M-138).
    fn destination(&self, destination: &DestinationRef, _namespace: &str) -> ClusterId {
        let service = self
            .egress
            .service_on(&destination.host, self.port)
            .and_then(|service| match self.port {
                0 => Some(service),
                port => service.on_port(port),
            });
        self.clusters
            .borrow_mut()
            .destination(destination, service.as_ref(), self.port)
    }

    fn hash_key(
        &self,
        host: &Arc<str>,
        subset: Option<&str>,
        port: Option<u16>,
    ) -> Option<HashKey> {
        let mut clusters = self.clusters.borrow_mut();
        clusters.rule(host)?.hash_key(subset, port).cloned()
    }
}
