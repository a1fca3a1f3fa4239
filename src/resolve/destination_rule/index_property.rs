//! The index against a slow reading of R-M-075..R-M-081: one list of entries per place, walked from its beginning.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::mesh::destination_rule::Subset;
use crate::mesh::{DestinationRule, MeshConfig};
use crate::terms::host;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

use super::index::{build, sort};

const NAMESPACES: [&str; 4] = ["istio-system", "a", "b", "c"];
const HOSTS: [&str; 6] = ["x.a", "y.a", "*.a", "*", "*a", "x.b"];
const EXPORTS: [&[&str]; 9] = [
    &[],
    &["*"],
    &["."],
    &["a"],
    &["b"],
    &["a", "b"],
    &[".", "b"],
    &["a", "b", "c"],
    &["istio-system"],
];

/// One entry of a place: what R-M-077 merges into.
#[derive(Clone)]
struct Entry {
    set: BTreeSet<String>,
    selector: Option<Labels>,
    namespace: String,
    sources: Vec<String>,
    subsets: Vec<String>,
}

/// A place: entries by host, hosts in the order in which they came.
type Place = Vec<(String, Vec<Entry>)>;

fn set_of(rule: &DestinationRule) -> BTreeSet<String> {
    match rule.workload_selector {
        Some(_) => [".".to_owned()].into(),
        None => rule.export_to.iter().map(ToString::to_string).collect(),
    }
}

fn place(rules: &[Arc<DestinationRule>], takes: impl Fn(&DestinationRule) -> bool) -> Place {
    let mut place: Place = Vec::new();
    for rule in rules.iter().filter(|rule| takes(rule)) {
        let at = place.iter().position(|(host, _)| **host == *rule.host);
        let at = at.unwrap_or_else(|| {
            place.push((rule.host.to_string(), Vec::new()));
            place.len() - 1
        });
        let entries = &mut place[at].1;
        let set = set_of(rule);
        let mut append = true;
        for entry in entries.iter_mut() {
            if entry.set == set {
                append = false;
            } else if !entry.set.is_empty() && set.is_superset(&entry.set) {
                append = true;
            } else {
                append = true;
                continue;
            }
            let both = entry.selector.is_some() && rule.workload_selector.is_some();
            let neither = entry.selector.is_none() && rule.workload_selector.is_none();
            let equal = entry.selector == rule.workload_selector;
            if both && !equal {
                append = true;
                continue;
            }
            if neither || (both && equal) {
                append = false;
            }
            entry.sources.push(rule.resource.name.to_string());
            for subset in &rule.subsets {
                if !entry.subsets.contains(&subset.name.to_string()) {
                    entry.subsets.push(subset.name.to_string());
                }
            }
        }
        if append {
            entries.push(Entry {
                set,
                selector: rule.workload_selector.clone(),
                namespace: rule.resource.namespace.to_string(),
                sources: vec![rule.resource.name.to_string()],
                subsets: rule
                    .subsets
                    .iter()
                    .map(|subset| subset.name.to_string())
                    .collect(),
            });
        }
    }
    place
}

fn most_specific<'a>(place: &'a Place, needle: &str) -> Option<&'a [Entry]> {
    let mut fitting: Vec<_> = place
        .iter()
        .filter(|(pattern, _)| host::is_subset_of(needle, pattern))
        .collect();
    fitting.sort_by(|a, b| host::by_specificity(&a.0, &b.0));
    fitting.first().map(|(_, entries)| entries.as_slice())
}

/// What a client sees: names of the sources, and of the subsets.
fn slowly(
    rules: &[Arc<DestinationRule>],
    needle: &str,
    owner: &str,
    client: &str,
    labels: &Labels,
) -> Option<(Vec<String>, Vec<String>)> {
    let has = |rule: &DestinationRule, entry: &str| set_of(rule).contains(entry);
    let own_namespace = |rule: &DestinationRule| rule.resource.namespace.to_string();
    let is_private = |rule: &DestinationRule| {
        let set = set_of(rule);
        set.len() == 1 && (set.contains(".") || set.contains(&own_namespace(rule)))
    };
    let local = |rule: &DestinationRule| {
        set_of(rule).is_empty()
            || has(rule, "*")
            || has(rule, ".")
            || has(rule, &own_namespace(rule))
    };
    let root = "istio-system";
    let first = if client == root {
        place(rules, |rule| {
            own_namespace(rule) == root && is_private(rule)
        })
    } else {
        place(rules, |rule| own_namespace(rule) == client && local(rule))
    };
    let mut entries = most_specific(&first, needle).map(<[Entry]>::to_vec);
    for namespace in [owner, root] {
        if entries.is_none() {
            let exported = place(rules, |rule| {
                own_namespace(rule) == namespace && !is_private(rule)
            });
            entries = most_specific(&exported, needle)
                .map(|found| {
                    let visible = |entry: &&Entry| {
                        entry.set.is_empty()
                            || entry.set.contains("*")
                            || entry.set.contains(client)
                    };
                    found.iter().filter(visible).cloned().collect::<Vec<_>>()
                })
                .filter(|found| !found.is_empty());
        }
    }
    let mut general = None;
    for entry in entries? {
        match &entry.selector {
            None => general = Some(entry),
            Some(selector) if entry.namespace == client && selector.selects(labels) => {
                return Some((entry.sources, entry.subsets));
            }
            Some(_) => {}
        }
    }
    general.map(|entry| (entry.sources, entry.subsets))
}

fn labels(version: u8) -> Labels {
    match version {
        0 => Labels::EMPTY,
        1 => [("v", "1")].into_iter().collect(),
        _ => [("v", "1"), ("w", "2")].into_iter().collect(),
    }
}

/// Namespace, host, `exportTo`, selector, creation time and subsets of one rule, as numbers.
type Drawn = (usize, usize, usize, u8, i64, Vec<u8>);

prop_compose! {
    fn rules()(
        drawn in prop::collection::vec(
            (0..4_usize, 0..6_usize, 0..9_usize, 0..6_u8, 0..3_i64, prop::collection::vec(0..4_u8, 0..3)),
            0..14,
        )
    ) -> Vec<Arc<DestinationRule>> {
        let rule_of = |(index, drawn): (usize, Drawn)| {
            let (namespace, host, export_to, selector, creation, subsets) = drawn;
            Arc::new(DestinationRule {
                resource: ResourceName::new(NAMESPACES[namespace], &format!("r{index}")),
                creation,
                host: HOSTS[host].into(),
                export_to: EXPORTS[export_to].iter().map(|&entry| entry.into()).collect(),
                workload_selector: (selector < 3).then(|| labels(selector)),
                traffic_policy: None,
                subsets: subsets
                    .into_iter()
                    .map(|name| Arc::new(Subset { name: format!("s{name}").into(), labels: Arc::default(), traffic_policy: None }))
                    .collect(),
            })
        };
        let mut rules: Vec<_> = drawn.into_iter().enumerate().map(rule_of).collect();
        sort(&mut rules);
        rules
    }
}

proptest! {
    #[test]
    fn r_m_075_to_r_m_081_the_index_sees_what_a_slow_reading_sees(
        rules in rules(),
        needle in prop::sample::select(vec!["x.a", "y.a", "z.a", "*.a", "x.b", "*.z.a", "q"]),
        owner in prop::sample::select(NAMESPACES.to_vec()),
        client in prop::sample::select(NAMESPACES.to_vec()),
        version in 0..3_u8,
    ) {
        let (index, _) = build(&rules, &MeshConfig::default());
        let labels = labels(version);
        let fast = index.lookup(needle, owner, client, &labels).map(|rule| {
            let sources: Vec<String> = rule.sources().iter().map(|source| source.name.to_string()).collect();
            let mut subsets: Vec<String> = Vec::new();
            for subset in rule.subsets() {
                if !subsets.contains(&subset.name.to_string()) {
                    subsets.push(subset.name.to_string());
                }
            }
            (sources, subsets)
        });
        let slow = slowly(&rules, needle, owner, client, &labels).map(|(sources, mut subsets)| {
            let mut seen = BTreeSet::new();
            subsets.retain(|name| seen.insert(name.clone()));
            (sources, subsets)
        });
        prop_assert_eq!(fast, slow);
    }
}
