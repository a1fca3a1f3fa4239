//! The route configuration of one sidecar listener: which VirtualService owns which host, and what the rest gets
//! (R-H-040..R-H-055, R-M-061..R-M-064).

use std::sync::Arc;

use crate::mesh::service::{Protocol, Resolution, ServicePort};
use crate::mesh::virtual_service::VirtualService;
use crate::router::{
    Action, Forward, Rule, RuleList, Split, VirtualHost, VirtualHostKind, VirtualHosts,
};
use crate::terms::condition::RequestMatch;
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::host;
use crate::terms::route_policy::RoutePolicy;

use super::domains;
use super::http_rules::{self, Listening};
use super::scope::{EgressListener, ServiceView};
use super::sidecar_port::OnPort;

/// What one egress listener offers on one port.
pub(super) struct PortServices<'a> {
    /// Listener port; 0 for an `HTTP_PROXY` listener, where all ports of all services take part (R-H-054).
    port: u16,
    egress: &'a EgressListener<'a>,
    /// Services that expose the port, one per host name, each with the ports that count, in scope order.
    services: Vec<(&'a ServiceView, Vec<&'a ServicePort>)>,
    /// By the name that the registry of the port knows them by (R-H-042).
    by_name: HashMap<Arc<str>, usize>,
    /// DNS search domain of the proxy.
    proxy_domain: &'a str,
    /// Route policy of services without a VirtualService: the mesh's retries.
    default_policy: Arc<RoutePolicy>,
}

/// Hosts of one VirtualService on one port, or one service without a VirtualService.
struct Claim<'m> {
    port: u16,
    unregistered: Vec<String>,
    services: Vec<&'m ServiceView>,
    rules: Arc<RuleList>,
}

impl<'m> PortServices<'m> {
    /// What `egress` offers on `port`. Of several services of one host name the last counts, as in Istio's map.
    pub(super) fn new(
        egress: &'m EgressListener<'m>,
        port: u16,
        proxy_domain: &'m str,
        default_policy: Arc<RoutePolicy>,
    ) -> Self {
        let mut services: Vec<(&ServiceView, Vec<&ServicePort>)> = Vec::new();
        let expected = egress.services().len();
        let mut by_name = HashMap::with_capacity_and_hasher(expected, Default::default());
        for service in egress.services() {
            let ports: Vec<&ServicePort> = service
                .ports()
                .iter()
                .filter(|one| port == 0 || one.number == port)
                .collect();
            if ports.is_empty() {
                continue;
            }
            let name = registry_name(service.hostname(), port);
            match by_name.get(&name) {
                Some(&index) => services[index] = (service, ports),
                None => {
                    by_name.insert(name, services.len());
                    services.push((service, ports));
                }
            }
        }
        PortServices {
            port,
            egress,
            services,
            by_name,
            proxy_domain,
            default_policy,
        }
    }

    /// All virtual hosts but the fallback.
    pub(super) fn virtual_hosts(&self, listening: &OnPort<'_, '_>) -> VirtualHosts {
        let mut claims = Vec::new();
        let mut claimed = vec![false; self.services.len()];
        let with_rules = self.selected().into_iter().filter_map(|selected| {
            let rules = http_rules::rules(selected.1, listening);
            (!rules.is_empty()).then_some((selected, rules))
        });
        let (selected, lists): (Vec<_>, Vec<_>) = with_rules.unzip();
        for ((place, virtual_service), rules) in selected.into_iter().zip(RuleList::all(lists)) {
            self.claim(place, virtual_service, rules, &mut claims, &mut claimed);
        }
        for (index, (service, ports)) in self.services.iter().enumerate() {
            if claimed[index] {
                continue;
            }
            for port in ports {
                if takes_http(port) && service.service().resolution != Resolution::Alias {
                    claims.push(Claim {
                        port: port.number,
                        unregistered: Vec::new(),
                        services: vec![service],
                        rules: Arc::new(
                            std::iter::once(self.default_rule(
                                &registry_name(service.hostname(), self.port),
                                port.number,
                                listening,
                            ))
                            .collect(),
                        ),
                    });
                }
            }
        }
        self.emit(claims)
    }

    /// The VirtualServices that this port looks at: all on port 80, else those with a host that some service of the
    /// port has (R-H-028).
    fn selected(&self) -> Vec<(usize, &'m Arc<VirtualService>)> {
        let all = self.egress.virtual_services().iter().enumerate();
        if self.port == 80 || self.port == 0 {
            return all.collect();
        }
        let known = self.by_name.keys().map(|name| &**name);
        let wildcard_services: Vec<&str> = known.filter(|name| host::is_wildcard(name)).collect();
        let matches = |name: &str| {
            self.by_name.contains_key(name)
                || wildcard_services
                    .iter()
                    .any(|one| host::overlaps(name, one))
                || host::is_wildcard(name)
                    && self.by_name.keys().any(|known| host::overlaps(name, known))
        };
        let hosts =
            |one: &'m VirtualService| one.hosts.iter().map(|host| host.to_ascii_lowercase());
        all.filter(|(_, one)| hosts(one).any(|name| matches(&name)))
            .collect()
    }

    fn claim(
        &self,
        place: usize,
        virtual_service: &VirtualService,
        rules: Arc<RuleList>,
        claims: &mut Vec<Claim<'m>>,
        claimed: &mut [bool],
    ) {
        let mut unregistered = Vec::new();
        let mut services = Vec::new();
        for name in virtual_service
            .hosts
            .iter()
            .filter(|name| !host::is_wildcard(name))
        {
            match self.by_name.get(&*name.to_ascii_lowercase()) {
                Some(&index) => services.push(index),
                None => unregistered.push(domains::unregistered(name)),
            }
        }
        for name in virtual_service
            .hosts
            .iter()
            .filter(|name| host::is_wildcard(name))
        {
            // A wildcard that covers a service is no domain of its own, even where another VirtualService owns the
            // service.
            let mut covers = false;
            for (index, (service, _)) in self.services.iter().enumerate() {
                let known = registry_name(service.hostname(), self.port);
                if host::overlaps(name, &known) {
                    covers = true;
                    // The index of the most specific hosts knows services as they are written: one in capitals belongs to
                    // no wildcard.
                    if known == *service.hostname()
                        && self.egress.most_specific(service.hostname()) == Some(place)
                    {
                        services.push(index);
                    }
                }
            }
            if !covers {
                unregistered.push(domains::unregistered(name));
            }
        }
        let mut by_port: Vec<(u16, Vec<&'m ServiceView>)> = Vec::new();
        for &index in &services {
            let (service, ports) = &self.services[index];
            claimed[index] = true;
            for port in ports.iter().filter(|port| takes_http(port)) {
                match by_port
                    .iter_mut()
                    .find(|(number, _)| *number == port.number)
                {
                    Some((_, list)) => list.push(service),
                    None => by_port.push((port.number, vec![service])),
                }
            }
        }
        if by_port.is_empty() {
            // A service that only has TCP on this port is not taken from the rest, which would give it nothing.
            if self.port == 80 {
                by_port.push((80, Vec::new()));
            }
        }
        for (port, services) in by_port {
            claims.push(Claim {
                port,
                unregistered: unregistered.clone(),
                services,
                rules: Arc::clone(&rules),
            });
        }
    }

    /// The route of a service that no VirtualService claims (R-H-046).
    fn default_rule(&self, hostname: &Arc<str>, port: u16, listening: &OnPort<'_, '_>) -> Rule {
        Rule {
            name: "default".into(),
            origin: None,
            matches: Arc::new(RequestMatch::any()),
            action: Arc::new(Action::Forward(Forward {
                split: Split::single(listening.service(hostname, port)),
                policy: Arc::clone(&self.default_policy),
                headers: None,
                mirrors: Box::new([]),
                hash_policy: listening
                    .hash_key(hostname, "", Some(port))
                    .into_iter()
                    .collect(),
            })),
        }
    }

    /// Virtual hosts of the claims: first come, first served, by name and by domain (R-H-045, R-H-051).
    fn emit(&self, claims: Vec<Claim<'m>>) -> VirtualHosts {
        let real_names: HashSet<&str> = self.by_name.keys().map(|name| &**name).collect();
        let mut names = HashSet::with_capacity_and_hasher(claims.len(), Default::default());
        // A service has its name, with and without a dot, short forms and an address.
        let expected = claims
            .iter()
            .map(|claim| claim.unregistered.len() + 6 * claim.services.len());
        let mut taken = HashSet::with_capacity_and_hasher(expected.sum(), Default::default());
        let mut out = VirtualHosts::default();
        for claim in claims {
            let mut push = |name: String, kind: VirtualHostKind, domains: domains::Domains| {
                if !names.insert(name.clone()) {
                    return;
                }
                let domains =
                    domains::without_taken(domains, &mut taken, &mut out.contested, &real_names);
                if !domains.is_empty() {
                    out.list.push(Arc::new(VirtualHost {
                        name: name.into(),
                        kind,
                        domains: domains.into(),
                        require_tls: false,
                        rules: Arc::clone(&claim.rules),
                    }));
                }
            };
            for host in &claim.unregistered {
                let domains = vec![(host.clone(), false)];
                let name = domains::domain_name(host, claim.port);
                push(name, VirtualHostKind::Hosts, domains);
            }
            for service in &claim.services {
                let aliases: Vec<&str> = service
                    .aliases()
                    .iter()
                    .map(|alias| &*alias.hostname)
                    .collect();
                let port = (self.port == 0).then_some(claim.port);
                let domains =
                    domains::of_service(service.service(), &aliases, self.proxy_domain, port);
                let name = registry_name(service.hostname(), self.port);
                push(
                    domains::domain_name(&name, claim.port),
                    VirtualHostKind::Service(Arc::clone(service.hostname())),
                    domains,
                );
            }
        }
        out
    }
}

/// The name of a service among those of a port, and in the cluster of its default route: in lower case, as it stands only
/// where a listener has all ports (R-H-042, R-H-046). Nothing else writes the host name of a cluster in lower case, so that the
/// default route of a service in capitals leads nowhere.
fn registry_name(hostname: &Arc<str>, port: u16) -> Arc<str> {
    match port != 0 && hostname.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => hostname.to_ascii_lowercase().into(),
        false => Arc::clone(hostname),
    }
}

/// HTTP, or protocol detected.
fn takes_http(port: &ServicePort) -> bool {
    port.protocol.is_http() || port.protocol == Protocol::Unsupported
}
