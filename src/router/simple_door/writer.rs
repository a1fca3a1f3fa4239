//! Settling answers: what each host answers at a gate, computed by the same steps as a walk, each of them prepared.

use std::sync::Arc;

use crate::router::host_table::{Answer, SimpleTable};
use crate::router::listener::ChainFacts;
use crate::router::{
    Action, ClusterId, Filter, FilterChain, Split, Tables, Transport, View, VirtualHost,
};
use crate::terms::hash::HashMap;
use crate::terms::route_error::RouteError;

use super::gates::{Arrival, Gate};
use super::plain::{self, Plain};

/// Settles answers, and collects what their splits lead to.
pub(super) struct Writer<'t> {
    tables: &'t Tables,
    /// Numbers that are taken already.
    taken: Numbers,
    /// Those of the numbers behind them.
    pub picks: Vec<ClusterId>,
    /// Forwards whose split no record can hold.
    pub actions: Vec<Arc<Action>>,
    /// By the address of what answers (a list of rules, a split), and whether over TLS.
    answers: HashMap<(*const (), bool), Answer<'t>>,
}

/// How many picks and actions there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub picks: u32,
    pub actions: u32,
}

impl<'t> Writer<'t> {
    pub fn new(tables: &'t Tables, taken: Numbers) -> Self {
        Writer {
            tables,
            taken,
            picks: Vec::new(),
            actions: Vec::new(),
            answers: HashMap::default(),
        }
    }

    /// What `host` (lower case, without port) answers at a gate.
    ///
    /// # Complexity
    /// Some look-ups; once for each listener and for each list of rules, linear in its chains and in its rules.
    pub fn answer(&mut self, gate: &Gate, host: &str) -> Answer<'t> {
        match gate.arrival(self.tables, host) {
            Ok((arrival, known)) => self.answer_of(gate, arrival, host, known),
            Err(why) => Answer::Nowhere(why.code()),
        }
    }

    /// The same where it is known where the host is asked for, and perhaps which virtual host of which route configuration
    /// answers if it is that one that is asked.
    pub fn answer_of(
        &mut self,
        gate: &Gate,
        arrival: Arrival,
        host: &str,
        known: Option<Known<'t>>,
    ) -> Answer<'t> {
        let Some(view) = gate.view(self.tables) else {
            return Answer::Nowhere(RouteError::UnknownGateway.code());
        };
        let Some(listener) = view.listener(arrival.address, arrival.port) else {
            return Answer::Nowhere(RouteError::NoListener.code());
        };
        let detected: &[&str] = &["http/1.1"];
        let facts = ChainFacts {
            address: arrival.address,
            server_name: arrival.tls.then_some(host),
            transport: if arrival.tls {
                Transport::Tls
            } else {
                Transport::Plaintext
            },
            application_protocols: if arrival.tls { &[] } else { detected },
        };
        match listener.chain(&facts) {
            Some(chain) => self.of_chain(view, chain, arrival.tls, host, known),
            None => Answer::Nowhere(RouteError::NoListener.code()),
        }
    }

    fn of_chain(
        &mut self,
        view: &'t View,
        chain: &'t FilterChain,
        tls: bool,
        host: &str,
        known: Option<Known<'t>>,
    ) -> Answer<'t> {
        let refused = Answer::Nowhere(RouteError::NoListener.code());
        match chain.filter() {
            _ if chain.terminates_tls() && !tls => refused,
            Filter::Tcp(proxy) => {
                let split = proxy.split();
                let key = (std::ptr::from_ref(split).cast(), tls);
                self.settled(key, |writer| writer.of_split(split, None))
            }
            Filter::Http(_) if tls && !chain.terminates_tls() => refused,
            Filter::Http(id) => {
                let config = view.route_config(*id);
                let known = known.filter(|known| std::ptr::eq(known.config, config));
                let found = known.map(|known| known.host);
                match found.or_else(|| config.find_host(host)) {
                    Some(host) => self.of_virtual_host(host, tls),
                    None => Answer::Nowhere(RouteError::NoVirtualHost.code()),
                }
            }
        }
    }

    fn of_virtual_host(&mut self, host: &'t VirtualHost, tls: bool) -> Answer<'t> {
        if host.requires_tls() {
            return self.of_plain(plain::of_virtual_host(host, tls));
        }
        // Virtual hosts of one VirtualService share their rules.
        let key = (std::ptr::from_ref(host.rule_list()).cast(), tls);
        self.settled(key, |writer| {
            writer.of_plain(plain::of_virtual_host(host, tls))
        })
    }

    fn settled(
        &mut self,
        key: (*const (), bool),
        settle: impl FnOnce(&mut Self) -> Answer<'t>,
    ) -> Answer<'t> {
        if let Some(&known) = self.answers.get(&key) {
            return known;
        }
        let answer = settle(self);
        self.answers.insert(key, answer);
        answer
    }

    fn of_plain(&mut self, plain: Plain<'t>) -> Answer<'t> {
        match plain {
            Plain::Forward(split, action) => self.of_split(split, Some(action)),
            Plain::Nowhere(why) => Answer::Nowhere(why.code()),
            Plain::Depends => Answer::Walk,
        }
    }

    fn of_split(&mut self, split: &'t Split, action: Option<&'t Arc<Action>>) -> Answer<'t> {
        let refusal = |cluster: ClusterId| self.tables.clusters.cluster(cluster).refusal();
        let mut clusters = split.clusters().map(|one| one.cluster);
        match split.table() {
            None => {
                let only = split.pick(0).cluster;
                return match refusal(only) {
                    Some(why) => Answer::Nowhere(why.code()),
                    None => Answer::Destination(only.number()),
                };
            }
            Some(table) if SimpleTable::holds(table) => {
                if clusters.clone().all(|one| refusal(one).is_none()) {
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

/// A domain's virtual host in a route configuration.
#[derive(Clone, Copy)]
pub(super) struct Known<'t> {
    pub config: &'t crate::router::RouteConfig,
    pub host: &'t VirtualHost,
}
