//! `serviceEntryVisibility` of the mesh: how far the ServiceEntries of each namespace can be seen at most (R-M-216).

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{At, Code, Report};
use crate::mesh::VisibilityCap;
use crate::mesh::config::ServiceEntryVisibility;
use crate::resource as raw;
use crate::resource::{Document, MeshConfig, ServiceEntryVisibilityPolicy};

use super::Sink;
use super::gateway_api::namespaces::{MATCHES, Namespaces, asks_for_names_only, is_selector};

/// Of the namespaces of these ServiceEntries.
///
/// # Complexity
/// O(policies x namespaces), of which there are a million at most.
pub(super) fn resolve(
    config: &Document<MeshConfig>,
    entries: &[&Document<raw::ServiceEntry>],
    namespaces: &[&Document<raw::gateway_api::Namespace>],
    report: &mut Report,
) -> ServiceEntryVisibility {
    let mut sink = Sink::of(config, report);
    let at = At::ROOT.field("serviceEntryVisibility");
    let Some(written) = config.spec.visibility_of_service_entries() else {
        if config.spec.service_entry_visibility.is_some() {
            sink.push_with_help(
                &at,
                Code::FIELD_WITHOUT_EFFECT,
                "without `applyToSidecars` it holds for ambient workloads only",
                "set `applyToSidecars: true` if sidecars and gateways are meant",
            );
        }
        return ServiceEntryVisibility::default();
    };
    let at_policies = at.field("policies");
    for (index, policy) in written.policies.iter().enumerate() {
        note_dead_rules(policy, &at_policies.index(index), &mut sink);
    }
    let default = cap(written.default_visibility);
    let names: BTreeSet<&str> = entries.iter().map(|one| &*one.meta.namespace).collect();
    let matches = names.len().saturating_mul(written.policies.len());
    if matches > MATCHES {
        sink.push_with_help(
            &at_policies,
            Code::SELECTORS_TOO_LARGE,
            format!("policies and namespaces of ServiceEntries make more than {MATCHES} pairs"),
            "one policy can select many namespaces by a label that they share",
        );
        return ServiceEntryVisibility::default();
    }
    let namespaces = Namespaces::new(namespaces);
    let selectors = written.policies.iter().flat_map(|one| &one.matching_rules);
    let mut selectors = selectors.filter_map(|rule| rule.namespace_selector.as_ref());
    let asks_for_labels = selectors.any(|selector| !asks_for_names_only(selector));
    let mut of = BTreeMap::new();
    for name in names {
        if asks_for_labels && !namespaces.is_given(name) {
            sink.push_with_help(
                &at_policies,
                Code::ASSUMED_VISIBILITY,
                format!("there is no Namespace `{name}`: its only label is taken to be its name"),
                "give the Namespaces, too",
            );
        }
        let policy = written
            .policies
            .iter()
            .find(|policy| holds(policy, name, &namespaces));
        of.insert(
            name.into(),
            policy.map_or(default, |policy| cap(policy.visibility)),
        );
    }
    ServiceEntryVisibility { default, of }
}

/// Whether all rules of a policy match a namespace.
fn holds(policy: &ServiceEntryVisibilityPolicy, name: &str, namespaces: &Namespaces<'_>) -> bool {
    policy.matching_rules.iter().all(|rule| {
        let selector = rule.namespace_selector.as_ref();
        selector.is_some_and(|selector| namespaces.is_selected(name, selector))
    })
}

fn note_dead_rules(policy: &ServiceEntryVisibilityPolicy, at: &At<'_>, sink: &mut Sink<'_>) {
    let at = at.field("matchingRules");
    for (index, rule) in policy.matching_rules.iter().enumerate() {
        let message = match &rule.namespace_selector {
            None => "the rule has no `namespaceSelector`: neither it nor its policy ever matches",
            Some(selector) if !is_selector(selector) => {
                "Kubernetes cannot read the selector: neither the rule nor its policy ever matches"
            }
            Some(_) => continue,
        };
        sink.push(&at.index(index), Code::FIELD_WITHOUT_EFFECT, message);
    }
}

fn cap(written: raw::VisibilityCap) -> VisibilityCap {
    match written {
        raw::VisibilityCap::Unspecified | raw::VisibilityCap::Public => VisibilityCap::Public,
        raw::VisibilityCap::Namespace => VisibilityCap::Namespace,
        raw::VisibilityCap::None => VisibilityCap::None,
    }
}
