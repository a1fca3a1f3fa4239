//! Whether a request fits what a rule asks: the path test and every condition (R-H-003, R-H-082..R-H-106).

use super::subject::Subject;
use crate::router::rule_index::Facts;
use crate::terms::claims::Claim;
use crate::terms::condition::{Condition, PathMatch, RequestMatch, ValueMatch};

/// The first thing that a rule asks in vain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unmet<'m> {
    Path(&'m PathMatch),
    Condition(&'m Condition),
}

/// What of `asked` the request does not fit first; `None`: it fits. No allocation.
#[inline]
pub(super) fn unmet<'m>(asked: &'m RequestMatch, subject: &Subject<'_, '_>) -> Option<Unmet<'m>> {
    if !asked.path.holds(subject.path) {
        return Some(Unmet::Path(&asked.path));
    }
    asked
        .conditions
        .iter()
        .find(|condition| !holds(condition, subject))
        .map(Unmet::Condition)
}

fn holds(condition: &Condition, subject: &Subject<'_, '_>) -> bool {
    match condition {
        Condition::Header { name, test, invert } => {
            let passes = subject.any_value(name, &|value| test.holds(value));
            test.holds_for(passes, *invert)
        }
        Condition::Query { key, test } => subject
            .query_value(key)
            .is_some_and(|value| test.holds(value.as_bytes())),
        Condition::Claim { path, test, invert } => {
            let claim = subject.request.claims.and_then(|claims| claims.get(path));
            claim.is_some_and(|claim| claim_holds(claim, test)) != *invert
        }
    }
}

impl Facts for Subject<'_, '_> {
    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_tested(name, visit);
    }

    fn query_value(&self, key: &str) -> Option<&[u8]> {
        Subject::query_value(self, key).map(str::as_bytes)
    }

    fn holds(&self, condition: &Condition) -> bool {
        holds(condition, self)
    }

    fn path_fits(&self, path: &PathMatch) -> bool {
        path.holds(self.path)
    }
}

/// A string passes by itself, a list by one of its strings (R-H-105).
fn claim_holds(claim: &Claim, test: &ValueMatch) -> bool {
    let string =
        |claim: &Claim| matches!(claim, Claim::String(text) if test.holds(text.as_bytes()));
    match claim {
        Claim::List(elements) => elements.iter().any(string),
        claim => string(claim),
    }
}
