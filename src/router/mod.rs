//! The noun that answers: immutable tables for one proxy, in Envoy's words.
//!
//! ```text
//! Router -> View (sidecar | gateway) -> Listener -> FilterChain -> RouteConfig -> VirtualHost -> Rule -> Action -> Cluster
//! ```
//! The tables and their own lookups live here; the walk through them is in `route`. Everything that several views or
//! several rules share is behind an `Arc` that `compile` clones, never copied.

use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::terms::connection_manager::ConnectionManager;

mod action;
mod arrival;
mod arrivals;
mod chain_index;
mod chunked;
mod cluster;
mod cluster_ids;
pub mod cluster_settings;
mod cluster_table;
mod debug;
pub mod endpoint_set;
mod filter_chain;
pub(crate) mod host_table;
mod known_domains;
mod listener;
mod memory;
mod route_config;
pub(crate) mod rule_index;
mod service_arrivals;
mod service_ports;
mod simple_door;
pub mod upstream_tls;
mod virtual_host;
mod words;

pub use action::{Action, Forward, LocalReply, Mirror, Redirection, Split, WeightedCluster};
pub(crate) use arrival::Arrival;
pub(crate) use arrivals::{Arrivals, GatewayId};
pub(crate) use chunked::Chunked;
pub use cluster::{Cluster, ClusterId, ClusterKind};
pub(crate) use cluster::{ClusterFacts, ClusterSide};
pub(crate) use cluster_ids::{ClusterIds, Numbered, RouterIds, Special};
pub use cluster_settings::{ClusterSettings, Discovery, LbPolicy, Limits, UpstreamProtocol};
pub(crate) use cluster_table::ClusterTable;
pub use endpoint_set::{EndpointGroup, EndpointSet, LbEndpoint};
pub(crate) use endpoint_set::{Group, Member};
pub(crate) use filter_chain::ChainFacts;
pub use filter_chain::{ChainMatch, Filter, FilterChain, RouteConfigId, TcpProxy, Transport};
pub(crate) use known_domains::{KnownDomains, Unsettled};
pub(crate) use listener::FALLTHROUGH;
pub use listener::Listener;
pub use memory::MemoryUsage;
pub use route_config::RouteConfig;
pub(crate) use service_arrivals::HTTP_PORT;
pub(crate) use service_ports::ServicePorts;
pub(crate) use simple_door::{Counts, Settled, SimpleDoor, place_of};
pub use upstream_tls::{ClusterTls, UpstreamTls};
pub(crate) use virtual_host::VirtualHostKind;
pub use virtual_host::{Rule, RuleList, VirtualHost};

/// An immutable routing table for one proxy. Cheap to clone, `Send + Sync + 'static`, no interior mutability.
///
/// | to | ask |
/// |---|---|
/// | make one | [`compile`](Self::compile) |
/// | route a host at a gateway | [`route`](Self::route), [`route_with`](Self::route_with) |
/// | decide a request | [`decide`](Self::decide) |
/// | decide a connection without a request | [`decide_connection`](Self::decide_connection) |
/// | know why | [`explain`](Self::explain) |
/// | see where it leads | [`clusters`](Self::clusters), [`cluster`](Self::cluster) |
/// | weigh it | [`memory_usage`](Self::memory_usage) |
#[derive(Clone)]
pub struct Router {
    pub(crate) tables: Arc<Tables>,
}

impl Router {
    /// The cluster that a rule or filter chain of this router names; `None`: an id of another router, or of a cluster that is gone.
    pub fn cluster(&self, id: ClusterId) -> Option<&Cluster> {
        self.tables.clusters.get(id)
    }

    /// The clusters that the proxy has, and those that its rules and filter chains name, each with its id. A router that has been
    /// updated may have some more for a while: those that were there before, of which most do not [exist](Cluster::exists) any more.
    pub fn clusters(&self) -> impl Iterator<Item = (ClusterId, &Cluster)> {
        self.tables.clusters.iter()
    }
}

/// A listener of a router, with what its chains route by.
#[derive(Clone, Copy)]
pub struct BoundListener<'r> {
    view: &'r View,
    listener: &'r Listener,
    is_gateway: bool,
}

impl std::fmt::Debug for BoundListener<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.listener.fmt(f)
    }
}

impl<'r> BoundListener<'r> {
    /// The listener.
    pub fn listener(&self) -> &'r Listener {
        self.listener
    }

    /// Whether it is of the gateway side of the proxy, not of its sidecar side.
    pub fn is_gateway(&self) -> bool {
        self.is_gateway
    }

    /// Whether it gets what no other listener claims.
    pub fn is_fallback(&self) -> bool {
        self.view.is_fallback(self.listener)
    }

    /// Its filter chains, the default one last, each with its route configuration if it routes HTTP.
    pub fn chains(
        &self,
    ) -> impl Iterator<Item = (&'r FilterChain, Option<&'r RouteConfig>)> + use<'r> {
        let view = self.view;
        self.listener
            .chains()
            .map(move |chain| match chain.filter() {
                Filter::Http(id) => (chain, Some(&**view.route_config(*id))),
                Filter::Tcp(_) => (chain, None),
            })
    }
}

impl Router {
    /// Everything that listens: the sidecar side, then the gateway side, each by port and address, the one for the rest last.
    pub fn listeners(&self) -> impl Iterator<Item = BoundListener<'_>> {
        let sides = [(&self.tables.mesh, false), (&self.tables.gateway, true)];
        let sides = sides
            .into_iter()
            .filter_map(|(view, is_gateway)| Some((view.as_ref()?, is_gateway)));
        sides.flat_map(|(view, is_gateway)| {
            let all = view.listeners.iter().map(|listener| &**listener);
            let all = all.chain(view.fallback.as_deref());
            all.map(move |listener| BoundListener {
                view,
                listener,
                is_gateway,
            })
        })
    }
}

/// What a router holds: the sides of the proxy that it was compiled for. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    /// Outbound side of a sidecar: the gateway name `mesh`.
    pub mesh: Option<View>,
    /// Gateway workload.
    pub gateway: Option<View>,
    /// What the rules and filter chains of both sides name.
    pub clusters: ClusterTable,
    /// For the simple door: the gateways that this proxy serves, by `namespace/name`, with their servers in merge order.
    pub gateways: Arc<[ServedGateway]>,
    /// For the simple door: for each service name in the mesh view, its first HTTP port (lower-case FQDN -> port).
    /// A host without an entry is asked on port 80.
    pub http_ports: ServicePorts,
    /// Namespace of the proxy: what a gateway named without a namespace is looked up in first.
    pub namespace: Arc<str>,
    /// Where a plain request for a host arrives at each gateway: from what is above.
    pub arrivals: Arrivals,
    /// What each host answers at each gateway, settled beforehand: from all of the above.
    pub door: SimpleDoor,
}

/// A Gateway that the proxy serves.
#[derive(Debug)]
pub(crate) struct ServedGateway {
    pub namespace: Box<str>,
    pub name: Box<str>,
    /// `(hosts without namespace prefix, listener port, TLS)` of each server that was not dropped, in order.
    pub servers: Vec<ServedServer>,
}

/// One server of a [`ServedGateway`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServedServer {
    pub hosts: Vec<Box<str>>,
    pub port: u16,
    pub bind: Option<IpAddr>,
    pub tls: bool,
}

/// Port and address (`None`: every one) of a listener.
pub(crate) type Place = (u16, Option<IpAddr>);

/// One side of a proxy: its listeners and what they have in common. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(crate) struct View {
    /// By port and address.
    listeners: Arc<[Arc<Listener>]>,
    /// Where each of them listens, for who looks for one.
    places: Arc<[Place]>,
    /// What the HTTP chains of all listeners route by, each at the place that its id says.
    route_configs: Chunked<Arc<RouteConfig>>,
    /// Where a connection goes that no listener claims (`virtualOutbound` of a sidecar); a gateway has none.
    fallback: Option<Arc<Listener>>,
    manager: ConnectionManager,
}

impl View {
    /// A side with these listeners (of several at one place the first), whose chains name `route_configs`, which are in the
    /// order of their ids; `fallback` gets the connections that none of the listeners claims.
    pub(crate) fn new(
        mut listeners: Vec<Arc<Listener>>,
        fallback: Option<Arc<Listener>>,
        route_configs: impl IntoIterator<Item = Arc<RouteConfig>>,
        manager: ConnectionManager,
    ) -> Self {
        listeners.sort_by_key(|listener| listener.place());
        listeners.dedup_by_key(|listener| listener.place());
        View {
            places: listeners.iter().map(|listener| listener.place()).collect(),
            listeners: listeners.into(),
            fallback,
            manager,
            route_configs: route_configs.into_iter().collect(),
        }
    }

    /// The same side with other listeners, or none, at these places. The rest is shared.
    ///
    /// # Complexity
    /// A copy of the list, and a move of pointers for each listener that comes or goes.
    pub(crate) fn with_listeners(
        &self,
        changes: impl IntoIterator<Item = (Place, Option<Arc<Listener>>)>,
    ) -> Self {
        let mut listeners = self.listeners.to_vec();
        let mut moved: Option<Vec<Place>> = None;
        for (place, listener) in changes {
            let places = moved.as_deref().unwrap_or(&self.places);
            let at = places.binary_search(&place);
            match (at, listener) {
                (Ok(at), Some(listener)) => listeners[at] = listener,
                (Ok(at), None) => {
                    listeners.remove(at);
                    moved.get_or_insert_with(|| self.places.to_vec()).remove(at);
                }
                (Err(at), Some(listener)) => {
                    listeners.insert(at, listener);
                    let places = moved.get_or_insert_with(|| self.places.to_vec());
                    places.insert(at, place);
                }
                (Err(_), None) => {}
            }
        }
        View {
            listeners: listeners.into(),
            places: match moved {
                Some(places) => places.into(),
                None => Arc::clone(&self.places),
            },
            ..self.clone()
        }
    }

    /// The route configuration that an HTTP chain of this side names.
    #[inline]
    pub(crate) fn route_config(&self, id: RouteConfigId) -> &Arc<RouteConfig> {
        &self.route_configs[id.0 as usize]
    }

    /// All route configurations.
    pub(crate) fn route_configs(&self) -> impl Iterator<Item = &Arc<RouteConfig>> {
        self.route_configs.iter()
    }

    /// The first route configuration among the chains of a listener.
    pub(crate) fn first_route_config(&self, listener: &Listener) -> Option<&RouteConfig> {
        listener.route_config().map(|id| &**self.route_config(id))
    }

    /// The route configurations of the chains of a listener, each once.
    pub(crate) fn route_configs_of<'v>(
        &'v self,
        listener: &Listener,
    ) -> impl Iterator<Item = &'v RouteConfig> {
        let ids = listener.chains().filter_map(|chain| match chain.filter() {
            Filter::Http(id) => Some(*id),
            Filter::Tcp(_) => None,
        });
        let mut ids: SmallVec<[RouteConfigId; 1]> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| &**self.route_config(id))
    }

    /// The domains that the chains of a listener route by, and their server names.
    pub(crate) fn domains_of<'v>(
        &'v self,
        listener: &'v Listener,
    ) -> impl Iterator<Item = &'v str> {
        let names = listener.chains().flat_map(FilterChain::server_names);
        let hosts = self.route_configs_of(listener);
        let hosts = hosts.flat_map(RouteConfig::virtual_hosts);
        hosts.flat_map(VirtualHost::domains).chain(names)
    }

    /// The same side with other route configurations in place of some, or behind all; of two with one id the last counts. The
    /// rest is shared.
    pub(crate) fn with_route_configs(
        &self,
        changes: impl IntoIterator<Item = (RouteConfigId, Arc<RouteConfig>)>,
    ) -> Self {
        let changes = changes.into_iter();
        let changes = changes.map(|(id, config)| (id.0 as usize, config));
        View {
            route_configs: self.route_configs.with(changes),
            ..self.clone()
        }
    }

    /// The filter chains of all listeners, also of the fallback.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &FilterChain> {
        let listeners = self.listeners.iter().chain(&self.fallback);
        listeners.flat_map(|listener| listener.chains())
    }

    /// Where a connection goes that no listener claims.
    #[cfg(feature = "envoy")]
    pub(crate) fn fallback(&self) -> Option<&Listener> {
        self.fallback.as_deref()
    }

    /// Its listeners by port and address, without the fallback.
    pub(crate) fn listeners(&self) -> &[Arc<Listener>] {
        &self.listeners
    }

    /// What is done to a request before it is routed.
    pub(crate) fn manager(&self) -> ConnectionManager {
        self.manager
    }

    /// The listener of a connection to `port` at `address` (`None`: one that belongs to nobody): the one at that very
    /// address, else the one at every address, else the fallback.
    ///
    /// # Complexity
    /// Logarithmic in the listeners.
    pub(crate) fn listener(&self, address: Option<IpAddr>, port: u16) -> Option<&Arc<Listener>> {
        let places = &self.places[..];
        // The one at every address stands before all others of its port.
        let start = places.partition_point(|(other, _)| *other < port);
        let at_own = |address: IpAddr| {
            let found = places[start..].binary_search(&(port, Some(address)));
            found.ok().map(|at| start + at)
        };
        let at_every = || (places.get(start) == Some(&(port, None))).then_some(start);
        let found = address.and_then(at_own).or_else(at_every);
        found
            .and_then(|at| self.listeners.get(at))
            .or(self.fallback.as_ref())
    }

    /// The listener at this very place.
    pub(crate) fn at(&self, place: Place) -> Option<&Arc<Listener>> {
        let at = self.places.binary_search(&place).ok()?;
        self.listeners.get(at)
    }

    /// Whether `listener` is the one that gets what no other claims.
    pub(crate) fn is_fallback(&self, listener: &Listener) -> bool {
        self.fallback
            .as_deref()
            .is_some_and(|fallback| std::ptr::eq(fallback, listener))
    }
}
