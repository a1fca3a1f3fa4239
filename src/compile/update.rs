//! A router after some VirtualServices have changed: the virtual hosts of their hosts are made anew, from the part of the
//! mesh that they depend on and by the same code as all; everything else is shared.
//!
//! Where more than that could change, there is no such part and the answer is `None`: the whole has to be compiled.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::Mesh;
use crate::mesh::service::Service;
use crate::mesh::virtual_service_hosts::Neighbourhood;
use crate::router::{
    Cluster, ClusterId, ClusterIds, RouteConfig, RouteConfigId, Router, RouterIds, Tables, View,
    VirtualHost, VirtualHostKind, VirtualHosts,
};
use crate::terms::hash::HashSet;
use crate::terms::host::{is_subset_of, is_wildcard};
use crate::terms::proxy::Proxy;

use super::clusters::Clusters;
use super::domains;
use super::gateway::Gateway;
use super::scope::{self, Scope};
use super::sidecar::Sidecar;
use super::sidecar_port::HttpPorts;

/// What an update has made anew.
#[derive(Clone, Debug, Default)]
struct Changed {
    /// Route configurations that take the place of others.
    configs: Vec<(RouteConfigId, Arc<RouteConfig>)>,
    /// Domains of virtual hosts that went, came, or were replaced; for one behind a listener of its own, its service.
    domains: BTreeSet<Box<str>>,
    /// How many virtual hosts went, came or were replaced, in all.
    virtual_hosts: usize,
    /// The clusters that the new virtual hosts name.
    clusters: Vec<(ClusterId, Arc<Cluster>)>,
}

impl Mesh {
    /// The services whose ports translate those of the Gateways that `proxy` serves. O(services).
    pub(crate) fn workload_services(&self, proxy: &Proxy) -> Vec<Arc<Service>> {
        scope::workload_services(&self.inner, proxy)
    }
}

impl Router {
    /// The router of the same proxy for `mesh`, which differs from the one that this router was compiled from only in
    /// VirtualServices without `tls` and `tcp` rules, of which `neighbourhood` has all hosts; `workload_services` are
    /// [those](Mesh::workload_services) of `proxy`, and `in_mesh` says whether some that changed, or a member, is bound to
    /// `mesh`. With the number of virtual hosts that are new, gone or replaced.
    /// `None`: compile it.
    ///
    /// # Complexity
    /// In proportion to the neighbourhood (and the servers of Gateways), not to the mesh.
    pub(crate) fn updated(
        &self,
        mesh: &Mesh,
        proxy: &Proxy,
        workload_services: &[Arc<Service>],
        (neighbourhood, in_mesh): (&Neighbourhood, bool),
        ids: &mut RouterIds,
    ) -> Option<(Router, usize)> {
        let part = mesh.inner.part(neighbourhood, workload_services)?;
        let hosts = Hosts::new(neighbourhood);
        let mut tables = Tables::clone(&self.tables);
        let mut virtual_hosts = 0;
        let mut domains = BTreeSet::new();
        let mut clusters = Vec::new();
        let mut replace = |view: &View, changed: Changed| {
            virtual_hosts += changed.virtual_hosts;
            domains.extend(changed.domains);
            clusters.extend(changed.clusters);
            view.with_route_configs(changed.configs)
        };
        if let Some(view) = &self.tables.mesh {
            // A wildcard has to do with every service that it covers.
            if in_mesh && neighbourhood.wildcards().next().is_some() {
                return None;
            }
            let changed = sidecar_side(view, &part, proxy, &hosts, &mut ids.mesh)?;
            tables.mesh = Some(replace(view, changed));
        }
        if let Some(view) = &self.tables.gateway {
            let changed = gateway_side(view, &part, proxy, &hosts, &mut ids.gateway)?;
            tables.gateway = Some(replace(view, changed));
        }
        tables.clusters = tables.clusters.with(clusters);
        let names = domains.iter().map(|domain| &**domain);
        Some((Router::resettled(tables, names), virtual_hosts))
    }
}

/// The hosts of a neighbourhood.
struct Hosts<'n> {
    neighbourhood: &'n Neighbourhood,
    /// As domains of virtual hosts.
    domains: HashSet<String>,
}

impl<'n> Hosts<'n> {
    fn new(neighbourhood: &'n Neighbourhood) -> Self {
        let domains = neighbourhood.hosts.iter();
        Hosts {
            neighbourhood,
            domains: domains.map(|host| domains::unregistered(host)).collect(),
        }
    }

    /// The hosts that are no wildcards: those of services.
    fn names(&self) -> impl Iterator<Item = &str> {
        let hosts = self.neighbourhood.hosts.iter().map(|host| &**host);
        hosts.filter(|host| !is_wildcard(host))
    }

    fn exact_domains(&self) -> impl Iterator<Item = &str> {
        let domains = self.domains.iter().map(String::as_str);
        domains.filter(|domain| !is_wildcard(domain))
    }

    /// Whether a member of the neighbourhood wrote one of the rules.
    fn wrote(&self, host: &VirtualHost) -> bool {
        let mut authors = host
            .rules()
            .iter()
            .filter_map(|rule| Some(rule.origin()?.root().resource()));
        let mut members = self.neighbourhood.members.iter();
        authors.any(|author| members.any(|member| member.resource() == author))
    }
}

/// Replaces virtual hosts on port 80, where every VirtualService is, and on the ports of its services (R-H-028).
fn sidecar_side(
    view: &View,
    part: &Mesh,
    proxy: &Proxy,
    hosts: &Hosts<'_>,
    ids: &mut ClusterIds,
) -> Option<Changed> {
    let scope = Scope::sidecar(part, proxy);
    // A Sidecar imports what VirtualServices name, and sends the rest where a DestinationRule may have a say.
    let [egress] = scope.listeners() else {
        return None;
    };
    if egress.is_written() || scope.egress_proxy().is_some() {
        return None;
    }
    // On a port where a wildcard claims no service, the other hosts beside it have no virtual host either.
    let mut covering = hosts.neighbourhood.covering.iter();
    if covering.any(|one| one.hosts.len() > 1) {
        return None;
    }
    let clusters = RefCell::new(Clusters::new(&scope, ids));
    let sidecar = Sidecar::new(proxy, &scope, &clusters);
    let mut http_ports = HttpPorts::new(&sidecar);
    let services: Vec<_> = hosts.names().flat_map(|host| egress.named(host)).collect();
    let ports = services.iter().flat_map(|service| service.ports());
    let ports: BTreeSet<u16> = ports.map(|port| port.number).chain([80]).collect();
    let mut changed = Changed::default();
    for port in ports {
        if let Some((id, config)) = view.named(&port.to_string()) {
            let made = http_ports.on_port(egress, port);
            replace_on_port(config, made, port, hosts, &mut changed, id)?;
        }
        for service in &services {
            if let Some((id, config)) = view.named(&format!("{}:{port}", service.hostname())) {
                let made = http_ports.host_of(egress, service, port);
                let made: Vec<Arc<VirtualHost>> = made.into_iter().collect();
                let kind = made.first().map(|host| host.kind.clone());
                let had_any = changed.domains.contains("*");
                changed.replace(id, config, &["*"], made);
                // By its names it is found, not by a domain.
                if !had_any {
                    changed.domains.remove("*");
                }
                if let Some(VirtualHostKind::OwnListener { names, .. }) = kind {
                    changed.domains.extend(names);
                }
            }
        }
    }
    changed.clusters = clusters.borrow_mut().take_made().collect();
    Some(changed)
}

/// Replaces the virtual hosts of the neighbourhood on a port that services share.
fn replace_on_port(
    config: &RouteConfig,
    made: &VirtualHosts,
    port: u16,
    hosts: &Hosts<'_>,
    changed: &mut Changed,
    id: RouteConfigId,
) -> Option<()> {
    if !made.contested.is_empty() {
        return None;
    }
    let names: HashSet<String> = hosts
        .names()
        .map(|host| domains::domain_name(host, port))
        .collect();
    let is_own = |host: &VirtualHost| names.contains(host.name());
    let may_change = |host: &VirtualHost| host.domains().all(|one| !config.is_contested(one));
    let mut removed = Vec::new();
    for domain in hosts.exact_domains() {
        match config.owner(domain) {
            Some(owner) if is_own(owner) && may_change(owner) => removed.push(domain),
            Some(_) => return None,
            None if config.is_contested(domain) => return None,
            None => {}
        }
    }
    let added: Vec<Arc<VirtualHost>> = made
        .list
        .iter()
        .filter(|host| is_own(host))
        .cloned()
        .collect();
    for host in &added {
        let mut owners = host.domains().filter_map(|domain| config.owner(domain));
        if !may_change(host) || owners.any(|owner| !is_own(owner)) {
            return None;
        }
    }
    changed.replace(id, config, &removed, added);
    Some(())
}

/// Replaces the virtual hosts of the neighbourhood at every server that has them.
fn gateway_side(
    view: &View,
    part: &Mesh,
    proxy: &Proxy,
    hosts: &Hosts<'_>,
    ids: &mut ClusterIds,
) -> Option<Changed> {
    let scope = Scope::gateway(part, proxy);
    let clusters = RefCell::new(Clusters::new(&scope, ids));
    let made = Gateway::new(proxy, &scope, &clusters).route_configs();
    if made.len() != view.route_configs().count() {
        return None;
    }
    // Where a server has a host that a wildcard covers, that is one more domain.
    let servers = part.inner.gateways.iter().flat_map(|one| &one.servers);
    let mut server_hosts = servers
        .flat_map(|server| &server.hosts)
        .map(|host| host.host.to_ascii_lowercase());
    let narrows = |server_host: String| {
        let mut wildcards = hosts.neighbourhood.wildcards();
        wildcards.any(|wildcard| server_host != wildcard && is_subset_of(&server_host, wildcard))
    };
    if hosts.neighbourhood.wildcards().next().is_some() && server_hosts.any(narrows) {
        return None;
    }
    let mut changed = Changed::default();
    for made in made {
        let (id, config) = view.named(made.name())?;
        let mut removed = Vec::new();
        let mut added: Vec<Arc<VirtualHost>> = Vec::new();
        for domain in &hosts.domains {
            let new = made.owner(domain).filter(|_| !is_blackhole(&made));
            let old = config.owner(domain);
            if let Some(old) = old {
                if !is_within(old, hosts) {
                    return None;
                }
                removed.push(&**domain);
            }
            if let Some(new) = new {
                // One that only others wrote may be part of a larger one.
                if !is_within(new, hosts) || !(new.rules().is_empty() || hosts.wrote(new)) {
                    return None;
                }
                if !added.iter().any(|one| Arc::ptr_eq(one, new)) {
                    added.push(Arc::clone(new));
                }
            }
        }
        if removed.is_empty() && added.is_empty() {
            continue;
        }
        if is_blackhole(config) {
            return None;
        }
        changed.replace(id, config, &removed, added);
        let last = changed.configs.last();
        if last.is_some_and(|(_, config)| config.virtual_hosts().next().is_none()) {
            return None;
        }
    }
    changed.clusters = clusters.borrow_mut().take_made().collect();
    Some(changed)
}

/// Whether every domain of a virtual host is one of these hosts.
fn is_within(host: &VirtualHost, hosts: &Hosts<'_>) -> bool {
    host.domains().all(|domain| hosts.domains.contains(domain))
}

/// Whether a route configuration says only that there is none (R-H-066).
fn is_blackhole(config: &RouteConfig) -> bool {
    let mut all = config.virtual_hosts();
    all.next()
        .is_none_or(|first| first.kind == VirtualHostKind::BlackHole)
        && all.next().is_none()
}

impl Changed {
    fn replace(
        &mut self,
        id: RouteConfigId,
        config: &RouteConfig,
        removed: &[&str],
        added: Vec<Arc<VirtualHost>>,
    ) {
        let gone = removed.iter().filter_map(|domain| config.owner(domain));
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for host in gone.chain(&added) {
            names.insert(host.name());
            self.domains.extend(host.domains.iter().cloned());
        }
        self.virtual_hosts += names.len();
        let next = config.with(removed, added);
        self.configs.push((id, Arc::new(next)));
    }
}

#[cfg(test)]
mod tests;
