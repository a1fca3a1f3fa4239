//! Istio's own cases of merging delegates, read from `../shared/peer-cases/units`.

use serde_yaml::Value;

use super::{conflict, merge, merge_matches};
use crate::resource::{HttpMatchRequest, HttpRoute, Resource, Resources};

fn cases(file: &str) -> Vec<Value> {
    let Some(path) = crate::beside::find(&format!("peer-cases/units/{file}")) else {
        return Vec::new();
    };
    let file: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["cases"].as_sequence().unwrap().clone()
}

fn rules(http: Value) -> Vec<HttpRoute> {
    let mut document: Value = serde_yaml::from_str(
        "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {}}",
    )
    .unwrap();
    document["spec"]["http"] = http;
    let resources = Resources::from_yaml(&serde_yaml::to_string(&document).unwrap()).unwrap();
    match resources.documents.into_iter().next() {
        Some(Resource::VirtualService(document)) => document.spec.http,
        other => panic!("no VirtualService: {other:?}"),
    }
}

fn matches(list: &Value) -> Vec<HttpMatchRequest> {
    let mut rule: Value = serde_yaml::from_str("{}").unwrap();
    rule["match"] = list.clone();
    rules(Value::Sequence(vec![rule])).remove(0).r#match
}

#[test]
fn r_m_055_conflicts_of_matches() {
    for case in cases("delegate-match-conflict.yaml") {
        let read = |side: &str| matches(&Value::Sequence(vec![case[side].clone()])).remove(0);
        let want = case["want"].as_bool().unwrap();
        assert_eq!(conflict(&read("root"), &read("leaf")), want, "{case:?}");
    }
}

#[test]
fn r_m_053_merged_matches() {
    for case in cases("delegate-merge-matches.yaml") {
        let merged = merge_matches(&matches(&case["root"]), &matches(&case["delegate"]));
        let merged = merged.map(|(matches, _)| matches);
        let want = (!case["want"].is_null()).then(|| matches(&case["want"]));
        assert_eq!(merged, want, "{case:?}");
    }
}

#[test]
fn r_m_052_merged_rules() {
    for case in cases("delegate-merge-routes.yaml") {
        let root = rules(Value::Sequence(vec![case["root"].clone()])).remove(0);
        let delegate = rules(case["delegate"].clone());
        let merged: Vec<HttpRoute> = delegate
            .iter()
            .filter_map(|leaf| Some(merge(&root, leaf)?.rule))
            .collect();
        assert_eq!(merged, rules(case["want"].clone()), "{case:?}");
    }
}
