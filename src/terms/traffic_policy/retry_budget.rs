//! `retryBudget`: retries may be a share of the requests under way, no more (R-M-117).

use std::time::Duration;

/// `retryBudget`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryBudget {
    /// Most retries, in percent of the requests under way; 20 where unset.
    pub percent: f64,
    /// So many retries are always allowed; 3 where unset.
    pub min_retry_concurrency: u32,
    /// Requests of this last span count as under way too; unset: only those that are.
    pub budget_interval: Option<Duration>,
}

impl Default for RetryBudget {
    fn default() -> Self {
        RetryBudget {
            percent: 20.0,
            min_retry_concurrency: 3,
            budget_interval: None,
        }
    }
}
