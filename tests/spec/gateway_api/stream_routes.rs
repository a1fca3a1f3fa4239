//! TCPRoutes and TLSRoutes as VirtualServices.

use serde_json::json;

use super::backends::{Ineffective, Source, destinations, has_weight};
use super::listeners::Listener;
use super::parents::{Parent, accepting, hostnames};
use super::{MADE, metadata, name, of_kind};
use crate::spec::names::{intersection, overlap};
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, text};

/// The VirtualServices of all TCPRoutes and TLSRoutes; routes of this kind are never merged.
pub(super) fn virtual_services(resources: &[Yaml], listeners: &[Listener]) -> Vec<Yaml> {
    let mut out = Vec::new();
    for route in of_kind(resources, "TCPRoute").chain(of_kind(resources, "TLSRoute")) {
        let is_tls = text(route, "kind") == "TLSRoute";
        let section = if is_tls { "tls" } else { "tcp" };
        let mut count = 0;
        for parent in accepting(resources, listeners, route) {
            let source = Source {
                resources,
                route,
                needs_grants: matches!(parent, Parent::Listener { .. }),
            };
            let Ok(targets) = targets(&source) else {
                continue; // R-G-032
            };
            let (gateway, hosts) = match &parent {
                Parent::Listener { .. } if !is_tls => {
                    (parent.internal_name(), vec!["*".to_owned()])
                }
                Parent::Listener { listener, .. } => (
                    parent.internal_name(),
                    narrowed(&hostnames(route), &listener.hostname),
                ),
                Parent::Mesh { hosts, .. } => ("mesh".to_owned(), hosts.clone()),
            };
            let port = match parent {
                Parent::Mesh { port, .. } => port,
                Parent::Listener { .. } => 0,
            };
            for host in &hosts {
                let mut rules = Vec::new();
                for target in &targets {
                    let mut condition = json!({});
                    if port != 0 {
                        condition["port"] = port.into();
                    }
                    if is_tls {
                        let names = server_names(route, &parent, host, &hosts);
                        // R-G-047: only at a listener is a rule without names left dropped.
                        if names.is_empty() && gateway != "mesh" {
                            continue;
                        }
                        condition["sniHosts"] = json!(names);
                    }
                    let mut rule = json!({"route": target});
                    if condition != json!({}) {
                        rule["match"] = json!([condition]);
                    }
                    rules.push(rule);
                }
                if rules.is_empty() {
                    continue;
                }
                let annotations = json!({
                    "internal.istio.io/parents":
                        format!("{}/{}.{}", text(route, "kind"), name(route), namespace(route)),
                    "internal.istio.io/route-semantics": "gateway",
                });
                let called = format!("{}~{section}~{count}~{MADE}", name(route));
                count += 1;
                out.push(json!({
                    "apiVersion": "networking.istio.io/v1",
                    "kind": "VirtualService",
                    "metadata": metadata(route, called, annotations),
                    "spec": {"hosts": [host], "gateways": [gateway], section: rules},
                }));
            }
        }
    }
    out
}

/// R-G-047: the hostnames as far as the listener has them.
fn narrowed(hostnames: &[String], listener: &str) -> Vec<String> {
    match listener {
        "" => hostnames.to_vec(),
        own => intersection(hostnames, &[own.to_owned()]),
    }
}

/// R-G-047: the server names of a rule in the VirtualService of `host`.
fn server_names(route: &Yaml, parent: &Parent, host: &str, hosts: &[String]) -> Vec<String> {
    let names = hostnames(route);
    let mut names = match parent {
        Parent::Listener { listener, .. } => return narrowed(&names, &listener.hostname),
        Parent::Mesh { .. } if names == ["*"] => hosts.to_vec(),
        Parent::Mesh { .. } => names,
    };
    if names.len() > 1 {
        names.retain(|one| overlap(one, host));
    }
    names
}

/// R-G-048: what each rule leads to.
fn targets(source: &Source) -> Result<Vec<Vec<Yaml>>, Ineffective> {
    let rules = list(&source.route["spec"], "rules").iter();
    let of_rule = |rule: &Yaml| {
        let backends = list(rule, "backendRefs");
        if !has_weight(backends) {
            let nowhere = json!({"host": "internal.cluster.local", "subset": "zero-weight", "port": {"number": 65535}});
            return Ok(vec![json!({"destination": nowhere})]);
        }
        destinations(source, backends)
    };
    rules.map(of_rule).collect()
}
