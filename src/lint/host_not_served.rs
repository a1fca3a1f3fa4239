//! `host-not-served` (MR0310; istioctl's IST0132, R-M-194).
//!
//! **What it does**: finds VirtualServices that are bound to a Gateway none of whose servers admits any of their hosts.
//!
//! **Why is this bad**: the VirtualService has no effect there: the host is answered 404.
//!
//! **Example**
//! ```yaml
//! # Gateway: hosts: ["*.example.com"]
//! hosts: [example.com]   # `*.example.com` does not cover it
//! gateways: [public]
//! ```
//! **Use instead**: add the host to a server, or, for a server of another namespace (`ns/host`), move the VirtualService.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;

use super::hosts_by_namespace::HostsByNamespace;
use super::{Facts, author, finding, gateway as gateway_reference};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let gateways: HashMap<_, (_, HostsByNamespace)> = facts
        .mesh
        .gateways
        .iter()
        .map(|gateway| {
            let hosts = gateway.servers.iter().flat_map(|server| &server.hosts);
            let hosts = hosts.map(|host| (host.namespace.as_deref(), &*host.host));
            (&gateway.resource, (gateway, HostsByNamespace::new(hosts)))
        })
        .collect();
    for from in &facts.mesh.virtual_services {
        for (index, name) in from.gateways.iter().enumerate() {
            let GatewayName::Named(name) = name else {
                continue;
            };
            let Some((gateway, served)) = gateways.get(name) else {
                continue;
            };
            let namespace = &*from.resource().namespace;
            let is_served = from
                .hosts
                .iter()
                .any(|host| served.overlaps(Some(namespace), host));
            if is_served {
                continue;
            }
            let message =
                format!("no server of Gateway `{name}` is for a host of this VirtualService");
            let field = FieldPath::from("spec").field("gateways").index(index);
            report.push(
                finding(Code::HOST_NOT_SERVED, author(&from.author), field, message)
                    .with_help(
                        "add a host to a server of the Gateway, or remove it from `gateways`",
                    )
                    .with_related(
                        gateway_reference(&gateway.resource),
                        "has the servers",
                        None,
                    ),
            );
        }
    }
}
