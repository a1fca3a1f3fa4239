//! A decision that lives on its own: for a request's context, or to be written as JSON. The field names are those of
//! `routing-case/v1`, the form in which answers of real proxies are recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Decision, Outcome};
use crate::terms::duration;
use crate::terms::route_policy::{AbortStatus, HashKey};

/// A [`Decision`] that lives on its own. What is absent is not there.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DecisionRecord {
    /// See [`Outcome::name`](super::Outcome::name).
    pub outcome: String,
    /// Envoy's word for why the request was refused before it was routed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Envoy's name of the cluster that the request goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Cluster to weight, when the rule lists several destinations; a cluster that is listed twice has the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<BTreeMap<String, u64>>,
    /// Envoy's name of the virtual host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_host: Option<String>,
    /// Envoy's name of the route configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_config: Option<String>,
    /// Envoy's name of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Index of the rule in its virtual host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// Name of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// `namespace/name` of the VirtualService.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_service: Option<String>,
    /// What the rule says beside the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRecord>,
    /// Status of the answer, where the proxy itself answers; after
    /// [`observed`](../struct.Decision.html#method.observed), of every answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Header lines of the response, where `observed` filled them in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub response_headers: BTreeMap<String, String>,
    /// Body of a direct response, where `observed` filled it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The request as the upstream gets it, where `observed` filled it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_request: Option<UpstreamRequestRecord>,
    /// Clusters that get a copy of this request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirrored_to: Vec<String>,
    /// How long an injected fault holds this request up.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub delay: Option<Duration>,
    /// The connection is forwarded as bytes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tcp: bool,
}

short_debug! {
    DecisionRecord {outcome, detail, cluster, split, virtual_host, route_config, listener, position,
    route, virtual_service, policy, status, response_headers, body, upstream_request, mirrored_to,
    delay, tcp}
}

/// What an upstream gets.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UpstreamRequestRecord {
    /// Path with query.
    pub path: String,
    /// Authority.
    pub host: String,
    /// Headers that were added or changed; repeated lines joined with `,`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers that were removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_headers: Vec<String>,
}

short_debug! { UpstreamRequestRecord {path, host, headers, removed_headers} }

/// What a rule says beside its destination.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PolicyRecord {
    /// How long the whole exchange may last.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub timeout: Option<Duration>,
    /// When and how it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetriesRecord>,
    /// What consistent hashing looks at: `header x`, `cookie x`, `source_ip`, `query_parameter x`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hash_policy: Vec<String>,
    /// Who else may get a copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<MirrorRecord>,
    /// Injected delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_delay: Option<FaultRecord>,
    /// Injected abort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_abort: Option<FaultRecord>,
}

short_debug! { PolicyRecord {timeout, retries, hash_policy, mirrors, fault_delay, fault_abort} }

/// When and how a request is tried again.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetriesRecord {
    /// Retries beyond the first try.
    pub attempts: u32,
    /// Conditions, joined with `,`.
    pub retry_on: String,
    /// Status codes that are tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retriable_status_codes: Vec<u32>,
    /// Limit of each try.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub per_try_timeout: Option<Duration>,
    /// Base interval between tries.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub backoff: Option<Duration>,
    /// Prefer hosts that were not tried yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub avoid_previous_hosts: bool,
}

short_debug! {
    RetriesRecord {attempts, retry_on, retriable_status_codes, per_try_timeout, backoff,
    avoid_previous_hosts}
}

/// A mirror.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MirrorRecord {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// How often, 0 to 100.
    pub percent: f64,
}

short_debug! { MirrorRecord {cluster, percent} }

/// An injected fault.
#[derive(Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FaultRecord {
    /// How long a delay is.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub fixed_delay: Option<Duration>,
    /// HTTP status of an abort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// gRPC status code of an abort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_status: Option<u32>,
    /// How often, 0 to 100.
    pub percent: f64,
}

short_debug! { FaultRecord {fixed_delay, http_status, grpc_status, percent} }

/// Durations as protobuf's JSON has them: `1.500s`.
fn text<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => duration::ProtoDuration::from(*value).serialize(serializer),
        None => serializer.serialize_none(),
    }
}

impl DecisionRecord {
    pub(super) fn new(decision: &Decision<'_>) -> Self {
        let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let is_forward = decision
            .rule()
            .is_some_and(|rule| rule.action().as_forward().is_some());
        DecisionRecord {
            outcome: decision.outcome.name().to_owned(),
            detail: match decision.outcome {
                Outcome::BadRequest(why) => Some(why.detail().to_owned()),
                _ => None,
            },
            cluster: decision.cluster().map(|cluster| cluster.name().to_owned()),
            split: decision.is_weighted().then(|| split(decision)),
            virtual_host: decision.virtual_host.map(|host| host.name().to_owned()),
            route_config: decision.route_config.map(|config| config.name().to_owned()),
            listener: decision.listener.map(|listener| listener.name().to_owned()),
            position: decision.position(),
            route: decision.route_name().and_then(name),
            virtual_service: decision.virtual_service().map(ToString::to_string),
            policy: is_forward
                .then(|| PolicyRecord::new(decision))
                .filter(|policy| *policy != PolicyRecord::default()),
            status: decision.status(),
            mirrored_to: decision
                .mirrors()
                .map(|cluster| cluster.name().to_owned())
                .collect(),
            delay: decision.delay,
            tcp: decision.tcp().is_some(),
            ..DecisionRecord::default()
        }
    }
}

fn split(decision: &Decision<'_>) -> BTreeMap<String, u64> {
    let mut split = BTreeMap::new();
    for (cluster, weight) in decision.split() {
        *split.entry(cluster.name().to_owned()).or_default() += u64::from(weight);
    }
    split
}

impl PolicyRecord {
    fn new(decision: &Decision<'_>) -> Self {
        let percent = |parts: u32| f64::from(parts) / 10_000.0;
        PolicyRecord {
            timeout: decision.timeout(),
            retries: decision.retries().map(|retries| RetriesRecord {
                attempts: retries.attempts,
                retry_on: retries.retry_on.to_string(),
                retriable_status_codes: retries.retriable_status_codes.to_vec(),
                per_try_timeout: retries.per_try_timeout,
                backoff: retries.backoff,
                avoid_previous_hosts: retries.avoid_previous_hosts,
            }),
            hash_policy: decision.hash_policy().iter().map(hash_key).collect(),
            mirrors: decision
                .all_mirrors()
                .map(|(cluster, percentage)| MirrorRecord {
                    cluster: cluster.name().to_owned(),
                    percent: percent(percentage.numerator()),
                })
                .collect(),
            fault_delay: decision.fault_delay().map(|delay| FaultRecord {
                fixed_delay: Some(delay.duration),
                percent: percent(delay.percentage.numerator()),
                ..FaultRecord::default()
            }),
            fault_abort: decision.fault_abort().map(|abort| {
                let percent = percent(abort.percentage.numerator());
                let (http_status, grpc_status) = match abort.status {
                    AbortStatus::Http(status) => (Some(status), None),
                    AbortStatus::Grpc(code) => (None, Some(code)),
                };
                FaultRecord {
                    fixed_delay: None,
                    http_status,
                    grpc_status,
                    percent,
                }
            }),
        }
    }
}

fn hash_key(key: &HashKey) -> String {
    match key {
        HashKey::Header(name) => format!("header {name}"),
        HashKey::Cookie { name, .. } => format!("cookie {name}"),
        HashKey::SourceIp => "source_ip".to_owned(),
        HashKey::QueryParameter(name) => format!("query_parameter {name}"),
    }
}
