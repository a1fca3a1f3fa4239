//! What one rule asks of a request: a path test and a list of conditions, all of which must hold (R-H-003).
//!
//! Resolved once from the YAML, shared by every view that keeps the rule.

use super::regex::Regex;

/// The path test of a rule. It sees the normalised path without its query (R-H-082).
#[derive(Clone, Debug, PartialEq)]
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
    /// The prefix `/`: what an unset `uri` means.
    pub fn any() -> Self {
        PathMatch::Prefix {
            value: "/".into(),
            ignore_case: false,
        }
    }
}

/// How a value is tested; case-sensitive (R-H-092).
#[derive(Clone, Debug, PartialEq)]
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

/// One test beside the path.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A header or pseudo header (`:method`, `:authority`, `:scheme`, `:path`), by its lower-case name; `host` is
    /// spelled `:authority` (R-H-093, R-H-100, R-H-102).
    Header {
        /// Lower-case name.
        name: Box<str>,
        /// The test of the value (repeated lines joined with `,`, R-H-097).
        test: ValueMatch,
        /// `withoutHeaders`: `Present` asks for absence; another test must not hold, where a missing header counts as
        /// the empty value (R-H-098, R-H-099).
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
#[derive(Clone, Debug, PartialEq)]
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
