//! What istiod makes of resources of the Gateway API, by its own tests: the input is compiled by this crate, and istiod's
//! output is asked of the executable specification. Both must answer alike whatever the output has a rule for.
//!
//! Given by the tests of istiod and not by their files: the Services (as many as the output names, each with the same three
//! ports), a Namespace with a label, certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use meshroute::{Mesh, Proxy, Resources, Router};
use serde::Deserialize as _;
use serde_json::json;

use super::reasons;
use crate::spec::{self, Answer, Call, World, possible_answers};
use crate::support::engine::ask;
use crate::support::{Yaml, beside, case, list, text};

#[test]
fn golden_translations() {
    let Some(folder) = beside::find("gateway-api/golden/gateway") else {
        return;
    };
    let mut files = Vec::new();
    case::files(&folder, &mut files).expect("the folder can be read");
    let outcomes: Vec<(String, Option<String>)> = files
        .iter()
        .map(|file| {
            let name = file.file_stem().expect("a name").to_string_lossy();
            let found = std::panic::catch_unwind(|| differences(file));
            let wrong = found.unwrap_or_else(|_| Some("panics".to_owned()));
            (format!("{name}:"), wrong)
        })
        .collect();
    super::settle(&outcomes, reasons::TRANSLATIONS);
}

fn documents(path: &Path) -> Vec<Yaml> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let text = text.replace("domain.suffix", "cluster.local");
    let all = serde_yaml::Deserializer::from_str(&text);
    let all = all.map(|one| Yaml::deserialize(one).expect("YAML"));
    all.filter(Yaml::is_object).collect()
}

/// Texts anywhere in a value.
fn texts<'a>(value: &'a Yaml, out: &mut BTreeSet<&'a str>) {
    match value {
        Yaml::String(text) => _ = out.insert(text),
        Yaml::Array(all) => all.iter().for_each(|one| texts(one, out)),
        Yaml::Object(all) => all.values().for_each(|one| texts(one, out)),
        _ => {}
    }
}

/// What the tests of istiod have beside the files: Services, Namespaces, certificates. Each Service selects a workload of its
/// own, which stands for the Gateway that the Service is of.
fn surroundings(input: &[Yaml], output: &[Yaml]) -> Vec<Yaml> {
    let mut said = BTreeSet::new();
    output.iter().for_each(|one| texts(one, &mut said));
    let mut out = Vec::new();
    let hosts: BTreeSet<&str> = said.iter().flat_map(|text| text.split(',')).collect();
    for host in hosts {
        let Some((service, namespace)) = host
            .strip_suffix(".svc.cluster.local")
            .and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        if service.contains(['*', '/', '~']) || namespace.contains('.') {
            continue;
        }
        let ports: Vec<Yaml> = [("http", 80), ("tcp", 34000), ("tcp-other", 34001)]
            .map(|(name, port)| json!({"name": name, "port": port, "targetPort": port}))
            .into();
        out.push(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": service, "namespace": namespace},
            "spec": {"clusterIP": "10.0.0.1", "selector": {"workload": service}, "ports": ports},
        }));
    }
    for text in said {
        let (kind, rest) = match text.split_once("://") {
            Some(("kubernetes-gateway", rest)) => ("Secret", rest),
            Some(("configmap", rest)) => ("ConfigMap", rest),
            _ => continue,
        };
        let Some((namespace, name)) = rest.split_once('/') else {
            continue;
        };
        // Of a certificate authority the name of its secret ends so, not that of its ConfigMap.
        let name = name.strip_suffix("-cacert").unwrap_or(name);
        let pem = |what: &str| format!("-----BEGIN {what}-----\nMAA=\n-----END {what}-----\n");
        let certificate = pem("CERTIFICATE");
        let mut one = json!({
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
        });
        if kind == "Secret" {
            one["stringData"] = json!({"tls.crt": certificate, "tls.key": pem("PRIVATE KEY")});
        } else {
            one["data"] = json!({"ca.crt": certificate});
        }
        out.push(one);
    }
    let namespaces: BTreeSet<&str> = input
        .iter()
        .map(|one| text(&one["metadata"], "namespace"))
        .filter(|namespace| !namespace.is_empty())
        .collect();
    for namespace in namespaces {
        let part = namespace.split('-').next().unwrap_or("");
        out.push(json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"istio.io/test-name-part": part}},
        }));
    }
    let key = |one: &Yaml| {
        let meta = &one["metadata"];
        (
            one["kind"].to_string(),
            meta["namespace"].to_string(),
            meta["name"].to_string(),
        )
    };
    let there: BTreeSet<_> = input.iter().map(key).collect();
    out.retain(|one| !there.contains(&key(one)));
    out
}

/// In what the two differ.
fn differences(file: &Path) -> Option<String> {
    let name = file.file_stem().expect("a name").to_string_lossy();
    let input = documents(file);
    let output = documents(&file.with_extension("yaml.golden"));
    let around = surroundings(&input, &output);
    let is_made_of = |one: &&Yaml| text(one, "apiVersion").starts_with("gateway.networking");
    let beside = input.iter().filter(|one| !is_made_of(one));
    let theirs: Vec<&Yaml> = output.iter().chain(&around).chain(beside).collect();
    let ours: Vec<String> = input.iter().chain(&around).map(Yaml::to_string).collect();
    let theirs: Vec<String> = theirs.into_iter().map(Yaml::to_string).collect();

    let (resources, report) = Resources::builder()
        .yaml("input", ours.join("\n---\n"))
        .build_lenient();
    let mut refused: BTreeSet<String> = report.errors().map(ToString::to_string).collect();
    let (mesh, report) = Mesh::resolve_lenient(resources);
    refused.extend(report.errors().map(ToString::to_string));

    let mut asked = 0;
    for (proxy, workload) in viewers(&output) {
        let view = match &workload {
            Some(workload) => Proxy::gateway(&proxy.namespace).label("workload", workload),
            None => Proxy::sidecar(&proxy.namespace),
        };
        let router = Router::compile(&mesh, &view);
        let world = World::read(&theirs.join("\n---\n"), "default", Yaml::Null, proxy);
        for request in requests(&output, workload.is_some()) {
            asked += 1;
            let call = case::Call {
                name: String::new(),
                request: request.clone(),
                expect: Yaml::Null,
            };
            let said = brief(&ask(&router, &call, 0));
            let answers = possible_answers(&world, &Call::read(&request));
            let answers: Vec<Yaml> = answers
                .iter()
                .map(Answer::to_json)
                .map(|a| brief(&a))
                .collect();
            if !answers.contains(&said) {
                let refused: Vec<String> = refused.into_iter().take(2).collect();
                return Some(format!(
                    "{} at {workload:?}: istiod {answers:?}, here {said} {}",
                    request,
                    refused.join("; ")
                ));
            }
        }
    }
    assert!(
        asked > 0 || output.iter().all(|one| one["kind"] == "DestinationRule"),
        "{name}: nothing to ask"
    );
    None
}

/// What is compared of an answer. Where a match is left out, an API server writes one for the prefix `/`: what names routes
/// and counts them may differ.
fn brief(answer: &Yaml) -> Yaml {
    let mut out = json!({});
    // Bytes that are no request.
    if answer["outcome"] == "await_request" {
        return json!({"outcome": "connection_failure"});
    }
    for field in [
        "outcome",
        "cluster",
        "split",
        "status",
        "policy",
        "mirrored_to",
        "virtual_host",
    ] {
        if !answer[field].is_null() {
            out[field] = answer[field].clone();
        }
    }
    if answer["outcome"] == "redirect" {
        out["location"] = answer["response_headers"]["location"].clone();
    }
    if !answer["upstream_request"].is_null() && answer["tcp"].is_null() {
        out["path"] = answer["upstream_request"]["path"].clone();
        out["host"] = answer["upstream_request"]["host"].clone();
    }
    if answer["position"].is_null() {
        // Found no route, or bytes: Envoy says no more.
        for field in ["virtual_host", "status", "path", "host"] {
            out.as_object_mut().expect("an object").remove(field);
        }
    }
    out
}

/// Whose answers are compared: the workload of each Service that a Gateway names, and a client in each namespace that has a
/// rule for the mesh, and in one that has none.
fn viewers(output: &[Yaml]) -> Vec<(spec::Proxy, Option<String>)> {
    let mut gateways = BTreeSet::new();
    let mut clients = BTreeSet::new();
    for one in output {
        let annotations = &one["metadata"]["annotations"];
        for host in text(annotations, "internal.istio.io/gateway-service").split(',') {
            let mut labels = host.split('.');
            if let (Some(service), Some(namespace)) = (labels.next(), labels.next()) {
                gateways.insert((namespace.to_owned(), service.to_owned()));
            }
        }
        if list(&one["spec"], "gateways")
            .iter()
            .any(|gateway| gateway == "mesh")
        {
            clients.insert(text(&one["metadata"], "namespace").to_owned());
            clients.insert("elsewhere".to_owned());
        }
    }
    let gateways = gateways.into_iter().map(|(namespace, service)| {
        let proxy = spec::Proxy {
            gateway: true,
            namespace,
            labels: json!({"workload": service}),
            address: None,
        };
        (proxy, Some(service))
    });
    let clients = clients.into_iter().map(|namespace| {
        let proxy = spec::Proxy {
            gateway: false,
            namespace,
            labels: json!({}),
            address: None,
        };
        (proxy, None)
    });
    gateways.chain(clients).collect()
}

/// Requests for every rule: to each of its hosts, for each of its matches and beside it, at every port that is listened on.
fn requests(output: &[Yaml], at_gateway: bool) -> Vec<Yaml> {
    let mut ports: BTreeMap<u64, bool> = BTreeMap::new();
    for one in output {
        for server in list(&one["spec"], "servers") {
            let port = server["port"]["number"].as_u64().unwrap_or(80);
            *ports.entry(port).or_default() |= server["tls"].is_object();
        }
    }
    if !at_gateway {
        ports = BTreeMap::from([(80, false), (34000, false)]);
    }
    let mut out = Vec::new();
    let mut hosts: BTreeSet<String> = BTreeSet::from(["nobody.test".to_owned()]);
    let mut paths: BTreeSet<(String, String, String)> = BTreeSet::new();
    paths.insert(("/".to_owned(), "GET".to_owned(), "{}".to_owned()));
    paths.insert((
        "/nowhere/else".to_owned(),
        "GET".to_owned(),
        "{}".to_owned(),
    ));
    for one in output.iter().filter(|one| one["kind"] == "VirtualService") {
        let own = list(&one["spec"], "hosts").iter().filter_map(Yaml::as_str);
        hosts.extend(own.map(|host| host.replacen('*', "one.two", 1)));
        for rule in list(&one["spec"], "http") {
            for condition in list(rule, "match") {
                let uri = &condition["uri"];
                let kinds = ["exact", "prefix", "regex"];
                let path = kinds
                    .iter()
                    .find_map(|kind| uri[*kind].as_str())
                    .unwrap_or("/");
                let path = path
                    .replace("[^/]+", "any")
                    .replace(".+", "any")
                    .replace(".*", "any");
                let mut headers = json!({});
                for (name, wanted) in condition["headers"].as_object().into_iter().flatten() {
                    headers[name.to_lowercase()] = text(wanted, "exact").into();
                }
                let query: Vec<String> = condition["queryParams"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, wanted)| format!("{name}={}", text(wanted, "exact")))
                    .collect();
                let method = match text(&condition["method"], "exact") {
                    "" => "GET",
                    method => method,
                };
                let mut add = |path: String, headers: &Yaml| {
                    paths.insert((path, method.to_owned(), headers.to_string()));
                };
                let asked = if query.is_empty() {
                    path.clone()
                } else {
                    format!("{path}?{}", query.join("&"))
                };
                add(asked, &headers);
                add(path.clone(), &json!({}));
                add(format!("{path}x"), &headers);
                add(format!("{path}/x"), &headers);
            }
        }
    }
    for (port, is_tls) in ports {
        for host in &hosts {
            if is_tls || port >= 34000 {
                let tls = if is_tls { "tls" } else { "none" };
                out.push(json!({"protocol": "tcp", "port": port, "tls": tls, "sni": host}));
                if !is_tls {
                    continue;
                }
            }
            for (path, method, headers) in &paths {
                let headers: Yaml = serde_json::from_str(headers).expect("JSON");
                let mut request = json!({
                    "protocol": "http", "port": port, "host": host, "path": path,
                    "method": method, "headers": headers, "tls": "none",
                });
                if is_tls {
                    request["tls"] = "tls".into();
                    request["sni"] = host.as_str().into();
                }
                out.push(request);
            }
        }
    }
    out
}
