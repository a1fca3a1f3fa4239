//! A chosen endpoint, as long as something is under way to it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ended::Ended;
use super::target::{EndpointId, Target};
use super::tracked::Tracked;

/// A chosen endpoint. While it lives, it counts as a request under way; say how that ended by [`finish`](Self::finish). Dropped
/// without a word, nothing is said of the endpoint.
pub struct Lease<'s> {
    tracked: Hold<'s>,
    place: Option<u32>,
    told: Option<Target>,
    is_counted: bool,
}

enum Hold<'s> {
    Borrowed(&'s Arc<Tracked>),
    Owned(Arc<Tracked>),
}

impl Hold<'_> {
    #[inline]
    fn arc(&self) -> &Arc<Tracked> {
        match self {
            Hold::Borrowed(tracked) => tracked,
            Hold::Owned(tracked) => tracked,
        }
    }
}

impl<'s> Lease<'s> {
    #[inline]
    pub(super) fn new(
        tracked: &'s Arc<Tracked>,
        place: Option<u32>,
        told: Option<SocketAddr>,
    ) -> Self {
        Lease {
            is_counted: tracked.begin(),
            tracked: Hold::Borrowed(tracked),
            place,
            told: told.map(Target::Socket),
        }
    }

    /// Where it is reached.
    pub fn target(&self) -> &Target {
        self.told.as_ref().unwrap_or(&self.tracked.arc().target)
    }

    /// Its place in the pool that it was chosen from; `None`: it is where the caller said.
    pub fn place(&self) -> Option<usize> {
        self.place.map(|place| place as usize)
    }

    /// Its name, for [`Choice::tried`](super::Choice::tried).
    pub fn id(&self) -> EndpointId {
        self.tracked.arc().id
    }

    /// Says how things stand, and goes on: that a connection was made whose bytes are passed on from now on.
    pub fn report(&self, ended: Ended, now: Duration) {
        self.tracked.arc().count(ended, now);
    }

    /// Says how the request ended. It is under way no longer.
    pub fn finish(self, ended: Ended, now: Duration) {
        self.report(ended, now);
    }

    /// The same lease without the state that it came from: for what outlives it.
    pub fn into_owned(mut self) -> Lease<'static> {
        Lease {
            tracked: Hold::Owned(self.tracked.arc().clone()),
            place: self.place,
            told: self.told.take(),
            is_counted: std::mem::take(&mut self.is_counted),
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            self.tracked.arc().end();
        }
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("target", &format_args!("{}", self.target()))
            .finish_non_exhaustive()
    }
}
