//! Everything that a decision does, in lines for people.

use std::collections::BTreeMap;
use std::fmt;

use crate::decision::{Decision, DecisionRecord, MirrorRecord, Outcome};
use crate::terms::request::Request;
use crate::terms::route_policy::RetryPolicy;
use crate::terms::traffic_policy::{LoadBalancing, TrafficPolicy};

/// What the proxy does, as lines `name: value`.
pub(super) fn lines(decision: &Decision<'_>, seen: &DecisionRecord) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut line = |name, text: String| {
        if !text.is_empty() {
            lines.push((name, text));
        }
    };
    let policy = seen.policy.clone().unwrap_or_default();
    match (&seen.upstream_request, seen.status) {
        (Some(upstream), _) => {
            line("path upstream", upstream.path.clone());
            line("host upstream", upstream.host.clone());
            line(
                "request headers",
                changes(&upstream.headers, &upstream.removed_headers),
            );
            line("response headers", changes(&seen.response_headers, &[]));
        }
        (None, Some(status)) if !seen.tcp => {
            line("status", status.to_string());
            line("response headers", changes(&seen.response_headers, &[]));
            if seen.outcome == "cors_response"
                && !seen
                    .response_headers
                    .contains_key("access-control-allow-origin")
            {
                line(
                    "CORS",
                    "the origin is not among `allowOrigins`: a browser refuses the request"
                        .to_owned(),
                );
            }
        }
        _ => {}
    }
    if let Some(body) = &seen.body {
        line("body", format!("{} bytes", body.len()));
    }
    line(
        "timeout",
        decision
            .timeout()
            .map(|time| format!("{time:?}"))
            .unwrap_or_default(),
    );
    if matches!(decision.outcome(), Outcome::Forward { .. }) {
        let retries = decision.retries().map(retries);
        line("retries", retries.unwrap_or_else(|| "none".to_owned()));
    }
    line("hash policy", policy.hash_policy.join(", "));
    line(
        "mirrors",
        policy
            .mirrors
            .iter()
            .map(mirror)
            .collect::<Vec<_>>()
            .join(", "),
    );
    if decision.is_weighted() && !policy.hash_policy.is_empty() {
        line(
            "stickiness",
            "within the cluster that was drawn only: the weights are drawn anew for each request"
                .to_owned(),
        );
    }
    if !seen.mirrored_to.is_empty() {
        line("copies of this request", seen.mirrored_to.join(", "));
    }
    if let Some(cluster) = decision.cluster().filter(|cluster| cluster.exists()) {
        if let Some(rule) = cluster.destination_rule() {
            let policy = cluster.traffic_policy();
            let says = policy.map(|policy| settings(policy)).unwrap_or_default();
            line(
                "DestinationRule",
                match says.is_empty() {
                    true => rule.to_string(),
                    false => format!("{rule}: {says}"),
                },
            );
        }
        let labels: Vec<String> = cluster
            .labels()
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        line("selects", labels.join(", "));
    }
    lines
}

fn changes(set: &BTreeMap<String, String>, removed: &[String]) -> String {
    let set = set.iter().map(|(name, value)| format!("{name}: {value}"));
    let removed = removed.iter().map(|name| format!("without {name}"));
    let all: Vec<String> = set.chain(removed).collect();
    all.join(", ")
}

fn retries(retries: &RetryPolicy) -> String {
    let mut text = format!("{} on {}", retries.attempts, retries.retry_on);
    if let Some(limit) = retries.per_try_timeout {
        text.push_str(&format!(", each try {limit:?}"));
    }
    text
}

fn mirror(mirror: &MirrorRecord) -> String {
    format!("{} ({} %)", mirror.cluster, mirror.percent)
}

/// Which settings a policy has.
fn settings(policy: &TrafficPolicy) -> String {
    let mut all = Vec::new();
    let mut part = |name: &str, text: Option<String>| {
        all.extend(text.map(|text| format!("{name} {text}")));
    };
    let set = || "set".to_owned();
    let balancer = policy.load_balancer.as_ref();
    part(
        "loadBalancer",
        balancer.map(|one| balancing(&one.balancing)),
    );
    part(
        "connectionPool",
        policy.connection_pool.as_ref().map(|_| set()),
    );
    part(
        "outlierDetection",
        policy.outlier_detection.as_ref().map(|_| set()),
    );
    part(
        "tls",
        policy.tls.as_ref().map(|tls| format!("{:?}", tls.mode)),
    );
    part("tunnel", policy.tunnel.as_ref().map(short));
    part("proxyProtocol", policy.proxy_protocol.as_ref().map(short));
    part("retryBudget", policy.retry_budget.as_ref().map(short));
    all.join(", ")
}

fn balancing(balancing: &LoadBalancing) -> String {
    match balancing {
        LoadBalancing::ConsistentHash(_) => "consistentHash".to_owned(),
        other => short(other),
    }
}

fn short(part: &impl fmt::Debug) -> String {
    format!("{part:?}")
}

/// The record of everything that is seen of a decision.
pub(super) fn seen(decision: &Decision<'_>, request: &Request<'_>) -> DecisionRecord {
    decision.observed(request)
}
