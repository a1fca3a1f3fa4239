//! Which clusters exist, compared with what a real Envoy had: every recorded answer of `../shared/conformance`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_yaml::Value;

use super::Clusters;
use crate::compile::scope::Scope;
use crate::mesh::Mesh;
use crate::resource::Resources;
use crate::router::ClusterIds;
use crate::terms::labels::Labels;
use crate::terms::proxy::Proxy;

/// The recordings, which lie beside the project; none where it is built alone.
fn cases() -> Vec<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(root) = manifest
        .ancestors()
        .map(|directory| directory.join("shared/conformance"))
        .find(|directory| directory.is_dir())
    else {
        println!("skipped: no ../shared/conformance beside the project");
        return Vec::new();
    };
    let entries = |directory: &Path| {
        let entries = std::fs::read_dir(directory).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let folders = entries(&root).into_iter().filter(|path| path.is_dir());
    folders.flat_map(|folder| entries(&folder)).collect()
}

fn proxy(case: &Value) -> Proxy {
    let text = |key: &str| case["proxy"][key].as_str().unwrap_or("default");
    let proxy = match text("type") {
        "gateway" => Proxy::gateway(text("namespace")),
        _ => Proxy::sidecar(text("namespace")),
    };
    let labels = case["proxy"]["labels"].as_mapping().into_iter().flatten();
    let labels: Labels = labels
        .filter_map(|(key, value)| Some((key.as_str()?, value.as_str()?)))
        .collect();
    proxy.with_labels(labels)
}

/// What was recorded of each cluster: whether it exists.
fn recorded(case: &Value) -> BTreeMap<String, bool> {
    let mut clusters = BTreeMap::new();
    for call in case["calls"].as_sequence().into_iter().flatten() {
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
    for path in cases() {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let case: Value = serde_yaml::from_str(&text).unwrap_or_default();
        let recorded = recorded(&case);
        if recorded.is_empty() {
            continue;
        }
        let text = case["resources"].as_str().unwrap_or("").to_owned();
        let mut builder = Resources::builder().yaml("case", text);
        if case["mesh"].is_mapping() {
            let mesh_config = serde_json::to_string(&case["mesh"]).unwrap_or_default();
            builder = builder.mesh_config("mesh", mesh_config);
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
            let cluster = clusters.cluster(&Arc::from(host), port, &Arc::from(subset));
            let cluster = clusters.get(cluster);
            compared += 1;
            assert_eq!(cluster.name(), name);
            if cluster.exists() != exists {
                wrong.push(format!("{}: {name} exists: {exists}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("{compared} clusters");
}
