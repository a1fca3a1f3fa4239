//! `skipped-tcp-port` (MR0329).
//!
//! **What it does**: finds VirtualServices of the mesh with `http` rules only for a host whose service has TCP ports.
//!
//! **Why is this bad**: what comes to such a port is forwarded as bytes, past the rules (R-M-131). Where all ports are TCP, the rules
//! have no effect at all.
//!
//! **Example**
//! ```yaml
//! # Service: ports: [{name: tcp-web, port: 8080}]
//! hosts: [web]
//! http: [...]
//! ```
//! **Use instead**: a port named `http` or `http-...`, or `appProtocol: http`; or `tcp` rules.

use crate::diagnostic::{Code, FieldPath, Report, Severity};
use crate::mesh::service::Protocol;

use super::{Facts, author, finding, reference, registry};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        if !from.is_in_mesh() || from.http.is_empty() || !from.is_http_only() {
            continue;
        }
        for host in &from.hosts {
            let Some(service) = facts.mesh.service_index.named(host).first() else {
                continue;
            };
            let forwards = |protocol| {
                matches!(
                    protocol,
                    Protocol::Tcp | Protocol::Mongo | Protocol::Redis | Protocol::Mysql
                )
            };
            let tcp = service.ports.iter().filter(|port| forwards(port.protocol));
            let tcp: Vec<String> = tcp
                .map(|port| format!("{} ({})", port.number, port.name))
                .collect();
            if tcp.is_empty() {
                continue;
            }
            let severity = match tcp.len() == service.ports.len() {
                true => Severity::Warning,
                false => Severity::Note,
            };
            let message = format!(
                "these `http` rules do not hold for port {} of `{host}`, which is declared as TCP",
                tcp.join(", ")
            );
            let field = FieldPath::from("spec").field("http");
            report.push(
                finding(Code::SKIPPED_TCP_PORT, author(&from.author), field, message)
                    .with_severity(severity)
                    .with_help("name the port `http` or `http-...`, or set `appProtocol: http`; or write `tcp` rules")
                    .with_related(reference(registry::kind(service), &service.resource), "has the port", None),
            );
        }
    }
}
