//! The noun that answers: immutable tables for one proxy, in Envoy's words.
//!
//! ```text
//! Router -> View (sidecar | gateway) -> Listener -> FilterChain -> RouteConfig -> VirtualHost -> Rule -> Action
//! ```
//! The tables and their own lookups live here; the walk through them is in `route`. Everything that several views or
//! several rules share is behind an `Arc` that `compile` clones, never copied.

use std::net::IpAddr;
use std::sync::Arc;

pub mod action;
pub mod cluster;
pub mod host_table;
pub mod listener;
pub mod route_config;
pub mod rule_index;
pub mod virtual_host;
mod words;

pub use crate::terms::path_normalization::PathNormalization;
pub use action::{Action, Forward, Mirror, Redirection, Response, Split, WeightedCluster};
pub use cluster::{Cluster, ClusterKind};
pub use listener::{ChainMatch, Cidr, Filter, FilterChain, Listener, TcpProxy, Transport};
pub use route_config::RouteConfig;
pub use virtual_host::{Rule, RuleList, VirtualHost};

/// An immutable routing table for one proxy. Cheap to clone, `Send + Sync + 'static`, no interior mutability.
#[derive(Clone, Debug)]
pub struct Router {
    pub(crate) tables: Arc<Tables>,
}

impl Router {
    /// A router over finished tables.
    pub(crate) fn new(mut tables: Tables) -> Self {
        // Looked up by name; of equal names the first counts.
        tables.http_ports.sort_by(|(a, _), (b, _)| a.cmp(b));
        tables
            .http_ports
            .dedup_by(|(later, _), (first, _)| later == first);
        Router {
            tables: Arc::new(tables),
        }
    }
}

/// What a router holds: the sides of the proxy that it was compiled for.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Outbound side of a sidecar: the gateway name `mesh`.
    pub mesh: Option<View>,
    /// Gateway workload.
    pub gateway: Option<View>,
    /// For the simple door: the gateways bound to this proxy, by `namespace/name`, with their servers in merge order.
    pub bindings: Vec<GatewayBinding>,
    /// For the simple door: for each service name in the mesh view, its first HTTP port (lower-case FQDN -> port).
    /// A host without an entry is asked on port 80.
    pub http_ports: Vec<(Box<str>, u16)>,
    /// Namespace of the proxy: what a gateway named without a namespace is looked up in first.
    pub namespace: Box<str>,
}

impl Tables {
    /// The bound gateway that is called so: `namespace/name`, or `name` in the proxy's namespace, or the only or first one
    /// of that name elsewhere.
    pub(crate) fn binding(&self, name: &str) -> Option<&GatewayBinding> {
        match name.split_once('/') {
            Some((namespace, name)) => self
                .bindings
                .iter()
                .find(|binding| *binding.name == *name && *binding.namespace == *namespace),
            None => {
                let mut named = self
                    .bindings
                    .iter()
                    .filter(|binding| *binding.name == *name);
                let mut own = named.clone();
                own.find(|binding| binding.namespace == self.namespace)
                    .or_else(|| named.next())
            }
        }
    }
}

/// One Gateway as the simple door knows it.
#[derive(Debug)]
pub(crate) struct GatewayBinding {
    pub namespace: Box<str>,
    pub name: Box<str>,
    /// `(hosts without namespace prefix, listener port, TLS)` of each server that was not dropped, in order.
    pub servers: Vec<ServerBinding>,
}

/// One server of a [`GatewayBinding`].
#[derive(Debug)]
pub(crate) struct ServerBinding {
    pub hosts: Vec<Box<str>>,
    pub port: u16,
    pub bind: Option<IpAddr>,
    pub tls: bool,
}

/// One side of a proxy: its listeners and what they have in common.
#[derive(Debug, Default)]
pub(crate) struct View {
    listeners: Vec<Arc<Listener>>,
    /// Port and place of each listener, sorted.
    ports: Box<[(u16, u32)]>,
    /// Where a connection goes that no listener claims (`virtualOutbound` of a sidecar); a gateway has none.
    fallback: Option<Arc<Listener>>,
    path_normalization: PathNormalization,
}

impl View {
    /// A side with these listeners; `fallback` gets the connections that none of them claims.
    pub(crate) fn new(
        listeners: Vec<Arc<Listener>>,
        fallback: Option<Arc<Listener>>,
        path_normalization: PathNormalization,
    ) -> Self {
        let ports = listeners.iter().map(|listener| listener.port).zip(0..);
        let mut ports: Box<[(u16, u32)]> = ports.collect();
        ports.sort_unstable();
        View {
            listeners,
            ports,
            fallback,
            path_normalization,
        }
    }

    /// Its listeners, without the fallback.
    pub(crate) fn listeners(&self) -> &[Arc<Listener>] {
        &self.listeners
    }

    /// What is done to the path of a request.
    pub(crate) fn path_normalization(&self) -> PathNormalization {
        self.path_normalization
    }

    /// The listener of a connection to `port` at `address` (`None`: one that belongs to nobody): the one at that very
    /// address, else the one at every address, else the fallback.
    ///
    /// # Complexity
    /// Logarithmic in the listeners, linear in those of one port.
    pub(crate) fn listener(&self, address: Option<IpAddr>, port: u16) -> Option<&Listener> {
        let start = self.ports.partition_point(|&(other, _)| other < port);
        let same_port = self.ports[start..]
            .iter()
            .take_while(|&&(other, _)| other == port)
            .filter_map(|&(_, place)| self.listeners.get(place as usize));
        let mut any_address = None;
        for listener in same_port {
            match listener.address {
                None => any_address = any_address.or(Some(listener)),
                own if own == address => return Some(listener),
                _ => {}
            }
        }
        any_address
            .or(self.fallback.as_ref())
            .map(|listener| &**listener)
    }

    /// Whether `listener` is the one that gets what no other claims.
    pub(crate) fn is_fallback(&self, listener: &Listener) -> bool {
        self.fallback
            .as_deref()
            .is_some_and(|fallback| std::ptr::eq(fallback, listener))
    }
}
