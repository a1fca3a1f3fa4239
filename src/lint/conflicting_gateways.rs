//! `conflicting-gateways` (MR0318; istioctl's IST0145, R-M-205).
//!
//! **What it does**: finds Gateways for the same workloads that have a server with the same port, host and bind address.
//!
//! **Why is this bad**: of servers that are not plain HTTP only one is kept: which one depends on the age of the Gateways
//! (R-M-032..R-M-035). Plain HTTP servers are merged, which is worth a note only.
//!
//! **Example**
//! ```yaml
//! metadata: {name: alpha}
//! spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 443, ...}, hosts: [shop.example.com], tls: ...}]}
//! ---
//! metadata: {name: beta}
//! spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 443, ...}, hosts: [shop.example.com], tls: ...}]}
//! ```
//! **Use instead**: one Gateway per host, to which several VirtualServices are bound.

use std::net::IpAddr;
use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report, Severity};
use crate::mesh::Gateway;
use crate::mesh::gateway::Server;
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

use super::{Facts, finding, gateway as gateway_reference};

/// What two servers cannot both have: port, host, bind address.
type Place<'a> = (u16, &'a str, Option<IpAddr>);

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut places: HashMap<Place<'_>, Vec<(&Arc<Gateway>, &Server)>> = HashMap::default();
    for gateway in &facts.mesh.gateways {
        for server in &gateway.servers {
            for host in &server.hosts {
                let users = places.entry(place(server, host)).or_default();
                users.push((gateway, server));
            }
        }
    }
    for gateway in &facts.mesh.gateways {
        let mut told: Vec<&Arc<Gateway>> = Vec::new();
        for (index, server) in gateway.servers.iter().enumerate() {
            for host in &server.hosts {
                for (other, other_server) in &places[&place(server, host)] {
                    let is_told = told.iter().any(|one| Arc::ptr_eq(one, other));
                    if Arc::ptr_eq(other, gateway) || is_told || !share_workloads(gateway, other) {
                        continue;
                    }
                    told.push(other);
                    let severity = match is_merged(server) && is_merged(other_server) {
                        true => Severity::Note,
                        false => Severity::Warning,
                    };
                    let message = format!(
                        "Gateway `{}` has a server for `{host}` on port {} too",
                        other.resource, server.port
                    );
                    let field = FieldPath::from("spec").field("servers").index(index);
                    let resource = gateway_reference(&gateway.resource);
                    let other = gateway_reference(&other.resource);
                    report.push(
                        finding(Code::CONFLICTING_GATEWAYS, resource, field, message)
                            .with_severity(severity)
                            .with_help("keep a host and port in one Gateway, and bind several VirtualServices to it")
                            .with_related(other, "has the other server", None),
                    );
                }
            }
        }
    }
}

fn place<'a>(server: &Server, host: &'a str) -> Place<'a> {
    (server.port, host, server.bind)
}

/// Whether the server is merged with others like it: plain HTTP.
fn is_merged(server: &Server) -> bool {
    server.protocol.is_http() && server.tls.as_ref().is_none_or(|tls| !tls.https_redirect)
}

/// Whether what selects the workloads of one selects those of the other too.
fn share_workloads(a: &Gateway, b: &Gateway) -> bool {
    let selector = |gateway: &Gateway| gateway.selector.clone().unwrap_or(Labels::EMPTY);
    let (a, b) = (selector(a), selector(b));
    a.selects(&b) || b.selects(&a)
}
