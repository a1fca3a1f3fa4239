//! `networking.istio.io` DestinationRule, as written.

use super::{Labels, PortSelector};
use crate::terms::duration::ProtoDuration;
use std::collections::BTreeMap;

message! {
    /// What happens to traffic once it has been routed to a host.
    pub struct DestinationRule as "DestinationRule" {
        /// The host.
        "host" host: String,
        /// The policy for the host.
        "trafficPolicy" traffic_policy: Option<Box<TrafficPolicy>>,
        /// Named groups of the host's endpoints.
        "subsets" subsets: Vec<Subset>,
        /// The namespaces that see it.
        "exportTo" export_to: Vec<String>,
        /// The client workloads that it is for.
        "workloadSelector" workload_selector: Option<LabelSelector>,
    }
}

message! {
    /// Workloads by their labels (`istio.type.v1beta1.WorkloadSelector`).
    pub struct LabelSelector as "WorkloadSelector" {
        /// Labels that a workload must have.
        "matchLabels" match_labels: Labels,
    }
}

message! {
    /// Policies for the connections to a host.
    pub struct TrafficPolicy as "TrafficPolicy" {
        /// Choice of the endpoint.
        "loadBalancer" load_balancer: Option<LoadBalancerSettings>,
        /// Limits of connections.
        "connectionPool" connection_pool: Option<ConnectionPoolSettings>,
        /// Ejection of failing endpoints.
        "outlierDetection" outlier_detection: Option<OutlierDetection>,
        /// TLS towards the host.
        "tls" tls: Option<ClientTlsSettings>,
        /// Policies of single ports, which replace those above.
        "portLevelSettings" port_level_settings: Vec<PortTrafficPolicy>,
        /// Tunnelling of TCP over HTTP.
        "tunnel" tunnel: Option<TunnelSettings>,
        /// The PROXY protocol towards the host.
        "proxyProtocol" proxy_protocol: Option<ProxyProtocol>,
        /// A budget of retries.
        "retryBudget" retry_budget: Option<RetryBudget>,
    }
}

message! {
    /// Policies for one port of a host.
    pub struct PortTrafficPolicy as "TrafficPolicy.PortTrafficPolicy" {
        /// The port.
        "port" port: Option<PortSelector>,
        /// Choice of the endpoint.
        "loadBalancer" load_balancer: Option<LoadBalancerSettings>,
        /// Limits of connections.
        "connectionPool" connection_pool: Option<ConnectionPoolSettings>,
        /// Ejection of failing endpoints.
        "outlierDetection" outlier_detection: Option<OutlierDetection>,
        /// TLS towards the host.
        "tls" tls: Option<ClientTlsSettings>,
    }
}

message! {
    /// A tunnel.
    pub struct TunnelSettings as "TrafficPolicy.TunnelSettings" {
        /// `CONNECT` or `POST`; empty means `CONNECT`.
        "protocol" protocol: String,
        /// The host to which the tunnel leads.
        "targetHost" target_host: String,
        /// The port to which the tunnel leads.
        "targetPort" target_port: u32,
    }
}

message! {
    /// The PROXY protocol.
    pub struct ProxyProtocol as "TrafficPolicy.ProxyProtocol" {
        /// Its version.
        "version" version: ProxyProtocolVersion,
    }
}

enumeration! {
    /// A version of the PROXY protocol.
    pub enum ProxyProtocolVersion as "TrafficPolicy.ProxyProtocol.VERSION" {
        /// Text.
        V1 = 0 "V1",
        /// Binary.
        V2 = 1 "V2",
    }
}

message! {
    /// A budget of retries.
    pub struct RetryBudget as "TrafficPolicy.RetryBudget" {
        /// Retries in percent of the requests in flight; none means 20.
        "percent" percent: Option<f64>,
        /// Retries that are always allowed; 0 means 3.
        "minRetryConcurrency" min_retry_concurrency: u32,
        /// The window over which requests are counted.
        "budgetInterval" budget_interval: Option<ProtoDuration>,
    }
}

message! {
    /// A named group of a host's endpoints.
    pub struct Subset as "Subset" {
        /// Its name.
        "name" name: String,
        /// Labels that its endpoints have.
        "labels" labels: Labels,
        /// Policies that override those of the host.
        "trafficPolicy" traffic_policy: Option<Box<TrafficPolicy>>,
    }
}

message! {
    /// Choice of the endpoint.
    pub struct LoadBalancerSettings as "LoadBalancerSettings" {
        /// A simple algorithm.
        "simple" simple: Option<SimpleLb>,
        /// Consistent hashing.
        "consistentHash" consistent_hash: Option<ConsistentHashLb>,
        /// Preference of near endpoints.
        "localityLbSetting" locality_lb_setting: Option<LocalityLoadBalancerSetting>,
        /// Slow start; deprecated form of `warmup`.
        "warmupDurationSecs" warmup_duration_secs: Option<ProtoDuration>,
        /// Slow start of new endpoints.
        "warmup" warmup: Option<WarmupConfiguration>,
        /// Preference of endpoints in the same zone.
        "zoneAwareLbSetting" zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
    }
    oneof ["simple", "consistentHash"]
}

enumeration! {
    /// Simple algorithms.
    pub enum SimpleLb as "LoadBalancerSettings.SimpleLB" {
        /// Istio's default.
        Unspecified = 0 "UNSPECIFIED",
        /// Deprecated name of `LEAST_REQUEST`.
        LeastConn = 1 "LEAST_CONN",
        /// At random.
        Random = 2 "RANDOM",
        /// The address that the client asked for.
        Passthrough = 3 "PASSTHROUGH",
        /// In turn.
        RoundRobin = 4 "ROUND_ROBIN",
        /// The less busy of two.
        LeastRequest = 5 "LEAST_REQUEST",
    }
}

message! {
    /// Consistent hashing: what is hashed, and how.
    pub struct ConsistentHashLb as "LoadBalancerSettings.ConsistentHashLB" {
        /// A header.
        "httpHeaderName" http_header_name: Option<String>,
        /// A cookie.
        "httpCookie" http_cookie: Option<HttpCookie>,
        /// The client's address.
        "useSourceIp" use_source_ip: Option<bool>,
        /// A query parameter.
        "httpQueryParameterName" http_query_parameter_name: Option<String>,
        /// A hash ring.
        "ringHash" ring_hash: Option<RingHash>,
        /// A Maglev table.
        "maglev" maglev: Option<MagLev>,
        /// Deprecated form of `ringHash`.
        "minimumRingSize" minimum_ring_size: u64,
    }
    oneof ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] ["ringHash", "maglev"]
}

message! {
    /// A cookie that is hashed.
    pub struct HttpCookie as "LoadBalancerSettings.ConsistentHashLB.HTTPCookie" {
        /// Its name.
        "name" name: String,
        /// Its path.
        "path" path: String,
        /// Its lifetime; none: never made, zero: for the session.
        "ttl" ttl: Option<ProtoDuration>,
        /// Further attributes.
        "attributes" attributes: Vec<HttpCookieAttribute>,
    }
}

message! {
    /// An attribute of a cookie.
    pub struct HttpCookieAttribute as "LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute" {
        /// Its name.
        "name" name: String,
        /// Its value.
        "value" value: String,
    }
}

message! {
    /// A hash ring.
    pub struct RingHash as "LoadBalancerSettings.ConsistentHashLB.RingHash" {
        /// Its least size.
        "minimumRingSize" minimum_ring_size: u64,
    }
}

message! {
    /// A Maglev table.
    pub struct MagLev as "LoadBalancerSettings.ConsistentHashLB.MagLev" {
        /// Its size, a prime.
        "tableSize" table_size: u64,
    }
}

message! {
    /// Slow start of new endpoints.
    pub struct WarmupConfiguration as "WarmupConfiguration" {
        /// How long.
        "duration" duration: Option<ProtoDuration>,
        /// The share at the beginning in percent.
        "minimumPercent" minimum_percent: Option<f64>,
        /// The curve; 1 is linear.
        "aggression" aggression: Option<f64>,
    }
}

message! {
    /// Preference of near endpoints.
    pub struct LocalityLoadBalancerSetting as "LocalityLoadBalancerSetting" {
        /// Shares by locality.
        "distribute" distribute: Vec<LocalityDistribute>,
        /// Regions to fall back to.
        "failover" failover: Vec<LocalityFailover>,
        /// Labels by which endpoints are ranked.
        "failoverPriority" failover_priority: Vec<String>,
        /// Whether it applies; none means yes.
        "enabled" enabled: Option<bool>,
    }
}

message! {
    /// Shares of the traffic from one locality.
    pub struct LocalityDistribute as "LocalityLoadBalancerSetting.Distribute" {
        /// The client's locality.
        "from" from: String,
        /// The shares in percent.
        "to" to: BTreeMap<String, u32>,
    }
}

message! {
    /// The region to fall back to.
    pub struct LocalityFailover as "LocalityLoadBalancerSetting.Failover" {
        /// The client's region.
        "from" from: String,
        /// The other region.
        "to" to: String,
    }
}

message! {
    /// Preference of endpoints in the same zone.
    pub struct ZoneAwareLoadBalancerSetting as "ZoneAwareLoadBalancerSetting" {
        /// Whether it applies.
        "enabled" enabled: Option<bool>,
        /// Regions to fall back to.
        "failover" failover: Vec<LocalityFailover>,
        /// Labels by which endpoints are ranked.
        "failoverPriority" failover_priority: Vec<String>,
        /// The number of endpoints below which it does not apply; none means 6.
        "minClusterSize" min_cluster_size: Option<u32>,
    }
}

message! {
    /// Limits of connections.
    pub struct ConnectionPoolSettings as "ConnectionPoolSettings" {
        /// For all connections.
        "tcp" tcp: Option<TcpSettings>,
        /// For HTTP.
        "http" http: Option<HttpSettings>,
    }
}

message! {
    /// Limits of all connections.
    pub struct TcpSettings as "ConnectionPoolSettings.TCPSettings" {
        /// How many.
        "maxConnections" max_connections: i32,
        /// The time to connect.
        "connectTimeout" connect_timeout: Option<ProtoDuration>,
        /// Keep-alive probes.
        "tcpKeepalive" tcp_keepalive: Option<TcpKeepalive>,
        /// How long a connection lives at most.
        "maxConnectionDuration" max_connection_duration: Option<ProtoDuration>,
        /// How long a connection may be idle.
        "idleTimeout" idle_timeout: Option<ProtoDuration>,
    }
}

message! {
    /// Keep-alive probes of TCP.
    pub struct TcpKeepalive as "ConnectionPoolSettings.TCPSettings.TcpKeepalive" {
        /// How many unanswered probes end the connection.
        "probes" probes: u32,
        /// The idle time before the first.
        "time" time: Option<ProtoDuration>,
        /// The time between two.
        "interval" interval: Option<ProtoDuration>,
    }
}

message! {
    /// Limits of HTTP connections.
    pub struct HttpSettings as "ConnectionPoolSettings.HTTPSettings" {
        /// Requests that wait for a connection.
        "http1MaxPendingRequests" http1_max_pending_requests: i32,
        /// Requests in flight.
        "http2MaxRequests" http2_max_requests: i32,
        /// Requests for one connection.
        "maxRequestsPerConnection" max_requests_per_connection: i32,
        /// Retries in flight.
        "maxRetries" max_retries: i32,
        /// How long a connection may be idle.
        "idleTimeout" idle_timeout: Option<ProtoDuration>,
        /// Whether HTTP/1.1 becomes HTTP/2.
        "h2UpgradePolicy" h2_upgrade_policy: H2UpgradePolicy,
        /// Whether the client's protocol is kept.
        "useClientProtocol" use_client_protocol: bool,
        /// Streams of one connection.
        "maxConcurrentStreams" max_concurrent_streams: i32,
        /// HTTP/2 pings.
        "http2KeepAlive" http2_keep_alive: Option<Http2KeepAlive>,
    }
}

message! {
    /// HTTP/2 pings.
    pub struct Http2KeepAlive as "ConnectionPoolSettings.HTTPSettings.Http2KeepAlive" {
        /// The time between two.
        "interval" interval: Option<ProtoDuration>,
        /// The time for the answer.
        "timeout" timeout: Option<ProtoDuration>,
    }
}

enumeration! {
    /// Whether HTTP/1.1 becomes HTTP/2.
    pub enum H2UpgradePolicy as "ConnectionPoolSettings.HTTPSettings.H2UpgradePolicy" {
        /// As the mesh says.
        Default = 0 "DEFAULT",
        /// No.
        DoNotUpgrade = 1 "DO_NOT_UPGRADE",
        /// Yes.
        Upgrade = 2 "UPGRADE",
    }
}

message! {
    /// Ejection of failing endpoints.
    pub struct OutlierDetection as "OutlierDetection" {
        /// Deprecated and without effect.
        "consecutiveErrors" consecutive_errors: i32,
        /// Whether local failures are counted apart.
        "splitExternalLocalOriginErrors" split_external_local_origin_errors: bool,
        /// Local failures before ejection.
        "consecutiveLocalOriginFailures" consecutive_local_origin_failures: Option<u32>,
        /// Gateway errors (502, 503, 504) before ejection.
        "consecutiveGatewayErrors" consecutive_gateway_errors: Option<u32>,
        /// 5xx answers before ejection.
        "consecutive5xxErrors" consecutive_5xx_errors: Option<u32>,
        /// The time between two sweeps.
        "interval" interval: Option<ProtoDuration>,
        /// The least time of ejection.
        "baseEjectionTime" base_ejection_time: Option<ProtoDuration>,
        /// The largest share of ejected endpoints in percent.
        "maxEjectionPercent" max_ejection_percent: i32,
        /// The share of healthy endpoints in percent below which it does not apply.
        "minHealthPercent" min_health_percent: i32,
        /// Status codes that are errors, in place of 5xx.
        "outlierDetectionHttpErrorCodes" outlier_detection_http_error_codes: Vec<u32>,
    }
}

message! {
    /// TLS towards a host.
    pub struct ClientTlsSettings as "ClientTLSSettings" {
        /// Which.
        "mode" mode: ClientTlsMode,
        /// The path of the client's certificate.
        "clientCertificate" client_certificate: String,
        /// The path of the client's key.
        "privateKey" private_key: String,
        /// The path of the trusted certificates.
        "caCertificates" ca_certificates: String,
        /// The secret with certificate and key.
        "credentialName" credential_name: String,
        /// Names of which the server's certificate must have one.
        "subjectAltNames" subject_alt_names: Vec<String>,
        /// The server name of the handshake.
        "sni" sni: String,
        /// Whether the server's certificate goes unchecked.
        "insecureSkipVerify" insecure_skip_verify: Option<bool>,
        /// The path of the revocation list.
        "caCrl" ca_crl: String,
    }
}

enumeration! {
    /// Modes of TLS towards a host.
    pub enum ClientTlsMode as "ClientTLSSettings.TLSmode" {
        /// None.
        Disable = 0 "DISABLE",
        /// TLS.
        Simple = 1 "SIMPLE",
        /// TLS with a client certificate.
        Mutual = 2 "MUTUAL",
        /// TLS with the mesh's own certificates.
        IstioMutual = 3 "ISTIO_MUTUAL",
    }
}
