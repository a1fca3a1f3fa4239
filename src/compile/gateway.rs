//! The listeners of a gateway workload: its merged servers, each group with the filter chains of its kind
//! (R-M-018..R-M-030, R-M-037).

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::mesh::gateway::{Gateway as GatewayResource, Server};
use crate::mesh::service::Protocol;
use crate::mesh::virtual_service::DestinationRef;
use crate::router::{
    ChainMatch, ClusterId, Filter, FilterChain, Listener, Place, RouteConfigId, ServedGateway,
    ServedServer, TcpProxy,
};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::overlap_index::OverlapIndex;
use crate::terms::proxy::{Proxy, ProxyKind};
use crate::terms::route_policy::HashKey;

use super::clusters::Clusters;
use super::gateway_hosts::AtServers;
use super::gateway_routes::StreamServices;
use super::gateway_tcp::{self, TakenNames};
use super::http_rules::Listening;
use super::scope::{Scope, ServiceView};
use super::tcp_filters::FilterMaker;
use crate::mesh::gateway_merge::{self, MergedGateways, MergedServer, ServerGroup};

/// What all listeners of one gateway workload are made from.
pub(super) struct Gateway<'a> {
    proxy: &'a Proxy,
    pub(super) scope: &'a Scope<'a>,
    clusters: &'a RefCell<Clusters<'a>>,
    /// Found when a server first passes everything through.
    services: OnceCell<Services>,
}

/// The services of the proxy, and their places by host name.
struct Services {
    all: Vec<ServiceView>,
    by_host: OverlapIndex<usize>,
}

impl Services {
    fn new(all: Vec<ServiceView>) -> Self {
        let mut by_host = OverlapIndex::default();
        for (place, view) in all.iter().enumerate() {
            by_host.insert(view.hostname(), place);
        }
        Services { all, by_host }
    }

    /// Those that a host of the server covers, in order.
    fn covered_by<'s>(&'s self, server: &'s Server) -> impl Iterator<Item = &'s ServiceView> {
        let hosts = server.hosts.iter();
        let same = |host: &'s str| {
            self.by_host
                .at(host)
                .iter()
                .chain(self.by_host.covered(host))
        };
        let mut places: Vec<usize> = hosts.flat_map(|host| same(&host.host)).copied().collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.all[place])
    }
}

/// Chains of one listener while they are put together.
#[derive(Default)]
struct ListenerChains {
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
            services: OnceCell::new(),
        }
    }

    pub(super) fn merged(&self) -> MergedGateways<'a> {
        let gateways = self.scope.mesh().gateways.iter();
        let mut selected: Vec<_> = gateways.filter(|gateway| self.selects(gateway)).collect();
        if self.proxy.kind() != ProxyKind::Any {
            without_strangers(&mut selected);
        }
        gateway_merge::merge(selected, &|gateway, port| self.listener_port(gateway, port))
    }

    /// The listeners of these groups of servers, in no order; one that would have no chain is left out.
    pub(super) fn listeners(
        &self,
        groups: &[&ServerGroup],
        configs: &HashMap<Arc<str>, RouteConfigId>,
        streams: &StreamServices,
    ) -> Vec<Arc<Listener>> {
        let mut listeners: HashMap<Place, ListenerChains> = HashMap::default();
        for group in groups {
            let listener = listeners.entry((group.port, group.bind)).or_default();
            self.add_chains(group, configs, streams, listener);
        }
        let with_chains = listeners
            .into_iter()
            .filter(|(_, listener)| !listener.chains.is_empty());
        with_chains
            .map(|((port, bind), listener)| {
                let name = gateway_tcp::listener_name(bind, port);
                Arc::new(Listener::new(name, bind, port, listener.chains, None))
            })
            .collect()
    }

    /// By its Services or its selector; a proxy that stands for everything binds every Gateway (R-M-013, R-G-017).
    fn selects(&self, gateway: &GatewayResource) -> bool {
        if self.proxy.kind() == ProxyKind::Any {
            return true;
        }
        match (&gateway.services, &gateway.selector) {
            (Some(services), _) => self.scope.is_behind(services),
            (None, Some(selector)) => selector.selects(self.proxy.labels()),
            (None, None) => true,
        }
    }

    /// The workload's port behind a server port: the target port of the first service of the workload that has it
    /// (R-M-016), of the Gateway API one of its own Services; `None`: then nobody reaches it (R-G-018).
    pub(super) fn listener_port(&self, gateway: &GatewayResource, port: u16) -> Option<u16> {
        if self.proxy.kind() == ProxyKind::Any {
            return Some(port);
        }
        match &gateway.services {
            Some(services) => self.scope.gateway_port(services, port),
            None => Some(self.scope.workload_port(port).unwrap_or(port)),
        }
    }

    fn add_chains(
        &self,
        group: &ServerGroup,
        configs: &HashMap<Arc<str>, RouteConfigId>,
        streams: &StreamServices,
        listener: &mut ListenerChains,
    ) {
        let Some(first) = group.servers.first() else {
            return;
        };
        let config = |name: &Option<Arc<str>>| configs.get(name.as_ref()?).copied();
        // All plain HTTP servers of a group share one chain and one route configuration.
        if first.server().protocol.is_http() {
            if let Some(config) = config(&group.route_name) {
                listener.chains.push(FilterChain {
                    name: "".into(),
                    matches: ChainMatch::default(),
                    terminates_tls: false,
                    filter: Filter::Http(config),
                });
            }
            return;
        }
        for server in &group.servers {
            if gateway_merge::routes_http(server.server()) {
                if let Some(config) = config(&server.route_name) {
                    listener.chains.push(FilterChain {
                        name: "".into(),
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
            let filters = FilterMaker::new(self.clusters);
            listener.chains.extend(gateway_tcp::chains(
                server,
                streams.of(server),
                &filters,
                &mut |server| self.auto_passthrough(server),
                &mut listener.taken,
            ));
        }
    }

    /// One chain for each cluster of each mesh service that the server's hosts cover, by the server name that Istio's
    /// sidecars send (R-M-030).
    fn auto_passthrough(&self, server: &MergedServer) -> Vec<FilterChain> {
        let mut out = Vec::new();
        let services = self
            .services
            .get_or_init(|| Services::new(self.scope.services()));
        for view in services.covered_by(server.server()) {
            let service = view.service();
            if service.mesh_external {
                continue;
            }
            let rule = self.clusters.borrow_mut().rule(&service.hostname);
            for port in view.ports().iter() {
                if port.protocol == Protocol::Udp {
                    continue;
                }
                let subsets = rule.iter().flat_map(|rule| rule.subsets());
                let names = subsets.map(|subset| Some(Arc::from(&*subset.name)));
                let names = std::iter::once(None).chain(names);
                for subset in names {
                    let cluster = self.clusters.borrow_mut().cluster(
                        &service.hostname,
                        port.number,
                        subset.as_ref(),
                    );
                    let subset = subset.unwrap_or_default();
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

/// Where Istio makes the workload for a Gateway of the Gateway API, Gateways with a selector count only if they stand in the
/// namespace of such a one (R-G-019).
fn without_strangers(selected: &mut Vec<&Arc<GatewayResource>>) {
    let services = selected
        .iter()
        .filter_map(|gateway| gateway.services.as_ref());
    let managed = services.filter(|services| services.is_managed);
    let namespaces: HashSet<&str> = managed
        .map(|services| &*services.gateway.namespace)
        .collect();
    if !namespaces.is_empty() {
        selected.retain(|gateway| {
            gateway.services.is_some() || namespaces.contains(&*gateway.resource.namespace)
        });
    }
}

impl AtServers for Gateway<'_> {
    fn listening<'s>(&'s self, server: &'s MergedServer) -> Box<dyn Listening + 's> {
        Box::new(AtServer {
            gateway: self,
            name: &server.gateway_name,
            server: server.server(),
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

    fn hash_key(
        &self,
        host: &Arc<str>,
        subset: Option<&str>,
        port: Option<u16>,
    ) -> Option<HashKey> {
        let mut clusters = self.gateway.clusters.borrow_mut();
        clusters.rule(host)?.hash_key(subset, port).cloned()
    }
}

/// Gateways by name, with the servers that survived merging, for the simple door.
pub(super) fn served_gateways(groups: &[ServerGroup]) -> Vec<ServedGateway> {
    let mut out: Vec<ServedGateway> = Vec::new();
    let mut places: HashMap<&ResourceName, usize> = HashMap::default();
    let mut servers: Vec<(&MergedServer, &ServerGroup)> = groups
        .iter()
        .flat_map(|group| group.servers.iter().map(move |server| (server, group)))
        .collect();
    // As written within each Gateway, not as grouped.
    servers.sort_by_key(|(server, _)| server.place);
    for (server, group) in servers {
        let resource = &server.gateway.resource;
        let served = ServedServer {
            hosts: server
                .server()
                .hosts
                .iter()
                .map(|host| host.host.clone())
                .collect(),
            port: group.port,
            bind: group.bind,
            tls: gateway_merge::is_tls(server.server()),
        };
        let place = *places.entry(resource).or_insert_with(|| {
            out.push(ServedGateway {
                namespace: resource.namespace.to_string().into(),
                name: resource.name.to_string().into(),
                servers: Vec::new(),
            });
            out.len() - 1
        });
        out[place].servers.push(served);
    }
    out
}
