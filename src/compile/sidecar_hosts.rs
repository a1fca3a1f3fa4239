//! What is claimed on one HTTP port of a sidecar: by each VirtualService its hosts, and by each service that none claims its
//! own names (R-H-040..R-H-055, R-M-061..R-M-064).
//!
//! Each function here depends on one VirtualService or one service, and on those that it names or covers: nothing is listed,
//! all is asked by name.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::mesh::service::{Protocol, Resolution, ServicePort};
use crate::mesh::virtual_service::{Semantics, VirtualService};
use crate::router::{Action, Forward, Rule, RuleList, Split, VirtualHostKind};
use crate::terms::condition::RequestMatch;
use crate::terms::hash::HashMap;
use crate::terms::host;
use crate::terms::name::ResourceName;
use crate::terms::route_policy::RoutePolicy;

use super::arbitration::{Author, Claim, ClaimRank, Want};
use super::domains;
use super::http_rules::Listening;
use super::on_port::OnPort;
use super::rank::{ServiceRank, VirtualServiceRank};
use super::scope::{EgressListener, ServiceView};

/// What one egress listener offers on one port.
pub(super) struct PortServices<'a, 'm> {
    /// Listener port; 0 for an `HTTP_PROXY` listener, where all ports of all services take part (R-H-054).
    pub port: u16,
    pub egress: &'a EgressListener<'m>,
    /// DNS search domain of the proxy.
    pub proxy_domain: &'a str,
    /// Route policy of services without a VirtualService: the mesh's retries.
    pub default_policy: &'a Arc<RoutePolicy>,
}

/// The service of a host name that exposes the port.
#[derive(Clone)]
pub(super) struct Exposed {
    service: ServiceView,
    /// Where the first service of the name stands.
    pub rank: ServiceRank,
}

/// The hosts of one VirtualService as a port sees them.
#[derive(Default)]
pub(super) struct Hosts {
    /// As domains.
    unregistered: Vec<String>,
    /// With each port that takes HTTP.
    services: Vec<(u16, Vec<ServiceView>)>,
    /// Names, as the port knows them, of the services that it takes from the rest, whatever their ports carry.
    pub claimed: Vec<Box<str>>,
}

/// What the wildcards of all VirtualServices cover and own on a port: each service is asked for its owner once.
#[derive(Default)]
pub(super) struct Owned {
    by_owner: OnceCell<HashMap<ResourceName, Vec<Exposed>>>,
    covers: RefCell<HashMap<Box<str>, bool>>,
}

impl Owned {
    fn covers(&self, services: &PortServices<'_, '_>, wildcard: &str) -> bool {
        if let Some(&known) = self.covers.borrow().get(wildcard) {
            return known;
        }
        let covers = services.covered(wildcard).next().is_some();
        self.covers.borrow_mut().insert(wildcard.into(), covers);
        covers
    }

    /// The services that this VirtualService owns, of those that the wildcard covers.
    fn of(
        &self,
        services: &PortServices<'_, '_>,
        virtual_service: &VirtualService,
        wildcard: &str,
    ) -> Vec<Exposed> {
        let by_owner = self.by_owner.get_or_init(|| {
            let mut by_owner: HashMap<ResourceName, Vec<Exposed>> = HashMap::default();
            for exposed in services.all() {
                if let Some(owner) = services.owner(&exposed) {
                    let owner = owner.resource().clone();
                    by_owner.entry(owner).or_default().push(exposed);
                }
            }
            by_owner
        });
        let own = by_owner
            .get(virtual_service.resource())
            .into_iter()
            .flatten();
        let covered = own.filter(|exposed| {
            let name = services.registry_name(exposed.service.hostname());
            host::overlaps(wildcard, &name)
        });
        covered.cloned().collect()
    }
}

impl PortServices<'_, '_> {
    /// The name of a service among those of the port, and in the cluster of its default route: in lower case, as it stands
    /// only where a listener has all ports (R-H-042, R-H-046). Nothing else writes the host name of a cluster in lower case,
    /// so that the default route of a service in capitals leads nowhere.
    pub(super) fn registry_name(&self, hostname: &Arc<str>) -> Arc<str> {
        match self.port != 0 && hostname.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => hostname.to_ascii_lowercase().into(),
            false => Arc::clone(hostname),
        }
    }

    /// The names that the port knows services by of which the lower-case name is this; each once.
    pub(super) fn known_as(&self, name: &Arc<str>) -> Vec<Arc<str>> {
        if self.port != 0 {
            return vec![Arc::clone(name)];
        }
        let folded = self.egress.folded(name).into_iter();
        let mut names: Vec<Arc<str>> = folded
            .map(|service| Arc::clone(service.hostname()))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The service that the port knows by this name. Of several the last counts, as in Istio's map.
    pub(super) fn exposed(&self, name: &str) -> Option<Exposed> {
        let mut found: Option<Exposed> = None;
        for service in self.egress.folded(name) {
            if !self.exposes(&service) || *self.registry_name(service.hostname()) != *name {
                continue;
            }
            let rank = match found {
                Some(first) => first.rank,
                None => self.egress.rank_of_service(&service)?,
            };
            found = Some(Exposed { service, rank });
        }
        found
    }

    /// Whether some port of a service counts here.
    pub(super) fn exposes(&self, service: &ServiceView) -> bool {
        match self.port {
            0 => !service.ports().is_empty(),
            port => service.port(port).is_some(),
        }
    }

    /// Whether the port knows a service by this very name.
    pub(super) fn is_real_name(&self, name: &str) -> bool {
        self.exposed(name).is_some()
    }

    /// What a VirtualService has to claim here; `None`: nothing, whatever its rules. On port 80 every VirtualService has a
    /// say, elsewhere one with a host that some service of the port has (R-H-028).
    ///
    /// `owned` is what [`owned`](Self::owned) says, for who asks for many; `None`: it is found anew.
    pub(super) fn hosts_of(
        &self,
        virtual_service: &VirtualService,
        owned: Option<&Owned>,
    ) -> Option<Hosts> {
        let mut hosts = Hosts::default();
        let mut services: Vec<Exposed> = Vec::new();
        // In the words of the Gateway API a wildcard is the host of a ServiceEntry, and stands for nothing else (R-G-059).
        let is_gateway_api = virtual_service.semantics == Semantics::GatewayApi;
        let (wildcards, names): (Vec<_>, Vec<_>) = (virtual_service.hosts.iter())
            .partition(|name| host::is_wildcard(name) && !is_gateway_api);
        for name in names {
            match self.exposed(&name.to_ascii_lowercase()) {
                Some(exposed) => services.push(exposed),
                None => hosts.unregistered.push(domains::unregistered(name)),
            }
        }
        for name in wildcards {
            // A wildcard that covers a service is no domain of its own, even where another VirtualService owns the
            // service.
            let (covers, mut own) = match owned {
                Some(owned) => (
                    owned.covers(self, name),
                    owned.of(self, virtual_service, name),
                ),
                None => self.covered_by(virtual_service, name),
            };
            own.sort_by(|a, b| a.rank.cmp(&b.rank));
            services.extend(own);
            if !covers {
                hosts.unregistered.push(domains::unregistered(name));
            }
        }
        if is_gateway_api {
            // Of the service's own namespace or of the client's (R-G-058).
            let owner = &*virtual_service.resource().namespace;
            let is_client = self.egress.namespace() == owner;
            services.retain(|exposed| is_client || exposed.service.service().namespace() == owner);
            if services.is_empty() {
                return None;
            }
        }
        for Exposed { service, .. } in services {
            let name = self.registry_name(service.hostname());
            hosts.claimed.push((&*name).into());
            for port in self.http_ports(&service) {
                match hosts
                    .services
                    .iter_mut()
                    .find(|(number, _)| *number == port)
                {
                    Some((_, list)) => list.push(service.clone()),
                    None => hosts.services.push((port, vec![service.clone()])),
                }
            }
        }
        // A service that only has TCP on this port is not taken from the rest, which would give it nothing.
        if hosts.services.is_empty() && self.port == 80 {
            hosts.services.push((80, Vec::new()));
        }
        (!hosts.services.is_empty()).then_some(hosts)
    }

    /// Whether a wildcard covers a service of the port, and those of them that this VirtualService owns.
    fn covered_by(&self, virtual_service: &VirtualService, wildcard: &str) -> (bool, Vec<Exposed>) {
        let mut covers = false;
        let mut own: Vec<Exposed> = Vec::new();
        for exposed in self.covered(wildcard) {
            covers = true;
            let owner = self.owner(&exposed);
            if owner.is_some_and(|owner| owner.resource() == virtual_service.resource()) {
                own.push(exposed);
            }
        }
        (covers, own)
    }

    /// The services of the port that a wildcard covers.
    fn covered<'p>(&'p self, wildcard: &'p str) -> impl Iterator<Item = Exposed> + 'p {
        let covered = self.egress.names_overlapping(wildcard);
        let known = covered.flat_map(|covered| self.known_as(covered));
        let known = known.filter(move |known| host::overlaps(wildcard, known));
        known.filter_map(|known| self.exposed(&known))
    }

    /// The VirtualService of the most specific host that covers the service. That index knows services as they are
    /// written: one in capitals belongs to no wildcard.
    fn owner(&self, exposed: &Exposed) -> Option<Arc<VirtualService>> {
        let hostname = exposed.service.hostname();
        let is_as_written = self.registry_name(hostname) == *hostname;
        is_as_written
            .then(|| self.egress.most_specific(hostname))
            .flatten()
    }

    /// The services of the port.
    fn all(&self) -> Vec<Exposed> {
        let services: Vec<ServiceView> = match self.port {
            0 => self.egress.services().collect(),
            port => self.egress.services_on(port).collect(),
        };
        let names = services
            .iter()
            .map(|service| self.registry_name(service.hostname()));
        let mut names: Vec<Arc<str>> = names.collect();
        names.sort_unstable();
        names.dedup();
        names.iter().filter_map(|name| self.exposed(name)).collect()
    }

    /// The claims of a VirtualService with these rules on its hosts.
    pub(super) fn claims_of(
        &self,
        rank: &VirtualServiceRank,
        hosts: Hosts,
        rules: &Arc<RuleList>,
    ) -> Vec<Claim> {
        let mut out = Vec::new();
        let mut push = |name, kind, wants| {
            let author = Author::VirtualService(rank.clone());
            let at = out.len() as u32;
            out.push(Claim {
                rank: ClaimRank { author, at },
                name,
                kind,
                wants,
                rules: Arc::clone(rules),
            });
        };
        for (port, services) in &hosts.services {
            for host in &hosts.unregistered {
                let want = Want {
                    domain: host.as_str().into(),
                    derived: None,
                };
                let name = domains::domain_name(host, *port).into();
                push(name, VirtualHostKind::Hosts, vec![want]);
            }
            for service in services {
                let kind = VirtualHostKind::Service(Arc::clone(service.hostname()));
                push(
                    self.name_of(service, *port),
                    kind,
                    self.wants(service, *port),
                );
            }
        }
        out
    }

    /// The claims of a service that no VirtualService claims (R-H-046).
    pub(super) fn claims_of_service(
        &self,
        exposed: &Exposed,
        listening: &OnPort<'_, '_>,
    ) -> Vec<Claim> {
        let service = &exposed.service;
        if service.service().resolution == Resolution::Alias {
            return Vec::new();
        }
        let claim = |(at, port)| Claim {
            rank: ClaimRank {
                author: Author::Service(exposed.rank.clone()),
                at,
            },
            name: self.name_of(service, port),
            kind: VirtualHostKind::Service(Arc::clone(service.hostname())),
            wants: self.wants(service, port),
            rules: Arc::new(
                std::iter::once(self.default_rule(
                    &self.registry_name(service.hostname()),
                    port,
                    listening,
                ))
                .collect(),
            ),
        };
        (0..).zip(self.http_ports(service)).map(claim).collect()
    }

    /// The ports of a service that count and take HTTP.
    fn http_ports(&self, service: &ServiceView) -> SmallVec<[u16; 2]> {
        let is_http =
            |port: &&ServicePort| port.protocol.is_http() || port.protocol == Protocol::Unsupported;
        let ports = service.ports();
        match self.port {
            0 => ports
                .iter()
                .filter(is_http)
                .map(|port| port.number)
                .collect(),
            port => ports
                .numbered(port)
                .filter(is_http)
                .map(|port| port.number)
                .collect(),
        }
    }

    /// Every domain under which a service answers.
    fn wants(&self, service: &ServiceView, port: u16) -> Vec<Want> {
        let aliases = service.aliases().iter();
        let aliases: Vec<&str> = aliases.map(|alias| &*alias.hostname).collect();
        let port = (self.port == 0).then_some(port);
        let domains = domains::of_service(service.service(), &aliases, self.proxy_domain, port);
        let want = |(domain, is_derived): (String, bool)| {
            let written: Arc<str> = domain.into();
            Want {
                domain: match written.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    true => written.to_ascii_lowercase().into(),
                    false => Arc::clone(&written),
                },
                derived: is_derived.then_some(written),
            }
        };
        domains.into_iter().map(want).collect()
    }

    /// The route of a service that no VirtualService claims (R-H-046).
    fn default_rule(&self, hostname: &Arc<str>, port: u16, listening: &OnPort<'_, '_>) -> Rule {
        Rule {
            name: "default".into(),
            origin: None,
            matches: Arc::new(RequestMatch::any()),
            action: Arc::new(Action::Forward(Forward {
                split: Split::single(listening.service(hostname, port)),
                policy: Arc::clone(self.default_policy),
                headers: None,
                mirrors: Box::new([]),
                hash_policy: listening
                    .hash_key(hostname, None, Some(port))
                    .into_iter()
                    .collect(),
            })),
        }
    }

    /// The name of a service's virtual host.
    fn name_of(&self, service: &ServiceView, port: u16) -> Box<str> {
        domains::domain_name(&self.registry_name(service.hostname()), port).into()
    }
}
