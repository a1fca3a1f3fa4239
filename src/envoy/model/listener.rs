//! `envoy.config.listener.v3`: listeners, their filter chains, and the network filters that route.

use super::message::messages;
use super::{
    Address, ConnectionProperties, Empty, Metadata, NamedConfig, RouteConfiguration, Span,
};

messages! {
    /// `Listener`: an address and what becomes of connections to it.
    Listener {
        /// Its name.
        name: String,
        /// Where it listens.
        address: Address,
        /// Its filter chains; the most specific one that fits is taken.
        filter_chains: Vec<FilterChain>,
        /// Taken where none fits.
        default_filter_chain: Option<FilterChain>,
        /// Connections to other addresses are handed on to the listeners there.
        use_original_dst: Option<bool>,
        /// `false`: connections are handed on to it by one that takes them for all addresses.
        bind_to_port: Option<bool>,
        /// What looks at the first bytes.
        listener_filters: Vec<NamedConfig>,
        /// How long the first bytes are waited for.
        listener_filters_timeout: Option<Span>,
        /// A connection whose first bytes do not come is taken.
        continue_on_listener_filters_timeout: bool,
        /// `INBOUND` or `OUTBOUND`.
        traffic_direction: Option<TrafficDirection>,
        /// Of which side it is, where a proxy has two: `meshroute`, `side`.
        metadata: Option<Metadata>,
    }

    /// `FilterChain`: what it asks of a connection, and what it does.
    FilterChain {
        /// Its name.
        name: String,
        /// What it asks.
        filter_chain_match: Option<FilterChainMatch>,
        /// What it does.
        filters: Vec<NamedConfig>,
        /// How it is protected.
        transport_socket: Option<NamedConfig>,
        /// Where it was written: `istio`, `config`.
        metadata: Option<Metadata>,
    }

    /// `FilterChainMatch`: what is asked of a connection.
    FilterChainMatch {
        /// The port that it was made to.
        destination_port: Option<u32>,
        /// Ranges of the address that it was made to.
        prefix_ranges: Vec<CidrRange>,
        /// Exact, or `*.suffix`.
        server_names: Vec<String>,
        /// `tls` or `raw_buffer`.
        transport_protocol: String,
        /// One of these.
        application_protocols: Vec<String>,
    }

    /// `envoy.config.core.v3.CidrRange`.
    CidrRange {
        /// An address.
        address_prefix: String,
        /// How many bits of it count; none where this is unset.
        prefix_len: Option<u32>,
    }

    /// `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`: routes HTTP requests.
    HttpConnectionManager {
        /// What its statistics are called.
        stat_prefix: String,
        /// Its route configuration, by name.
        rds: Option<Rds>,
        /// Its route configuration.
        route_config: Option<RouteConfiguration>,
        /// What requests go through; the last one routes.
        http_filters: Vec<NamedConfig>,
        /// Clients are strangers.
        use_remote_address: Option<bool>,
        /// How many proxies before it are believed.
        xff_num_trusted_hops: u32,
        /// Paths are brought into a normal form.
        normalize_path: Option<bool>,
        /// And `//` becomes `/`.
        merge_slashes: bool,
        /// What becomes of `%2F` and `%5C`.
        path_with_escaped_slashes_action: Option<EscapedSlashes>,
        /// What becomes of `x-forwarded-client-cert`.
        forward_client_cert_details: Option<ForwardClientCertDetails>,
        /// The upstream is told the port where a request arrived.
        append_x_forwarded_port: bool,
        /// What every version of HTTP has.
        common_http_protocol_options: Option<DownstreamHttpOptions>,
    }

    /// `envoy.config.core.v3.HttpProtocolOptions`, of a connection manager.
    DownstreamHttpOptions {
        /// What becomes of headers that have a `_` in their name.
        headers_with_underscores_action: Option<UnderscoresAction>,
    }

    /// `envoy.extensions.filters.http.router.v3.Router`.
    HttpRouter {
        /// The upstream is not told what the proxy does.
        suppress_envoy_headers: bool,
    }

    /// `Rds`: a route configuration by name.
    Rds {
        /// From where.
        config_source: ConfigSource,
        /// The name.
        route_config_name: String,
    }

    /// `envoy.config.core.v3.ConfigSource`.
    ConfigSource {
        /// From the server that everything comes from.
        ads: Option<Empty>,
        /// Of the API.
        resource_api_version: Option<String>,
        /// How long is waited for it.
        initial_fetch_timeout: Option<Span>,
    }

    /// `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`: forwards bytes.
    TcpProxy {
        /// What its statistics are called.
        stat_prefix: String,
        /// The cluster.
        cluster: Option<String>,
        /// One of several clusters.
        weighted_clusters: Option<WeightedTcpClusters>,
        /// How long a connection may be idle.
        idle_timeout: Option<Span>,
        /// How long a connection may live.
        max_downstream_connection_duration: Option<Span>,
        /// What consistent hashing looks at.
        hash_policy: Vec<TcpHashPolicy>,
        /// The HTTP proxy that it goes through.
        tunneling_config: Option<TunnelingConfig>,
    }

    /// `TcpProxy.WeightedCluster`: a split.
    WeightedTcpClusters {
        /// The clusters.
        clusters: Vec<TcpClusterWeight>,
    }

    /// `TcpProxy.WeightedCluster.ClusterWeight`.
    TcpClusterWeight {
        /// The cluster.
        name: String,
        /// Its share of the sum.
        weight: u32,
    }

    /// `envoy.type.v3.HashPolicy`.
    TcpHashPolicy {
        /// The client's address.
        source_ip: Option<Empty>,
    }

    /// `TcpProxy.TunnelingConfig`.
    TunnelingConfig {
        /// Where the tunnel ends: `host:port`.
        hostname: String,
        /// By `POST` instead of `CONNECT`.
        use_post: bool,
    }

    /// `envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`, without its certificates.
    DownstreamTlsContext {
        /// What both ends have.
        common_tls_context: Empty,
    }
}

impl ConnectionProperties {
    /// The client's address.
    pub(crate) fn source() -> Self {
        ConnectionProperties { source_ip: true }
    }
}

/// `envoy.config.core.v3.TrafficDirection`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum TrafficDirection {
    /// Not said.
    #[default]
    Unspecified,
    /// To the workload.
    Inbound,
    /// From the workload.
    Outbound,
}

/// `HttpProtocolOptions.HeadersWithUnderscoresAction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum UnderscoresAction {
    /// Nothing.
    #[default]
    Allow,
    /// Such a request is refused.
    RejectRequest,
    /// They are dropped.
    DropHeader,
}

/// `HttpConnectionManager.PathWithEscapedSlashesAction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum EscapedSlashes {
    /// They stay.
    #[default]
    ImplementationSpecificDefault,
    /// They stay.
    KeepUnchanged,
    /// Such a request is refused.
    RejectRequest,
    /// They become slashes, and the client is sent there.
    UnescapeAndRedirect,
    /// They become slashes.
    UnescapeAndForward,
}

/// `HttpConnectionManager.ForwardClientCertDetails`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ForwardClientCertDetails {
    /// It is removed.
    #[default]
    Sanitize,
    /// It is kept where the client has shown a certificate.
    ForwardOnly,
    /// The same, and what the client has shown is appended.
    AppendForward,
    /// It is removed, and what the client has shown is written.
    SanitizeSet,
    /// It is kept.
    AlwaysForwardOnly,
}
