//! The `tls` and `tcp` sections of VirtualServices, at gateways and at sidecars.
//! R-M-044, R-M-045, R-M-065, R-M-066 of istio-model.md.

use super::gateways::Server;
use super::listeners::{Chain, Target, server_names};
use super::names::{for_namespace, overlap, selects};
use super::services::Service;
use super::sidecar::{Egress, Scope};
use super::virtual_services::{hosts, visible};
use super::world::{World, namespace};
use super::{Yaml, list, number, text, texts};

/// Where connections go.
#[derive(Clone, Debug)]
pub struct Split {
    /// Clusters and their weights.
    pub arms: Vec<(String, u64)>,
    /// The rule names two destinations or more.
    pub weighted: bool,
}

impl Split {
    /// Everything goes to one cluster.
    pub fn only(cluster: String) -> Split {
        Split {
            arms: vec![(cluster, 1)],
            weighted: false,
        }
    }
}

/// R-M-137, R-M-140: the clusters of a `tls` or `tcp` rule. Weight does not count for a single one.
fn split(scope: &Scope, rule: &Yaml, port: u64) -> Split {
    let routes = list(rule, "route");
    let one = |route: &Yaml| {
        let destination = &route["destination"];
        let host = text(destination, "host");
        if host.is_empty() {
            return ("UnknownService".to_owned(), number(route, "weight"));
        }
        let known = scope.service(host);
        let port = match (number(&destination["port"], "number"), known) {
            (0, Some(service)) if service.ports.len() == 1 => service.ports[0].number,
            (0, _) => port,
            (said, _) => said,
        };
        let host = known
            .and_then(|service| service.external_name.as_deref())
            .unwrap_or(host);
        let cluster = format!("outbound|{port}|{}|{host}", text(destination, "subset"));
        (cluster, number(route, "weight"))
    };
    if routes.len() == 1 {
        return Split::only(one(&routes[0]).0);
    }
    let arms = routes
        .iter()
        .map(one)
        .filter(|(_, weight)| *weight > 0)
        .collect();
    Split {
        arms,
        weighted: true,
    }
}

/// The chains of a gateway server that is not HTTP inside.
pub fn of_server(
    world: &World,
    scope: &Scope,
    server: &Server,
    names_used: &mut Vec<String>,
) -> Vec<Chain> {
    let overlapping = visible(world, &world.proxy.namespace, &server.gateway)
        .into_iter()
        .filter(|vs| {
            let open = for_namespace(&server.hosts, namespace(vs));
            let hosts = hosts(vs);
            open.iter()
                .any(|host| hosts.iter().any(|other| overlap(host, other)))
        });
    let passes = |condition: &Yaml| {
        let port = number(condition, "port");
        let gateways = texts(condition, "gateways");
        (port == 0 || port == server.port)
            && (gateways.is_empty() || gateways.contains(&server.gateway))
    };
    let chain = |names: Vec<String>, ends_tls: bool, rule: &Yaml| Chain {
        blocks: vec![],
        names,
        ends_tls,
        http_only: false,
        target: Target::Tcp(split(scope, rule, server.port)),
    };
    if server.mode() == "AUTO_PASSTHROUGH" {
        return vec![]; // R-M-030: no VirtualService is consulted; out of scope here.
    }
    let mut chains = Vec::new();
    if server.tls.is_object() && server.mode() == "PASSTHROUGH" {
        // R-M-045: every match with unused names; one used name drops the match.
        for vs in overlapping {
            for rule in list(&vs["spec"], "tls")
                .iter()
                .filter(|rule| !list(rule, "route").is_empty())
            {
                for condition in list(rule, "match")
                    .iter()
                    .filter(|condition| passes(condition))
                {
                    let names = texts(condition, "sniHosts");
                    if names.iter().any(|name| names_used.contains(name)) {
                        continue;
                    }
                    names_used.extend(names.clone());
                    chains.push(chain(names, false, rule));
                }
            }
        }
        return chains;
    }
    // R-M-044: the first rule that fits is the only one.
    let ends_tls = server.tls.is_object();
    let names = if ends_tls {
        server_names(server)
    } else {
        vec![]
    };
    for vs in overlapping {
        // R-G-049
        let parents = text(&vs["metadata"]["annotations"], "internal.istio.io/parents");
        let ends = ends_tls && server.protocol == "TLS" && parents.starts_with("TLSRoute/");
        let section = if ends { "tls" } else { "tcp" };
        for rule in list(&vs["spec"], section)
            .iter()
            .filter(|rule| !list(rule, "route").is_empty())
        {
            let conditions = list(rule, "match");
            if conditions.is_empty() || conditions.iter().any(passes) {
                chains.push(chain(names, ends_tls, rule));
                return chains;
            }
        }
    }
    chains
}

/// R-M-058: a `tls` or `tcp` match at a sidecar.
fn passes_in_mesh(world: &World, condition: &Yaml, port: u64) -> bool {
    let gateways = texts(condition, "gateways");
    let source = text(condition, "sourceNamespace");
    let wanted = number(condition, "port");
    (gateways.is_empty() || gateways.iter().any(|gateway| gateway == "mesh"))
        && selects(&condition["sourceLabels"], &world.proxy.labels)
        && (wanted == 0 || wanted == port)
        && (source.is_empty() || source == world.proxy.namespace)
}

/// The blocks that a service's own addresses are.
fn blocks_of(service: &Service) -> Vec<String> {
    let is_block = |address: &&String| address.contains('/');
    service.addresses.iter().filter(is_block).cloned().collect()
}

fn about<'a>(egress: &'a Egress, service: &'a Service) -> impl Iterator<Item = &'a Yaml> {
    let concerns = |vs: &&Yaml| hosts(vs).iter().any(|host| overlap(host, &service.host));
    egress.virtual_services.iter().filter(concerns)
}

/// R-M-065: the chains of a TLS port of a service.
pub fn tls_of_service(
    world: &World,
    scope: &Scope,
    egress: &Egress,
    service: &Service,
    port: u64,
    bind: Option<std::net::IpAddr>,
) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    // A match without subnets inherits those of the match before it.
    let mut blocks = blocks_of(service);
    for vs in about(egress, service) {
        for rule in list(&vs["spec"], "tls")
            .iter()
            .filter(|rule| !list(rule, "route").is_empty())
        {
            for condition in list(rule, "match") {
                if !passes_in_mesh(world, condition, port) {
                    continue;
                }
                let subnets = texts(condition, "destinationSubnets");
                if !subnets.is_empty() {
                    blocks = subnets;
                }
                let names = texts(condition, "sniHosts");
                if chains
                    .iter()
                    .any(|chain| chain.names == names && chain.blocks == blocks)
                {
                    continue;
                }
                chains.push(Chain {
                    blocks: blocks.clone(),
                    names,
                    ends_tls: false,
                    http_only: false,
                    target: Target::Tcp(split(scope, rule, port)),
                });
            }
        }
    }
    let port = match service.ports.as_slice() {
        [only] => only.number,
        _ => port,
    };
    if chains.is_empty() {
        let blocks = blocks_of(service);
        // Where the address does not tell the service, the server name must.
        let has_address = match service.addresses.as_slice() {
            [] => bind.is_some(),
            own => {
                blocks.is_empty()
                    && own
                        .iter()
                        .all(|one| one.parse::<std::net::IpAddr>().is_ok())
            }
        };
        chains.push(Chain {
            blocks,
            names: if has_address {
                vec![]
            } else {
                vec![service.host.clone()]
            },
            ends_tls: false,
            http_only: false,
            target: Target::Tcp(Split::only(format!("outbound|{port}||{}", service.host))),
        });
    }
    chains
}

/// R-M-066: the chains of a TCP port of a service.
pub fn tcp_of_service(
    world: &World,
    scope: &Scope,
    egress: &Egress,
    service: &Service,
    port: u64,
) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let own = blocks_of(service);
    let mut covers_own = false;
    let chain = |blocks: Vec<String>, split: Split| Chain {
        blocks,
        names: vec![],
        ends_tls: false,
        http_only: false,
        target: Target::Tcp(split),
    };
    for vs in about(egress, service) {
        for rule in list(&vs["spec"], "tcp") {
            let conditions = list(rule, "match");
            let mut subnets: Vec<String> = Vec::new();
            let mut terminal = conditions.is_empty();
            for condition in conditions.iter().filter(|c| passes_in_mesh(world, c, port)) {
                let said = texts(condition, "destinationSubnets");
                if said.is_empty() {
                    terminal = true;
                    break;
                }
                subnets.extend(said);
            }
            let routed = split(scope, rule, port);
            if terminal {
                chains.push(chain(own.clone(), routed));
                return chains;
            }
            if !subnets.is_empty() {
                let (mut sorted, mut mine) = (subnets.clone(), own.clone());
                sorted.sort();
                mine.sort();
                covers_own |= sorted == mine;
                chains.push(chain(subnets, routed));
            }
        }
    }
    if !covers_own {
        chains.push(chain(
            own,
            Split::only(format!("outbound|{port}||{}", service.host)),
        ));
    }
    chains
}
