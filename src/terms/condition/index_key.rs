//! What a rule index knows of a test: a text of the request, and what that must be or have for the test to hold.
//!
//! A key may admit more than its test, never less: an index may only prune.

/// A text of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TextOf<'a> {
    /// The path.
    Path,
    /// Each value of a header, by its lower-case name.
    Header(&'a str),
    /// The first value of a query parameter.
    Query(&'a str),
}

/// How the text of a request has the text of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    /// It is this text.
    Exact,
    /// It begins with it.
    Prefix,
    /// It contains it.
    Literal,
}

/// What every request that passes a test has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexKey<'a> {
    pub text_of: TextOf<'a>,
    pub kind: KeyKind,
    pub text: &'a [u8],
    /// ASCII case is ignored.
    pub ignore_case: bool,
    /// Every request that has it passes: nothing is left to test.
    pub is_decisive: bool,
}
