//! Traffic policy of a cluster: load balancing, connection pool, outlier detection, TLS, tunnel, proxy protocol, retry
//! budget.
//!
//! Two types, because a policy is said in one place and holds in another:
//!
//! - [`RuleTrafficPolicy`] is what a DestinationRule says at one place (its top level or one subset), port-level entries
//!   included;
//! - [`TrafficPolicy`] is what holds for one cluster after [`merge`] (R-M-083..R-M-086).
//!
//! Each of the seven settings is replaced as a whole, never field by field (R-M-086), and stands behind an [`Arc`]: a
//! merged policy shares its settings with the rules that it came from.

use std::sync::Arc;

pub mod connection_pool;
pub mod load_balancer;
pub mod locality;
pub mod merge;
pub mod outlier_detection;
pub mod proxy_protocol;
pub mod retry_budget;
pub mod tls;
pub mod tunnel;
pub mod warmup;

pub use connection_pool::{
    ConnectionPool, H2Upgrade, Http2Keepalive, HttpPool, TcpKeepalive, TcpPool,
};
pub use load_balancer::{ConsistentHash, HashAlgorithm, LoadBalancer, LoadBalancing};
pub use locality::{Distribute, Failover, LocalityLoadBalancing, ZoneAwareLoadBalancing};
pub use outlier_detection::OutlierDetection;
pub use proxy_protocol::ProxyProtocol;
pub use retry_budget::RetryBudget;
pub use tls::{ClientTls, ClientTlsMode};
pub use tunnel::{Tunnel, TunnelProtocol};
pub use warmup::Warmup;

/// What holds for one cluster. An unset setting means Istio's default, which each field names.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct TrafficPolicy {
    /// How an endpoint is chosen; unset: least request (R-M-088), with the mesh's locality setting (R-M-124).
    pub load_balancer: Option<Arc<LoadBalancer>>,
    /// Limits of the connections; unset: none but the mesh's `connectTimeout`.
    pub connection_pool: Option<Arc<ConnectionPool>>,
    /// Ejection of failing endpoints; unset: none.
    pub outlier_detection: Option<Arc<OutlierDetection>>,
    /// TLS towards the endpoints; unset: automatic mutual TLS (R-M-119).
    pub tls: Option<Arc<ClientTls>>,
    /// TCP over CONNECT or POST; unset: none. TCP routes do not read it here (R-M-115).
    pub tunnel: Option<Arc<Tunnel>>,
    /// PROXY protocol towards the endpoints; unset: none.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Limit of concurrent retries; unset: none.
    pub retry_budget: Option<RetryBudget>,
}

short_debug! {
    TrafficPolicy {load_balancer, connection_pool, outlier_detection, tls, tunnel, proxy_protocol,
    retry_budget}
}

/// What a DestinationRule says at one place: its top level or one subset.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RuleTrafficPolicy {
    /// The settings outside `portLevelSettings`.
    pub settings: TrafficPolicy,
    /// `portLevelSettings`, in order; of two entries for a port the first counts (R-M-083).
    pub ports: Box<[PortTrafficPolicy]>,
}

short_debug! { RuleTrafficPolicy {settings, ports} }

/// One entry of `portLevelSettings` (R-M-114): it replaces everything for its port (R-M-083).
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct PortTrafficPolicy {
    /// Service port.
    pub port: u16,
    /// Load balancer, connection pool, outlier detection and TLS: there is no more that can be said of a port.
    pub settings: TrafficPolicy,
}

short_debug! { PortTrafficPolicy {port, settings} }

impl RuleTrafficPolicy {
    /// The entry of `portLevelSettings` for `port`: the first one.
    pub fn port(&self, port: u16) -> Option<&PortTrafficPolicy> {
        self.ports.iter().find(|entry| entry.port == port)
    }
}
