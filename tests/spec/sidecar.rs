//! The Sidecar resource: which services and VirtualServices a sidecar has in view, and what becomes of the rest.
//! Section 3.4 of istio-model.md.

use super::names::{is_subset, overlap, selects};
use super::services::{Port, Service, all, best, visible};
use super::virtual_services::{self, hosts};
use super::world::{World, namespace};
use super::{Yaml, list, number, text, texts};

/// What a sidecar sees through one egress listener.
#[derive(Debug)]
pub struct Egress {
    /// 0: every port that no other egress listener claims.
    pub port: u64,
    pub services: Vec<Service>,
    pub virtual_services: Vec<Yaml>,
}

/// What a proxy has in view.
#[derive(Debug)]
pub struct Scope {
    pub egress: Vec<Egress>,
    /// Everything that has a cluster: the services of the egress listeners and what their VirtualServices name.
    pub services: Vec<Service>,
    /// Unknown hosts pass (`ALLOW_ANY`) or not (`REGISTRY_ONLY`).
    pub allow_any: bool,
}

/// R-M-070: the Sidecar that configures the proxy, if any.
fn chosen(world: &World) -> Option<&Yaml> {
    let proxy = &world.proxy;
    let own = || {
        world
            .of_kind("Sidecar")
            .filter(|sidecar| namespace(sidecar) == proxy.namespace)
    };
    let has_selector = |sidecar: &&Yaml| sidecar["spec"]["workloadSelector"].is_object();
    own()
        .filter(has_selector)
        .find(|sidecar| {
            selects(
                &sidecar["spec"]["workloadSelector"]["labels"],
                &proxy.labels,
            )
        })
        .or_else(|| own().find(|sidecar| !has_selector(sidecar)))
        .or_else(|| {
            world.of_kind("Sidecar").find(|sidecar| {
                namespace(sidecar) == world.root_namespace() && !has_selector(sidecar)
            })
        })
}

/// The scope of the proxy: a gateway ignores Sidecars and sees everything that is exported to it.
pub fn scope(world: &World) -> Scope {
    let viewer = world.proxy.namespace.as_str();
    let mesh_allows = text(&world.mesh["outboundTrafficPolicy"], "mode") != "REGISTRY_ONLY";
    let everything = visible(world, viewer);
    if world.proxy.gateway {
        return Scope {
            egress: vec![],
            services: everything,
            allow_any: mesh_allows,
        };
    }
    let sidecar = chosen(world);
    let allow_any = match sidecar.map(|s| &s["spec"]["outboundTrafficPolicy"]) {
        // R-H-053: present but empty means REGISTRY_ONLY.
        Some(policy) if policy.is_object() => text(policy, "mode") == "ALLOW_ANY",
        _ => mesh_allows,
    };
    let everywhere = serde_json::json!([{"hosts": ["*/*"]}]);
    let listeners = match sidecar.map(|s| list(&s["spec"], "egress")) {
        Some(said) if !said.is_empty() => said.to_vec(),
        _ => everywhere.as_array().cloned().unwrap_or_default(),
    };
    let bound_to_mesh = virtual_services::visible(world, viewer, "mesh");
    let egress: Vec<Egress> = listeners
        .iter()
        .map(|listener| import(listener, &everything, &bound_to_mesh, viewer))
        .collect();
    let services = with_destinations(world, &egress, &everything, viewer);
    Scope {
        egress,
        services,
        allow_any,
    }
}

/// R-M-071, R-M-074: what one egress listener imports.
fn import(listener: &Yaml, services: &[Service], candidates: &[Yaml], viewer: &str) -> Egress {
    let port = number(&listener["port"], "number");
    let imports: Vec<(String, String)> = texts(listener, "hosts")
        .iter()
        .filter_map(|host| host.split_once('/'))
        .map(|(ns, name)| {
            let ns = if ns == "." { viewer } else { ns };
            (ns.to_owned(), name.to_owned())
        })
        .collect();
    let imported = |owner: &str, fits: &dyn Fn(&str) -> bool| {
        let any = |mark: &str| {
            imports
                .iter()
                .any(|(ns, name)| match ns.strip_prefix(mark) {
                    Some(ns) => {
                        (ns == owner || ns == "*" || (ns.is_empty() && mark == "~")) && fits(name)
                    }
                    None => false,
                })
        };
        // An entry whose namespace starts with `~` excludes; `~/*` excludes everything.
        any("") && !any("~")
    };
    let in_view: Vec<Service> = services
        .iter()
        .filter(|s| imported(&s.namespace, &|name| is_subset(&s.host, name)))
        .filter(|s| port == 0 || s.ports.iter().any(|p| p.number == port))
        .cloned()
        .collect();
    let mut chosen: Vec<Service> = Vec::new();
    for service in &in_view {
        if !chosen.iter().any(|other| other.host == service.host) {
            chosen.extend(best(&in_view, &service.host, viewer).cloned());
        }
    }
    let virtual_services = candidates
        .iter()
        .filter(|vs| {
            hosts(vs)
                .iter()
                .any(|host| imported(namespace(vs), &|name| overlap(host, name)))
        })
        .cloned()
        .collect();
    Egress {
        port,
        services: chosen,
        virtual_services,
    }
}

/// R-M-072: the services in view, and those that VirtualServices in view send traffic to, with the ports they name.
fn with_destinations(
    world: &World,
    egress: &[Egress],
    everything: &[Service],
    viewer: &str,
) -> Vec<Service> {
    let registry = all(world);
    let mut out: Vec<Service> = Vec::new();
    for service in egress.iter().flat_map(|listener| &listener.services) {
        match out.iter_mut().find(|other| other.host == service.host) {
            Some(known) => add_ports(known, &service.ports),
            None => out.push(service.clone()),
        }
    }
    let listed: Vec<String> = out.iter().map(|service| service.host.clone()).collect();
    for vs in egress
        .iter()
        .flat_map(|listener| &listener.virtual_services)
    {
        for (host, port) in destinations(vs, viewer) {
            if listed.contains(&host) {
                continue;
            }
            // One of the client's own namespace counts even if it is not exported there.
            let own = registry
                .iter()
                .find(|s| s.host == host && s.namespace == viewer);
            let Some(service) = own.or_else(|| best(everything, &host, viewer)) else {
                continue;
            };
            let mut narrowed = service.clone();
            if port != 0 {
                narrowed.ports.retain(|p| p.number == port);
                if narrowed.ports.is_empty() {
                    continue;
                }
            }
            match out.iter_mut().find(|other| other.host == host) {
                Some(known) => add_ports(known, &narrowed.ports),
                None => out.push(narrowed),
            }
        }
    }
    out
}

fn add_ports(service: &mut Service, ports: &[Port]) {
    for port in ports {
        if !service
            .ports
            .iter()
            .any(|known| known.number == port.number)
        {
            service.ports.push(port.clone());
        }
    }
}

/// Every host (and port, 0 if unsaid) that a VirtualService sends traffic to, without http rules that only other source
/// namespaces reach.
fn destinations(vs: &Yaml, viewer: &str) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    for section in ["http", "tls", "tcp"] {
        for rule in list(&vs["spec"], section) {
            let sources: Vec<&str> = list(rule, "match")
                .iter()
                .map(|condition| text(condition, "sourceNamespace"))
                .filter(|source| !source.is_empty())
                .collect();
            if section == "http" && !sources.is_empty() && !sources.contains(&viewer) {
                continue;
            }
            let routes = list(rule, "route").iter().map(|r| &r["destination"]);
            let mirrors = list(rule, "mirrors").iter().map(|m| &m["destination"]);
            for destination in routes.chain(mirrors).chain([&rule["mirror"]]) {
                if destination.is_object() {
                    out.push((
                        text(destination, "host").to_owned(),
                        number(&destination["port"], "number"),
                    ));
                }
            }
        }
    }
    out
}
