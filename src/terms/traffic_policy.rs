//! Traffic policy of a cluster: load balancing, connection pool, outlier detection, TLS, tunnel, proxy protocol.
//!
//! [`RuleTrafficPolicy`] is what a DestinationRule says at one place; [`TrafficPolicy`] what holds for one cluster after
//! port-level and subset settings are merged (R-M-083..R-M-087).

use std::sync::Arc;

/// What a DestinationRule says at one place (top level or subset), with its port-level settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTrafficPolicy {
    /// The settings outside `portLevelSettings`.
    pub settings: TrafficPolicy,
}

/// What holds for one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrafficPolicy {
    /// `tunnel`.
    pub tunnel: Option<Arc<Tunnel>>,
}

/// `tunnel` (R-M-115).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tunnel {
    /// `CONNECT` or `POST`.
    pub protocol: Box<str>,
    /// Where the tunnel ends.
    pub target_host: Box<str>,
    /// Where the tunnel ends.
    pub target_port: u16,
}
