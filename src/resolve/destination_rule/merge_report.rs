//! What merging did, told to the authors: every [`MergeFact`] as a warning that names both rules.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, FieldPath, Report, ResourceRef};
use crate::resource::{self as raw, Document};
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
    let find = |name: &ResourceName| {
        documents
            .iter()
            .find(|document| document.meta.qualified_name() == *name)
    };
    for fact in facts {
        let field = find(&fact.loser).map_or(FieldPath::root(), |loser| field(fact, loser));
        let (code, message, help) = words(fact);
        let location = find(&fact.loser).and_then(|loser| loser.locate(&field));
        let winner_location =
            find(&fact.winner).and_then(|winner| winner.locate(FieldPath::from("spec.host")));
        let role = match fact.what {
            WhatMerged::Subset(_) | WhatMerged::Policy | WhatMerged::Replaced => "is used instead",
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

/// The field of the loser that has no effect.
fn field(fact: &MergeFact, loser: &Document<raw::DestinationRule>) -> FieldPath {
    let spec = FieldPath::from("spec");
    match &fact.what {
        WhatMerged::Subset(name) => {
            let place = loser
                .spec
                .subsets
                .iter()
                .position(|subset| *subset.name == **name);
            spec.field("subsets").index(place.unwrap_or(0))
        }
        WhatMerged::Policy => spec.field("trafficPolicy"),
        WhatMerged::Replaced => spec.field("host"),
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
