//! The noun that answers: immutable tables for one proxy, in Envoy's words.
//!
//! ```text
//! Router -> View (sidecar | gateway) -> Listener -> FilterChain -> RouteConfig -> VirtualHost -> Rule -> Action -> Cluster
//! ```
//! The tables and their own lookups live here; the walk through them is in `route`. Everything that several views or
//! several rules share is behind an `Arc` that `compile` clones, never copied.

use std::net::IpAddr;
use std::sync::Arc;

use crate::terms::connection_manager::ConnectionManager;

mod action;
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
pub mod host_table;
mod listener;
mod memory;
mod route_config;
pub mod rule_index;
mod service_ports;
mod simple_door;
pub mod upstream_tls;
mod virtual_host;
mod words;

pub use action::{Action, Forward, LocalReply, Mirror, Redirection, Split, WeightedCluster};
pub(crate) use arrivals::{Arrival, Arrivals, GatewayId};
pub(crate) use chunked::Chunked;
pub use cluster::{Cluster, ClusterId, ClusterKind};
pub(crate) use cluster::{ClusterFacts, ClusterSide};
pub(crate) use cluster_ids::{ClusterIds, RouterIds, Special};
pub use cluster_settings::{ClusterSettings, Discovery, LbPolicy, Limits, UpstreamProtocol};
pub(crate) use cluster_table::ClusterTable;
pub use endpoint_set::{EndpointGroup, EndpointSet, LbEndpoint};
pub(crate) use endpoint_set::{Group, Member};
pub(crate) use filter_chain::ChainFacts;
pub use filter_chain::{ChainMatch, Filter, FilterChain, RouteConfigId, TcpProxy, Transport};
pub(crate) use listener::FALLTHROUGH;
pub use listener::Listener;
pub use memory::MemoryUsage;
pub use route_config::RouteConfig;
pub(crate) use service_ports::ServicePorts;
pub(crate) use simple_door::{Counts, Found, SimpleDoor, place_of};
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
    /// The cluster that a rule or filter chain of this router names; `None`: an id of another router.
    pub fn cluster(&self, id: ClusterId) -> Option<&Cluster> {
        self.tables.clusters.get(id)
    }

    /// The clusters that the proxy has, and those that its rules and filter chains name, each with its id. A router that has been
    /// updated may have more: those that were there before, which do not [exist](Cluster::exists) any more.
    pub fn clusters(&self) -> impl Iterator<Item = (ClusterId, &Cluster)> {
        self.tables.clusters.iter()
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
    /// For the simple door: the gateways bound to this proxy, by `namespace/name`, with their servers in merge order.
    pub bindings: Arc<[GatewayBinding]>,
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
pub(crate) struct GatewayBinding {
    pub namespace: Box<str>,
    pub name: Box<str>,
    /// `(hosts without namespace prefix, listener port, TLS)` of each server that was not dropped, in order.
    pub servers: Vec<ServerBinding>,
}

/// One server of a [`GatewayBinding`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServerBinding {
    pub hosts: Vec<Box<str>>,
    pub port: u16,
    pub bind: Option<IpAddr>,
    pub tls: bool,
}

/// One side of a proxy: its listeners and what they have in common. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(crate) struct View {
    listeners: Arc<[Arc<Listener>]>,
    /// Port, address and place of each listener, sorted.
    ports: Arc<[(u16, Option<IpAddr>, u32)]>,
    /// What the HTTP chains of all listeners route by, each at the place that its id says.
    route_configs: Chunked<Arc<RouteConfig>>,
    /// Where a connection goes that no listener claims (`virtualOutbound` of a sidecar); a gateway has none.
    fallback: Option<Arc<Listener>>,
    manager: ConnectionManager,
}

impl View {
    /// A side with these listeners, whose chains name `route_configs`, which are in the order of their ids; `fallback` gets
    /// the connections that none of the listeners claims.
    pub(crate) fn new(
        listeners: Vec<Arc<Listener>>,
        fallback: Option<Arc<Listener>>,
        route_configs: impl IntoIterator<Item = Arc<RouteConfig>>,
        manager: ConnectionManager,
    ) -> Self {
        let view = View {
            fallback,
            manager,
            route_configs: route_configs.into_iter().collect(),
            ..View::default()
        };
        view.with_listeners(listeners)
    }

    /// The same side with other listeners.
    pub(crate) fn with_listeners(&self, listeners: Vec<Arc<Listener>>) -> Self {
        let ports = listeners.iter().zip(0..);
        let mut ports: Vec<(u16, Option<IpAddr>, u32)> = ports
            .map(|(listener, place)| (listener.port, listener.address, place))
            .collect();
        ports.sort_unstable();
        View {
            listeners: listeners.into(),
            ports: ports.into(),
            ..self.clone()
        }
    }

    /// The route configuration that an HTTP chain of this side names.
    #[inline]
    pub(crate) fn route_config(&self, id: RouteConfigId) -> &RouteConfig {
        &self.route_configs[id.0 as usize]
    }

    /// All route configurations.
    pub(crate) fn route_configs(&self) -> impl Iterator<Item = &Arc<RouteConfig>> {
        self.route_configs.iter()
    }

    /// The first route configuration among the chains of a listener.
    pub(crate) fn first_route_config(&self, listener: &Listener) -> Option<&RouteConfig> {
        listener.route_config().map(|id| self.route_config(id))
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

    /// Where a connection goes that no listener claims.
    #[cfg(feature = "envoy")]
    pub(crate) fn fallback(&self) -> Option<&Listener> {
        self.fallback.as_deref()
    }

    /// Its listeners, without the fallback.
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
    pub(crate) fn listener(&self, address: Option<IpAddr>, port: u16) -> Option<&Listener> {
        let ports = &self.ports[..];
        // The one at every address stands before all others of its port.
        let start = ports.partition_point(|(other, _, _)| *other < port);
        let ports = &ports[start..];
        let at_own = |address: IpAddr| {
            let own = (port, Some(address));
            let at = ports.partition_point(|&(port, address, _)| (port, address) < own);
            let found = ports.get(at)?;
            ((found.0, found.1) == own).then_some(found)
        };
        let at_every = || {
            let first = ports.first();
            first.filter(|&&(other, address, _)| other == port && address.is_none())
        };
        let found = address.and_then(at_own).or_else(at_every);
        found
            .and_then(|&(_, _, place)| self.listeners.get(place as usize))
            .or(self.fallback.as_ref())
            .map(|listener| &**listener)
    }

    /// The listener at this very address and port.
    pub(crate) fn at(&self, (address, port): (Option<IpAddr>, u16)) -> Option<&Listener> {
        let before = |&(other_port, other, _): &(u16, Option<IpAddr>, u32)| {
            (other_port, other) < (port, address)
        };
        let at = self.ports.partition_point(before);
        let &(found_port, found, place) = self.ports.get(at)?;
        let listener = self.listeners.get(place as usize)?;
        ((found_port, found) == (port, address)).then_some(&**listener)
    }

    /// Whether `listener` is the one that gets what no other claims.
    pub(crate) fn is_fallback(&self, listener: &Listener) -> bool {
        self.fallback
            .as_deref()
            .is_some_and(|fallback| std::ptr::eq(fallback, listener))
    }
}
