//! `connectionPool`: limits of the connections to the endpoints (R-M-095..R-M-103).
//!
//! A limit of zero or less means no limit (Envoy is given 2^32-1): it is `None` here.

use std::time::Duration;

/// `connectionPool`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionPool {
    /// `tcp`: of HTTP and TCP connections alike.
    pub tcp: Option<TcpPool>,
    /// `http`.
    pub http: Option<HttpPool>,
}

short_debug! { ConnectionPool {tcp, http} }

/// `connectionPool.tcp`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpPool {
    /// Most connections to all endpoints together; `None`: no limit.
    pub max_connections: Option<u32>,
    /// Limit of the connection attempt; unset: the mesh's `connectTimeout`, 10 s (R-M-096).
    pub connect_timeout: Option<Duration>,
    /// `SO_KEEPALIVE`; each attribute that is unset is the mesh's `tcpKeepalive` (R-M-098).
    pub keepalive: Option<TcpKeepalive>,
    /// Longest life of a connection; unset: none (R-M-097).
    pub max_connection_duration: Option<Duration>,
    /// A connection without traffic for so long is closed; zero: never (R-M-097). HTTP connections use it where
    /// [`HttpPool::idle_timeout`] is unset.
    pub idle_timeout: Option<Duration>,
}

short_debug! { TcpPool {max_connections, connect_timeout, keepalive, max_connection_duration, idle_timeout} }

/// `tcpKeepalive`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpKeepalive {
    /// Unanswered probes before the connection is closed; unset: the system's.
    pub probes: Option<u32>,
    /// Silence before the first probe; unset: the system's.
    pub time: Option<Duration>,
    /// Between two probes; unset: the system's.
    pub interval: Option<Duration>,
}

/// `connectionPool.http`.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpPool {
    /// Most requests that wait for a connection; `None`: no limit.
    pub http1_max_pending_requests: Option<u32>,
    /// Most requests under way; `None`: no limit.
    pub http2_max_requests: Option<u32>,
    /// Most requests on one connection; `None`: no limit.
    pub max_requests_per_connection: Option<u32>,
    /// Most retries under way; `None`: no limit.
    pub max_retries: Option<u32>,
    /// A connection without requests for so long is closed; unset: [`TcpPool::idle_timeout`], else Envoy's hour
    /// (R-M-101).
    pub idle_timeout: Option<Duration>,
    /// Whether HTTP/1.1 becomes HTTP/2 towards the endpoints.
    pub h2_upgrade: H2Upgrade,
    /// The endpoints are spoken to in the client's protocol; beats `h2_upgrade` (R-M-102).
    pub use_client_protocol: bool,
    /// Most streams on one HTTP/2 connection; `None`: no limit (R-M-103).
    pub max_concurrent_streams: Option<u32>,
    /// Pings on HTTP/2 connections (R-M-103).
    pub http2_keepalive: Option<Http2Keepalive>,
}

short_debug! {
    HttpPool {http1_max_pending_requests, http2_max_requests, max_requests_per_connection,
    max_retries, idle_timeout, h2_upgrade, use_client_protocol, max_concurrent_streams,
    http2_keepalive}
}

/// `h2UpgradePolicy` (R-M-102).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum H2Upgrade {
    /// `DEFAULT`: the mesh's policy, on HTTP ports only.
    #[default]
    Default,
    /// `DO_NOT_UPGRADE`.
    DoNotUpgrade,
    /// `UPGRADE`, even on ports that are not HTTP.
    Upgrade,
}

/// `http2KeepAlive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http2Keepalive {
    /// Between two pings.
    pub interval: Duration,
    /// A ping without an answer for so long closes the connection.
    pub timeout: Duration,
}
