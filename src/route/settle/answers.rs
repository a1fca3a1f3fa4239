//! What a host answers at a gateway: the walk over a plain `GET /`, watched. Where the authority is asked beyond what the
//! domain fixes, or an abort is by chance, the answer is that each request has to be walked.

use std::cell::Cell;
use std::sync::Arc;

use crate::decision::{Decision, Outcome};
use crate::router::host_table::{Answer, SimpleTable};
use crate::router::{
    Action, Arrival, ClusterId, Counts, GatewayId, RuleList, Split, Tables, VirtualHost,
};
use crate::terms::claims::Claim;
use crate::terms::condition::Facts;
use crate::terms::hash::HashMap;
use crate::terms::request::Request;
use crate::terms::route_error::RouteError;
use crate::terms::weighted::{Draw, FractionalPercent};

use crate::route::head::is_host;
use crate::route::probe::Probe;
use crate::route::subject::Subject;
use crate::route::{simple, walk};

/// Settles answers, and collects what their splits lead to.
pub(super) struct Answers<'t> {
    tables: &'t Tables,
    /// How many there are already.
    taken: Counts,
    /// Those behind them.
    pub picks: Vec<ClusterId>,
    /// Forwards whose split no record can hold.
    pub actions: Vec<Arc<Action>>,
    known: HashMap<Rules, Answer<'t>>,
    splits: HashMap<*const Split, Answer<'t>>,
}

/// What all virtual hosts have in common that answer alike: the list of rules, whether plain text is redirected, and whether
/// requests come over TLS. Those of one VirtualService share their rules.
type Rules = (*const RuleList, bool, bool);

impl<'t> Answers<'t> {
    pub(super) fn new(tables: &'t Tables, taken: Counts) -> Self {
        Answers {
            tables,
            taken,
            picks: Vec::new(),
            actions: Vec::new(),
            known: HashMap::default(),
            splits: HashMap::default(),
        }
    }

    /// What `host` (lower case, without port) answers at a gateway.
    ///
    /// # Complexity
    /// A walk to the virtual host; once for each list of rules, to its end.
    pub(super) fn of(&mut self, gateway: GatewayId, host: &str) -> Answer<'t> {
        match self.tables.arrivals.of(gateway, host) {
            Err(_) if !is_host(host) => Answer::Walk,
            Ok(arrival) => self.at(gateway, arrival, host),
            Err(why) => Answer::Nowhere(why.code()),
        }
    }

    /// The same where it is known where the host is asked for.
    pub(super) fn at(&mut self, gateway: GatewayId, arrival: Arrival, host: &str) -> Answer<'t> {
        // What is found under its name is not looked at again: nobody may ask for it.
        if !is_host(host) {
            return Answer::Walk;
        }
        let request = Request::get("/").authority(host);
        let request = request.connection(arrival.connection(host));
        let mut watch = Watch {
            known: &self.known,
            is_tls: arrival.tls,
            rules: None,
            answer: None,
            is_open: false,
        };
        let decision = walk::decide_at(self.tables, gateway, &request, 0, &mut watch);
        let Watch {
            rules,
            answer,
            is_open,
            ..
        } = watch;
        if let Some(answer) = answer {
            return answer;
        }
        let answer = match decision {
            _ if is_open => Answer::Walk,
            Some(decision) => self.of_decision(&decision),
            None => Answer::Nowhere(RouteError::UnknownGateway.code()),
        };
        self.known.extend(rules.map(|rules| (rules, answer)));
        answer
    }

    fn of_decision(&mut self, decision: &Decision<'t>) -> Answer<'t> {
        let split = match decision.outcome() {
            Outcome::Forward { action, .. } => action.split(),
            Outcome::Tcp { proxy, .. } => proxy.split(),
            _ => {
                let refusal = simple::destination(decision).err();
                return refusal.map_or(Answer::Walk, |why| Answer::Nowhere(why.code()));
            }
        };
        if let Some(&known) = self.splits.get(&std::ptr::from_ref(split)) {
            return known;
        }
        let action = decision.rule().map(|rule| &rule.action);
        let answer = self.of_split(split, action);
        self.splits.insert(split, answer);
        answer
    }

    fn of_split(&mut self, split: &'t Split, action: Option<&'t Arc<Action>>) -> Answer<'t> {
        let refusal = |cluster: ClusterId| self.tables.clusters.cluster(cluster).refusal();
        let mut clusters = split.clusters().map(|weighted| weighted.cluster);
        match split.table() {
            None => {
                let only = split.pick(0).cluster;
                return match refusal(only) {
                    Some(why) => Answer::Nowhere(why.code()),
                    None => Answer::Destination(only.number()),
                };
            }
            Some(table) if SimpleTable::holds(table) => {
                if clusters.clone().all(|cluster| refusal(cluster).is_none()) {
                    let first = self.taken.picks + self.picks.len() as u32;
                    self.picks.extend(&mut clusters);
                    return Answer::Split(table, first);
                }
            }
            Some(_) => {}
        }
        match action {
            Some(action) => {
                self.actions.push(Arc::clone(action));
                Answer::Elsewhere(self.taken.actions + self.actions.len() as u32 - 1)
            }
            None => Answer::Walk,
        }
    }
}

/// Watches a walk: stops it at a virtual host whose answer is known, and notes what each request could change.
struct Watch<'w, 't> {
    known: &'w HashMap<Rules, Answer<'t>>,
    is_tls: bool,
    rules: Option<Rules>,
    answer: Option<Answer<'t>>,
    /// It depends on more than the domain.
    is_open: bool,
}

impl Probe for Watch<'_, '_> {
    const SEES_EVERY_RULE: bool = false;

    fn goes_on(&mut self, host: &VirtualHost) -> bool {
        let rules = (
            std::ptr::from_ref(host.rule_list()),
            host.requires_tls(),
            self.is_tls,
        );
        self.rules = Some(rules);
        self.answer = self.known.get(&rules).copied();
        self.answer.is_none()
    }

    fn first(&mut self, rules: &RuleList, subject: &Subject<'_, '_>) -> Option<usize> {
        let facts = Watched {
            subject,
            is_asked: Cell::new(false),
        };
        let first = rules.first(&facts);
        self.is_open |= facts.is_asked.get();
        first
    }

    fn drawn(&mut self, draw: Draw, chance: FractionalPercent, _hit: bool) {
        let is_certain = [FractionalPercent::NEVER, FractionalPercent::ALWAYS].contains(&chance);
        self.is_open |= draw == Draw::FaultAbort && !is_certain;
    }
}

/// A request of which it is noted whether its authority is asked.
struct Watched<'s, 'q, 'b> {
    subject: &'s Subject<'q, 'b>,
    is_asked: Cell<bool>,
}

impl Facts for Watched<'_, '_, '_> {
    fn path(&self) -> &str {
        self.subject.path()
    }

    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        if matches!(name, ":authority" | "host") {
            self.is_asked.set(true);
        }
        self.subject.for_each_value(name, visit);
    }

    fn query_value(&self, key: &str) -> Option<&[u8]> {
        Facts::query_value(self.subject, key)
    }

    fn claim(&self, path: &[Box<str>]) -> Option<&Claim> {
        self.subject.claim(path)
    }
}
