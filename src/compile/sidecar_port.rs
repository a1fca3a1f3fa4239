//! One HTTP port of a sidecar: its route configuration, and what VirtualServices see of it.

use std::cell::RefCell;
use std::sync::Arc;

use crate::mesh::service::Protocol;
use crate::mesh::sidecar::EgressPort;
use crate::mesh::virtual_service::DestinationRef;
use crate::router::{
    ClusterId, RouteConfig, RouteConfigId, RouteConfigs, VirtualHost, VirtualHostKind, VirtualHosts,
};
use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::HashKey;

use super::clusters::Clusters;
use super::domains;
use super::http_rules::Listening;
use super::scope::{EgressListener, ServiceView};
use super::sidecar::Sidecar;
use super::sidecar_hosts::PortServices;

/// The route configurations of a sidecar by port. The virtual hosts of a port are made once, however many listeners ask.
pub(super) struct HttpPorts<'s, 'a> {
    sidecar: &'s Sidecar<'a>,
    made: RouteConfigs,
    by_name: HashMap<String, RouteConfigId>,
    ports: HashMap<u16, PortHosts>,
}

/// Virtual hosts of one port, in order and by name.
struct PortHosts {
    all: VirtualHosts,
    by_name: HashMap<Box<str>, usize>,
}

impl<'s, 'a> HttpPorts<'s, 'a> {
    pub(super) fn new(sidecar: &'s Sidecar<'a>) -> Self {
        HttpPorts {
            sidecar,
            made: RouteConfigs::default(),
            by_name: HashMap::default(),
            ports: HashMap::default(),
        }
    }

    /// All that were asked for.
    pub(super) fn finish(self) -> RouteConfigs {
        self.made
    }

    /// The one that all HTTP services of `port` share; the host decides within it.
    pub(super) fn shared(&mut self, egress: &'a EgressListener<'a>, port: u16) -> RouteConfigId {
        let name = port.to_string();
        if let Some(&known) = self.by_name.get(&name) {
            return known;
        }
        let mut virtual_hosts = self.hosts(egress, port).all.clone();
        virtual_hosts.list.push(self.sidecar.fallback_host());
        self.add(name, virtual_hosts)
    }

    /// A detected port on a service's own address: only that service, whatever the host (R-H-041).
    pub(super) fn of_one_service(
        &mut self,
        egress: &'a EgressListener<'a>,
        service: &ServiceView,
        port: u16,
    ) -> RouteConfigId {
        let name = format!("{}:{port}", service.hostname());
        if let Some(&known) = self.by_name.get(&name) {
            return known;
        }
        let list = self.host_of(egress, service, port).into_iter().collect();
        self.add(
            name,
            VirtualHosts {
                list,
                ..VirtualHosts::default()
            },
        )
    }

    /// One that is like no other.
    pub(super) fn add(&mut self, name: String, virtual_hosts: VirtualHosts) -> RouteConfigId {
        let id = self.made.add(RouteConfig::new(&name, virtual_hosts));
        self.by_name.insert(name, id);
        id
    }

    /// The virtual hosts of a port without the fallback.
    pub(super) fn on_port(&mut self, egress: &'a EgressListener<'a>, port: u16) -> &VirtualHosts {
        &self.hosts(egress, port).all
    }

    /// The virtual host of a service on a port, for every host. One in capitals has none: it is looked for by its name as
    /// written among domains in lower case.
    pub(super) fn host_of(
        &mut self,
        egress: &'a EgressListener<'a>,
        service: &ServiceView,
        port: u16,
    ) -> Option<Arc<VirtualHost>> {
        let name = domains::domain_name(service.hostname(), port);
        let hosts = self.hosts(egress, port);
        let place = *hosts.by_name.get(&*name)?;
        let host = &hosts.all.list[place];
        Some(Arc::new(VirtualHost {
            kind: VirtualHostKind::OwnListener {
                service: Arc::clone(service.hostname()),
                names: host.domains.clone(),
            },
            domains: Box::new(["*".into()]),
            ..VirtualHost::clone(host)
        }))
    }

    fn hosts(&mut self, egress: &'a EgressListener<'a>, port: u16) -> &PortHosts {
        let sidecar = self.sidecar;
        self.ports.entry(port).or_insert_with(|| {
            let is_proxy = |port: &EgressPort| port.protocol == Protocol::HttpProxy;
            let port = match egress.port().is_some_and(is_proxy) {
                true => 0,
                false => port,
            };
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
            let names = all.list.iter().enumerate();
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
    pub(super) fn service(&self, hostname: &Arc<str>, port: u16) -> ClusterId {
        self.clusters
            .borrow_mut()
            .cluster(hostname, port, &Arc::default())
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
