//! What one rule asks of a request: a path test and a list of conditions, all of which must hold (R-H-003).
//!
//! Resolved once from what was written, shared by every view that keeps the rule. Each kind of test has one file: its shape,
//! its test over [`Facts`], its words for `explain`, its key for the rule index, its atom for `space`, what it weighs, and
//! its tests.
//! The walk, the scan, the simple door, the index and `explain` only ask here, so that none of them can disagree.
//!
//! # A new match field
//! touches at most six files:
//!
//! | file | what |
//! |---|---|
//! | `resource/virtual_service.rs` (or the resource that has the field) | the field as written |
//! | `resolve/virtual_service/matches.rs` | from the field to its test |
//! | `resolve/virtual_service/delegate.rs` | how a root's and a delegate's are joined, and when they conflict (VirtualServices only) |
//! | `terms/condition/<test>.rs` | the test itself |
//! | this file | its variant of [`Condition`] |
//! | `route/subject.rs` | only where it asks for a new fact: how a request answers |
//!
//! A new way to test the path or a value is less: its own file, `path` or `value`, and the reader that makes it.

#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "who reads a rule's tests must not pass one over: a new one shall not compile until it is read"
)]

mod atom;
mod came;
mod claim;
mod header;
mod index_key;
mod path;
mod query;
mod value;

use std::fmt;

use super::claims::Claim;

pub(crate) use atom::{Asks, Atom, TextTest};
pub use claim::ClaimMatch;
pub use header::HeaderMatch;
pub(crate) use index_key::{IndexKey, KeyKind, TextOf};
pub use path::{PathMatch, SeparatedPrefix};
pub use query::QueryMatch;
pub use value::ValueMatch;

/// A request as tests ask it. Nothing here allocates.
pub trait Facts {
    /// The normalised path, without its query (R-H-082).
    fn path(&self) -> &str;
    /// Calls `visit` with each value that a condition on this header or pseudo header (by lower-case name) is tested on.
    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]));
    /// The first raw value of a query parameter.
    fn query_value(&self, key: &str) -> Option<&[u8]>;
    /// The claim at this path of the verified token.
    fn claim(&self, path: &[Box<str>]) -> Option<&Claim>;

    /// Whether a path test holds. Not overridden but by who counts the tests, or proves them.
    #[inline]
    fn path_fits(&self, test: &PathMatch) -> bool {
        test.holds(self.path())
    }

    /// Whether a condition holds. Not overridden but by who counts the tests, or proves them.
    #[inline]
    fn holds(&self, condition: &Condition) -> bool
    where
        Self: Sized,
    {
        condition.holds(self)
    }
}

/// One test beside the path.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Of a header or pseudo header.
    Header(HeaderMatch),
    /// Of a query parameter.
    Query(QueryMatch),
    /// Of a claim of the verified token.
    Claim(ClaimMatch),
}

short_debug! { enum Condition {Header(part), Query(part), Claim(part)} }

impl Condition {
    /// Whether the request passes. No allocation.
    #[inline]
    pub fn holds(&self, facts: &impl Facts) -> bool {
        match self {
            Condition::Header(header) => header.holds(facts),
            Condition::Query(query) => query.holds(facts),
            Condition::Claim(claim) => claim.holds(facts),
        }
    }

    /// Whether its test is a regex: such tests are made last.
    pub fn is_regex(&self) -> bool {
        let (Condition::Header(HeaderMatch { test, .. })
        | Condition::Query(QueryMatch { test, .. })
        | Condition::Claim(ClaimMatch { test, .. })) = self;
        matches!(test, ValueMatch::Regex(_))
    }

    /// What every request that passes has; `None`: no text of the request tells.
    pub(crate) fn key(&self) -> Option<IndexKey<'_>> {
        match self {
            Condition::Header(header) => header.key(),
            Condition::Query(query) => query.key(),
            Condition::Claim(_) => None,
        }
    }

    /// What it asks, for who reasons about all requests at once.
    pub(crate) fn atom(&self) -> Atom<'_> {
        match self {
            Condition::Header(header) => header.atom(),
            Condition::Query(query) => query.atom(),
            Condition::Claim(claim) => claim.atom(),
        }
    }

    /// Heap bytes.
    pub(crate) fn memory_usage(&self) -> usize {
        match self {
            Condition::Header(header) => header.memory_usage(),
            Condition::Query(query) => query.memory_usage(),
            Condition::Claim(claim) => claim.memory_usage(),
        }
    }
}

/// Everything that one rule asks of a request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestMatch {
    /// The path test.
    pub path: PathMatch,
    /// All of these must hold too, in any order (R-H-106).
    pub conditions: Box<[Condition]>,
}

short_debug! { RequestMatch {path, conditions} }

impl RequestMatch {
    /// Matches every request: what a rule without `match` asks (R-H-004).
    pub fn any() -> Self {
        RequestMatch {
            path: PathMatch::any(),
            conditions: Box::new([]),
        }
    }

    /// Whether the request passes all of it. No allocation.
    #[inline]
    pub fn holds(&self, facts: &impl Facts) -> bool {
        facts.path_fits(&self.path)
            && self
                .conditions
                .iter()
                .all(|condition| facts.holds(condition))
    }

    /// All tests that the request does not pass, in order. No allocation.
    pub fn all_unmet<'m>(&'m self, facts: &impl Facts) -> impl Iterator<Item = Unmet<'m>> {
        let path = (!facts.path_fits(&self.path)).then_some(Unmet::Path(&self.path));
        let conditions = self.conditions.iter();
        let unmet = conditions.filter(|condition| !facts.holds(condition));
        path.into_iter().chain(unmet.map(Unmet::Condition))
    }

    /// Whether Istio calls this a catch-all: the path prefix `/` or the regex `.*`, and nothing else (R-H-038).
    pub fn is_catch_all(&self) -> bool {
        self.conditions.is_empty() && self.path.is_catch_all()
    }
}

/// For people: ``path /cart*, header `x-user` is `jane` ``.
impl fmt::Display for RequestMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("path ")?;
        match &self.path {
            PathMatch::Prefix { value, .. } => write!(f, "{value}*")?,
            PathMatch::SeparatedPrefix(prefix) => write!(f, "{}[/*]", prefix.as_str())?,
            PathMatch::Exact { value, .. } => f.write_str(value)?,
            PathMatch::Regex(regex) => write!(f, "~ {}", regex.as_str())?,
        }
        for condition in &self.conditions {
            let (name, test, invert) = match condition {
                Condition::Header(one) => (format!("header {}", one.name), &one.test, one.invert),
                Condition::Query(one) => (format!("query {}", one.key), &one.test, false),
                Condition::Claim(one) => (
                    format!("claim {}", one.path.join(".")),
                    &one.test,
                    one.invert,
                ),
            };
            let not = if invert { "not " } else { "" };
            match test {
                ValueMatch::Present => write!(f, ", {not}{name}")?,
                ValueMatch::Exact(text) => write!(f, ", {not}{name}={text}")?,
                ValueMatch::Prefix(text) => write!(f, ", {not}{name}={text}*")?,
                ValueMatch::Regex(regex) => write!(f, ", {not}{name} ~ {}", regex.as_str())?,
            }
        }
        Ok(())
    }
}

/// A test that a request does not pass. Printed, what is amiss: ``the path does not begin with `/cart` ``.
#[derive(Clone, Copy, Debug)]
pub enum Unmet<'m> {
    /// The path test.
    Path(&'m PathMatch),
    /// A condition.
    Condition(&'m Condition),
}

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unmet::Path(path) => path.fmt_unmet(f),
            Unmet::Condition(Condition::Header(header)) => header.fmt_unmet(f),
            Unmet::Condition(Condition::Query(query)) => query.fmt_unmet(f),
            Unmet::Condition(Condition::Claim(claim)) => claim.fmt_unmet(f),
        }
    }
}

#[cfg(test)]
mod asked {
    //! A request for the tests of this directory.

    use super::Facts;
    use crate::terms::claims::{Claim, Claims};

    /// Header lines, query parameters and claims of a request to `/`.
    #[derive(Default)]
    pub(super) struct Asked {
        pub headers: Vec<(&'static str, &'static str)>,
        pub query: Vec<(&'static str, &'static str)>,
        pub claims: Claims,
    }

    impl Facts for Asked {
        fn path(&self) -> &str {
            "/"
        }
        fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
            let lines = self.headers.iter().filter(|(known, _)| *known == name);
            lines.for_each(|(_, value)| visit(value.as_bytes()));
        }
        fn query_value(&self, key: &str) -> Option<&[u8]> {
            let mut parameters = self.query.iter();
            let found = parameters.find(|(known, _)| *known == key);
            found.map(|(_, value)| value.as_bytes())
        }
        fn claim(&self, path: &[Box<str>]) -> Option<&Claim> {
            self.claims.get(path)
        }
    }
}
