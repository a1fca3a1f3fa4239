//! What is true of a pool at this moment: requests under way, outcomes, ejections, limits. Atomics and no lock; shared by all
//! threads, and by the state that follows when the endpoints change.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::router::{Cluster, Discovery};
use crate::terms::hash::HashMap;

use super::atomics::Ordering;
use super::counters::Counters;
use super::lease::Lease;
use super::limits::{Limit, Overflow, Permit};
use super::pool::Pool;
use super::target::{EndpointId, Target};
use super::time::milliseconds;
use super::tracked::{Health, Shared, Tracked};
use super::worker::{Choice, Worker};

/// The endpoints of a cluster as they are now, to be chosen from: a [`Pool`] with its counters.
///
/// Share it by `Arc`; give each thread a [`Worker`]. When the cluster changes, make the state that [follows](Self::carry): requests
/// under way count on in both.
pub struct State {
    counters: Counters,
    /// Of the endpoint that is none of the pool's: the original destination.
    elsewhere: Arc<Tracked>,
}

impl State {
    /// Nothing has happened yet. Each endpoint is new at `now`, and warms up where the cluster says so.
    ///
    /// # Complexity
    /// Linear in the endpoints.
    pub fn new(pool: impl Into<Arc<Pool>>, now: Duration) -> Self {
        State::follow(None, pool.into(), milliseconds(now))
    }

    /// The state of `pool` after this one: endpoints that are still there keep their counters, those that are gone lose their
    /// place among the ejected, new ones begin at `now`. Leases and permits of this state count on in the new one. Where the
    /// settings of the cluster are others, everything begins anew, as in Envoy, which makes the cluster anew then.
    ///
    /// # Complexity
    /// Linear in the endpoints.
    #[must_use]
    pub fn carry(&self, pool: impl Into<Arc<Pool>>, now: Duration) -> Self {
        State::follow(Some(self), pool.into(), milliseconds(now))
    }

    /// The state of a cluster that may have changed: `None` where it has not. For clusters whose names DNS resolves, make a
    /// [pool](Pool::resolved) and [`carry`](Self::carry).
    pub fn updated(&self, cluster: &Cluster, now: Duration) -> Option<Self> {
        (!self.pool().is_of(cluster)).then(|| self.carry(Pool::new(cluster), now))
    }

    fn follow(before: Option<&State>, pool: Arc<Pool>, now: u64) -> Self {
        let before = before.filter(|state| {
            let (old, new) = (state.pool().settings(), pool.settings());
            Arc::ptr_eq(old, new) || old == new
        });
        let shared = match before {
            Some(state) => state.counters.shared.clone(),
            None => Arc::new(Shared::new(pool.settings(), pool.len(), now)),
        };
        let mut known: HashMap<EndpointId, &Arc<Tracked>> = HashMap::default();
        for tracked in before.map_or(&[][..], |state| &state.counters.endpoints) {
            known.insert(tracked.id, tracked);
        }
        let endpoints = (0..pool.len()).filter_map(|at| {
            let (id, target) = (pool.id(at)?, pool.target(at)?);
            Some(match known.remove(&id) {
                Some(tracked) if tracked.target == target => tracked.clone(),
                _ => Tracked::new(id, target, &shared, now),
            })
        });
        let endpoints: Box<[Arc<Tracked>]> = endpoints.collect();
        for gone in known.values() {
            gone.monitor.leave(&shared.detector);
        }
        let size = endpoints.len() as u32;
        shared.detector.size.store(size, Ordering::Relaxed);
        let elsewhere = match before {
            Some(state) => state.elsewhere.clone(),
            None => {
                let anywhere = Target::Socket(SocketAddr::from(([0, 0, 0, 0], 0)));
                Tracked::new(EndpointId::default(), anywhere, &shared, now)
            }
        };
        State {
            counters: Counters {
                pool,
                shared,
                endpoints,
            },
            elsewhere,
        }
    }

    /// The endpoint of a request; `None`: none is eligible, or it is told nowhere to go
    /// ([`Choice::destination`]): a proxy answers 503 `no healthy upstream` (R-B-13). The lease counts as a request under way
    /// until it is dropped.
    ///
    /// # Complexity
    /// Round robin, least request, random: constant; with different weights and on rings: logarithmic; Maglev: one load. No
    /// allocation, but where the health of an endpoint has changed since: see [`Worker::refresh`].
    #[inline]
    pub fn choose(&self, worker: &mut Worker, choice: &Choice<'_>) -> Option<Lease<'_>> {
        let mut now = 0;
        if self.counters.shared.needs_time() {
            now = choice.now_ms();
            self.tick_at(now);
        }
        if self.pool().goes_where_told() {
            let mut address = choice.told()?;
            if let Discovery::OriginalDst { port: Some(port) } = self.pool().settings().discovery {
                address.set_port(port);
            }
            return Some(Lease::new(&self.elsewhere, None, Some(address)));
        }
        let at = worker
            .look(&self.counters, now)
            .choose(&self.counters, choice, now)?;
        let tracked = self.counters.endpoints.get(at as usize)?;
        Some(Lease::new(tracked, Some(at), None))
    }

    /// Room for one more: a connection, a request that waits for one, a request, a retry. It is given back when the permit is
    /// dropped (R-B-61).
    ///
    /// # Errors
    /// The limit is reached: a proxy answers 503 with the flag `UO`, or does not retry.
    pub fn admit(&self, limit: Limit, now: Duration) -> Result<Permit, Overflow> {
        Permit::new(&self.counters.shared.usage, limit, now)
    }

    /// Ends ejections whose time is over: what [`choose`](Self::choose) does by itself. A caller with a timer may have that
    /// done in time also where nothing is chosen.
    pub fn tick(&self, now: Duration) {
        self.tick_at(milliseconds(now));
    }

    #[inline]
    fn tick_at(&self, now: u64) {
        let Some(rules) = &self.counters.shared.rules else {
            return;
        };
        let detector = &self.counters.shared.detector;
        if !detector.is_due(now) {
            return;
        }
        let mut has_changed = false;
        for tracked in &self.counters.endpoints {
            has_changed |= tracked.monitor.tick(rules, detector, now);
        }
        if has_changed {
            detector.health_changed();
        }
    }

    /// What an active health check of the caller's found at the endpoint of this place. One that is found healthy is no longer
    /// ejected, as in Envoy.
    pub fn set_health(&self, place: usize, health: Health, now: Duration) {
        let Some(tracked) = self.counters.endpoints.get(place) else {
            return;
        };
        let detector = &self.counters.shared.detector;
        let before = tracked.health.swap(health as u32, Ordering::AcqRel);
        let is_back =
            health == Health::Healthy && tracked.monitor.uneject(detector, milliseconds(now));
        if is_back || before != health as u32 {
            detector.health_changed();
        }
    }

    /// The health of the endpoint at this place: what the configuration, active checks and outlier detection say together.
    pub fn health(&self, place: usize) -> Health {
        self.counters.health(place)
    }

    /// Whether outlier detection has ejected the endpoint at this place.
    pub fn is_ejected(&self, place: usize) -> bool {
        let tracked = self.counters.endpoints.get(place);
        tracked.is_some_and(|tracked| tracked.monitor.is_ejected())
    }

    /// How many endpoints are ejected.
    pub fn ejected(&self) -> u32 {
        self.counters
            .shared
            .detector
            .ejected
            .load(Ordering::Acquire)
    }

    /// Requests under way at the endpoint of this place; counted where somebody asks: by clusters that choose by least request.
    #[inline]
    pub fn active(&self, place: usize) -> u32 {
        self.counters.active(place)
    }

    /// How much of a limit is in use; 0 where there is no limit that counts it.
    pub fn in_use(&self, limit: Limit) -> u32 {
        self.counters.shared.usage.in_use(limit)
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.counters.pool
    }
}

impl Worker {
    /// Sees the present health of the endpoints: what [`State::choose`] does by itself when it is needed. It allocates, and makes
    /// a ring or table anew where health has changed; a caller may have that done before a request waits for it.
    ///
    /// # Complexity
    /// Nothing where nothing has changed, else linear in the endpoints, and that of rings and tables but for their hashes.
    pub fn refresh(&mut self, state: &State, now: Duration) {
        state.tick(now);
        self.look(&state.counters, milliseconds(now));
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("pool", self.pool())
            .field("ejected", &self.ejected())
            .finish_non_exhaustive()
    }
}
