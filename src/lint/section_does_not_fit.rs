//! `unfit-section` (MR0326).
//!
//! **What it does**: finds VirtualServices bound to a Gateway all of whose servers for their hosts take other rules than they have:
//! `tls` rules where TLS is terminated, `http` rules where TLS is passed through or bytes are forwarded.
//!
//! **Why is this bad**: the server opens nothing for the host: connections are refused, or closed (R-M-019, R-M-037).
//!
//! **Example**
//! ```yaml
//! # Gateway: {port: {number: 443, protocol: TLS}, tls: {mode: SIMPLE, ...}}
//! tls: [{match: [{sniHosts: [a.example.com]}], route: [...]}]
//! ```
//! **Use instead**: `http` rules at HTTP servers and at HTTPS servers that terminate; `tls` rules at PASSTHROUGH; `tcp` rules at TCP
//! servers and at TLS servers that terminate.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::VirtualService;
use crate::mesh::gateway::Server;
use crate::mesh::gateway_merge::{is_passthrough, routes_http};
use crate::terms::hash::HashMap;
use crate::terms::host::overlaps;
use crate::terms::name::GatewayName;

use super::{Facts, Work, author, finding, gateway as gateway_reference};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let gateways = facts.mesh.gateways.iter();
    let gateways: HashMap<_, _> = gateways
        .map(|gateway| (&gateway.resource, gateway))
        .collect();
    let mut work = Work::default();
    for from in &facts.mesh.virtual_services {
        for name in &from.gateways {
            let GatewayName::Named(name) = name else {
                continue;
            };
            let Some(gateway) = gateways.get(name) else {
                continue;
            };
            let hosts = gateway
                .servers
                .iter()
                .map(|server| server.hosts.len())
                .sum::<usize>();
            if !work.spend(hosts * from.hosts.len()) {
                return report.push(Work::stopped("unfit-section"));
            }
            let servers = || {
                gateway
                    .servers
                    .iter()
                    .enumerate()
                    .filter(|(_, server)| admits(server, from))
            };
            let Some((index, server)) = servers().next() else {
                continue;
            };
            if servers().any(|(_, server)| takes(server, from)) {
                continue;
            }
            let (section, wanted) = (sections(from), wanted(server));
            let message = format!(
                "no server of Gateway `{name}` takes {section} rules for these hosts: server {index} on port {} takes {wanted} rules",
                server.port
            );
            let field = FieldPath::from("spec").field(first_section(from));
            report.push(
                finding(Code::UNFIT_SECTION, author(&from.author), field, message)
                    .with_help(format!(
                        "write {wanted} rules, or change `protocol` and `tls.mode` of the server"
                    ))
                    .with_related(gateway_reference(&gateway.resource), "has the server", None),
            );
        }
    }
}

fn admits(server: &Server, from: &VirtualService) -> bool {
    let namespace = &*from.resource().namespace;
    let open = server
        .hosts
        .iter()
        .filter_map(|host| host.open_to(namespace));
    open.into_iter()
        .any(|host| from.hosts.iter().any(|own| overlaps(host, own)))
}

/// Which rules a server takes.
fn wanted(server: &Server) -> &'static str {
    if routes_http(server) {
        "`http`"
    } else if is_passthrough(server) {
        "`tls` or `tcp`"
    } else {
        "`tcp`"
    }
}

fn takes(server: &Server, from: &VirtualService) -> bool {
    if routes_http(server) {
        // A server that only redirects asks for no rules.
        let redirects = server.tls.as_ref().is_some_and(|tls| tls.https_redirect);
        return !from.http.is_empty() || redirects;
    }
    (is_passthrough(server) && !from.tls.is_empty()) || !from.tcp.is_empty()
}

fn first_section(from: &VirtualService) -> &'static str {
    match (from.http.is_empty(), from.tls.is_empty()) {
        (false, _) => "http",
        (true, false) => "tls",
        (true, true) => "tcp",
    }
}

fn sections(from: &VirtualService) -> String {
    let all = [
        ("`http`", from.http.is_empty()),
        ("`tls`", from.tls.is_empty()),
        ("`tcp`", from.tcp.is_empty()),
    ];
    let own: Vec<&str> = all
        .iter()
        .filter(|(_, none)| !none)
        .map(|(name, _)| *name)
        .collect();
    own.join(" and ")
}
