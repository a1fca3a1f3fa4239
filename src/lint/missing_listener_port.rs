//! `missing-listener-port` (MR0304; R-M-138).
//!
//! **What it does**: finds `http` destinations without a port, in VirtualServices of the mesh, whose service lacks an HTTP
//! port of the service that the VirtualService is for.
//!
//! **Why is this bad**: a sidecar takes the port that the client used, even where the destination has one port only. A
//! VirtualService for `a` (port 9080) that routes to `b` (port 8080) yields `outbound|9080||b`, which does not exist: 503.
//!
//! **Example**
//! ```yaml
//! hosts: [a]          # port 9080
//! http:
//! - route: [{destination: {host: b}}]   # port 8080
//! ```
//! **Use instead**: `destination.port.number`.

use crate::diagnostic::{Code, Report};
use crate::mesh::service::Protocol;
use crate::mesh::{Service, VirtualService};
use crate::terms::hash::HashSet;

use super::references::references;
use super::{Facts, author, finding, reference as resource, registry};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        if !from.is_in_mesh() {
            continue;
        }
        let called = called_ports(facts, from);
        if called.is_empty() {
            continue;
        }
        for reference in references(from) {
            let (host, port) = (&*reference.destination.host, reference.destination.port);
            if port.is_some() || !reference.is_http {
                continue;
            }
            let namespace = &from.resource().namespace;
            let Some(target) = facts.registry.seen_from(host, namespace) else {
                continue;
            };
            let Some((claimed, missing)) = first_missing(&called, target) else {
                continue;
            };
            let message = format!(
                "`{host}` has no port {missing}, where `{}` is called: without a port the {} is that port",
                claimed.hostname,
                reference.noun(),
            );
            report.push(
                finding(
                    Code::MISSING_LISTENER_PORT,
                    author(reference.author),
                    reference.field,
                    message,
                )
                .with_help("add `port: {number: ...}`")
                .with_related(
                    resource(registry::kind(target), &target.resource),
                    "has other ports",
                    None,
                ),
            );
        }
    }
}

/// The HTTP ports of the services that the VirtualService is for, each once, with the first service that has it.
fn called_ports<'a>(facts: &'a Facts<'_>, from: &VirtualService) -> Vec<(&'a Service, u16)> {
    let mut seen = HashSet::default();
    let mut called = Vec::new();
    for host in &from.hosts {
        let Some(claimed) = facts.registry.seen_from(host, &from.resource().namespace) else {
            continue;
        };
        for port in claimed.ports.iter() {
            let is_http = port.protocol.is_http() || port.protocol == Protocol::Unsupported;
            if is_http && seen.insert(port.number) {
                called.push((&**claimed, port.number));
            }
        }
    }
    called
}

/// The first of the ports that `target` lacks.
fn first_missing<'a>(
    called: &[(&'a Service, u16)],
    target: &Service,
) -> Option<(&'a Service, u16)> {
    let has: HashSet<u16> = target.ports.iter().map(|port| port.number).collect();
    called.iter().find(|(_, port)| !has.contains(port)).copied()
}
