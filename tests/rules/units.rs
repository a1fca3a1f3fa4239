//! Istio's own unit cases of host names (`../shared/peer-cases/units`). Those of delegates are run
//! within the crate, beside the code that merges them.
use std::cmp::Ordering;

use meshroute::internals::ServerHost;
use meshroute::terms::host;
use serde_yaml::Value;

use crate::support::beside;

fn cases(file: &str) -> Vec<Value> {
    let Some(path) = beside::find(&format!("peer-cases/units/{file}")) else {
        return Vec::new();
    };
    let file: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["cases"].as_sequence().unwrap().clone()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

fn texts<'a>(case: &'a Value, field: &str) -> Vec<&'a str> {
    let list = case[field].as_sequence().unwrap();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn r_m_002_hosts_that_overlap() {
    for case in cases("host-matches.yaml") {
        let overlap = host::overlaps(text(&case, "a"), text(&case, "b"));
        assert_eq!(overlap, case["want"].as_bool().unwrap(), "{case:?}");
    }
}

#[test]
fn r_m_003_hosts_within_hosts() {
    for case in cases("host-subset-of.yaml") {
        let within = host::is_subset_of(text(&case, "a"), text(&case, "b"));
        assert_eq!(within, case["want"].as_bool().unwrap(), "{case:?}");
    }
}

#[test]
fn r_m_005_order_of_hosts() {
    for case in cases("host-more-specific.yaml") {
        let order = host::by_specificity(text(&case, "a"), text(&case, "b"));
        assert_eq!(
            order != Ordering::Greater,
            case["want"].as_bool().unwrap(),
            "{case:?}"
        );
    }
    for case in cases("host-sort.yaml") {
        let mut hosts = texts(&case, "in");
        hosts.sort_by(|a, b| host::by_specificity(a, b));
        assert_eq!(hosts, texts(&case, "want"), "{case:?}");
    }
}

#[test]
fn r_m_006_intersection_of_hosts() {
    for case in cases("host-intersection.yaml") {
        let (a, b) = (texts(&case, "a"), texts(&case, "b"));
        assert_eq!(host::intersection(&a, &b), texts(&case, "want"), "{case:?}");
    }
}

#[test]
fn r_m_007_hosts_of_a_namespace() {
    for case in cases("host-for-namespace.yaml") {
        let hosts: Vec<_> = texts(&case, "hosts")
            .into_iter()
            .map(|host| ServerHost::parse(host, "own"))
            .collect();
        let namespace = text(&case, "namespace");
        let hosts: Vec<_> = hosts
            .iter()
            .filter_map(|host| host.open_to(namespace))
            .collect();
        assert_eq!(hosts, texts(&case, "want"), "{case:?}");
    }
}
