//! `warmup`: a new endpoint gets its full share little by little (R-M-092).

use std::time::Duration;

/// `warmup`, or the deprecated `warmupDurationSecs`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Warmup {
    /// How long an endpoint warms up.
    pub duration: Duration,
    /// The share that it starts with, in percent of its full share; 10 where unset.
    pub minimum_percent: f64,
    /// The curve: 1.0 (the default) is a straight line, more is slower at first.
    pub aggression: f64,
}

impl Warmup {
    /// `minimumPercent` where it is unset, in percent.
    pub const DEFAULT_MINIMUM_PERCENT: f64 = 10.0;
    /// `aggression` where it is unset.
    pub const DEFAULT_AGGRESSION: f64 = 1.0;

    /// A warm-up of so long, all else as Istio's defaults.
    pub fn new(duration: Duration) -> Self {
        Warmup {
            duration,
            minimum_percent: Self::DEFAULT_MINIMUM_PERCENT,
            aggression: Self::DEFAULT_AGGRESSION,
        }
    }
}
