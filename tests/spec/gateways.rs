//! Gateways: those that select the proxy, their servers merged by listener port. Section 2 of istio-model.md.

use super::gateway_api::{is_managed, services_of};
use super::names::selects;
use super::services::Protocol;
use super::world::{World, full_name, namespace};

use super::{Yaml, list, number, text, texts};

/// One server that was not dropped.
#[derive(Clone, Debug)]
pub struct Server {
    /// `namespace/name` of its Gateway.
    pub gateway: String,
    /// R-M-015: without `./` and `*/`.
    pub hosts: Vec<String>,
    /// `port.number` as written (R-H-029).
    pub port: u64,
    pub protocol: String,
    pub bind: String,
    pub tls: Yaml,
    pub port_name: String,
}

impl Server {
    fn speaks(&self) -> Protocol {
        Protocol::read(&self.protocol)
    }

    /// `tls.mode`; unset means PASSTHROUGH (R-M-026).
    pub fn mode(&self) -> &str {
        match text(&self.tls, "mode") {
            "" => "PASSTHROUGH",
            mode => mode,
        }
    }

    fn passes_tls_through(&self) -> bool {
        self.mode() == "PASSTHROUGH" || self.mode() == "AUTO_PASSTHROUGH"
    }

    /// R-M-020: it ends TLS and speaks HTTP inside.
    pub fn is_https(&self) -> bool {
        self.protocol.eq_ignore_ascii_case("https") && !self.passes_tls_through()
    }

    /// R-M-019: plain HTTP, whatever `tls` says.
    pub fn is_plain_http(&self) -> bool {
        self.speaks() == Protocol::Http
    }

    /// Its connections are TLS.
    fn is_tls(&self) -> bool {
        self.tls.is_object() && self.speaks() == Protocol::Tls
    }

    pub fn redirects_to_https(&self) -> bool {
        self.tls["httpsRedirect"].as_bool() == Some(true)
    }

    /// R-M-018: the name of the route configuration, "" if it has none.
    pub fn route_config(&self, listener_port: u64) -> String {
        let bind = if self.bind.is_empty() {
            String::new()
        } else {
            format!(".{}", self.bind)
        };
        if self.is_plain_http() {
            return format!("http.{listener_port}{bind}");
        }
        if self.is_https() {
            let (owner, name) = self.gateway.split_once('/').unwrap_or(("", ""));
            return format!(
                "https.{}.{}.{name}.{owner}{bind}",
                self.port, self.port_name
            );
        }
        String::new()
    }

    /// The hosts without their namespaces.
    pub fn bare_hosts(&self) -> Vec<String> {
        let bare = |host: &String| {
            host.split_once('/')
                .map_or(host.clone(), |(_, name)| name.to_owned())
        };
        let mut hosts: Vec<String> = self.hosts.iter().map(bare).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

/// The servers that share a listener.
#[derive(Clone, Debug)]
pub struct Group {
    pub listener_port: u64,
    pub bind: String,
    pub plain: bool,
    pub servers: Vec<Server>,
}

/// R-M-015: `./h` is the gateway's own namespace, `*/h` every namespace, `*/*` everything.
fn sanitised(hosts: &[String], owner: &str) -> Vec<String> {
    if hosts.iter().any(|host| host == "*/*") {
        return vec!["*".to_owned()];
    }
    let one = |host: &String| match host.split_once('/') {
        Some((".", name)) => format!("{owner}/{name}"),
        Some(("*", name)) => name.to_owned(),
        _ => host.clone(),
    };
    hosts.iter().map(one).collect()
}

/// R-G-017: the Services of a Gateway that lead to the proxy.
fn leading_here<'a>(world: &'a World, hosts: &[String], owner: &str) -> Vec<&'a Yaml> {
    let proxy = &world.proxy;
    let address = proxy.address.map(|address| address.to_string());
    let is_endpoint = |service: &Yaml| {
        let selector = &service["spec"]["selector"];
        let selected = selector.as_object().is_some_and(|all| !all.is_empty())
            && proxy.namespace == namespace(service)
            && selects(selector, &proxy.labels);
        let name = &service["metadata"]["name"];
        selected
            || world
                .of_kind("EndpointSlice")
                .filter(|slice| namespace(slice) == namespace(service))
                .filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == *name)
                .flat_map(|slice| list(slice, "endpoints"))
                .any(|one| {
                    address
                        .as_ref()
                        .is_some_and(|own| texts(one, "addresses").contains(own))
                })
    };
    let is_meant = |service: &&Yaml| {
        let name = text(&service["metadata"], "name");
        let host = format!("{name}.{}.svc.cluster.local", namespace(service));
        namespace(service) == owner && hosts.contains(&host)
    };
    let services = world.of_kind("Service").filter(is_meant);
    services.filter(|service| is_endpoint(service)).collect()
}

/// Whether a Gateway is for the proxy: by its Services if it names them (R-G-017), else by its selector.
fn is_for(world: &World, gateway: &Yaml) -> bool {
    match services_of(gateway) {
        Some((hosts, owner)) => !leading_here(world, &hosts, &owner).is_empty(),
        None => selects(&gateway["spec"]["selector"], &world.proxy.labels),
    }
}

/// The Gateways that are for the proxy. R-G-019: beside one whose workload Istio made, only those of its namespace that
/// people wrote.
fn selecting(world: &World) -> Vec<&Yaml> {
    let mut all: Vec<&Yaml> = world
        .of_kind("Gateway")
        .filter(|one| is_for(world, one))
        .collect();
    let managed = all.iter().filter(|one| is_managed(one));
    let owners: Vec<String> = managed
        .filter_map(|one| services_of(one))
        .map(|(_, owner)| owner)
        .collect();
    let stays =
        |one: &&Yaml| services_of(one).is_some() || owners.iter().any(|o| o == namespace(one));
    if !owners.is_empty() {
        all.retain(stays);
    }
    all
}

/// The ports that the workload listens on for a server port: R-G-018 where the Gateway names its Services.
fn listener_ports(world: &World, gateway: &Yaml, port: u64) -> Vec<u64> {
    let Some((hosts, owner)) = services_of(gateway) else {
        return vec![listener_port(world, port)];
    };
    let mut out = Vec::new();
    for service in leading_here(world, &hosts, &owner) {
        let ports = list(&service["spec"], "ports").iter();
        for offered in ports.filter(|offered| number(offered, "port") == port) {
            let target = match number(offered, "targetPort") {
                0 => port,
                target => target,
            };
            if !out.contains(&target) {
                out.push(target);
            }
        }
    }
    out
}

/// R-M-016, R-H-068: the port that the workload listens on for a server port.
fn listener_port(world: &World, port: u64) -> u64 {
    let selecting = world.of_kind("Service").filter(|service| {
        let selector = &service["spec"]["selector"];
        namespace(service) == world.proxy.namespace
            && selector
                .as_object()
                .is_some_and(|labels| !labels.is_empty())
            && selects(selector, &world.proxy.labels)
    });
    for service in selecting {
        for offered in list(&service["spec"], "ports") {
            if number(offered, "port") == port {
                let target = number(offered, "targetPort");
                return if target == 0 { port } else { target };
            }
        }
    }
    port
}

/// R-M-014: all servers of all Gateways that select the proxy, merged; the first claimant of a port wins.
pub fn merged(world: &World) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // R-M-032: per listener port, the hosts of servers with a `tls` block, and their bind.
    let mut tls_hosts: Vec<(u64, String, String)> = Vec::new();
    let mut route_names: Vec<String> = Vec::new();
    // R-M-033: the most recent plain-text (bind, server) of each port.
    let mut plain: Vec<(u64, String, Protocol)> = Vec::new();

    for gateway in selecting(world) {
        let servers = list(&gateway["spec"], "servers").iter().flat_map(|server| {
            let ports = listener_ports(world, gateway, number(&server["port"], "number"));
            ports.into_iter().map(move |port| (server, port))
        });
        for (server, port) in servers {
            let server = Server {
                gateway: full_name(gateway),
                hosts: sanitised(&texts(server, "hosts"), namespace(gateway)),
                port: number(&server["port"], "number"),
                protocol: text(&server["port"], "protocol").to_owned(),
                bind: text(server, "bind").to_owned(),
                tls: server["tls"].clone(),
                port_name: text(&server["port"], "name").to_owned(),
            };
            if server.tls.is_object() {
                let claimed = |host: &String| {
                    tls_hosts
                        .iter()
                        .any(|(p, h, bind)| *p == port && h == host && *bind == server.bind)
                };
                if server.hosts.iter().any(claimed) {
                    continue;
                }
                for host in &server.hosts {
                    tls_hosts.retain(|(p, h, _)| !(*p == port && h == host));
                    tls_hosts.push((port, host.clone(), server.bind.clone()));
                }
            }
            let name = server.route_config(port);
            let seen = groups.iter().any(|group| group.listener_port == port);
            let current = plain.iter().rev().find(|(p, _, _)| *p == port).cloned();
            match current {
                // R-M-033: HTTP joins HTTP; nothing else joins a plain-text server on the same bind.
                Some((_, bind, protocol)) if bind == server.bind => {
                    if !(server.is_plain_http() && protocol == Protocol::Http) {
                        continue;
                    }
                }
                Some(_) => {}
                // R-M-036: HTTPS beside TLS needs a route name of its own.
                None if seen && server.is_https() && route_names.contains(&name) => continue,
                None => {
                    if !server.is_tls() {
                        plain.push((port, server.bind.clone(), server.speaks()));
                    }
                }
            }
            route_names.push(name);
            let is_plain = !server.is_tls();
            match groups
                .iter_mut()
                .find(|g| g.listener_port == port && g.bind == server.bind && g.plain == is_plain)
            {
                Some(group) => group.servers.push(server),
                None => groups.push(Group {
                    listener_port: port,
                    bind: server.bind.clone(),
                    plain: is_plain,
                    servers: vec![server],
                }),
            }
        }
    }
    groups
}
