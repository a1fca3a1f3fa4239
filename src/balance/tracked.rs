//! What is counted of an endpoint as long as it stays in its cluster, and what all of them share.

use std::sync::Arc;
use std::time::Duration;

use crate::router::{ClusterSettings, LbPolicy};
use crate::terms::traffic_policy::{OutlierDetection, Warmup};

use super::atomics::{AtomicU32, Ordering};
use super::ejection::{EjectionTime, Ticks};
use super::ended::Ended;
use super::limits::Usage;
use super::outlier::{Detector, Ending, Monitor, Rules};
use super::target::{EndpointId, Target};
use super::time::milliseconds;

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

/// What the states of a cluster share, as long as its settings stay the same.
pub(super) struct Shared {
    pub detector: Arc<Detector>,
    pub rules: Option<Rules>,
    codes: Option<Arc<OutlierDetection>>,
    /// Whether requests under way are counted for each endpoint.
    counts_active: bool,
    pub warmup: Option<Warmup>,
    pub usage: Arc<Usage>,
}

/// An endpoint, as long as it stays in the cluster.
pub(super) struct Tracked {
    pub id: EndpointId,
    pub target: Target,
    /// When it came.
    pub since: u64,
    pub active: AtomicU32,
    /// [`Health`] as a number.
    pub health: AtomicU32,
    pub monitor: Monitor,
    shared: Arc<Shared>,
}

impl Shared {
    pub(super) fn new(settings: &ClusterSettings, size: usize, now: u64) -> Self {
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
            detector: Arc::new(Detector::new(ticks, size as u32)),
            rules: outlier.map(|outlier| rules(outlier)),
            codes: outlier
                .filter(|outlier| !outlier.http_error_codes.is_empty())
                .cloned(),
            counts_active,
            warmup: warmup.filter(|warmup| !warmup.duration.is_zero()),
            usage: Arc::new(Usage::new(settings.limits, now)),
        }
    }

    #[inline]
    pub(super) fn needs_time(&self) -> bool {
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
    /// One that came at `now`.
    pub(super) fn new(id: EndpointId, target: Target, shared: &Arc<Shared>, now: u64) -> Arc<Self> {
        Arc::new(Tracked {
            id,
            target,
            since: now,
            active: AtomicU32::new(0),
            health: AtomicU32::new(Health::Healthy as u32),
            monitor: Monitor::default(),
            shared: shared.clone(),
        })
    }

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

/// The part of its weight that an endpoint has so long after it came (R-B-53).
pub(super) fn warmth(warmup: &Warmup, age: u64) -> f64 {
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
