//! MeshConfig, typed: what holds for the whole mesh.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::visibility::VisibilityCap;
use crate::terms::path_normalization::PathNormalization;
use crate::terms::proxy_config::ProxyConfig;
use crate::terms::route_policy::RetryPolicy;
use crate::terms::traffic_policy::{
    LocalityLoadBalancing, TcpKeepalive, TrafficPolicy, ZoneAwareLoadBalancing,
};

/// How traffic to hosts that the registry does not know is handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OutboundTrafficPolicy {
    /// `REGISTRY_ONLY`: it is refused.
    RegistryOnly,
    /// `ALLOW_ANY`: it goes where the client meant it to go.
    #[default]
    AllowAny,
    /// `ALLOW_ANY_DYNAMIC_DNS`: plain-text HTTP goes where its host resolves to; the rest as `ALLOW_ANY`.
    AllowAnyDynamicDns,
}

/// Whether HTTP/1.1 becomes HTTP/2 towards the endpoints where a DestinationRule does not say (R-M-102).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum H2UpgradePolicy {
    /// `DO_NOT_UPGRADE`.
    #[default]
    DoNotUpgrade,
    /// `UPGRADE`.
    Upgrade,
}

/// How far ServiceEntries can be seen at most (R-M-216).
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceEntryVisibility {
    /// Where `of` says nothing.
    pub default: VisibilityCap,
    /// Of the ServiceEntries of these namespaces.
    pub of: BTreeMap<Box<str>, VisibilityCap>,
}

impl ServiceEntryVisibility {
    /// Of the ServiceEntries of `namespace`.
    pub(crate) fn of(&self, namespace: &str) -> VisibilityCap {
        self.of.get(namespace).copied().unwrap_or(self.default)
    }
}

/// Mesh-wide settings with Istio's defaults.
#[derive(Clone, Debug)]
pub(crate) struct MeshConfig {
    /// Namespace of what holds everywhere; `istio-system`.
    pub root_namespace: Box<str>,
    /// What short host names are completed with; `cluster.local`. Not a field of Istio's MeshConfig but of its
    /// installation.
    pub domain: Box<str>,
    /// Who sees a service whose `exportTo` is empty; `["*"]`, which is empty here.
    pub default_service_export_to: Vec<String>,
    /// Who sees a VirtualService whose `exportTo` is empty; `["*"]`, which is empty here.
    pub default_virtual_service_export_to: Vec<String>,
    /// Who sees a DestinationRule whose `exportTo` is empty; `["*"]`, which is empty here.
    pub default_destination_rule_export_to: Vec<String>,
    /// How far ServiceEntries can be seen at most; as far as they say.
    pub service_entry_visibility: ServiceEntryVisibility,
    /// `ALLOW_ANY`.
    pub outbound_traffic_policy: OutboundTrafficPolicy,
    /// `BASE`.
    pub path_normalization: PathNormalization,
    /// What holds for every proxy that says nothing else (`defaultConfig`, R-M-211).
    pub default_config: ProxyConfig,
    /// Used where a rule has no `retries` (R-H-146); `None`: Istio's built-in policy.
    pub default_http_retry_policy: Option<RetryPolicy>,
    /// Limit of a connection attempt where a DestinationRule sets none (R-M-096); 10 s.
    pub connect_timeout: Duration,
    /// Fills keep-alive attributes where a DestinationRule leaves them out (R-M-098); `None`: no keep-alive.
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// `DO_NOT_UPGRADE` (R-M-102).
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// Where a DestinationRule has none (R-M-124); enabled, without entries. `None`: switched off.
    pub locality: Option<LocalityLoadBalancing>,
    /// Where a DestinationRule has none; beats `locality` (R-M-124); `None`.
    pub zone_aware: Option<ZoneAwareLoadBalancing>,
    /// Fills connection pool and outlier detection where a DestinationRule has none (R-M-084); no other setting of it is
    /// read. Also the whole policy of a cluster for which no DestinationRule holds.
    pub default_traffic_policy: Option<Arc<TrafficPolicy>>,
    /// What the names of the mesh's workloads begin with; `cluster.local`.
    pub trust_domain: Box<str>,
    /// Other names of the trust domain.
    pub trust_domain_aliases: Box<[Box<str>]>,
    /// Mutual TLS where both ends know it (R-M-119); `true`.
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
            service_entry_visibility: ServiceEntryVisibility::default(),
            outbound_traffic_policy: OutboundTrafficPolicy::default(),
            path_normalization: PathNormalization::default(),
            default_config: ProxyConfig::default(),
            default_http_retry_policy: None,
            connect_timeout: Duration::from_secs(10),
            tcp_keepalive: None,
            h2_upgrade_policy: H2UpgradePolicy::default(),
            locality: Some(LocalityLoadBalancing::default()),
            zone_aware: None,
            default_traffic_policy: None,
            trust_domain: "cluster.local".into(),
            trust_domain_aliases: Box::default(),
            auto_mtls: true,
        }
    }
}

impl MeshConfig {
    /// Retries of a route whose rule says nothing about them: the mesh's default, else Istio's built-in policy; `None`
    /// where the default has no attempts (R-H-146).
    pub(crate) fn default_route_retries(&self) -> Option<RetryPolicy> {
        match &self.default_http_retry_policy {
            Some(default) => Some(default.clone()).filter(|default| default.attempts > 0),
            None => Some(RetryPolicy::default()),
        }
    }
}
