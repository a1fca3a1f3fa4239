//! What is true of a pool at this moment: requests under way, outcomes, ejections, limits. Atomics and no lock; shared by all
//! threads, and by the state that follows when the endpoints change.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::router::{Cluster, Discovery, LbPolicy};
use crate::terms::hash::HashMap;
use crate::terms::traffic_policy::{OutlierDetection, Warmup};

use super::atomics::{AtomicU32, Ordering};
use super::ejection::{EjectionTime, Ticks};
use super::lease::{Ended, Lease};
use super::limits::{Limit, Overflow, Permit, Usage};
use super::outlier::{Detector, Ending, Monitor, Rules};
use super::pool::{EndpointId, Pool, Target};
use super::worker::{Choice, Worker, milliseconds};

/// Envoy's longest ejection, unless the base time is longer.
const LONGEST_EJECTION: Duration = Duration::from_secs(300);

/// Whether an endpoint takes requests, as an active health check of the caller's says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    #[default]
    Healthy,
    /// It does when too few are healthy. Balancers by hash never choose it, as in Envoy.
    Degraded,
    /// It does in panic only.
    Unhealthy,
}

/// The endpoints of a cluster as they are now, to be chosen from: a [`Pool`] with its counters.
///
/// Share it by `Arc`; give each thread a [`Worker`]. When the cluster changes, make the state that [follows](Self::carry): requests
/// under way count on in both.
pub struct State {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    endpoints: Box<[Arc<Tracked>]>,
    /// Of the endpoint that is none of the pool's: the original destination.
    elsewhere: Arc<Tracked>,
}

/// What the states of a cluster share, as long as its settings stay the same.
pub(super) struct Shared {
    detector: Arc<Detector>,
    rules: Option<Rules>,
    codes: Option<Arc<OutlierDetection>>,
    /// Whether requests under way are counted for each endpoint.
    counts_active: bool,
    warmup: Option<Warmup>,
    pub(super) usage: Usage,
}

/// An endpoint, as long as it stays in the cluster.
pub(super) struct Tracked {
    pub id: EndpointId,
    pub target: Target,
    /// When it came.
    since: u64,
    active: AtomicU32,
    /// [`Health`] as a number.
    health: AtomicU32,
    monitor: Monitor,
    shared: Arc<Shared>,
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
        (!self.pool.is_of(cluster)).then(|| self.carry(Pool::new(cluster), now))
    }

    fn follow(before: Option<&State>, pool: Arc<Pool>, now: u64) -> Self {
        let before = before.filter(|state| {
            let (old, new) = (state.pool.settings(), pool.settings());
            Arc::ptr_eq(old, new) || old == new
        });
        let shared = match before {
            Some(state) => state.shared.clone(),
            None => Arc::new(Shared::new(&pool, now)),
        };
        let mut known: HashMap<EndpointId, &Arc<Tracked>> = HashMap::default();
        for tracked in before.map_or(&[][..], |state| &state.endpoints) {
            known.insert(tracked.id, tracked);
        }
        let track = |id, target, health| {
            Arc::new(Tracked {
                id,
                target,
                since: now,
                active: AtomicU32::new(0),
                health: AtomicU32::new(health),
                monitor: Monitor::default(),
                shared: shared.clone(),
            })
        };
        let endpoints = (0..pool.len()).filter_map(|at| {
            let (id, target) = (pool.id(at)?, pool.target(at)?);
            Some(match known.remove(&id) {
                Some(tracked) if tracked.target == target => tracked.clone(),
                _ => track(id, target, Health::Healthy as u32),
            })
        });
        let endpoints: Box<[Arc<Tracked>]> = endpoints.collect();
        for gone in known.values() {
            gone.monitor.leave(&shared.detector);
        }
        let order = Ordering::Relaxed;
        shared.detector.size.store(endpoints.len() as u32, order);
        let elsewhere = match before {
            Some(state) => state.elsewhere.clone(),
            None => {
                let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
                track(EndpointId::default(), Target::Socket(anywhere), 0)
            }
        };
        State {
            pool,
            shared,
            endpoints,
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
        if self.shared.needs_time() {
            now = choice.now_ms();
            self.tick_at(now);
        }
        if self.pool.goes_where_told() {
            let mut address = choice.told()?;
            if let Discovery::OriginalDst { port: Some(port) } = self.pool.settings().discovery {
                address.set_port(port);
            }
            return Some(Lease::new(&self.elsewhere, None, Some(address)));
        }
        let at = worker.look(self, now).choose(self, choice, now)?;
        let tracked = self.endpoints.get(at as usize)?;
        Some(Lease::new(tracked, Some(at), None))
    }

    /// Room for one more: a connection, a request that waits for one, a request, a retry. It is given back when the permit is
    /// dropped (R-B-61).
    ///
    /// # Errors
    /// The limit is reached: a proxy answers 503 with the flag `UO`, or does not retry.
    pub fn admit(&self, limit: Limit, now: Duration) -> Result<Permit, Overflow> {
        Permit::new(&self.shared, limit, now)
    }

    /// Ends ejections whose time is over: what [`choose`](Self::choose) does by itself. A caller with a timer may have that
    /// done in time also where nothing is chosen.
    pub fn tick(&self, now: Duration) {
        self.tick_at(milliseconds(now));
    }

    #[inline]
    fn tick_at(&self, now: u64) {
        let Some(rules) = &self.shared.rules else {
            return;
        };
        let detector = &self.shared.detector;
        if !detector.is_due(now) {
            return;
        }
        let mut has_changed = false;
        for tracked in &self.endpoints {
            has_changed |= tracked.monitor.tick(rules, detector, now);
        }
        if has_changed {
            detector.health_changed();
        }
    }

    /// What an active health check of the caller's found at the endpoint of this place. One that is found healthy is no longer
    /// ejected, as in Envoy.
    pub fn set_health(&self, place: usize, health: Health, now: Duration) {
        let Some(tracked) = self.endpoints.get(place) else {
            return;
        };
        let detector = &self.shared.detector;
        let before = tracked.health.swap(health as u32, Ordering::AcqRel);
        let is_back =
            health == Health::Healthy && tracked.monitor.uneject(detector, milliseconds(now));
        if is_back || before != health as u32 {
            detector.health_changed();
        }
    }

    /// The health of the endpoint at this place: what the configuration, active checks and outlier detection say together.
    pub fn health(&self, place: usize) -> Health {
        let Some(tracked) = self.endpoints.get(place) else {
            return Health::Unhealthy;
        };
        if !self.pool.is_healthy(place as u32) || tracked.monitor.is_ejected() {
            return Health::Unhealthy;
        }
        match tracked.health.load(Ordering::Acquire) {
            0 => Health::Healthy,
            1 => Health::Degraded,
            _ => Health::Unhealthy,
        }
    }

    /// Whether outlier detection has ejected the endpoint at this place.
    pub fn is_ejected(&self, place: usize) -> bool {
        let tracked = self.endpoints.get(place);
        tracked.is_some_and(|tracked| tracked.monitor.is_ejected())
    }

    /// How many endpoints are ejected.
    pub fn ejected(&self) -> u32 {
        self.shared.detector.ejected.load(Ordering::Acquire)
    }

    /// Requests under way at the endpoint of this place; counted where somebody asks: by clusters that choose by least request.
    #[inline]
    pub fn active(&self, place: usize) -> u32 {
        let tracked = self.endpoints.get(place);
        tracked.map_or(0, |tracked| tracked.active.load(Ordering::Relaxed))
    }

    /// How much of a limit is in use; 0 where there is no limit that counts it.
    pub fn in_use(&self, limit: Limit) -> u32 {
        self.shared.usage.in_use(limit)
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn shared_pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    pub(super) fn detector(&self) -> &Arc<Detector> {
        &self.shared.detector
    }

    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.shared.detector.epoch.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn policy(&self) -> LbPolicy {
        self.pool.settings().lb_policy
    }

    #[inline]
    pub(super) fn is_one_of(&self, at: u32, endpoints: &[EndpointId]) -> bool {
        let id = self.pool.id(at as usize);
        id.is_some_and(|id| endpoints.contains(&id))
    }

    /// What the endpoint weighs in its turn now (R-B-50, R-B-51, R-B-53).
    #[inline]
    pub(super) fn weight(&self, at: u32, warm_at: u64, now: u64) -> f64 {
        let mut weight = f64::from(self.pool.weight(at));
        if let LbPolicy::LeastRequest { .. } = self.policy() {
            weight /= f64::from(self.active(at as usize)) + 1.0;
        }
        if now < warm_at
            && let (Some(warmup), Some(tracked)) =
                (&self.shared.warmup, self.endpoints.get(at as usize))
        {
            weight *= warmth(warmup, now.saturating_sub(tracked.since));
        }
        weight
    }

    /// When the last healthy endpoint is warm; 0: nobody warms up.
    pub(super) fn warm_at(&self, health: &[Health]) -> u64 {
        let Some(warmup) = &self.shared.warmup else {
            return 0;
        };
        let all = self.endpoints.iter().zip(health);
        let healthy = all.filter(|(_, health)| **health == Health::Healthy);
        let latest = healthy.map(|(tracked, _)| tracked.since).max();
        // At the very end of the window there still is somebody who warms up.
        latest.map_or(0, |since| {
            since
                .saturating_add(milliseconds(warmup.duration))
                .saturating_add(1)
        })
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("pool", &self.pool)
            .field("ejected", &self.ejected())
            .finish_non_exhaustive()
    }
}

/// The part of its weight that an endpoint has so long after it came (R-B-53).
fn warmth(warmup: &Warmup, age: u64) -> f64 {
    let window = milliseconds(warmup.duration);
    if age >= window {
        return 1.0;
    }
    let aggression = match warmup.aggression {
        aggression if aggression > 0.0 && aggression.is_finite() => aggression,
        _ => Warmup::DEFAULT_AGGRESSION,
    };
    let time = age.max(1) as f64 / window as f64;
    let part = match aggression {
        1.0 => time,
        aggression => time.powf(1.0 / aggression),
    };
    part.max(warmup.minimum_percent / 100.0).min(1.0)
}

impl Shared {
    fn new(pool: &Pool, now: u64) -> Self {
        let settings = pool.settings();
        let outlier = settings.outlier_detection.as_ref();
        let interval = outlier.map_or(Duration::from_secs(10), |outlier| outlier.interval);
        let ticks = Ticks {
            start: now,
            interval: milliseconds(interval).max(1),
        };
        let (counts_active, warmup) = match settings.lb_policy {
            LbPolicy::LeastRequest { warmup } => (true, warmup),
            LbPolicy::RoundRobin { warmup } => (false, warmup),
            _ => (false, None),
        };
        Shared {
            detector: Arc::new(Detector::new(ticks, pool.len() as u32)),
            rules: outlier.map(|outlier| rules(outlier)),
            codes: outlier
                .filter(|outlier| !outlier.http_error_codes.is_empty())
                .cloned(),
            counts_active,
            warmup: warmup.filter(|warmup| !warmup.duration.is_zero()),
            usage: Usage::new(settings.limits, now),
        }
    }

    #[inline]
    fn needs_time(&self) -> bool {
        self.rules.is_some() || self.warmup.is_some()
    }
}

fn rules(outlier: &OutlierDetection) -> Rules {
    let base = outlier.base_ejection_time;
    Rules {
        consecutive_5xx: outlier.consecutive_5xx_errors,
        consecutive_gateway: outlier.consecutive_gateway_errors,
        consecutive_local: outlier.consecutive_local_origin_failures,
        is_split: outlier.split_external_local_origin_errors,
        max_percent: outlier.max_ejection_percent.into(),
        time: EjectionTime {
            base: milliseconds(base),
            longest: milliseconds(base.max(LONGEST_EJECTION)),
        },
    }
}

impl Tracked {
    /// Counts one more request under way; whether that is counted at all.
    #[inline]
    pub(super) fn begin(&self) -> bool {
        if self.shared.counts_active {
            self.active.fetch_add(1, Ordering::Relaxed);
        }
        self.shared.counts_active
    }

    #[inline]
    pub(super) fn end(&self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts how a request ended.
    pub(super) fn count(&self, ended: Ended, now: Duration) {
        let Some(rules) = &self.shared.rules else {
            return;
        };
        let ending = match ended {
            Ended::Status(code) => self.shared.answered(code),
            Ended::Connected => Ending::Connected,
            Ended::NotConnected => Ending::NotConnected,
            Ended::Reset => Ending::Broken { code: 503 },
            Ended::Timeout => Ending::Broken { code: 504 },
            Ended::Cancelled => return,
        };
        let now = milliseconds(now);
        self.monitor
            .count(ending, rules, &self.shared.detector, now);
    }
}

impl Shared {
    /// Whether a status counts as an error: 5xx, unless the cluster lists others (R-M-110).
    fn answered(&self, code: u16) -> Ending {
        let is_5xx = (500..600).contains(&code);
        match &self.codes {
            None => Ending::Code {
                code,
                is_error: is_5xx,
            },
            Some(outlier) if outlier.http_error_codes.contains(&code.into()) => Ending::Code {
                code: if is_5xx { code } else { 500 },
                is_error: true,
            },
            Some(_) => Ending::Code {
                code: 200,
                is_error: false,
            },
        }
    }
}
