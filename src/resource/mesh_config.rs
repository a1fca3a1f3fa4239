//! MeshConfig: the settings of the whole mesh that have to do with routing, as written.

use super::gateway_api::LabelSelector;
use super::{
    ConnectionPoolSettings, H2UpgradePolicy, HttpRetry, Labels, LocalityLoadBalancerSetting,
    OutboundTrafficPolicy, OutlierDetection, TcpKeepalive, ZoneAwareLoadBalancerSetting,
};
use crate::terms::duration::ProtoDuration;

message! {
    /// Settings of the whole mesh.
    pub struct MeshConfig as "MeshConfig" {
        /// The namespace whose resources are for all; empty means `istio-system`.
        "rootNamespace" root_namespace: String,
        /// Where Services and ServiceEntries without `exportTo` are visible; none means everywhere.
        "defaultServiceExportTo" default_service_export_to: Vec<String>,
        /// Where VirtualServices without `exportTo` are visible; none means everywhere.
        "defaultVirtualServiceExportTo" default_virtual_service_export_to: Vec<String>,
        /// Where DestinationRules without `exportTo` are visible; none means everywhere.
        "defaultDestinationRuleExportTo" default_destination_rule_export_to: Vec<String>,
        /// What happens to traffic to unknown hosts; none means `ALLOW_ANY`.
        "outboundTrafficPolicy" outbound_traffic_policy: Option<OutboundTrafficPolicy>,
        /// The retry policy of routes without one.
        "defaultHttpRetryPolicy" default_http_retry_policy: Option<HttpRetry>,
        /// Normalization of paths before matching.
        "pathNormalization" path_normalization: Option<ProxyPathNormalization>,
        /// Settings of every proxy that has none of its own.
        "defaultConfig" default_config: Option<ProxyConfig>,
        /// Preference of near endpoints.
        "localityLbSetting" locality_lb_setting: Option<LocalityLoadBalancerSetting>,
        /// Preference of endpoints in the same zone.
        "zoneAwareLbSetting" zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
        /// The time to connect; none means 10 s.
        "connectTimeout" connect_timeout: Option<ProtoDuration>,
        /// Keep-alive probes.
        "tcpKeepalive" tcp_keepalive: Option<TcpKeepalive>,
        /// Whether mutual TLS is chosen without being asked for; none means yes.
        "enableAutoMtls" enable_auto_mtls: Option<bool>,
        /// Whether HTTP/1.1 becomes HTTP/2.
        "h2UpgradePolicy" h2_upgrade_policy: H2UpgradePolicy,
        /// The trust domain.
        "trustDomain" trust_domain: String,
        /// Other names of the trust domain.
        "trustDomainAliases" trust_domain_aliases: Vec<String>,
        /// Policies of hosts whose DestinationRule has none.
        "defaultTrafficPolicy" default_traffic_policy: Option<DefaultTrafficPolicy>,
        /// Which namespaces Istio looks at; none means all.
        "discoverySelectors" discovery_selectors: Vec<LabelSelector>,
        /// How far ServiceEntries can be seen at most; none means as far as they say.
        "serviceEntryVisibility" service_entry_visibility: Option<ServiceEntryVisibility>,
        /// How long a listener waits for the protocol's first bytes.
        "protocolDetectionTimeout" protocol_detection_timeout: Option<ProtoDuration>,
    }
    ignored [
        "accessLogEncoding", "accessLogFile", "accessLogFormat", "ca", "caCertificates", "certificates", "configSources",
        "defaultProviders", "disableEnvoyListenerLog", "disableMixerHttpReports",
        "dnsRefreshRate", "enableEnvoyAccessLogService", "enablePrometheusMerge", "enableTracing", "extensionProviders",
        "inboundClusterStatName", "inboundTrafficPolicy", "ingressClass", "ingressControllerMode", "ingressSelector",
        "ingressService", "meshMTLS", "mixerCheckServer", "mixerReportServer", "outboundClusterStatName",
        "proxyHttpPort", "proxyInboundListenPort", "proxyListenPort", "sdsUdsPath", "serviceScopeConfigs",
        "serviceSettings", "thriftConfig", "tlsDefaults", "verifyCertificateAtClient",
    ]
}

impl MeshConfig {
    /// Whether the labels of namespaces decide which resources count.
    pub(crate) fn selects_namespaces(&self) -> bool {
        !self.discovery_selectors.is_empty()
    }

    /// What caps the visibility of ServiceEntries for Envoy; `None`: nothing.
    pub(crate) fn visibility_of_service_entries(&self) -> Option<&ServiceEntryVisibility> {
        let written = self.service_entry_visibility.as_ref();
        written.filter(|written| written.apply_to_sidecars)
    }

    /// Whether that depends on the namespaces of the ServiceEntries.
    pub(crate) fn caps_by_namespace(&self) -> bool {
        let visibility = self.visibility_of_service_entries();
        visibility.is_some_and(|written| !written.policies.is_empty())
    }
}

message! {
    /// How far ServiceEntries can be seen at most.
    pub struct ServiceEntryVisibility as "ServiceEntryVisibility" {
        /// Where no policy matches.
        "defaultVisibility" default_visibility: VisibilityCap,
        /// The first that matches holds.
        "policies" policies: Vec<ServiceEntryVisibilityPolicy>,
        /// Whether it also holds for sidecars and gateways.
        "applyToSidecars" apply_to_sidecars: bool,
    }
}

message! {
    /// How far the ServiceEntries of some namespaces can be seen.
    pub struct ServiceEntryVisibilityPolicy as "ServiceEntryVisibility.Policy" {
        /// How far.
        "visibility" visibility: VisibilityCap,
        /// All of them have to match; none means that it always matches.
        "matchingRules" matching_rules: Vec<ServiceEntryVisibilityRule>,
    }
}

message! {
    /// What a ServiceEntry is matched by.
    pub struct ServiceEntryVisibilityRule as "ServiceEntryVisibility.MatchRule" {
        /// The labels of its namespace; without it, the rule never matches.
        "namespaceSelector" namespace_selector: Option<LabelSelector>,
    }
}

enumeration! {
    /// How far a ServiceEntry can be seen at most.
    pub enum VisibilityCap as "ServiceEntryVisibility.Visibility" {
        /// As `PUBLIC`.
        Unspecified = 0 "UNSPECIFIED",
        /// As far as it says.
        Public = 1 "PUBLIC",
        /// In its own namespace.
        Namespace = 2 "NAMESPACE",
        /// Nowhere.
        None = 3 "NONE",
    }
}

message! {
    /// Policies of hosts whose DestinationRule has none.
    pub struct DefaultTrafficPolicy as "MeshConfig.DefaultTrafficPolicy" {
        /// Limits of connections.
        "connectionPool" connection_pool: Option<ConnectionPoolSettings>,
        /// Ejection of failing endpoints.
        "outlierDetection" outlier_detection: Option<OutlierDetection>,
    }
}

message! {
    /// Settings of a proxy.
    pub struct ProxyConfig as "ProxyConfig" {
        /// What stands before a gateway.
        "gatewayTopology" gateway_topology: Option<Topology>,
        /// Headers that the proxy adds by itself.
        "proxyHeaders" proxy_headers: Option<ProxyHeaders>,
        /// How connections are handled.
        "connectionSettings" connection_settings: Option<ConnectionSettings>,
        /// Environment of the proxy: `ISTIO_META_*` is what it says of itself.
        "proxyMetadata" proxy_metadata: Labels,
    }
    ignored [
        "availabilityZone", "binaryPath", "caCertificatesPem", "concurrency", "configPath", "controlPlaneAuthPolicy",
        "customConfigFile", "discoveryAddress", "discoveryRefreshDelay", "drainDuration", "envoyAccessLogService",
        "envoyMetricsService", "envoyMetricsServiceAddress", "extraStatTags", "fileFlushInterval", "fileFlushMinSizeKb",
        "holdApplicationUntilProxyStarts", "image", "meshId", "privateKeyProvider", "proxyAdminPort",
        "proxyBootstrapTemplatePath", "proxyStatsMatcher", "readinessProbe",
        "runtimeValues", "sds", "serviceCluster", "statNameLength", "statsdUdpAddress", "statusPort",
        "terminationDrainDuration", "tracing", "tracingServiceName", "zipkinAddress",
    ]
    not_evaluated [
        "interceptionMode" "with `NONE`, nothing is intercepted, and a sidecar has the listeners of its Sidecar only",
    ]
}

message! {
    /// Headers that a proxy adds by itself.
    pub struct ProxyHeaders as "ProxyConfig.ProxyHeaders" {
        /// `x-envoy-attempt-count`.
        "attemptCount" attempt_count: Option<DisabledHeader>,
        /// `x-envoy-*` that say what the proxy does.
        "envoyDebugHeaders" envoy_debug_headers: Option<DisabledHeader>,
        /// `x-forwarded-host`.
        "xForwardedHost" x_forwarded_host: Option<EnabledHeader>,
        /// `x-forwarded-port`.
        "xForwardedPort" x_forwarded_port: Option<EnabledHeader>,
    }
    ignored [
        "forwardedClientCert", "metadataExchangeHeaders", "preserveHttp1HeaderCase", "requestId", "server",
        "setCurrentClientCertDetails",
    ]
}

message! {
    /// A header that is there unless it is said not to be.
    pub struct DisabledHeader as "ProxyConfig.ProxyHeaders.Header" {
        /// Whether it is left out.
        "disabled" disabled: Option<bool>,
    }
}

message! {
    /// A header that is there if it is said to be.
    pub struct EnabledHeader as "ProxyConfig.ProxyHeaders.Header" {
        /// Whether it is there.
        "enabled" enabled: Option<bool>,
    }
}

message! {
    /// How connections are handled.
    pub struct ConnectionSettings as "ProxyConfig.ConnectionSettings" {
        /// What is not said is as this profile has it.
        "profile" profile: ConnectionProfile,
        /// Whether `//` becomes `/`.
        "httpMergeSlashes" http_merge_slashes: Option<bool>,
        /// What is done with escaped slashes.
        "httpPathWithEscapedSlashesAction" http_path_with_escaped_slashes_action: EscapedSlashesAction,
        /// What is done with headers that have a `_` in their name.
        "httpHeadersWithUnderscoresAction" http_headers_with_underscores_action: HeadersWithUnderscoresAction,
    }
    ignored [
        "clusterPerConnectionBufferLimitBytes", "http2InitialConnectionWindowSize", "http2InitialStreamWindowSize",
        "httpDrainTimeout", "httpIdleTimeout", "httpMaxConcurrentStreams", "httpMaxConnectionDuration",
        "httpMaxStreamDuration", "httpRequestHeadersTimeout", "httpRequestTimeout", "httpStreamIdleTimeout",
        "listenerPerConnectionBufferLimitBytes",
    ]
}

enumeration! {
    /// Whom a proxy faces.
    pub enum ConnectionProfile as "ProxyConfig.ConnectionSettings.Profile" {
        /// As if it were not written.
        Unspecified = 0 "PROFILE_UNSPECIFIED",
        /// The mesh.
        Sidecar = 1 "SIDECAR",
        /// The world.
        Edge = 2 "EDGE",
    }
}

enumeration! {
    /// What is done with escaped slashes.
    pub enum EscapedSlashesAction as "ProxyConfig.ConnectionSettings.PathWithEscapedSlashesAction" {
        /// As if it were not written.
        Unspecified = 0 "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED",
        /// Nothing.
        KeepUnchanged = 1 "KEEP_UNCHANGED",
        /// The request is refused.
        RejectRequest = 2 "REJECT_REQUEST",
        /// They are decoded, and the client is sent to what comes out.
        UnescapeAndRedirect = 3 "UNESCAPE_AND_REDIRECT",
        /// They are decoded.
        UnescapeAndForward = 4 "UNESCAPE_AND_FORWARD",
    }
}

enumeration! {
    /// What is done with headers that have a `_` in their name.
    pub enum HeadersWithUnderscoresAction as "ProxyConfig.ConnectionSettings.HeadersWithUnderscoresAction" {
        /// As if it were not written.
        Unspecified = 0 "HEADERS_WITH_UNDERSCORES_UNSPECIFIED",
        /// Nothing.
        Allow = 1 "HEADERS_WITH_UNDERSCORES_ALLOW",
        /// The request is refused.
        RejectRequest = 2 "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
        /// They are dropped.
        DropHeader = 3 "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
    }
}

message! {
    /// What stands before a gateway.
    pub struct Topology as "Topology" {
        /// How many trusted proxies.
        "numTrustedProxies" num_trusted_proxies: Option<u32>,
        /// What becomes of `x-forwarded-client-cert`.
        "forwardClientCertDetails" forward_client_cert_details: ForwardClientCertDetails,
    }
    ignored ["proxyProtocol"]
}

enumeration! {
    /// What becomes of `x-forwarded-client-cert`.
    pub enum ForwardClientCertDetails as "ForwardClientCertDetails" {
        /// As if it were not written.
        Undefined = 0 "UNDEFINED",
        /// Removed.
        Sanitize = 1 "SANITIZE",
        /// Kept, with mutual TLS.
        ForwardOnly = 2 "FORWARD_ONLY",
        /// Kept and appended to, with mutual TLS.
        AppendForward = 3 "APPEND_FORWARD",
        /// Replaced, with mutual TLS.
        SanitizeSet = 4 "SANITIZE_SET",
        /// Kept.
        AlwaysForwardOnly = 5 "ALWAYS_FORWARD_ONLY",
    }
}

message! {
    /// Normalization of paths.
    pub struct ProxyPathNormalization as "MeshConfig.ProxyPathNormalization" {
        /// How much.
        "normalization" normalization: NormalizationType,
    }
}

enumeration! {
    /// How much a path is normalized.
    pub enum NormalizationType as "MeshConfig.ProxyPathNormalization.NormalizationType" {
        /// As `BASE`.
        Default = 0 "DEFAULT",
        /// Not at all.
        None = 1 "NONE",
        /// Dot segments, backslashes (RFC 3986).
        Base = 2 "BASE",
        /// Also repeated slashes.
        MergeSlashes = 3 "MERGE_SLASHES",
        /// Also percent-encoded slashes and backslashes.
        DecodeAndMergeSlashes = 4 "DECODE_AND_MERGE_SLASHES",
    }
}
