//! Route configurations: the virtual hosts of a sidecar's port and of a gateway's servers.
//! Section 4 of istio-http.md.

use super::Yaml;
use super::gateways::Server;
use super::names::{by_specificity, for_namespace, intersection, most_specific, overlap};
use super::routes::{Origin, Route, catch_alls_last, default_route, fallback_route, flatten};
use super::services::Service;
use super::sidecar::{Egress, Scope};
use super::virtual_services::{hosts, visible};
use super::world::{World, has_gateway_semantics, namespace};

/// Hosts with their routes.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    pub name: String,
    pub domains: Vec<String>,
    pub routes: Vec<Route>,
    /// R-H-065: plain requests are sent to https.
    pub requires_tls: bool,
}

/// One VirtualService (or none) with the services and other hosts that it answers for.
struct Claim<'a> {
    routes: Vec<Route>,
    hosts: Vec<String>,
    services: Vec<&'a Service>,
}

/// Section 4.1: the virtual hosts of a sidecar's HTTP port, whoever has a listener there.
pub fn of_sidecar(world: &World, scope: &Scope, egress: &Egress, port: u64) -> Vec<VirtualHost> {
    let mut out: Vec<VirtualHost> = Vec::new();
    if egress.is_proxy() {
        // R-H-054: all ports of all services; on ports other than 80 only names with a colon are kept.
        let mut ports: Vec<u64> = Vec::new();
        for service in &egress.services {
            ports.extend(service.ports.iter().map(|port| port.number));
        }
        ports.sort_unstable();
        ports.dedup();
        let mut taken = Taken::default();
        for number in ports {
            out.extend(of_port(world, egress, number, (port, 0), &mut taken));
        }
    } else {
        out = of_port(world, egress, port, (port, port), &mut Taken::default());
    }
    let fallback = fallback_route(port, scope);
    out.push(VirtualHost {
        name: fallback.name.clone(),
        domains: vec!["*".to_owned()],
        routes: vec![fallback],
        requires_tls: false,
    });
    out
}

/// Names and domains that virtual hosts before have.
#[derive(Default)]
struct Taken {
    names: Vec<String>,
    domains: Vec<String>,
}

/// The virtual hosts of one port of services, as a listener has them: `seen_as` the same port, or 0 for an HTTP proxy.
fn of_port(
    world: &World,
    egress: &Egress,
    port: u64,
    (listener, seen_as): (u64, u64),
    taken: &mut Taken,
) -> Vec<VirtualHost> {
    let exposes = |s: &&Service| s.ports.iter().any(|p| p.number == port);
    // R-H-042: a listener knows the services of its port by their names in lower case, and of one name the last.
    let mut services: Vec<Service> = Vec::new();
    for service in egress.services.iter().filter(exposes) {
        let mut service = service.clone();
        if seen_as != 0 {
            service.is_written_in_capitals = service.host != service.host.to_lowercase();
            service.host = service.host.to_lowercase();
        }
        match services.iter_mut().find(|known| known.host == service.host) {
            Some(known) => *known = service,
            None => services.push(service),
        }
    }
    let services: Vec<&Service> = services.iter().collect();
    let claims = claims(world, egress, &services, port, (listener, seen_as));

    let known: Vec<&str> = services
        .iter()
        .map(|service| service.host.as_str())
        .collect();
    let Taken {
        names,
        domains: taken,
    } = taken;
    let mut out = Vec::new();
    let mut add = |host: &str, domains: Vec<Domain>, routes: &[Route]| {
        // R-H-045: the first to claim a host has it.
        let name = match seen_as {
            0 => format!("{host}:{port}"),
            _ => format!("{}:{port}", host.to_lowercase()),
        };
        if names.contains(&name) {
            return;
        }
        names.push(name.clone());
        let mut kept = Vec::new();
        for domain in domains {
            // R-H-051: first come, first served; a derived form never hides a real name.
            let key = domain.text.to_lowercase();
            if taken.contains(&key) || (domain.derived && known.contains(&domain.text.as_str())) {
                continue;
            }
            taken.push(key);
            kept.push(domain.text);
        }
        if !kept.is_empty() {
            out.push(VirtualHost {
                name,
                domains: kept,
                routes: routes.to_vec(),
                requires_tls: false,
            });
        }
    };
    for claim in &claims {
        for host in &claim.hosts {
            add(host, vec![Domain::plain(bracketed(host))], &claim.routes);
        }
        for service in &claim.services {
            add(
                &service.host,
                domains(service, &world.proxy.namespace, port, seen_as),
                &claim.routes,
            );
        }
    }
    let claimed = |service: &Service| {
        let mut all = claims.iter().flat_map(|claim| &claim.services);
        all.any(|other| other.host == service.host)
    };
    for service in &services {
        // R-H-046: an ExternalName service has no virtual host of its own.
        if !claimed(service) && speaks_http(service, port) && service.external_name.is_none() {
            // The cluster of a default route is named in lower case, which no cluster of a service in capitals is.
            let routes = [default_route(&service.host, port)];
            add(
                &service.host,
                domains(service, &world.proxy.namespace, port, seen_as),
                &routes,
            );
        }
    }
    out
}

fn speaks_http(service: &Service, port: u64) -> bool {
    service
        .ports
        .iter()
        .any(|p| p.number == port && p.protocol.may_be_http())
}

/// R-H-042..R-H-045: which VirtualService answers for which service and for which other host.
fn claims<'a>(
    world: &World,
    egress: &Egress,
    services: &[&'a Service],
    port: u64,
    (listener, seen_as): (u64, u64),
) -> Vec<Claim<'a>> {
    let all_hosts: Vec<String> = egress.virtual_services.iter().flat_map(hosts).collect();
    let all_hosts: Vec<&str> = all_hosts.iter().map(String::as_str).collect();
    let origin = Origin {
        gateway: "mesh".to_owned(),
        port: seen_as,
        listener,
        tls: false,
    };
    let mut claims = Vec::new();
    for vs in &egress.virtual_services {
        // R-H-028: away from port 80, only VirtualServices that name a service of this port.
        let names_one = |host: &String| {
            let host = host.to_lowercase();
            services.iter().any(|service| overlap(&host, &service.host))
        };
        if ![0, 80].contains(&seen_as) && !hosts(vs).iter().any(names_one) {
            continue;
        }
        let routes = flatten(world, vs, &origin);
        if routes.is_empty() {
            continue; // R-H-033
        }
        let mut claim = Claim {
            routes,
            hosts: vec![],
            services: vec![],
        };
        for host in hosts(vs) {
            let lower = host.to_lowercase();
            if let Some(service) = services.iter().find(|service| service.host == lower) {
                claim.services.push(service);
            } else if !host.starts_with('*') || has_gateway_semantics(vs) {
                claim.hosts.push(lower);
            } else {
                // R-H-043: a wildcard claims each service for which it is the most specific host of all.
                let matching: Vec<&Service> = services
                    .iter()
                    .copied()
                    .filter(|service| overlap(&host, &service.host))
                    .collect();
                let owned = matching.iter().filter(|service| {
                    !service.is_written_in_capitals
                        && most_specific(&service.host, &all_hosts) == Some(host.as_str())
                        && first_holder(&egress.virtual_services, &host) == Some(vs)
                });
                claim.services.extend(owned.copied());
                if matching.is_empty() {
                    claim.hosts.push(lower);
                }
            }
        }
        // R-G-058: a producer's service, or a consumer's own route.
        if has_gateway_semantics(vs) {
            let owner = namespace(vs);
            let mut owners = claim
                .services
                .iter()
                .map(|service| service.namespace.as_str());
            let is_used = owner == world.proxy.namespace || owners.any(|one| one == owner);
            if claim.services.is_empty() || !is_used {
                continue;
            }
        }
        claim.services.retain(|service| speaks_http(service, port));
        // R-H-044: hosts that no service has are served on port 80 only, unless the VirtualService also has a service here.
        if claim.services.is_empty() && seen_as != 80 {
            continue;
        }
        claims.push(claim);
    }
    claims
}

/// R-H-043: equal host strings belong to the earlier VirtualService.
fn first_holder<'a>(all: &'a [Yaml], host: &str) -> Option<&'a Yaml> {
    all.iter().find(|vs| hosts(vs).iter().any(|h| h == host))
}

/// A domain of a virtual host; a derived one is a short form or one with a trailing dot.
struct Domain {
    text: String,
    derived: bool,
}

impl Domain {
    fn plain(text: String) -> Domain {
        Domain {
            text,
            derived: false,
        }
    }

    fn derived(text: String) -> Domain {
        Domain {
            text,
            derived: true,
        }
    }
}

/// An IPv6 address in brackets, anything else as it is.
fn bracketed(host: &str) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_) => host.to_owned(),
    }
}

/// R-H-047..R-H-049: every name that a client in `viewer` may call a service by.
fn domains(service: &Service, viewer: &str, port: u64, seen_as: u64) -> Vec<Domain> {
    let mut out = Vec::new();
    for host in std::iter::once(&service.host).chain(&service.aliases) {
        out.push(Domain::plain(host.clone()));
        out.push(Domain::derived(format!("{host}.")));
        if let Some(rest) = host.strip_suffix(".svc.cluster.local")
            && let Some((name, owner)) = rest.split_once('.')
        {
            if owner == viewer {
                out.push(Domain::derived(name.to_owned()));
            }
            out.push(Domain::derived(format!("{name}.{owner}.svc")));
            out.push(Domain::derived(format!("{name}.{owner}")));
        }
    }
    if service.headless {
        let starred: Vec<String> = out
            .iter()
            .map(|domain| format!("*.{}", domain.text))
            .collect();
        out.extend(starred.into_iter().map(Domain::derived));
    }
    for address in service
        .addresses
        .iter()
        .filter(|address| *address != "0.0.0.0")
    {
        out.push(Domain::plain(bracketed(address)));
    }
    if seen_as == 0 {
        // R-H-054: each name with its port, too, and away from port 80 nothing without a colon.
        let with_port = out.iter().map(|domain| Domain {
            text: format!("{}:{port}", domain.text),
            derived: domain.derived,
        });
        let with_port: Vec<Domain> = with_port.collect();
        out.extend(with_port);
        out.retain(|domain| port == 80 || domain.text.contains(':'));
    }
    out
}

/// Section 4.2: the virtual hosts of the servers that share one route configuration of a gateway.
pub fn of_gateway(world: &World, servers: &[Server]) -> Vec<VirtualHost> {
    let mut out: Vec<Joined> = Vec::new();
    // R-H-030: the routes of a VirtualService are made once per gateway, by the first server that it meets.
    let mut made: Vec<(String, Yaml, Vec<Route>)> = Vec::new();
    for server in servers {
        let redirects = server.redirects_to_https();
        for vs in visible(world, &world.proxy.namespace, &server.gateway) {
            let open = for_namespace(&server.hosts, namespace(&vs));
            let shared = intersection(&open, &hosts(&vs));
            if shared.is_empty() {
                continue;
            }
            if !made
                .iter()
                .any(|(gateway, other, _)| *gateway == server.gateway && *other == vs)
            {
                let origin = Origin {
                    gateway: server.gateway.clone(),
                    port: server.port,
                    listener: server.port,
                    tls: server.tls.is_object(),
                };
                made.push((
                    server.gateway.clone(),
                    vs.clone(),
                    flatten(world, &vs, &origin),
                ));
            }
            let at = made
                .iter()
                .position(|(gateway, other, _)| *gateway == server.gateway && *other == vs)
                .expect("made just now");
            let routes = &made[at].2;
            if routes.is_empty() {
                continue; // R-H-033
            }
            for host in shared {
                let joined = of_host(&mut out, &host.to_lowercase(), server.port);
                joined.made_of.push(at);
                joined.vhost.routes.extend(routes.clone());
                joined.vhost.requires_tls |= redirects; // R-M-031
            }
        }
        // R-H-065: hosts without a VirtualService are redirected too.
        if redirects {
            for host in &server.hosts {
                let joined = of_host(&mut out, &host.to_lowercase(), server.port);
                joined.vhost.requires_tls = true;
            }
        }
    }
    let mut out = collapsed(out);
    for vhost in &mut out {
        vhost.routes = catch_alls_last(std::mem::take(&mut vhost.routes));
    }
    out
}

/// The virtual host of one host of a gateway, and which VirtualServices its routes came from.
struct Joined {
    vhost: VirtualHost,
    made_of: Vec<usize>,
}

/// The virtual host of a host, which the first server that asks for it names.
fn of_host<'a>(all: &'a mut Vec<Joined>, host: &str, port: u64) -> &'a mut Joined {
    let known = all
        .iter()
        .position(|joined| joined.vhost.domains[0] == host);
    let at = known.unwrap_or(all.len());
    if known.is_none() {
        let vhost = VirtualHost {
            name: format!("{host}:{port}"),
            domains: vec![host.to_owned()],
            routes: vec![],
            requires_tls: false,
        };
        let made_of = vec![];
        all.push(Joined { vhost, made_of });
    }
    &mut all[at]
}

/// R-H-067: the most specific host first (R-M-005), a virtual host joins the last one before it that has the very same
/// routes, if both redirect or both do not.
fn collapsed(mut all: Vec<Joined>) -> Vec<VirtualHost> {
    all.sort_by(|a, b| by_specificity(&a.vhost.domains[0], &b.vhost.domains[0]));
    let mut out: Vec<Joined> = Vec::new();
    for joined in all {
        let mut before = out.iter_mut().rev();
        match before.find(|other| other.made_of == joined.made_of) {
            Some(other) if other.vhost.requires_tls == joined.vhost.requires_tls => {
                other.vhost.domains.extend(joined.vhost.domains);
            }
            _ => out.push(joined),
        }
    }
    out.into_iter().map(|joined| joined.vhost).collect()
}

/// R-H-076..R-H-079: the virtual host for a Host header.
pub fn choose<'a>(all: &'a [VirtualHost], host_header: &str) -> Option<&'a VirtualHost> {
    let host = without_port(host_header).to_ascii_lowercase();
    let with = |domain: &str| {
        all.iter()
            .find(|vhost| vhost.domains.iter().any(|d| d.to_lowercase() == domain))
    };
    if let Some(exact) = with(&host) {
        return Some(exact);
    }
    let suffixes = (1..host.len()).filter(|at| host.is_char_boundary(*at));
    let wildcards = suffixes.map(|at| format!("*{}", &host[at..]));
    wildcards
        .chain(["*".to_owned()])
        .find_map(|domain| with(&domain))
}

/// R-H-076: cut at the last `:` that is not inside brackets.
pub fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(at) if !host[at..].contains(']') => &host[..at],
        _ => host,
    }
}
