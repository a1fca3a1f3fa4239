//! What one proxy sees of a mesh: its services, and for a sidecar its egress listeners with what each imports.
//!
//! Everything that does not depend on the proxy (buckets, names, order) is in the mesh's indexes already; a scope lists
//! nothing, but asks them by name: to make one costs next to nothing, and a change of the mesh changes no scope.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::gateway::GatewayServices;
use crate::mesh::service::Service;
use crate::mesh::virtual_service::{DestinationRef, HttpAction, WeightedRef};
use crate::mesh::{self, Mesh, VirtualService};
use crate::terms::hash::HashSet;
use crate::terms::labels::Labels;
use crate::terms::name::GatewayName;
use crate::terms::proxy::Proxy;
use crate::terms::proxy_config::ProxyConfig;

use super::rank::VirtualServiceRank;

mod egress;
#[cfg(all(test, feature = "yaml"))]
pub(crate) mod fixtures;
mod import;
mod ports;
mod service_view;
mod targets;
#[cfg(all(test, feature = "yaml"))]
mod tests;
#[cfg(all(test, feature = "yaml"))]
mod virtual_service_tests;

pub(crate) use egress::EgressListener;
use ports::ListenerPorts;
pub(crate) use service_view::ServiceView;
use targets::{ServiceTarget, ServiceTargets};

/// What one proxy sees of a mesh.
#[derive(Debug)]
pub(crate) struct Scope<'m> {
    mesh: &'m mesh::Inner,
    namespace: &'m str,
    labels: &'m Labels,
    open: bool,
    outbound_traffic_policy: OutboundTrafficPolicy,
    egress_proxy: Option<&'m DestinationRef>,
    /// Empty at a gateway.
    listeners: Vec<EgressListener<'m>>,
    by_port: ListenerPorts,
    /// Imported when a Gateway's port is first translated.
    targets: OnceCell<ServiceTargets>,
    /// Found when the first Gateway of the Gateway API is asked for.
    own_service: OnceCell<Option<(Arc<str>, Arc<str>)>>,
    proxy: &'m Proxy,
}

impl<'m> Scope<'m> {
    /// The outbound side of a sidecar: by its effective Sidecar resource, else everything that its namespace sees.
    pub(super) fn sidecar(mesh: &'m Mesh, proxy: &'m Proxy) -> Self {
        let mut scope = Scope::empty(mesh, proxy);
        let mesh = scope.mesh;
        let effective = mesh
            .sidecar_index
            .effective(proxy.namespace(), proxy.labels());
        let written = effective.map_or(&[][..], |sidecar| &sidecar.egress);
        scope.listeners = if written.is_empty() {
            vec![EgressListener::new(mesh, scope.namespace, None)]
        } else {
            let listener = |egress| EgressListener::new(mesh, scope.namespace, Some(egress));
            written.iter().map(listener).collect()
        };
        scope.by_port = ListenerPorts::new(&scope.listeners);
        if let Some(policy) = effective.and_then(|sidecar| sidecar.outbound_traffic_policy) {
            scope.outbound_traffic_policy = policy;
        }
        scope.egress_proxy = effective.and_then(|sidecar| sidecar.egress_proxy.as_ref());
        scope
    }

    /// A gateway workload: everything that its namespace sees; Sidecars do not count (R-M-070).
    pub(super) fn gateway(mesh: &'m Mesh, proxy: &'m Proxy) -> Self {
        Scope::empty(mesh, proxy)
    }

    /// The mesh that it is a view of.
    pub(super) fn mesh(&self) -> &'m mesh::Inner {
        self.mesh
    }

    /// Namespace of the proxy.
    pub(super) fn namespace(&self) -> &'m str {
        self.namespace
    }

    /// Labels of the proxy.
    pub(super) fn labels(&self) -> &'m Labels {
        self.labels
    }

    /// Where the proxy is, `region/zone/subzone`.
    pub(crate) fn locality(&self) -> &'m str {
        self.proxy.locality()
    }

    /// Nothing is registered in the whole mesh: hosts are taken as written, every destination counts as existing.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// What happens to traffic for nobody: the effective Sidecar's word, else the mesh's (R-H-053).
    pub(super) fn outbound_traffic_policy(&self) -> OutboundTrafficPolicy {
        self.outbound_traffic_policy
    }

    /// The configuration of the proxy: its own, over the mesh's (R-M-211).
    pub(crate) fn proxy_config(&self) -> ProxyConfig {
        let default = &self.mesh.config.default_config;
        match self.mesh.proxy_configs.of(self.proxy) {
            Some(own) => own.over(default),
            None => default.clone(),
        }
    }

    /// Where traffic for nobody goes instead of its own destination (R-H-052); `None`: to that.
    pub(super) fn egress_proxy(&self) -> Option<&'m DestinationRef> {
        self.egress_proxy
    }

    /// Every service that has clusters here, one per host name: imported ones, and the destinations of imported
    /// VirtualServices (R-M-072). At a gateway: all that are visible.
    ///
    /// # Complexity
    /// Linear in the services that the namespace sees, and the destinations.
    pub(super) fn services(&self) -> Vec<ServiceView> {
        let mut seen: HashSet<Arc<str>> = HashSet::default();
        let mut out = Vec::new();
        let mut add = |hostname: &Arc<str>| {
            if seen.insert(Arc::clone(hostname)) {
                out.extend(self.service(hostname));
            }
        };
        if self.listeners.is_empty() {
            let visible = self.mesh.service_index.visible_to(self.namespace);
            visible.for_each(|service| add(&service.hostname));
        }
        for listener in &self.listeners {
            for service in listener.services() {
                add(service.hostname());
            }
            for virtual_service in listener.virtual_services() {
                virtual_service
                    .destinations()
                    .for_each(|destination| add(&destination.host));
            }
        }
        out
    }

    /// The service named `hostname`, byte for byte (R-M-004): the union over the listeners of what they import, then of the
    /// destinations of the VirtualServices that they import; an explicit import wins over an inferred one (R-M-072).
    pub(super) fn service(&self, hostname: &str) -> Option<ServiceView> {
        let mut found = Imported::default();
        if self.listeners.is_empty() {
            let visible = self
                .mesh
                .service_index
                .folded_visible(hostname, self.namespace);
            let named = visible.into_iter();
            for service in named.filter(|service| *service.hostname == *hostname) {
                found.add(ServiceView::new(service));
            }
        }
        let inferred = match self.listeners.is_empty() {
            true => None,
            false => self.destination_service(hostname),
        };
        let named = self.mesh.service_index.folded(hostname).iter();
        let ports = named
            .chain(inferred)
            .flat_map(|destination| destination.ports.iter());
        let places = self.by_port.importing(ports.map(|port| port.number));
        for listener in places.iter().map(|&place| &self.listeners[place]) {
            listener
                .named(hostname)
                .for_each(|service| found.add(service));
            if let Some(service) = inferred {
                self.infer(listener, service, &mut found);
            }
        }
        found.0
    }

    /// The egress listeners in order; empty at a gateway.
    pub(super) fn listeners(&self) -> &[EgressListener<'m>] {
        &self.listeners
    }

    /// The place of the egress listener that serves `port`: the first of that port or without a port (Istio:
    /// `GetEgressListenerForRDS`).
    pub(super) fn listener_for(&self, port: u16) -> Option<usize> {
        self.by_port.serving(port)
    }

    /// The VirtualServices bound to `gateway` as this proxy sees them: private, exported to its
    /// namespace, public, each in config order (R-M-039).
    pub(super) fn virtual_services_for_gateway(
        &self,
        gateway: &GatewayName,
    ) -> impl Iterator<Item = &'m Arc<VirtualService>> + use<'m> {
        self.mesh
            .virtual_service_index
            .bound_to(gateway, self.namespace)
    }

    /// At a gateway, the service that a destination of a VirtualService in `namespace` means: the one of that namespace if
    /// this proxy may see it, else the scope's (R-M-046).
    pub(super) fn service_for(&self, hostname: &str, namespace: &str) -> Option<ServiceView> {
        self.mesh
            .service_index
            .in_namespace(hostname, namespace)
            .filter(|service| service.visibility.includes(self.namespace))
            .map(ServiceView::new)
            .or_else(|| self.service(hostname))
    }

    /// At a gateway, the port of the proxy's workload that a server on `port` is reached through (R-M-016); `None`: no
    /// service of the workload has that port, so the port itself.
    pub(super) fn workload_port(&self, port: u16) -> Option<u16> {
        self.targets().workload_port(port)
    }

    /// At a gateway, whether it serves this Gateway of the Gateway API: it stands behind one of its Services (R-G-017).
    pub(super) fn is_behind(&self, services: &GatewayServices) -> bool {
        let mut hosts = services.hosts.iter();
        hosts.any(|host| self.target_of(services, host).is_some())
    }

    /// At a gateway, the port of the proxy's workload that a port of a Gateway of the Gateway API is reached through (R-G-018);
    /// `None`: none of its Services has that port.
    pub(super) fn gateway_port(&self, services: &GatewayServices, port: u16) -> Option<u16> {
        let mut targets = services
            .hosts
            .iter()
            .filter_map(|host| self.target_of(services, host));
        targets.find_map(|target| match target {
            Target::Known(target) => target.port(port).map(|behind| behind.unwrap_or(port)),
            Target::Written(service) => {
                let found = service.ports.numbered(port).next()?;
                Some(found.target_port.unwrap_or(port))
            }
            Target::Implied => Some(port),
        })
    }

    fn target_of(&self, services: &GatewayServices, host: &str) -> Option<Target<'_>> {
        let namespace = &*services.gateway.namespace;
        if let Some(known) = self.targets().named(host, namespace) {
            return Some(Target::Known(known));
        }
        let own = self.own_service.get_or_init(|| self.find_own_service());
        let is_own = |(own, of): &(Arc<str>, Arc<str>)| **own == *host && **of == *namespace;
        if !own.as_ref().is_some_and(is_own) {
            return None;
        }
        let written = self.mesh.service_index.in_namespace(host, namespace);
        Some(written.map_or(Target::Implied, Target::Written))
    }

    /// The host name and the namespace of the Service that Istio makes for the Gateway whose workload the proxy is.
    fn find_own_service(&self) -> Option<(Arc<str>, Arc<str>)> {
        let name = self.proxy.named_gateway()?;
        let services = self
            .mesh
            .gateways
            .iter()
            .filter_map(|gateway| gateway.services.as_ref());
        let mut managed =
            services.filter(|services| services.is_managed && services.gateway == name);
        let host = match managed.next().and_then(|services| services.hosts.first()) {
            Some(host) => Arc::clone(host),
            None => {
                let domain = &self.mesh.config.domain;
                format!("{}-istio.{}.svc.{domain}", name.name, name.namespace).into()
            }
        };
        Some((host, name.namespace))
    }

    fn targets(&self) -> &ServiceTargets {
        let make = || ServiceTargets::new(self.mesh, self.proxy);
        self.targets.get_or_init(make)
    }

    /// Whether the workload stands behind one of `services`, or would, if they were there.
    pub(super) fn has_targets_among(&self, services: &[Arc<Service>]) -> bool {
        targets::targets(services, self.proxy).next().is_some()
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
            by_port: ListenerPorts::default(),
            targets: OnceCell::new(),
            own_service: OnceCell::new(),
            proxy,
        }
    }

    /// Adds a service that VirtualServices of `listener` send to, with the ports that they name.
    fn infer(&self, listener: &EgressListener<'m>, service: &Arc<Service>, found: &mut Imported) {
        // What is there whole cannot become more.
        if found.0.as_ref().is_some_and(|view| view.is_whole(service)) {
            return;
        }
        let hosts = self.mesh.virtual_service_hosts();
        let mut leading: Vec<VirtualServiceRank> = hosts
            .leading_to(&service.hostname)
            .filter_map(|virtual_service| listener.rank_of(virtual_service))
            .collect();
        leading.sort_unstable();
        for ranked in leading {
            let view = ServiceView::new(service);
            let Some(ports) =
                named_ports(ranked.virtual_service(), &service.hostname, self.namespace)
            else {
                continue;
            };
            let view = match egress::port_to_match(listener.written()) {
                Some(port) => view.on_port(port),
                None => ports.trim(view),
            };
            view.into_iter().for_each(|view| found.add(view));
        }
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
}

/// Why a workload stands behind a Service of a Gateway of the Gateway API.
enum Target<'t> {
    /// The Service has it among its endpoints, or selects it.
    Known(&'t ServiceTarget),
    /// It is the workload that Istio makes for the Gateway, and the Service is written, too.
    Written(&'t Arc<Service>),
    /// It is the workload that Istio makes for the Gateway, with the Service, which leads to each port by its own number.
    Implied,
}

/// What several imports of one host name make together.
#[derive(Default)]
struct Imported(Option<ServiceView>);

impl Imported {
    /// Adds a service, or what it adds to the one of the same name (Istio: `appendSidecarServices`).
    fn add(&mut self, service: ServiceView) {
        let Some(existing) = &mut self.0 else {
            self.0 = Some(service);
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

/// The ports that the destinations of a VirtualService name on one host; `None`: it does not lead there. Rules that only
/// other source namespaces reach do not count.
fn named_ports(
    virtual_service: &VirtualService,
    hostname: &str,
    namespace: &str,
) -> Option<NamedPorts> {
    let mut ports = None;
    let mut add = |destination: &DestinationRef| {
        if *destination.host == *hostname {
            ports
                .get_or_insert_with(NamedPorts::default)
                .add(destination.port);
        }
    };
    each_destination(virtual_service, namespace, &mut add);
    ports
}

fn each_destination<'a>(
    virtual_service: &'a VirtualService,
    namespace: &str,
    add: &mut impl FnMut(&'a DestinationRef),
) {
    let add_all = |route: &'a [WeightedRef], add: &mut dyn FnMut(&'a DestinationRef)| {
        route.iter().for_each(|route| add(&route.destination));
    };
    for rule in &virtual_service.http {
        let mut sources = rule
            .matches
            .iter()
            .filter_map(|matched| matched.source_namespace.as_deref());
        let reached = sources.clone().any(|source| source == namespace) || sources.next().is_none();
        if !reached {
            continue;
        }
        if let HttpAction::Route(route) = &rule.action {
            add_all(route, add);
        }
        rule.mirrors
            .iter()
            .for_each(|mirror| add(&mirror.destination));
    }
    for rule in &virtual_service.tcp {
        add_all(&rule.route, add);
    }
    for rule in &virtual_service.tls {
        add_all(&rule.route, add);
    }
}
