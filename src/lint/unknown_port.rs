//! `unknown-port` (MR0302; istioctl's IST0101, R-M-189).
//!
//! **What it does**: finds destinations that name a port which their service does not have.
//!
//! **Why is this bad**: there is no such cluster: requests are answered 503, and connections closed (R-M-139).
//!
//! **Example**
//! ```yaml
//! - destination: {host: reviews, port: {number: 8080}}  # the Service has port 9080, with targetPort 8080
//! ```
//! **Use instead**: the Service's `port`, not its `targetPort`.

use crate::diagnostic::{Code, Report};

use super::references::references;
use super::{Facts, author, finding, list, reference as resource};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        for reference in references(from) {
            let host = &*reference.destination.host;
            let Some(port) = reference.destination.port else {
                continue;
            };
            let Some(service) = facts.registry.seen_from(host, &from.resource().namespace) else {
                continue;
            };
            if service.ports.iter().any(|known| known.number == port) {
                continue;
            }
            let ports = list(service.ports.iter().map(|port| port.number));
            let message = format!("`{host}` has no port {port}; it has {ports}");
            let field = reference.field.field("port").field("number");
            let kind = super::registry::kind(service);
            report.push(
                finding(Code::UNKNOWN_PORT, author(reference.author), field, message).with_related(
                    resource(kind, &service.resource),
                    "has the ports",
                    None,
                ),
            );
        }
    }
}
