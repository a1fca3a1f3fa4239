//! MeshConfig: the settings of the whole mesh, typed.
//!
//! Istio checks few of them when it starts (`ValidateMeshConfig`): what it refuses is an error, anything else that cannot
//! mean what it says is a warning.

use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{At, Code, Diagnostic, Report, Severity};
use crate::mesh::MeshConfig;
use crate::mesh::config::{H2UpgradePolicy, OutboundTrafficPolicy};
use crate::resource::{self as raw, Document};
use crate::terms::path_normalization::PathNormalization;
use crate::terms::route_policy::RetryPolicy;
use crate::terms::traffic_policy::TrafficPolicy;

use super::check::{domain, export_to};
use super::destination_rule::{connection_pool, locality, outlier_detection};
use super::{Sink, proxy_config, retries};

/// Istio takes no longer `connectTimeout`.
const LONGEST_CONNECT_TIMEOUT: Duration = Duration::from_secs(3600);

/// The mesh's settings; Istio's defaults where nothing is written, or where an error was pushed.
pub(crate) fn mesh_config(
    document: Option<&Document<raw::MeshConfig>>,
    domain: &str,
    report: &mut Report,
) -> MeshConfig {
    let defaults = MeshConfig {
        domain: domain.into(),
        ..MeshConfig::default()
    };
    let Some(document) = document else {
        return defaults;
    };
    let mut sink = Sink::of(document, report);
    let config = resolve(&document.spec, domain, &mut sink);
    if sink.failed() { defaults } else { config }
}

fn resolve(spec: &raw::MeshConfig, domain: &str, sink: &mut Sink<'_>) -> MeshConfig {
    let at = At::ROOT;
    note_without_effect(spec, sink);
    let visible = |entries: &[String], field: &'static str, sink: &mut Sink<'_>| {
        default_export_to(entries, &at.field(field), sink)
    };
    let defaults = MeshConfig::default();
    MeshConfig {
        root_namespace: root_namespace(&spec.root_namespace, sink)
            .unwrap_or(defaults.root_namespace),
        domain: domain.into(),
        default_service_export_to: visible(
            &spec.default_service_export_to,
            "defaultServiceExportTo",
            sink,
        ),
        default_virtual_service_export_to: visible(
            &spec.default_virtual_service_export_to,
            "defaultVirtualServiceExportTo",
            sink,
        ),
        default_destination_rule_export_to: visible(
            &spec.default_destination_rule_export_to,
            "defaultDestinationRuleExportTo",
            sink,
        ),
        // Resolved with the namespaces.
        service_entry_visibility: defaults.service_entry_visibility,
        outbound_traffic_policy: spec
            .outbound_traffic_policy
            .as_ref()
            .map_or(defaults.outbound_traffic_policy, |policy| {
                outbound_traffic_policy(policy, sink)
            }),
        path_normalization: spec
            .path_normalization
            .as_ref()
            .map_or(defaults.path_normalization, |written| {
                path_normalization(written.normalization)
            }),
        default_config: match &spec.default_config {
            Some(written) => {
                proxy_config::note_without_effect(written, &at.field("defaultConfig"), sink);
                written.into()
            }
            None => defaults.default_config,
        },
        default_http_retry_policy: spec
            .default_http_retry_policy
            .as_ref()
            .map(|written| default_retries(written, sink)),
        connect_timeout: connect_timeout(spec, sink).unwrap_or(defaults.connect_timeout),
        tcp_keepalive: spec.tcp_keepalive.as_ref().map(|written| {
            connection_pool::tcp_keepalive(written, &at.field("tcpKeepalive"), sink)
        }),
        h2_upgrade_policy: match spec.h2_upgrade_policy {
            raw::H2UpgradePolicy::Upgrade => H2UpgradePolicy::Upgrade,
            raw::H2UpgradePolicy::Default | raw::H2UpgradePolicy::DoNotUpgrade => {
                H2UpgradePolicy::DoNotUpgrade
            }
        },
        locality: match &spec.locality_lb_setting {
            None => defaults.locality,
            Some(written) => {
                let at = at.field("localityLbSetting");
                // A DestinationRule brings the outlier detection that failover needs.
                let setting = locality::resolve(written, true, Severity::Warning, &at, sink);
                Some(setting).filter(|setting| setting.enabled)
            }
        },
        zone_aware: spec
            .zone_aware_lb_setting
            .as_ref()
            .map(|written| locality::zone_aware(written, &at.field("zoneAwareLbSetting"), sink)),
        default_traffic_policy: spec
            .default_traffic_policy
            .as_ref()
            .and_then(|written| default_traffic_policy(written, sink)),
        trust_domain: match &*spec.trust_domain {
            "" => defaults.trust_domain,
            written => written.into(),
        },
        trust_domain_aliases: spec
            .trust_domain_aliases
            .iter()
            .map(|one| one.as_str().into())
            .collect(),
        auto_mtls: spec.enable_auto_mtls.unwrap_or(defaults.auto_mtls),
    }
}

/// The root namespace; `None` where it is unset.
fn root_namespace(written: &str, sink: &mut Sink<'_>) -> Option<Box<str>> {
    if written.is_empty() {
        return None;
    }
    if !domain::is_label(written) {
        let message = format!("`{written}` is not the name of a namespace");
        let at = At::ROOT.field("rootNamespace");
        sink.push_full(&at, warning(Code::INVALID_NAME, message));
    }
    Some(written.into())
}

fn default_export_to(entries: &[String], at: &At<'_>, sink: &mut Sink<'_>) -> Vec<String> {
    // No namespace is `.` here, so that none can stand beside it.
    export_to::entries(entries, ".", true, |index, message| {
        sink.push_full(&at.index(index), warning(Code::INVALID_EXPORT_TO, message));
    });
    entries.to_vec()
}

/// `outboundTrafficPolicy`: `{}` means `REGISTRY_ONLY`, the first of its modes.
fn outbound_traffic_policy(
    written: &raw::OutboundTrafficPolicy,
    sink: &mut Sink<'_>,
) -> OutboundTrafficPolicy {
    if written.egress_proxy.is_some() {
        let at = At::ROOT.field("outboundTrafficPolicy");
        sink.push(
            &at.field("egressProxy"),
            Code::WITHOUT_EFFECT,
            "only a Sidecar can name an `egressProxy`",
        );
    }
    match written.mode {
        raw::OutboundTrafficPolicyMode::RegistryOnly => OutboundTrafficPolicy::RegistryOnly,
        raw::OutboundTrafficPolicyMode::AllowAny => OutboundTrafficPolicy::AllowAny,
        raw::OutboundTrafficPolicyMode::AllowAnyDynamicDns => {
            OutboundTrafficPolicy::AllowAnyDynamicDns
        }
    }
}

fn path_normalization(written: raw::NormalizationType) -> PathNormalization {
    match written {
        raw::NormalizationType::None => PathNormalization::None,
        raw::NormalizationType::Default | raw::NormalizationType::Base => PathNormalization::Base,
        raw::NormalizationType::MergeSlashes => PathNormalization::MergeSlashes,
        raw::NormalizationType::DecodeAndMergeSlashes => PathNormalization::DecodeAndMergeSlashes,
    }
}

/// `defaultHttpRetryPolicy`: one without attempts stays, and switches retries off (R-H-146).
fn default_retries(written: &raw::HttpRetry, sink: &mut Sink<'_>) -> RetryPolicy {
    let mut said = Report::new();
    let mut quiet = Sink::new(&mut said, sink.resource().clone(), |_| None);
    let at = At::ROOT.field("defaultHttpRetryPolicy");
    retries::check(written, &at, &mut quiet);
    drop(quiet);
    for diagnostic in said {
        sink.push_full(&at, diagnostic.with_severity(Severity::Warning));
    }
    retries::policy(written).unwrap_or(RetryPolicy {
        attempts: 0,
        ..RetryPolicy::default()
    })
}

fn connect_timeout(spec: &raw::MeshConfig, sink: &mut Sink<'_>) -> Option<Duration> {
    let timeout = sink.span(spec.connect_timeout, "connectTimeout", &At::ROOT)?;
    if timeout > LONGEST_CONNECT_TIMEOUT {
        let message = "`connectTimeout` cannot be longer than an hour";
        let at = At::ROOT.field("connectTimeout");
        sink.push(&at, Code::INVALID_DURATION_RANGE, message);
    }
    Some(timeout)
}

fn default_traffic_policy(
    written: &raw::DefaultTrafficPolicy,
    sink: &mut Sink<'_>,
) -> Option<Arc<TrafficPolicy>> {
    let at = At::ROOT.field("defaultTrafficPolicy");
    let connection_pool = written
        .connection_pool
        .as_ref()
        .map(|written| connection_pool::resolve(written, &at.field("connectionPool"), sink));
    let outlier_detection = written.outlier_detection.as_ref().map(|written| {
        let at = at.field("outlierDetection");
        outlier_detection::resolve(written, Severity::Warning, &at, sink)
    });
    if connection_pool.is_none() && outlier_detection.is_none() {
        return None;
    }
    Some(Arc::new(TrafficPolicy {
        connection_pool: connection_pool.map(Arc::new),
        outlier_detection: outlier_detection.map(Arc::new),
        ..TrafficPolicy::default()
    }))
}

/// Settings that have no part in routing.
fn note_without_effect(spec: &raw::MeshConfig, sink: &mut Sink<'_>) {
    let without_effect = [(
        "protocolDetectionTimeout",
        spec.protocol_detection_timeout.is_some(),
    )];
    for (field, is_set) in without_effect {
        if is_set {
            let message = format!("`{field}` has no effect on routing");
            sink.push(&At::ROOT.field(field), Code::FIELD_WITHOUT_EFFECT, message);
        }
    }
}

fn warning(code: Code, message: String) -> Diagnostic {
    Diagnostic::new(code, message).with_severity(Severity::Warning)
}
