//! The configuration of proxies, typed: of the mesh (`defaultConfig`) and of workloads (annotation `proxy.istio.io/config`).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::proxy_configs::{ProxyConfigs, WorkloadConfig};
use crate::resource::{self as raw, Document};
use crate::terms::connection_manager::{ForwardClientCert, Underscores};
use crate::terms::labels::Labels;
use crate::terms::path_normalization::EscapedSlashes;
use crate::terms::proxy_config::{ConnectionSettings, GatewayTopology, ProxyConfig, ProxyHeaders};

use super::Sink;

/// What a proxy says of itself: it may not listen on ports below 1024.
const UNPRIVILEGED: &str = "ISTIO_META_UNPRIVILEGED_POD";

impl From<&raw::ProxyConfig> for ProxyConfig {
    /// What of it routing sees.
    fn from(written: &raw::ProxyConfig) -> Self {
        let headers = written.proxy_headers.as_ref().map(proxy_headers);
        let unprivileged = written.proxy_metadata.get(UNPRIVILEGED);
        ProxyConfig {
            gateway_topology: written.gateway_topology.as_ref().map(gateway_topology),
            headers: headers.unwrap_or_default(),
            connections: written.connection_settings.as_ref().map(connections),
            is_unprivileged: unprivileged.map(|said| is_true(said)),
        }
    }
}

/// As Go reads a truth value.
fn is_true(said: &str) -> bool {
    matches!(said, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// What of `defaultConfig` has no part in routing.
pub(super) fn note_without_effect(written: &raw::ProxyConfig, at: &At<'_>, sink: &mut Sink<'_>) {
    let at = at.field("proxyMetadata");
    let others = written.proxy_metadata.keys();
    for name in others.filter(|name| *name != UNPRIVILEGED) {
        let message = format!("`{name}` has no effect on routing");
        sink.push(&at.key(name), Code::FIELD_WITHOUT_EFFECT, message);
    }
}

/// What workloads say of the proxies beside them; without Pods that have ended.
pub(super) fn of_workloads(
    pods: &[&Document<raw::Pod>],
    deployments: &[&Document<raw::Deployment>],
) -> ProxyConfigs {
    let pods = pods.iter().filter_map(|pod| {
        let written = pod.proxy_config.as_deref()?;
        let status = &pod.spec.status;
        let is_over = matches!(status.phase.as_str(), "Succeeded" | "Failed");
        (!is_over).then(|| WorkloadConfig {
            namespace: Arc::clone(&pod.meta.qualified_name().namespace),
            address: status.pod_ip.parse().ok(),
            labels: labels(&pod.meta.labels),
            config: written.into(),
        })
    });
    let deployments = deployments.iter().filter_map(|deployment| {
        let written = deployment.proxy_config.as_deref()?;
        let template = deployment.spec.template.as_ref()?;
        Some(WorkloadConfig {
            namespace: Arc::clone(&deployment.meta.qualified_name().namespace),
            address: None,
            labels: labels(&template.metadata.labels),
            config: written.into(),
        })
    });
    ProxyConfigs::new(pods.chain(deployments).collect())
}

fn labels(written: &raw::Labels) -> Labels {
    written.iter().map(super::service::pair).collect()
}

fn gateway_topology(written: &raw::Topology) -> GatewayTopology {
    use raw::ForwardClientCertDetails as Written;
    GatewayTopology {
        trusted_proxies: written.num_trusted_proxies.unwrap_or(0),
        client_certificate: match written.forward_client_cert_details {
            Written::Undefined => GatewayTopology::default().client_certificate,
            Written::Sanitize => ForwardClientCert::Sanitize,
            Written::ForwardOnly => ForwardClientCert::ForwardOnly,
            Written::AppendForward => ForwardClientCert::AppendForward,
            Written::SanitizeSet => ForwardClientCert::SanitizeSet,
            Written::AlwaysForwardOnly => ForwardClientCert::AlwaysForwardOnly,
        },
    }
}

fn proxy_headers(written: &raw::ProxyHeaders) -> ProxyHeaders {
    let is_kept = |header: &Option<raw::DisabledHeader>| {
        header.as_ref().map(|header| header.disabled != Some(true))
    };
    let is_added = |header: &Option<raw::EnabledHeader>| {
        header.as_ref().map(|header| header.enabled == Some(true))
    };
    ProxyHeaders {
        attempt_count: is_kept(&written.attempt_count),
        debug: is_kept(&written.envoy_debug_headers),
        forwarded_host: is_added(&written.x_forwarded_host),
        forwarded_port: is_added(&written.x_forwarded_port),
    }
}

fn connections(written: &raw::ConnectionSettings) -> ConnectionSettings {
    use raw::{EscapedSlashesAction as Slashes, HeadersWithUnderscoresAction as Action};
    ConnectionSettings {
        is_edge: written.profile == raw::ConnectionProfile::Edge,
        merges_slashes: written.http_merge_slashes,
        escaped_slashes: match written.http_path_with_escaped_slashes_action {
            Slashes::Unspecified => None,
            Slashes::KeepUnchanged => Some(EscapedSlashes::Keep),
            Slashes::RejectRequest => Some(EscapedSlashes::Reject),
            Slashes::UnescapeAndRedirect => Some(EscapedSlashes::Redirect),
            Slashes::UnescapeAndForward => Some(EscapedSlashes::Forward),
        },
        underscores: match written.http_headers_with_underscores_action {
            Action::Unspecified => None,
            Action::Allow => Some(Underscores::Allow),
            Action::RejectRequest => Some(Underscores::Reject),
            Action::DropHeader => Some(Underscores::Drop),
        },
    }
}
