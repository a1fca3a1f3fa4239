//! `unbound-server` (MR0311).
//!
//! **What it does**: notes HTTP servers of a Gateway to which no VirtualService binds a host.
//!
//! **Why is this bad**: the server answers every request 404. (One that only redirects to https is not meant.)
//!
//! **Example**
//! ```yaml
//! servers:
//! - hosts: [shop.example.com]   # no VirtualService with this host names the Gateway
//!   port: {number: 80, name: http, protocol: HTTP}
//! ```
//! **Use instead**: a VirtualService with that host and Gateway, or remove the server.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::VirtualService;
use crate::mesh::gateway::{Server, ServerHost, ServerTlsMode};
use crate::mesh::service::Protocol;
use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;

use super::hosts_by_namespace::HostsByNamespace;
use super::{Facts, Work, finding, gateway as gateway_reference};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let all = &facts.mesh.virtual_services;
    let mut bound: HashMap<&GatewayName, Vec<usize>> = HashMap::default();
    for (place, virtual_service) in all.iter().enumerate() {
        for gateway in &virtual_service.gateways {
            let places = bound.entry(gateway).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
    // Gateways of the same VirtualServices share what these are for.
    let mut hosts: HashMap<&[usize], HostsByNamespace> = HashMap::default();
    let mut work = Work::default();
    for gateway in &facts.mesh.gateways {
        let places = bound
            .get(&GatewayName::Named(gateway.resource.clone()))
            .map_or(&[][..], Vec::as_slice);
        if !hosts.contains_key(places) {
            let own = || places.iter().map(|&place| &*all[place]);
            if !work.spend(
                own()
                    .map(|virtual_service| virtual_service.hosts.len())
                    .sum(),
            ) {
                return report.push(Work::stopped("unbound-server"));
            }
            hosts.insert(places, HostsByNamespace::new(own().flat_map(named_hosts)));
        }
        let bound = &hosts[places];
        for (index, server) in gateway.servers.iter().enumerate() {
            let is_bound =
                |host: &ServerHost| bound.overlaps(host.namespace.as_deref(), &host.host);
            if !is_routed(server) || server.hosts.iter().any(is_bound) {
                continue;
            }
            let message =
                "no VirtualService binds a host of this server: every request is answered 404";
            let field = FieldPath::from("spec").field("servers").index(index);
            report.push(finding(
                Code::UNBOUND_SERVER,
                gateway_reference(&gateway.resource),
                field,
                message,
            ));
        }
    }
}

/// Whether requests of this server are routed by VirtualServices.
fn is_routed(server: &Server) -> bool {
    match &server.tls {
        Some(tls) if tls.https_redirect => false,
        Some(tls) if server.protocol == Protocol::Https => !matches!(
            tls.mode,
            ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough
        ),
        _ => server.protocol.is_http(),
    }
}

/// The hosts of a VirtualService with its namespace.
fn named_hosts(virtual_service: &VirtualService) -> impl Iterator<Item = (Option<&str>, &str)> {
    let namespace = &*virtual_service.resource().namespace;
    virtual_service
        .hosts
        .iter()
        .map(move |host| (Some(namespace), &**host))
}
