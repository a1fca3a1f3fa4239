//! The executable specification: `spec/istio-http.md`, `spec/istio-model.md` and `spec/gateway-api.md` as one small, slow
//! program.
//!
//! It reads the resources as plain YAML values (so that it shares not even the resource types with the crate that it
//! judges), looks everything up by linear search, allocates freely and computes each answer from scratch. Read the
//! modules in this order:
//!
//! | module | what it settles |
//! |---|---|
//! | `world` | the resources of a case, in config order |
//! | `gateway_api` | Gateway API kinds as the Gateways, VirtualServices and DestinationRules that istiod makes of them |
//! | `names` | hosts, short names, labels, exportTo |
//! | `services` | what the registry holds, who sees it |
//! | `delegates` | a root VirtualService with its delegates spliced in |
//! | `virtual_services` | which VirtualServices a proxy sees, in which order |
//! | `sidecar` | what a Sidecar resource lets through |
//! | `destination_rules` | which DestinationRule a service has, and which clusters exist |
//! | `gateways` | Gateways merged into servers by port |
//! | `routes` | one VirtualService flattened into Envoy routes |
//! | `virtual_hosts` | route configurations of a sidecar and of a gateway |
//! | `heads` | what is refused before it is routed, and which headers only a proxy may write |
//! | `listeners` | which listener and filter chain a connection meets |
//! | `matching` | one route against one request |
//! | `policies` | what a route asks for beside its destination |
//! | `actions`, `outcomes` | what a chosen route does to request and response |
//! | `answer` | all of the above for one request |
//!
//! The order of truth: a recording in `conformance/`, then the prose. Rule ids are cited where they are carried out.

pub mod actions;
pub mod answer;
pub mod delegates;
pub mod destination_rules;
pub mod gateway_api;
pub mod gateways;
pub mod headers;
pub mod heads;
pub mod listeners;
pub mod matching;
pub mod names;
pub mod outcomes;
pub mod paths;
pub mod policies;
pub mod routes;
pub mod services;
pub mod sidecar;
pub mod tcp_routes;
pub mod virtual_hosts;
pub mod virtual_services;
pub mod world;

pub use answer::{Answer, possible_answers};
pub use world::{Call, Proxy, World};

/// A YAML value as written.
pub type Yaml = serde_json::Value;

/// The text of a field, "" if it is absent.
pub fn text<'a>(value: &'a Yaml, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("")
}

/// The number in a field, 0 if it is absent.
pub fn number(value: &Yaml, field: &str) -> u64 {
    value[field].as_u64().unwrap_or(0)
}

/// The elements of a list field, none if it is absent.
pub fn list<'a>(value: &'a Yaml, field: &str) -> &'a [Yaml] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a list field.
pub fn texts(value: &Yaml, field: &str) -> Vec<String> {
    let elements = list(value, field).iter();
    elements
        .filter_map(|e| e.as_str().map(str::to_owned))
        .collect()
}

/// The entries of a map field, sorted by key.
pub fn entries<'a>(value: &'a Yaml, field: &str) -> Vec<(&'a str, &'a Yaml)> {
    let mut all: Vec<_> = value[field]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    all.sort_by_key(|(key, _)| *key);
    all
}
