//! DestinationRules: merged into the entries that Istio looks up, chosen for a service, and which clusters exist.
//! Section 4 of istio-model.md.

use serde_json::json;

use super::names::{complete, default_export, most_specific, selects};
use super::policies::duration;
use super::services::{Protocol, Service, endpoint_labels};
use super::sidecar::Scope;
use super::world::{World, namespace};
use super::{Yaml, list, number, text, texts};

/// One merged entry of an index: a rule, or several on one host that count as one.
#[derive(Clone, Debug)]
struct Entry {
    host: String,
    namespace: String,
    export: Vec<String>,
    spec: Yaml,
    /// R-G-062: istiod makes it of policies of the Gateway API.
    is_made: bool,
}

fn same_set(a: &[String], b: &[String]) -> bool {
    a.iter().all(|x| b.contains(x)) && b.iter().all(|x| a.contains(x))
}

/// R-M-075, R-M-076: the rules in the order they are processed, with host and export set.
fn processed(world: &World) -> Vec<Entry> {
    let (mut first, rest): (Vec<&Yaml>, Vec<&Yaml>) = world
        .of_kind("DestinationRule")
        .partition(|rule| rule["spec"]["workloadSelector"].is_object());
    first.extend(rest);
    let entry = |rule: &Yaml| {
        let spec = rule["spec"].clone();
        let mut export = texts(&spec, "exportTo");
        if spec["workloadSelector"].is_object() {
            export = vec![".".to_owned()];
        }
        Entry {
            host: complete(text(&spec, "host"), namespace(rule)),
            namespace: namespace(rule).to_owned(),
            export,
            spec,
            is_made: !text(
                &rule["metadata"]["annotations"],
                "internal.istio.io/parents",
            )
            .is_empty(),
        }
    };
    first.into_iter().map(entry).collect()
}

/// R-M-076: visible in the rule's own namespace.
fn is_local(entry: &Entry) -> bool {
    let says = |word: &str| entry.export.iter().any(|e| e == word);
    entry.export.is_empty() || says("*") || says(".") || says(&entry.namespace)
}

/// R-M-076: visible in the rule's own namespace and nowhere else.
fn is_private(entry: &Entry, world: &World) -> bool {
    if entry.export.is_empty() {
        let default = default_export(&world.mesh, "defaultDestinationRuleExportTo");
        return default.iter().any(|e| e == ".");
    }
    entry.export.len() == 1 && (entry.export[0] == "." || entry.export[0] == entry.namespace)
}

/// R-M-077, R-M-078: adds `incoming` to the entries of an index.
fn add(index: &mut Vec<Entry>, incoming: &Entry) {
    let mut append = true;
    for known in index.iter_mut().filter(|known| known.host == incoming.host) {
        if same_set(&known.export, &incoming.export) {
            append = false;
        } else if !known.export.is_empty()
            && known.export.len() < incoming.export.len()
            && known.export.iter().all(|e| incoming.export.contains(e))
        {
            append = true;
        } else {
            append = true;
            continue;
        }
        let (old, new) = (
            &known.spec["workloadSelector"],
            &incoming.spec["workloadSelector"],
        );
        match (old.is_object(), new.is_object()) {
            (true, true) if old != new => {
                append = true;
                continue;
            }
            (false, false) | (true, true) => append = false,
            _ => {}
        }
        let mut subsets = list(&known.spec, "subsets").to_vec();
        for subset in list(&incoming.spec, "subsets") {
            if !subsets
                .iter()
                .any(|s| text(s, "name") == text(subset, "name"))
            {
                subsets.push(subset.clone());
            }
        }
        known.spec["subsets"] = Yaml::Array(subsets);
        let policy = &incoming.spec["trafficPolicy"];
        if known.spec["trafficPolicy"].is_null() {
            known.spec["trafficPolicy"] = policy.clone();
        } else if known.is_made != incoming.is_made {
            // R-G-062: field by field, what people wrote first.
            for (field, value) in policy.as_object().into_iter().flatten() {
                let own = &mut known.spec["trafficPolicy"][field];
                if own.is_null() || known.is_made {
                    *own = value.clone();
                }
            }
            known.is_made = false;
        }
    }
    if append {
        index.push(incoming.clone());
    }
}

/// The merged entries of the rules that pass `keep`.
fn index(world: &World, keep: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let mut index = Vec::new();
    for entry in processed(world).iter().filter(|entry| keep(entry)) {
        add(&mut index, entry);
    }
    index
}

/// The entries of the most specific host that covers the service (R-M-011).
fn covering(index: Vec<Entry>, host: &str) -> Vec<Entry> {
    let hosts: Vec<&str> = index.iter().map(|entry| entry.host.as_str()).collect();
    let Some(best) = most_specific(host, &hosts).map(str::to_owned) else {
        return vec![];
    };
    index
        .into_iter()
        .filter(|entry| entry.host == best)
        .collect()
}

/// R-M-080, R-M-081: the `spec` of the rule that the proxy applies to the service.
pub fn rule_for(world: &World, service: &Service) -> Option<Yaml> {
    let (viewer, root) = (world.proxy.namespace.as_str(), world.root_namespace());
    let exported_from = |owner: &str| {
        let all = index(world, |e| e.namespace == owner && !is_private(e, world));
        let mut found = covering(all, &service.host);
        found.retain(|e| e.export.is_empty() || e.export.iter().any(|x| x == "*" || x == viewer));
        found
    };
    let mut entries = if viewer == root {
        covering(
            index(world, |e| e.namespace == root && is_private(e, world)),
            &service.host,
        )
    } else {
        covering(
            index(world, |e| e.namespace == viewer && is_local(e)),
            &service.host,
        )
    };
    if entries.is_empty() {
        entries = exported_from(&service.namespace);
    }
    if entries.is_empty() {
        entries = exported_from(root);
    }
    let mut last = None;
    for entry in entries {
        let selector = &entry.spec["workloadSelector"];
        if !selector.is_object() {
            last = Some(entry.spec);
        } else if entry.namespace == viewer
            && selects(&selector["matchLabels"], &world.proxy.labels)
        {
            return Some(entry.spec);
        }
    }
    last
}

/// R-M-136, R-M-139: does the cluster exist at this proxy?
pub fn cluster_exists(world: &World, scope: &Scope, cluster: &str) -> bool {
    if !cluster.contains('|') {
        return cluster != "UnknownService";
    }
    let parts: Vec<&str> = cluster.splitn(4, '|').collect();
    let [_, port, subset, host] = parts.as_slice() else {
        return false;
    };
    scope
        .services
        .iter()
        .filter(|service| service.host == *host)
        .any(|service| {
            let has_port = service
                .ports
                .iter()
                .any(|p| p.number.to_string() == *port && p.protocol != Protocol::Udp);
            // R-M-130: an ExternalName service has no cluster of its own; a DNS service without endpoints has none.
            if !has_port || service.external_name.is_some() {
                return false;
            }
            let rule = rule_for(world, service).unwrap_or(json!({}));
            let mut subsets = list(&rule, "subsets").iter();
            let labels = match subsets.find(|s| text(s, "name") == *subset) {
                _ if subset.is_empty() => json!({}),
                Some(subset) => subset["labels"].clone(),
                None => return false,
            };
            !service.resolution.starts_with("DNS")
                || endpoint_labels(world, service)
                    .iter()
                    .any(|own| selects(&labels, own))
        })
}

/// R-M-121: the hash keys that the rule of a destination puts on a route. `port` 0 is an unset `destination.port`.
pub fn hash_policies(rule: &Yaml, subset: &str, port: u64) -> Vec<Yaml> {
    let no_policy = json!({});
    let subset_policy = list(rule, "subsets")
        .iter()
        .find(|s| text(s, "name") == subset && !subset.is_empty())
        .map_or(&no_policy, |s| &s["trafficPolicy"]);
    let port_level = |policy: &Yaml| {
        let settings = list(policy, "portLevelSettings").iter();
        let mut fitting = settings.filter(|s| port != 0 && number(&s["port"], "number") == port);
        fitting.next().cloned().unwrap_or(Yaml::Null)
    };
    let top = &rule["trafficPolicy"];
    let candidates = [
        port_level(subset_policy),
        subset_policy.clone(),
        port_level(top),
        top.clone(),
    ];
    candidates
        .iter()
        .map(hash_of)
        .find(|policy| !policy.is_empty())
        .unwrap_or_default()
}

/// R-M-089, R-M-090: the key of a `consistentHash`.
fn hash_of(policy: &Yaml) -> Vec<Yaml> {
    let hash = &policy["loadBalancer"]["consistentHash"];
    let key = if let Some(name) = hash["httpHeaderName"].as_str() {
        json!({"header": {"headerName": name}})
    } else if hash["httpCookie"].is_object() {
        json!({"cookie": cookie(&hash["httpCookie"])})
    } else if hash["useSourceIp"].as_bool() == Some(true) {
        json!({"connectionProperties": {"sourceIp": true}})
    } else if let Some(name) = hash["httpQueryParameterName"].as_str() {
        json!({"queryParameter": {"name": name}})
    } else {
        return vec![];
    };
    vec![key]
}

/// A cookie that is hashed, in Envoy's words: without a lifetime it is only read, with one it is made, too.
fn cookie(said: &Yaml) -> Yaml {
    let mut out = json!({"name": text(said, "name")});
    if !text(said, "path").is_empty() {
        out["path"] = text(said, "path").into();
    }
    if !said["ttl"].is_null() {
        let ttl = duration(&said["ttl"]);
        out["ttl"] = ttl.unwrap_or_else(|| "0s".to_owned()).into();
    }
    if !list(said, "attributes").is_empty() {
        out["attributes"] = said["attributes"].clone();
    }
    out
}
