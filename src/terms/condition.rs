//! What one rule asks of a request: a path test and a list of conditions, all of which must hold (R-H-003).
//!
//! Resolved once from the YAML, shared by every view that keeps the rule.

use super::regex::Regex;

/// The path test of a rule. It sees the normalised path without its query (R-H-082).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathMatch {
    /// Raw byte prefix; an unset `uri` is the prefix `/` (R-H-084, R-H-089).
    Prefix {
        /// The prefix.
        value: Box<str>,
        /// ASCII case is ignored (R-H-088).
        ignore_case: bool,
    },
    /// Byte equality (R-H-083).
    Exact {
        /// The path.
        value: Box<str>,
        /// ASCII case is ignored (R-H-088).
        ignore_case: bool,
    },
    /// RE2, full match; never ignores case (R-H-086, R-H-088).
    Regex(Regex),
}

impl PathMatch {
    /// Whether `path` (normalised, without its query) passes. No allocation.
    pub fn holds(&self, path: &str) -> bool {
        match self {
            PathMatch::Prefix { value, ignore_case } => {
                let (path, value) = (path.as_bytes(), value.as_bytes());
                match path.get(..value.len()) {
                    Some(start) if *ignore_case => start.eq_ignore_ascii_case(value),
                    Some(start) => start == value,
                    None => false,
                }
            }
            PathMatch::Exact { value, ignore_case } if *ignore_case => {
                path.eq_ignore_ascii_case(value)
            }
            PathMatch::Exact { value, .. } => path == &**value,
            PathMatch::Regex(regex) => regex.is_full_match(path.as_bytes()),
        }
    }

    /// The prefix `/`: what an unset `uri` means.
    pub fn any() -> Self {
        PathMatch::Prefix {
            value: "/".into(),
            ignore_case: false,
        }
    }
}

/// How a value is tested; case-sensitive (R-H-092).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

    /// Whether a header condition with this test holds, where `passes` says whether the header's value passes the test;
    /// `None`: there is no value. Inverted, presence asks for absence, and any other test sees the empty value
    /// (R-H-098, R-H-099).
    pub(crate) fn holds_for(&self, passes: Option<bool>, invert: bool) -> bool {
        match (passes, invert) {
            (Some(passes), false) => passes,
            (None, false) => false,
            (Some(passes), true) => !passes,
            (None, true) => *self == ValueMatch::Present || !self.holds(b""),
        }
    }
}

/// One test beside the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// A header or pseudo header (`:method`, `:authority`, `:scheme`, `:path`), by its lower-case name; `host` is
    /// spelled `:authority` (R-H-093, R-H-100, R-H-102).
    Header {
        /// Lower-case name.
        name: Box<str>,
        /// The test of the value. Of repeated lines one must pass (Envoy 1.39 and later; before, the lines joined with
        /// `,` were tested, R-H-097).
        test: ValueMatch,
        /// `withoutHeaders`: `Present` asks for absence; another test must hold for no line, where a missing header
        /// counts as the empty value (R-H-098, R-H-099).
        invert: bool,
    },
    /// The first raw value of a query parameter (R-H-103, R-H-104).
    Query {
        /// The parameter, as written.
        key: Box<str>,
        /// The test of its value.
        test: ValueMatch,
    },
    /// A claim of the verified token (R-H-105).
    Claim {
        /// Path through nested objects.
        path: Box<[Box<str>]>,
        /// The test of the claim: a string, or one element of a list.
        test: ValueMatch,
        /// `withoutHeaders`.
        invert: bool,
    },
}

/// Everything that one rule asks of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestMatch {
    /// The path test.
    pub path: PathMatch,
    /// All of these must hold too, in any order (R-H-106).
    pub conditions: Box<[Condition]>,
}

impl RequestMatch {
    /// Matches every request: what a rule without `match` asks (R-H-004).
    pub fn any() -> Self {
        RequestMatch {
            path: PathMatch::any(),
            conditions: Box::new([]),
        }
    }

    /// Whether Istio calls this a catch-all: the path prefix `/` or the regex `.*`, and nothing else (R-H-038).
    pub fn is_catch_all(&self) -> bool {
        self.conditions.is_empty()
            && match &self.path {
                PathMatch::Prefix { value, .. } => &**value == "/",
                PathMatch::Regex(regex) => regex.as_str() == ".*",
                PathMatch::Exact { .. } => false,
            }
    }
}
