//! The test of a claim of the verified token.

use std::fmt;

use super::{Asks, Atom, Facts, ValueMatch};
use crate::terms::claims::Claim;

/// A test of a claim (R-H-105).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClaimMatch {
    /// Path through nested objects.
    pub path: Box<[Box<str>]>,
    /// The test of the claim: a string, or one element of a list.
    pub test: ValueMatch,
    /// `withoutHeaders`.
    pub invert: bool,
}

short_debug! { ClaimMatch {path, test, invert} }

impl ClaimMatch {
    /// Whether the request passes. No allocation.
    #[inline]
    pub fn holds(&self, facts: &impl Facts) -> bool {
        let claim = facts.claim(&self.path);
        claim.is_some_and(|claim| self.passes(claim)) != self.invert
    }

    /// A string passes by itself, a list by one of its strings (R-H-105).
    fn passes(&self, claim: &Claim) -> bool {
        let string = |claim: &Claim| matches!(claim, Claim::String(text) if self.test.holds(text.as_bytes()));
        match claim {
            Claim::List(elements) => elements.iter().any(string),
            claim => string(claim),
        }
    }

    /// What it asks of the claim.
    pub(super) fn atom(&self) -> Atom<'_> {
        Atom {
            asks: Asks::Claim(&self.path),
            test: self.test.text_test(),
            invert: self.invert,
            holds_without: self.invert,
        }
    }

    pub(super) fn fmt_unmet(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.join(".");
        self.test
            .fmt_unmet(format_args!("claim `{path}`"), self.invert, f)
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        let keys: usize = self.path.iter().map(|key| key.len()).sum();
        size_of_val(&*self.path) + keys + self.test.memory_usage()
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::Asked;
    use super::*;
    use crate::terms::claims::Claims;

    #[test]
    fn r_h_105_a_string_passes_by_itself_and_a_list_by_one_of_its_strings() {
        let text = |text: &str| Claim::String(text.to_owned());
        let asked = Asked {
            claims: Claims::new()
                .with("role", text("admin"))
                .with("groups", Claim::List(vec![Claim::Other, text("admin")]))
                .with("age", Claim::Other),
            ..Asked::default()
        };
        let holds = |name: &str, invert| {
            let path = Box::new([name.into()]);
            let test = ValueMatch::Exact("admin".into());
            ClaimMatch { path, test, invert }.holds(&asked)
        };
        for (name, passes) in [
            ("role", true),
            ("groups", true),
            ("age", false),
            ("none", false),
        ] {
            assert_eq!(holds(name, false), passes, "{name}");
            assert_eq!(holds(name, true), !passes, "without {name}");
        }
    }
}
