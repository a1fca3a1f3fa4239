//! The route configurations of a gateway workload, and which VirtualService has to do with which of their servers.

use std::sync::Arc;

use crate::mesh::gateway_merge::{MergedServer, ServerGroup};
use crate::mesh::virtual_service::VirtualService;
use crate::router::{RouteConfig, RouteConfigId};
use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;

use super::gateway_hosts::{AtServers, Replaced, RouteHosts, ServerHosts};
use super::rank::VirtualServiceRank;
use super::references::References;

/// All route configurations of a gateway workload, by the place that their [`RouteConfigId`] says.
#[derive(Clone, Debug, Default)]
pub(super) struct GatewayRoutes {
    routes: Vec<(Arc<str>, RouteHosts)>,
    /// By name of the Gateway, the servers that route HTTP.
    servers: HashMap<GatewayName, ServerHosts>,
}

impl GatewayRoutes {
    /// For the servers behind each route name.
    pub(super) fn new(by_route: Vec<(Arc<str>, Vec<MergedServer>)>) -> Self {
        let mut routes = GatewayRoutes::default();
        for (route, (name, servers)) in (0..).zip(by_route) {
            for (at, server) in (0..).zip(&servers) {
                let gateway = server.gateway_name.clone();
                let hosts = routes.servers.entry(gateway).or_default();
                hosts.insert((route, at), &server.server().hosts);
            }
            routes.routes.push((name, RouteHosts::new(servers)));
        }
        routes
    }

    /// A VirtualService is bound to `gateway`, or says something else.
    pub(super) fn add(
        &mut self,
        gateway: &GatewayName,
        virtual_service: &Arc<VirtualService>,
        rank: &VirtualServiceRank,
        view: &dyn AtServers,
    ) {
        let Some(servers) = self.servers.get(gateway) else {
            return;
        };
        let shared = servers.shared_with(virtual_service);
        for shared in shared.chunk_by(|a, b| a.route == b.route) {
            let (_, hosts) = &mut self.routes[shared[0].route as usize];
            hosts.add(gateway, virtual_service, rank.clone(), shared, view);
        }
    }

    /// A VirtualService says nothing at `gateway` any more.
    pub(super) fn remove(&mut self, gateway: &GatewayName, virtual_service: &VirtualService) {
        let Some(servers) = self.servers.get(gateway) else {
            return;
        };
        let shared = servers.shared_with(virtual_service);
        for shared in shared.chunk_by(|a, b| a.route == b.route) {
            let (_, hosts) = &mut self.routes[shared[0].route as usize];
            hosts.remove(gateway, virtual_service.resource());
        }
    }

    /// All of them, when all claims have come.
    pub(super) fn configs(&mut self) -> Vec<Arc<RouteConfig>> {
        let routes = self.routes.iter_mut();
        routes
            .map(|(name, hosts)| Arc::new(hosts.route_config(name)))
            .collect()
    }

    /// Their ids by name.
    pub(super) fn ids(&self) -> HashMap<Arc<str>, RouteConfigId> {
        let names = self.routes.iter().map(|(name, _)| Arc::clone(name));
        names.zip((0..).map(RouteConfigId)).collect()
    }

    /// Adds what any VirtualService that is bound here names.
    pub(super) fn add_references(&self, references: &mut References) {
        let hosts = self.routes.iter().map(|(_, hosts)| hosts);
        let rules = hosts.flat_map(RouteHosts::rules_of_units);
        rules.for_each(|rules| references.add_rules(rules));
    }

    /// Those of which some claim has changed, with what takes the place of what.
    pub(super) fn replaced(&mut self) -> impl Iterator<Item = (RouteConfigId, Replaced)> {
        let routes = (0..).map(RouteConfigId).zip(&mut self.routes);
        let changed = routes.filter(|(_, (_, hosts))| hosts.has_changed());
        changed.map(|(id, (_, hosts))| (id, hosts.replaced()))
    }
}

/// The VirtualServices that have to do with the servers that route no HTTP, in the order that decides.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamServices {
    /// By place of the server among all of the merge.
    by_server: HashMap<usize, Vec<Arc<VirtualService>>>,
}

impl StreamServices {
    /// Finds them for the servers of `groups`; `bound_to` lists those bound to a Gateway in the order that decides.
    pub(super) fn new<'g, 'v, I>(
        groups: impl Iterator<Item = &'g ServerGroup>,
        bound_to: impl Fn(&GatewayName) -> I,
    ) -> Self
    where
        I: Iterator<Item = &'v Arc<VirtualService>>,
    {
        let mut places: Vec<usize> = Vec::new();
        let mut names: Vec<&GatewayName> = Vec::new();
        let mut by_gateway: HashMap<&GatewayName, ServerHosts> = HashMap::default();
        let servers = groups.flat_map(|group| &group.servers);
        for server in servers.filter(|server| server.route_name.is_none()) {
            let hosts = by_gateway.entry(&server.gateway_name).or_insert_with(|| {
                names.push(&server.gateway_name);
                ServerHosts::default()
            });
            hosts.insert((0, places.len() as u32), &server.server().hosts);
            places.push(server.place);
        }
        let mut found = StreamServices::default();
        for gateway in names {
            let hosts = &by_gateway[gateway];
            for virtual_service in
                bound_to(gateway).filter(|virtual_service| !virtual_service.is_http_only())
            {
                let mut servers: Vec<u32> = hosts
                    .shared_with(virtual_service)
                    .iter()
                    .map(|it| it.server)
                    .collect();
                servers.dedup();
                for at in servers {
                    let list = found.by_server.entry(places[at as usize]).or_default();
                    list.push(Arc::clone(virtual_service));
                }
            }
        }
        found
    }

    /// Those of one server.
    pub(super) fn of(&self, server: &MergedServer) -> &[Arc<VirtualService>] {
        self.by_server.get(&server.place).map_or(&[], Vec::as_slice)
    }
}
