//! What merging did, told to the authors: every [`MergeFact`] as a warning that names both rules.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, FieldPath, Report, ResourceRef};
use crate::resource::{self as raw, Document};
use crate::terms::hash::HashMap;
use crate::terms::name::ResourceName;

use super::merge::{MergeFact, WhatMerged};

/// Pushes a warning for each fact.
pub(super) fn push(
    facts: &BTreeSet<MergeFact>,
    documents: &[&Document<raw::DestinationRule>],
    report: &mut Report,
) {
    if facts.is_empty() {
        return;
    }
    let mut known: HashMap<ResourceName, &Document<raw::DestinationRule>> = HashMap::default();
    for &document in documents {
        let name = document.meta.qualified_name();
        known.entry(name).or_insert(document);
    }
    let find = |name: &ResourceName| known.get(name).copied();
    let mut subsets = SubsetPlaces::default();
    for fact in facts {
        let field =
            find(&fact.loser).map_or(FieldPath::root(), |loser| field(fact, || subsets.of(loser)));
        let (code, message, help) = words(fact);
        let location = find(&fact.loser).and_then(|loser| loser.locate(&field));
        let winner_location =
            find(&fact.winner).and_then(|winner| winner.locate(FieldPath::from("spec.host")));
        let role = match fact.what {
            WhatMerged::Subset(_) | WhatMerged::Policy | WhatMerged::Replaced => "is used instead",
            WhatMerged::Refused => "is the first of them",
            WhatMerged::HiddenFrom(_) | WhatMerged::CapturedBySelector => "has taken it in",
        };
        report.push(
            Diagnostic::new(code, message)
                .with_help(help)
                .with_resource(reference(&fact.loser))
                .with_field(field)
                .with_location(location)
                .with_related(reference(&fact.winner), role, winner_location),
        );
    }
}

fn reference(name: &ResourceName) -> ResourceRef {
    ResourceRef::new("DestinationRule", &*name.namespace, &*name.name)
}

/// Where the subsets of one rule stand, by name; the facts of one loser come one after the other.
#[derive(Default)]
struct SubsetPlaces<'d> {
    of: Option<&'d Document<raw::DestinationRule>>,
    places: HashMap<&'d str, usize>,
}

impl<'d> SubsetPlaces<'d> {
    fn of(&mut self, rule: &'d Document<raw::DestinationRule>) -> &HashMap<&'d str, usize> {
        if !self.of.is_some_and(|known| std::ptr::eq(known, rule)) {
            self.of = Some(rule);
            self.places.clear();
            for (place, subset) in rule.spec.subsets.iter().enumerate() {
                self.places.entry(&subset.name).or_insert(place);
            }
        }
        &self.places
    }
}

/// The field of the loser that has no effect.
fn field<'p, 'd: 'p>(
    fact: &MergeFact,
    subsets: impl FnOnce() -> &'p HashMap<&'d str, usize>,
) -> FieldPath {
    let spec = FieldPath::from("spec");
    match &fact.what {
        WhatMerged::Subset(name) => {
            let place = subsets().get(&**name).copied();
            spec.field("subsets").index(place.unwrap_or(0))
        }
        WhatMerged::Policy => spec.field("trafficPolicy"),
        WhatMerged::Replaced | WhatMerged::Refused => spec.field("host"),
        WhatMerged::HiddenFrom(_) | WhatMerged::CapturedBySelector => spec.field("exportTo"),
    }
}

fn words(fact: &MergeFact) -> (Code, String, &'static str) {
    let MergeFact { winner, host, .. } = fact;
    match &fact.what {
        WhatMerged::Subset(name) => (
            Code::SHADOWED_SUBSET,
            format!(
                "subset `{name}` of `{host}` is ignored: DestinationRule `{winner}` has a subset of that name"
            ),
            "rename the subset, or remove it from one of the rules",
        ),
        WhatMerged::Policy => (
            Code::IGNORED_POLICY,
            format!(
                "the traffic policy of `{host}` is ignored: DestinationRule `{winner}` has one already"
            ),
            "keep the policy of a host in one rule",
        ),
        WhatMerged::Replaced => (
            Code::REPLACED_RULE,
            format!(
                "the rule is never used: DestinationRule `{winner}` is newer, is for `{host}` too, and has another `exportTo`"
            ),
            "give both rules the same `exportTo`, so that they are merged, or remove one",
        ),
        WhatMerged::Refused => (
            Code::MERGES_TOO_LARGE,
            format!(
                "the rule is left out: every rule of `{host}` without a workload selector is merged into all that have one, and these are too many"
            ),
            "leave `exportTo` out: then the rule stands for itself",
        ),
        WhatMerged::HiddenFrom(namespaces) => (
            Code::HIDDEN_RULE,
            format!(
                "the rule is merged into DestinationRule `{winner}` of `{host}`, which is not exported to `{}`",
                namespaces.join("`, `")
            ),
            "give both rules the same `exportTo`",
        ),
        WhatMerged::CapturedBySelector => (
            Code::CAPTURED_RULE,
            format!(
                "the rule is merged into DestinationRule `{winner}` of `{host}`, and holds only for the workloads that this one selects"
            ),
            "leave `exportTo` out: then the rule also stands for itself",
        ),
    }
}
