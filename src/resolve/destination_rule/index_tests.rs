//! What clients see after merging: the vectors of R-M-077..R-M-081, and a naive reading of the rules beside the index.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::destination_rule::Subset;
use crate::mesh::{DestinationRule, DestinationRuleIndex, MeshConfig};
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::traffic_policy::{LoadBalancer, LoadBalancing, RuleTrafficPolicy, TrafficPolicy};

use super::index::{build, sort};
use super::merge::{MOST_MERGES, MergeFact, WhatMerged};

const HOST: &str = "a.svc.svc.cluster.local";

/// A rule `name` of `namespace`; older ones come first.
fn rule(creation: i64, namespace: &str, name: &str) -> DestinationRule {
    DestinationRule {
        resource: ResourceName::new(namespace, name),
        creation,
        host: HOST.into(),
        export_to: Vec::new(),
        workload_selector: None,
        traffic_policy: None,
        subsets: Vec::new(),
    }
}

trait Build: Sized {
    fn host(self, host: &str) -> Self;
    fn export_to(self, export_to: &[&str]) -> Self;
    fn select(self, key: &str, value: &str) -> Self;
    fn policy(self, balancing: LoadBalancing) -> Self;
    fn subset(self, name: &str, version: &str) -> Self;
}

impl Build for DestinationRule {
    fn host(mut self, host: &str) -> Self {
        self.host = host.into();
        self
    }

    fn export_to(mut self, export_to: &[&str]) -> Self {
        self.export_to = export_to.iter().map(|&entry| entry.into()).collect();
        self
    }

    fn select(mut self, key: &str, value: &str) -> Self {
        self.workload_selector = Some(labels(key, value));
        self
    }

    fn policy(mut self, balancing: LoadBalancing) -> Self {
        let settings = TrafficPolicy {
            load_balancer: Some(Arc::new(LoadBalancer {
                balancing,
                ..LoadBalancer::default()
            })),
            ..TrafficPolicy::default()
        };
        self.traffic_policy = Some(Arc::new(RuleTrafficPolicy {
            settings,
            ..RuleTrafficPolicy::default()
        }));
        self
    }

    fn subset(mut self, name: &str, version: &str) -> Self {
        self.subsets.push(Arc::new(Subset {
            name: name.into(),
            labels: Arc::new(labels("version", version)),
            traffic_policy: None,
        }));
        self
    }
}

fn labels(key: &str, value: &str) -> Labels {
    [(key, value)].into_iter().collect()
}

fn indexed(rules: Vec<DestinationRule>) -> (DestinationRuleIndex, BTreeSet<MergeFact>) {
    let mut rules: Vec<_> = rules.into_iter().map(Arc::new).collect();
    sort(&mut rules);
    build(&rules, &MeshConfig::default())
}

/// The sources of what a client in `namespace` with `labels` sees of the service [`HOST`] of namespace `svc`.
fn seen(index: &DestinationRuleIndex, namespace: &str, labels: &Labels) -> Vec<String> {
    index
        .lookup(HOST, "svc", namespace, labels)
        .map(|rule| {
            rule.sources()
                .iter()
                .map(|source| source.name.to_string())
                .collect()
        })
        .unwrap_or_default()
}

fn seen_by(index: &DestinationRuleIndex, namespace: &str) -> Vec<String> {
    seen(index, namespace, &Labels::EMPTY)
}

fn what(facts: &BTreeSet<MergeFact>) -> Vec<(&str, &str, &WhatMerged)> {
    facts
        .iter()
        .map(|fact| (&*fact.loser.name, &*fact.winner.name, &fact.what))
        .collect()
}

#[test]
fn r_m_079_equal_sets_merge_into_one_with_the_older_policy_and_all_subsets() {
    let (index, facts) = indexed(vec![
        rule(2, "svc", "b")
            .policy(LoadBalancing::Random)
            .subset("v1", "other")
            .subset("v2", "2"),
        rule(1, "svc", "a")
            .policy(LoadBalancing::RoundRobin)
            .subset("v1", "1"),
    ]);
    assert_eq!(seen_by(&index, "client"), ["a", "b"]);
    let rule = index.lookup(HOST, "svc", "client", &Labels::EMPTY).unwrap();
    let names: Vec<_> = rule.subsets().iter().map(|subset| &*subset.name).collect();
    assert_eq!(names, ["v1", "v2"]);
    assert_eq!(*rule.subset("v1").unwrap().labels, labels("version", "1"));
    let policy = rule.policy(None, 80).unwrap();
    assert_eq!(
        policy.load_balancer.as_ref().unwrap().balancing,
        LoadBalancing::RoundRobin
    );
    assert_eq!(
        what(&facts),
        [
            ("b", "a", &WhatMerged::Subset("v1".into())),
            ("b", "a", &WhatMerged::Policy)
        ]
    );
}

#[test]
fn r_m_078_a_policy_fills_the_gap_as_a_whole() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "a").subset("v1", "1"),
        rule(2, "svc", "b").policy(LoadBalancing::Random),
    ]);
    let rule = index.lookup(HOST, "svc", "client", &Labels::EMPTY).unwrap();
    let policy = rule.policy(Some("v1"), 80).unwrap();
    assert_eq!(
        policy.load_balancer.as_ref().unwrap().balancing,
        LoadBalancing::Random
    );
    assert!(facts.is_empty());
}

#[test]
fn r_m_079_unset_and_star_do_not_merge_and_the_newer_wins_whole() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "a").subset("v1", "1"),
        rule(2, "svc", "b").export_to(&["*"]),
    ]);
    for namespace in ["client", "svc", "istio-system"] {
        assert_eq!(seen_by(&index, namespace), ["b"]);
    }
    assert_eq!(what(&facts), [("a", "b", &WhatMerged::Replaced)]);
}

#[test]
fn r_m_079_dot_and_the_namespaces_name_do_not_merge() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "a").export_to(&["."]),
        rule(2, "svc", "b").export_to(&["svc"]),
    ]);
    assert_eq!(seen_by(&index, "svc"), ["b"]);
    assert!(seen_by(&index, "client").is_empty());
    assert_eq!(what(&facts), [("a", "b", &WhatMerged::Replaced)]);
}

#[test]
fn r_m_079_a_wider_set_is_merged_and_lost_to_the_namespaces_that_it_adds() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "a").export_to(&["ns1"]),
        rule(2, "svc", "b").export_to(&["ns1", "ns2"]),
    ]);
    assert_eq!(seen_by(&index, "ns1"), ["a", "b"]);
    assert!(seen_by(&index, "ns2").is_empty());
    assert_eq!(
        what(&facts),
        [("b", "a", &WhatMerged::HiddenFrom(vec!["ns2".into()]))]
    );
}

#[test]
fn r_m_079_a_selector_rule_does_not_merge_with_an_unset_set() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "s").select("app", "x"),
        rule(2, "svc", "b"),
    ]);
    assert_eq!(seen(&index, "svc", &labels("app", "x")), ["s"]);
    assert_eq!(seen_by(&index, "svc"), ["b"]);
    assert_eq!(seen_by(&index, "client"), ["b"]);
    assert!(facts.is_empty());
}

#[test]
fn r_m_079_a_wider_rule_is_merged_into_the_selector_rule_and_kept() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "s").select("app", "x"),
        rule(2, "svc", "b").export_to(&[".", "x"]).subset("v1", "1"),
    ]);
    assert_eq!(seen(&index, "svc", &labels("app", "x")), ["s", "b"]);
    assert_eq!(seen_by(&index, "svc"), ["b"]);
    assert_eq!(seen_by(&index, "x"), ["b"]);
    assert!(facts.is_empty());
}

#[test]
fn r_m_079_a_private_rule_disappears_into_the_selector_rule() {
    let (index, facts) = indexed(vec![
        rule(1, "svc", "b").export_to(&["."]).subset("v1", "1"),
        rule(2, "svc", "s").select("app", "x"),
    ]);
    assert_eq!(seen(&index, "svc", &labels("app", "x")), ["s", "b"]);
    assert!(seen_by(&index, "svc").is_empty());
    assert_eq!(what(&facts), [("b", "s", &WhatMerged::CapturedBySelector)]);
}

#[test]
fn r_m_077_different_selectors_stand_side_by_side_and_equal_ones_merge() {
    let (index, _) = indexed(vec![
        rule(1, "svc", "s").select("app", "x"),
        rule(2, "svc", "t").select("app", "y"),
        rule(3, "svc", "u").select("app", "x"),
    ]);
    assert_eq!(seen(&index, "svc", &labels("app", "x")), ["s", "u"]);
    assert_eq!(seen(&index, "svc", &labels("app", "y")), ["t"]);
    assert!(seen_by(&index, "svc").is_empty());
}

#[test]
fn r_m_080_the_clients_wildcard_beats_the_owners_exact_host() {
    let (index, _) = indexed(vec![
        rule(1, "client", "wild").host("*.cluster.local"),
        rule(2, "svc", "exact"),
        rule(3, "istio-system", "root"),
    ]);
    assert_eq!(seen_by(&index, "client"), ["wild"]);
    assert_eq!(seen_by(&index, "svc"), ["exact"]);
    assert_eq!(seen_by(&index, "third"), ["exact"]);
    // A client in the root namespace asks only its private rules before the service's namespace.
    assert_eq!(seen_by(&index, "istio-system"), ["exact"]);
}

#[test]
fn r_m_080_root_rules_come_last_and_private_ones_first_for_root_clients() {
    let (index, _) = indexed(vec![
        rule(1, "istio-system", "public").host("*"),
        rule(2, "istio-system", "private")
            .host("*")
            .export_to(&["."]),
    ]);
    assert_eq!(seen_by(&index, "istio-system"), ["private"]);
    assert_eq!(seen_by(&index, "client"), ["public"]);
}

#[test]
fn r_m_080_a_most_specific_host_that_is_not_exported_hides_the_wider_ones() {
    let (index, _) = indexed(vec![
        rule(1, "svc", "wide").host("*.cluster.local"),
        rule(2, "svc", "exact").export_to(&["ns1"]),
    ]);
    assert_eq!(seen_by(&index, "ns1"), ["exact"]);
    assert!(seen_by(&index, "ns2").is_empty());
    // `exact` is not for its own namespace, so that the wildcard is all that is there.
    assert_eq!(seen_by(&index, "svc"), ["wide"]);
}

#[test]
fn r_m_081_a_selector_that_does_not_match_blocks_the_fallback() {
    let (index, _) = indexed(vec![
        rule(1, "client", "s").select("app", "x"),
        rule(2, "svc", "owner"),
    ]);
    assert_eq!(seen(&index, "client", &labels("app", "x")), ["s"]);
    assert!(seen_by(&index, "client").is_empty());
    assert_eq!(seen_by(&index, "third"), ["owner"]);
}

#[test]
fn r_m_011_the_longest_wildcard_wins_and_hosts_are_case_sensitive() {
    let (index, _) = indexed(vec![
        rule(1, "svc", "all").host("*"),
        rule(2, "svc", "long").host("*.svc.cluster.local"),
        rule(3, "svc", "short").host("*.local"),
    ]);
    let name = |host| {
        index
            .lookup(host, "svc", "client", &Labels::EMPTY)
            .map(|rule| rule.sources()[0].name.to_string())
            .unwrap_or_default()
    };
    assert_eq!(name(HOST), "long");
    assert_eq!(name("b.local"), "short");
    assert_eq!(name("b.Local"), "all");
    assert_eq!(name("*.svc.cluster.local"), "long");
    assert_eq!(name("*.x.svc.cluster.local"), "long");
    assert_eq!(name("*.cluster.local"), "short");
}

#[test]
fn policies_are_shared_between_views_and_ports() {
    let (index, _) = indexed(vec![
        rule(1, "svc", "a")
            .policy(LoadBalancing::Random)
            .subset("v1", "1"),
    ]);
    let of = |namespace| {
        index
            .lookup(HOST, "svc", namespace, &Labels::EMPTY)
            .unwrap()
    };
    let first = of("client").policy(None, 80).unwrap();
    assert!(Arc::ptr_eq(&first, &of("svc").policy(None, 81).unwrap()));
    assert!(Arc::ptr_eq(
        &first,
        &of("third").policy(Some("v1"), 80).unwrap()
    ));
    assert_eq!(of("client").policy(Some("v9"), 80), None);
}

#[test]
fn rules_without_a_selector_cannot_be_merged_into_those_with_one_without_bound() {
    let selecting = |n: usize| rule(0, "a", &format!("s{n}")).select("app", &n.to_string());
    let general = |n: usize| rule(1, "a", &format!("g{n}")).export_to(&["."]);
    let rules = (0..200)
        .map(selecting)
        .chain((0..200).map(general))
        .collect();
    let (index, facts) = indexed(rules);
    let refused = facts.iter().filter(|fact| fact.what == WhatMerged::Refused);
    assert_eq!(refused.count(), 200 - MOST_MERGES / 199);
    let merged = index.lookup(HOST, "a", "a", &labels("app", "7"));
    let merged = merged.map(|rule| rule.sources().len());
    assert_eq!(merged, Some(1 + MOST_MERGES / 199));
}
