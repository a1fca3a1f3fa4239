//! A chosen endpoint, and how a request to it ended.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::pool::{EndpointId, Target};
use super::state::Tracked;

/// How a request to an endpoint ended, or a connection to it: what outlier detection counts (R-B-60).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// It answered with this HTTP status; for gRPC see [`grpc`](Self::grpc).
    Status(u16),
    /// A connection was made, and nothing more is asked: bytes that are passed on.
    Connected,
    /// No connection could be made, or not in time.
    NotConnected,
    /// Connection or stream broke off before the answer was whole.
    Reset,
    /// There was a connection, and no answer in time.
    Timeout,
    /// The client gave up: that says nothing of the endpoint.
    Cancelled,
}

impl Ended {
    /// It answered with this `grpc-status`, which counts as the HTTP status that Envoy takes it for; `None`: there was none, and
    /// the HTTP status counts.
    pub fn grpc(http_status: u16, grpc_status: Option<u32>) -> Self {
        Ended::Status(match grpc_status {
            None => http_status,
            Some(0) => 200,
            Some(1) => 499,
            Some(3 | 9 | 11) => 400,
            Some(4) => 504,
            Some(5) => 404,
            Some(6 | 10) => 409,
            Some(7) => 403,
            Some(8) => 429,
            Some(12) => 501,
            Some(14) => 503,
            Some(16) => 401,
            Some(_) => 500,
        })
    }
}

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
