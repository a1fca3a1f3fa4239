//! `envoy.config.cluster.v3` and `envoy.config.endpoint.v3`: clusters and their endpoints.

use std::collections::BTreeMap;

use super::message::messages;
use super::{Any, ConfigSource, Empty, Int64, Metadata, NamedConfig, Span, StringMatcher};

messages! {
    /// `Cluster`: where requests end.
    Cluster {
        /// Its name.
        name: String,
        /// How its endpoints are found.
        #[serde(rename = "type")]
        kind: Option<DiscoveryType>,
        /// How its endpoints are found, by an extension.
        cluster_type: Option<NamedConfig>,
        /// How long a connection may take to be made.
        connect_timeout: Option<Span>,
        /// How endpoints are chosen.
        lb_policy: LbPolicy,
        /// Settings of `ROUND_ROBIN`.
        round_robin_lb_config: Option<SlowStartLbConfig>,
        /// Settings of `LEAST_REQUEST`.
        least_request_lb_config: Option<SlowStartLbConfig>,
        /// Settings of `RING_HASH`.
        ring_hash_lb_config: Option<RingHashLbConfig>,
        /// Settings of `MAGLEV`.
        maglev_lb_config: Option<MaglevLbConfig>,
        /// Settings of the cluster of original destinations.
        original_dst_lb_config: Option<OriginalDstLbConfig>,
        /// Settings of every policy.
        common_lb_config: Option<CommonLbConfig>,
        /// How much may be under way.
        circuit_breakers: Option<CircuitBreakers>,
        /// Which endpoints are left out for a while.
        outlier_detection: Option<OutlierDetection>,
        /// Settings of connections.
        upstream_connection_options: Option<UpstreamConnectionOptions>,
        /// Where the endpoints come from.
        eds_cluster_config: Option<EdsClusterConfig>,
        /// The endpoints.
        load_assignment: Option<ClusterLoadAssignment>,
        /// Settings of HTTP, by the name of the extension.
        typed_extension_protocol_options: BTreeMap<String, Any>,
        /// How endpoints are spoken to.
        transport_socket: Option<NamedConfig>,
        /// How endpoints are spoken to, by what their metadata say.
        transport_socket_matches: Vec<TransportSocketMatch>,
        /// Where it was written: `istio`, `config`.
        metadata: Option<Metadata>,
    }

    /// `Cluster.RoundRobinLbConfig`, `Cluster.LeastRequestLbConfig`.
    SlowStartLbConfig {
        /// New endpoints get their share little by little.
        slow_start_config: Option<SlowStartConfig>,
    }

    /// `Cluster.SlowStartConfig`.
    SlowStartConfig {
        /// For so long.
        slow_start_window: Option<Span>,
        /// How the share grows.
        aggression: Option<RuntimeDouble>,
        /// The share at the beginning.
        min_weight_percent: Option<Percent>,
    }

    /// `envoy.config.core.v3.RuntimeDouble`.
    RuntimeDouble {
        /// The number, unless the runtime says otherwise.
        default_value: f64,
        /// Under which key the runtime may say otherwise.
        runtime_key: String,
    }

    /// `envoy.type.v3.Percent`.
    Percent {
        /// Of a hundred.
        value: f64,
    }

    /// `Cluster.RingHashLbConfig`.
    RingHashLbConfig {
        /// The least number of entries.
        minimum_ring_size: Option<Int64>,
    }

    /// `Cluster.MaglevLbConfig`.
    MaglevLbConfig {
        /// The number of entries.
        table_size: Option<Int64>,
    }

    /// `Cluster.OriginalDstLbConfig`.
    OriginalDstLbConfig {
        /// Instead of the port of the destination.
        upstream_port_override: Option<u32>,
    }

    /// `Cluster.CommonLbConfig`.
    CommonLbConfig {
        /// With fewer healthy endpoints than so many of a hundred, health does not count.
        healthy_panic_threshold: Option<Percent>,
        /// Localities are chosen by weight.
        locality_weighted_lb_config: Option<Empty>,
    }

    /// `CircuitBreakers`.
    CircuitBreakers {
        /// Limits.
        thresholds: Vec<Thresholds>,
    }

    /// `CircuitBreakers.Thresholds`.
    Thresholds {
        /// Connections.
        max_connections: Option<u32>,
        /// Requests that wait.
        max_pending_requests: Option<u32>,
        /// Requests under way.
        max_requests: Option<u32>,
        /// Retries under way.
        max_retries: Option<u32>,
        /// Retries under way, as a share of all requests.
        retry_budget: Option<RetryBudget>,
    }

    /// `CircuitBreakers.Thresholds.RetryBudget`.
    RetryBudget {
        /// The share.
        budget_percent: Option<Percent>,
        /// So many are always allowed.
        min_retry_concurrency: Option<u32>,
    }

    /// `OutlierDetection`.
    OutlierDetection {
        /// Errors in a row.
        consecutive5xx: Option<u32>,
        /// How often they count, of a hundred.
        enforcing_consecutive5xx: Option<u32>,
        /// Errors of gateways in a row.
        consecutive_gateway_failure: Option<u32>,
        /// How often they count, of a hundred.
        enforcing_consecutive_gateway_failure: Option<u32>,
        /// Failures of the proxy's own in a row.
        consecutive_local_origin_failure: Option<u32>,
        /// How often they count, of a hundred.
        enforcing_consecutive_local_origin_failure: Option<u32>,
        /// How often endpoints are looked at.
        interval: Option<Span>,
        /// For how long an endpoint is left out the first time.
        base_ejection_time: Option<Span>,
        /// So many of a hundred may be left out.
        max_ejection_percent: Option<u32>,
        /// How often the rate of successes counts, of a hundred.
        enforcing_success_rate: Option<u32>,
        /// The same for the proxy's own.
        enforcing_local_origin_success_rate: Option<u32>,
        /// The proxy's own failures are counted apart.
        split_external_local_origin_errors: bool,
    }

    /// `UpstreamConnectionOptions`.
    UpstreamConnectionOptions {
        /// Idle connections are tried.
        tcp_keepalive: Option<TcpKeepalive>,
    }

    /// `envoy.config.core.v3.TcpKeepalive`.
    TcpKeepalive {
        /// So many unanswered tries close it.
        keepalive_probes: Option<u32>,
        /// After so many idle seconds.
        keepalive_time: Option<u32>,
        /// So many seconds apart.
        keepalive_interval: Option<u32>,
    }

    /// `Cluster.EdsClusterConfig`.
    EdsClusterConfig {
        /// From where.
        eds_config: ConfigSource,
        /// Their name; the cluster's where this is unset.
        service_name: String,
    }

    /// `Cluster.TransportSocketMatch`.
    TransportSocketMatch {
        /// Its name.
        name: String,
        /// What the metadata of an endpoint must say.
        #[serde(rename = "match")]
        matches: BTreeMap<String, serde_json::Value>,
        /// How such an endpoint is spoken to.
        transport_socket: NamedConfig,
    }

    /// `ClusterLoadAssignment`: the endpoints of a cluster.
    ClusterLoadAssignment {
        /// The cluster.
        cluster_name: String,
        /// By locality and priority.
        endpoints: Vec<LocalityLbEndpoints>,
    }

    /// `LocalityLbEndpoints`: endpoints of one locality.
    LocalityLbEndpoints {
        /// Where they are.
        locality: Option<Locality>,
        /// They.
        lb_endpoints: Vec<LbEndpoint>,
        /// The share of the locality.
        load_balancing_weight: Option<u32>,
        /// 0 is the highest.
        priority: u32,
    }

    /// `envoy.config.core.v3.Locality`.
    Locality {
        /// The region.
        region: String,
        /// The zone of the region.
        zone: String,
        /// The part of the zone.
        sub_zone: String,
    }

    /// `LbEndpoint`.
    LbEndpoint {
        /// Where it is reached.
        endpoint: Endpoint,
        /// Whether it is well; it is where this is unset.
        health_status: Option<HealthStatus>,
        /// Its share of its locality.
        load_balancing_weight: Option<u32>,
        /// What sockets are matched with.
        metadata: Option<Metadata>,
    }

    /// `Endpoint`.
    Endpoint {
        /// Where it is reached.
        address: EndpointAddress,
    }

    /// `envoy.config.core.v3.Address`, of an endpoint.
    EndpointAddress {
        /// Of a network.
        socket_address: Option<super::SocketAddress>,
        /// A Unix domain socket.
        pipe: Option<Pipe>,
    }

    /// `envoy.config.core.v3.Pipe`.
    Pipe {
        /// Its path.
        path: String,
    }

    /// `envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`, without where certificates come from.
    UpstreamTlsContext {
        /// What both ends have.
        common_tls_context: CommonTlsContext,
        /// The server name that is asked for.
        sni: String,
    }

    /// `envoy.extensions.transport_sockets.tls.v3.CommonTlsContext`.
    CommonTlsContext {
        /// Protocols that are offered.
        alpn_protocols: Vec<String>,
        /// The certificate that is shown, by name.
        tls_certificate_sds_secret_configs: Vec<SdsSecretConfig>,
        /// What the other end's is checked with.
        combined_validation_context: Option<CombinedValidationContext>,
    }

    /// `envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig`.
    SdsSecretConfig {
        /// The secret.
        name: String,
    }

    /// `CommonTlsContext.CombinedCertificateValidationContext`.
    CombinedValidationContext {
        /// What its certificate must say.
        default_validation_context: CertificateValidationContext,
        /// Who must have signed it, by name.
        validation_context_sds_secret_config: SdsSecretConfig,
    }

    /// `envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext`.
    CertificateValidationContext {
        /// One of these names.
        match_subject_alt_names: Vec<StringMatcher>,
    }

    /// `envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport`.
    ProxyProtocolUpstreamTransport {
        /// Which version.
        config: Option<ProxyProtocolConfig>,
        /// How endpoints are spoken to then.
        transport_socket: NamedConfig,
    }

    /// `envoy.config.core.v3.ProxyProtocolConfig`.
    ProxyProtocolConfig {
        /// `V2`; `V1` where this is unset.
        version: Option<String>,
    }

    /// `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`.
    HttpProtocolOptions {
        /// Settings of every version.
        common_http_protocol_options: Option<CommonHttpProtocolOptions>,
        /// What TLS asks for is taken from the request.
        upstream_http_protocol_options: Option<UpstreamHttpProtocolOptions>,
        /// One version.
        explicit_http_config: Option<HttpVersions>,
        /// The version that the client speaks.
        use_downstream_protocol_config: Option<HttpVersions>,
    }

    /// `envoy.config.core.v3.HttpProtocolOptions`.
    CommonHttpProtocolOptions {
        /// How long a connection may be idle.
        idle_timeout: Option<Span>,
        /// How long a connection may live.
        max_connection_duration: Option<Span>,
        /// So many requests go over one.
        max_requests_per_connection: Option<u32>,
    }

    /// `envoy.config.core.v3.UpstreamHttpProtocolOptions`.
    UpstreamHttpProtocolOptions {
        /// The server name is the request's host.
        auto_sni: bool,
        /// And the certificate must be for it.
        auto_san_validation: bool,
    }

    /// `HttpProtocolOptions.ExplicitHttpConfig`, `HttpProtocolOptions.UseDownstreamHttpConfig`.
    HttpVersions {
        /// HTTP/1.1.
        http_protocol_options: Option<Empty>,
        /// HTTP/2.
        http2_protocol_options: Option<Http2ProtocolOptions>,
    }

    /// `envoy.config.core.v3.Http2ProtocolOptions`.
    Http2ProtocolOptions {
        /// So many requests at once.
        max_concurrent_streams: Option<u32>,
    }
}

/// `Cluster.DiscoveryType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum DiscoveryType {
    /// The cluster says its endpoints.
    #[default]
    Static,
    /// Its names resolve to endpoints.
    StrictDns,
    /// Its name resolves to one endpoint at a time.
    LogicalDns,
    /// A server says its endpoints.
    Eds,
    /// Where the connection was made to.
    OriginalDst,
}

/// `Cluster.LbPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum LbPolicy {
    /// In turn.
    #[default]
    RoundRobin,
    /// The one of two with fewer requests.
    LeastRequest,
    /// By a hash, on a ring.
    RingHash,
    /// Any.
    Random,
    /// By a hash, in a table.
    Maglev,
    /// By the way in which they are found.
    ClusterProvided,
    /// By an extension.
    LoadBalancingPolicyConfig,
}

/// `envoy.config.core.v3.HealthStatus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum HealthStatus {
    /// Not known: well.
    #[default]
    Unknown,
    /// Well.
    Healthy,
    /// Not well.
    Unhealthy,
    /// Going away.
    Draining,
    /// Too slow to say.
    Timeout,
    /// Well, but not as well as others.
    Degraded,
}
