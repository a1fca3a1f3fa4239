//! What counts as a part of an answer.

use std::fmt;

/// A part of an answer, which can be left out of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Aspect {
    /// Where it goes, or what is answered instead.
    Destination,
    /// The shares of a split.
    Weights,
    /// Who gets a copy, and how often.
    Mirrors,
    /// Changes of request and response headers.
    Headers,
    /// How long it may last.
    Timeout,
    /// When and how it is tried again.
    Retries,
    /// The CORS policy.
    Cors,
    /// Injected delays and aborts.
    Faults,
    /// The path and the host that the upstream, or the location, gets.
    Rewrite,
    /// What consistent hashing looks at.
    HashPolicy,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Aspect; 10] = [
        Aspect::Destination,
        Aspect::Weights,
        Aspect::Mirrors,
        Aspect::Headers,
        Aspect::Timeout,
        Aspect::Retries,
        Aspect::Cors,
        Aspect::Faults,
        Aspect::Rewrite,
        Aspect::HashPolicy,
    ];

    /// One word for it: `destination`, `weights`, `hash-policy`.
    pub fn name(self) -> &'static str {
        match self {
            Aspect::Destination => "destination",
            Aspect::Weights => "weights",
            Aspect::Mirrors => "mirrors",
            Aspect::Headers => "headers",
            Aspect::Timeout => "timeout",
            Aspect::Retries => "retries",
            Aspect::Cors => "cors",
            Aspect::Faults => "faults",
            Aspect::Rewrite => "rewrite",
            Aspect::HashPolicy => "hash-policy",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Some of the aspects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aspects(u16);

impl Aspects {
    pub(super) const ALL: Self = Aspects(u16::MAX);

    pub(super) fn only(aspect: Aspect) -> Self {
        Aspects(1 << aspect as u16)
    }

    pub(super) fn has(self, aspect: Aspect) -> bool {
        self.0 >> aspect as u16 & 1 == 1
    }

    pub(super) fn without(self, aspect: Aspect) -> Self {
        Aspects(self.0 & !(1 << aspect as u16))
    }
}
