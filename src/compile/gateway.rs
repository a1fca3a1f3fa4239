//! The listeners of a gateway workload: its merged servers, each group with the filter chains of its kind
//! (R-M-018..R-M-030, R-M-037).

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::mesh::gateway::{Gateway as GatewayResource, Server};
use crate::mesh::service::Protocol;
use crate::mesh::virtual_service::{DestinationRef, VirtualService};
use crate::router::{
    ChainMatch, ClusterId, Filter, FilterChain, GatewayBinding, Listener, RouteConfig,
    RouteConfigId, RouteConfigs, ServerBinding, TcpProxy, View,
};
use crate::terms::host;
use crate::terms::name::GatewayName;
use crate::terms::proxy::{Proxy, ProxyKind};
use crate::terms::route_policy::HashKey;

use super::clusters::Clusters;
use super::gateway_hosts::{self, GatewayView};
use super::gateway_tcp::{self, TakenNames};
use super::http_rules::Listening;
use super::scope::Scope;
use super::tcp_filters::FilterMaker;
use crate::mesh::gateway_merge::{self, MergedGateways, MergedServer, ServerGroup};

/// The VirtualServices bound to one gateway, in the order that decides.
type BoundServices = Arc<[Arc<VirtualService>]>;

/// What all listeners of one gateway workload are made from.
pub(super) struct Gateway<'a> {
    proxy: &'a Proxy,
    scope: &'a Scope<'a>,
    clusters: &'a RefCell<Clusters<'a>>,
    /// The VirtualServices of each gateway that was asked for, listed once.
    bound: RefCell<HashMap<GatewayName, BoundServices>>,
}

/// Chains of one listener while they are put together.
struct Draft {
    bind: Option<IpAddr>,
    port: u16,
    chains: Vec<FilterChain>,
    taken: TakenNames,
}

impl<'a> Gateway<'a> {
    pub(super) fn new(
        proxy: &'a Proxy,
        scope: &'a Scope<'a>,
        clusters: &'a RefCell<Clusters<'a>>,
    ) -> Self {
        Gateway {
            proxy,
            scope,
            clusters,
            bound: RefCell::default(),
        }
    }

    /// Every route configuration by itself.
    pub(super) fn route_configs(&self) -> Vec<RouteConfig> {
        let by_route = self.merged().by_route;
        let configs = by_route.iter();
        configs
            .map(|(name, servers)| gateway_hosts::route_config(name, servers, self))
            .collect()
    }

    fn merged(&self) -> MergedGateways<'a> {
        let gateways = self.scope.mesh().gateways.iter();
        let selected = gateways.filter(|gateway| self.selects(gateway));
        gateway_merge::merge(selected, &|port| self.listener_port(port))
    }

    /// Listeners of the gateway side, and what the simple door needs to find them.
    pub(super) fn view(&self) -> (View, Vec<GatewayBinding>) {
        let merged = self.merged();
        let mut made = RouteConfigs::default();
        let configs: HashMap<&str, RouteConfigId> = merged
            .by_route
            .iter()
            .map(|(name, servers)| {
                let config = gateway_hosts::route_config(name, servers, self);
                (&**name, made.add(config))
            })
            .collect();

        let mut drafts: Vec<Draft> = Vec::new();
        let mut places: HashMap<(u16, Option<IpAddr>), usize> = HashMap::default();
        for group in &merged.groups {
            let place = *places.entry((group.port, group.bind)).or_insert_with(|| {
                drafts.push(Draft {
                    bind: group.bind,
                    port: group.port,
                    chains: Vec::new(),
                    taken: TakenNames::new(),
                });
                drafts.len() - 1
            });
            self.add_chains(group, &configs, &mut drafts[place]);
        }
        let listeners = drafts
            .into_iter()
            .filter(|draft| !draft.chains.is_empty())
            .map(|draft| {
                let name = gateway_tcp::listener_name(draft.bind, draft.port);
                Arc::new(Listener::new(
                    name,
                    draft.bind,
                    draft.port,
                    draft.chains,
                    None,
                ))
            })
            .collect();
        let normalization = self.scope.mesh().config.path_normalization;
        let view = View::new(listeners, None, made, normalization);
        (view, bindings(&merged.groups))
    }

    /// By its selector; a proxy that stands for everything binds every Gateway (R-M-013).
    fn selects(&self, gateway: &GatewayResource) -> bool {
        self.proxy.kind() == ProxyKind::Any
            || gateway
                .selector
                .as_ref()
                .is_none_or(|selector| selector.selects(self.proxy.labels()))
    }

    /// The workload's port behind a server port: the target port of the first service of the workload that has it
    /// (R-M-016).
    fn listener_port(&self, port: u16) -> u16 {
        if self.proxy.kind() == ProxyKind::Any {
            return port;
        }
        self.scope.workload_port(port).unwrap_or(port)
    }

    fn add_chains(
        &self,
        group: &ServerGroup<'a>,
        configs: &HashMap<&str, RouteConfigId>,
        draft: &mut Draft,
    ) {
        let Some(first) = group.servers.first() else {
            return;
        };
        // All plain HTTP servers of a group share one chain and one route configuration.
        if first.server.protocol.is_http() {
            if let Some(&config) = configs.get(&*group.route_name) {
                draft.chains.push(FilterChain {
                    name: "".into(),
                    matches: ChainMatch::default(),
                    terminates_tls: false,
                    filter: Filter::Http(config),
                });
            }
            return;
        }
        for server in &group.servers {
            if gateway_merge::routes_http(server.server) {
                if let Some(&config) = configs.get(&*server.route_name) {
                    draft.chains.push(FilterChain {
                        name: server.server.port_name.clone(),
                        matches: ChainMatch {
                            server_names: gateway_tcp::server_names(&server.sni_hosts),
                            ..ChainMatch::default()
                        },
                        terminates_tls: true,
                        filter: Filter::Http(config),
                    });
                }
                continue;
            }
            let virtual_services = self.virtual_services(&server.gateway_name);
            let filters = FilterMaker::new(self.scope, self.clusters);
            draft.chains.extend(gateway_tcp::chains(
                server,
                &virtual_services,
                &filters,
                &mut |server| self.auto_passthrough(server),
                &mut draft.taken,
            ));
        }
    }

    /// One chain for each cluster of each mesh service that the server's hosts cover, by the server name that Istio's
    /// sidecars send (R-M-030).
    fn auto_passthrough(&self, server: &MergedServer<'_>) -> Vec<FilterChain> {
        let mut out = Vec::new();
        for view in self.scope.services() {
            let service = view.service();
            let hosts = server.server.hosts.iter();
            let covered = hosts
                .map(|one| &one.host)
                .any(|one| host::is_subset_of(&service.hostname, one));
            if service.mesh_external || !covered {
                continue;
            }
            let rule = self.clusters.borrow_mut().rule(&service.hostname);
            for port in view.ports() {
                if port.protocol == Protocol::Udp {
                    continue;
                }
                let subsets = rule.iter().flat_map(|rule| rule.subsets());
                let names = std::iter::once("").chain(subsets.map(|subset| &*subset.name));
                for subset in names {
                    let cluster = self.clusters.borrow_mut().cluster(
                        &service.hostname,
                        port.number,
                        &subset.into(),
                    );
                    let sni = format!("outbound_.{}_.{subset}_.{}", port.number, service.hostname);
                    out.push(FilterChain {
                        name: "".into(),
                        matches: ChainMatch {
                            server_names: vec![sni.to_ascii_lowercase().into()],
                            application_protocols: vec![
                                "istio-peer-exchange".into(),
                                "istio".into(),
                                "istio-http/1.0".into(),
                                "istio-http/1.1".into(),
                                "istio-h2".into(),
                            ],
                            ..ChainMatch::default()
                        },
                        terminates_tls: false,
                        filter: Filter::Tcp(TcpProxy::to(cluster)),
                    });
                }
            }
        }
        out
    }
}

impl<'a> GatewayView<'a> for Gateway<'a> {
    fn virtual_services(&self, gateway: &GatewayName) -> Arc<[Arc<VirtualService>]> {
        let mut bound = self.bound.borrow_mut();
        let list = bound.entry(gateway.clone()).or_insert_with(|| {
            let services = self.scope.virtual_services_for_gateway(gateway);
            services.cloned().collect()
        });
        Arc::clone(list)
    }

    fn listening<'s>(&'s self, server: &'s MergedServer<'a>) -> Box<dyn Listening + 's> {
        Box::new(AtServer {
            gateway: self,
            name: &server.gateway_name,
            server: server.server,
        })
    }
}

/// One server of a gateway, as VirtualServices see it.
struct AtServer<'s, 'a> {
    gateway: &'s Gateway<'a>,
    name: &'s GatewayName,
    server: &'s Server,
}

impl Listening for AtServer<'_, '_> {
    fn gateway(&self) -> &GatewayName {
        self.name
    }

    fn port(&self) -> u16 {
        self.server.port
    }

    fn is_tls(&self) -> bool {
        // Any TLS settings count, also those of a plain HTTP server that only redirects (Istio: `IsTLS: server.Tls != nil`).
        self.server.tls.is_some()
    }

    fn proxy(&self) -> &Proxy {
        self.gateway.proxy
    }

    /// The whole service: the VirtualService's namespace first (R-M-046, R-M-138).
    fn destination(&self, destination: &DestinationRef, namespace: &str) -> ClusterId {
        let service = self.gateway.scope.service_for(&destination.host, namespace);
        self.gateway.clusters.borrow_mut().destination(
            destination,
            service.as_ref(),
            self.server.port,
        )
    }

    fn hash_key(&self, host: &Arc<str>, subset: &str, port: Option<u16>) -> Option<HashKey> {
        let mut clusters = self.gateway.clusters.borrow_mut();
        clusters.rule(host)?.hash_key(subset, port).cloned()
    }
}

/// Gateways by name, with the servers that survived merging, for the simple door.
fn bindings(groups: &[ServerGroup<'_>]) -> Vec<GatewayBinding> {
    let mut out: Vec<GatewayBinding> = Vec::new();
    let mut servers: Vec<(&MergedServer<'_>, &ServerGroup<'_>)> = groups
        .iter()
        .flat_map(|group| group.servers.iter().map(move |server| (server, group)))
        .collect();
    // As written within each Gateway, not as grouped.
    servers.sort_by_key(|(server, _)| server.place);
    for (server, group) in servers {
        let resource = &server.gateway.resource;
        let binding = ServerBinding {
            hosts: server
                .server
                .hosts
                .iter()
                .map(|host| host.host.clone())
                .collect(),
            port: group.port,
            bind: group.bind,
            tls: gateway_merge::is_tls(server.server),
        };
        let same = |one: &&mut GatewayBinding| {
            *one.namespace == *resource.namespace && *one.name == *resource.name
        };
        match out.iter_mut().find(same) {
            Some(gateway) => gateway.servers.push(binding),
            None => out.push(GatewayBinding {
                namespace: resource.namespace.to_string().into(),
                name: resource.name.to_string().into(),
                servers: vec![binding],
            }),
        }
    }
    out
}
