//! What one proxy sees of a mesh: its services, and for a sidecar its egress listeners with what each imports.
//!
//! Everything that does not depend on the proxy (buckets, names, order) is in the mesh's indexes already; a scope picks
//! from them. Cost: O(services + VirtualServices that the namespace sees), by hash lookups.

use std::sync::Arc;

use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::Service;
use crate::mesh::virtual_service::{DestinationRef, HttpAction, WeightedRef};
use crate::mesh::{self, Mesh, VirtualService};
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::name::GatewayName;
use crate::terms::proxy::Proxy;

mod egress;
#[cfg(all(test, feature = "yaml"))]
pub(crate) mod fixtures;
mod import;
mod service_view;
mod targets;
#[cfg(all(test, feature = "yaml"))]
mod tests;
#[cfg(all(test, feature = "yaml"))]
mod virtual_service_tests;

pub(crate) use egress::EgressListener;
pub(crate) use service_view::ServiceView;
use targets::ServiceTargets;
pub(crate) use targets::workload_services;

/// What one proxy sees of a mesh.
#[derive(Debug)]
pub(crate) struct Scope<'m> {
    mesh: &'m mesh::Inner,
    namespace: &'m str,
    labels: &'m Labels,
    open: bool,
    outbound_traffic_policy: OutboundTrafficPolicy,
    egress_proxy: Option<&'m DestinationRef>,
    listeners: Vec<EgressListener<'m>>,
    services: Vec<ServiceView>,
    by_hostname: HashMap<Arc<str>, u32>,
    targets: ServiceTargets<'m>,
}

impl<'m> Scope<'m> {
    /// The outbound side of a sidecar: by its effective Sidecar resource, else everything that its namespace sees.
    pub fn sidecar(mesh: &'m Mesh, proxy: &'m Proxy) -> Self {
        let mut scope = Scope::empty(mesh, proxy);
        let mesh = scope.mesh;
        let effective = mesh
            .sidecar_index
            .effective(proxy.namespace(), proxy.labels());
        let written = effective.map_or(&[][..], |sidecar| &sidecar.egress);
        scope.listeners = if written.is_empty() {
            vec![EgressListener::new(mesh, scope.namespace, None)]
        } else {
            let listener = |one| EgressListener::new(mesh, scope.namespace, Some(one));
            written.iter().map(listener).collect()
        };
        if let Some(policy) = effective.and_then(|sidecar| sidecar.outbound_traffic_policy) {
            scope.outbound_traffic_policy = policy;
        }
        scope.egress_proxy = effective.and_then(|sidecar| sidecar.egress_proxy.as_ref());
        scope.collect_imports();
        scope
    }

    /// A gateway workload: everything that its namespace sees; Sidecars do not count (R-M-070).
    pub fn gateway(mesh: &'m Mesh, proxy: &'m Proxy) -> Self {
        let mut scope = Scope::empty(mesh, proxy);
        for service in scope.mesh.service_index.visible_to(scope.namespace) {
            scope.add(ServiceView::new(service));
        }
        scope.targets = ServiceTargets::new(scope.mesh, proxy);
        scope
    }

    /// The mesh that it is a view of.
    pub fn mesh(&self) -> &'m mesh::Inner {
        self.mesh
    }

    /// Namespace of the proxy.
    pub fn namespace(&self) -> &'m str {
        self.namespace
    }

    /// Labels of the proxy.
    pub fn labels(&self) -> &'m Labels {
        self.labels
    }

    /// Nothing is registered in the whole mesh: hosts are taken as written, every destination counts as existing.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// What happens to traffic for nobody: the effective Sidecar's word, else the mesh's (R-H-053).
    pub fn outbound_traffic_policy(&self) -> OutboundTrafficPolicy {
        self.outbound_traffic_policy
    }

    /// Where traffic for nobody goes instead of its own destination (R-H-052); `None`: to that.
    pub fn egress_proxy(&self) -> Option<&'m DestinationRef> {
        self.egress_proxy
    }

    /// Every service that has clusters here, one per host name: imported ones, and the destinations of imported
    /// VirtualServices (R-M-072). At a gateway: all that are visible.
    pub fn services(&self) -> &[ServiceView] {
        &self.services
    }

    /// The service named `hostname`, byte for byte (R-M-004).
    pub fn service(&self, hostname: &str) -> Option<&ServiceView> {
        let at = self.by_hostname.get(hostname)?;
        self.services.get(*at as usize)
    }

    /// The egress listeners in order; empty at a gateway.
    pub fn listeners(&self) -> &[EgressListener<'m>] {
        &self.listeners
    }

    /// The egress listener that serves `port`: the first of that port or without a port (Istio:
    /// `GetEgressListenerForRDS`).
    pub fn listener_for(&self, port: u16) -> Option<&EgressListener<'m>> {
        self.listeners
            .iter()
            .find(|listener| listener.port().is_none_or(|own| own.number == port))
    }

    /// The VirtualServices bound to `gateway` as this proxy sees them: private, exported to its
    /// namespace, public, each in config order (R-M-039).
    pub fn virtual_services_for_gateway(
        &self,
        gateway: &GatewayName,
    ) -> impl Iterator<Item = &'m Arc<VirtualService>> {
        self.mesh
            .virtual_service_index
            .bound_to(gateway, self.namespace)
    }

    /// At a gateway, the service that a destination of a VirtualService in `namespace` means: the one of that namespace if
    /// this proxy may see it, else the scope's (R-M-046).
    pub fn service_for(&self, hostname: &str, namespace: &str) -> Option<ServiceView> {
        self.mesh
            .service_index
            .in_namespace(hostname, namespace)
            .filter(|service| service.visibility.includes(self.namespace))
            .map(ServiceView::new)
            .or_else(|| self.service(hostname).cloned())
    }

    /// At a gateway, the port of the proxy's workload that a server on `port` is reached through (R-M-016); `None`: no
    /// service of the workload has that port, so the port itself.
    pub fn workload_port(&self, port: u16) -> Option<u16> {
        self.targets.workload_port(port)
    }

    fn empty(mesh: &'m Mesh, proxy: &'m Proxy) -> Self {
        let mesh = &*mesh.inner;
        Scope {
            mesh,
            namespace: proxy.namespace(),
            labels: proxy.labels(),
            open: mesh.open,
            outbound_traffic_policy: mesh.config.outbound_traffic_policy,
            egress_proxy: None,
            listeners: Vec::new(),
            services: Vec::new(),
            by_hostname: HashMap::default(),
            targets: ServiceTargets::default(),
        }
    }

    /// The union over the listeners of what they import, then of the destinations of the VirtualServices that they import;
    /// an explicit import wins over an inferred one (R-M-072).
    fn collect_imports(&mut self) {
        let listeners = std::mem::take(&mut self.listeners);
        let expected = listeners.iter().map(|listener| listener.services().len());
        self.by_hostname.reserve(expected.sum());
        for listener in &listeners {
            for service in listener.services() {
                self.add(service.clone());
            }
            for (host, ports) in destinations(listener.virtual_services(), self.namespace) {
                if let Some(service) = self.destination_service(host) {
                    let view = ServiceView::new(service);
                    let view = match egress::port_to_match(listener.written()) {
                        Some(port) => view.trim_ports(|number| number == port),
                        None => ports.trim(view),
                    };
                    view.into_iter().for_each(|view| self.add(view));
                }
            }
        }
        self.listeners = listeners;
    }

    /// The service that an imported VirtualService sends to by `hostname`: the own namespace's, else of those that are
    /// visible a Kubernetes one, else the oldest (R-M-072).
    fn destination_service(&self, hostname: &str) -> Option<&'m Arc<Service>> {
        let index = &self.mesh.service_index;
        index.in_namespace(hostname, self.namespace).or_else(|| {
            let visible = || {
                let named = index.named(hostname).iter();
                named.filter(|service| service.visibility.includes(self.namespace))
            };
            visible()
                .find(|service| service.is_kubernetes())
                .or_else(|| visible().min_by_key(|service| service.creation))
        })
    }

    /// Adds a service, or what it adds to the one of the same name (Istio: `appendSidecarServices`).
    fn add(&mut self, service: ServiceView) {
        let next = u32::try_from(self.services.len()).unwrap_or(u32::MAX);
        let at = *self
            .by_hostname
            .entry(Arc::clone(service.hostname()))
            .or_insert(next);
        let Some(existing) = self.services.get_mut(at as usize) else {
            self.services.push(service);
            return;
        };
        let (old, new) = (existing.service(), service.service());
        match (old.is_kubernetes(), new.is_kubernetes()) {
            (true, false) => {}
            (false, true) => *existing = service,
            _ if old.merges_with(new) => existing.merge_ports(&service),
            _ => {}
        }
    }
}

/// The ports that destinations name on one host; empty: some destination names none, which means all.
#[derive(Debug, Default)]
struct NamedPorts {
    all: bool,
    numbers: Vec<u16>,
}

impl NamedPorts {
    fn add(&mut self, port: Option<u16>) {
        match port.filter(|port| *port != 0) {
            None => self.all = true,
            Some(port) if !self.numbers.contains(&port) => self.numbers.push(port),
            Some(_) => {}
        }
    }

    fn trim(&self, view: ServiceView) -> Option<ServiceView> {
        if self.all {
            return Some(view);
        }
        view.trim_ports(|number| self.numbers.contains(&number))
    }
}

/// Per VirtualService and host, the ports that its destinations name, in order. Rules that only other source namespaces
/// reach do not count.
fn destinations<'a>(
    virtual_services: &'a [Arc<VirtualService>],
    namespace: &'a str,
) -> impl Iterator<Item = (&'a str, NamedPorts)> {
    virtual_services.iter().flat_map(move |virtual_service| {
        let mut hosts: Vec<(&str, NamedPorts)> = Vec::new();
        let mut at: HashMap<&str, usize> = HashMap::default();
        let mut add = |destination: &'a DestinationRef| {
            let host = &*destination.host;
            let at = *at.entry(host).or_insert_with(|| {
                hosts.push((host, NamedPorts::default()));
                hosts.len() - 1
            });
            hosts[at].1.add(destination.port);
        };
        each_destination(virtual_service, namespace, &mut add);
        hosts
    })
}

fn each_destination<'a>(
    virtual_service: &'a VirtualService,
    namespace: &str,
    add: &mut impl FnMut(&'a DestinationRef),
) {
    let add_all = |route: &'a [WeightedRef], add: &mut dyn FnMut(&'a DestinationRef)| {
        route.iter().for_each(|one| add(&one.destination));
    };
    for rule in &virtual_service.http {
        let mut sources = rule
            .matches
            .iter()
            .filter_map(|one| one.source_namespace.as_deref());
        let reached = sources.clone().any(|source| source == namespace) || sources.next().is_none();
        if !reached {
            continue;
        }
        if let HttpAction::Route(route) = &rule.action {
            add_all(route, add);
        }
        rule.mirrors.iter().for_each(|one| add(&one.destination));
    }
    for rule in &virtual_service.tcp {
        add_all(&rule.route, add);
    }
    for rule in &virtual_service.tls {
        add_all(&rule.route, add);
    }
}
