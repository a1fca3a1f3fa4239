//! The route configuration of a gateway: virtual hosts of all servers and VirtualServices behind one route name
//! (R-H-057..R-H-067, R-M-039..R-M-043).

use std::sync::Arc;

use crate::mesh::gateway::Server;
use crate::mesh::virtual_service::VirtualService;
use crate::router::{RouteConfig, Rule, RuleList, VirtualHost, VirtualHostKind, VirtualHosts};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::host;
use crate::terms::name::GatewayName;

use super::domains;
use super::http_rules::{self, Listening};
use crate::mesh::gateway_merge::MergedServer;

/// What the virtual hosts of a gateway are made from.
pub(super) trait GatewayView<'m> {
    /// The VirtualServices bound to a gateway in the order that decides (R-M-039).
    fn virtual_services(&self, gateway: &GatewayName) -> Arc<[Arc<VirtualService>]>;
    /// What a server knows when it asks for rules (R-H-029).
    fn listening<'s>(&'s self, server: &'s MergedServer<'m>) -> Box<dyn Listening + 's>;
}

#[derive(Default)]
struct Draft {
    domain: String,
    /// Of the server that made it first: part of its name.
    port: u16,
    require_tls: bool,
    rules: Vec<Rule>,
    /// Which (gateway, VirtualService) lists were appended, in order: equal lists are one virtual host.
    sources: Vec<usize>,
}

/// The route configuration of the servers that share `route_name`.
pub(super) fn route_config<'m>(
    route_name: &str,
    servers: &[MergedServer<'m>],
    view: &dyn GatewayView<'m>,
) -> RouteConfig {
    let port = servers.first().map_or(0, |first| first.server.port);
    let mut drafts: Vec<Draft> = Vec::new();
    let bound: usize = servers
        .iter()
        .map(|server| view.virtual_services(&server.gateway_name).len())
        .max()
        .unwrap_or(0);
    let mut by_domain: HashMap<String, usize> =
        HashMap::with_capacity_and_hasher(bound, Default::default());
    // Rules of a VirtualService are made once per gateway, by the first of its servers, and used by all (R-H-030).
    let mut lists: Vec<Vec<Rule>> = Vec::new();
    let mut made: HashMap<(&GatewayName, usize), usize> =
        HashMap::with_capacity_and_hasher(bound, Default::default());

    for server in servers {
        let redirects = server
            .server
            .tls
            .as_ref()
            .is_some_and(|tls| tls.https_redirect);
        let virtual_services = view.virtual_services(&server.gateway_name);
        let candidates = Candidates::new(server);
        for (place, virtual_service) in virtual_services.iter().enumerate() {
            let hosts = candidates.intersection(virtual_service);
            if hosts.is_empty() {
                continue;
            }
            let key = (&server.gateway_name, place);
            let list = *made.entry(key).or_insert_with(|| {
                lists.push(http_rules::rules(virtual_service, &*view.listening(server)));
                lists.len() - 1
            });
            if lists[list].is_empty() {
                continue;
            }
            for domain in hosts {
                let draft = draft(
                    &mut drafts,
                    &mut by_domain,
                    domain.to_string().to_ascii_lowercase(),
                    server.server.port,
                );
                draft.rules.extend(lists[list].iter().cloned());
                draft.sources.push(list);
                draft.require_tls |= redirects;
            }
        }
        if redirects {
            // Hosts without a VirtualService redirect too; one with a namespace prefix makes a domain that nothing
            // can ask for (R-H-065).
            for domain in &server.server.hosts {
                draft(
                    &mut drafts,
                    &mut by_domain,
                    domain.to_string().to_ascii_lowercase(),
                    server.server.port,
                )
                .require_tls = true;
            }
        }
    }
    let mut list = collapse(drafts);
    if list.is_empty() {
        list.push(blackhole(port));
    }
    RouteConfig::new(
        route_name,
        VirtualHosts {
            list,
            ..VirtualHosts::default()
        },
    )
}

fn draft<'d>(
    drafts: &'d mut Vec<Draft>,
    by_domain: &mut HashMap<String, usize>,
    domain: String,
    port: u16,
) -> &'d mut Draft {
    let index = *by_domain.entry(domain.clone()).or_insert_with(|| {
        drafts.push(Draft {
            domain,
            port,
            ..Draft::default()
        });
        drafts.len() - 1
    });
    &mut drafts[index]
}

/// Virtual hosts with the same rules from the same sources become one, named after the most specific host (R-H-067).
fn collapse(mut drafts: Vec<Draft>) -> Vec<Arc<VirtualHost>> {
    drafts.sort_by(|a, b| host::by_specificity(&a.domain, &b.domain));
    let mut groups: Vec<(Draft, Vec<Box<str>>)> = Vec::new();
    let mut known: HashMap<(Vec<usize>, bool), usize> =
        HashMap::with_capacity_and_hasher(drafts.len(), Default::default());
    for draft in drafts {
        let domain: Box<str> = draft.domain.as_str().into();
        if draft.rules.is_empty() {
            groups.push((draft, vec![domain]));
            continue;
        }
        match known.entry((draft.sources.clone(), draft.require_tls)) {
            std::collections::hash_map::Entry::Occupied(entry) => {
                groups[*entry.get()].1.push(domain);
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(groups.len());
                groups.push((draft, vec![domain]));
            }
        }
    }
    let lists = groups
        .iter_mut()
        .map(|(draft, _)| catch_alls_last(std::mem::take(&mut draft.rules)));
    let lists = RuleList::all(lists.collect());
    groups
        .into_iter()
        .zip(lists)
        .map(|((draft, domains), rules)| {
            Arc::new(VirtualHost {
                name: domains::domain_name(&draft.domain, draft.port).into(),
                kind: VirtualHostKind::Hosts,
                domains: domains.into(),
                require_tls: draft.require_tls,
                rules,
            })
        })
        .collect()
}

/// Rules that match everything go behind all others; nothing else moves (R-H-062, R-H-063).
fn catch_alls_last(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort_by_key(|rule| rule.matches.is_catch_all());
    rules
}

/// No VirtualService at all: one virtual host that answers 404 (R-H-066).
fn blackhole(port: u16) -> Arc<VirtualHost> {
    Arc::new(VirtualHost {
        name: format!("blackhole:{port}").into(),
        kind: VirtualHostKind::BlackHole,
        domains: Box::new(["*".into()]),
        require_tls: false,
        rules: Arc::default(),
    })
}

/// The hosts of one server, for intersecting with those of many VirtualServices (R-H-060). An exact host is found by
/// hash, so that a server with thousands of hosts stays cheap.
struct Candidates<'s> {
    server: &'s Server,
    hosts: Vec<&'s str>,
    wildcards: Vec<&'s str>,
    exact: HashSet<&'s str>,
    /// Whether some host is for one namespace only: then each VirtualService sees another list.
    scoped: bool,
}

impl<'s> Candidates<'s> {
    fn new(server: &'s MergedServer<'_>) -> Self {
        let written = &server.server.hosts;
        let hosts: Vec<&str> = written.iter().map(|host| &*host.host).collect();
        Candidates {
            wildcards: hosts
                .iter()
                .copied()
                .filter(|host| host::is_wildcard(host))
                .collect(),
            exact: hosts.iter().copied().collect(),
            scoped: written.iter().any(|host| host.namespace.is_some()),
            server: server.server,
            hosts,
        }
    }

    fn intersection<'a>(&self, service: &'a VirtualService) -> Vec<&'a str>
    where
        's: 'a,
    {
        let wanted: Vec<&'a str> = service.hosts.iter().map(|host| &**host).collect();
        if self.scoped {
            let own = self.server.hosts_open_to(&service.resource().namespace);
            let own: Vec<&str> = own.collect();
            return host::intersection(&own, &wanted);
        }
        if wanted.iter().any(|host| host::is_wildcard(host)) {
            return host::intersection(&self.hosts, &wanted);
        }
        wanted
            .into_iter()
            .filter(|wanted| {
                self.exact.contains(wanted)
                    || self
                        .wildcards
                        .iter()
                        .any(|host| host::is_subset_of(wanted, host))
            })
            .collect()
    }
}
