//! One virtual host: its domains and its rules in the order that decides.

use std::sync::Arc;

use crate::terms::condition::{Facts, RequestMatch};
use crate::terms::origin::Origin;

use super::action::Action;
use super::rule_index::RuleIndex;

/// Hosts and the ordered rules that answer for them.
#[derive(Clone)]
pub struct VirtualHost {
    /// Envoy's name: `host:port`, `allow_any`, `block_all`, ...
    pub(crate) name: Box<str>,
    pub(crate) kind: VirtualHostKind,
    /// Lower-case domains, exact or `*suffix`.
    pub(crate) domains: Box<[Box<str>]>,
    /// `httpsRedirect`: plain-text requests are sent to https before any rule is looked at (R-H-065).
    pub(crate) require_tls: bool,
    pub(crate) rules: Arc<RuleList>,
}

/// For whom a virtual host answers. Its name says the same to people only: nothing is read back out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VirtualHostKind {
    /// For the service of this host name, under all of its names.
    Service(Arc<str>),
    /// For every host at a listener of a service's own (R-H-041).
    OwnListener {
        /// Its host name.
        service: Arc<str>,
        /// All of its names, in lower case.
        names: Box<[Box<str>]>,
    },
    /// For hosts that VirtualServices (or servers that redirect) name.
    Hosts,
    /// At a sidecar, for every host that nothing claims (R-H-052).
    Unclaimed,
    /// At a gateway without VirtualServices, for nobody (R-H-066).
    BlackHole,
}

/// Rules in the order that decides, and their index where they are many.
#[derive(Clone, Default)]
pub struct RuleList {
    rules: Box<[Rule]>,
    index: Option<RuleIndex>,
}

/// One match and one action.
#[derive(Clone)]
pub struct Rule {
    /// `<http name>[.<match name>]`, `default`, `allow_any`, `block_all` (R-H-035).
    pub(crate) name: Arc<str>,
    /// Where it was written; `None` for the default route of a service.
    pub(crate) origin: Option<Origin>,
    pub(crate) matches: Arc<RequestMatch>,
    pub(crate) action: Arc<Action>,
}

short_debug! { Rule {name, origin, matches, action} }

impl VirtualHost {
    /// Envoy's name: `host:port`, `allow_any`, `block_all`, ...
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lower-case domains, exact or `*suffix`.
    pub fn domains(&self) -> impl ExactSizeIterator<Item = &str> {
        self.domains.iter().map(|domain| &**domain)
    }

    /// Whether plain-text requests are sent to https before any rule is looked at (R-H-065).
    pub fn requires_tls(&self) -> bool {
        self.require_tls
    }

    /// Its rules in the order that decides.
    pub fn rules(&self) -> &[Rule] {
        &self.rules.rules
    }

    /// The rules with their index.
    pub fn rule_list(&self) -> &RuleList {
        &self.rules
    }

    /// Whether it is what a sidecar falls back to for a host that nothing claims (R-H-052).
    pub fn is_fallback(&self) -> bool {
        self.kind == VirtualHostKind::Unclaimed
    }

    /// Whether it is a gateway's that answers for nobody (R-H-066).
    #[cfg(feature = "envoy")]
    pub(crate) fn is_black_hole(&self) -> bool {
        self.kind == VirtualHostKind::BlackHole
    }

    /// The host name of the service that it answers for; `None`: it is for hosts that no service of the proxy has.
    pub fn service(&self) -> Option<&str> {
        match &self.kind {
            VirtualHostKind::Service(service) | VirtualHostKind::OwnListener { service, .. } => {
                Some(service)
            }
            _ => None,
        }
    }
}

impl RuleList {
    /// The rules.
    pub fn as_slice(&self) -> &[Rule] {
        &self.rules
    }

    /// The place of the first rule that fits a request, as a scan would find it.
    ///
    /// # Complexity
    /// See [`RuleIndex::first`]. No allocation.
    #[inline]
    pub(crate) fn first(&self, facts: &impl Facts) -> Option<usize> {
        match &self.index {
            Some(index) => index.first(facts),
            None => self.rules.iter().position(|rule| rule.matches.holds(facts)),
        }
    }

    /// Heap bytes of the index.
    pub fn index_memory_usage(&self) -> usize {
        self.index.as_ref().map_or(0, RuleIndex::memory_usage)
    }
}

impl RuleList {
    /// Several lists at once: with the feature `parallel`, their indexes are built on several threads.
    pub(crate) fn all(lists: Vec<Vec<Rule>>) -> impl Iterator<Item = Arc<RuleList>> {
        let indexes = RuleIndex::build_all(&lists, Rule::matches);
        lists.into_iter().zip(indexes).map(|(rules, index)| {
            Arc::new(RuleList {
                rules: rules.into(),
                index,
            })
        })
    }
}

impl FromIterator<Rule> for RuleList {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let rules: Box<[Rule]> = rules.into_iter().collect();
        RuleList {
            index: RuleIndex::build(rules.iter().map(Rule::matches)),
            rules,
        }
    }
}

impl Rule {
    /// `<http name>[.<match name>]`, `default`, `allow_any`, `block_all`; empty where nothing is named (R-H-035).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was written; `None` for the default route of a service.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// What it asks of a request.
    pub fn matches(&self) -> &RequestMatch {
        &self.matches
    }

    /// What it does.
    pub fn action(&self) -> &Action {
        &self.action
    }
}
