//! Namespaces by their labels (R-G-010, R-G-021, R-M-212).

use std::collections::BTreeMap;

use crate::resource::gateway_api::{LabelSelector, LabelSelectorRequirement, Namespace};
use crate::resource::{Document, Labels};

/// The label that every namespace has: its name.
const NAME: &str = "kubernetes.io/metadata.name";

/// So many times may the selectors of the mesh be held against namespaces.
pub(in crate::resolve) const MATCHES: usize = 1 << 20;

/// The namespaces that are given, in the order of their names.
pub(in crate::resolve) struct Namespaces<'a> {
    by_name: BTreeMap<&'a str, &'a Labels>,
}

impl<'a> Namespaces<'a> {
    pub(in crate::resolve) fn new(documents: &[&'a Document<Namespace>]) -> Self {
        let pairs = documents
            .iter()
            .map(|document| (&*document.meta.name, &document.meta.labels));
        Namespaces {
            by_name: pairs.collect(),
        }
    }

    /// How many there are.
    pub(in crate::resolve) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is one of that name.
    pub(in crate::resolve) fn is_given(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Those that are selected; `None`: the selector is none.
    pub(in crate::resolve) fn selected(&self, selector: &LabelSelector) -> Option<Vec<&'a str>> {
        if !is_selector(selector) {
            return None;
        }
        let selected = self.by_name.iter();
        let selected = selected.filter(|(name, labels)| selects(selector, name, Some(labels)));
        Some(selected.map(|(name, _)| *name).collect())
    }

    /// Whether a selector selects a namespace; one that is not given has its name as its only label.
    pub(in crate::resolve) fn is_selected(&self, name: &str, by: &LabelSelector) -> bool {
        is_selector(by) && selects(by, name, self.by_name.get(name).copied())
    }
}

/// Whether Kubernetes can read it.
pub(in crate::resolve) fn is_selector(selector: &LabelSelector) -> bool {
    selector.match_expressions.iter().all(is_well_formed)
}

/// Whether a selector asks for nothing but the names of namespaces.
pub(in crate::resolve) fn asks_for_names_only(selector: &LabelSelector) -> bool {
    let expressions = selector.match_expressions.iter().map(|one| &one.key);
    let mut keys = selector.match_labels.keys().chain(expressions);
    keys.all(|key| key == NAME)
}

fn selects(selector: &LabelSelector, name: &str, labels: Option<&Labels>) -> bool {
    let label = |key: &str| match (labels.and_then(|labels| labels.get(key)), key) {
        (Some(value), _) => Some(value.as_str()),
        (None, NAME) => Some(name),
        (None, _) => None,
    };
    let mut exact = selector.match_labels.iter();
    let requirements = &selector.match_expressions;
    exact.all(|(key, value)| label(key) == Some(&**value))
        && requirements.iter().all(|one| holds(one, label(&one.key)))
}

fn is_well_formed(one: &LabelSelectorRequirement) -> bool {
    match &*one.operator {
        "In" | "NotIn" => !one.values.is_empty(),
        "Exists" | "DoesNotExist" => one.values.is_empty(),
        _ => false,
    }
}

fn holds(one: &LabelSelectorRequirement, label: Option<&str>) -> bool {
    let is_listed = || label.is_some_and(|label| one.values.iter().any(|value| value == label));
    match &*one.operator {
        "In" => is_listed(),
        "NotIn" => !is_listed(),
        "Exists" => label.is_some(),
        _ => label.is_none(),
    }
}
