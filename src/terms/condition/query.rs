//! The test of a query parameter.

use std::fmt;

use super::{Asks, Atom, Facts, IndexKey, TextOf, ValueMatch};

/// A test of the first raw value of a query parameter (R-H-103, R-H-104).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct QueryMatch {
    /// The parameter, as written.
    pub key: Box<str>,
    /// The test of its value.
    pub test: ValueMatch,
}

short_debug! { QueryMatch {key, test} }

impl QueryMatch {
    /// Whether the request passes. No allocation.
    #[inline]
    pub fn holds(&self, facts: &impl Facts) -> bool {
        facts
            .query_value(&self.key)
            .is_some_and(|value| self.test.holds(value))
    }

    /// What every request that passes has.
    pub(super) fn key(&self) -> Option<IndexKey<'_>> {
        self.test.key(TextOf::Query(&self.key))
    }

    /// What it asks of the value of the parameter.
    pub(super) fn atom(&self) -> Atom<'_> {
        Atom {
            asks: Asks::Query(&self.key),
            test: self.test.text_test(),
            invert: false,
            holds_without: false,
        }
    }

    pub(super) fn fmt_unmet(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.test
            .fmt_unmet(format_args!("query parameter `{}`", self.key), false, f)
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.key.len() + self.test.memory_usage()
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::Asked;
    use super::*;

    #[test]
    fn r_h_103_a_parameter_must_be_there_whatever_its_test() {
        let holds = |test, query: &[(&'static str, &'static str)]| {
            let query = query.to_vec();
            let asked = Asked {
                query,
                ..Asked::default()
            };
            let key = "k".into();
            QueryMatch { key, test }.holds(&asked)
        };
        assert!(holds(ValueMatch::Present, &[("k", "")]));
        assert!(!holds(ValueMatch::Present, &[("K", "")]));
        assert!(holds(ValueMatch::Exact("".into()), &[("k", "")]));
        assert!(!holds(ValueMatch::Exact("".into()), &[]));
        assert!(!holds(
            ValueMatch::Exact("1".into()),
            &[("k", "0"), ("k", "1")]
        ));
    }
}
