//! Header changes of one level (route or destination), as Envoy will run them (R-H-116..R-H-120).

use super::format::HeaderFormat;

/// `set`, `add` and `remove` of one level and one direction. Names are lower-case; `set` and `add` are sorted by name;
/// pseudo headers and `host` are gone (R-H-118).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderOperations {
    /// Overwrite.
    pub set: Box<[(Box<str>, HeaderFormat)]>,
    /// Append as further lines.
    pub add: Box<[(Box<str>, HeaderFormat)]>,
    /// Remove, before anything is set.
    pub remove: Box<[Box<str>]>,
}

short_debug! { HeaderOperations {set, add, remove} }

impl HeaderOperations {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.remove.is_empty()
    }
}

/// The header changes of one level, in both directions.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderChanges {
    /// To the request.
    pub request: HeaderOperations,
    /// To the response.
    pub response: HeaderOperations,
    /// Host rewrite taken from a request `set`/`add` of `host` or `:authority` (`set` beats `add`, R-H-118).
    pub authority: Option<Box<str>>,
}

short_debug! { HeaderChanges {request, response, authority} }

impl HeaderChanges {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.request.is_empty() && self.response.is_empty() && self.authority.is_none()
    }
}
