//! A router and all that makes its next version cheap: the claims of both sides, and the ids of clusters.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::mesh::Mesh;
use crate::mesh::change::MeshChange;
use crate::router::{
    Cluster, ClusterId, ClusterSide, KnownDomains, Router, RouterIds, Tables, Unsettled,
};
use crate::terms::proxy::{Proxy, ProxyKind};
use crate::terms::threads;

use super::clusters::Clusters;
use super::gateway::Gateway;
use super::gateway_tables::GatewayTables;
use super::reached::Reached;
use super::scope::Scope;
use super::sidecar::Sidecar;
use super::sidecar_tables::{self, SidecarTables};
use super::stale::Stale;

/// Two views of a mesh with fewer VirtualServices are made before another thread has started.
const WORTHWHILE: usize = 200;

/// What was compiled for one proxy, with what the next version is made from.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    router: Router,
    ids: RouterIds,
    sidecar: Option<SidecarTables>,
    gateway: Option<GatewayTables>,
    /// Of the router, once a wildcard has changed.
    known: Option<KnownDomains>,
}

/// How far an update has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So many listeners and virtual hosts went, came or were made anew.
    Partial {
        listeners: usize,
        virtual_hosts: usize,
    },
    /// Everything was made anew.
    Whole,
}

impl Compiled {
    /// Compiles what `proxy` sees of `mesh`.
    pub(crate) fn new(mesh: &Mesh, proxy: &Proxy) -> Self {
        Compiled::with_ids(mesh, proxy, RouterIds::default())
    }

    /// The router.
    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    /// The router alone.
    pub(crate) fn into_router(self) -> Router {
        self.router
    }

    /// The router, and the ids of its clusters.
    #[cfg(test)]
    pub(crate) fn into_parts(self) -> (Router, RouterIds) {
        (self.router, self.ids)
    }

    /// The same, where names of clusters have the ids that they had before.
    pub(crate) fn with_ids(mesh: &Mesh, proxy: &Proxy, mut ids: RouterIds) -> Self {
        let mut tables = Tables {
            namespace: proxy.namespace().into(),
            ..Tables::default()
        };
        let (mesh_ids, gateway_ids) = (&mut ids.mesh, &mut ids.gateway);
        let sidecar = || {
            let scope = Scope::sidecar(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope, mesh_ids));
            let made = SidecarTables::new(&Sidecar::new(proxy, &scope, &clusters));
            let all = all_of(&clusters);
            (made, sidecar_tables::service_ports(&scope), all)
        };
        let gateway = || {
            let scope = Scope::gateway(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope, gateway_ids));
            let made = GatewayTables::new(&Gateway::new(proxy, &scope, &clusters));
            let all = all_of(&clusters);
            (made, all)
        };
        let (is_sidecar, is_gateway) = (
            proxy.kind() != ProxyKind::Gateway,
            proxy.kind() != ProxyKind::Sidecar,
        );
        let is_large = mesh.inner.virtual_services.len() > WORTHWHILE;
        let (sidecar, gateway) = threads::both(
            is_sidecar && is_gateway && is_large,
            || is_sidecar.then(sidecar),
            || is_gateway.then(gateway),
        );
        let sidecar = sidecar.map(|((kept, view), ports, clusters)| {
            tables.clusters.set_with_gaps(ClusterSide::Mesh, clusters);
            tables.mesh = Some(view);
            tables.http_ports = ports;
            kept
        });
        let gateway = gateway.map(|((kept, view, served), clusters)| {
            tables
                .clusters
                .set_with_gaps(ClusterSide::Gateway, clusters);
            tables.gateway = Some(view);
            tables.gateways = served.into();
            kept
        });
        Compiled {
            router: Router::new(tables),
            ids,
            sidecar,
            gateway,
            known: None,
        }
    }

    /// Takes over a change of the mesh, which is now `mesh`. The router is then what compiling it anew would make, but for
    /// ids of clusters, which stay.
    ///
    /// # Complexity
    /// In proportion to the units that the change makes stale and to what they claim, except for [`MeshChange::whole`]; and
    /// to all that is answered at a sidecar's port 80 on every address, where this listener comes, goes or changes, or the
    /// virtual host of every host. Once in a while, after a number of new clusters in proportion, also to all rules and clusters:
    /// then the places of those that are gone and that nothing names are made free.
    pub(crate) fn update(&mut self, mesh: &Mesh, proxy: &Proxy, change: &MeshChange) -> Extent {
        let extent = match change.whole {
            true => None,
            false => self.updated(mesh, proxy, &Stale::new(mesh, change)),
        };
        extent.unwrap_or_else(|| {
            let ids = std::mem::take(&mut self.ids);
            *self = Compiled::with_ids(mesh, proxy, ids);
            Extent::Whole
        })
    }

    /// Makes what is stale anew; `None`: the Gateways have to be merged anew, or the Sidecar leads unknown traffic elsewhere.
    fn updated(&mut self, mesh: &Mesh, proxy: &Proxy, stale: &Stale) -> Option<Extent> {
        let mut tables = Tables::clone(&self.router.tables);
        let mut reached = Reached::default();
        let (mut made, mut released) = (Vec::new(), Vec::new());
        if let (Some(kept), Some(view)) = (&mut self.sidecar, &tables.mesh) {
            let scope = Scope::sidecar(mesh, proxy);
            let egress_proxy = scope.egress_proxy();
            if egress_proxy.is_some_and(|proxy| stale.hosts.contains(&proxy.host)) {
                return None;
            }
            let clusters = RefCell::new(Clusters::new(&scope, &mut self.ids.mesh));
            let sidecar = Sidecar::new(proxy, &scope, &clusters);
            let mut next = kept.update(&sidecar, view, stale, &mut reached);
            tables.http_ports =
                sidecar_tables::stale_service_ports(&scope, &tables.http_ports, stale);
            let clusters = &mut *clusters.borrow_mut();
            stale.hosts.iter().for_each(|host| clusters.remake(host));
            if clusters.is_crowded() || kept.is_crowded() {
                let (named, references) = kept.release(&next);
                next = named;
                released.extend(clusters.release(&references, &tables.clusters));
            }
            tables.mesh = Some(next);
            made.extend(clusters.take_made());
        }
        if let (Some(kept), Some(view)) = (&mut self.gateway, &tables.gateway) {
            let scope = Scope::gateway(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope, &mut self.ids.gateway));
            let gateway = Gateway::new(proxy, &scope, &clusters);
            let moves = scope.has_targets_among(&stale.changed_services)
                || scope.has_targets_among(&stale.moved_services);
            if moves && kept.is_moved(&gateway) {
                return None;
            }
            let next = kept.update(&gateway, view, stale, &mut reached);
            let clusters = &mut *clusters.borrow_mut();
            stale.hosts.iter().for_each(|host| clusters.remake(host));
            if clusters.is_crowded() {
                let references = kept.references(&next);
                released.extend(clusters.release(&references, &tables.clusters));
            }
            tables.gateway = Some(next);
            made.extend(clusters.take_made());
        }
        settle_leading(mesh, &tables, &made, &mut reached);
        tables.clusters = tables.clusters.with(made, &released);
        let Reached {
            domains,
            patterns,
            virtual_hosts,
            listeners,
            places,
            is_everywhere,
        } = reached;
        let changed = Unsettled {
            domains: domains.iter().map(|domain| &**domain).collect(),
            patterns: patterns.iter().map(|pattern| &**pattern).collect(),
            listeners: places,
            is_everywhere,
        };
        self.router = Router::resettled(tables, &changed, &mut self.known);
        Some(Extent::Partial {
            listeners,
            virtual_hosts,
        })
    }
}

/// Every cluster of a side, in the order of the ids.
fn all_of(clusters: &RefCell<Clusters<'_>>) -> Vec<(ClusterId, Cluster)> {
    let mut clusters = clusters.borrow_mut();
    clusters.make_all();
    clusters.take_all()
}

/// What leads to a cluster that exists no more, or exists now, is settled anew for the simple door.
fn settle_leading(
    mesh: &Mesh,
    tables: &Tables,
    made: &[(ClusterId, Cluster)],
    reached: &mut Reached,
) {
    let inner = &mesh.inner;
    let mut domains: BTreeSet<Box<str>> = BTreeSet::new();
    for (id, new) in made {
        let old = tables.clusters.get(*id);
        if old.is_none_or(|old| old.refusal() == new.refusal()) {
            continue;
        }
        let host = new.host();
        let services = inner.service_index.folded(host).iter();
        let aliases = services.flat_map(|service| service.aliases.iter());
        let names = aliases.map(|alias| &*alias.hostname);
        domains.insert(host.to_ascii_lowercase().into());
        for name in names.chain(std::iter::once(host)) {
            let leading = inner.virtual_service_hosts().leading_to(name);
            let hosts = leading.flat_map(|virtual_service| &virtual_service.hosts);
            domains.extend(hosts.map(|host| host.to_ascii_lowercase().into()));
        }
    }
    if domains.is_empty() {
        return;
    }
    for view in [&tables.mesh, &tables.gateway].into_iter().flatten() {
        // Who has one domain has no others to tell of: listeners of a service's own, which are many.
        let configs = view.route_configs();
        for config in configs.filter(|config| config.domains_count() > 1) {
            let owners = domains.iter().filter_map(|domain| config.owner(domain));
            let domains = owners.flat_map(|host| host.domains.iter().cloned());
            reached.domains.extend(domains);
        }
    }
    reached.domains.append(&mut domains);
    reached.is_everywhere |= reached.domains.contains("*");
}

#[cfg(test)]
mod tests;
