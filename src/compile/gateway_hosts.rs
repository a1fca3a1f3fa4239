//! The virtual hosts of one route configuration of a gateway (R-H-057..R-H-067, R-M-039..R-M-043).
//!
//! A unit is one VirtualService at one Gateway: its rules as the servers of the route see them, and a claim on each host
//! that it shares with a server (R-H-060). All claims of a domain are joined: by server, then in the order of
//! VirtualServices, catch-alls last. Domains with the same claims are one virtual host. When a unit changes, only the
//! domains that it wants or wanted are joined anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::mesh::gateway::ServerHost;
use crate::mesh::gateway_merge::MergedServer;
use crate::mesh::virtual_service::VirtualService;
use crate::router::{RouteConfig, Rule, RuleList, VirtualHost, VirtualHostKind};
use crate::terms::hash::HashMap;
use crate::terms::host;
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::overlap_index::OverlapIndex;

use super::domains;
use super::http_rules::{self, Listening};
use super::rank::VirtualServiceRank;

/// What a server knows when it asks for rules (R-H-029).
pub(super) trait AtServers {
    /// Of this server.
    fn listening<'s>(&'s self, server: &'s MergedServer) -> Box<dyn Listening + 's>;
}

/// Claims and virtual hosts of the servers behind one route name.
#[derive(Clone, Debug)]
pub(super) struct RouteHosts {
    servers: Vec<MergedServer>,
    /// Domains that servers redirect, whoever claims them, with the first such server (R-H-065).
    redirects: HashMap<Box<str>, usize>,
    units: Vec<Option<Unit>>,
    free: Vec<u32>,
    by_source: HashMap<Source, u32>,
    domains: HashMap<Arc<str>, Claimed>,
    groups: HashMap<Sources, Group>,
    /// Domains of which the claims have changed since the virtual hosts were made.
    changed: BTreeSet<Arc<str>>,
}

/// One VirtualService at the Gateway of this name.
type Source = (GatewayName, ResourceName);

/// What one VirtualService has to say.
#[derive(Clone, Debug)]
struct Unit {
    rank: VirtualServiceRank,
    rules: Vec<Rule>,
    domains: Vec<Arc<str>>,
}

/// All that a domain's virtual host comes from.
#[derive(Clone, Debug, Default)]
struct Claimed {
    /// Server and unit, in the order that decides.
    by: SmallVec<[(u32, u32); 1]>,
    /// The group that it stands in.
    group: Option<Sources>,
}

/// The units whose rules a domain has, in order; none for one that is redirected only.
type Sources = SmallVec<[u32; 2]>;

/// The domains with the same rules, the most specific first. Neighbours that both redirect plain text, or both do not,
/// are one virtual host (R-H-067).
#[derive(Clone, Debug, Default)]
struct Group {
    /// With whether plain text is redirected.
    domains: Vec<(Arc<str>, bool)>,
    hosts: Vec<Arc<VirtualHost>>,
}

/// What takes the place of what.
pub(super) struct Replaced {
    /// Domains of the virtual hosts that go.
    pub removed: Vec<Box<str>>,
    pub added: Vec<Arc<VirtualHost>>,
}

impl RouteHosts {
    /// Nobody has claimed anything yet.
    pub(super) fn new(servers: Vec<MergedServer>) -> Self {
        let mut redirects = HashMap::default();
        for (at, server) in servers.iter().enumerate() {
            if redirects_plain_text(server) {
                // One with a namespace prefix makes a domain that nothing can ask for.
                for host in &server.server().hosts {
                    redirects.entry(domain(&host.to_string())).or_insert(at);
                }
            }
        }
        let changed = redirects.keys().map(|domain| (&**domain).into()).collect();
        RouteHosts {
            servers,
            redirects,
            units: Vec::new(),
            free: Vec::new(),
            by_source: HashMap::default(),
            domains: HashMap::default(),
            groups: HashMap::default(),
            changed,
        }
    }

    /// What a VirtualService bound to `gateway` says of the hosts that it shares with servers, by place of the server.
    pub(super) fn add(
        &mut self,
        gateway: &GatewayName,
        virtual_service: &Arc<VirtualService>,
        rank: VirtualServiceRank,
        shared: &[SharedHost<'_>],
        view: &dyn AtServers,
    ) {
        let Some(first) = shared.first() else {
            return;
        };
        // Made once, by the first of the servers, and used by all (R-H-030).
        let server = &self.servers[first.server as usize];
        let rules = http_rules::rules(virtual_service, &*view.listening(server));
        if rules.is_empty() {
            return;
        }
        let source = (gateway.clone(), virtual_service.resource().clone());
        let id = self.free.pop().unwrap_or(self.units.len() as u32);
        if id as usize == self.units.len() {
            self.units.push(None);
        }
        let domains = shared.iter().map(|shared| domain(shared.host).into());
        let domains: Vec<Arc<str>> = domains.collect();
        self.units[id as usize] = Some(Unit {
            rank,
            rules,
            domains: domains.clone(),
        });
        self.by_source.insert(source, id);
        for (at, domain) in shared.iter().map(|shared| shared.server).zip(domains) {
            let mut by = std::mem::take(&mut self.claimed(&domain).by);
            let key = (at, self.rank(id));
            let place = by.partition_point(|&(server, unit)| (server, self.rank(unit)) <= key);
            by.insert(place, (at, id));
            self.claimed(&domain).by = by;
            self.changed.insert(domain);
        }
    }

    /// The VirtualService of this name at `gateway` says nothing any more.
    pub(super) fn remove(&mut self, gateway: &GatewayName, virtual_service: &ResourceName) {
        let source = (gateway.clone(), virtual_service.clone());
        let Some(id) = self.by_source.remove(&source) else {
            return;
        };
        let unit = self.units[id as usize].take();
        for domain in unit.into_iter().flat_map(|unit| unit.domains) {
            self.claimed(&domain).by.retain(|(_, unit)| *unit != id);
            self.changed.insert(domain);
        }
        // Who gets its number has no domain in common with it that is not made anew.
        self.free.push(id);
    }

    /// The rules of all units, also of those whose domains others have.
    pub(super) fn rules_of_units(&self) -> impl Iterator<Item = &[Rule]> {
        self.units.iter().flatten().map(|unit| &*unit.rules)
    }

    /// Whether a domain was claimed, or is no more, since the virtual hosts were made.
    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The virtual hosts of the domains that were claimed anew since the last time.
    pub(super) fn replaced(&mut self) -> Replaced {
        let was_empty = self.groups.is_empty();
        let mut replaced = self.joined();
        let is_empty = self.groups.is_empty();
        if is_empty && !was_empty {
            replaced.added.push(self.black_hole());
        }
        if was_empty && !is_empty {
            replaced.removed.push("*".into());
        }
        replaced
    }

    fn joined(&mut self) -> Replaced {
        let changed = std::mem::take(&mut self.changed);
        let mut touched: BTreeSet<Sources> = BTreeSet::new();
        for domain in &changed {
            let group = self
                .domains
                .get_mut(domain)
                .and_then(|domain| domain.group.take());
            if let Some(sources) = group {
                if let Some(group) = self.groups.get_mut(&sources) {
                    group.domains.retain(|(other, _)| other != domain);
                }
                touched.insert(sources);
            }
        }
        for domain in changed {
            let Some((sources, redirects)) = self.sources(&domain) else {
                self.domains.remove(&domain);
                continue;
            };
            self.claimed(&domain).group = Some(sources.clone());
            let group = self.groups.entry(sources.clone()).or_default();
            let is_before =
                |(other, _): &(Arc<str>, bool)| host::by_specificity(other, &domain).is_lt();
            let place = group.domains.partition_point(is_before);
            group.domains.insert(place, (domain, redirects));
            touched.insert(sources);
        }
        let mut removed = Vec::new();
        let mut made: Vec<Sources> = Vec::with_capacity(touched.len());
        for sources in touched {
            let Some(group) = self.groups.get_mut(&sources) else {
                continue;
            };
            let gone = group.hosts.drain(..);
            removed.extend(gone.flat_map(|host| host.domains.to_vec()));
            if group.domains.is_empty() {
                self.groups.remove(&sources);
            } else {
                made.push(sources);
            }
        }
        let first = |sources: &Sources| &self.groups[sources].domains[0].0;
        made.sort_by(|a, b| host::by_specificity(first(a), first(b)));
        let lists = made.iter().map(|sources| self.rules(sources)).collect();
        let mut added = Vec::with_capacity(made.len());
        for (sources, rules) in made.iter().zip(RuleList::all(lists)) {
            let domains = &self.groups[sources].domains;
            let hosts = domains.chunk_by(|(_, a), (_, b)| a == b);
            let hosts = hosts.map(|domains| self.virtual_host(domains, &rules));
            let hosts: Vec<Arc<VirtualHost>> = hosts.collect();
            added.extend(hosts.iter().cloned());
            if let Some(group) = self.groups.get_mut(sources) {
                group.hosts = hosts;
            }
        }
        Replaced { removed, added }
    }

    /// Of domains with these rules that all redirect plain text, or all do not.
    fn virtual_host(
        &self,
        domains: &[(Arc<str>, bool)],
        rules: &Arc<RuleList>,
    ) -> Arc<VirtualHost> {
        let (first, require_tls) = &domains[0];
        Arc::new(VirtualHost {
            name: domains::domain_name(first, self.port(first)).into(),
            kind: VirtualHostKind::Hosts,
            domains: domains
                .iter()
                .map(|(domain, _)| (&**domain).into())
                .collect(),
            require_tls: *require_tls,
            rules: Arc::clone(rules),
        })
    }

    /// The route configuration after all claims have come.
    pub(super) fn route_config(&mut self, name: &str) -> RouteConfig {
        let mut list = self.joined().added;
        if list.is_empty() {
            list.push(self.black_hole());
        }
        RouteConfig::new(name, list)
    }

    /// No VirtualService at all: one virtual host that answers 404 (R-H-066).
    fn black_hole(&self) -> Arc<VirtualHost> {
        let port = self.servers.first().map_or(0, |first| first.server().port);
        Arc::new(VirtualHost {
            name: format!("blackhole:{port}").into(),
            kind: VirtualHostKind::BlackHole,
            domains: Box::new(["*".into()]),
            require_tls: false,
            rules: Arc::default(),
        })
    }

    fn claimed(&mut self, domain: &Arc<str>) -> &mut Claimed {
        self.domains.entry(Arc::clone(domain)).or_default()
    }

    fn rank(&self, unit: u32) -> Option<&VirtualServiceRank> {
        self.units[unit as usize].as_ref().map(|unit| &unit.rank)
    }

    /// What the virtual host of a domain comes from, and whether it redirects plain text; `None`: it has none.
    fn sources(&self, domain: &Arc<str>) -> Option<(Sources, bool)> {
        let by = self
            .domains
            .get(domain)
            .map_or(&[][..], |claimed| &claimed.by);
        let redirects = |at: u32| redirects_plain_text(&self.servers[at as usize]);
        let redirected =
            self.redirects.contains_key(&**domain) || by.iter().any(|&(at, _)| redirects(at));
        let units = by.iter().map(|&(_, unit)| unit).collect();
        (redirected || !by.is_empty()).then_some((units, redirected))
    }

    /// Of the server that had the domain first: part of the name of its virtual host.
    fn port(&self, domain: &str) -> u16 {
        let claimed = self.domains.get(domain);
        let claimed = claimed
            .and_then(|domain| domain.by.first())
            .map(|&(at, _)| at as usize);
        let redirected = self.redirects.get(domain).copied();
        let first = claimed.into_iter().chain(redirected).min();
        first.map_or(0, |at| self.servers[at].server().port)
    }

    /// Rules that match everything go behind all others; nothing else moves (R-H-062, R-H-063).
    fn rules(&self, sources: &Sources) -> Vec<Rule> {
        let units = sources
            .iter()
            .filter_map(|&unit| self.units[unit as usize].as_ref());
        let mut rules: Vec<Rule> = units.flat_map(|unit| unit.rules.iter().cloned()).collect();
        rules.sort_by_key(|rule| rule.matches.is_catch_all());
        rules
    }
}

fn domain(host: &str) -> Box<str> {
    host.to_ascii_lowercase().into()
}

fn redirects_plain_text(server: &MergedServer) -> bool {
    let tls = server.server().tls.as_ref();
    tls.is_some_and(|tls| tls.https_redirect)
}

/// The hosts of all servers of one Gateway, so that a VirtualService finds those that it may claim without a walk over all.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerHosts {
    /// Route, server and host.
    by_host: OverlapIndex<(u32, u32, ServerHost)>,
}

/// A host that a VirtualService shares with a server: the narrower of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SharedHost<'a> {
    pub route: u32,
    pub server: u32,
    pub host: &'a str,
}

impl ServerHosts {
    /// Adds the hosts of a server of a route.
    pub(super) fn insert(&mut self, (route, server): (u32, u32), hosts: &[ServerHost]) {
        for host in hosts {
            self.by_host
                .insert(&host.host, (route, server, host.clone()));
        }
    }

    /// What a VirtualService shares with which servers, as far as its namespace may bind them (R-M-007, R-H-060); by route
    /// and server, each host once.
    pub(super) fn shared_with<'a>(&'a self, service: &'a VirtualService) -> Vec<SharedHost<'a>> {
        let mut out = Vec::new();
        for wanted in &service.hosts {
            for &(route, server, ref host) in self.by_host.overlapping(wanted) {
                let own: Vec<&str> = host
                    .open_to(&service.resource().namespace)
                    .into_iter()
                    .collect();
                let shared = host::intersection(&own, &[wanted]).into_iter();
                out.extend(shared.map(|host| SharedHost {
                    route,
                    server,
                    host,
                }));
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}
