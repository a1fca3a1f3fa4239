//! Comparing clusters: what `expect_clusters` says of each with what the router knows of it, field by field, both with Envoy's
//! defaults filled in where a field may say them or leave them out.

use std::time::Duration;

use meshroute::Router;
use meshroute::router::{
    Cluster, ClusterSettings, ClusterTls, Discovery, EndpointGroup, LbEndpoint, LbPolicy,
    UpstreamProtocol, UpstreamTls,
};
use meshroute::terms::duration::ProtoDuration;
use meshroute::terms::endpoint::Health;
use meshroute::terms::traffic_policy::{OutlierDetection, ProxyProtocol, Warmup};
use serde_json::{Map, Value, json};

use super::Yaml;
use super::compare::Difference;

/// Where the clusters of a case differ from `expect_clusters`. The field is named after the cluster.
pub fn differences(router: &Router, expected: &Yaml) -> Vec<Difference> {
    let mut out = Vec::new();
    for (name, expected) in expected.as_object().into_iter().flatten() {
        let mut add = |field: &str, expected: &Yaml, got: &Yaml| {
            if expected != got {
                out.push(Difference {
                    field: format!("{field} of {name}"),
                    expected: expected.to_string(),
                    got: got.to_string(),
                });
            }
        };
        let found = router.clusters().find(|(_, one)| one.name() == name);
        let Some((_, cluster)) = found.filter(|(_, one)| one.exists()) else {
            add("existence", &json!(true), &json!(false));
            continue;
        };
        let (expected, got) = (with_defaults(expected), said(cluster));
        let fields = expected.keys().chain(got.keys());
        let mut fields: Vec<&String> = fields.collect();
        fields.sort();
        fields.dedup();
        for field in fields {
            let of = |map: &Map<String, Yaml>| map.get(field).cloned().unwrap_or(Yaml::Null);
            add(field, &of(&expected), &of(&got));
        }
    }
    out
}

/// What the router says of a cluster, in the words of `expect_clusters`.
fn said(cluster: &Cluster) -> Map<String, Yaml> {
    let settings = &**cluster.settings();
    let mut out = Map::new();
    let mut set = |field: &str, value: Yaml| _ = out.insert(field.to_owned(), value);
    let discovery = match cluster.discovery() {
        Discovery::Eds => "eds",
        Discovery::Static => "static",
        Discovery::StrictDns => "strict_dns",
        Discovery::LogicalDns => "logical_dns",
        Discovery::OriginalDst { .. } => "original_dst",
        Discovery::DynamicForwardProxy => "dynamic_forward_proxy",
        other => panic!("no word for {other:?}"),
    };
    set("discovery", json!(discovery));
    if let Some(rule) = cluster.destination_rule() {
        set("destination_rule", json!(rule.to_string()));
    }
    set("connect_timeout", span(settings.connect_timeout));
    if cluster.discovery() != Discovery::DynamicForwardProxy {
        set("panic_threshold", json!(settings.panic_threshold));
        let (policy, words) = lb_policy(settings.lb_policy);
        set("lb_policy", json!(policy));
        if let Some((field, value)) = words {
            set(field, value);
        }
    }
    if settings.locality_weighted {
        set("locality_weighted", json!(true));
    }
    if let Some(keepalive) = settings.keepalive {
        let seconds = |one: Option<Duration>| one.map(|one| one.as_secs());
        let words = json!({
            "keepaliveProbes": keepalive.probes,
            "keepaliveTime": seconds(keepalive.time),
            "keepaliveInterval": seconds(keepalive.interval),
        });
        set("keepalive", without_nulls(words));
    }
    let limits = settings.limits;
    let budget = limits.retry_budget.map(|budget| {
        json!({
            "budgetPercent": {"value": number(budget.percent)},
            "minRetryConcurrency": budget.min_retry_concurrency,
        })
    });
    let words = json!({
        "maxConnections": limits.max_connections,
        "maxPendingRequests": limits.max_pending_requests,
        "maxRequests": limits.max_requests,
        "maxRetries": limits.max_retries,
        "retryBudget": budget,
    });
    if let Yaml::Object(words) = without_nulls(words)
        && !words.is_empty()
    {
        set("limits", Yaml::Object(words));
    }
    if let Some(outlier) = &settings.outlier_detection {
        set("outlier_detection", outlier_detection(outlier));
    }
    if let Some(words) = http(settings, cluster.tls()) {
        set("http", words);
    }
    let proxy_protocol = cluster.proxy_protocol().map(|version| match version {
        ProxyProtocol::V1 => "V1",
        _ => "V2",
    });
    match cluster.tls() {
        ClusterTls::Automatic(own) => {
            let with = json!({"tls": tls(own), "proxy_protocol": proxy_protocol});
            let without = json!({"proxy_protocol": proxy_protocol});
            let words = json!({
                "tlsMode-istio": without_nulls(with),
                "tlsMode-disabled": without_nulls(without),
            });
            set("by_tls_mode", words);
        }
        always => {
            if let ClusterTls::Always(own) = always {
                set("tls", tls(own));
            }
            if let Some(version) = proxy_protocol {
                set("proxy_protocol", json!(version));
            }
        }
    }
    let groups: Vec<Yaml> = cluster.endpoint_set().groups().map(group).collect();
    if !groups.is_empty() {
        set("endpoints", Yaml::Array(groups));
    }
    out
}

fn span(duration: Duration) -> Yaml {
    json!(ProtoDuration::from(duration).to_string())
}

/// A whole number as JSON writes it.
fn number(value: f64) -> Yaml {
    match value.fract() == 0.0 {
        true => json!(value as i64),
        false => json!(value),
    }
}

fn lb_policy(policy: LbPolicy) -> (&'static str, Option<(&'static str, Yaml)>) {
    let slow_start = |field, warmup: Option<Warmup>| {
        let words = warmup.map(|warmup| {
            json!({"slowStartConfig": {
                "slowStartWindow": span(warmup.duration),
                "aggression": number(warmup.aggression),
                "minWeightPercent": number(warmup.minimum_percent),
            }})
        });
        words.map(|words| (field, words))
    };
    match policy {
        LbPolicy::RoundRobin { warmup } => ("ROUND_ROBIN", slow_start("round_robin", warmup)),
        LbPolicy::LeastRequest { warmup } => ("LEAST_REQUEST", slow_start("least_request", warmup)),
        LbPolicy::Random => ("RANDOM", None),
        LbPolicy::RingHash { minimum_size } => {
            let words = json!({"minimumRingSize": minimum_size.to_string()});
            ("RING_HASH", Some(("ring_hash", words)))
        }
        LbPolicy::Maglev { table_size } => {
            let words = json!({"tableSize": table_size.to_string()});
            ("MAGLEV", Some(("maglev", words)))
        }
        LbPolicy::ClusterProvided => ("CLUSTER_PROVIDED", None),
        other => panic!("no word for {other:?}"),
    }
}

fn outlier_detection(outlier: &OutlierDetection) -> Yaml {
    let split = outlier.split_external_local_origin_errors;
    let mut words = json!({
        "consecutive5xx": outlier.consecutive_5xx_errors,
        "consecutiveGatewayFailure": outlier.consecutive_gateway_errors,
        "interval": span(outlier.interval),
        "baseEjectionTime": span(outlier.base_ejection_time),
        "maxEjectionPercent": outlier.max_ejection_percent,
        "splitExternalLocalOriginErrors": split,
    });
    if split {
        words["consecutiveLocalOriginFailure"] = json!(outlier.consecutive_local_origin_failures);
    }
    words
}

fn http(settings: &ClusterSettings, tls: &ClusterTls) -> Option<Yaml> {
    let common = json!({
        "idleTimeout": settings.idle_timeout.map(span),
        "maxConnectionDuration": settings.max_connection_duration.map(span),
        "maxRequestsPerConnection": settings.max_requests_per_connection,
    });
    let automatic = match tls {
        ClusterTls::Always(own) | ClusterTls::Automatic(own) => json!({
            "autoSni": own.auto_sni.then_some(true),
            "autoSanValidation": own.auto_san_validation.then_some(true),
        }),
        _ => json!({}),
    };
    let protocol = match settings.protocol {
        UpstreamProtocol::Http1 => "http1",
        UpstreamProtocol::Http2 => "http2",
        UpstreamProtocol::Downstream => "downstream",
        other => panic!("no word for {other:?}"),
    };
    let words = json!({
        "commonHttpProtocolOptions": without_nulls(common),
        "upstreamHttpProtocolOptions": without_nulls(automatic),
        "protocol": protocol,
        "protocol_options": without_nulls(json!({"maxConcurrentStreams": settings.max_concurrent_streams})),
    });
    trimmed_http(words)
}

/// `http` without what says nothing; `None` if that is all of it.
fn trimmed_http(mut words: Yaml) -> Option<Yaml> {
    let fields = words.as_object_mut()?;
    fields.retain(|_, value| value.as_object().is_none_or(|value| !value.is_empty()));
    let says_nothing = fields.len() == 1 && fields.get("protocol") == Some(&json!("http1"));
    (!says_nothing).then_some(words)
}

fn tls(own: &UpstreamTls) -> Yaml {
    let names = own.subject_alt_names.iter();
    let names: Vec<Yaml> = names.map(|name| json!({"exact": name})).collect();
    let words = json!({
        "sni": own.sni,
        "alpn": (!own.alpn.is_empty()).then_some(own.alpn),
        "certificates": own.certificate.as_ref().map(|one| [&**one]),
        "subject_alt_names": (!names.is_empty()).then_some(names),
        "validation": own.validation.as_deref(),
    });
    without_nulls(words)
}

fn group(group: EndpointGroup<'_>) -> Yaml {
    let endpoints: Vec<Yaml> = group.endpoints().map(|one| endpoint(&one)).collect();
    json!({
        "locality": group.locality(),
        "priority": group.priority(),
        "weight": group.weight(),
        "endpoints": endpoints,
    })
}

fn endpoint(endpoint: &LbEndpoint<'_>) -> Yaml {
    let health = match endpoint.health() {
        Health::Healthy => "healthy",
        Health::Unhealthy => "unhealthy",
        Health::Draining => "draining",
        Health::Terminating => "terminating",
        other => panic!("no word for {other:?}"),
    };
    without_nulls(json!({
        "address": endpoint.to_string(),
        "weight": endpoint.weight(),
        "health": health,
        "tls_mode": endpoint.is_mutual_tls().then_some("istio"),
    }))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            fields.retain(|_, value| !value.is_null());
            Value::Object(fields)
        }
        other => other,
    }
}

/// What is expected of a cluster, with the defaults that [`said`] says, too.
fn with_defaults(expected: &Yaml) -> Map<String, Yaml> {
    let mut out = expected.as_object().cloned().unwrap_or_default();
    if let Some(words) = out.get_mut("outlier_detection") {
        *words = effective_outliers(words);
    }
    // What stands there for another policy, Envoy does not read.
    if out.get("lb_policy") != Some(&json!("LEAST_REQUEST")) {
        out.remove("least_request");
    }
    for field in ["round_robin", "least_request"] {
        if let Some(slow_start) = out
            .get_mut(field)
            .and_then(|one| one.get_mut("slowStartConfig"))
        {
            let aggression = &slow_start["aggression"]["defaultValue"];
            let minimum = &slow_start["minWeightPercent"]["value"];
            *slow_start = json!({
                "slowStartWindow": slow_start["slowStartWindow"],
                "aggression": or(aggression, 1),
                "minWeightPercent": or(minimum, 10),
            });
        }
    }
    match out.get("lb_policy").and_then(Yaml::as_str) {
        Some("RING_HASH") => {
            let default = || json!({"minimumRingSize": "1024"});
            out.entry("ring_hash").or_insert_with(default);
        }
        Some("MAGLEV") => {
            let default = || json!({"tableSize": "65537"});
            out.entry("maglev").or_insert_with(default);
        }
        _ => {}
    }
    if let Some(words) = out.remove("http").and_then(trimmed_http) {
        out.insert("http".to_owned(), words);
    }
    if let Some(budget) = out
        .get_mut("limits")
        .and_then(|one| one.get_mut("retryBudget"))
    {
        let (percent, least) = (
            &budget["budgetPercent"]["value"],
            &budget["minRetryConcurrency"],
        );
        *budget = json!({
            "budgetPercent": {"value": or(percent, 20)},
            "minRetryConcurrency": or(least, 3),
        });
    }
    for group in out
        .get_mut("endpoints")
        .and_then(Yaml::as_array_mut)
        .into_iter()
        .flatten()
    {
        group["priority"] = or(&group["priority"], 0);
        group["weight"] = or(&group["weight"], 0);
        if group["endpoints"].is_null() {
            group["endpoints"] = json!([]);
        }
        for endpoint in group["endpoints"].as_array_mut().into_iter().flatten() {
            endpoint["weight"] = or(&endpoint["weight"], 1);
            if endpoint["health"].is_null() {
                endpoint["health"] = json!("healthy");
            }
        }
    }
    out
}

/// The value, or this default.
fn or(value: &Yaml, default: u64) -> Yaml {
    match value {
        Yaml::Null => json!(default),
        value => value.clone(),
    }
}

/// What Envoy does with these words: its defaults are those of its documentation.
fn effective_outliers(words: &Yaml) -> Yaml {
    let enforced = |count: &str, by: &str, default_share: u64| match or(&words[by], default_share) {
        share if share == json!(0) => json!(0),
        _ => or(&words[count], 5),
    };
    let split = words["splitExternalLocalOriginErrors"] == json!(true);
    let text = |field: &str, default: &str| match &words[field] {
        Yaml::Null => json!(default),
        value => value.clone(),
    };
    let mut out = json!({
        "consecutive5xx": enforced("consecutive5xx", "enforcingConsecutive5xx", 100),
        "consecutiveGatewayFailure": enforced(
            "consecutiveGatewayFailure",
            "enforcingConsecutiveGatewayFailure",
            0,
        ),
        "interval": text("interval", "10s"),
        "baseEjectionTime": text("baseEjectionTime", "30s"),
        "maxEjectionPercent": or(&words["maxEjectionPercent"], 10),
        "splitExternalLocalOriginErrors": split,
    });
    if split {
        let share = "enforcingConsecutiveLocalOriginFailure";
        out["consecutiveLocalOriginFailure"] =
            enforced("consecutiveLocalOriginFailure", share, 100);
    }
    out
}
