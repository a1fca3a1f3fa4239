//! What workers ask of a state while they choose.

use std::sync::Arc;

use crate::router::LbPolicy;

use super::atomics::Ordering;
use super::pool::Pool;
use super::target::EndpointId;
use super::time::milliseconds;
use super::tracked::{Health, Shared, Tracked, warmth};

/// A pool, and what is counted of its endpoints.
pub(super) struct Counters {
    pub pool: Arc<Pool>,
    pub shared: Arc<Shared>,
    /// In the order of the pool.
    pub endpoints: Box<[Arc<Tracked>]>,
}

impl Counters {
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
        let mut weight = f64::from(self.pool.members.weight(at));
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

    /// What the configuration, active checks and outlier detection say together.
    pub(super) fn health(&self, place: usize) -> Health {
        let Some(tracked) = self.endpoints.get(place) else {
            return Health::Unhealthy;
        };
        if !self.pool.members.is_healthy(place as u32) || tracked.monitor.is_ejected() {
            return Health::Unhealthy;
        }
        match tracked.health.load(Ordering::Acquire) {
            0 => Health::Healthy,
            1 => Health::Degraded,
            _ => Health::Unhealthy,
        }
    }

    #[inline]
    pub(super) fn active(&self, place: usize) -> u32 {
        let tracked = self.endpoints.get(place);
        tracked.map_or(0, |tracked| tracked.active.load(Ordering::Relaxed))
    }
}
