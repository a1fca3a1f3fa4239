//! Istio's own cases of the hash policies of routes, with the service, the gateway and the host that its test has in mind.

use std::fmt::Write as _;
use std::time::Duration;

use meshroute::terms::route_policy::HashKey;
use meshroute::{Mesh, Proxy, Request, Resources, Router};
use serde_yaml::Value;

use crate::support::beside;

const AROUND: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: services, namespace: not-default}
spec:
  hosts: ['*.example.org']
  ports: [{number: 8080, name: http, protocol: HTTP}, {number: 8484, name: http-other, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: some-gateway, namespace: not-default}
spec: {servers: [{hosts: ['*'], port: {number: 8080, name: http, protocol: HTTP}}]}
";

/// A key as the cases write it: kind and name, and for a cookie its lifetime, path and attributes.
fn wanted(policy: &Value) -> String {
    let specifier = &policy["policySpecifier"];
    if let Some(name) = specifier["queryParameter"]["name"].as_str() {
        return format!("query {name}");
    }
    let cookie = &specifier["cookie"];
    let mut text = format!(
        "cookie {} ttl={} path={}",
        cookie["name"].as_str().unwrap_or("?"),
        cookie["ttl"].as_str().unwrap_or("none"),
        cookie["path"].as_str().unwrap_or_default()
    );
    for attribute in cookie["attributes"].as_sequence().into_iter().flatten() {
        let part = |field: &str| attribute[field].as_str().unwrap_or_default().to_owned();
        let _ = write!(text, " {}={}", part("name"), part("value"));
    }
    text
}

fn got(key: &HashKey) -> String {
    match key {
        HashKey::QueryParameter(name) => format!("query {name}"),
        HashKey::Cookie {
            name,
            path,
            ttl,
            attributes,
        } => {
            let ttl = ttl.map_or("none".to_owned(), seconds);
            let mut text = format!("cookie {name} ttl={ttl} path={path}");
            for (name, value) in attributes {
                let _ = write!(text, " {name}={value}");
            }
            text
        }
        other => format!("{other:?}"),
    }
}

/// Protobuf's way: `0.0000001s`.
fn seconds(span: Duration) -> String {
    let text = format!("{}.{:09}", span.as_secs(), span.subsec_nanos());
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[test]
fn hash_policies_of_istios_route_cases() {
    let Some(file) = beside::find("peer-cases/routes/build-http-routes.yaml") else {
        return;
    };
    let text = std::fs::read_to_string(file).expect("the cases can be read");
    let all: Value = serde_yaml::from_str(&text).expect("the cases are YAML");
    let mut run = 0;
    for case in all["cases"].as_sequence().expect("a list of cases") {
        let name = case["name"].as_str().unwrap_or_default();
        let asserted = case["assert"].as_sequence().into_iter().flatten();
        let Some(expected) = asserted
            .into_iter()
            .find(|patch| patch["path"].as_str() == Some("routes[0].route.hashPolicy"))
        else {
            continue;
        };
        let mut virtual_service = case["virtual_service"].clone();
        virtual_service["spec"]["hosts"] =
            serde_yaml::from_str("['*.example.org']").expect("a list");
        let mut yaml = AROUND.to_owned();
        let others = case["other_resources"].as_sequence().into_iter().flatten();
        for document in others.chain([&virtual_service]) {
            let _ = write!(
                yaml,
                "---\n{}",
                serde_yaml::to_string(document).expect("YAML")
            );
        }
        let resources = Resources::builder()
            .default_namespace("not-default")
            .yaml(name, yaml);
        let (mesh, report) = Mesh::resolve_lenient(resources.build_lenient().0);
        let router = Router::compile(&mesh, &Proxy::gateway("not-default"));
        let request = Request::get("http://x.example.org/").port(8080);
        let decision = router.decide(&request, 0);
        assert!(decision.rule().is_some(), "{name}: no route\n{report}");
        let keys: Vec<String> = decision.hash_policy().iter().map(got).collect();
        let want: Vec<String> = expected["want"]
            .as_sequence()
            .into_iter()
            .flatten()
            .map(wanted)
            .collect();
        assert_eq!(keys, want, "{name}");
        run += 1;
    }
    assert!(run >= 6, "only {run} cases were run");
}
