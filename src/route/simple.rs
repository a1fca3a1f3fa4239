//! The simple door: a host and a gateway in, a destination out.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::head::{is_host, is_host_behind};
use super::probe::Silent;
use super::walk;
use crate::decision::{Decision, Destination, NotFound, Outcome, RouteError};
use crate::router::{GatewayId, Router, Settled};
use crate::terms::host::without_port;
use crate::terms::request::Request;

impl Router {
    /// Where `host` leads when it is asked for at `gateway`: `mesh`, `name` or `namespace/name`. What
    /// [`decide`](Router::decide) says for a plain `GET /`: at the gateway's first server that admits the host; for `mesh`,
    /// at the service's first HTTP port, or at 80 for a host that no service claims.
    ///
    /// Any name that reaches the host will do: short or full, in any case, with a port or without, which does not matter.
    /// Splits, mirrors and faults are drawn from a generator of the calling thread.
    ///
    /// # Errors
    /// Where the request would not be forwarded: see [`RouteError`].
    ///
    /// # Complexity
    /// A look-up of the host in a table of settled answers; where the answer depends on more than the host (a rule tests the
    /// authority, a fault is injected by chance), as [`decide`](Router::decide). No allocation after the first call of a thread.
    ///
    /// ```no_run
    /// # use meshroute::router::Router;
    /// # fn f(router: &Router) -> Result<(), meshroute::decision::RouteError> {
    /// let destination = router.route("reviews", "mesh")?;
    /// println!("{} port {} subset {:?}", destination.host(), destination.port(), destination.subset());
    /// # Ok(())
    /// # }
    /// ```
    pub fn route(&self, host: &str, gateway: &str) -> Result<Destination<'_>, RouteError> {
        self.route_with(host, gateway, next_word())
    }

    /// The same, pure: the caller's random word decides what is drawn.
    ///
    /// # Errors
    /// As for [`route`](Router::route).
    ///
    /// # Complexity
    /// As for [`route`](Router::route); no allocation.
    #[inline]
    pub fn route_with(
        &self,
        host: &str,
        gateway: &str,
        entropy: u64,
    ) -> Result<Destination<'_>, RouteError> {
        let (arrivals, clusters) = (&self.tables.arrivals, &self.tables.clusters);
        let Some(gateway) = arrivals.gateway(gateway) else {
            return Err(RouteError::UnknownGateway);
        };
        let (found, known) = self.tables.door.find(clusters, host, gateway, entropy);
        if !is_host_behind(host, known) {
            return Err(RouteError::BadHost);
        }
        match found {
            Settled::Destination(id) => Ok(Destination::new(clusters, id)),
            Settled::Nowhere(why) => Err(why),
            Settled::Walk => self.route_by_walk(host, gateway, entropy),
        }
    }

    /// The same, walked where `route_with` looks up: what a fuzzer holds the table against.
    ///
    /// # Errors
    /// As [`route_with`](Self::route_with).
    #[doc(hidden)]
    pub fn route_walked(
        &self,
        host: &str,
        gateway: &str,
        entropy: u64,
    ) -> Result<Destination<'_>, RouteError> {
        let gateway = self.tables.arrivals.gateway(gateway);
        let gateway = gateway.ok_or(RouteError::UnknownGateway)?;
        match is_host(host) {
            true => self.route_by_walk(host, gateway, entropy),
            false => Err(RouteError::BadHost),
        }
    }

    #[cold]
    #[inline(never)]
    fn route_by_walk(
        &self,
        host: &str,
        gateway: GatewayId,
        entropy: u64,
    ) -> Result<Destination<'_>, RouteError> {
        let tables = &*self.tables;
        let name = without_port(host);
        let connection = tables.arrivals.of(gateway, name)?.connection(name);
        let request = Request::get("/").authority(host).connection(connection);
        let decision = walk::decide_at(tables, gateway, &request, entropy, &mut Silent);
        destination(&decision.ok_or(RouteError::UnknownGateway)?)
    }
}

/// What a decision means for those who ask for a destination.
pub(super) fn destination<'r>(decision: &Decision<'r>) -> Result<Destination<'r>, RouteError> {
    match decision.outcome() {
        Outcome::Forward { .. } | Outcome::Tcp { .. } => match decision.chosen {
            Some(chosen) => match decision.clusters.cluster(chosen.cluster).refusal() {
                None => Ok(Destination::new(decision.clusters, chosen.cluster)),
                Some(why) => Err(why),
            },
            // What is forwarded goes to a cluster that was chosen.
            None => Err(RouteError::NoSuchDestination),
        },
        Outcome::Redirect(redirection) => Err(RouteError::Redirect(redirection.redirect().status)),
        Outcome::HttpsRedirect => Err(RouteError::Redirect(301)),
        Outcome::PathRedirect => Err(RouteError::Redirect(307)),
        Outcome::Respond(response) => Err(RouteError::DirectResponse(response.response().status)),
        Outcome::Abort(_) => Err(RouteError::Fault(decision.status().unwrap_or_default())),
        // Only for a request with `OPTIONS`, or for a bare connection.
        Outcome::CorsPreflight(_) | Outcome::AwaitRequest => Err(RouteError::NoRule),
        Outcome::BadRequest(_) => Err(RouteError::BadHost),
        Outcome::NotFound(why) => Err(match why {
            NotFound::NoGateway => RouteError::UnknownGateway,
            NotFound::NoListener | NotFound::NoFilterChain | NotFound::ProtocolMismatch => {
                RouteError::NoListener
            }
            NotFound::NoVirtualHost => RouteError::NoVirtualHost,
            NotFound::NoRule => RouteError::NoRule,
        }),
    }
}

/// A random word of this thread. Not for secrets.
fn next_word() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8));
    }
    // A thread that is shutting down has no state any more; it draws the same word once more.
    let state = STATE.try_with(|state| {
        let next = state.get().wrapping_add(0xA076_1D64_78BD_642F);
        state.set(next);
        next
    });
    let state = state.unwrap_or_default();
    let product = u128::from(state) * u128::from(state ^ 0xE703_7ED1_A0B4_28DB);
    (product as u64) ^ (product >> u64::BITS) as u64
}
