//! Changes of resources that can be typed by themselves: the mesh is changed in their places, and of the router only what
//! depends on them is made anew, if that can be told.

use std::sync::Arc;

use super::{Changes, LiveRouter, Reach, Update, is_about};
use crate::mesh::gateway::ServerTlsMode;
use crate::mesh::{DestinationRule, Service, VirtualService};
use crate::resource::{Kind, Resource};
use crate::router::RouterIds;
use crate::terms::host::is_wildcard;
use crate::terms::proxy::ProxyKind;
use crate::{Report, Router};

/// A resource as it was and as it will be.
type Change<T> = (Option<Arc<T>>, Option<Arc<T>>);

/// What changes.
#[derive(Default)]
struct Typed {
    virtual_services: Vec<Change<VirtualService>>,
    destination_rules: Vec<Change<DestinationRule>>,
}

impl LiveRouter {
    /// Changes of resources that can be typed by themselves.
    pub(super) fn follow(&mut self, changes: Changes) -> Result<Update, Report> {
        let mut report = changes.notes;
        let mut typed = Typed::default();
        for (key, new) in &changes.resources {
            let meta = self.documents.get(key).map(Resource::meta);
            let name =
                meta.map(|meta| (meta.creation_timestamp.unwrap_or(0), meta.qualified_name()));
            let (mesh, inner) = (&self.mesh, &self.mesh.inner);
            let (new, name) = (new.as_ref(), name.as_ref());
            match key.kind() {
                Kind::VirtualService => typed.virtual_services.push((
                    name.and_then(|(age, name)| inner.virtual_service(*age, name).cloned()),
                    new.and_then(|new| mesh.type_virtual_service(new, &mut report)),
                )),
                Kind::DestinationRule => typed.destination_rules.push((
                    name.and_then(|(age, name)| inner.destination_rule(*age, name).cloned()),
                    new.and_then(|new| mesh.type_destination_rule(new, &mut report)),
                )),
                // It is not there, and goes.
                _ => {}
            }
        }
        if report.has_errors() {
            return Err(report);
        }
        self.change_mesh(&typed, &changes.resources, &mut report);
        for (key, new) in changes.resources {
            self.documents.set(key, new);
        }
        let mut ids = std::mem::take(&mut self.ids);
        let updated = self.updated(&typed, &mut ids);
        self.ids = ids;
        let reach = self.take_over(updated, Reach::Router);
        Ok(Update { reach, report })
    }

    /// Takes over a router of which only some virtual hosts are new, or compiles one, which reaches so far.
    pub(super) fn take_over(&mut self, updated: Option<(Router, usize)>, compiled: Reach) -> Reach {
        let (router, reach) = match updated {
            Some((router, virtual_hosts)) => (router, Reach::VirtualHosts(virtual_hosts)),
            None => {
                let ids = &mut self.ids;
                let router = Router::compile_with(&self.mesh, &self.proxy, ids);
                (router, compiled)
            }
        };
        self.router = router;
        reach
    }

    fn change_mesh(
        &mut self,
        typed: &Typed,
        resources: &[(super::Key, Option<Resource>)],
        report: &mut Report,
    ) {
        let inner = Arc::make_mut(&mut self.mesh.inner);
        for (old, new) in &typed.virtual_services {
            inner.replace_virtual_service(old.as_deref(), new.as_ref());
            old.iter().for_each(|old| self.hosts.remove(old));
            new.iter().for_each(|new| self.hosts.insert(new));
        }
        for (old, new) in &typed.destination_rules {
            inner.replace_destination_rule(old.as_deref(), new.as_ref());
            self.rules.replace(old.as_deref(), new.as_ref());
        }
        let documents: Vec<&Resource> = resources
            .iter()
            .filter_map(|(_, new)| new.as_ref())
            .collect();
        let keys: Vec<super::Key> = resources.iter().map(|(key, _)| key.clone()).collect();
        let mut facts = Report::new();
        for changed in typed.all_destination_rules() {
            let group = self.rules.group(changed);
            self.mesh
                .merge_destination_rules(changed, group, &documents, &mut facts);
        }
        for fact in facts {
            if is_about(&fact, &keys, false) && !report.iter().any(|known| *known == fact) {
                report.push(fact);
            }
        }
    }

    /// The router after the changes that the mesh has had, if what depends on them can be told.
    fn updated(&self, typed: &Typed, ids: &mut RouterIds) -> Option<(Router, usize)> {
        let mut hosts: Vec<&str> = Vec::new();
        for one in typed.all_virtual_services() {
            if !one.is_http_only() {
                return None;
            }
            hosts.extend(one.hosts.iter().map(|host| &**host));
        }
        if typed.all_destination_rules().next().is_some() && self.has_chains_of_all_clusters() {
            return None;
        }
        for rule in typed.all_destination_rules() {
            hosts.extend(self.depending_on_clusters_of(&rule.host)?);
        }
        self.updated_for(hosts, typed, ids)
    }

    /// The router after services have got other endpoints, if what depends on them can be told.
    pub(super) fn with_endpoints_of(
        &self,
        services: &[&Arc<Service>],
        ids: &mut RouterIds,
    ) -> Option<(Router, usize)> {
        // Some endpoint may be the proxy itself, and say which of its ports the Gateways' listeners are.
        if self.proxy.kind() == ProxyKind::Gateway && self.proxy.address().is_some() {
            return None;
        }
        if self.has_chains_of_all_clusters() {
            return None;
        }
        let mut hosts: Vec<&str> = Vec::new();
        for service in services {
            hosts.extend(self.depending_on_clusters_of(&service.hostname)?);
        }
        self.updated_for(hosts, &Typed::default(), ids)
    }

    /// With the virtual hosts of these hosts made anew.
    fn updated_for(
        &self,
        hosts: Vec<&str>,
        typed: &Typed,
        ids: &mut RouterIds,
    ) -> Option<(Router, usize)> {
        let neighbourhood = self.hosts.neighbourhood(hosts)?;
        let is_in_mesh = |one: &Arc<VirtualService>| one.is_in_mesh();
        let mut all = typed.all_virtual_services().chain(&neighbourhood.members);
        let affected = (&neighbourhood, all.any(is_in_mesh));
        let services = &self.workload_services;
        self.router
            .updated(&self.mesh, &self.proxy, services, affected, ids)
    }

    /// Whether some server of a Gateway has a chain for every cluster (R-M-030).
    fn has_chains_of_all_clusters(&self) -> bool {
        let gateways = self.mesh.inner.gateways.iter();
        let servers = gateways.flat_map(|gateway| &gateway.servers);
        let mut tls = servers.filter_map(|server| server.tls.as_ref());
        tls.any(|tls| tls.mode == ServerTlsMode::AutoPassthrough)
    }

    /// The hosts of which the virtual hosts depend on the clusters of `host`: its own, and those of VirtualServices that
    /// lead to it. `None`: more than virtual hosts depends on them.
    fn depending_on_clusters_of<'a>(&'a self, host: &'a str) -> Option<Vec<&'a str>> {
        if is_wildcard(host) {
            return None;
        }
        let inner = &self.mesh.inner;
        let services = inner.service_index.named(host);
        let mut ports = services.iter().flat_map(|service| service.ports.iter());
        if !ports.all(|port| port.protocol.is_http()) {
            return None;
        }
        let aliases = services.iter().flat_map(|service| service.aliases.iter());
        let mut hosts = vec![host];
        hosts.extend(aliases.map(|alias| &*alias.hostname));
        let mut leading = Vec::new();
        for host in &hosts {
            for one in self.hosts.leading_to(host) {
                if !one.is_http_only() {
                    return None;
                }
                leading.extend(one.hosts.iter().map(|host| &**host));
            }
        }
        hosts.extend(leading);
        Some(hosts)
    }
}

impl Typed {
    fn all_virtual_services(&self) -> impl Iterator<Item = &Arc<VirtualService>> {
        let all = self.virtual_services.iter();
        all.flat_map(|(old, new)| old.iter().chain(new))
    }

    fn all_destination_rules(&self) -> impl Iterator<Item = &Arc<DestinationRule>> {
        let all = self.destination_rules.iter();
        all.flat_map(|(old, new)| old.iter().chain(new))
    }
}
