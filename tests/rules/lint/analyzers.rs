//! istioctl's analyzer cases: a lint that has a twin there finds what its twin finds.

use std::collections::BTreeSet;
use std::path::Path;

use meshroute::Mesh;
use meshroute::lint::lint;
use meshroute::resource::Resources;
use serde_yaml::Value;

use crate::support::beside;

/// An analyzer of istioctl and the lints that are its twins.
const TWINS: &[(&str, &[&str])] = &[
    (
        "destinationrule.CaCertificateAnalyzer",
        &["unverified-server"],
    ),
    (
        "destinationrule.PodNotSelectedAnalyzer",
        &["rule-for-unknown-host", "subset-selects-nothing"],
    ),
    (
        "gateway.ConflictingGatewayAnalyzer",
        &["conflicting-gateways"],
    ),
    (
        "virtualservice.DestinationHostAnalyzer",
        &[
            "ineffective-subset",
            "unknown-host",
            "unknown-port",
            "ambiguous-port",
        ],
    ),
    (
        "virtualservice.GatewayAnalyzer",
        &["unknown-gateway", "host-not-served"],
    ),
];

/// Cases in which the answer differs on purpose, and why.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[
    (
        "conflicting gateways with multiple port declarations",
        "one Gateway names two ports alike, so that admission refuses it (R-M-177)",
    ),
    (
        "host defined in virtualservice not found in the gateway",
        "one Gateway names two ports alike, so that admission refuses it (R-M-177)",
    ),
    (
        "DestinationRuleWithFakeHost",
        "the host may be that of another repository: no ServiceEntry is given",
    ),
    (
        "virtualServiceKubernetesGateways",
        "Gateways of the Gateway API are not evaluated, which reading says",
    ),
    (
        "virtualServiceInternalGatewayRef",
        "the marker of generated gateways (IST0165) has no lint: the gateway is unknown",
    ),
    (
        "DestinationRuleSubsetsNotSelectPods",
        "a service without any known workload is not judged: manifests often hold no pods",
    ),
];

#[test]
fn lints_find_what_their_twins_find() {
    let Some(folder) = beside::find("peer-cases/analyzers") else {
        return;
    };
    let text = |path: &Path| std::fs::read_to_string(path).expect("a case can be read");
    let index: Value =
        serde_yaml::from_str(&text(&folder.join("index.yaml"))).expect("the index is YAML");
    let (mut run, mut differ) = (0, Vec::new());
    for case in index["cases"].as_sequence().expect("a list of cases") {
        let name = case["name"].as_str().expect("a case has a name");
        let analyzer = case["analyzer"].as_str().expect("a case has an analyzer");
        let Some((_, codes)) = TWINS.iter().find(|(twin, _)| *twin == analyzer) else {
            eprintln!("no lint is a twin of {analyzer}: {name}");
            continue;
        };
        if let Some((_, reason)) = KNOWN_DIFFERENCES.iter().find(|(known, _)| *known == name) {
            eprintln!("differs on purpose: {name}: {reason}");
            continue;
        }
        let mut builder = Resources::builder().path(folder.join("default-resources.yaml"));
        for file in case["input_files"].as_sequence().expect("input files") {
            builder = builder.path(folder.join(file.as_str().expect("a path")));
        }
        let (mesh, _) = Mesh::resolve_lenient(builder.build_lenient().0);
        let found: BTreeSet<String> = lint(&mesh)
            .iter()
            .filter(|diagnostic| codes.contains(&diagnostic.code().name()))
            .filter_map(|diagnostic| diagnostic.resource().map(|resource| resource.name.clone()))
            .collect();
        let expected: BTreeSet<String> = case["expected"]
            .as_sequence()
            .expect("a list of messages")
            .iter()
            .filter_map(|wanted| wanted["resource"]["name"].as_str().map(str::to_owned))
            .collect();
        run += 1;
        if found != expected {
            differ.push(format!("{name}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(run >= 7, "only {run} cases were run");
}
