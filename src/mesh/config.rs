//! MeshConfig, typed: what holds for the whole mesh.

use std::time::Duration;

use crate::terms::route_policy::RetryPolicy;
use crate::terms::traffic_policy::TrafficPolicy;

/// How traffic to hosts that the registry does not know is handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutboundTrafficPolicy {
    /// `REGISTRY_ONLY`: it is refused.
    RegistryOnly,
    /// `ALLOW_ANY`: it goes where the client meant it to go.
    #[default]
    AllowAny,
}

/// How paths are normalised before they are matched (R-H-069).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathNormalizationMode {
    /// `NONE`.
    None,
    /// `BASE`, and `DEFAULT`.
    #[default]
    Base,
    /// `MERGE_SLASHES`.
    MergeSlashes,
    /// `DECODE_AND_MERGE_SLASHES`.
    DecodeAndMergeSlashes,
}

/// Mesh-wide settings with Istio's defaults.
#[derive(Clone, Debug)]
pub struct MeshConfig {
    /// `istio-system`.
    pub root_namespace: Box<str>,
    /// `cluster.local`.
    pub domain: Box<str>,
    /// `["*"]`.
    pub default_service_export_to: Vec<String>,
    /// `["*"]`.
    pub default_virtual_service_export_to: Vec<String>,
    /// `["*"]`.
    pub default_destination_rule_export_to: Vec<String>,
    /// `ALLOW_ANY`.
    pub outbound_traffic_policy: OutboundTrafficPolicy,
    /// `BASE`.
    pub path_normalization: PathNormalizationMode,
    /// Used where a rule has no `retries` (R-H-146); `None`: Istio's built-in policy.
    pub default_http_retry_policy: Option<RetryPolicy>,
    /// 10 s.
    pub connect_timeout: Duration,
    /// Fills connection pool and outlier detection where a DestinationRule has none (R-M-084).
    pub default_traffic_policy: Option<TrafficPolicy>,
    /// `true`.
    pub auto_mtls: bool,
}

impl Default for MeshConfig {
    fn default() -> Self {
        MeshConfig {
            root_namespace: "istio-system".into(),
            domain: "cluster.local".into(),
            default_service_export_to: Vec::new(),
            default_virtual_service_export_to: Vec::new(),
            default_destination_rule_export_to: Vec::new(),
            outbound_traffic_policy: OutboundTrafficPolicy::default(),
            path_normalization: PathNormalizationMode::default(),
            default_http_retry_policy: None,
            connect_timeout: Duration::from_secs(10),
            default_traffic_policy: None,
            auto_mtls: true,
        }
    }
}
