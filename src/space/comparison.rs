//! Two routers compared: sides, connections, hosts, then the rules of each pair of virtual hosts.

use std::sync::Arc;

use super::answer::answer;
use super::arrivals::{self, Arrival, Arrivals, Reached};
use super::aspect::{Aspect, Aspects};
use super::changes::{Change, Changes, NotProved};
use super::describe;
use super::effect::{CLOSED, Effects, HTTPS_REDIRECT, NOT_FOUND};
use super::hosts::{Domains, Hosts};
use super::list::{Item, Lists, NO_RULE};
use super::solve::{Difference, Solver, Verdict};
use super::universe::{Authorities, Obstacle, Setting, Universe};
use super::witness::{Witness, add_claim};
use crate::decision::{Decision, Outcome, Side};
use crate::router::{ClusterId, Router, Rule, VirtualHost};
use crate::terms::condition::{Asks, Condition, HeaderMatch, PathMatch, RequestMatch, ValueMatch};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::request::{Protocol, Tls};

/// How two routers are compared: what counts, and how much work it may be.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::space::{Aspect, Comparison};
/// # use meshroute::{Mesh, Proxy, Resources, Router};
/// # let yaml = |timeout: &str| format!("
/// # apiVersion: networking.istio.io/v1
/// # kind: VirtualService
/// # metadata: {{name: shop, namespace: default}}
/// # spec:
/// #   hosts: [shop.example.com]
/// #   http: [{{timeout: {timeout}, route: [{{destination: {{host: shop}}}}]}}]
/// # ");
/// # let router = |timeout: &str| {
/// #     let mesh = Mesh::resolve(Resources::from_yaml(&yaml(timeout))?)?;
/// #     Ok::<_, meshroute::Report>(Router::compile(&mesh, &Proxy::default()))
/// # };
/// let (before, after) = (router("3s")?, router("5s")?);
/// let all = Comparison::new().diff(&before, &after);
/// assert_eq!(all.changes()[0].aspects, [Aspect::Timeout]);
/// assert!(Comparison::new().without(Aspect::Timeout).diff(&before, &after).is_empty());
/// # }
/// # Ok::<(), meshroute::Report>(())
/// ```
#[derive(Clone, Debug)]
pub struct Comparison {
    aspects: Aspects,
    budget: usize,
}

impl Default for Comparison {
    fn default() -> Self {
        Self::new()
    }
}

/// Of the budget, the part that texts may take: a state weighs more than a rule that is looked at.
pub(super) const PER_STATE: usize = 32;

impl Comparison {
    /// Everything counts, within the usual budget.
    pub fn new() -> Self {
        Comparison {
            aspects: Aspects::ALL,
            budget: 64_000_000,
        }
    }

    /// The same without this aspect: answers that differ in it only are the same.
    #[must_use]
    pub fn without(mut self, aspect: Aspect) -> Self {
        self.aspects = self.aspects.without(aspect);
        self
    }

    /// The same with another budget: how many rules may be looked at, in all parts together. Where it is spent, the rest is
    /// [not proved](Changes::not_proved). The usual one is 64 million: some seconds.
    #[must_use]
    pub fn budget(mut self, rules: usize) -> Self {
        self.budget = rules;
        self
    }

    /// Every class of requests that `before` and `after` answer differently; see [`diff`](super::diff()).
    ///
    /// # Complexity
    /// Linear in the rules of virtual hosts that are the same; else in the parts that the rules of a virtual host cut its
    /// requests into, within the budget.
    pub fn diff(&self, before: &Router, after: &Router) -> Changes {
        let mut run = Run {
            routers: [before, after],
            effects: Effects::new(self.aspects),
            changes: Changes::default(),
            left: self.budget,
            equal: HashSet::default(),
        };
        for side in [Side::Mesh, Side::Gateway] {
            run.side(side);
        }
        run.clusters();
        run.changes
    }
}

/// Where nothing is proved, so many rules of each list are asked by a request of their own,
const MOST_SAMPLED: usize = 1024;
/// so many differences are told,
const MOST_TOLD: usize = 16;
/// and of the texts of one rule, so many states are visited.
const STATES_OF_ONE: usize = 1 << 14;

pub(super) struct Run<'r> {
    pub(super) routers: [&'r Router; 2],
    pub(super) effects: Effects<'r>,
    pub(super) changes: Changes,
    pub(super) left: usize,
    /// Pairs of virtual hosts that have been found equal.
    pub(super) equal: HashSet<(usize, usize, bool)>,
}

/// Where requests of a group arrive.
struct Place<'a> {
    arrival: Arrival,
    text: String,
    domains: &'a [&'a str],
    sample: &'a str,
}

impl<'r> Run<'r> {
    fn side(&mut self, side: Side) {
        let views = self.routers.map(|router| match side {
            Side::Mesh => router.tables.mesh.as_ref(),
            Side::Gateway => router.tables.gateway.as_ref(),
        });
        if let [Some(before), Some(after)] = views
            && before.manager() != after.manager()
        {
            self.changes.not_proved.push(NotProved {
                arrival: side_name(side).to_owned(),
                hosts: vec!["*".to_owned()],
                conditions: Vec::new(),
                why: format!(
                    "requests are treated otherwise before they are routed: {:?} became {:?}",
                    before.manager(),
                    after.manager()
                ),
            });
        }
        for group in arrivals::groups(side, views) {
            self.arrivals(&group);
        }
    }

    fn arrivals(&mut self, group: &Arrivals<'r>) {
        let with_http = group.all.iter().find(|arrival| arrival.protocol.is_some());
        let Some(arrival) = with_http.or(group.all.first()) else {
            return;
        };
        let text = arrivals_text(&group.all, arrival);
        let constants =
            [(0, group.before), (1, group.after)].map(|(which, reached)| match reached {
                Reached::Nothing => CLOSED,
                Reached::Tcp(proxy) => {
                    self.effects
                        .of_tcp(which, proxy, clusters(self.routers[which]))
                }
                Reached::Http(_) if arrival.protocol.is_none() => CLOSED,
                Reached::Http(_) => NOT_FOUND,
            });
        let configs = [group.before, group.after].map(|reached| match reached {
            Reached::Http(config) if arrival.protocol.is_some() => Some(config),
            _ => None,
        });
        if configs.iter().all(Option::is_none) {
            let place = Place {
                arrival: arrival.clone(),
                text,
                domains: &[],
                sample: "any.invalid",
            };
            return self.constants(&place, constants);
        }
        let domains = Domains::new(configs);
        for hosts in domains.groups(configs) {
            self.hosts(&domains, &hosts, arrival, &text, constants);
        }
        if domains.is_open() {
            let place = Place {
                arrival: arrival.clone(),
                text,
                domains: &["*"],
                sample: "any.invalid",
            };
            self.constants(&place, constants);
        }
    }

    /// Requests or connections that are answered alike, whatever they ask.
    fn constants(&mut self, place: &Place<'_>, effects: [u32; 2]) {
        if effects[0] != effects[1] {
            let witness = Witness::new(self.either(), place.arrival.clone(), place.sample);
            self.tell(place, Vec::new(), Vec::new(), effects, witness);
        }
    }

    fn hosts(
        &mut self,
        domains: &Domains<'r>,
        hosts: &Hosts<'r>,
        arrival: &Arrival,
        text: &str,
        constants: [u32; 2],
    ) {
        let pair = [hosts.before, hosts.after];
        let is_tls = arrival.tls != Tls::None;
        let address =
            |host: Option<&Arc<VirtualHost>>| host.map_or(0, |host| Arc::as_ptr(host).addr());
        let key = (address(pair[0]), address(pair[1]), is_tls);
        if pair.iter().all(Option::is_some) && self.equal.contains(&key) {
            return;
        }
        let effects: [Vec<u32>; 2] = [0, 1].map(|which| self.effects_of(which, pair[which]));
        if let [Some(before), Some(after)] = pair
            && before.requires_tls() == after.requires_tls()
            && effects[0] == effects[1]
            && is_same(before.rules(), after.rules())
        {
            self.equal.insert(key);
            return;
        }
        let found = self.changes.changes.len() + self.changes.not_proved.len();
        let tests_authority = pair.into_iter().flatten().any(|host| tests_authority(host));
        let place = |domains, sample| Place {
            arrival: arrival.clone(),
            text: text.to_owned(),
            domains,
            sample,
        };
        match tests_authority {
            false => {
                let place = place(&*hosts.domains, &*hosts.sample);
                self.pair(pair, &effects, &place, constants, &Authorities::default());
            }
            true => {
                for domain in &hosts.domains {
                    let authorities = domains.authorities(domain);
                    let place = place(std::slice::from_ref(domain), &*hosts.sample);
                    self.pair(pair, &effects, &place, constants, &authorities);
                }
            }
        }
        if found == self.changes.changes.len() + self.changes.not_proved.len() {
            self.equal.insert(key);
        }
    }

    pub(super) fn effects_of(
        &mut self,
        which: usize,
        host: Option<&'r Arc<VirtualHost>>,
    ) -> Vec<u32> {
        let router = self.routers[which];
        let rules: &'r [Rule] = host.map_or(&[], |host| host.rules());
        let rules = rules
            .iter()
            .map(|rule| self.effects.of_rule(which, rule, clusters(router)));
        rules.collect()
    }

    /// Compares two virtual hosts, rule by rule.
    fn pair(
        &mut self,
        pair: [Option<&'r Arc<VirtualHost>>; 2],
        effects: &[Vec<u32>; 2],
        place: &Place<'_>,
        constants: [u32; 2],
        authorities: &Authorities,
    ) {
        let https = over_plain_text();
        let requires = pair.map(|host| host.is_some_and(|host| host.requires_tls()));
        let lists = [0, 1].map(|which| {
            let rules: &[Rule] = pair[which].map_or(&[], |host| host.rules());
            let first = requires[which].then_some(&https);
            first
                .into_iter()
                .chain(rules.iter().map(Rule::matches))
                .collect::<Vec<_>>()
        });
        let effects = [0, 1].map(|which| {
            let first = requires[which].then_some(HTTPS_REDIRECT);
            first
                .into_iter()
                .chain(effects[which].iter().copied())
                .collect::<Vec<_>>()
        });
        let setting = Setting {
            manager: self.manager(place.arrival.side),
            tls: place.arrival.tls,
            port: place.arrival.port,
            authorities,
        };
        let universe = match Universe::new(&lists, setting, self.left / PER_STATE) {
            Ok(universe) => universe,
            Err(obstacle) => {
                self.not_proved(place, Vec::new(), obstacle_text(&obstacle));
                return self.sample(&lists, place, setting);
            }
        };
        let last = [0, 1].map(|which| match pair[which] {
            Some(_) => NOT_FOUND,
            None => constants[which],
        });
        let mut known = Lists::new(&universe);
        let before = known.list(0, &effects[0], last[0]);
        let after = known.list(1, &effects[1], last[1]);
        let mut solver = Solver::new(known, &mut self.effects, self.left);
        let found = solver.compare(before, after);
        let work = solver.lists.work;
        self.left = self.left.saturating_sub(work);
        let is_proved = |difference: &Difference| difference.verdict != Verdict::NotProved;
        if !found.iter().all(is_proved) {
            self.sample(&lists, place, setting);
        }
        for difference in found.iter() {
            let described = difference.conditions.iter();
            let conditions = described
                .filter_map(|(variable, set)| describe::condition(&universe, *variable, set));
            let conditions = conditions.collect();
            match difference.verdict {
                Verdict::NotProved => {
                    let why = "it would have taken more than the budget".to_owned();
                    self.not_proved(place, conditions, why);
                }
                Verdict::Differs(before, after) => {
                    let rules: &[Rule] = pair[0].map_or(&[], |host| host.rules());
                    let unless = unless_text(difference, rules, requires[0]);
                    let mut witness = witness(
                        &universe,
                        &difference.point,
                        self.either(),
                        place.arrival.clone(),
                        place.sample,
                    );
                    self.show_path(&universe, &difference.point, [before, after], &mut witness);
                    self.tell(place, conditions, unless, [before, after], witness);
                }
            }
        }
    }

    /// Where nothing is proved: the plainest request that each rule asks for, asked of both routers.
    fn sample(&mut self, lists: &[Vec<&RequestMatch>; 2], place: &Place<'_>, setting: Setting<'_>) {
        let mut told = 0;
        let mut seen: HashSet<(u32, u32)> = HashSet::default();
        for matches in lists.iter().flat_map(|list| list.iter().take(MOST_SAMPLED)) {
            if told == MOST_TOLD {
                return;
            }
            let Ok(universe) = Universe::new(&[vec![*matches]], setting, STATES_OF_ONE) else {
                continue;
            };
            let Some(Some(tests)) = universe.lists[0].first() else {
                continue;
            };
            let point = tests.iter().filter_map(|(variable, set)| {
                let set = &universe.sets[*set as usize];
                Some((*variable, set.iter().next()?))
            });
            let point: Vec<(u16, u32)> = point.collect();
            let mut witness = witness(
                &universe,
                &point,
                self.either(),
                place.arrival.clone(),
                place.sample,
            );
            witness.settle_protocol(self.either());
            let path = witness
                .target
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned();
            let effects = [0, 1].map(|which| {
                let decision = witness.decide(self.routers[which], 0);
                let effect = self.effect_of(which, &decision)?;
                Some(self.effects.at_path(effect, &path, true))
            });
            if let [Some(before), Some(after)] = effects
                && before != after
                && seen.insert((before, after))
            {
                told += 1;
                self.tell(
                    place,
                    describe::tests(matches),
                    Vec::new(),
                    [before, after],
                    witness,
                );
            }
        }
    }

    /// Another path for a witness, where two effects do the same to its own and not to all of its class.
    fn show_path(
        &mut self,
        universe: &Universe<'_>,
        point: &[(u16, u32)],
        effects: [u32; 2],
        witness: &mut Witness,
    ) {
        let path = witness
            .target
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        let [before, after] = effects.map(|effect| self.effects.at_path(effect, &path, true));
        if before != after {
            return;
        }
        let numbered = (0_u16..).zip(&universe.variables);
        for (number, variable) in numbered.filter(|(_, variable)| variable.asks == Asks::Path) {
            let known = point.iter().find(|(own, _)| *own == number);
            let class = known.map_or(variable.usual, |(_, class)| *class);
            if let Some(Some(longer)) = variable.longer.get(class as usize) {
                witness.target = witness.target.replacen(&path, longer, 1);
            }
        }
    }

    /// A router that has the side that requests arrive at.
    fn either(&self) -> &'r Router {
        let [before, after] = self.routers;
        match before.tables.mesh.is_some() == after.tables.mesh.is_some()
            && before.tables.gateway.is_some()
        {
            true => before,
            false => after,
        }
    }

    fn manager(&self, side: Side) -> crate::terms::connection_manager::ConnectionManager {
        let views = self.routers.map(|router| match side {
            Side::Mesh => router.tables.mesh.as_ref(),
            Side::Gateway => router.tables.gateway.as_ref(),
        });
        let [before, after] = views;
        before
            .or(after)
            .map(|view| view.manager())
            .unwrap_or_default()
    }

    fn not_proved(&mut self, place: &Place<'_>, conditions: Vec<String>, why: String) {
        self.changes.not_proved.push(NotProved {
            arrival: place.text.clone(),
            hosts: owned(place.domains),
            conditions,
            why,
        });
    }

    /// A change, once both routers have confirmed it.
    fn tell(
        &mut self,
        place: &Place<'_>,
        conditions: Vec<String>,
        unless: Vec<String>,
        effects: [u32; 2],
        mut witness: Witness,
    ) {
        witness.settle_protocol(self.either());
        let path = witness
            .target
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        let mut decisions = Vec::new();
        for which in [0, 1] {
            let decision = witness.decide(self.routers[which], 0);
            let seen = self.effect_of(which, &decision);
            let is_expected = seen.is_some_and(|seen| {
                seen == effects[which] || self.effects.at_path(seen, &path, true) == effects[which]
            });
            if !is_expected {
                let why = format!(
                    "{witness} was expected to show a difference, and is answered by {decision}"
                );
                return self.not_proved(place, conditions, why);
            }
            decisions.push(decision);
        }
        let aspects = self.effects.difference(effects[0], effects[1]);
        let answers = [0, 1].map(|which| {
            answer(
                &self.effects,
                effects[which],
                Some(&decisions[which]),
                &aspects,
            )
        });
        let [before, after] = answers;
        self.changes.changes.push(Change {
            arrival: place.text.clone(),
            hosts: owned(place.domains),
            conditions,
            unless,
            before,
            after,
            aspects,
            witness,
        });
    }

    /// The effect that a decision shows; `None`: none that is compared.
    fn effect_of(&mut self, which: usize, decision: &Decision<'r>) -> Option<u32> {
        let of_cluster = clusters(self.routers[which]);
        match decision.outcome() {
            Outcome::NotFound(why) => Some(match why.status() {
                Some(_) => NOT_FOUND,
                None => CLOSED,
            }),
            Outcome::AwaitRequest => Some(CLOSED),
            Outcome::HttpsRedirect => Some(HTTPS_REDIRECT),
            Outcome::PathRedirect | Outcome::BadRequest(_) => None,
            Outcome::Tcp { proxy, .. } => Some(self.effects.of_tcp(which, proxy, of_cluster)),
            _ => Some(self.effects.of_rule(which, decision.rule()?, of_cluster)),
        }
    }

    /// Clusters of both routers that are not the same.
    fn clusters(&mut self) {
        let [before, after] = self.routers;
        let known: HashMap<&str, _> = before
            .clusters()
            .filter(|(_, cluster)| cluster.exists())
            .map(|(_, cluster)| (cluster.name(), cluster))
            .collect();
        let mut names: Vec<String> = after
            .clusters()
            .filter(|(_, cluster)| cluster.exists())
            .filter(|(_, cluster)| {
                known
                    .get(cluster.name())
                    .is_some_and(|other| other.facts != cluster.facts)
            })
            .map(|(_, cluster)| cluster.name().to_owned())
            .collect();
        names.sort();
        names.dedup();
        self.changes.clusters = names;
    }
}

pub(super) fn clusters<'r>(router: &'r Router) -> impl Fn(ClusterId) -> &'r crate::router::Cluster {
    move |id| router.tables.clusters.cluster(id)
}

/// What a virtual host that requires TLS asks before its rules (R-H-065).
pub(super) fn over_plain_text() -> RequestMatch {
    RequestMatch {
        path: PathMatch::any(),
        conditions: Box::new([Condition::Header(HeaderMatch {
            name: "x-forwarded-proto".into(),
            test: ValueMatch::Exact("https".into()),
            invert: true,
        })]),
    }
}

pub(super) fn tests_authority(host: &VirtualHost) -> bool {
    let mut conditions = host
        .rules()
        .iter()
        .flat_map(|rule| &rule.matches().conditions);
    conditions.any(|condition| condition.atom().asks == Asks::Header(":authority"))
}

fn is_same(before: &[Rule], after: &[Rule]) -> bool {
    let pairs = before.iter().zip(after);
    let mut pairs = pairs.map(|(one, other)| (&one.matches, &other.matches));
    before.len() == after.len() && pairs.all(|(one, other)| Arc::ptr_eq(one, other) || one == other)
}

/// Domains, to be told of.
pub(super) fn owned(domains: &[&str]) -> Vec<String> {
    domains.iter().map(|domain| (*domain).to_owned()).collect()
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Mesh => "mesh",
        Side::Gateway => "gateway",
    }
}

pub(super) fn arrivals_text(all: &[Arrival], first: &Arrival) -> String {
    let mut text = format!("{} port {}", side_name(first.side), first.port);
    if let Some(address) = first.address {
        text.push_str(&format!(" of {address}"));
    }
    match first.tls {
        Tls::None => {}
        _ => text.push_str(", TLS"),
    }
    if let Some(name) = &first.server_name {
        text.push_str(&format!(" for {name}"));
    }
    if first.protocol == Some(Protocol::Http2) {
        text.push_str(", HTTP/2");
    }
    let mut others: Vec<_> = all
        .iter()
        .map(|arrival| (arrival.port, arrival.address))
        .collect();
    others.sort_unstable();
    others.dedup();
    if others.len() > 1 {
        text.push_str(&format!(" and {} more places", others.len() - 1));
    }
    text
}

pub(super) fn obstacle_text(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Header(name) => {
            format!("rules test `{name}`, which depends on more than its own line")
        }
        Obstacle::Regex(pattern) => format!("the automaton of the regex `{pattern}` is too large"),
        Obstacle::Texts(what) => {
            format!("rules tell too many values of the {what} apart for the budget")
        }
    }
}

fn unless_text(difference: &Difference, rules: &[Rule], has_first: bool) -> Vec<String> {
    let name = |item: &Item| match (item.rule, has_first) {
        (NO_RULE, _) => None,
        (0, true) => Some("the redirect to https".to_owned()),
        (rule, _) => {
            let rule = rules.get(rule as usize - usize::from(has_first))?;
            Some(rule_name(rule, item.rule))
        }
    };
    difference.unless.iter().filter_map(name).collect()
}

pub(super) fn rule_name(rule: &Rule, place: u32) -> String {
    match rule.origin() {
        Some(origin) => origin.to_string(),
        None if rule.name().is_empty() => format!("rule {place}"),
        None => format!("rule `{}`", rule.name()),
    }
}

/// The request at a point; variables that it does not name have their usual value.
pub(super) fn witness(
    universe: &Universe<'_>,
    point: &[(u16, u32)],
    router: &Router,
    arrival: Arrival,
    host: &str,
) -> Witness {
    let mut witness = Witness::new(router, arrival, host);
    let mut query: Vec<String> = Vec::new();
    for (number, variable) in (0_u16..).zip(&universe.variables) {
        let known = point.iter().find(|(own, _)| *own == number);
        let class = known.map_or(variable.usual, |(_, class)| *class);
        let Some(Some(value)) = variable.values.get(class as usize) else {
            continue;
        };
        match variable.asks {
            Asks::Path => witness.target = value.clone(),
            Asks::Query(key) => query.push(format!("{key}={value}")),
            Asks::Claim(path) => add_claim(&mut witness.claims, path, value),
            Asks::Header(":method") => witness.method = value.clone(),
            Asks::Header(":authority") => witness.authority = value.clone(),
            Asks::Header(":scheme") => witness.scheme = Some(value.clone()),
            Asks::Header(name) => {
                if name == "upgrade" {
                    witness
                        .headers
                        .push(("connection".to_owned(), name.to_owned()));
                }
                witness.headers.push((name.to_owned(), value.clone()));
            }
        }
    }
    if !query.is_empty() {
        witness.target = format!("{}?{}", witness.target, query.join("&"));
    }
    witness
}
