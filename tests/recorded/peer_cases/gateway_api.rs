//! The conformance suite of the Gateway API, as far as it asks and is answered: requests to a Gateway, or from a workload of
//! the mesh, and what the suite asserts of the response. Routing semantics, offline: only a cluster's own report may say
//! "conformant".

use std::collections::{BTreeMap, BTreeSet};

use meshroute::{Mesh, Proxy, Resources, Router};
use serde::Deserialize as _;
use serde_json::json;

use super::reasons;
use crate::support::case::{self, Call, Case};
use crate::support::engine::ask;
use crate::support::{Yaml, beside, list, text};

/// Words of entropy that each request is decided with: any split falls several ways.
const WORDS: u64 = 16;

#[test]
fn conformance_of_the_gateway_api() {
    let Some(folder) = beside::find("gateway-api/conformance") else {
        return;
    };
    let mut files = Vec::new();
    case::files(&folder, &mut files).expect("the folder can be read");
    let mut outcomes = Vec::new();
    for file in files {
        for case in case::read(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display())) {
            outcomes.extend(run(&case));
        }
    }
    super::settle(&outcomes, reasons::GATEWAY_API);
}

/// Each call of a case.
fn run(case: &Case) -> Vec<(String, Option<String>)> {
    let resources = resources(case);
    let (resources, report) = Resources::builder()
        .default_namespace("default")
        .yaml("manifests", resources)
        .build_lenient();
    assert!(!report.has_errors(), "{}: {report}", case.id);
    let (mesh, report) = Mesh::resolve_lenient(resources);
    let mut routers: BTreeMap<String, Router> = BTreeMap::new();
    let answered = |call: &Call| {
        let (name, proxy) = proxy(&call.request);
        let router = routers
            .entry(name)
            .or_insert_with(|| Router::compile(&mesh, &proxy));
        let asked = Call {
            request: request(&call.request),
            ..call.clone()
        };
        let mut wrong = judged(router, &asked);
        if report.has_errors() && !wrong.is_empty() {
            wrong.push(report.errors().map(|one| one.to_string()).collect());
        }
        let difference = (!wrong.is_empty()).then(|| wrong.join("; "));
        (format!("{} {}", case.id, call.name), difference)
    };
    case.calls.iter().map(answered).collect()
}

/// The manifests, with the class that the suite fills in and the Secrets that it makes.
fn resources(case: &Case) -> String {
    let texts = case.resources.iter().map(|(_, text)| text.as_str());
    let text = texts.collect::<Vec<_>>().join("\n---\n");
    let text = text.replace("{GATEWAY_CLASS_NAME}", "istio");
    let mut there = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        let Ok(document) = Yaml::deserialize(document) else {
            continue;
        };
        let meta = &document["metadata"];
        let own = text_or(meta, "namespace", "default");
        if document["kind"] == "Secret" {
            there.insert((own.to_owned(), text_of(meta, "name")));
        }
        for listener in list(&document["spec"], "listeners") {
            for reference in list(&listener["tls"], "certificateRefs") {
                let namespace = text_or(reference, "namespace", own).to_owned();
                asked.insert((namespace, text_of(reference, "name")));
            }
        }
    }
    let secret = |(namespace, name): &(String, String)| {
        let (certificate, key) = (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        );
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": certificate, "tls.key": key},
        })
    };
    let missing = asked.difference(&there).map(secret);
    missing.fold(text, |text, secret| format!("{text}\n---\n{secret}"))
}

fn text_of(value: &Yaml, field: &str) -> String {
    text(value, field).to_owned()
}

fn text_or<'a>(value: &'a Yaml, field: &str, default: &'a str) -> &'a str {
    match text(value, field) {
        "" => default,
        said => said,
    }
}

/// Whose answer is asked for, and a name for it.
fn proxy(request: &Yaml) -> (String, Proxy) {
    let gateway = text(request, "gateway");
    if !gateway.is_empty() {
        return (gateway.to_owned(), Proxy::gateway_named(gateway));
    }
    let app = text(&request["from"], "app");
    let namespace = text_or(&request["from"], "namespace", "gateway-conformance-mesh");
    let mut proxy = Proxy::sidecar(namespace);
    for (key, value) in app.split(',').filter_map(|one| one.split_once('=')) {
        proxy = proxy.label(key, value);
    }
    (format!("{namespace} {app}"), proxy)
}

/// The request in FORMAT.md's words: a Gateway is called by its address where no host is said, a service by its port.
fn request(said: &Yaml) -> Yaml {
    let mut out = said.clone();
    let fields = out.as_object_mut().expect("an object");
    fields.remove("gateway");
    let host = text(said, "host");
    if host.is_empty() {
        let called = if said["from"].is_null() {
            "192.0.2.1"
        } else {
            "echo"
        };
        fields.insert("host".to_owned(), called.into());
    }
    let port = host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    if !fields.contains_key("port") {
        fields.insert("port".to_owned(), port.unwrap_or(80_u64).into());
    }
    out
}

/// In what the decisions are not as asserted.
fn judged(router: &Router, call: &Call) -> Vec<String> {
    let expect = &call.expect;
    let decisions: Vec<Yaml> = (0..WORDS)
        .map(|word| ask(router, call, word.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let mut best: Option<Vec<String>> = None;
    for decision in &decisions {
        let wrong = differences(decision, &call.request, expect);
        if best.as_ref().is_none_or(|best| wrong.len() < best.len()) {
            best = Some(wrong);
        }
    }
    best.unwrap_or_default()
}

/// The Service that a decision leads to, as the suite names backends.
fn backend(cluster: &str) -> (String, String) {
    let host = cluster.rsplit('|').next().unwrap_or("");
    let mut labels = host.split('.').map(str::to_owned);
    (
        labels.next().unwrap_or_default(),
        labels.next().unwrap_or_default(),
    )
}

/// The suite names a backend by its Deployment; in the mesh, `echo` has those of `echo-v1` and of `echo-v2`.
fn is_backend(cluster: &str, wanted: &Yaml) -> bool {
    let (name, namespace) = backend(cluster);
    let is_there = text(wanted, "namespace").is_empty() || namespace == text(wanted, "namespace");
    let wanted = text(wanted, "name");
    is_there && (name == wanted || (name == "echo" && wanted.starts_with("echo-v")))
}

fn differences(decision: &Yaml, request: &Yaml, expect: &Yaml) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, holds: bool, wanted: &Yaml| {
        if !holds {
            wrong.push(format!("{what}: expected {wanted}, got {decision}"));
        }
    };
    let outcome = text(decision, "outcome");
    for (field, wanted) in expect.as_object().into_iter().flatten() {
        let holds = match field.as_str() {
            "status" if decision["tcp"] == true => *wanted == 200 && outcome == "cluster",
            "status" => decision["status"] == *wanted,
            "grpc_status" => match wanted.as_str() {
                Some("OK") => outcome == "cluster",
                Some("Unimplemented") => decision["response_headers"]["grpc-status"] == "12",
                _ => false,
            },
            "backend" => outcome == "cluster" && is_backend(text(decision, "cluster"), wanted),
            "redirect" => redirects(decision, wanted),
            // The suite itself does not look at them there.
            "upstream_request" if text(expect, "note").contains("does not check") => true,
            "upstream_request" => upstream(decision, request, wanted),
            "response_headers" => has(&decision["response_headers"], wanted),
            "connection_failure" => {
                let closed = [
                    "no_filter_chain",
                    "no_listener",
                    "no_such_cluster",
                    "connection_failure",
                ];
                closed.contains(&outcome)
            }
            "mirrored_to" => list(expect, "mirrored_to").iter().all(|mirror| {
                let mut copies = list(decision, "mirrored_to")
                    .iter()
                    .filter_map(Yaml::as_str);
                copies.any(|cluster| is_backend(cluster, mirror))
            }),
            "weighted_split" => list(expect, "weighted_split")
                .iter()
                .all(|arm| share(decision, arm)),
            // Whether TLS was ended: a connection is passed on as bytes either way.
            "backend_sees_tls" => decision["tcp"] == true,
            "note" => true,
            _ => false,
        };
        check(field, holds, wanted);
    }
    wrong
}

/// All headers are there; a list of one is that one.
fn has(headers: &Yaml, wanted: &Yaml) -> bool {
    let mut all = wanted.as_object().into_iter().flatten();
    all.all(|(name, value)| headers[name.to_lowercase()] == *value)
}

/// A `location` that says what the suite wants: what it does not name may be anything.
fn redirects(decision: &Yaml, wanted: &Yaml) -> bool {
    let location = text(&decision["response_headers"], "location");
    let Some((scheme, rest)) = location.split_once("://") else {
        return false;
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is = |field: &str, got: &str| match &wanted[field] {
        Yaml::Null => true,
        Yaml::String(text) => text.is_empty() || text == got,
        number => got.parse().ok() == number.as_u64(),
    };
    is("scheme", scheme) && is("host", host) && is("port", port) && is("path", &format!("/{path}"))
}

/// The request as it is sent on: a decision names only the headers that change.
fn upstream(decision: &Yaml, request: &Yaml, wanted: &Yaml) -> bool {
    let got = &decision["upstream_request"];
    let is = |field: &str| wanted[field].is_null() || wanted[field] == got[field];
    let mut headers = serde_json::Map::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        headers.insert(name.to_lowercase(), value.clone());
    }
    for name in list(got, "removed_headers").iter().filter_map(Yaml::as_str) {
        headers.remove(name);
    }
    headers.extend(got["headers"].as_object().cloned().unwrap_or_default());
    is("path") && is("host") && has(&headers.into(), &wanted["headers"])
}

/// The share of an arm, in percent.
fn share(decision: &Yaml, arm: &Yaml) -> bool {
    let split = decision["split"].as_object().cloned().unwrap_or_default();
    let total: f64 = split.values().filter_map(Yaml::as_f64).sum();
    let own: f64 = split
        .iter()
        .filter(|(cluster, _)| backend(cluster).0 == text(arm, "name"))
        .filter_map(|(_, weight)| weight.as_f64())
        .sum();
    total > 0.0
        && arm["fraction"]
            .as_f64()
            .is_some_and(|wanted| (own / total - wanted).abs() < 1e-9)
}
