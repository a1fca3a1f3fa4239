//! The classes of one router's requests by the rule that answers them: which rules none reaches, who reaches a destination,
//! which classes a set of requests never asks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::answer::answer;
use super::arrivals::{self, Arrival, Arrivals, Reached};
use super::aspect::Aspects;
use super::changes::{Answer, NotProved};
use super::comparison::{
    PER_STATE, arrivals_text, clusters, obstacle_text, over_plain_text, owned, rule_name,
    tests_authority, witness,
};
use super::describe;
use super::effect::{Effects, HTTPS_REDIRECT, NOT_FOUND};
use super::hosts::{Domains, Hosts};
use super::list::{Item, Lists};
use super::set::Set;
use super::solve::{Search, Solver};
use super::universe::{Authorities, Setting, Universe};
use super::witness::Witness;
use crate::decision::Side;
use crate::router::{Router, Rule, VirtualHost};
use crate::terms::hash::HashSet;
use crate::terms::request::{Request, Tls};

/// The requests that one rule answers, of those that arrive at a place and ask for some hosts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Class {
    /// Where the requests arrive: the first of those places, and how many others there are.
    pub arrival: String,
    /// The domains: of each, the hosts that no more specific one claims. Empty: no host is asked for.
    pub hosts: Vec<String>,
    /// What the rule asks: all of these hold, and no rule before it answers.
    pub conditions: Vec<String>,
    /// The answer.
    pub answer: Answer,
    /// A request of the class: the router has been asked, and answers it by this rule.
    pub witness: Witness,
    /// The virtual host by its address, and the place of the rule in it; `None`: no rule, or no virtual host.
    rule: Option<(usize, usize)>,
}

/// A rule that no request reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadRule {
    /// The resource that it was written in, and its place there.
    pub rule: String,
    /// The domains at which no request reaches it.
    pub hosts: Vec<String>,
    /// It is reached at no other domain or place either.
    pub is_dead_everywhere: bool,
    /// The rules before it that together answer all that it asks for. Empty: what it asks for, no request can be.
    pub covered_by: Vec<String>,
}

/// What requests can reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Goal {
    /// A service by its host, whatever the port and the subset.
    Host(String),
    /// A subset of a service.
    Subset {
        /// The host of the service.
        host: String,
        /// The subset.
        subset: String,
    },
    /// A cluster by its name: `outbound|80||shop.default.svc.cluster.local`, `PassthroughCluster`, `BlackHoleCluster`.
    Cluster(String),
    /// The proxy's own 404.
    NotFound,
}

/// All classes of a router's requests by the rule that answers them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classes {
    classes: Vec<Class>,
    dead: Vec<DeadRule>,
    not_proved: Vec<NotProved>,
}

impl Classes {
    /// All of them.
    pub fn all(&self) -> &[Class] {
        &self.classes
    }

    /// The rules that no request reaches, at some or at all of their hosts.
    pub fn dead_rules(&self) -> &[DeadRule] {
        &self.dead
    }

    /// Rules of which it is not known whether a request reaches them. They are among neither of the others.
    pub fn not_proved(&self) -> &[NotProved] {
        &self.not_proved
    }

    /// The classes whose requests may get there: by a split, some of them.
    pub fn reaching(&self, goal: &Goal) -> impl Iterator<Item = &Class> {
        let names = |class: &Class, test: &dyn Fn(&str) -> bool| {
            class.answer.clusters.iter().any(|(name, _)| test(name))
        };
        self.classes.iter().filter(move |class| match goal {
            Goal::NotFound => class.answer.status == Some(404) && class.answer.rule.is_none(),
            Goal::Cluster(name) => names(class, &|own| own == name),
            Goal::Host(host) => names(class, &|own| own.splitn(4, '|').nth(3) == Some(host)),
            Goal::Subset { host, subset } => names(class, &|own| {
                let mut parts = own.splitn(4, '|').skip(2);
                parts.next() == Some(subset) && parts.next() == Some(host)
            }),
        })
    }

    /// The classes of which none of these requests is, as `router` decides them; it must be the router that the classes are of.
    /// Each has a [witness](Class::witness) that would ask it.
    pub fn never_asked<'c, 'q>(
        &'c self,
        router: &Router,
        requests: impl IntoIterator<Item = &'q Request<'q>>,
    ) -> Vec<&'c Class> {
        let asked: HashSet<Option<(usize, usize)>> = requests
            .into_iter()
            .map(|request| {
                let decision = router.decide(request, 0);
                decision
                    .position()
                    .zip(decision.virtual_host())
                    .map(|(place, host)| (address(host), place))
            })
            .collect();
        self.classes
            .iter()
            .filter(|class| !asked.contains(&class.rule))
            .collect()
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hosts.is_empty() {
            true => f.write_str("connections")?,
            false => f.write_str(&self.hosts.join(", "))?,
        }
        write!(f, " ({})", self.arrival)?;
        if !self.conditions.is_empty() {
            write!(f, " where {}", self.conditions.join(" and "))?;
        }
        write!(f, ": {}, such as {}", self.answer, self.witness)
    }
}

impl fmt::Display for DeadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no request reaches {}", self.rule)?;
        if !self.is_dead_everywhere {
            write!(f, " at {}", self.hosts.join(", "))?;
        }
        match &*self.covered_by {
            [] => f.write_str(": no request can pass its tests"),
            all => write!(
                f,
                ": {} before it answers all that it asks for",
                all.join(" and ")
            ),
        }
    }
}

fn address(host: &VirtualHost) -> usize {
    std::ptr::from_ref(host).addr()
}

/// All classes of a router's requests, by the rule that answers them.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::space::{self, Goal};
/// use meshroute::{Mesh, Proxy, Resources, Router};
///
/// let yaml = "
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: shop, namespace: default}
/// spec:
///   hosts: [shop.example.com]
///   http:
///   - {match: [{uri: {prefix: /}, headers: {x-beta: {exact: \"1\"}}}], route: [{destination: {host: beta.example.com}}]}
///   - {match: [{uri: {prefix: /}, withoutHeaders: {x-beta: {exact: \"1\"}}}], route: [{destination: {host: shop.example.com}}]}
///   - {match: [{uri: {prefix: /cart}}], route: [{destination: {host: cart.example.com}}]}
/// ";
/// let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
/// let router = Router::compile(&mesh, &Proxy::default());
/// let classes = space::classes(&router);
///
/// // Two rules together answer all that the third asks for.
/// assert_eq!(classes.dead_rules()[0].covered_by.len(), 2);
/// assert_eq!(classes.reaching(&Goal::Host("cart.example.com".into())).count(), 0);
/// let beta: Vec<_> = classes.reaching(&Goal::Host("beta.example.com".into())).collect();
/// assert_eq!(beta[0].conditions, ["header `x-beta` is `1`"]);
/// # }
/// # Ok::<(), meshroute::Report>(())
/// ```
///
/// # Complexity
/// A decision for each rule that a request of its own reaches; for each other, a search among the rules before it, all together
/// within the usual [budget](super::Comparison::budget).
pub fn classes(router: &Router) -> Classes {
    let mut survey = Survey {
        router,
        effects: Effects::new(Aspects::ALL),
        classes: Classes::default(),
        left: 64_000_000,
        seen: HashSet::default(),
        alive: BTreeSet::new(),
        dead: BTreeMap::new(),
    };
    for (side, view) in [
        (Side::Mesh, &router.tables.mesh),
        (Side::Gateway, &router.tables.gateway),
    ] {
        if let Some(view) = view {
            for group in arrivals::groups(side, [Some(view), None]) {
                survey.arrivals(&group);
            }
        }
    }
    survey.finish()
}

struct Survey<'r> {
    router: &'r Router,
    effects: Effects<'r>,
    classes: Classes,
    left: usize,
    seen: HashSet<(usize, bool)>,
    /// Rules that some request reaches.
    alive: BTreeSet<String>,
    /// Rules that none reaches, with the hosts where that is so, by what covers them.
    dead: BTreeMap<(String, Vec<String>), BTreeSet<String>>,
}

/// Where requests arrive.
struct Place<'a> {
    arrival: &'a Arrival,
    text: &'a str,
    domains: &'a [&'a str],
    sample: &'a str,
}

impl<'r> Survey<'r> {
    fn arrivals(&mut self, group: &Arrivals<'r>) {
        let with_http = group.all.iter().find(|arrival| arrival.protocol.is_some());
        let Some(arrival) = with_http.or(group.all.first()) else {
            return;
        };
        let text = arrivals_text(&group.all, arrival);
        let nobody = Place {
            arrival,
            text: &text,
            domains: &[],
            sample: "any.invalid",
        };
        match group.before {
            Reached::Nothing => {}
            Reached::Tcp(proxy) => {
                let effect = self.effects.of_tcp(0, proxy, clusters(self.router));
                let witness = Witness::new(self.router, arrival.clone(), nobody.sample);
                self.tell(&nobody, Vec::new(), effect, witness, None);
            }
            Reached::Http(_) if arrival.protocol.is_none() => {}
            Reached::Http(config) => {
                let configs = [Some(config), None];
                let domains = Domains::new(configs);
                for hosts in domains.groups(configs) {
                    self.hosts(&domains, &hosts, arrival, &text);
                }
                if domains.is_open() {
                    let witness = Witness::new(self.router, arrival.clone(), nobody.sample);
                    let place = Place {
                        domains: &["*"],
                        ..nobody
                    };
                    self.tell(&place, Vec::new(), NOT_FOUND, witness, None);
                }
            }
        }
    }

    fn hosts(&mut self, domains: &Domains<'r>, hosts: &Hosts<'r>, arrival: &Arrival, text: &str) {
        let Some(host) = hosts.before else { return };
        // A virtual host of several route configurations is looked at once.
        if !self.seen.insert((address(host), arrival.tls != Tls::None)) {
            return;
        }
        let place = |domains| Place {
            arrival,
            text,
            domains,
            sample: &hosts.sample,
        };
        match tests_authority(host) {
            false => self.rules(host, &place(&hosts.domains), &Authorities::default()),
            true => {
                for domain in &hosts.domains {
                    let authorities = domains.authorities(domain);
                    self.rules(host, &place(std::slice::from_ref(domain)), &authorities);
                }
            }
        }
    }

    fn rules(&mut self, host: &'r Arc<VirtualHost>, place: &Place<'_>, authorities: &Authorities) {
        let https = over_plain_text();
        let first = host.requires_tls().then_some(&https);
        let shift = u32::from(host.requires_tls());
        let rules: &'r [Rule] = host.rules();
        let list = first
            .into_iter()
            .chain(rules.iter().map(Rule::matches))
            .collect();
        let view = match place.arrival.side {
            Side::Mesh => &self.router.tables.mesh,
            Side::Gateway => &self.router.tables.gateway,
        };
        let setting = Setting {
            manager: view.as_ref().map(|view| view.manager()).unwrap_or_default(),
            tls: place.arrival.tls,
            port: place.arrival.port,
            authorities,
        };
        let universe = match Universe::new(&[list], setting, self.left / PER_STATE) {
            Ok(universe) => universe,
            Err(obstacle) => return self.not_proved(place, Vec::new(), obstacle_text(&obstacle)),
        };
        let effects = first.map(|_| HTTPS_REDIRECT).into_iter();
        let effects: Vec<u32> = effects
            .chain(
                rules
                    .iter()
                    .map(|rule| self.effects.of_rule(0, rule, clusters(self.router))),
            )
            .collect();
        let mut lists = Lists::new(&universe);
        let items = lists.list(0, &effects, NOT_FOUND);
        let none: Box<[(u16, u32)]> = Box::default();
        let mut at = 0;
        for number in 0..=effects.len() as u32 {
            let item = items.get(at).filter(|item| item.rule == number);
            let is_behind_all = number as usize == effects.len();
            let tests = match item {
                Some(item) => lists.tests(item.tests).clone(),
                None if is_behind_all => none.clone(),
                None => {
                    self.dead(
                        place,
                        rules.get((number - shift) as usize),
                        number,
                        Vec::new(),
                    );
                    continue;
                }
            };
            let earlier = &items[..at];
            at += usize::from(item.is_some());
            let rule = number
                .checked_sub(shift)
                .and_then(|number| rules.get(number as usize));
            let conditions = rule.map_or(Vec::new(), |rule| describe::tests(rule.matches()));
            let position = rule.map(|_| (number - shift) as usize);
            let effect = match is_behind_all {
                true => NOT_FOUND,
                false => effects[number as usize],
            };
            let domain: Vec<(u16, Set)> = tests
                .iter()
                .map(|(variable, set)| (*variable, universe.sets[*set as usize].clone()))
                .collect();
            let router = self.router;
            let asking = |point: &[(u16, u32)]| {
                witness(
                    &universe,
                    point,
                    router,
                    place.arrival.clone(),
                    place.sample,
                )
            };
            // Most rules answer the plainest request that passes their tests.
            let plain = domain.iter().filter_map(|(variable, set)| {
                let usual = universe.variables[usize::from(*variable)].usual;
                let class = if set.contains(usual) {
                    Some(usual)
                } else {
                    set.iter().next()
                };
                Some((*variable, class?))
            });
            let plain: Vec<(u16, u32)> = plain.collect();
            let request = asking(&plain);
            if self.is_answered(&request, host, position, effect) {
                self.tell(
                    place,
                    conditions,
                    effect,
                    request,
                    position.map(|position| (address(host), position)),
                );
                self.alive(rule, number);
                continue;
            }
            let before: Vec<Item> = earlier
                .iter()
                .filter(|item| overlaps(&universe, lists.tests(item.tests), &domain))
                .copied()
                .collect();
            let mut solver = Solver::new(lists, &mut self.effects, self.left);
            let found = solver.passed_over(&before, &domain, 0);
            let covering = match found {
                Search::Nothing => covering(&mut solver, before, &domain),
                _ => Vec::new(),
            };
            lists = solver.lists;
            match found {
                Search::Found(point) => {
                    let request = asking(&point);
                    match self.is_answered(&request, host, position, effect) {
                        true => {
                            self.tell(
                                place,
                                conditions,
                                effect,
                                request,
                                position.map(|position| (address(host), position)),
                            );
                        }
                        false => {
                            let why = format!(
                                "{request} was expected to be answered by this rule, and is not"
                            );
                            self.not_proved(place, conditions, why);
                        }
                    }
                    self.alive(rule, number);
                }
                Search::Nothing => {
                    let names =
                        covering
                            .into_iter()
                            .map(|item| match item.rule.checked_sub(shift) {
                                None => "the redirect to https".to_owned(),
                                Some(place) => rules
                                    .get(place as usize)
                                    .map_or(String::new(), |rule| rule_name(rule, place)),
                            });
                    let names = names.collect();
                    self.dead(place, rule, number, names);
                }
                Search::NotProved => {
                    let why = "it would have taken more than the budget".to_owned();
                    self.not_proved(place, conditions, why);
                    self.alive(rule, number);
                }
            }
        }
        self.left = self.left.saturating_sub(lists.work);
    }

    /// Whether the router answers a request by this rule of this virtual host.
    fn is_answered(
        &self,
        request: &Witness,
        host: &VirtualHost,
        position: Option<usize>,
        effect: u32,
    ) -> bool {
        let mut request = request.clone();
        request.settle_protocol(self.router);
        let decision = request.decide(self.router, 0);
        let is_here = decision
            .virtual_host()
            .is_some_and(|own| std::ptr::eq(own, host));
        let is_redirect = matches!(decision.outcome(), crate::decision::Outcome::HttpsRedirect);
        is_here && decision.position() == position && is_redirect == (effect == HTTPS_REDIRECT)
    }

    fn alive(&mut self, rule: Option<&Rule>, number: u32) {
        if let Some(rule) = rule {
            self.alive.insert(rule_name(rule, number));
        }
    }

    fn dead(
        &mut self,
        place: &Place<'_>,
        rule: Option<&Rule>,
        number: u32,
        covered_by: Vec<String>,
    ) {
        // Nobody wrote the others, and nobody can take them out.
        let Some(rule) = rule.filter(|rule| rule.origin().is_some()) else {
            return;
        };
        let hosts = self
            .dead
            .entry((rule_name(rule, number), covered_by))
            .or_default();
        hosts.extend(owned(place.domains));
    }

    fn not_proved(&mut self, place: &Place<'_>, conditions: Vec<String>, why: String) {
        self.classes.not_proved.push(NotProved {
            arrival: place.text.to_owned(),
            hosts: owned(place.domains),
            conditions,
            why,
        });
    }

    fn tell(
        &mut self,
        place: &Place<'_>,
        conditions: Vec<String>,
        effect: u32,
        mut witness: Witness,
        rule: Option<(usize, usize)>,
    ) {
        witness.settle_protocol(self.router);
        let decision = witness.decide(self.router, 0);
        self.classes.classes.push(Class {
            arrival: place.text.to_owned(),
            hosts: owned(place.domains),
            conditions,
            answer: answer(&self.effects, effect, Some(&decision), &[]),
            witness,
            rule,
        });
    }

    fn finish(mut self) -> Classes {
        for ((rule, covered_by), hosts) in self.dead {
            self.classes.dead.push(DeadRule {
                is_dead_everywhere: !self.alive.contains(&rule),
                rule,
                hosts: hosts.into_iter().collect(),
                covered_by,
            });
        }
        self.classes
    }
}

/// Whether some request of a domain passes these tests.
fn overlaps(universe: &Universe<'_>, tests: &[(u16, u32)], domain: &[(u16, Set)]) -> bool {
    tests.iter().all(|(variable, set)| {
        let own = domain.iter().find(|(own, _)| own == variable);
        own.is_none_or(|(_, own)| !own.intersection(&universe.sets[*set as usize]).is_empty())
    })
}

/// So many rules are tried to be left out of those that cover another.
const MOST_TRIED: usize = 64;

/// Of rules that cover a domain together, those that are needed for it; of very many, all.
fn covering(
    solver: &mut Solver<'_, '_, '_, '_>,
    mut all: Vec<Item>,
    domain: &[(u16, Set)],
) -> Vec<Item> {
    // One that covers it alone, if there is one.
    let alone = all
        .iter()
        .find(|item| solver.passed_over(&[**item], domain, 0) == Search::Nothing);
    if let Some(item) = alone {
        return vec![*item];
    }
    if all.len() > MOST_TRIED {
        return all;
    }
    let mut place = all.len();
    while place > 0 {
        place -= 1;
        let mut others = all.clone();
        others.remove(place);
        if solver.passed_over(&others, domain, 0) == Search::Nothing {
            all = others;
        }
    }
    all
}
