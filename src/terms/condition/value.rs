//! How a value is tested, whatever it is the value of: a header, a query parameter, a claim.

use std::fmt;

use super::{IndexKey, KeyKind, TextOf, TextTest};
use crate::terms::regex::Regex;

/// How a value is tested; case-sensitive (R-H-092).
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ValueMatch {
    /// There is a value, whatever it is.
    Present,
    /// Byte equality.
    Exact(Box<str>),
    /// Byte prefix.
    Prefix(Box<str>),
    /// RE2, full match.
    Regex(Regex),
}

short_debug! { enum ValueMatch {Present, Exact(part), Prefix(part), Regex(part)} }

impl ValueMatch {
    /// Whether `value` passes. No allocation.
    pub fn holds(&self, value: &[u8]) -> bool {
        match self {
            ValueMatch::Present => true,
            ValueMatch::Exact(text) => value == text.as_bytes(),
            ValueMatch::Prefix(text) => value.starts_with(text.as_bytes()),
            ValueMatch::Regex(regex) => regex.is_full_match(value),
        }
    }

    /// The same test, for who reasons about all texts at once.
    pub(super) fn text_test(&self) -> TextTest<'_> {
        let ignore_case = false;
        match self {
            ValueMatch::Present => TextTest::Any,
            ValueMatch::Exact(text) => TextTest::Exact { text, ignore_case },
            ValueMatch::Prefix(text) => TextTest::Prefix { text, ignore_case },
            ValueMatch::Regex(regex) => TextTest::Regex(regex),
        }
    }

    /// What every value that passes has, as the value of `text_of`.
    pub(super) fn key<'a>(&'a self, text_of: TextOf<'a>) -> Option<IndexKey<'a>> {
        let (kind, text, is_decisive) = match self {
            ValueMatch::Exact(text) => (KeyKind::Exact, text.as_bytes(), true),
            ValueMatch::Prefix(text) => (KeyKind::Prefix, text.as_bytes(), true),
            ValueMatch::Regex(regex) if !regex.literal_prefix().is_empty() => {
                (KeyKind::Prefix, regex.literal_prefix(), false)
            }
            ValueMatch::Regex(regex) if !regex.required_literal().is_empty() => {
                (KeyKind::Literal, regex.required_literal(), false)
            }
            ValueMatch::Regex(_) | ValueMatch::Present => return None,
        };
        Some(IndexKey {
            text_of,
            kind,
            text,
            ignore_case: false,
            is_decisive,
        })
    }

    /// Says what is amiss with the value of `what`, which does not pass, or passes a test that is inverted.
    pub(super) fn fmt_unmet(
        &self,
        what: fmt::Arguments<'_>,
        is_inverted: bool,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let (is, begins, matches) = match is_inverted {
            true => ("is", "begins", "matches"),
            false => ("is not", "does not begin", "does not match"),
        };
        match self {
            ValueMatch::Present => write!(f, "{what} {is} there"),
            ValueMatch::Exact(text) => write!(f, "{what} {is} `{text}`"),
            ValueMatch::Prefix(text) => write!(f, "{what} {begins} with `{text}`"),
            ValueMatch::Regex(regex) => {
                let regex = regex.as_str();
                write!(f, "the whole of {what} {matches} the regex `{regex}`")
            }
        }
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        match self {
            ValueMatch::Exact(text) | ValueMatch::Prefix(text) => text.len(),
            ValueMatch::Present | ValueMatch::Regex(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_092_every_value_that_passes_has_the_key_and_a_decisive_key_is_the_test() {
        let regex = |text: &str| ValueMatch::Regex(Regex::new(text).expect("a regex"));
        let tests = [
            ValueMatch::Present,
            ValueMatch::Exact("ab".into()),
            ValueMatch::Exact("".into()),
            ValueMatch::Prefix("ab".into()),
            regex("ab.*"),
            regex(".*ab.*"),
            regex("(?i)ab"),
            regex("ab|abc"),
        ];
        for test in tests {
            for value in ["", "a", "ab", "AB", "abc", "xab", "xabx"] {
                let Some(key) = test.key(TextOf::Path) else {
                    continue;
                };
                let has = match key.kind {
                    KeyKind::Exact => value.as_bytes() == key.text,
                    KeyKind::Prefix => value.as_bytes().starts_with(key.text),
                    KeyKind::Literal => {
                        value.contains(std::str::from_utf8(key.text).expect("UTF-8"))
                    }
                };
                let passes = test.holds(value.as_bytes());
                assert!(has || !passes, "{test:?} on {value:?}");
                assert!(!key.is_decisive || has == passes, "{test:?} on {value:?}");
            }
        }
    }
}
