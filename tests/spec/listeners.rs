//! Listeners and filter chains: where a connection ends up before a byte of HTTP is read.
//! Sections 2 and 3.3 of istio-model.md, R-M-068 for the choice.

use std::net::IpAddr;

use super::gateways::{Group, Server, merged};
use super::routes::fallback_route;
use super::services::{Protocol, Service, endpoint_addresses};
use super::sidecar::{Egress, Scope};
use super::tcp_routes::{self, Split};
use super::virtual_hosts::{VirtualHost, of_gateway, of_sidecar};
use super::world::{Call, World};

/// What a connection finds.
#[derive(Clone, Debug)]
pub enum Found {
    NoListener,
    NoFilterChain,
    /// The chain expects TLS and gets plain text, or the other way round.
    WrongTransport,
    Http {
        listener: String,
        route_config: String,
        hosts: Vec<VirtualHost>,
    },
    Tcp {
        listener: String,
        split: Split,
    },
}

/// A filter chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Destination CIDR blocks; empty: any.
    pub blocks: Vec<String>,
    /// Server names; empty: any, or none.
    pub names: Vec<String>,
    /// What the chain's transport socket ends: TLS or nothing.
    pub ends_tls: bool,
    /// Only for connections on which HTTP was recognised.
    pub http_only: bool,
    pub target: Target,
}

/// What a filter chain runs.
#[derive(Clone, Debug)]
pub enum Target {
    /// The servers of a gateway's route configuration.
    GatewayHttp {
        route_config: String,
        servers: Vec<Server>,
    },
    /// A sidecar's shared route configuration of a port.
    SidecarHttp,
    /// R-H-041: that of the service with this host alone.
    ServiceHttp(String),
    Tcp(Split),
}

/// The filter chain that a connection meets, with what it leads to.
pub fn find(world: &World, scope: &Scope, call: &Call) -> Found {
    if world.proxy.gateway {
        find_in_gateway(world, scope, call)
    } else {
        find_in_sidecar(world, scope, call)
    }
}

fn find_in_gateway(world: &World, scope: &Scope, call: &Call) -> Found {
    let groups = merged(world);
    let at_port = || {
        groups
            .iter()
            .filter(|group| group.listener_port == call.port)
    };
    let bound = |group: &&Group| {
        call.address
            .is_some_and(|address| group.bind == address.to_string())
    };
    let wildcard = |group: &&Group| group.bind.is_empty() || group.bind == "0.0.0.0";
    let bind = match at_port().find(bound).or_else(|| at_port().find(wildcard)) {
        Some(group) => group.bind.clone(),
        None => return Found::NoListener,
    };
    let mut chains = Vec::new();
    let mut names_used = Vec::new();
    for group in at_port().filter(|group| group.bind == bind) {
        if group.plain && group.servers.iter().all(Server::is_plain_http) {
            chains.push(Chain {
                blocks: vec![],
                names: vec![],
                ends_tls: false,
                http_only: false,
                target: Target::GatewayHttp {
                    route_config: group.servers[0].route_config(call.port),
                    servers: group.servers.clone(),
                },
            });
            continue;
        }
        for server in &group.servers {
            if server.is_https() {
                chains.push(Chain {
                    blocks: vec![],
                    names: server_names(server),
                    ends_tls: true,
                    http_only: false,
                    target: Target::GatewayHttp {
                        route_config: server.route_config(call.port),
                        servers: vec![server.clone()],
                    },
                });
            } else {
                chains.extend(tcp_routes::of_server(world, scope, server, &mut names_used));
            }
        }
    }
    if chains.is_empty() {
        return Found::NoListener; // R-M-037
    }
    let listener = format!(
        "{}_{}",
        if bind.is_empty() { "0.0.0.0" } else { &bind },
        call.port
    );
    let Some(chain) = choose(&chains, call) else {
        return Found::NoFilterChain;
    };
    match &chain.target {
        Target::Tcp(_) if chain.ends_tls && !call.tls => Found::WrongTransport,
        Target::Tcp(split) => Found::Tcp {
            listener,
            split: split.clone(),
        },
        _ if chain.ends_tls != call.tls => Found::WrongTransport,
        Target::GatewayHttp {
            route_config,
            servers,
        } => Found::Http {
            listener,
            route_config: route_config.clone(),
            hosts: of_gateway(world, servers),
        },
        Target::SidecarHttp | Target::ServiceHttp(_) => Found::NoFilterChain,
    }
}

/// R-M-028: the SNI names of a server that ends TLS; none if `*` is among its hosts.
pub fn server_names(server: &Server) -> Vec<String> {
    let hosts = server.bare_hosts();
    if hosts.iter().any(|host| host == "*") {
        vec![]
    } else {
        hosts
    }
}

/// A listener of a sidecar while service after service adds to it.
struct SidecarListener {
    /// Its address; `None`: every one.
    bind: Option<IpAddr>,
    /// What its ports have spoken so far.
    protocol: Protocol,
    /// An egress listener with a port of its own has it: others add nothing.
    closed: bool,
    chains: Vec<Chain>,
}

fn find_in_sidecar(world: &World, scope: &Scope, call: &Call) -> Found {
    let listeners = sidecar_listeners(world, scope, call.port);
    let at = |bind: Option<IpAddr>| listeners.iter().find(|listener| listener.bind == bind);
    let own = call.address.and_then(|address| at(Some(address)));
    let Some(listener) = own.or_else(|| at(None)) else {
        return unclaimed(scope, call);
    };
    let name = match listener.bind {
        Some(address) => format!("{address}_{}", call.port),
        None => format!("0.0.0.0_{}", call.port),
    };
    match choose(&listener.chains, call).map(|chain| &chain.target) {
        Some(Target::Tcp(split)) => Found::Tcp {
            listener: name,
            split: split.clone(),
        },
        Some(_) if call.tls => Found::WrongTransport,
        Some(target) => {
            let own = match target {
                Target::ServiceHttp(host) => Some(format!("{host}:{}", call.port)),
                _ => None,
            };
            let hosts = match scope.egress_of(call.port) {
                Some(egress) => of_sidecar(world, scope, egress, call.port),
                None => vec![],
            };
            Found::Http {
                listener: name,
                hosts: match &own {
                    Some(own) => alone(hosts, own),
                    None => hosts,
                },
                route_config: own.unwrap_or_else(|| call.port.to_string()),
            }
        }
        None => Found::Tcp {
            listener: name,
            split: Split::only(scope.unknown()),
        },
    }
}

/// R-H-041: the virtual host of this name, for every host. One of a service in capitals is not found.
fn alone(mut hosts: Vec<VirtualHost>, name: &str) -> Vec<VirtualHost> {
    hosts.retain(|host| host.name == name);
    for host in &mut hosts {
        host.domains = vec!["*".to_owned()];
    }
    hosts
}

/// R-M-064: no listener has the port. Where unknown hosts are resolved by their names, plain HTTP is told apart.
fn unclaimed(scope: &Scope, call: &Call) -> Found {
    let listener = "virtualOutbound".to_owned();
    let is_http = !call.tls && call.protocol != "tcp";
    if scope.mode == "ALLOW_ANY_DYNAMIC_DNS" && is_http {
        let fallback = fallback_route(call.port, scope);
        return Found::Http {
            listener,
            route_config: fallback.name.clone(),
            hosts: vec![VirtualHost {
                name: fallback.name.clone(),
                domains: vec!["*".to_owned()],
                routes: vec![fallback],
                requires_tls: false,
            }],
        };
    }
    Found::Tcp {
        listener,
        split: Split::only(scope.unknown()),
    }
}

/// The listeners of a port (R-M-065..R-M-067, R-M-069, R-M-074).
fn sidecar_listeners(world: &World, scope: &Scope, port: u64) -> Vec<SidecarListener> {
    let mut listeners: Vec<SidecarListener> = Vec::new();
    for egress in &scope.egress {
        if egress.port == 0 {
            listeners
                .iter_mut()
                .for_each(|listener| listener.closed = true);
        } else if egress.port != port {
            continue;
        }
        for service in &egress.services {
            let offered = service.ports.iter().find(|offered| offered.number == port);
            let protocol = match (egress.port, offered) {
                (0, Some(offered)) => offered.protocol,
                (0, None) => continue,
                _ => Protocol::read(&egress.protocol),
            };
            if protocol == Protocol::Udp || service.external_name.is_some() {
                continue;
            }
            for bind in binds(world, egress, service, port, protocol) {
                offer(
                    world,
                    scope,
                    egress,
                    service,
                    port,
                    protocol,
                    bind,
                    &mut listeners,
                );
            }
        }
    }
    listeners
}

/// Where a service port listens: where the egress listener says, for HTTP else on every address, for the rest else on the
/// service's own address, or on those of its endpoints where it has none (R-M-066, R-M-069).
fn binds(
    world: &World,
    egress: &Egress,
    service: &Service,
    port: u64,
    protocol: Protocol,
) -> Vec<Option<IpAddr>> {
    if let Ok(address) = egress.bind.parse::<IpAddr>() {
        return vec![(!address.is_unspecified()).then_some(address)];
    }
    if protocol == Protocol::Http {
        return vec![None];
    }
    let own = service
        .addresses
        .iter()
        .find(|name| !name.starts_with("0.0.0.0"));
    if let Some(own) = own {
        return vec![own.parse().ok()];
    }
    let passes_through = service.headless || (!service.kubernetes && service.resolution == "NONE");
    if egress.port != 0 || !passes_through {
        return vec![None];
    }
    let endpoints = endpoint_addresses(world, service, port);
    if endpoints.is_empty() && !service.kubernetes {
        return vec![None];
    }
    let addresses = endpoints
        .iter()
        .filter_map(|endpoint| endpoint.parse().ok());
    addresses.map(Some).collect()
}

/// Adds what a service offers on an address (R-M-067, R-M-069).
#[allow(clippy::too_many_arguments)] // each is a fact of its own
fn offer(
    world: &World,
    scope: &Scope,
    egress: &Egress,
    service: &Service,
    port: u64,
    protocol: Protocol,
    bind: Option<IpAddr>,
    listeners: &mut Vec<SidecarListener>,
) {
    let may_be_tcp = protocol != Protocol::Http;
    let detects = protocol == Protocol::Sniffed || bind.is_none();
    let mut chains = match protocol {
        Protocol::Http => vec![],
        Protocol::Tls => tcp_routes::tls_of_service(world, scope, egress, service, port, bind),
        _ => tcp_routes::tcp_of_service(world, scope, egress, service, port),
    };
    if protocol.may_be_http() {
        chains.push(Chain {
            blocks: vec![],
            names: vec![],
            ends_tls: false,
            http_only: detects,
            target: match (protocol, bind) {
                (Protocol::Sniffed, Some(_)) => Target::ServiceHttp(service.host.clone()),
                _ => Target::SidecarHttp,
            },
        });
    }
    let known = listeners.iter_mut().find(|listener| listener.bind == bind);
    let Some(known) = known else {
        let detects = detects && protocol.may_be_http();
        listeners.push(SidecarListener {
            bind,
            protocol: if detects { Protocol::Sniffed } else { protocol },
            closed: false,
            chains,
        });
        return;
    };
    let server_first = |protocol| matches!(protocol, Protocol::ServerFirst(_));
    let conflicts =
        protocol != known.protocol && (server_first(protocol) || server_first(known.protocol));
    let has_it = match protocol {
        Protocol::Http => known.protocol.may_be_http(),
        Protocol::Sniffed => known.protocol == Protocol::Sniffed,
        _ => false,
    };
    if known.closed || conflicts || has_it {
        return;
    }
    if protocol == Protocol::Sniffed && known.protocol == Protocol::Http {
        known.chains = chains;
        known.protocol = Protocol::Sniffed;
        return;
    }
    for chain in chains {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        let same = |other: &Chain| {
            sorted(&other.blocks) == sorted(&chain.blocks)
                && sorted(&other.names) == sorted(&chain.names)
                && other.http_only == chain.http_only
        };
        if !known.chains.iter().any(same) {
            known.chains.push(chain);
        }
    }
    if !may_be_tcp || protocol == Protocol::Sniffed || known.protocol == Protocol::Http {
        known.protocol = Protocol::Sniffed;
    }
}

/// R-M-068: destination block (longest first), then server name (exact, longest wildcard, none), then whether HTTP was
/// recognised; no step is taken back.
fn choose<'a>(chains: &'a [Chain], call: &Call) -> Option<&'a Chain> {
    let all: Vec<&Chain> = chains.iter().collect();
    let by_block = best(&all, |chain| {
        if chain.blocks.is_empty() {
            return Some(0);
        }
        let lengths = chain
            .blocks
            .iter()
            .filter_map(|block| contains(block, call.address?));
        lengths.max().map(|length| length + 1)
    });
    let sni = call.sni.to_ascii_lowercase();
    let by_name = best(&by_block, |chain| {
        if chain.names.is_empty() {
            return Some(0);
        }
        let rank = |name: &String| {
            let name = name.to_ascii_lowercase();
            let covers = |tail: &str| sni.len() > tail.len() && sni.ends_with(tail);
            match name.strip_prefix('*') {
                _ if !call.tls => None,
                None => (name == sni).then_some(usize::MAX),
                Some(tail) => covers(tail).then_some(name.len()),
            }
        };
        chain.names.iter().filter_map(rank).max()
    });
    let is_http = !call.tls && call.protocol != "tcp";
    let by_protocol = best(&by_name, |chain| match chain.http_only {
        true => is_http.then_some(1),
        false => Some(0),
    });
    by_protocol.first().copied()
}

/// Those of `chains` with the highest rank; a chain without a rank does not match.
fn best<'a, R: Ord + Copy>(
    chains: &[&'a Chain],
    rank: impl Fn(&Chain) -> Option<R>,
) -> Vec<&'a Chain> {
    let Some(highest) = chains.iter().filter_map(|chain| rank(chain)).max() else {
        return vec![];
    };
    chains
        .iter()
        .copied()
        .filter(|chain| rank(chain) == Some(highest))
        .collect()
}

/// The prefix length of a CIDR block that holds the address.
fn contains(block: &str, address: IpAddr) -> Option<u32> {
    let (base, length) = block.split_once('/').unwrap_or((block, ""));
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let (base, width) = bits(base.parse().ok()?);
    let (address, other_width) = bits(address);
    let length = length.parse().unwrap_or(width);
    let mask = if length == 0 {
        0
    } else {
        u128::MAX << (128 - length)
    };
    (width == other_width && base & mask == address & mask).then_some(length)
}
