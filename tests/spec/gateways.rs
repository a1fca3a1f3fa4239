//! Gateways: those that select the proxy, their servers merged by listener port. Section 2 of istio-model.md.

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

    let selecting = world
        .of_kind("Gateway")
        .filter(|gateway| selects(&gateway["spec"]["selector"], &world.proxy.labels));
    for gateway in selecting {
        for server in list(&gateway["spec"], "servers") {
            let server = Server {
                gateway: full_name(gateway),
                hosts: sanitised(&texts(server, "hosts"), namespace(gateway)),
                port: number(&server["port"], "number"),
                protocol: text(&server["port"], "protocol").to_owned(),
                bind: text(server, "bind").to_owned(),
                tls: server["tls"].clone(),
                port_name: text(&server["port"], "name").to_owned(),
            };
            let port = listener_port(world, server.port);
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
