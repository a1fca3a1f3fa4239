//! `ambiguous-port` (MR0303; istioctl's IST0112, R-M-190).
//!
//! **What it does**: finds `http` destinations without a port, in VirtualServices that are bound to a gateway, whose service
//! has several ports.
//!
//! **Why is this bad**: a gateway then takes the port number of its own server (R-M-137): 80 or 443, which the service
//! mostly does not have. Sidecars always take the port that the client used; they are not meant here.
//!
//! **Example**
//! ```yaml
//! gateways: [public]   # listens on 443
//! http:
//! - route: [{destination: {host: reviews}}]   # ports 9080 and 9090: the cluster is outbound|443||reviews...
//! ```
//! **Use instead**: `destination.port.number`.

use crate::diagnostic::{Code, Report};

use super::references::references;
use super::{Facts, author, finding, list, reference as resource, registry};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        if !from.is_at_gateways() {
            continue;
        }
        for reference in references(from) {
            let host = &*reference.destination.host;
            if reference.destination.port.is_some() {
                continue;
            }
            let Some(service) = facts.registry.seen_from(host, &from.resource().namespace) else {
                continue;
            };
            if service.ports.len() < 2 {
                continue;
            }
            let ports = list(service.ports.iter().map(|port| port.number));
            let message = format!(
                "`{host}` has several ports ({ports}), and the {} names none: gateways take the port of their own server",
                reference.noun(),
            );
            report.push(
                finding(
                    Code::AMBIGUOUS_PORT,
                    author(reference.author),
                    reference.field,
                    message,
                )
                .with_help("add `port: {number: ...}`")
                .with_related(
                    resource(registry::kind(service), &service.resource),
                    "has the ports",
                    None,
                ),
            );
        }
    }
}
