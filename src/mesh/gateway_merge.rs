//! Which servers of which Gateways a gateway workload opens, and how those on one port share it (R-M-013..R-M-038).
//!
//! Gateways in config order, servers in list order; the first claimant wins every conflict (R-M-014).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::gateway::{Gateway, Server, ServerHost, ServerTlsMode};
use super::service::Protocol;
use crate::terms::name::GatewayName;

/// A server with what merging settled of it.
#[derive(Clone, Debug)]
pub(crate) struct MergedServer {
    pub gateway: Arc<Gateway>,
    /// Its index in its Gateway.
    pub index: usize,
    /// Its place among all servers of all gateways, in merge order.
    pub place: usize,
    /// Its Gateway.
    pub gateway_name: GatewayName,
    /// Route configuration; `None`: it routes no HTTP (R-M-018).
    pub route_name: Option<Arc<str>>,
    /// Server names of a TLS server: hosts without namespace, sorted, unique (R-M-028).
    pub sni_hosts: Vec<Box<str>>,
}

impl MergedServer {
    /// The server as its Gateway has it.
    pub(crate) fn server(&self) -> &Server {
        &self.gateway.servers[self.index]
    }
}

/// Servers that share one listener port, bind address and protocol spelling.
#[derive(Clone, Debug)]
pub(crate) struct ServerGroup {
    pub port: u16,
    pub bind: Option<IpAddr>,
    /// Route configuration of a group of plain HTTP servers.
    pub route_name: Option<Arc<str>>,
    pub servers: Vec<MergedServer>,
}

/// A server that gave way.
pub(crate) struct DroppedServer<'m> {
    pub gateway: &'m Arc<Gateway>,
    /// Its index in its Gateway.
    pub index: usize,
    /// The Gateway that was there first.
    pub winner: Arc<Gateway>,
    pub why: Conflict,
}

/// Why a server gave way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// A server with TLS settings has one of its hosts (R-M-032).
    Host,
    /// The port is open for another kind of traffic (R-M-033).
    Protocol,
    /// A server of the same port name has its route configuration (R-M-036).
    PortName,
}

/// All groups of a proxy, the servers behind each route configuration, and those that gave way.
#[derive(Default)]
pub(crate) struct MergedGateways<'m> {
    pub groups: Vec<ServerGroup>,
    pub by_route: Vec<(Arc<str>, Vec<MergedServer>)>,
    pub dropped: Vec<DroppedServer<'m>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct GroupKey {
    port: u16,
    protocol: Box<str>,
    bind: Option<IpAddr>,
}

/// Whether it is HTTP, or HTTPS that is terminated.
pub(crate) fn routes_http(server: &Server) -> bool {
    server.protocol.is_http()
        || server.protocol == Protocol::Https && server.tls.is_some() && !is_passthrough(server)
}

/// Whether it has TLS settings and is not plain HTTP (whose settings only redirect).
pub(crate) fn is_tls(server: &Server) -> bool {
    server.tls.is_some() && !server.protocol.is_http()
}

/// Whether the TLS connection goes on to the upstream as it is.
pub(crate) fn is_passthrough(server: &Server) -> bool {
    server.tls.as_ref().is_some_and(|tls| {
        matches!(
            tls.mode,
            ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough
        )
    })
}

/// Merges the servers of `gateways` (already selected, in config order). `listener_port` translates a server port to
/// the workload's (R-M-016).
pub(crate) fn merge<'m>(
    gateways: impl IntoIterator<Item = &'m Arc<Gateway>>,
    listener_port: &dyn Fn(&Gateway, u16) -> Option<u16>,
) -> MergedGateways<'m> {
    let mut merger = Merger::default();
    for gateway in gateways {
        let gateway_name = GatewayName::Named(gateway.resource.clone());
        for (index, server) in gateway.servers.iter().enumerate() {
            let Some(port) = listener_port(gateway, server.port) else {
                continue;
            };
            let added = merger.add(gateway, &gateway_name, index, port);
            if let Err((why, winner)) = added {
                merger.out.dropped.push(DroppedServer {
                    gateway,
                    index,
                    winner,
                    why,
                });
            }
        }
    }
    merger.out
}

/// The bind address and the Gateway of the server that has a host.
type Claim<'m> = (Option<IpAddr>, &'m Arc<Gateway>);

#[derive(Default)]
struct Merger<'m> {
    places: usize,
    out: MergedGateways<'m>,
    groups: HashMap<GroupKey, usize>,
    routes: HashMap<Arc<str>, usize>,
    /// The plain-text group that came last on each port.
    plain: HashMap<u16, GroupKey>,
    ports: std::collections::HashSet<u16>,
    /// Hosts of servers with TLS settings, by port, with the bind address that claimed them last.
    tls_hosts: HashMap<u16, HashMap<&'m ServerHost, Claim<'m>>>,
}

/// Why a server was not added, and the Gateway that was there first.
type Refusal = (Conflict, Arc<Gateway>);

impl<'m> Merger<'m> {
    fn add(
        &mut self,
        gateway: &'m Arc<Gateway>,
        gateway_name: &GatewayName,
        index: usize,
        port: u16,
    ) -> Result<(), Refusal> {
        let server = &gateway.servers[index];
        let route_name = route_name(gateway, server, port);
        if server.tls.is_some() {
            self.claim_hosts(gateway, server, port)?;
        }
        self.places += 1;
        let key = GroupKey {
            port,
            protocol: server.protocol_text.clone(),
            bind: server.bind,
        };
        let merged = MergedServer {
            gateway: Arc::clone(gateway),
            index,
            place: self.places,
            gateway_name: gateway_name.clone(),
            route_name: route_name.clone(),
            sni_hosts: sni_hosts(server),
        };
        let Some(current) = self
            .plain
            .get(&port)
            .cloned()
            .filter(|_| self.ports.contains(&port))
        else {
            return self.add_beside_tls(key, merged);
        };
        if current.bind == key.bind {
            // Only HTTP shares a port with HTTP; the same spelling does not save two TCP servers (R-M-033).
            let current_http = Protocol::parse(&current.protocol).is_http();
            let mergeable = (server.protocol.is_http() || current == key) && current_http;
            let Some(route) = route_name.filter(|_| mergeable) else {
                let winner = self.groups.get(&current).copied();
                let first = winner.and_then(|group| self.out.groups[group].servers.first());
                let winner = first.map_or(gateway, |winner| &winner.gateway);
                return Err((Conflict::Protocol, Arc::clone(winner)));
            };
            if let Some(&group) = self.groups.get(&current) {
                self.out.groups[group].servers.push(merged.clone());
            }
            self.add_to_route(route, merged);
        } else {
            self.plain.insert(port, key.clone());
            self.add_to_group(key, merged.clone());
            if let Some(route) = route_name {
                self.add_to_route(route, merged);
            }
        }
        Ok(())
    }

    /// No plain-text server has the port yet: a first server, one more TLS server, or plain text after TLS, which is
    /// accepted although the opposite order is not (R-M-035, R-M-036).
    fn add_beside_tls(&mut self, key: GroupKey, merged: MergedServer) -> Result<(), Refusal> {
        let first = self.ports.insert(key.port);
        if let Some(route) = merged.route_name.clone() {
            let known = self.routes.get(&route).filter(|_| !first);
            if let Some(&route) = known {
                let owner = self.out.by_route[route].1.first();
                let winner = owner.map_or(&merged.gateway, |winner| &winner.gateway);
                return Err((Conflict::PortName, Arc::clone(winner)));
            }
            self.add_to_route(route, merged.clone());
        }
        if first && !is_tls(merged.server()) {
            self.plain.insert(key.port, key.clone());
        }
        self.add_to_group(key, merged);
        Ok(())
    }

    fn add_to_group(&mut self, key: GroupKey, merged: MergedServer) {
        let groups = &mut self.out.groups;
        let index = *self.groups.entry(key.clone()).or_insert_with(|| {
            groups.push(ServerGroup {
                port: key.port,
                bind: key.bind,
                route_name: merged.route_name.clone(),
                servers: Vec::new(),
            });
            groups.len() - 1
        });
        groups[index].servers.push(merged);
    }

    fn add_to_route(&mut self, name: Arc<str>, merged: MergedServer) {
        let by_route = &mut self.out.by_route;
        let index = *self.routes.entry(name).or_insert_with_key(|name| {
            by_route.push((Arc::clone(name), Vec::new()));
            by_route.len() - 1
        });
        by_route[index].1.push(merged);
    }

    /// Records the hosts of a server with TLS settings, unless one of them is taken on this port with the same bind
    /// address: then the whole server is dropped (R-M-032).
    fn claim_hosts(
        &mut self,
        gateway: &'m Arc<Gateway>,
        server: &'m Server,
        port: u16,
    ) -> Result<(), Refusal> {
        let known = self.tls_hosts.entry(port).or_default();
        for host in &server.hosts {
            if let Some((_, winner)) = known.get(host).filter(|(bind, _)| *bind == server.bind) {
                return Err((Conflict::Host, Arc::clone(winner)));
            }
        }
        known.extend(
            server
                .hosts
                .iter()
                .map(|host| (host, (server.bind, gateway))),
        );
        Ok(())
    }
}

/// R-M-018.
fn route_name(gateway: &Gateway, server: &Server, listener_port: u16) -> Option<Arc<str>> {
    let bind = server
        .bind
        .map(|bind| format!(".{bind}"))
        .unwrap_or_default();
    let name = if server.protocol.is_http() {
        format!("http.{listener_port}{bind}")
    } else if routes_http(server) {
        format!(
            "https.{}.{}.{}.{}{bind}",
            server.port, server.port_name, gateway.resource.name, gateway.resource.namespace
        )
    } else {
        return None;
    };
    Some(name.into())
}

fn sni_hosts(server: &Server) -> Vec<Box<str>> {
    if server.tls.is_none() {
        return Vec::new();
    }
    let mut hosts: Vec<Box<str>> = server.hosts.iter().map(|host| host.host.clone()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}
