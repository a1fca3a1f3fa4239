//! Listeners and filter chains: where a connection ends up before a byte of HTTP is read.
//! Sections 2 and 3.3 of istio-model.md, R-M-068 for the choice.

use std::net::IpAddr;

use super::gateways::{Group, Server, merged};
use super::services::{Protocol, Service};
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
        declared: bool,
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
            declared: true,
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
        Target::SidecarHttp => Found::NoFilterChain,
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

fn find_in_sidecar(world: &World, scope: &Scope, call: &Call) -> Found {
    let claims_port = scope.egress.iter().find(|egress| egress.port == call.port);
    let Some(egress) = claims_port.or_else(|| scope.egress.iter().find(|egress| egress.port == 0))
    else {
        return fallback("virtualOutbound".to_owned(), scope);
    };
    let here: Vec<&Service> = egress
        .services
        .iter()
        .filter(|service| service.ports.iter().any(|port| port.number == call.port))
        .collect();
    let at = |service: &&&Service| {
        service.addresses.iter().any(|a| {
            call.address
                .is_some_and(|address| *a == address.to_string())
        })
    };
    let protocol = |service: &Service| {
        let port = service.ports.iter().find(|port| port.number == call.port);
        port.map_or(Protocol::Udp, |port| port.protocol)
    };
    // A service with an address of its own listens there, unless it speaks declared HTTP.
    let own = here
        .iter()
        .filter(at)
        .find(|s| !matches!(protocol(s), Protocol::Http | Protocol::Udp));
    let (listener, members): (String, Vec<&Service>) = match own {
        Some(service) => (
            format!("{}_{}", service.addresses[0], call.port),
            vec![service],
        ),
        None => {
            let on_wildcard = |service: &&&Service| match protocol(service) {
                Protocol::Http => true,
                Protocol::Udp => false,
                _ => !service
                    .addresses
                    .iter()
                    .any(|a| a.parse::<IpAddr>().is_ok()),
            };
            let members = here.iter().filter(on_wildcard).copied().collect();
            (format!("0.0.0.0_{}", call.port), members)
        }
    };
    if members.is_empty() {
        return fallback("virtualOutbound".to_owned(), scope);
    }
    let chains = sidecar_chains(world, scope, egress, &members, call.port);
    match choose(&chains, call).map(|chain| &chain.target) {
        Some(Target::Tcp(split)) => Found::Tcp {
            listener,
            split: split.clone(),
            declared: true,
        },
        Some(_) if call.tls => Found::WrongTransport,
        Some(_) => Found::Http {
            listener,
            route_config: call.port.to_string(),
            hosts: of_sidecar(world, scope, egress, call.port),
        },
        None => fallback(listener, scope),
    }
}

/// R-M-064: what belongs to no service.
fn fallback(listener: String, scope: &Scope) -> Found {
    let cluster = if scope.allow_any {
        "PassthroughCluster"
    } else {
        "BlackHoleCluster"
    };
    Found::Tcp {
        listener,
        split: Split::only(cluster.to_owned()),
        declared: false,
    }
}

/// The chains of one sidecar listener (R-M-065..R-M-067, R-M-069).
fn sidecar_chains(
    world: &World,
    scope: &Scope,
    egress: &Egress,
    members: &[&Service],
    port: u64,
) -> Vec<Chain> {
    let protocol = |service: &Service| {
        let found = service.ports.iter().find(|p| p.number == port);
        found.map_or(Protocol::Udp, |p| p.protocol)
    };
    let others = members
        .iter()
        .any(|service| protocol(service) != Protocol::Http);
    let mut chains: Vec<Chain> = Vec::new();
    if members
        .iter()
        .any(|service| protocol(service).may_be_http())
    {
        chains.push(Chain {
            blocks: vec![],
            names: vec![],
            ends_tls: false,
            http_only: others,
            target: Target::SidecarHttp,
        });
    }
    for service in members {
        let more = match protocol(service) {
            Protocol::Tls => tcp_routes::tls_of_service(world, scope, egress, service, port),
            Protocol::Tcp | Protocol::Sniffed => {
                tcp_routes::tcp_of_service(world, scope, egress, service, port)
            }
            Protocol::Http | Protocol::Udp => vec![],
        };
        for chain in more {
            let same = |other: &Chain| {
                other.blocks == chain.blocks
                    && other.names == chain.names
                    && other.http_only == chain.http_only
            };
            if !chains.iter().any(same) {
                chains.push(chain);
            }
        }
    }
    chains
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
