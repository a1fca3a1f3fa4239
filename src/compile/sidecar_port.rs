//! One HTTP port of a sidecar: its route configuration, and what VirtualServices see of it.

use std::cell::RefCell;
use std::sync::Arc;

use crate::mesh::virtual_service::DestinationRef;
use crate::router::{Cluster, RouteConfig, VirtualHost};
use crate::terms::hash::HashMap;
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::HashKey;

use super::clusters::Clusters;
use super::domains;
use super::http_rules::Listening;
use super::scope::{EgressListener, ServiceView};
use super::sidecar::Sidecar;
use super::sidecar_hosts::PortServices;

/// The route configurations of a sidecar. The virtual hosts of a port are made once, however many listeners ask.
pub(super) struct RouteConfigs<'s, 'a> {
    sidecar: &'s Sidecar<'a>,
    shared: HashMap<u16, Arc<RouteConfig>>,
    ports: HashMap<u16, PortHosts>,
}

/// Virtual hosts of one port, in order and by name.
struct PortHosts {
    all: Vec<Arc<VirtualHost>>,
    by_name: HashMap<Box<str>, usize>,
}

impl<'s, 'a> RouteConfigs<'s, 'a> {
    pub(super) fn new(sidecar: &'s Sidecar<'a>) -> Self {
        RouteConfigs {
            sidecar,
            shared: HashMap::default(),
            ports: HashMap::default(),
        }
    }

    /// The one that all HTTP services of `port` share; the host decides within it.
    pub(super) fn shared(
        &mut self,
        egress: &'a EgressListener<'a>,
        port: u16,
        http_proxy: bool,
    ) -> Arc<RouteConfig> {
        if let Some(known) = self.shared.get(&port) {
            return Arc::clone(known);
        }
        let mut virtual_hosts = self.hosts(egress, port, http_proxy).all.clone();
        virtual_hosts.push(self.sidecar.fallback_host());
        let made = Arc::new(RouteConfig::new(&port.to_string(), virtual_hosts));
        self.shared.insert(port, Arc::clone(&made));
        made
    }

    /// A detected port on a service's own address: only that service, whatever the host (R-H-041).
    pub(super) fn of_one_service(
        &mut self,
        egress: &'a EgressListener<'a>,
        service: &ServiceView,
        port: u16,
    ) -> Arc<RouteConfig> {
        let name = domains::domain_name(&service.hostname().to_ascii_lowercase(), port);
        let hosts = self.hosts(egress, port, false);
        let own = hosts.by_name.get(&*name).map(|&place| {
            Arc::new(VirtualHost {
                domains: Box::new(["*".into()]),
                ..VirtualHost::clone(&hosts.all[place])
            })
        });
        Arc::new(RouteConfig::new(
            &format!("{}:{port}", service.hostname()),
            own.into_iter().collect(),
        ))
    }

    fn hosts(&mut self, egress: &'a EgressListener<'a>, port: u16, http_proxy: bool) -> &PortHosts {
        let sidecar = self.sidecar;
        self.ports.entry(port).or_insert_with(|| {
            let port = if http_proxy { 0 } else { port };
            let services = PortServices::new(
                egress,
                port,
                &sidecar.proxy_domain,
                Arc::clone(&sidecar.default_policy),
            );
            let all = services.virtual_hosts(&OnPort {
                egress,
                port,
                proxy: sidecar.proxy,
                clusters: sidecar.clusters,
            });
            let names = all.iter().enumerate();
            let by_name = names
                .map(|(place, one)| (one.name.clone(), place))
                .collect();
            PortHosts { all, by_name }
        })
    }
}

/// One HTTP port of a sidecar, as VirtualServices see it.
pub(super) struct OnPort<'s, 'a> {
    egress: &'s EgressListener<'a>,
    port: u16,
    proxy: &'s Proxy,
    clusters: &'s RefCell<Clusters<'a>>,
}

impl OnPort<'_, '_> {
    /// The cluster of a service without a VirtualService.
    pub(super) fn service(&self, hostname: &Arc<str>, port: u16) -> Arc<Cluster> {
        self.clusters
            .borrow_mut()
            .cluster(hostname, port, &Arc::default())
    }
}

impl Listening for OnPort<'_, '_> {
    fn gateway(&self) -> &str {
        "mesh"
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
    fn destination(&self, destination: &DestinationRef, _namespace: &str) -> Arc<Cluster> {
        let service = self
            .egress
            .service_on(&destination.host, self.port)
            .cloned()
            .and_then(|service| match self.port {
                0 => Some(service),
                port => service.trim_ports(|number| number == port),
            });
        self.clusters
            .borrow_mut()
            .destination(destination, service.as_ref(), self.port)
    }

    fn hash_key(&self, host: &Arc<str>, subset: &str, port: Option<u16>) -> Option<HashKey> {
        let mut clusters = self.clusters.borrow_mut();
        clusters.rule(host)?.hash_key(subset, port).cloned()
    }
}
