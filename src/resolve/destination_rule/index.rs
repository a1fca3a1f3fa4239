//! Building the index of DestinationRules: who may see each rule (R-M-076), then merging per host and place.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::destination_rule_index::{EffectiveRule, HostRules};
use crate::mesh::destination_rules_by_host::order;
use crate::mesh::{DestinationRule, DestinationRuleIndex, MeshConfig};
use crate::terms::hash::HashMap;
use crate::terms::name::ResourceName;

use super::merge::{MergeFact, WhatMerged, export_set, merge};

/// The rules in the order in which Istio processes them: those with a workload selector first, then config order, which
/// is by creation, name, namespace (R-M-075).
pub(crate) fn sort(rules: &mut [Arc<DestinationRule>]) {
    rules.sort_by(|a, b| order(a).cmp(&order(b)));
}

/// Builds the index of `rules`, which [`sort`] has sorted. The facts are for diagnostics.
pub(crate) fn build(
    rules: &[Arc<DestinationRule>],
    config: &MeshConfig,
) -> (DestinationRuleIndex, BTreeSet<MergeFact>) {
    let mut facts = BTreeSet::new();
    let mut index = DestinationRuleIndex {
        root_namespace: config.root_namespace.clone(),
        ..DestinationRuleIndex::default()
    };
    for group in by_namespace_and_host(rules) {
        add_group(&mut index, &group, config, &mut facts);
    }
    (index, facts)
}

/// Makes the index say of the namespace and host of `changed` what `group` says, its rules as they are now.
pub(crate) fn rebuild(
    index: &mut DestinationRuleIndex,
    changed: &DestinationRule,
    group: &[Arc<DestinationRule>],
    config: &MeshConfig,
) -> BTreeSet<MergeFact> {
    let namespace = &changed.resource.namespace;
    let places = [
        index.local.get_mut(namespace),
        index.exported.get_mut(namespace),
        (**namespace == *config.root_namespace).then_some(&mut index.root_local),
    ];
    for place in places.into_iter().flatten() {
        place.remove(&changed.host);
    }
    let mut facts = BTreeSet::new();
    if !group.is_empty() {
        let group: Vec<&DestinationRule> = group.iter().map(|rule| &**rule).collect();
        add_group(index, &group, config, &mut facts);
    }
    facts
}

/// The rules of each namespace and host; groups and rules in the order in which they come.
fn by_namespace_and_host(rules: &[Arc<DestinationRule>]) -> Vec<Vec<&DestinationRule>> {
    let mut groups: Vec<Vec<&DestinationRule>> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::default();
    for rule in rules {
        let place = *places
            .entry((&rule.resource.namespace, &rule.host))
            .or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
        groups[place].push(rule);
    }
    groups
}

fn add_group(
    index: &mut DestinationRuleIndex,
    group: &[&DestinationRule],
    config: &MeshConfig,
    facts: &mut BTreeSet<MergeFact>,
) {
    let namespace = &group[0].resource.namespace;
    let is_root = **namespace == *config.root_namespace;
    let others: Vec<_> = group
        .iter()
        .copied()
        .filter(|rule| !is_private(rule, config))
        .collect();
    // Clients in the root namespace see its private rules and, like everyone, what it exports.
    let own: Vec<_> = group
        .iter()
        .copied()
        .filter(|rule| {
            if is_root {
                is_private(rule, config)
            } else {
                is_seen_by_own(rule)
            }
        })
        .collect();
    let own_rules = effective(&own, config, facts);
    let is_one_list =
        own.len() == others.len() && own.iter().zip(&others).all(|(a, b)| std::ptr::eq(*a, *b));
    let other_rules = if is_one_list {
        own_rules.clone()
    } else {
        effective(&others, config, facts)
    };
    note_replaced(&own_rules, &other_rules, facts);
    let insert = |place: &mut HostRules, rules: Vec<_>| {
        if !rules.is_empty() {
            place.insert(&group[0].host, rules);
        }
    };
    if is_root {
        insert(&mut index.root_local, own_rules);
    } else {
        insert(index.local.entry(namespace.clone()).or_default(), own_rules);
    }
    let exported = index.exported.entry(namespace.clone()).or_default();
    insert(exported, other_rules);
}

fn effective(
    rules: &[&DestinationRule],
    config: &MeshConfig,
    facts: &mut BTreeSet<MergeFact>,
) -> Vec<Arc<EffectiveRule>> {
    merge(rules, facts)
        .into_iter()
        .map(|merged| {
            Arc::new(EffectiveRule::new(
                merged,
                config.default_traffic_policy.as_deref(),
            ))
        })
        .collect()
}

/// Whether clients of the rule's own namespace see it.
fn is_seen_by_own(rule: &DestinationRule) -> bool {
    let set = export_set(rule);
    set.is_empty()
        || set
            .iter()
            .any(|entry| matches!(&**entry, "*" | ".") || **entry == *rule.resource.namespace)
}

/// Whether only clients of the rule's own namespace see it.
fn is_private(rule: &DestinationRule, config: &MeshConfig) -> bool {
    match &*export_set(rule) {
        [] => config
            .default_destination_rule_export_to
            .iter()
            .any(|entry| entry == "."),
        [only] => &**only == "." || **only == *rule.resource.namespace,
        _ => false,
    }
}

/// Of several rules without a selector only the last that a client sees is used (R-M-081): notes each that no client uses.
fn note_replaced(
    own: &[Arc<EffectiveRule>],
    others: &[Arc<EffectiveRule>],
    facts: &mut BTreeSet<MergeFact>,
) {
    let (own, others) = (General::new(own), General::new(others));
    let every = own.rules.iter().chain(&others.rules);
    let mut losers: Vec<_> = every.map(|rule| &rule.sources()[0]).collect();
    losers.sort();
    losers.dedup();
    for loser in losers {
        let for_own = own.fate(loser, |_| own.rules.last().copied());
        let for_others = others.fate(loser, |rule| others.last_seen_wherever(rule));
        let winner = match (for_own, for_others) {
            (Fate::ReplacedBy(winner), Fate::ReplacedBy(_) | Fate::Absent)
            | (Fate::Absent, Fate::ReplacedBy(winner)) => winner,
            _ => continue,
        };
        facts.insert(MergeFact {
            loser: loser.clone(),
            winner: winner.sources()[0].clone(),
            host: winner.host().into(),
            what: WhatMerged::Replaced,
        });
    }
}

/// What became of a rule in one place of the index.
enum Fate<'a> {
    Absent,
    Used,
    ReplacedBy(&'a EffectiveRule),
}

/// The rules of one place without a selector, in order.
struct General<'a> {
    rules: Vec<&'a EffectiveRule>,
    places: HashMap<&'a ResourceName, usize>,
    /// Those that are seen everywhere, or by name in each namespace.
    seen_in: HashMap<Option<&'a str>, Vec<usize>>,
}

impl<'a> General<'a> {
    fn new(rules: &'a [Arc<EffectiveRule>]) -> Self {
        let rules = rules.iter().map(|rule| &**rule);
        let rules = rules.filter(|rule| rule.workload_selector().is_none());
        let mut general = General {
            rules: rules.collect(),
            places: HashMap::default(),
            seen_in: HashMap::default(),
        };
        for (place, &rule) in general.rules.iter().enumerate() {
            general.places.entry(&rule.sources()[0]).or_insert(place);
            for namespace in rule.seen_in() {
                general.seen_in.entry(namespace).or_default().push(place);
            }
        }
        general
    }

    /// What became of `loser`; `winner` is the last rule that every client sees that sees it.
    fn fate(
        &self,
        loser: &ResourceName,
        winner: impl FnOnce(&EffectiveRule) -> Option<&'a EffectiveRule>,
    ) -> Fate<'a> {
        let Some(&place) = self.places.get(loser) else {
            return Fate::Absent;
        };
        match winner(self.rules[place]) {
            Some(winner) if !std::ptr::eq(winner, self.rules[place]) => Fate::ReplacedBy(winner),
            _ => Fate::Used,
        }
    }

    /// The last rule that every namespace sees that sees `rule`, which does itself.
    fn last_seen_wherever(&self, rule: &EffectiveRule) -> Option<&'a EffectiveRule> {
        let list = |namespace| self.seen_in.get(&namespace).map_or(&[][..], Vec::as_slice);
        // Who is seen where all of it is seen, is seen where the fewest are.
        let fewest = rule.seen_in().map(list).min_by_key(|list| list.len());
        let by_name = fewest.unwrap_or_default().iter().rev();
        let mut by_name = by_name.map(|&place| (place, self.rules[place]));
        let by_name = by_name.find(|(_, winner)| winner.is_seen_wherever(rule));
        let public = list(None).last().map(|&place| (place, self.rules[place]));
        let last = public
            .into_iter()
            .chain(by_name)
            .max_by_key(|(place, _)| *place);
        last.map(|(_, winner)| winner)
    }
}
