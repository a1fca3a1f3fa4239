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

use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::VirtualService;
use crate::mesh::gateway::{Server, ServerTlsMode};
use crate::mesh::service::Protocol;
use crate::terms::hash::HashMap;
use crate::terms::host;

use super::{Facts, finding, gateway as gateway_reference};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut bound: HashMap<&str, Vec<&Arc<VirtualService>>> = HashMap::default();
    for one in &facts.mesh.virtual_services {
        for gateway in &one.gateways {
            bound.entry(&**gateway).or_default().push(one);
        }
    }
    for gateway in &facts.mesh.gateways {
        let candidates = bound
            .get(gateway.resource.to_string().as_str())
            .map_or(&[][..], Vec::as_slice);
        for (index, server) in gateway.servers.iter().enumerate() {
            if !is_routed(server) || candidates.iter().any(|one| binds(one, server)) {
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

fn binds(one: &VirtualService, server: &Server) -> bool {
    let hosts = server.hosts.iter().map(|host| &**host);
    host::for_namespace(hosts, &one.resource().namespace)
        .iter()
        .any(|served| one.hosts.iter().any(|host| host::overlaps(served, host)))
}
