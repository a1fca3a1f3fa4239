//! Merging the DestinationRules of one host that stand in one place of the index (R-M-077, R-M-078).
//!
//! Input: the rules in processing order (R-M-075). Output: one or several merged rules, and every [`MergeFact`] that an
//! author would want to know.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::DestinationRule;
use crate::mesh::destination_rule_index::MergedRule;
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
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
    /// Too many rules have been merged already: it is left out.
    Refused,
}

/// How often rules of one host and namespace are merged, beside once for each rule: as often as there are selectors, each
/// rule without one is merged into each with one, so that a small text could ask for any amount of memory.
pub(super) const MOST_MERGES: usize = 32_768;

/// One entry under construction.
struct Entry {
    rule: MergedRule,
    /// The place of the first subset of each name.
    subset_places: HashMap<Arc<str>, usize>,
    /// Who said each subset, in their order.
    subset_owners: Vec<ResourceName>,
    policy_owner: Option<ResourceName>,
}

/// The entries of one host, and which of them a rule can have to do with.
#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    /// By one namespace of the export set (`None`: it is empty), one that few others had.
    places: HashMap<Option<Box<str>>, Places>,
    /// How many export sets have each namespace.
    exports: HashMap<Box<str>, usize>,
    merges: usize,
}

/// Places of entries by selector.
#[derive(Default)]
struct Places {
    count: usize,
    by_selector: HashMap<Option<Labels>, Vec<usize>>,
}

impl Entries {
    /// The places of those that a rule with this export set and selector may be merged into, in order: an entry's set is
    /// the same or a part of it, and of two selectors none is another's. `None`: they are too many.
    fn candidates(&mut self, set: &[Box<str>], selector: Option<&Labels>) -> Option<Vec<usize>> {
        let keys = set.iter().map(|namespace| Some(namespace.clone()));
        let keys = keys.chain(set.is_empty().then_some(None));
        let lists: Vec<&Places> = keys.filter_map(|key| self.places.get(&key)).collect();
        let mut found: Vec<usize> = Vec::new();
        match selector {
            None => {
                let count: usize = lists.iter().map(|places| places.count).sum();
                self.merges += count.saturating_sub(1);
                if self.merges > MOST_MERGES {
                    self.merges = MOST_MERGES;
                    return None;
                }
                let all = lists.iter().flat_map(|places| places.by_selector.values());
                found.extend(all.flatten());
            }
            Some(own) => {
                let of = |selector| {
                    let lists = lists.iter();
                    lists.filter_map(move |places| places.by_selector.get(&selector))
                };
                found.extend(of(None).flatten());
                found.extend(of(Some(own.clone())).flatten());
            }
        }
        found.sort_unstable();
        Some(found)
    }

    fn push(&mut self, entry: Entry) {
        let set = &entry.rule.export_to;
        let key = set
            .iter()
            .min_by_key(|namespace| self.exports.get(*namespace).copied());
        let key = key.cloned();
        for namespace in set {
            *self.exports.entry(namespace.clone()).or_default() += 1;
        }
        let selector = entry.rule.workload_selector.clone();
        let places = self.places.entry(key).or_default();
        places.count += 1;
        let list = places.by_selector.entry(selector).or_default();
        list.push(self.all.len());
        self.all.push(entry);
    }
}

/// Merges `rules`, all of one host and in processing order.
pub(crate) fn merge(
    rules: &[&DestinationRule],
    facts: &mut BTreeSet<MergeFact>,
) -> Vec<MergedRule> {
    let mut entries = Entries::default();
    for rule in rules {
        add(&mut entries, rule, facts);
    }
    entries.all.into_iter().map(|entry| entry.rule).collect()
}

/// The export set of a rule: raw strings, and `.` alone where there is a workload selector (R-M-076).
pub(crate) fn export_set(rule: &DestinationRule) -> Box<[Box<str>]> {
    if rule.workload_selector.is_some() {
        return Box::new([".".into()]);
    }
    let set: BTreeSet<Box<str>> = rule.export_to.iter().cloned().collect();
    set.into_iter().collect()
}

/// Merges one rule into every entry that it fits, and appends it where the last of all entries says so.
fn add(entries: &mut Entries, rule: &DestinationRule, facts: &mut BTreeSet<MergeFact>) {
    let set = export_set(rule);
    let selector = rule.workload_selector.as_ref();
    let mut append = true;
    let mut seen_through: BTreeSet<Box<str>> = BTreeSet::new();
    let mut merged_into = None;
    let Some(candidates) = entries.candidates(&set, selector) else {
        facts.insert(MergeFact {
            loser: rule.resource.clone(),
            winner: entries.all[0].rule.sources[0].clone(),
            host: rule.host.clone(),
            what: WhatMerged::Refused,
        });
        return;
    };
    let last = entries.all.len().checked_sub(1);
    for &place in &candidates {
        let entry = &mut entries.all[place];
        let own = &entry.rule.export_to;
        if *own == set {
            append = false;
        } else {
            append = true;
            let is_wider = !own.is_empty()
                && own
                    .iter()
                    .all(|namespace| set.binary_search(namespace).is_ok());
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
    if append || candidates.last().copied() != last {
        entries.push(Entry::new(rule, set));
        return;
    }
    let Some(entry) = merged_into.map(|place| &entries.all[place]) else {
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
        .filter(|namespace| !seen_through.contains(*namespace))
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
        let taken = entry.subset_places.get(&subset.name).copied();
        match taken.filter(|place| *place < known) {
            Some(place) if *entry.rule.subsets[place] == **subset => {}
            Some(place) => {
                note(
                    &entry.subset_owners[place],
                    WhatMerged::Subset(subset.name.clone()),
                );
            }
            None => {
                let place = entry.rule.subsets.len();
                entry
                    .subset_places
                    .entry(subset.name.clone())
                    .or_insert(place);
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
        let mut subset_places = HashMap::default();
        for (place, subset) in rule.subsets.iter().enumerate() {
            subset_places.entry(subset.name.clone()).or_insert(place);
        }
        Entry {
            subset_places,
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
