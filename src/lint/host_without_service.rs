//! `unowned-host` (MR0328).
//!
//! **What it does**: finds hosts of VirtualServices of the mesh that no service has, where the half of the configuration that should
//! have it is given: services of the namespace that the host names.
//!
//! **Why is this bad**: sidecars know such a host on port 80 only. On every other port, requests for it pass the mesh by; a short
//! name means a service of the VirtualService's own namespace, so that one of another namespace is not meant (R-M-008, R-M-061).
//!
//! **Example**
//! ```yaml
//! metadata: {name: reviews, namespace: team-a}
//! spec: {hosts: [reviews]}   # the Service is reviews.bookinfo
//! ```
//! **Use instead**: the full name of the service, `reviews.bookinfo.svc.cluster.local`; or add a ServiceEntry.

use crate::diagnostic::{Code, FieldPath, Report, Severity};
use crate::mesh::virtual_service::Semantics;
use crate::terms::hash::HashMap;
use crate::terms::host::{is_wildcard, namespace_of};

use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    if facts.registry.is_open() {
        return;
    }
    let mut namesakes: HashMap<&str, &str> = HashMap::default();
    for service in facts
        .mesh
        .services
        .iter()
        .filter(|service| service.is_kubernetes())
    {
        namesakes
            .entry(&service.resource.name)
            .or_insert(&service.hostname);
    }
    let written = facts.mesh.virtual_services.iter();
    let written =
        written.filter(|one| one.semantics == Semantics::VirtualService && one.is_in_mesh());
    for from in written {
        for (index, host) in from.hosts.iter().enumerate() {
            let is_known = !facts.registry.named(host).is_empty();
            if is_known || is_wildcard(host) || !facts.registry.has_half_of(host) {
                continue;
            }
            let of_cluster = namespace_of(host, &facts.mesh.config.domain);
            let label = host.split('.').next().unwrap_or_default();
            let near = namesakes.get(label).filter(|_| !of_cluster.is_empty());
            let message =
                format!("no service is named `{host}`: sidecars know the host on port 80 only");
            let help = match near {
                Some(near) => format!("write `{near}`, if that is meant; a short name means one of the own namespace"),
                None => "add the Service, or a ServiceEntry with the port; or bind the VirtualService to a Gateway only".to_owned(),
            };
            // Beside a Gateway, `mesh` may be there for the few inside that use the public name.
            let severity = match from.is_at_gateways() {
                true => Severity::Note,
                false => Severity::Warning,
            };
            let field = FieldPath::from("spec").field("hosts").index(index);
            let found = finding(Code::UNOWNED_HOST, author(&from.author), field, message);
            report.push(found.with_severity(severity).with_help(help));
        }
    }
}
