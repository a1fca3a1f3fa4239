//! Filter chains of gateway servers that route no HTTP: `tcp` routes, TLS passthrough, automatic passthrough
//! (R-M-021..R-M-024, R-M-030, R-M-044, R-M-045).

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::mesh::gateway::ServerTlsMode;
use crate::mesh::virtual_service::{L4Match, Semantics, VirtualService, WeightedRef};
use crate::router::{ChainMatch, Filter, FilterChain, TcpProxy};
use crate::terms::origin::{MatchIndex, Origin};

use crate::mesh::gateway_merge::MergedServer;

/// What makes a TCP filter from destinations; the sides of a proxy see services differently.
pub(super) trait TcpFilters {
    /// The filter that forwards to `route`, whose destinations without a port mean `port`.
    fn filter(&self, route: &[WeightedRef], port: u16, origin: Origin) -> TcpProxy;
}

/// Server names that earlier passthrough chains of one listener and bind address have taken.
pub(super) type TakenNames = HashSet<Box<str>>;

/// The chains of one server that routes no HTTP, from the VirtualServices that have a host in common with it.
pub(super) fn chains(
    server: &MergedServer,
    virtual_services: &[Arc<VirtualService>],
    filters: &dyn TcpFilters,
    auto_passthrough: &mut dyn FnMut(&MergedServer) -> Vec<FilterChain>,
    taken: &mut TakenNames,
) -> Vec<FilterChain> {
    match server.server().tls.as_ref().map(|tls| tls.mode) {
        Some(ServerTlsMode::AutoPassthrough) => auto_passthrough(server),
        Some(ServerTlsMode::Passthrough) => {
            passthrough_chains(server, virtual_services, filters, taken)
        }
        tls => stream_route(server, virtual_services)
            .map(|(route, origin)| FilterChain {
                name: "".into(),
                matches: ChainMatch {
                    server_names: server_names(&server.sni_hosts),
                    ..ChainMatch::default()
                },
                terminates_tls: tls.is_some(),
                filter: Filter::Tcp(filters.filter(route, server.server().port, origin)),
            })
            .into_iter()
            .collect(),
    }
}

/// Server names as a chain matches them: with `*` among them, it asks for none (R-M-028).
pub(super) fn server_names(hosts: &[Box<str>]) -> Vec<Box<str>> {
    if hosts.iter().any(|host| &**host == "*") {
        return Vec::new();
    }
    hosts
        .iter()
        .map(|host| host.to_ascii_lowercase().into())
        .collect()
}

/// The first `tcp` rule that applies to the server, whatever comes after it (R-M-044); of a TLSRoute, whose TLS was terminated,
/// its first `tls` rule that applies (R-G-049).
fn stream_route<'v>(
    server: &MergedServer,
    virtual_services: &'v [Arc<VirtualService>],
) -> Option<(&'v [WeightedRef], Origin)> {
    virtual_services.iter().find_map(|service| {
        let terminated = match service.semantics {
            Semantics::GatewayApi => service.tls.as_slice(),
            Semantics::VirtualService => &[],
        };
        let tcp = service.tcp.iter().find_map(|rule| {
            let matched = match rule.matches.is_empty() {
                true => MatchIndex::default(),
                false => rule.matches.iter().find(|l4| applies(l4, server))?.index,
            };
            let origin = Origin::new(&rule.origin, matched);
            (!rule.route.is_empty()).then_some((&*rule.route, origin))
        });
        tcp.or_else(|| {
            terminated.iter().find_map(|rule| {
                let matched = rule
                    .matches
                    .iter()
                    .find(|entry| applies(&entry.l4, server))?;
                let origin = Origin::new(&rule.origin, matched.l4.index);
                (!rule.route.is_empty()).then_some((&*rule.route, origin))
            })
        })
    })
}

/// One chain for each match of each `tls` rule; a match of which one server name is taken makes none (R-M-045).
fn passthrough_chains(
    server: &MergedServer,
    virtual_services: &[Arc<VirtualService>],
    filters: &dyn TcpFilters,
    taken: &mut TakenNames,
) -> Vec<FilterChain> {
    let mut out = Vec::new();
    for service in virtual_services {
        for rule in service.tls.iter().filter(|rule| !rule.route.is_empty()) {
            for entry in rule
                .matches
                .iter()
                .filter(|entry| applies(&entry.l4, server))
            {
                if entry.sni_hosts.iter().any(|name| taken.contains(name)) {
                    continue;
                }
                taken.extend(entry.sni_hosts.iter().cloned());
                out.push(FilterChain {
                    name: "".into(),
                    matches: ChainMatch {
                        server_names: server_names(&entry.sni_hosts),
                        ..ChainMatch::default()
                    },
                    terminates_tls: false,
                    filter: Filter::Tcp(filters.filter(
                        &rule.route,
                        server.server().port,
                        Origin::new(&rule.origin, entry.l4.index),
                    )),
                });
            }
        }
    }
    out
}

/// Port and gateways decide; subnets, labels and namespace are not looked at on gateways (R-M-044).
fn applies(entry: &L4Match, server: &MergedServer) -> bool {
    let port = entry
        .port
        .is_none_or(|port| port == u32::from(server.server().port));
    port && (entry.gateways.is_empty() || entry.gateways.contains(&server.gateway_name))
}

/// Listener name: `address_port`.
pub(super) fn listener_name(bind: Option<IpAddr>, port: u16) -> Box<str> {
    match bind {
        Some(bind) => format!("{bind}_{port}").into(),
        None => format!("0.0.0.0_{port}").into(),
    }
}
