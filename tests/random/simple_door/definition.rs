//! What the simple door is by definition, through the full one: `decide` for a plain `GET /` on the host, at the gateway's
//! first server that admits it; for `mesh`, at the first HTTP port of the service that the host names, and at 80 for a host
//! that no service claims.
//!
//! Servers, services and their names come from the executable specification: nothing is asked of the crate but `decide`.

use std::net::IpAddr;

use meshroute::decision::NotFound;
use meshroute::router::ClusterKind;
use meshroute::{Connection, Outcome, Proxy, Request, RouteError, Router};

use crate::spec::gateways::{Server, merged};
use crate::spec::services::{Protocol, Service};
use crate::spec::virtual_hosts::{of_sidecar, without_port};
use crate::spec::world::{World, full_name};
use crate::spec::{self, Yaml, list, text};

/// A configuration as its author sees it.
pub struct Definition<'r> {
    router: &'r Router,
    namespace: String,
    /// Names of services with where these are asked for; `None`: the proxy has no outbound side.
    names: Option<Vec<(String, Arrival)>>,
    /// Gateways with servers that are open, in merge order.
    gateways: Vec<OpenGateway>,
}

#[derive(Clone, Copy)]
struct Arrival {
    port: u16,
    address: Option<IpAddr>,
    tls: bool,
}

/// The name of a Gateway, and the hosts of each of its servers with where these are asked for.
type OpenGateway = (String, Vec<(Vec<String>, Arrival)>);

impl<'r> Definition<'r> {
    pub fn new(router: &'r Router, resources: &[Yaml], mesh: &Yaml, proxy: &Proxy) -> Self {
        let documents: Vec<String> = resources.iter().map(Yaml::to_string).collect();
        let labels = proxy.labels().iter();
        let labels = labels.map(|(key, value)| (key.to_string(), value.to_string().into()));
        let labels = Yaml::Object(labels.collect());
        let world = |gateway: bool| {
            let proxy = spec::Proxy {
                gateway,
                namespace: proxy.namespace().to_owned(),
                labels: labels.clone(),
                address: None,
            };
            World::read(&documents.join("\n---\n"), "default", mesh.clone(), proxy)
        };
        let kind = format!("{:?}", proxy.kind());
        let names = (kind != "Gateway").then(|| names(&world(false)));
        let mut gateways = Vec::new();
        if kind != "Sidecar" {
            let mut world = world(true);
            if kind == "Any" {
                // It binds every Gateway.
                for resource in world
                    .resources
                    .iter_mut()
                    .filter(|resource| resource["kind"] == "Gateway")
                {
                    resource["spec"]["selector"] = Yaml::Null;
                }
            }
            gateways = open_gateways(&world);
        }
        Definition {
            router,
            namespace: proxy.namespace().to_owned(),
            names,
            gateways,
        }
    }

    /// Whether a request may name this gateway.
    pub fn knows(&self, gateway: &str) -> bool {
        self.arrival("", gateway).err() != Some(RouteError::UnknownGateway)
    }

    /// The cluster that `Router::route_with` should find.
    pub fn route(&self, host: &str, gateway: &str, entropy: u64) -> Result<String, RouteError> {
        let name = without_port(host);
        let arrival = self.arrival(name, gateway);
        let is_asked_for =
            |c: char| c.is_ascii_alphanumeric() || "!$%&'()*+,-.:;=@[]_~".contains(c);
        if !matches!(arrival, Err(RouteError::UnknownGateway))
            && (host.is_empty() || !host.chars().all(is_asked_for))
        {
            return Err(RouteError::BadHost);
        }
        let arrival = arrival?;
        let mut connection = Connection::to_port(arrival.port).gateway(gateway);
        if let Some(address) = arrival.address {
            connection = connection.address(address);
        }
        if arrival.tls {
            connection = connection.sni(name);
        }
        let request = Request::get("/").authority(host).connection(connection);
        let decision = self.router.decide(&request, entropy);
        match decision.outcome() {
            Outcome::Forward { cluster, .. } | Outcome::Tcp { cluster, .. } => {
                match cluster.kind() {
                    ClusterKind::Outbound if cluster.exists() => Ok(cluster.name().to_owned()),
                    ClusterKind::Outbound => Err(RouteError::NoSuchDestination),
                    ClusterKind::BlackHole => Err(RouteError::Blocked),
                    _ => Err(RouteError::Passthrough),
                }
            }
            Outcome::Redirect(redirect) => Err(RouteError::Redirect(redirect.redirect().status)),
            Outcome::HttpsRedirect => Err(RouteError::Redirect(301)),
            Outcome::Respond(answer) => Err(RouteError::DirectResponse(answer.response().status)),
            Outcome::Abort(_) => Err(RouteError::Fault(decision.status().expect("a status"))),
            Outcome::BadRequest(_) => Err(RouteError::BadHost),
            Outcome::NotFound(why) => Err(match why {
                NotFound::NoVirtualHost => RouteError::NoVirtualHost,
                NotFound::NoRule => RouteError::NoRule,
                _ => RouteError::NoListener,
            }),
            other => panic!("no answer to a plain request: {other:?}"),
        }
    }

    fn arrival(&self, host: &str, gateway: &str) -> Result<Arrival, RouteError> {
        if gateway == "mesh" {
            let names = self.names.as_ref().ok_or(RouteError::UnknownGateway)?;
            let fitting = names
                .iter()
                .filter_map(|(name, arrival)| Some((rank(name, host)?, arrival)));
            // Of names that fit equally, the first.
            let best = fitting.rev().max_by_key(|(rank, _)| *rank);
            let unclaimed = Arrival {
                port: 80,
                address: None,
                tls: false,
            };
            return Ok(best.map_or(unclaimed, |(_, arrival)| *arrival));
        }
        let named = |name: &str| {
            let mut all = self.gateways.iter();
            all.find(|(own, _)| own == name)
        };
        let found = match gateway.contains('/') {
            true => named(gateway),
            false => named(&format!("{}/{gateway}", self.namespace)).or_else(|| {
                let mut all = self.gateways.iter();
                all.find(|(own, _)| own.rsplit('/').next() == Some(gateway))
            }),
        };
        let (_, servers) = found.ok_or(RouteError::UnknownGateway)?;
        let admits = |hosts: &[String]| hosts.iter().any(|pattern| rank(pattern, host).is_some());
        let server = servers.iter().find(|(hosts, _)| admits(hosts));
        server
            .map(|(_, arrival)| *arrival)
            .ok_or(RouteError::HostNotAdmitted)
    }
}

/// How closely a name or pattern fits a host; `None`: not at all.
fn rank(pattern: &str, host: &str) -> Option<usize> {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix('*') {
        Some("") => Some(0),
        Some(tail) => (host.len() > tail.len() && host.ends_with(tail)).then_some(tail.len()),
        None => (pattern == host).then_some(usize::MAX),
    }
}

/// Every name of every service that a sidecar has in view, with the first HTTP port at which it answers for that name: one
/// that it shares with others before one at an address of its own.
fn names(world: &World) -> Vec<(String, Arrival)> {
    let scope = spec::sidecar::scope(world);
    let ports = scope.egress.iter().flat_map(|egress| {
        let ports = egress.services.iter().flat_map(|service| &service.ports);
        ports.map(|port| port.number)
    });
    let ports: std::collections::BTreeSet<u64> = ports.collect();
    let mut found: Vec<(String, &Service, Arrival)> = Vec::new();
    for port in ports {
        let of_port = scope.egress.iter().find(|egress| egress.port == port);
        let catch_all = || scope.egress.iter().find(|egress| egress.port == 0);
        let Some(egress) = of_port.or_else(catch_all) else {
            continue;
        };
        for host in of_sidecar(world, &scope, egress, port) {
            let takes_http = |service: &&Service| {
                let mut ports = service
                    .ports
                    .iter()
                    .filter(|declared| declared.number == port);
                ports.any(|port| port.protocol.may_be_http())
            };
            let is_it =
                |service: &&Service| host.name == format!("{}:{port}", service.host.to_lowercase());
            let mut services = egress.services.iter().filter(takes_http);
            let Some(service) = services.find(is_it) else {
                continue;
            };
            let protocol = service
                .ports
                .iter()
                .find(|declared| declared.number == port);
            let protocol = protocol.map(|port| port.protocol);
            let own = service
                .addresses
                .iter()
                .find_map(|address| address.parse().ok());
            let arrival = Arrival {
                port: port as u16,
                address: own.filter(|_| protocol == Some(Protocol::Sniffed)),
                tls: false,
            };
            found.extend(
                host.domains
                    .into_iter()
                    .map(|name| (name, service, arrival)),
            );
        }
    }
    // In the order of the service's ports; of one in several pieces, that of the whole.
    found.sort_by_key(|(_, service, arrival)| {
        let whole = scope.service(&service.host).unwrap_or(service);
        let mut ports = whole.ports.iter();
        let place = ports.position(|port| port.number == u64::from(arrival.port));
        (arrival.address.is_some(), place.is_none(), place)
    });
    found
        .into_iter()
        .map(|(name, _, arrival)| (name, arrival))
        .collect()
}

/// The Gateways with their servers that were not dropped, as written.
fn open_gateways(world: &World) -> Vec<OpenGateway> {
    let groups = merged(world);
    let of_gateway = |gateway: &Yaml| {
        let name = full_name(gateway);
        let mut servers: Vec<(Option<usize>, Vec<String>, Arrival)> = Vec::new();
        for group in &groups {
            for server in group.servers.iter().filter(|server| server.gateway == name) {
                let arrival = Arrival {
                    port: group.listener_port as u16,
                    address: group.bind.parse().ok(),
                    tls: server.tls.is_object() && !server.is_plain_http(),
                };
                servers.push((place(gateway, server), server.bare_hosts(), arrival));
            }
        }
        servers.sort_by_key(|(place, _, _)| *place);
        let servers = servers
            .into_iter()
            .map(|(_, hosts, arrival)| (hosts, arrival));
        (name, servers.collect::<Vec<_>>())
    };
    let gateways = world.of_kind("Gateway").map(of_gateway);
    gateways
        .filter(|(_, servers)| !servers.is_empty())
        .collect()
}

/// Where a server stands in its Gateway, whose servers have names of their own.
fn place(gateway: &Yaml, server: &Server) -> Option<usize> {
    let mut written = list(&gateway["spec"], "servers").iter();
    written.position(|written_server| text(&written_server["port"], "name") == server.port_name)
}
