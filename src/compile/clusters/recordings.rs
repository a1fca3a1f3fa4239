//! Which clusters exist, compared with what a real Envoy had: every recorded answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Clusters;
use crate::compile::scope::Scope;
use crate::mesh::Mesh;
use crate::resource::Resources;
use crate::router::ClusterIds;
use crate::terms::labels::Labels;
use crate::terms::proxy::Proxy;

fn proxy(case: &Value) -> Proxy {
    let text = |key: &str| case["proxy"][key].as_str().unwrap_or("default");
    let proxy = match text("type") {
        "gateway" => Proxy::gateway(text("namespace")),
        _ => Proxy::sidecar(text("namespace")),
    };
    let labels = case["proxy"]["labels"].as_object().into_iter().flatten();
    let labels: Labels = labels
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect();
    proxy.with_labels(labels)
}

/// What was recorded of each cluster: whether it exists.
fn recorded(case: &Value) -> BTreeMap<String, bool> {
    let mut clusters = BTreeMap::new();
    for call in case["calls"].as_array().into_iter().flatten() {
        let expect = &call["expect"];
        let name = expect["cluster"].as_str().unwrap_or("");
        let outcome = expect["outcome"].as_str().unwrap_or("");
        if name.starts_with("outbound|") && matches!(outcome, "cluster" | "no_such_cluster") {
            clusters.insert(name.to_owned(), outcome == "cluster");
        }
    }
    clusters
}

#[test]
fn r_m_136_and_r_m_139_clusters_exist_as_recorded() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (_, case) in crate::archive::recorded() {
        let recorded = recorded(&case);
        if recorded.is_empty() {
            continue;
        }
        let text = case["resources"].as_str().unwrap_or("").to_owned();
        let mut builder = Resources::builder().yaml("case", text);
        if case["mesh"].is_object() {
            builder = builder.mesh_config("mesh", case["mesh"].to_string());
        }
        let (resources, _) = builder.build_lenient();
        let (mesh, _) = Mesh::resolve_lenient(resources);
        let proxy = proxy(&case);
        let scope = match case["proxy"]["type"].as_str() {
            Some("gateway") => Scope::gateway(&mesh, &proxy),
            _ => Scope::sidecar(&mesh, &proxy),
        };
        let mut ids = ClusterIds::default();
        let mut clusters = Clusters::new(&scope, &mut ids);
        for (name, exists) in recorded {
            let parts: Vec<&str> = name.split('|').collect();
            let [_, port, subset, host] = parts[..] else {
                continue;
            };
            let port = port.parse().unwrap_or(0);
            let subset = (!subset.is_empty()).then(|| Arc::from(subset));
            let cluster = clusters.cluster(&Arc::from(host), port, subset.as_ref());
            let cluster = clusters.get(cluster);
            compared += 1;
            assert_eq!(cluster.name(), name);
            if cluster.exists() != exists {
                wrong.push(format!("{}: {name} exists: {exists}", case["id"]));
            }
        }
    }
    assert!(compared > 4_000, "only {compared} clusters");
    assert!(
        wrong.is_empty(),
        "{} of {compared}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
