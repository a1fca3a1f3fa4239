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

use super::references::references;
use super::{Facts, author, finding, reference as resource, registry};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        if !from.gateways.iter().any(|gateway| &**gateway == "mesh") {
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
            let Some((claimed, missing)) = first_missing(facts, from, target) else {
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

/// The first HTTP port of a service that the VirtualService is for which `target` lacks.
fn first_missing<'a>(
    facts: &'a Facts<'_>,
    from: &VirtualService,
    target: &Service,
) -> Option<(&'a Service, u16)> {
    from.hosts.iter().find_map(|host| {
        let claimed = facts.registry.seen_from(host, &from.resource().namespace)?;
        let missing = claimed.ports.iter().find(|port| {
            let is_http = port.protocol.is_http() || port.protocol == Protocol::Unsupported;
            is_http && target.ports.iter().all(|other| other.number != port.number)
        })?;
        Some((&**claimed, missing.number))
    })
}
