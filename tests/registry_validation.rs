//! The cases in which Istio's own tests say whether admission refuses a ServiceEntry, a WorkloadEntry or a Sidecar
//! (R-M-182..R-M-185), read from `../shared/peer-cases/validation`.
#![cfg(feature = "yaml")]

use std::path::Path;

use meshroute::mesh::Mesh;
use meshroute::resource::Resources;
use serde_yaml::Value;

/// Istio's test of this case lies in the namespace `bar`, which the case does not say: there `./*` covers `bar/a.com`.
const OF_ANOTHER_NAMESPACE: &str = "sidecar egress duplicated with wildcarded same namespace .";

/// What the crate says of a case: whether it refuses, and whether it warns.
fn verdict(resource: &Value) -> (bool, bool, String) {
    let text = serde_yaml::to_string(resource).expect("a value that was read can be written");
    let (resources, mut report) = Resources::from_yaml_lenient(&text);
    report.append(Mesh::resolve_lenient(resources).1);
    let warns = report.warnings().next().is_some();
    (report.has_errors(), warns, report.to_string())
}

#[test]
fn r_m_182_to_r_m_185_admission_agrees_with_istio() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = manifest
        .ancestors()
        .map(|directory| directory.join("shared/peer-cases/validation"))
        .find(|directory| directory.is_dir());
    let Some(folder) = folder else {
        println!("skipped: no ../shared/peer-cases beside the project");
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in ["serviceentries", "workloadentry", "sidecar"] {
        let path = folder.join(file).with_extension("yaml");
        let text = std::fs::read_to_string(&path).expect("a case file that is listed exists");
        let cases: Value = serde_yaml::from_str(&text).expect("a case file is YAML");
        for case in cases["cases"].as_sequence().into_iter().flatten() {
            count += 1;
            let mut resource = case["resource"].clone();
            if case["name"] == OF_ANOTHER_NAMESPACE {
                resource["metadata"]["namespace"] = "bar".into();
            }
            let (refused, warns, report) = verdict(&resource);
            let valid = case["valid"].as_bool().unwrap_or(true);
            let warning = case["warning"].as_bool().unwrap_or(false);
            if refused == valid || (valid && warns != warning) {
                let name = case["name"].as_str().unwrap_or("");
                wrong.push(format!(
                    "{file}: {name}: valid {valid}, warning {warning}\n{report}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
