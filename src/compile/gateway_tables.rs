//! What is kept of a gateway's side, so that a change of the mesh costs what it touches: the merged servers and all claims
//! on their hosts. What VirtualServices, services and DestinationRules say is made anew in its place; Gateways are merged
//! anew as a whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::VirtualService;
use crate::mesh::gateway::ServerTlsMode;
use crate::mesh::gateway_merge::{MergedServer, ServerGroup};
use crate::router::{Listener, Place, ServedGateway, View};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::name::GatewayName;

use super::gateway::{Gateway, served_gateways};
use super::gateway_routes::{GatewayRoutes, StreamServices};
use super::rank::VirtualServiceRank;
use super::reached::Reached;
use super::references::References;
use super::stale::Stale;

/// The merged servers of a gateway workload, and who claims what of them.
#[derive(Clone, Debug)]
pub(super) struct GatewayTables {
    groups: Vec<ServerGroup>,
    routes: GatewayRoutes,
}

impl GatewayTables {
    /// Merges the Gateways and lets everyone claim.
    pub(super) fn new(gateway: &Gateway<'_>) -> (Self, View, Vec<ServedGateway>) {
        let mut merged = gateway.merged();
        let config = gateway.scope.proxy_config();
        if config.is_unprivileged == Some(true) {
            // It may not listen there (R-M-038).
            merged.groups.retain(|group| group.port >= 1024);
        }
        let servers = merged.by_route.iter().flat_map(|(_, servers)| servers);
        let mut names: Vec<GatewayName> =
            servers.map(|server| server.gateway_name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let mut routes = GatewayRoutes::new(merged.by_route);
        for name in names {
            for virtual_service in gateway.scope.virtual_services_for_gateway(&name) {
                if let Some(rank) =
                    VirtualServiceRank::new(virtual_service, gateway.scope.namespace())
                {
                    routes.add(&name, virtual_service, &rank, gateway);
                }
            }
        }
        let configs = routes.configs();
        let tables = GatewayTables {
            groups: merged.groups,
            routes,
        };
        let listeners = tables.listeners(gateway, &|_| true);
        let normalization = gateway.scope.mesh().config.path_normalization;
        let manager = config.connection_manager(true, normalization);
        let view = View::new(listeners, None, configs, manager);
        let served = served_gateways(&tables.groups);
        (tables, view, served)
    }

    /// Whether a service of the workload leads to another of its ports since (R-M-016): then the servers merge otherwise.
    pub(super) fn is_moved(&self, gateway: &Gateway<'_>) -> bool {
        self.groups.iter().any(|group| {
            let mut servers = group.servers.iter();
            servers.any(|server| {
                let port = gateway.listener_port(&server.gateway, server.server().port);
                port != Some(group.port)
            })
        })
    }

    /// The side after a change: stale units are made anew.
    pub(super) fn update(
        &mut self,
        gateway: &Gateway<'_>,
        view: &View,
        stale: &Stale,
        reached: &mut Reached,
    ) -> View {
        for (old, new) in stale.virtual_services.values() {
            if let Some(old) = old {
                let names = old.gateways.iter();
                names.for_each(|name| self.routes.remove(name, old));
            }
            let rank = |new| VirtualServiceRank::new(new, gateway.scope.namespace());
            if let Some(new) = new
                && let Some(rank) = rank(new)
            {
                // One that is named twice is bound once.
                for name in new.gateways.iter().collect::<BTreeSet<_>>() {
                    self.routes.add(name, new, &rank, gateway);
                }
            }
        }
        let mut configs = Vec::new();
        for (id, replaced) in self.routes.replaced() {
            let config = view.route_config(id);
            let removed: Vec<&str> = replaced.removed.iter().map(|domain| &**domain).collect();
            let gone = removed.iter().filter_map(|domain| config.owner(domain));
            reached.replace(
                gone.map(|host| &**host),
                replaced.added.iter().map(|host| &**host),
            );
            configs.push((id, Arc::new(config.with(&removed, replaced.added))));
        }
        // Hosts that are domains of another route configuration only are answered by it at this one.
        let is_only = view.route_configs().nth(1).is_none();
        reached.is_everywhere |= !is_only && reached.domains.contains("*");
        let next = view.with_route_configs(configs);
        let is_stale = |server: &MergedServer| self.is_stream_stale(server, stale);
        let mut wanted: HashSet<Place> = HashSet::default();
        for group in &self.groups {
            if group.servers.iter().any(is_stale) {
                wanted.insert((group.port, group.bind));
            }
        }
        if wanted.is_empty() {
            return next;
        }
        let made = self.listeners(gateway, &|place| wanted.contains(&place));
        let mut changes: HashMap<Place, Option<Arc<Listener>>> =
            wanted.iter().map(|place| (*place, None)).collect();
        changes.extend(made.into_iter().map(|made| (made.place(), Some(made))));
        let next = next.with_listeners(changes);
        for group in &self.groups {
            if !wanted.contains(&(group.port, group.bind)) {
                continue;
            }
            for server in &group.servers {
                let hosts = server.server().hosts.iter();
                let patterns = hosts.map(|host| host.host.to_ascii_lowercase().into());
                reached.patterns.extend(patterns);
            }
        }
        reached.listeners += wanted.len();
        for place in wanted {
            let (old, new) = (view.at(place), next.at(place));
            old.iter().for_each(|old| reached.listener(view, old));
            new.iter().for_each(|new| reached.listener(&next, new));
        }
        next
    }

    /// What something of this side names; `view` is the side as it is.
    pub(super) fn references(&self, view: &View) -> References {
        let mut references = References::default();
        references.add_view(view);
        self.routes.add_references(&mut references);
        references
    }

    /// Whether a server that routes no HTTP has to do with what is stale.
    fn is_stream_stale(&self, server: &MergedServer, stale: &Stale) -> bool {
        if server.route_name.is_some() {
            return false;
        }
        let speaks_of_it = |virtual_service: &Arc<VirtualService>| match mode_of(server) {
            // What is passed through goes by server name.
            Some(ServerTlsMode::Passthrough) => !virtual_service.tls.is_empty(),
            _ => !virtual_service.tcp.is_empty(),
        };
        match mode_of(server) {
            // One chain for every cluster (R-M-030).
            Some(ServerTlsMode::AutoPassthrough) => !stale.services.is_empty(),
            _ => stale.changes().any(|virtual_service| {
                speaks_of_it(virtual_service) && virtual_service.is_bound_to(&server.gateway_name)
            }),
        }
    }

    /// The listeners at the places that are wanted.
    fn listeners(
        &self,
        gateway: &Gateway<'_>,
        wanted: &dyn Fn(Place) -> bool,
    ) -> Vec<Arc<Listener>> {
        let groups = self.groups.iter();
        let groups: Vec<&ServerGroup> = groups
            .filter(|group| wanted((group.port, group.bind)))
            .collect();
        let bound_to = |name: &GatewayName| gateway.scope.virtual_services_for_gateway(name);
        let streams = StreamServices::new(groups.iter().copied(), bound_to);
        gateway.listeners(&groups, &self.routes.ids(), &streams)
    }
}

fn mode_of(server: &MergedServer) -> Option<ServerTlsMode> {
    server.server().tls.as_ref().map(|tls| tls.mode)
}
