//! `localityLbSetting` and `zoneAwareLbSetting`: which places take the traffic (R-M-093, R-M-094, R-M-124..R-M-128).
//!
//! Localities are written `region/zone/subzone`; the tail may be missing, and the last part may be `*`.

/// `localityLbSetting` (R-M-093).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalityLoadBalancing {
    /// `false` switches locality off; unset means `true`.
    pub enabled: bool,
    /// Explicit shares per place of the client; needs no outlier detection (R-M-125).
    pub distribute: Box<[Distribute]>,
    /// Which region follows which; takes effect with outlier detection only (R-M-125).
    pub failover: Box<[Failover]>,
    /// Labels (`key` or `key=value`), the most important first (R-M-128); takes effect with outlier detection only.
    pub failover_priority: Box<[Box<str>]>,
}

short_debug! { LocalityLoadBalancing {enabled, distribute, failover, failover_priority} }

impl Default for LocalityLoadBalancing {
    fn default() -> Self {
        LocalityLoadBalancing {
            enabled: true,
            distribute: Box::default(),
            failover: Box::default(),
            failover_priority: Box::default(),
        }
    }
}

/// One `distribute` entry (R-M-127).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distribute {
    /// Place of the client.
    pub from: Box<str>,
    /// Place of the endpoints and its share in percent, by place; the shares sum to 100.
    pub to: Box<[(Box<str>, u32)]>,
}

short_debug! { Distribute {from, to} }

/// One `failover` entry (R-M-126): regions only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failover {
    /// Region of the client.
    pub from: Box<str>,
    /// Region that takes over.
    pub to: Box<str>,
}

short_debug! { Failover {from, to} }

/// `zoneAwareLbSetting` (R-M-094).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZoneAwareLoadBalancing {
    /// `false` switches zone awareness off; unset means `true`.
    pub enabled: bool,
    /// Which region follows which.
    pub failover: Box<[Failover]>,
    /// Labels (`key` or `key=value`), the most important first.
    pub failover_priority: Box<[Box<str>]>,
    /// Fewest endpoints for which zones matter; 6 where unset.
    pub min_cluster_size: u64,
}

short_debug! { ZoneAwareLoadBalancing {enabled, failover, failover_priority, min_cluster_size} }

impl ZoneAwareLoadBalancing {
    /// `minClusterSize` where it is unset.
    pub const DEFAULT_MIN_CLUSTER_SIZE: u64 = 6;
}

impl Default for ZoneAwareLoadBalancing {
    fn default() -> Self {
        ZoneAwareLoadBalancing {
            enabled: true,
            failover: Box::default(),
            failover_priority: Box::default(),
            min_cluster_size: Self::DEFAULT_MIN_CLUSTER_SIZE,
        }
    }
}
