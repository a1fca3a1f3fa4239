//! BackendTLSPolicies as DestinationRules.

use serde_json::json;

use super::{MADE, name, of_kind, or};
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, text, texts};

/// What a policy is for: kind, namespace, name, host and section.
#[derive(Clone, PartialEq)]
struct Target {
    kind: String,
    namespace: String,
    name: String,
    host: String,
}

/// R-G-062..R-G-064: one DestinationRule for each target and host.
pub(super) fn destination_rules(resources: &[Yaml]) -> Vec<Yaml> {
    let mut policies: Vec<&Yaml> = of_kind(resources, "BackendTLSPolicy")
        .filter(|policy| {
            let annotations = &policy["metadata"]["annotations"];
            text(annotations, "istio.io/ignore-policy-attachment") != "true"
        })
        .collect();
    policies.sort_by_key(|policy| {
        let created = text(&policy["metadata"], "creationTimestamp");
        (created, namespace(policy), name(policy))
    });
    let mut out: Vec<(Target, Yaml)> = Vec::new();
    for policy in policies {
        for reference in list(&policy["spec"], "targetRefs") {
            for (target, ports) in targets(resources, policy, reference) {
                let section = text(reference, "sectionName");
                let port = ports.iter().find(|(name, _)| name == section);
                let tls = tls(policy);
                let at = out.iter().position(|(known, _)| *known == target);
                let at = at.unwrap_or_else(|| {
                    out.push((target, json!({})));
                    out.len() - 1
                });
                let of_target = &mut out[at].1;
                if section.is_empty() {
                    if of_target["tls"].is_null() {
                        of_target["tls"] = tls;
                    }
                } else if let Some((_, number)) = port {
                    let settings = &mut of_target["portLevelSettings"];
                    if !settings.is_array() {
                        *settings = json!([]);
                    }
                    let settings = settings.as_array_mut().expect("a list");
                    if !settings.iter().any(|one| one["port"]["number"] == *number) {
                        settings.push(json!({"port": {"number": number}, "tls": tls}));
                    }
                }
            }
        }
    }
    out.into_iter()
        .filter(|(_, policy)| *policy != json!({}))
        .map(|(target, policy)| {
            let called = match target.kind.as_str() {
                "Service" => format!("{}~{MADE}", target.name),
                _ => format!("{}~{}~{MADE}", target.name, target.host.replace('.', "-")),
            };
            json!({
                "apiVersion": "networking.istio.io/v1",
                "kind": "DestinationRule",
                "metadata": {
                    "name": called,
                    "namespace": target.namespace,
                    "annotations": {"internal.istio.io/parents": "BackendTLSPolicy"},
                },
                "spec": {"host": target.host, "trafficPolicy": policy},
            })
        })
        .collect()
}

/// The services that a reference of a policy means, with the numbers of their ports by name.
fn targets(
    resources: &[Yaml],
    policy: &Yaml,
    reference: &Yaml,
) -> Vec<(Target, Vec<(String, u64)>)> {
    let (group, kind) = (or(reference, "group", ""), text(reference, "kind"));
    let is_known = matches!(
        (group, kind),
        ("", "Service") | ("networking.istio.io", "ServiceEntry")
    );
    let named = text(reference, "name");
    let found = resources.iter().find(|one| {
        is_known
            && text(one, "kind") == kind
            && namespace(one) == namespace(policy)
            && name(one) == named
    });
    let Some(found) = found else { return vec![] };
    let number = if kind == "Service" { "port" } else { "number" };
    let ports = list(&found["spec"], "ports").iter();
    let ports =
        ports.filter_map(|port| Some((text(port, "name").to_owned(), port[number].as_u64()?)));
    let ports: Vec<(String, u64)> = ports.collect();
    let hosts = match kind {
        "Service" => vec![format!("{named}.{}.svc.cluster.local", namespace(policy))],
        _ => texts(&found["spec"], "hosts"),
    };
    let target = |host: String| Target {
        kind: kind.to_owned(),
        namespace: namespace(policy).to_owned(),
        name: named.to_owned(),
        host,
    };
    hosts
        .into_iter()
        .map(|host| (target(host), ports.clone()))
        .collect()
}

/// R-G-064.
fn tls(policy: &Yaml) -> Yaml {
    let validation = &policy["spec"]["validation"];
    json!({"mode": "SIMPLE", "sni": text(validation, "hostname")})
}
