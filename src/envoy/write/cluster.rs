//! Clusters: how they are found, balanced over and limited.

use std::time::Duration;

use super::{istio_metadata, upstream};
use crate::envoy::model::*;
use crate::router::{self, ClusterKind, Discovery};
use crate::terms::traffic_policy::{self, Warmup};

/// No limit.
const UNLIMITED: u32 = u32::MAX;
const DYNAMIC_FORWARD_PROXY: (&str, &str) = (
    "envoy.clusters.dynamic_forward_proxy",
    "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
);

/// The name of the cluster that leads nowhere.
pub(super) const BLACK_HOLE: &str = "BlackHoleCluster";

/// The cluster that leads nowhere.
pub(super) fn black_hole() -> Cluster {
    Cluster {
        name: BLACK_HOLE.to_owned(),
        kind: Some(DiscoveryType::Static),
        connect_timeout: Some(Span(Duration::from_secs(10))),
        ..Cluster::default()
    }
}

pub(super) fn cluster(cluster: &router::Cluster) -> Cluster {
    let settings = cluster.settings();
    if cluster.kind() == ClusterKind::BlackHole {
        return Cluster {
            connect_timeout: Some(Span(settings.connect_timeout)),
            ..black_hole()
        };
    }
    let is_balanced = !matches!(cluster.kind(), ClusterKind::Passthrough)
        && settings.discovery != Discovery::DynamicForwardProxy;
    let mut out = Cluster {
        name: cluster.name().to_owned(),
        connect_timeout: Some(Span(settings.connect_timeout)),
        common_lb_config: is_balanced.then(|| CommonLbConfig {
            healthy_panic_threshold: Some(percent(settings.panic_threshold.into())),
            locality_weighted_lb_config: settings.locality_weighted.then_some(Empty {}),
        }),
        circuit_breakers: Some(circuit_breakers(&settings.limits)),
        outlier_detection: settings.outlier_detection.as_deref().map(outlier_detection),
        upstream_connection_options: settings.keepalive.map(|keepalive| {
            UpstreamConnectionOptions {
                tcp_keepalive: Some(tcp_keepalive(&keepalive)),
            }
        }),
        metadata: cluster
            .destination_rule()
            .map(|rule| istio_metadata("destination-rule", rule)),
        ..Cluster::default()
    };
    discovery(&mut out, cluster);
    lb_policy(&mut out, settings.lb_policy);
    upstream::describe(&mut out, cluster);
    out
}

fn discovery(out: &mut Cluster, cluster: &router::Cluster) {
    let kind = match cluster.discovery() {
        Discovery::Static => DiscoveryType::Static,
        Discovery::StrictDns => DiscoveryType::StrictDns,
        Discovery::LogicalDns => DiscoveryType::LogicalDns,
        Discovery::OriginalDst { port } => {
            out.original_dst_lb_config = port.map(|port| OriginalDstLbConfig {
                upstream_port_override: Some(port.into()),
            });
            DiscoveryType::OriginalDst
        }
        Discovery::DynamicForwardProxy => {
            let (name, kind) = DYNAMIC_FORWARD_PROXY;
            out.cluster_type = Some(NamedConfig {
                name: name.to_owned(),
                typed_config: Any::of(kind, &Empty {}),
            });
            return;
        }
        Discovery::Eds => {
            out.eds_cluster_config = Some(EdsClusterConfig {
                eds_config: super::from_server(),
                service_name: cluster.name().to_owned(),
            });
            DiscoveryType::Eds
        }
    };
    out.kind = Some(kind);
    let says_its_endpoints = matches!(
        kind,
        DiscoveryType::Static | DiscoveryType::StrictDns | DiscoveryType::LogicalDns
    );
    if says_its_endpoints {
        out.load_assignment = Some(super::endpoints::assignment(cluster));
    }
}

fn lb_policy(out: &mut Cluster, policy: router::LbPolicy) {
    out.lb_policy = match policy {
        router::LbPolicy::RoundRobin { warmup } => {
            out.round_robin_lb_config = warmup.as_ref().map(slow_start);
            LbPolicy::RoundRobin
        }
        router::LbPolicy::LeastRequest { warmup } => {
            out.least_request_lb_config = warmup.as_ref().map(slow_start);
            LbPolicy::LeastRequest
        }
        router::LbPolicy::Random => LbPolicy::Random,
        router::LbPolicy::RingHash { minimum_size } => {
            out.ring_hash_lb_config = Some(RingHashLbConfig {
                minimum_ring_size: i64::try_from(minimum_size).ok().map(Int64),
            });
            LbPolicy::RingHash
        }
        router::LbPolicy::Maglev { table_size } => {
            out.maglev_lb_config = Some(MaglevLbConfig {
                table_size: i64::try_from(table_size).ok().map(Int64),
            });
            LbPolicy::Maglev
        }
        router::LbPolicy::ClusterProvided => LbPolicy::ClusterProvided,
    };
}

fn slow_start(warmup: &Warmup) -> SlowStartLbConfig {
    SlowStartLbConfig {
        slow_start_config: Some(SlowStartConfig {
            slow_start_window: Some(Span(warmup.duration)),
            aggression: Some(RuntimeDouble {
                default_value: warmup.aggression,
                runtime_key: "(".to_owned(),
            }),
            min_weight_percent: Some(percent(warmup.minimum_percent)),
        }),
    }
}

fn percent(value: f64) -> Percent {
    Percent { value }
}

fn circuit_breakers(limits: &router::Limits) -> CircuitBreakers {
    let limit = |limit: Option<u32>| Some(limit.unwrap_or(UNLIMITED));
    CircuitBreakers {
        thresholds: vec![Thresholds {
            max_connections: limit(limits.max_connections),
            max_pending_requests: limit(limits.max_pending_requests),
            max_requests: limit(limits.max_requests),
            max_retries: limit(limits.max_retries),
            retry_budget: limits.retry_budget.map(|budget| RetryBudget {
                budget_percent: Some(percent(budget.percent)),
                min_retry_concurrency: Some(budget.min_retry_concurrency),
            }),
        }],
    }
}

/// Zero errors: they do not count.
fn outlier_detection(detection: &traffic_policy::OutlierDetection) -> OutlierDetection {
    let enforced = |errors: u32| Some(if errors > 0 { 100 } else { 0 });
    let splits = detection.split_external_local_origin_errors;
    let local = detection.consecutive_local_origin_failures;
    OutlierDetection {
        consecutive5xx: Some(detection.consecutive_5xx_errors),
        enforcing_consecutive5xx: enforced(detection.consecutive_5xx_errors),
        consecutive_gateway_failure: Some(detection.consecutive_gateway_errors),
        enforcing_consecutive_gateway_failure: enforced(detection.consecutive_gateway_errors),
        consecutive_local_origin_failure: splits.then_some(local),
        enforcing_consecutive_local_origin_failure: enforced(local).filter(|_| splits),
        interval: Some(Span(detection.interval)),
        base_ejection_time: Some(Span(detection.base_ejection_time)),
        max_ejection_percent: Some(detection.max_ejection_percent.into()),
        enforcing_success_rate: Some(0),
        enforcing_local_origin_success_rate: splits.then_some(0),
        split_external_local_origin_errors: splits,
    }
}

fn tcp_keepalive(keepalive: &traffic_policy::TcpKeepalive) -> TcpKeepalive {
    let seconds = |time: Option<Duration>| time.and_then(|time| u32::try_from(time.as_secs()).ok());
    TcpKeepalive {
        keepalive_probes: keepalive.probes,
        keepalive_time: seconds(keepalive.time),
        keepalive_interval: seconds(keepalive.interval),
    }
}
