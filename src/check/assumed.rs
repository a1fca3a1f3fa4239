//! What other repositories are assumed to hold: services that routes and policies name, and Gateways that routes are bound to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::ReadOptions;
use crate::Resources;
use crate::resource::Resource;
use crate::terms::host::{is_wildcard, resolve_short_name};

/// Ports that every assumed service has beside those that are named.
const PORTS: [u16; 1] = [80];

/// Resources (as JSON) that would have to be there for everything that is named to exist: of a host that a VirtualService or
/// DestinationRule names, a service with the ports that are named, and port 80; of a Gateway that is named, one for HTTP on port 80
/// and every host.
pub(super) fn assumed(resources: &Resources, options: &ReadOptions) -> String {
    let mut known = Known::default();
    for resource in &resources.documents {
        let meta = resource.meta();
        let full = |host: &str| resolve_short_name(host, &meta.namespace, &options.cluster_domain);
        match resource {
            Resource::Service(_) => {
                known.hosts.insert(full(&meta.name));
            }
            Resource::ServiceEntry(entry) => known.hosts.extend(entry.spec.hosts.iter().cloned()),
            Resource::Gateway(_) => {
                known
                    .gateways
                    .insert((meta.namespace.clone(), meta.name.clone()));
            }
            Resource::DestinationRule(rule) => {
                known.wanted.entry(full(&rule.spec.host)).or_default();
            }
            Resource::VirtualService(service) => {
                let spec = &service.spec;
                let is_in_mesh =
                    spec.gateways.is_empty() || spec.gateways.iter().any(|one| one == "mesh");
                for host in spec.hosts.iter().filter(|_| is_in_mesh) {
                    known.wanted.entry(full(host)).or_default();
                }
                let http = spec
                    .http
                    .iter()
                    .flat_map(|rule| &rule.route)
                    .map(|route| route.destination.as_ref());
                let tls = spec
                    .tls
                    .iter()
                    .flat_map(|rule| &rule.route)
                    .map(|route| route.destination.as_ref());
                let tcp = spec
                    .tcp
                    .iter()
                    .flat_map(|rule| &rule.route)
                    .map(|route| route.destination.as_ref());
                for destination in http.chain(tls).chain(tcp).flatten() {
                    let ports = known.wanted.entry(full(&destination.host)).or_default();
                    let port = destination.port.as_ref().map(|port| port.number);
                    ports.extend(port.and_then(|port| u16::try_from(port).ok()));
                }
                for gateway in spec.gateways.iter().filter(|one| *one != "mesh") {
                    let (namespace, name) = gateway
                        .split_once('/')
                        .unwrap_or((&meta.namespace, gateway));
                    known.bound.insert((namespace.to_owned(), name.to_owned()));
                }
            }
            _ => {}
        }
    }
    known.documents(&options.cluster_domain)
}

#[derive(Default)]
struct Known {
    hosts: BTreeSet<String>,
    wanted: BTreeMap<String, BTreeSet<u16>>,
    gateways: BTreeSet<(String, String)>,
    bound: BTreeSet<(String, String)>,
}

impl Known {
    fn documents(&self, domain: &str) -> String {
        let mut out: Vec<Value> = Vec::new();
        for (host, ports) in &self.wanted {
            if self.hosts.contains(host) || is_wildcard(host) || host.is_empty() {
                continue;
            }
            let ports: BTreeSet<u16> = ports.iter().chain(&PORTS).copied().collect();
            let of_cluster = host
                .strip_suffix(domain)
                .and_then(|host| host.strip_suffix(".svc."));
            out.push(match of_cluster.and_then(|host| host.split_once('.')) {
                Some((name, namespace)) => json!({
                    "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                    "spec": {"ports": ports.iter().map(|port| json!({"name": format!("http-{port}"), "port": port})).collect::<Vec<_>>()},
                }),
                None => json!({
                    "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
                    "metadata": {"name": format!("assumed-{}", out.len()), "namespace": "default"},
                    "spec": {"hosts": [host], "resolution": "DNS", "ports": ports.iter().map(|port| json!({"name": format!("http-{port}"), "number": port, "protocol": "HTTP"})).collect::<Vec<_>>()},
                }),
            });
        }
        for (namespace, name) in self.bound.difference(&self.gateways) {
            out.push(json!({
                "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": name, "namespace": namespace},
                "spec": {"servers": [{"hosts": ["*"], "port": {"number": 80, "name": "http", "protocol": "HTTP"}}]},
            }));
        }
        Value::Array(out).to_string()
    }
}
