//! Istio's own cases, read from `../shared/peer-cases`: simulation, integration, virtual hosts and routes. What this crate
//! does not answer alike stands in [`reasons`], by name and with the reason; an entry that no longer applies is an error.

use std::path::{Path, PathBuf};

mod gateway_api;
mod reasons;
mod routes;
mod translations;
mod virtual_hosts;

use crate::support::case::{self, Case};
use crate::support::compare::judge;
use crate::support::engine::compile;
use crate::support::{Yaml, beside};

/// Fails if something differs for no reason that is listed, or is listed but does not differ. `outcomes` are names of
/// checks with what differs in them, `None` for nothing.
fn settle(outcomes: &[(String, Option<String>)], expected: &[(&str, &str)]) {
    let listed = |name: &str| expected.iter().any(|(known, _)| name.starts_with(known));
    let mut wrong: Vec<String> = Vec::new();
    for (name, difference) in outcomes {
        if let Some(difference) = difference
            && !listed(name)
        {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    for (known, reason) in expected {
        let mut named = outcomes.iter().filter(|(name, _)| name.starts_with(known));
        if !named.any(|(_, difference)| difference.is_some()) {
            wrong.push(format!(
                "{known}: listed ({reason}), but it does not differ"
            ));
        }
    }
    let same = outcomes
        .iter()
        .filter(|(_, difference)| difference.is_none())
        .count();
    eprintln!("{same} of {} agree", outcomes.len());
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Each call of each case in a folder, as `case call`.
fn run(folder: &Path, cluster_domain: &str) -> Vec<(String, Option<String>)> {
    let mut files = Vec::new();
    case::files(folder, &mut files).expect("the folder can be read");
    let read =
        |file: &PathBuf| case::read(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let cases: Vec<Case> = files.iter().flat_map(read).collect();
    cases
        .iter()
        .flat_map(|case| run_case(case, cluster_domain))
        .collect()
}

fn run_case(case: &Case, cluster_domain: &str) -> Vec<(String, Option<String>)> {
    // Assertions about virtual hosts are made of full names.
    let full_names = case.raw["virtual_hosts"].is_object();
    let domain = if full_names {
        "cluster.local"
    } else {
        cluster_domain
    };
    let mut case = case.clone();
    for (_, documents) in &mut case.resources {
        *documents = with_distinct_port_names(documents);
    }
    // Reading them into values has settled which of two equal keys counts.
    case.needs.retain(|need| need != "duplicate-yaml-keys");
    let case = &case;
    let engine = compile(case, domain);
    let mut out = Vec::new();
    if case.raw["virtual_hosts"].is_object() {
        let wrong = virtual_hosts::asserted(&engine.router, &case.raw["virtual_hosts"]);
        out.push((
            case.id.clone(),
            (!wrong.is_empty()).then(|| wrong.join("; ")),
        ));
    }
    for call in &case.calls {
        let verdict = judge(case, &engine, call);
        let mut wrong: Vec<String> = verdict
            .differences
            .iter()
            .map(|d| format!("{}: expected {}, got {}", d.field, d.expected, d.got))
            .collect();
        wrong.extend(
            verdict
                .unchecked
                .iter()
                .map(|what| format!("{what} is not checked")),
        );
        let difference = (!wrong.is_empty()).then(|| wrong.join("; "));
        out.push((format!("{} {}", case.id, call.name), difference));
    }
    out
}

/// The same documents with a name of its own for each port of a Service: Kubernetes would not take two ports called
/// `http`, which some authors wrote for tests that never see a Kubernetes.
fn with_distinct_port_names(documents: &str) -> String {
    let mut out = Vec::new();
    for document in serde_yaml::Deserializer::from_str(documents) {
        let Ok(mut resource) = <Yaml as serde::Deserialize>::deserialize(document) else {
            return documents.to_owned();
        };
        let mut seen: Vec<Yaml> = Vec::new();
        let is_service = resource["kind"] == "Service";
        let ports = resource["spec"]["ports"]
            .as_array_mut()
            .into_iter()
            .flatten();
        for port in ports.filter(|_| is_service) {
            if seen.contains(&port["name"]) {
                port["name"] =
                    format!("{}-{}", crate::support::text(port, "name"), port["port"]).into();
            }
            seen.push(port["name"].clone());
        }
        out.push(resource.to_string());
    }
    out.join("\n---\n")
}

/// Names get no domain suffix there: `b` in namespace `default` is `b.default`.
#[test]
fn simulation() {
    if let Some(folder) = beside::find("peer-cases/simulation") {
        settle(&run(&folder, ""), reasons::SIMULATION);
    }
}

#[test]
fn integration() {
    if let Some(folder) = beside::find("peer-cases/integration") {
        settle(&run(&folder, "cluster.local"), reasons::INTEGRATION);
    }
}

#[test]
fn virtual_hosts_of_route_configurations() {
    if let Some(folder) = beside::find("peer-cases/virtual-hosts") {
        settle(&virtual_hosts::run(&folder), reasons::VIRTUAL_HOSTS);
    }
}

#[test]
fn routes_of_one_virtual_service() {
    if let Some(folder) = beside::find("peer-cases/routes") {
        settle(&routes::run(&folder), reasons::ROUTES);
    }
}
