//! The HTTP ports of a sidecar: the route configuration of each, from the claims on its hosts.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::service::Protocol;
use crate::mesh::sidecar::EgressPort;
use crate::router::{
    Filter, RouteConfig, RouteConfigId, RuleList, View, VirtualHost, VirtualHostKind,
};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::name::ResourceName;

use super::arbitration::{Arbitration, Author, Claim, ClaimId, ClaimRank, Replaced, Want};
use super::domains;
use super::http_rules;
use super::on_port::OnPort;
use super::rank::VirtualServiceRank;
use super::reached::Reached;
use super::references::References;
use super::scope::ServiceView;
use super::sidecar::Sidecar;
use super::sidecar_hosts::{Hosts, Owned, PortServices};
use super::stale::Stale;

/// The route configurations of a sidecar by port. The claims of a port are made once, however many listeners ask.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpPorts {
    /// How many places of route configurations there are.
    places: u32,
    /// Places without one.
    free: Vec<RouteConfigId>,
    /// How many have come since those that nothing names were last looked for.
    come: u32,
    /// Those that are new or another since they were last taken.
    changed: Vec<(RouteConfigId, Arc<RouteConfig>)>,
    by_name: HashMap<Box<str>, RouteConfigId>,
    /// Those of one service each, by name of its virtual host and port.
    own: HashMap<(Box<str>, u16), RouteConfigId>,
    ports: HashMap<u16, PortClaims>,
}

/// At least so many route configurations come before those that nothing names are looked for; in debug builds so few that
/// tests see it.
const SPARE: u32 = if cfg!(debug_assertions) { 4 } else { 64 };

/// The claims on one port.
#[derive(Clone, Debug, Default)]
pub(super) struct PortClaims {
    /// Place of its egress listener.
    egress: usize,
    /// Listener port; 0: an `HTTP_PROXY` listener.
    port: u16,
    arbitration: Arbitration,
    virtual_services: HashMap<ResourceName, Unit>,
    /// By the name that the registry of the port knows them by.
    services: HashMap<Box<str>, Unit>,
    /// How many VirtualServices take each service from the rest, by the same name.
    claimed: HashMap<Box<str>, u32>,
}

/// What one VirtualService or service claims.
#[derive(Clone, Debug, Default)]
struct Unit {
    claims: Vec<ClaimId>,
    /// Services that it takes from the rest.
    services: Vec<Box<str>>,
}

/// Whose unit it is.
enum Owner {
    VirtualService(ResourceName),
    Service(Box<str>),
}

impl HttpPorts {
    /// Those that are new or another since the last time.
    pub(super) fn take_changed(&mut self) -> Vec<(RouteConfigId, Arc<RouteConfig>)> {
        std::mem::take(&mut self.changed)
    }

    /// The one that all HTTP services of `port` share; the host decides within it.
    pub(super) fn shared(
        &mut self,
        sidecar: &Sidecar<'_>,
        egress: usize,
        port: u16,
    ) -> RouteConfigId {
        let name = port.to_string();
        match self.by_name.get(&*name) {
            Some(&known) => known,
            None => {
                let list = self.claims(sidecar, egress, port).all();
                self.add(name, list)
            }
        }
    }

    /// A detected port on a service's own address: only that service, whatever the host (R-H-041).
    pub(super) fn of_one_service(
        &mut self,
        sidecar: &Sidecar<'_>,
        egress: usize,
        service: &ServiceView,
        port: u16,
    ) -> RouteConfigId {
        let name = format!("{}:{port}", service.hostname());
        if let Some(&known) = self.by_name.get(&*name) {
            return known;
        }
        // One in capitals has none: it is looked for by its name as written among domains in lower case.
        let host = domains::domain_name(service.hostname(), port);
        let list = self.claims(sidecar, egress, port).alone(&host);
        let id = self.add(name, list);
        self.own.insert((host.into(), port), id);
        id
    }

    /// One that is like no other.
    pub(super) fn add(&mut self, name: String, list: Vec<Arc<VirtualHost>>) -> RouteConfigId {
        let config = Arc::new(RouteConfig::new(&name, list));
        let id = *self.by_name.entry(name.into()).or_insert_with(|| {
            self.come += 1;
            self.free.pop().unwrap_or_else(|| {
                self.places += 1;
                RouteConfigId(self.places - 1)
            })
        });
        self.changed.push((id, config));
        id
    }

    /// Whether so many have come that it is worth while to look for those that nothing names.
    pub(super) fn is_crowded(&self) -> bool {
        self.come > SPARE.max(self.places / 4)
    }

    /// Forgets the route configurations that no listener of `view` names, with the claims on ports that have none: what
    /// stands in their places from now on.
    pub(super) fn release(&mut self, view: &View) -> Vec<(RouteConfigId, Arc<RouteConfig>)> {
        let named = view.chains().filter_map(|chain| match chain.filter() {
            Filter::Http(id) => Some(*id),
            Filter::Tcp(_) => None,
        });
        let named: HashSet<RouteConfigId> = named.collect();
        let (mut free, mut ports) = (Vec::new(), HashSet::default());
        self.by_name.retain(|name, id| {
            let stays = named.contains(id);
            match stays {
                // A shared one has the name of its port.
                true => ports.extend(name.parse::<u16>()),
                false => free.push(*id),
            }
            stays
        });
        self.own.retain(|(_, port), id| {
            let stays = named.contains(id);
            ports.extend(stays.then_some(*port));
            stays
        });
        self.ports.retain(|port, _| ports.contains(port));
        self.free.extend(&free);
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        self.come = 0;
        let vacant = Arc::new(RouteConfig::new("", Vec::new()));
        let vacant = free.into_iter().map(|id| (id, Arc::clone(&vacant)));
        vacant.collect()
    }

    /// Adds what any claim names.
    pub(super) fn add_references(&self, references: &mut References) {
        let ports = self.ports.values();
        let lists = ports.flat_map(|claims| claims.arbitration.rule_lists());
        lists.for_each(|list| references.add_list(list));
    }

    fn claims(&mut self, sidecar: &Sidecar<'_>, egress: usize, port: u16) -> &PortClaims {
        let claims = self.ports.entry(port);
        claims.or_insert_with(|| PortClaims::new(sidecar, egress, port))
    }

    /// Makes stale units anew, and of the route configurations of `view` what these come to.
    pub(super) fn update(
        &mut self,
        sidecar: &Sidecar<'_>,
        stale: &Stale,
        view: &View,
        reached: &mut Reached,
    ) {
        for (&port, claims) in &mut self.ports {
            let replaced = claims.update(sidecar, stale);
            if replaced.removed.is_empty() && replaced.added.is_empty() {
                continue;
            }
            let both = replaced.removed.iter().chain(&replaced.added);
            let names: BTreeSet<&str> = both.map(|host| host.name()).collect();
            let (gone, come) = (replaced.removed.iter(), replaced.added.iter());
            reached.replace(gone.map(|host| &**host), come.map(|host| &**host));
            if let Some(&id) = self.by_name.get(&*port.to_string()) {
                let removed = replaced.removed.iter().flat_map(|host| host.domains());
                let removed: Vec<&str> = removed.collect();
                let config = view.route_config(id).with(&removed, replaced.added.clone());
                self.changed.push((id, Arc::new(config)));
            }
            for name in names {
                let Some(&id) = self.own.get(&(name.into(), port)) else {
                    continue;
                };
                let config = RouteConfig::new(view.route_config(id).name(), claims.alone(name));
                self.changed.push((id, Arc::new(config)));
            }
        }
    }
}

impl PortClaims {
    /// All claims on a port of the egress listener at this place.
    fn new(sidecar: &Sidecar<'_>, egress: usize, port: u16) -> Self {
        let is_proxy = |port: &EgressPort| port.protocol == Protocol::HttpProxy;
        let own = sidecar.scope.listeners()[egress].port();
        let port = match own.is_some_and(is_proxy) {
            true => 0,
            false => port,
        };
        let (services, listening) = sidecar.on_port(egress, port);
        let is_real = |name: &str| services.is_real_name(name);
        let mut claims = PortClaims {
            egress,
            port,
            ..PortClaims::default()
        };
        // On port 80, and where a listener has all ports, every VirtualService has a say.
        let bound: Vec<_> = match port {
            0 | 80 => services.egress.virtual_services().collect(),
            _ => services.egress.virtual_services_on(port),
        };
        let bound = bound.into_iter();
        let owned = Owned::default();
        let units = units_of(
            bound.filter_map(|virtual_service| services.egress.rank_of(virtual_service)),
            &services,
            Some(&owned),
            &listening,
        );
        for (rank, hosts, rules) in units {
            let taken = hosts.claimed.clone();
            let own = services.claims_of(&rank, hosts, &rules).into_iter();
            let own = own.map(|claim| claims.arbitration.append(claim, &is_real));
            let unit = Unit {
                claims: own.collect(),
                services: taken,
            };
            claims.claim(&unit.services);
            let name = rank.virtual_service().resource().clone();
            claims.virtual_services.insert(name, unit);
        }
        let all: Vec<ServiceView> = match port {
            0 => services.egress.services().collect(),
            _ => services.egress.services_on(port).collect(),
        };
        for service in all {
            let name: Box<str> = (&*services.registry_name(service.hostname())).into();
            if claims.services.contains_key(&name) || claims.claimed.contains_key(&name) {
                continue;
            }
            let Some(exposed) = services.exposed(&name) else {
                continue;
            };
            let own = services.claims_of_service(&exposed, &listening).into_iter();
            let own = own.map(|claim| claims.arbitration.append(claim, &is_real));
            let unit = Unit {
                claims: own.collect(),
                services: Vec::new(),
            };
            claims.services.insert(name, unit);
        }
        let fallback = fallback(&sidecar.fallback_host());
        claims.arbitration.append(fallback, &is_real);
        claims
    }

    /// All virtual hosts.
    fn all(&self) -> Vec<Arc<VirtualHost>> {
        self.arbitration.hosts().cloned().collect()
    }

    /// The virtual host of this name, if there is one, for every host.
    fn alone(&self, name: &str) -> Vec<Arc<VirtualHost>> {
        let host = self.arbitration.named(name).into_iter();
        let of_all = |host: &Arc<VirtualHost>| VirtualHost {
            kind: match &host.kind {
                VirtualHostKind::Service(service) => VirtualHostKind::OwnListener {
                    service: Arc::clone(service),
                    names: host.domains.clone(),
                },
                other => other.clone(),
            },
            domains: Box::new(["*".into()]),
            ..VirtualHost::clone(host)
        };
        host.map(|host| Arc::new(of_all(host))).collect()
    }

    /// Makes stale units anew, and arbitrates what these want or wanted.
    fn update(&mut self, sidecar: &Sidecar<'_>, stale: &Stale) -> Replaced {
        let (services, listening) = sidecar.on_port(self.egress, self.port);
        let mut gone: Vec<ClaimId> = Vec::new();
        let known = stale
            .services
            .iter()
            .flat_map(|name| services.known_as(name));
        let changed = stale.changed_services.iter();
        let changed = changed.map(|service| services.registry_name(&service.hostname));
        let stale_names: BTreeSet<Arc<str>> = known.chain(changed).collect();
        let mut open: BTreeSet<Box<str>> =
            stale_names.iter().map(|name| (&**name).into()).collect();
        let mut ranks = Vec::new();
        let same = stale.owning.iter();
        let same = same.filter(|(name, _)| !stale.virtual_services.contains_key(*name));
        let changed = stale
            .virtual_services
            .iter()
            .map(|(name, (_, new))| (name, new.as_ref()));
        for (name, new) in changed.chain(same.map(|(name, host)| (name, Some(host)))) {
            if let Some(unit) = self.virtual_services.remove(name) {
                self.release(&unit);
                gone.extend(unit.claims);
                open.extend(unit.services);
            }
            ranks.extend(new.and_then(|new| services.egress.rank_of(new)));
        }
        let mut come: Vec<Claim> = Vec::new();
        let mut units: Vec<(Owner, usize, Vec<Box<str>>)> = Vec::new();
        const FEW: usize = 8;
        let owned = (ranks.len() > FEW).then(Owned::default);
        for (rank, hosts, rules) in
            units_of(ranks.into_iter(), &services, owned.as_ref(), &listening)
        {
            let taken = hosts.claimed.clone();
            let claims = services.claims_of(&rank, hosts, &rules);
            let owner = Owner::VirtualService(rank.virtual_service().resource().clone());
            open.extend(taken.iter().cloned());
            self.claim(&taken);
            units.push((owner, claims.len(), taken));
            come.extend(claims);
        }
        for name in open {
            let known = self.services.remove(&name);
            let is_claimed = self.claimed.contains_key(&name);
            let is_same = known.is_some() && !is_claimed && !stale_names.contains(&*name);
            if let Some(known) = known {
                if is_same {
                    self.services.insert(name, known);
                    continue;
                }
                gone.extend(known.claims);
            }
            let exposed = services.exposed(&name).filter(|_| !is_claimed);
            if let Some(exposed) = exposed {
                let claims = services.claims_of_service(&exposed, &listening);
                units.push((Owner::Service(name), claims.len(), Vec::new()));
                come.extend(claims);
            }
        }
        let is_real = |name: &str| services.is_real_name(name);
        let renamed = stale.services.iter().cloned();
        let (ids, replaced) = self.arbitration.change(gone, come, renamed, &is_real);
        let mut ids = ids.into_iter();
        for (owner, claims, taken) in units {
            let unit = Unit {
                claims: ids.by_ref().take(claims).collect(),
                services: taken,
            };
            match owner {
                Owner::VirtualService(name) => self.virtual_services.insert(name, unit),
                Owner::Service(name) => self.services.insert(name, unit),
            };
        }
        replaced
    }

    /// Notes which services a unit takes from the rest.
    fn claim(&mut self, services: &[Box<str>]) {
        for name in services {
            *self.claimed.entry(name.clone()).or_default() += 1;
        }
    }

    /// A unit takes them no more.
    fn release(&mut self, unit: &Unit) {
        for name in &unit.services {
            let Some(count) = self.claimed.get_mut(name) else {
                continue;
            };
            *count -= 1;
            if *count == 0 {
                self.claimed.remove(name);
            }
        }
    }
}

/// The rules and hosts of VirtualServices that have something to claim. With the feature `parallel`, the indexes of many
/// rule lists are made on several threads.
fn units_of(
    ranks: impl Iterator<Item = VirtualServiceRank>,
    services: &PortServices<'_, '_>,
    owned: Option<&Owned>,
    listening: &OnPort<'_, '_>,
) -> Vec<(VirtualServiceRank, Hosts, Arc<RuleList>)> {
    let with_rules = ranks.filter_map(|rank| {
        let hosts = services.hosts_of(rank.virtual_service(), owned)?;
        let rules = http_rules::rules(rank.virtual_service(), listening);
        (!rules.is_empty()).then_some(((rank, hosts), rules))
    });
    let (units, lists): (Vec<_>, Vec<_>) = with_rules.unzip();
    let lists = RuleList::all(lists);
    let units = units.into_iter().zip(lists);
    units
        .map(|((rank, hosts), rules)| (rank, hosts, rules))
        .collect()
}

/// The claim of what is left.
fn fallback(host: &VirtualHost) -> Claim {
    Claim {
        rank: ClaimRank {
            author: Author::Fallback,
            at: 0,
        },
        name: host.name.clone(),
        kind: host.kind.clone(),
        wants: vec![Want {
            domain: "*".into(),
            derived: None,
        }],
        rules: Arc::clone(&host.rules),
    }
}
