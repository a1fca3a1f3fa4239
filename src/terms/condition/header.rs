//! The test of a header, or of a pseudo header: method, authority and scheme are headers to a proxy, and tested as such.

use std::fmt;

use super::{Asks, Atom, Facts, IndexKey, TextOf, ValueMatch};

/// A test of a header or pseudo header (`:method`, `:authority`, `:scheme`, `:path`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderMatch {
    /// Lower-case name; `host` is spelled `:authority` (R-H-093, R-H-100, R-H-102).
    pub name: Box<str>,
    /// The test of the value. Of repeated lines one must pass (Envoy 1.39 and later; before, the lines joined with `,` were
    /// tested, R-H-097).
    pub test: ValueMatch,
    /// `withoutHeaders`: `Present` asks for absence; another test must hold for no line, where a missing header counts as
    /// the empty value (R-H-098, R-H-099).
    pub invert: bool,
}

short_debug! { HeaderMatch {name, test, invert} }

impl HeaderMatch {
    /// Whether the request passes. No allocation.
    #[inline]
    pub fn holds(&self, facts: &impl Facts) -> bool {
        let mut passes = None;
        facts.for_each_value(&self.name, &mut |value| {
            passes = Some(passes == Some(true) || self.test.holds(value));
        });
        match (passes, self.invert) {
            (Some(passes), invert) => passes != invert,
            (None, false) => false,
            (None, true) => self.test == ValueMatch::Present || !self.test.holds(b""),
        }
    }

    /// What every request that passes has. What it must not have leads nowhere.
    pub(super) fn key(&self) -> Option<IndexKey<'_>> {
        match self.invert {
            true => None,
            false => self.test.key(TextOf::Header(&self.name)),
        }
    }

    /// What it asks of the value of the header.
    pub(super) fn atom(&self) -> Atom<'_> {
        let holds_without = match self.invert {
            false => false,
            true => self.test == ValueMatch::Present || !self.test.holds(b""),
        };
        Atom {
            asks: Asks::Header(&self.name),
            test: self.test.text_test(),
            invert: self.invert,
            holds_without,
        }
    }

    pub(super) fn fmt_unmet(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.test
            .fmt_unmet(format_args!("header `{}`", self.name), self.invert, f)
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.name.len() + self.test.memory_usage()
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::Asked;
    use super::*;

    fn holds(test: ValueMatch, invert: bool, lines: &[&'static str]) -> bool {
        let asked = Asked {
            headers: lines.iter().map(|line| ("x-a", *line)).collect(),
            ..Asked::default()
        };
        let name = "x-a".into();
        HeaderMatch { name, test, invert }.holds(&asked)
    }

    #[test]
    fn r_h_097_one_of_repeated_lines_must_pass() {
        let exact = || ValueMatch::Exact("1".into());
        assert!(holds(exact(), false, &["0", "1"]));
        assert!(!holds(exact(), false, &["0", "0"]));
        assert!(!holds(exact(), false, &[]));
        assert!(holds(ValueMatch::Present, false, &[""]));
        assert!(!holds(ValueMatch::Present, false, &[]));
    }

    #[test]
    fn r_h_098_inverted_presence_asks_for_absence() {
        assert!(holds(ValueMatch::Present, true, &[]));
        assert!(!holds(ValueMatch::Present, true, &[""]));
    }

    #[test]
    fn r_h_099_a_missing_header_counts_as_the_empty_value_of_an_inverted_test() {
        let exact = |text: &str| ValueMatch::Exact(text.into());
        assert!(holds(exact("1"), true, &[]));
        assert!(!holds(exact(""), true, &[]));
        assert!(!holds(exact("1"), true, &["0", "1"]));
        assert!(holds(exact("1"), true, &["0"]));
    }

    #[test]
    fn only_what_a_request_must_have_is_a_key() {
        let header = |invert| HeaderMatch {
            name: "x-a".into(),
            test: ValueMatch::Exact("1".into()),
            invert,
        };
        assert_eq!(header(true).key(), None);
        let header = header(false);
        let key = header.key().expect("a key");
        assert_eq!((key.text_of, key.text), (TextOf::Header("x-a"), &b"1"[..]));
    }
}
