//! The Sidecar resource: which services and VirtualServices a sidecar has in view, and what becomes of the rest.
//! Section 3.4 of istio-model.md.

use super::names::{is_subset, overlap, selects};
use super::services::{Port, Service, all, best, visible};
use super::virtual_services::{self, hosts};
use super::world::{World, has_gateway_semantics, namespace};
use super::{Yaml, list, number, text, texts};

/// What a sidecar sees through one egress listener.
#[derive(Debug)]
pub struct Egress {
    /// 0: every port that no other egress listener claims.
    pub port: u64,
    /// What its port speaks, where it has one.
    pub protocol: String,
    /// Its bind address as written.
    pub bind: String,
    pub services: Vec<Service>,
    pub virtual_services: Vec<Yaml>,
}

/// What a proxy has in view.
#[derive(Debug)]
pub struct Scope {
    pub egress: Vec<Egress>,
    /// Everything that has a cluster, one per host: the services of the egress listeners and what their VirtualServices
    /// name; at a gateway, all that are visible.
    pub services: Vec<Service>,
    /// Every service that is visible.
    pub visible: Vec<Service>,
    /// `outboundTrafficPolicy.mode`: what becomes of unknown hosts.
    pub mode: String,
    /// R-H-052: `outboundTrafficPolicy.egressProxy`, where unknown traffic goes instead of its original destination.
    pub egress_proxy: Yaml,
}

impl Egress {
    /// R-H-054: it is an HTTP proxy for all ports.
    pub fn is_proxy(&self) -> bool {
        self.protocol.eq_ignore_ascii_case("http_proxy")
    }
}

impl Scope {
    /// The service of this host.
    pub fn service(&self, host: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.host == host)
    }

    /// R-M-071: the egress listener whose routes and imports count for a port.
    pub fn egress_of(&self, port: u64) -> Option<&Egress> {
        let own = self.egress.iter().find(|egress| egress.port == port);
        own.or_else(|| self.egress.iter().find(|egress| egress.port == 0))
    }

    /// R-M-064: where traffic for nobody goes.
    pub fn unknown(&self) -> String {
        match self.mode.as_str() {
            "REGISTRY_ONLY" => "BlackHoleCluster".to_owned(),
            _ if self.egress_proxy.is_object() => format!(
                "outbound|{}|{}|{}",
                number(&self.egress_proxy["port"], "number"),
                text(&self.egress_proxy, "subset"),
                text(&self.egress_proxy, "host"),
            ),
            _ => "PassthroughCluster".to_owned(),
        }
    }
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
    let mesh_mode = match text(&world.mesh["outboundTrafficPolicy"], "mode") {
        "" => "ALLOW_ANY",
        said => said,
    };
    let everything = visible(world, viewer);
    if world.proxy.gateway {
        let mut services = Vec::new();
        everything
            .iter()
            .for_each(|service| add(&mut services, service.clone()));
        return Scope {
            egress: vec![],
            services,
            visible: everything,
            mode: mesh_mode.to_owned(),
            egress_proxy: Yaml::Null,
        };
    }
    let sidecar = chosen(world);
    let own = sidecar.map(|s| &s["spec"]["outboundTrafficPolicy"]);
    let own = own.filter(|policy| policy.is_object());
    let mode = match own.map(|policy| text(policy, "mode")) {
        // R-H-053: present but empty means REGISTRY_ONLY.
        Some("") => "REGISTRY_ONLY",
        Some(said) => said,
        None => mesh_mode,
    };
    let everywhere = serde_json::json!([{"hosts": ["*/*"]}]);
    let listeners = match sidecar.map(|s| list(&s["spec"], "egress")) {
        Some(said) if !said.is_empty() => said.to_vec(),
        _ => everywhere.as_array().cloned().unwrap_or_default(),
    };
    let bound_to_mesh = virtual_services::visible(world, viewer, "mesh");
    let egress: Vec<Egress> = listeners
        .iter()
        .map(|listener| import(world, listener, &everything, &bound_to_mesh, viewer))
        .collect();
    let services = with_destinations(world, &egress, &everything, viewer);
    Scope {
        egress,
        services,
        visible: everything,
        mode: mode.to_owned(),
        egress_proxy: own.map_or(Yaml::Null, |policy| policy["egressProxy"].clone()),
    }
}

/// R-M-071, R-M-074: what one egress listener imports.
fn import(
    world: &World,
    listener: &Yaml,
    services: &[Service],
    candidates: &[Yaml],
    viewer: &str,
) -> Egress {
    let port = number(&listener["port"], "number");
    let protocol = text(&listener["port"], "protocol").to_owned();
    // R-M-074: an HTTP proxy takes services whatever their ports.
    let all_ports = port == 0 || protocol.eq_ignore_ascii_case("http_proxy");
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
    let registry = all(world);
    let in_view: Vec<Service> = services
        .iter()
        .filter(|s| imported(&s.namespace, &|name| is_subset(&s.host, name)))
        .filter(|s| all_ports || s.ports.iter().any(|p| p.number == port))
        .cloned()
        .map(|mut service| {
            service.ports.retain(|p| all_ports || p.number == port);
            let aliases = registry.iter().filter(|alias| {
                alias.external_name.as_ref() == Some(&service.host)
                    && imported(&service.namespace, &|name| is_subset(&alias.host, name))
            });
            service.aliases = aliases.map(|alias| alias.host.clone()).collect();
            service
        })
        .collect();
    // R-M-073: of one host name, those of one namespace are left, however many.
    let stays = |service: &&Service| {
        best(&in_view, &service.host, viewer).is_some_and(|one| one.namespace == service.namespace)
    };
    let chosen: Vec<Service> = in_view.iter().filter(stays).cloned().collect();
    let virtual_services = candidates
        .iter()
        .filter(|vs| {
            hosts(vs).iter().any(|host| {
                imported(namespace(vs), &|name| match has_gateway_semantics(vs) {
                    true => is_subset(host, name), // R-G-056
                    false => overlap(host, name),
                })
            })
        })
        .cloned()
        .collect();
    Egress {
        port,
        protocol,
        bind: text(listener, "bind").to_owned(),
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
        add(&mut out, service.clone());
    }
    let imported = egress.iter().flat_map(|listener| {
        // R-M-074: through a listener with a port of its own comes only that port, whatever the destination says.
        let own = (!listener.is_proxy()).then_some(listener.port);
        let all = listener.virtual_services.iter();
        all.map(move |vs| (vs, own.filter(|port| *port != 0)))
    });
    for (vs, own) in imported {
        for (host, port) in destinations(vs, viewer) {
            let port = own.unwrap_or(port);
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
            add(&mut out, narrowed);
        }
    }
    out
}

/// R-M-073: a service, or what it adds to the one of the same name: a Kubernetes service takes the place of another and
/// takes nothing from it, ServiceEntries that are alike are one.
fn add(all: &mut Vec<Service>, service: Service) {
    match all.iter_mut().find(|other| other.host == service.host) {
        None => all.push(service),
        Some(known) if known.kubernetes == service.kubernetes => {
            let is_same = known.namespace == service.namespace
                && known.resolution == service.resolution
                && known.export == service.export;
            if is_same {
                add_ports(known, &service.ports);
            }
        }
        Some(known) if service.kubernetes => *known = service,
        Some(_) => {}
    }
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
