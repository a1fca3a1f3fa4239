//! How a cluster is found, spoken to and balanced over: what a DestinationRule, the service's port and MeshConfig say
//! together, with every default filled in.

use std::sync::Arc;
use std::time::Duration;

use crate::terms::traffic_policy::{OutlierDetection, RetryBudget, TcpKeepalive, Warmup};

/// The settings of a cluster but for TLS, in Envoy's words. Clusters with the same settings share them.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ClusterSettings {
    /// How its endpoints are found.
    pub discovery: Discovery,
    /// How one of them is chosen.
    pub lb_policy: LbPolicy,
    /// Below this share of healthy endpoints, in percent, all take requests (R-M-109, R-B-13).
    pub panic_threshold: u8,
    /// Whether localities are chosen by weight.
    pub locality_weighted: bool,
    /// Fewest endpoints for which the client's own zone is preferred (R-M-094); `None`: never.
    pub zone_aware: Option<u64>,
    /// Limit of a connection attempt (R-M-096).
    pub connect_timeout: Duration,
    /// `SO_KEEPALIVE`; each attribute that is unset is the system's (R-M-098).
    pub keepalive: Option<TcpKeepalive>,
    /// Circuit breakers.
    pub limits: Limits,
    /// Ejection of failing endpoints (R-M-104..R-M-110).
    pub outlier_detection: Option<Arc<OutlierDetection>>,
    /// What is spoken to the endpoints where it is HTTP.
    pub protocol: UpstreamProtocol,
    /// A connection without requests for so long is closed; zero: never; `None`: Envoy's 1 h (R-M-101).
    pub idle_timeout: Option<Duration>,
    /// Longest life of a connection (R-M-097).
    pub max_connection_duration: Option<Duration>,
    /// Most requests on one connection (R-M-100).
    pub max_requests_per_connection: Option<u32>,
    /// Most streams at once on an HTTP/2 connection (R-M-103).
    pub max_concurrent_streams: Option<u32>,
}

short_debug! {
    ClusterSettings {discovery, lb_policy, panic_threshold, locality_weighted, zone_aware,
    connect_timeout, keepalive, limits, outlier_detection, protocol, idle_timeout,
    max_connection_duration, max_requests_per_connection, max_concurrent_streams}
}

impl Default for ClusterSettings {
    /// Of a cluster of which nobody says anything.
    fn default() -> Self {
        ClusterSettings {
            discovery: Discovery::Eds,
            lb_policy: LbPolicy::LeastRequest { warmup: None },
            panic_threshold: 0,
            locality_weighted: false,
            zone_aware: None,
            connect_timeout: Duration::from_secs(10),
            keepalive: None,
            limits: Limits::default(),
            outlier_detection: None,
            protocol: UpstreamProtocol::Http1,
            idle_timeout: None,
            max_connection_duration: None,
            max_requests_per_connection: None,
            max_concurrent_streams: None,
        }
    }
}

/// How the endpoints of a cluster are found (R-M-130).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Discovery {
    /// The control plane lists them.
    Eds,
    /// The configuration lists them.
    Static,
    /// DNS: each address that a name has is an endpoint.
    StrictDns,
    /// DNS: a new connection goes to the first address that the name has then.
    LogicalDns,
    /// Where the client meant the connection to go; with another port where one is given.
    OriginalDst {
        /// Instead of the port that the client meant.
        port: Option<u16>,
    },
    /// Where the request's host resolves to.
    DynamicForwardProxy,
}

/// How an endpoint is chosen (R-M-087..R-M-093).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LbPolicy {
    /// One after another.
    RoundRobin {
        /// New endpoints get their share little by little.
        warmup: Option<Warmup>,
    },
    /// Of two at random the one with fewer requests.
    LeastRequest {
        /// New endpoints get their share little by little.
        warmup: Option<Warmup>,
    },
    /// At random.
    Random,
    /// By hash, on a ring of at least so many entries.
    RingHash {
        /// `minimum_ring_size`.
        minimum_size: u64,
    },
    /// By hash, in a table of so many slots.
    Maglev {
        /// `table_size`.
        table_size: u64,
    },
    /// As the discovery finds them: the original destination, or where the host resolves to.
    ClusterProvided,
}

impl LbPolicy {
    /// Envoy's `minimum_ring_size` where it is unset.
    pub const DEFAULT_RING_SIZE: u64 = 1_024;
    /// Envoy's `table_size` where it is unset.
    pub const DEFAULT_TABLE_SIZE: u64 = 65_537;
}

/// Circuit breakers: a request beyond is answered 503 at once; `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections to all endpoints together (R-M-095).
    pub max_connections: Option<u32>,
    /// Requests that wait for a connection (R-M-099).
    pub max_pending_requests: Option<u32>,
    /// Requests under way (R-M-099).
    pub max_requests: Option<u32>,
    /// Retries under way (R-M-099); not asked where there is a budget.
    pub max_retries: Option<u32>,
    /// Retries under way as a share of the requests (R-M-117).
    pub retry_budget: Option<RetryBudget>,
}

/// What is spoken to the endpoints where it is HTTP (R-M-102).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// As the request came.
    Downstream,
}
