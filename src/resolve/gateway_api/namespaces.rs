//! Namespaces by their labels (R-G-010, R-G-021, R-M-212).

use std::collections::BTreeMap;

use crate::resource::gateway_api::{LabelSelector, LabelSelectorRequirement, Namespace};
use crate::resource::{Document, Labels};

/// The label that every namespace has: its name.
const NAME: &str = "kubernetes.io/metadata.name";

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

    /// Whether there is one of that name.
    pub(in crate::resolve) fn is_given(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Those that are selected; `None`: the selector is none.
    pub(in crate::resolve) fn selected(&self, selector: &LabelSelector) -> Option<Vec<&'a str>> {
        let requirements = &selector.match_expressions;
        if !requirements.iter().all(is_well_formed) {
            return None;
        }
        let selected = self.by_name.iter().filter(|(name, labels)| {
            let label = |key: &str| match key {
                NAME => Some(labels.get(key).map_or(**name, String::as_str)),
                key => labels.get(key).map(String::as_str),
            };
            let mut exact = selector.match_labels.iter();
            exact.all(|(key, value)| label(key) == Some(&**value))
                && requirements.iter().all(|one| holds(one, label(&one.key)))
        });
        Some(selected.map(|(name, _)| *name).collect())
    }
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
