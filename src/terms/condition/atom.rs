//! A test as who reasons about all requests at once reads it: whose text it asks, and which texts pass.

use crate::terms::regex::Regex;

/// What of a request a test asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Asks<'m> {
    /// The normalised path without its query.
    Path,
    /// A header or pseudo header, by its lower-case name.
    Header(&'m str),
    /// A query parameter.
    Query(&'m str),
    /// A claim of the verified token.
    Claim(&'m [Box<str>]),
}

/// Which texts pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TextTest<'m> {
    /// Every one.
    Any,
    /// This one.
    Exact { text: &'m str, ignore_case: bool },
    /// Those that begin with it.
    Prefix { text: &'m str, ignore_case: bool },
    /// It, and those that begin with it and a slash.
    Below { text: &'m str, ignore_case: bool },
    /// Those that the regex matches as a whole.
    Regex(&'m Regex),
}

/// One test of one text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Atom<'m> {
    pub asks: Asks<'m>,
    pub test: TextTest<'m>,
    /// The others pass.
    pub invert: bool,
    /// A request without such a text passes, inversion included.
    pub holds_without: bool,
}

impl<'m> TextTest<'m> {
    /// The same of tests that are written the same, and of no others.
    pub(crate) fn key(&self) -> (u8, &'m str, bool) {
        match *self {
            TextTest::Any => (0, "", false),
            TextTest::Exact { text, ignore_case } => (1, text, ignore_case),
            TextTest::Prefix { text, ignore_case } => (2, text, ignore_case),
            TextTest::Below { text, ignore_case } => (3, text, ignore_case),
            TextTest::Regex(regex) => (4, regex.as_str(), false),
        }
    }
}
