//! Merging the DestinationRules of one host that stand in one place of the index (R-M-077, R-M-078).
//!
//! Input: the rules in processing order (R-M-075). Output: one or several merged rules, and every [`MergeFact`] that an
//! author would want to know.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::DestinationRule;
use crate::mesh::destination_rule_index::MergedRule;
use crate::terms::name::ResourceName;

/// Something that merging did and that its authors may not have meant. `winner` and `loser` are DestinationRules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MergeFact {
    pub loser: ResourceName,
    pub winner: ResourceName,
    pub host: Arc<str>,
    pub what: WhatMerged,
}

/// What happened to the loser.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WhatMerged {
    /// Its subset of this name is ignored (R-M-078).
    Subset(Arc<str>),
    /// Its top-level policy is ignored (R-M-078).
    Policy,
    /// It is not merged, and every client that sees it uses the winner instead (R-M-081).
    Replaced,
    /// It was merged into the winner, which these namespaces of its `exportTo` cannot see (R-M-079).
    HiddenFrom(Vec<Box<str>>),
    /// It was merged into the winner, whose workload selector keeps it from all other workloads (R-M-079).
    CapturedBySelector,
}

/// One entry under construction.
struct Entry {
    rule: MergedRule,
    /// Who said each subset, in their order.
    subset_owners: Vec<ResourceName>,
    policy_owner: Option<ResourceName>,
}

/// Merges `rules`, all of one host and in processing order.
pub(crate) fn merge(
    rules: &[&DestinationRule],
    facts: &mut BTreeSet<MergeFact>,
) -> Vec<MergedRule> {
    let mut entries: Vec<Entry> = Vec::new();
    for rule in rules {
        add(&mut entries, rule, facts);
    }
    entries.into_iter().map(|entry| entry.rule).collect()
}

/// The export set of a rule: raw strings, and `.` alone where there is a workload selector (R-M-076).
pub(crate) fn export_set(rule: &DestinationRule) -> Box<[Box<str>]> {
    if rule.workload_selector.is_some() {
        return Box::new([".".into()]);
    }
    let set: BTreeSet<Box<str>> = rule.export_to.iter().cloned().collect();
    set.into_iter().collect()
}

/// Merges one rule into every entry that it fits, and appends it where the last entry that was looked at says so.
fn add(entries: &mut Vec<Entry>, rule: &DestinationRule, facts: &mut BTreeSet<MergeFact>) {
    let set = export_set(rule);
    let selector = rule.workload_selector.as_ref();
    let mut append = true;
    let mut seen_through: Vec<Box<str>> = Vec::new();
    let mut merged_into = None;
    for (place, entry) in entries.iter_mut().enumerate() {
        let own = &entry.rule.export_to;
        if *own == set {
            append = false;
        } else {
            append = true;
            let is_wider = !own.is_empty() && own.iter().all(|entry| set.contains(entry));
            if !is_wider {
                continue;
            }
        }
        match (entry.rule.workload_selector.as_ref(), selector) {
            (Some(a), Some(b)) if a != b => {
                append = true;
                continue;
            }
            (None, None) | (Some(_), Some(_)) => append = false,
            _ => {}
        }
        seen_through.extend(entry.rule.export_to.iter().cloned());
        merged_into.get_or_insert(place);
        absorb(entry, rule, facts);
    }
    if append {
        entries.push(Entry::new(rule, set));
        return;
    }
    let Some(entry) = merged_into.map(|place| &entries[place]) else {
        return;
    };
    let fact = |what| MergeFact {
        loser: rule.resource.clone(),
        winner: entry.rule.sources[0].clone(),
        host: rule.host.clone(),
        what,
    };
    let hidden: Vec<_> = set
        .iter()
        .filter(|entry| !seen_through.contains(entry))
        .cloned()
        .collect();
    if !hidden.is_empty() {
        facts.insert(fact(WhatMerged::HiddenFrom(hidden)));
    }
    if selector.is_none() && entry.rule.workload_selector.is_some() {
        facts.insert(fact(WhatMerged::CapturedBySelector));
    }
}

/// Merges `rule` into `entry`: subsets of new names, and the policy if there is none (R-M-078).
fn absorb(entry: &mut Entry, rule: &DestinationRule, facts: &mut BTreeSet<MergeFact>) {
    // A rule for some workloads means to override one for all: nothing to be told.
    let is_override = entry.rule.workload_selector.is_some() && rule.workload_selector.is_none();
    let mut note = |winner: &ResourceName, what| {
        if !is_override {
            facts.insert(MergeFact {
                loser: rule.resource.clone(),
                winner: winner.clone(),
                host: rule.host.clone(),
                what,
            });
        }
    };
    let known = entry.rule.subsets.len();
    for subset in &rule.subsets {
        let taken = entry.rule.subsets[..known]
            .iter()
            .position(|other| other.name == subset.name);
        match taken {
            Some(place) if *entry.rule.subsets[place] == **subset => {}
            Some(place) => {
                note(
                    &entry.subset_owners[place],
                    WhatMerged::Subset(subset.name.clone()),
                );
            }
            None => {
                entry.rule.subsets.push(subset.clone());
                entry.subset_owners.push(rule.resource.clone());
            }
        }
    }
    match (&entry.rule.traffic_policy, &rule.traffic_policy) {
        (None, Some(policy)) => {
            entry.rule.traffic_policy = Some(policy.clone());
            entry.policy_owner = Some(rule.resource.clone());
        }
        (Some(own), Some(policy)) if own != policy => {
            if let Some(owner) = &entry.policy_owner {
                note(owner, WhatMerged::Policy);
            }
        }
        _ => {}
    }
    entry.rule.sources.push(rule.resource.clone());
}

impl Entry {
    fn new(rule: &DestinationRule, export_to: Box<[Box<str>]>) -> Self {
        Entry {
            subset_owners: vec![rule.resource.clone(); rule.subsets.len()],
            policy_owner: rule.traffic_policy.as_ref().map(|_| rule.resource.clone()),
            rule: MergedRule {
                host: rule.host.clone(),
                sources: vec![rule.resource.clone()],
                export_to,
                workload_selector: rule.workload_selector.clone(),
                traffic_policy: rule.traffic_policy.clone(),
                subsets: rule.subsets.clone(),
            },
        }
    }
}
