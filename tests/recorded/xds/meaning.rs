//! Envoy's resources by their meaning: what has nothing to do with routing is left out, each with its reason; what can be
//! said in two ways is said in one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// A list of resources.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Routes,
    Listeners,
    Clusters,
    Endpoints,
}

/// What differs.
#[derive(Default)]
pub struct Differences {
    /// Paths without the places and names in them.
    pub kinds: BTreeSet<String>,
    /// One line for each difference.
    pub lines: Vec<String>,
}

/// Fields that are not compared, wherever they stand, and why.
const NOT_ROUTING: &[(&str, &str)] = &[
    ("accessLog", "what is logged"),
    ("allowInsecureClusterOptions", "how names are resolved"),
    ("altStatName", "names of statistics"),
    ("dnsCacheConfig", "how names are resolved"),
    ("dnsJitter", "how names are resolved"),
    ("dnsLookupFamily", "how names are resolved"),
    ("dnsRefreshRate", "how names are resolved"),
    ("respectDnsTtl", "how names are resolved"),
    ("runtimeKey", "a key that no runtime has"),
    ("sdsConfig", "where certificates come from"),
    ("tlsParams", "the same in all that istiod writes"),
    ("typedDnsResolverConfig", "how names are resolved"),
    ("decorator", "names of spans"),
    ("httpProtocolOptions", "how HTTP/1 is spoken"),
    (
        "maxConnectionsToAcceptPerSocketEvent",
        "how connections are accepted",
    ),
    ("proxy100Continue", "how `expect: 100-continue` is answered"),
    ("requestIdExtension", "request ids"),
    ("serverName", "what the proxy calls itself"),
    (
        "setCurrentClientCertDetails",
        "what is written of a client's certificate",
    ),
    ("statPrefix", "names of statistics"),
    ("streamIdleTimeout", "the same in all that istiod writes"),
    ("tracing", "spans"),
    (
        "transportSocketConnectTimeout",
        "the same in all that istiod writes",
    ),
    ("upgradeConfigs", "the same in all that istiod writes"),
];

/// Filters that are not compared, and why.
const NOT_ROUTING_FILTERS: &[(&str, &str)] = &[
    (
        "envoy.extensions.filters.network.sni_dynamic_forward_proxy",
        "how names are resolved",
    ),
    (
        "envoy.filters.http.dynamic_forward_proxy",
        "how names are resolved",
    ),
    ("envoy.filters.http.grpc_stats", "statistics"),
    ("envoy.filters.http.grpc_web", "another way to speak gRPC"),
    ("envoy.filters.network.mongo_proxy", "statistics"),
    ("istio.alpn", "Istio's own"),
    ("istio.metadata_exchange", "Istio's own"),
];

/// Compares a part of a dump with what was written.
pub fn differences(part: Part, dump: &Value, written: &Value, out: &mut Differences) {
    let name = match part {
        Part::Routes => "routes",
        Part::Listeners => "listeners",
        Part::Clusters => "clusters",
        Part::Endpoints => "endpoints",
    };
    // A router has the clusters that its rules name, an Envoy all that it may see.
    let name_of = |resource: &Value| {
        let name = resource["name"]
            .as_str()
            .or(resource["clusterName"].as_str());
        name.unwrap_or_default().to_owned()
    };
    let named: BTreeSet<String> = written[name]
        .as_array()
        .into_iter()
        .flatten()
        .map(name_of)
        .collect();
    let is_of_clusters = matches!(part, Part::Clusters | Part::Endpoints);
    let of = |value: &Value| {
        let mut all: Vec<Value> = value[name].as_array().cloned().unwrap_or_default();
        // What arrives at a workload is none of a client's routing.
        all.retain(|resource| resource["trafficDirection"] != "INBOUND");
        all.retain(|resource| !is_of_clusters || named.contains(&name_of(resource)));
        Value::Array(all.into_iter().map(meaning).collect())
    };
    compare(name, name, &of(dump), &of(written), out);
}

/// A value in the one way in which it is compared.
fn meaning(value: Value) -> Value {
    match value {
        Value::Array(elements) => {
            let kept = elements.into_iter().filter(|element| !is_left_out(element));
            Value::Array(kept.map(meaning).collect())
        }
        Value::Object(fields) => object(fields),
        Value::Number(number) => number.as_f64().into(),
        other => other,
    }
}

fn is_left_out(filter: &Value) -> bool {
    let name = filter["name"].as_str().unwrap_or_default();
    NOT_ROUTING_FILTERS
        .iter()
        .any(|(left_out, _)| *left_out == name)
}

fn object(mut fields: Map<String, Value>) -> Value {
    for (name, _) in NOT_ROUTING {
        fields.remove(*name);
    }
    // Parts of a hundred, of ten thousand or of a million.
    let mut names = fields.keys();
    if !fields.is_empty() && names.all(|name| name == "numerator" || name == "denominator") {
        return chance(&fields);
    }
    // Whose certificate is shown to clients is not a router's matter; that TLS ends here is.
    let name = fields.get("name").and_then(Value::as_str);
    let settings = fields
        .get("typedConfig")
        .and_then(|settings| settings["@type"].as_str());
    if settings.is_some_and(|kind| kind.ends_with(".DownstreamTlsContext")) {
        return json!({ "name": name });
    }
    if fields.contains_key("enforcingSuccessRate") {
        return outlier_detection(&fields);
    }
    if let Some(istio) = fields.get_mut("istio").and_then(Value::as_object_mut) {
        // Who wrote it is compared, what telemetry says of it is not.
        istio.retain(|name, _| name == "config");
    }
    for name in ["domains", "serverNames"] {
        // Envoy reads them without case, and their order means nothing.
        if let Some(hosts) = fields.get_mut(name).and_then(Value::as_array_mut) {
            hosts.iter_mut().for_each(lower);
            hosts.sort_by_cached_key(Value::to_string);
        }
    }
    for name in ["headers", "queryParameters"] {
        // All of them must hold, in any order; Envoy reads the names of headers without case.
        if let Some(tests) = fields.get_mut(name).and_then(Value::as_array_mut) {
            if name == "headers" {
                let names = tests.iter_mut().filter_map(|test| test.get_mut("name"));
                names.for_each(header_name);
            }
            tests.sort_by_cached_key(Value::to_string);
        }
    }
    // `true` is the default, and a regex never looks at it.
    if fields.contains_key("safeRegex") || fields.get("caseSensitive") == Some(&true.into()) {
        fields.remove("caseSensitive");
    }
    fields.retain(|name, value| match name.as_str() {
        "filterChainMatch" | "percentage" => *value != json!({}),
        // Envoy takes an empty path for none.
        "pathRedirect" => value != "",
        // How much is read at once.
        "initialReadBufferSize" => false,
        // What is the same where nothing is said.
        "healthStatus" => value != "HEALTHY",
        "loadBalancingWeight" => *value != 1,
        "minimumRingSize" => value != "1024",
        "tableSize" => value != "65537",
        "aggression" => value["defaultValue"].as_f64() != Some(1.0),
        "minWeightPercent" => value["value"].as_f64() != Some(10.0),
        "match"
        | "locality"
        | "defaultValidationContext"
        | "validationContext"
        | "commonHttpProtocolOptions" => *value != json!({}),
        _ => true,
    });
    // One that says nothing but HTTP/1.1 is as good as none.
    let kind = fields.get("@type").and_then(Value::as_str);
    let is_http = kind.is_some_and(|kind| kind.ends_with("upstreams.http.v3.HttpProtocolOptions"));
    let http1 = json!({ "httpProtocolOptions": {} });
    if is_http && fields.len() == 2 && fields.get("explicitHttpConfig") == Some(&http1) {
        return Value::Null;
    }
    let fields = fields.into_iter();
    let fields = fields.map(|(name, value)| (name, meaning(value)));
    let says_nothing = |name: &str, value: &Value| match name {
        "filters" => *value == json!([]),
        "istio"
        | "filterMetadata"
        | "metadata"
        | "ringHashLbConfig"
        | "maglevLbConfig"
        | "commonTlsContext"
        | "typedExtensionProtocolOptions" => *value == json!({}),
        _ => value.is_null(),
    };
    fields
        .filter(|(name, value)| !says_nothing(name, value))
        .collect()
}

/// With Envoy's defaults, and without errors that do not count.
fn outlier_detection(fields: &Map<String, Value>) -> Value {
    let number = |name: &str, unset: u64| fields.get(name).and_then(Value::as_u64).unwrap_or(unset);
    let text = |name: &str, unset: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or(unset)
            .to_owned()
    };
    let counted = |errors: &str, enforced: &str, unset: u64| match number(enforced, unset) {
        0 => 0,
        _ => number(errors, 5),
    };
    let splits = fields.contains_key("splitExternalLocalOriginErrors");
    json!({
        "errors": counted("consecutive5xx", "enforcingConsecutive5xx", 100),
        "gatewayErrors": counted("consecutiveGatewayFailure", "enforcingConsecutiveGatewayFailure", 0),
        "ownErrors": splits.then(|| counted("consecutiveLocalOriginFailure", "enforcingConsecutiveLocalOriginFailure", 100)),
        "interval": text("interval", "10s"),
        "baseEjectionTime": text("baseEjectionTime", "30s"),
        "maxEjectionPercent": number("maxEjectionPercent", 10),
    })
}

/// A chance in parts of a million; `null`: never, as if nothing were said.
fn chance(fields: &Map<String, Value>) -> Value {
    let parts = match fields.get("denominator").and_then(Value::as_str) {
        Some("MILLION") => 1,
        Some("TEN_THOUSAND") => 100,
        _ => 10_000,
    };
    match fields.get("numerator").and_then(Value::as_u64) {
        None | Some(0) => Value::Null,
        Some(some) => json!({ "perMillion": some * parts }),
    }
}

/// Envoy knows two names for one.
fn header_name(name: &mut Value) {
    lower(name);
    if *name == "host" {
        *name = ":authority".into();
    }
}

fn lower(text: &mut Value) {
    *text = text.as_str().unwrap_or_default().to_lowercase().into();
}

/// Lists of things with names, whose order means nothing, by these names.
fn by_name(kind: &str, list: &[Value]) -> Option<BTreeMap<String, Value>> {
    let is_named = matches!(
        kind,
        "routes" | "listeners" | "clusters" | "endpoints" | "routes.virtualHosts"
    );
    let name = |element: &Value| {
        let name = element["name"].as_str().or(element["clusterName"].as_str());
        name.unwrap_or_default().to_owned()
    };
    is_named.then(|| {
        list.iter()
            .map(|element| (name(element), element.clone()))
            .collect()
    })
}

fn compare(kind: &str, path: &str, expected: &Value, got: &Value, out: &mut Differences) {
    // istiod does not say where a gateway's TCP routes were written; the crate does.
    let is_said_too = kind == "listeners.filterChains.metadata" && expected.is_null();
    if expected == got || is_said_too {
        return;
    }
    let differ = |what: &str, out: &mut Differences| {
        out.kinds.insert(format!("{kind}{what}"));
        out.lines.push(format!(
            "{path}: expected {}, got {}",
            short(expected),
            short(got)
        ));
    };
    match (expected, got) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let at = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                compare(
                    &format!("{kind}.{name}"),
                    &format!("{path}.{name}"),
                    &at(left),
                    &at(right),
                    out,
                );
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            match (by_name(kind, left), by_name(kind, right)) {
                (Some(left), Some(right)) => {
                    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
                    for name in names {
                        let at = format!("{path}[{name}]");
                        match (left.get(name), right.get(name)) {
                            (Some(left), Some(right)) => compare(kind, &at, left, right, out),
                            (left, _) => {
                                let what = if left.is_some() {
                                    "is missing"
                                } else {
                                    "is too much"
                                };
                                out.kinds.insert(format!("{kind}: one {what}"));
                                out.lines.push(format!("{at} {what}"));
                            }
                        }
                    }
                }
                _ if left.len() == right.len() => {
                    for (place, (left, right)) in left.iter().zip(right).enumerate() {
                        compare(kind, &format!("{path}[{place}]"), left, right, out);
                    }
                }
                _ => differ(": length", out),
            }
        }
        _ => differ("", out),
    }
}

fn short(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > 600 {
        let end = (0..=600).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push_str("...");
    }
    text
}
