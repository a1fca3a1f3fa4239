//! The Services of Gateways of the Gateway API, which Istio makes in a cluster, and made where the cases were recorded: each
//! exposes every listener port by its own number and leads to the case's proxy, or to a workload that stands for another one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;

use super::case::Case;
use super::{Yaml, list, text};

/// Where the Services of all other Gateways lead.
const ANOTHER_WORKLOAD: &str = "10.98.0.9";

/// They, as YAML; nothing if the case names no proxy of a Gateway.
pub fn written(case: &Case) -> String {
    let own = text(&case.proxy, "gateway");
    let mut out = String::new();
    if own.is_empty() {
        return out;
    }
    let address = match text(&case.proxy, "ip") {
        "" => "1.1.1.1",
        said => said,
    };
    for ((namespace, name), gateway) in gateways(case) {
        let is_own = own == format!("{namespace}/{name}");
        let address = if is_own { address } else { ANOTHER_WORKLOAD };
        let class = gateway.class;
        let (mut ports, mut targets) = (String::new(), String::new());
        for port in gateway.ports {
            let _ = write!(
                ports,
                "{{name: tcp-{port}, port: {port}, targetPort: {port}}}, "
            );
            let _ = write!(targets, "{{name: tcp-{port}, port: {port}}}, ");
        }
        let _ = write!(
            out,
            "
---
apiVersion: v1
kind: Service
metadata: {{name: {name}-{class}, namespace: {namespace}}}
spec: {{clusterIP: 10.97.0.1, ports: [{ports}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-{class}, namespace: {namespace}, labels: {{kubernetes.io/service-name: {name}-{class}}}}}
addressType: IPv4
endpoints: [{{addresses: ['{address}']}}]
ports: [{targets}]
"
        );
    }
    out
}

/// What a Service is made from.
#[derive(Default)]
struct Gateway {
    class: String,
    ports: BTreeSet<u64>,
}

/// The Gateways by namespace and name, with the ports of their ListenerSets, too.
fn gateways(case: &Case) -> BTreeMap<(String, String), Gateway> {
    let mut gateways: BTreeMap<(String, String), Gateway> = BTreeMap::new();
    let texts = case.resources.iter().map(|(_, content)| content.as_str());
    let documents = texts.flat_map(serde_yaml::Deserializer::from_str);
    for document in documents.filter_map(|one| Yaml::deserialize(one).ok()) {
        if !text(&document, "apiVersion").starts_with("gateway.networking.k8s.io/") {
            continue;
        }
        let own = match text(&document["metadata"], "namespace") {
            "" => case.default_namespace.as_str(),
            said => said,
        };
        let spec = &document["spec"];
        let (name, namespace) = match text(&document, "kind") {
            "Gateway" => (text(&document["metadata"], "name"), own),
            "ListenerSet" => {
                let parent = &spec["parentRef"];
                let namespace = match text(parent, "namespace") {
                    "" => own,
                    said => said,
                };
                (text(parent, "name"), namespace)
            }
            _ => continue,
        };
        let key = (namespace.to_owned(), name.to_owned());
        let gateway = gateways.entry(key).or_default();
        let class = text(spec, "gatewayClassName");
        if !class.is_empty() {
            class.clone_into(&mut gateway.class);
        }
        let ports = list(spec, "listeners").iter();
        gateway
            .ports
            .extend(ports.filter_map(|listener| listener["port"].as_u64()));
    }
    gateways.retain(|_, gateway| !gateway.class.is_empty() && !gateway.ports.is_empty());
    gateways
}
