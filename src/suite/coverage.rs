//! Which rules the tests of a suite came to.

use std::collections::{BTreeMap, BTreeSet};

use super::record::request_for;
use crate::{Decision, Router};

/// The rules of the views that tests are for, and which of them a test came to.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    asked: BTreeSet<String>,
    /// By where they are written: a request that comes to the rule, where one could be made.
    known: BTreeMap<String, Option<String>>,
}

impl Coverage {
    pub(super) fn ask(&mut self, decision: &Decision<'_>) {
        self.asked
            .extend(decision.origin().map(ToString::to_string));
    }

    pub(super) fn add(&mut self, router: &Router) {
        for bound in router.listeners() {
            for (_, config) in bound.chains() {
                let hosts = config.into_iter().flat_map(|config| config.virtual_hosts());
                for host in hosts {
                    for rule in host.rules() {
                        let Some(origin) = rule.origin() else {
                            continue;
                        };
                        let known = self.known.entry(origin.to_string()).or_default();
                        if known.is_none() {
                            *known = request_for(bound.listener(), host, rule);
                        }
                    }
                }
            }
        }
    }

    /// How many rules and matches of resources there are.
    pub fn total(&self) -> usize {
        self.known.len()
    }

    /// How many of them a test came to.
    pub fn covered(&self) -> usize {
        self.known
            .keys()
            .filter(|origin| self.asked.contains(*origin))
            .count()
    }

    /// The share of them that tests came to, 0 to 100; 100 where there is none.
    pub fn percent(&self) -> f64 {
        match self.total() {
            0 => 100.0,
            total => self.covered() as f64 * 100.0 / total as f64,
        }
    }

    /// Those that no test came to, each with a request that should, where one can be made.
    pub fn uncovered(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let all = self
            .known
            .iter()
            .filter(|(origin, _)| !self.asked.contains(*origin));
        all.map(|(origin, request)| (origin.as_str(), request.as_deref()))
    }

    /// The two together.
    pub fn merge(&mut self, other: Coverage) {
        self.asked.extend(other.asked);
        for (origin, request) in other.known {
            let known = self.known.entry(origin).or_default();
            *known = known.take().or(request);
        }
    }
}
