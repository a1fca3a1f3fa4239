//! Circuit breakers: how much of a cluster's limits is in use (R-B-61).
//!
//! Envoy: `source/common/upstream/resource_manager_impl.h`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::router::Limits;
use crate::terms::traffic_policy::RetryBudget;

use super::atomics::{AtomicU32, AtomicU64, Ordering};
use super::time::milliseconds;

/// What a cluster limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Connections to all endpoints together.
    Connections,
    /// Requests that wait for a connection.
    PendingRequests,
    /// Requests under way.
    Requests,
    /// Retries under way: so many, or a share of the requests where there is a budget.
    Retries,
}

/// A limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the limit of {} is reached: answer 503 with the flag `UO`, or do not retry", .0.name())]
#[non_exhaustive]
pub struct Overflow(pub Limit);

impl Limit {
    fn name(self) -> &'static str {
        match self {
            Limit::Connections => "connections",
            Limit::PendingRequests => "pending requests",
            Limit::Requests => "requests",
            Limit::Retries => "retries",
        }
    }
}

/// Room within a limit; given back when it is dropped.
pub struct Permit {
    /// `None`: nobody counts.
    usage: Option<Arc<Usage>>,
    limit: Limit,
}

impl Permit {
    pub(super) fn new(usage: &Arc<Usage>, limit: Limit, now: Duration) -> Result<Self, Overflow> {
        let is_counted = usage.take(limit, now)?;
        Ok(Permit {
            usage: is_counted.then(|| usage.clone()),
            limit,
        })
    }

    /// What it is room for.
    pub fn limit(&self) -> Limit {
        self.limit
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(usage) = &self.usage {
            let counter = usage.counter(self.limit);
            counter.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// How much is in use.
pub(super) struct Usage {
    limits: Limits,
    connections: AtomicU32,
    pending: AtomicU32,
    requests: AtomicU32,
    retries: AtomicU32,
    /// The requests of the last interval, where the budget counts those.
    recent: Option<Recent>,
}

impl Usage {
    pub(super) fn new(limits: Limits, now: u64) -> Self {
        let interval = limits
            .retry_budget
            .and_then(|budget| budget.budget_interval);
        let interval = interval.map(milliseconds).filter(|interval| *interval > 0);
        Usage {
            limits,
            connections: AtomicU32::new(0),
            pending: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            retries: AtomicU32::new(0),
            recent: interval.map(|interval| Recent::new(interval, now)),
        }
    }

    fn counter(&self, limit: Limit) -> &AtomicU32 {
        match limit {
            Limit::Connections => &self.connections,
            Limit::PendingRequests => &self.pending,
            Limit::Requests => &self.requests,
            Limit::Retries => &self.retries,
        }
    }

    pub(super) fn in_use(&self, limit: Limit) -> u32 {
        self.counter(limit).load(Ordering::Acquire)
    }

    /// Takes one; whether that is counted, and must be given back.
    fn take(&self, limit: Limit, now: Duration) -> Result<bool, Overflow> {
        let budget = self.limits.retry_budget;
        let most = match limit {
            Limit::Connections => self.limits.max_connections,
            Limit::PendingRequests => self.limits.max_pending_requests,
            Limit::Requests => self.limits.max_requests,
            Limit::Retries => match budget {
                Some(budget) => Some(self.affordable(budget, now)),
                None => self.limits.max_retries,
            },
        };
        let counts_for_budget = matches!(limit, Limit::PendingRequests | Limit::Requests);
        if most.is_none() && !(counts_for_budget && budget.is_some()) {
            return Ok(false);
        }
        let most = most.unwrap_or(u32::MAX);
        let one_more = |count: u32| (count < most).then_some(count.saturating_add(1));
        let order = (Ordering::AcqRel, Ordering::Acquire);
        self.counter(limit)
            .fetch_update(order.0, order.1, one_more)
            .map_err(|_| Overflow(limit))?;
        if let (Limit::Requests, Some(recent)) = (limit, &self.recent) {
            recent.add(milliseconds(now));
        }
        Ok(true)
    }

    /// How many retries a budget allows.
    fn affordable(&self, budget: RetryBudget, now: Duration) -> u32 {
        let requests = match &self.recent {
            Some(recent) => recent.sum(milliseconds(now)),
            None => {
                u64::from(self.in_use(Limit::Requests))
                    + u64::from(self.in_use(Limit::PendingRequests))
            }
        };
        let share = budget.percent / 100.0 * requests as f64;
        (share as u32).max(budget.min_retry_concurrency)
    }
}

/// Requests of the last interval, by tenths of it.
struct Recent {
    start: u64,
    /// Length of a tenth.
    span: u64,
    /// The number of the tenth, and how many there were in it.
    tenths: [AtomicU64; 10],
}

impl Recent {
    fn new(interval: u64, now: u64) -> Self {
        Recent {
            start: now,
            span: (interval / 10).max(1),
            tenths: Default::default(),
        }
    }

    fn tenth(&self, now: u64) -> u64 {
        (now.saturating_sub(self.start) / self.span) & 0xFFFF_FFFF
    }

    fn add(&self, now: u64) {
        let tenth = self.tenth(now);
        let one_more = |word: u64| {
            Some(match word >> 32 == tenth {
                true => word.saturating_add(1),
                false => tenth << 32 | 1,
            })
        };
        let order = (Ordering::AcqRel, Ordering::Acquire);
        // It never refuses.
        let _ = self.tenths[(tenth % 10) as usize].fetch_update(order.0, order.1, one_more);
    }

    fn sum(&self, now: u64) -> u64 {
        let tenth = self.tenth(now);
        let words = self.tenths.iter().map(|word| word.load(Ordering::Acquire));
        let recent = words.filter(|word| tenth.wrapping_sub(word >> 32) < 10);
        recent.map(|word| word & 0xFFFF_FFFF).sum()
    }
}
