//! ReferenceGrants, and Namespaces by their labels.

use super::{of_kind, or};
use crate::spec::world::namespace;
use crate::spec::{Yaml, entries, list, text, texts};

/// Who refers to what, across namespaces.
pub(super) struct Reference<'a> {
    pub(super) from_kind: &'a str,
    pub(super) from_namespace: &'a str,
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// R-G-051: a grant in the namespace of the target names both ends.
pub(super) fn is_granted(resources: &[Yaml], reference: &Reference) -> bool {
    if reference.from_namespace == reference.namespace {
        return true;
    }
    let mut grants = of_kind(resources, "ReferenceGrant")
        .filter(|grant| namespace(grant) == reference.namespace);
    grants.any(|grant| {
        let mut from = list(&grant["spec"], "from").iter();
        let mut to = list(&grant["spec"], "to").iter();
        from.any(|from| {
            text(from, "group") == super::GROUP
                && text(from, "kind") == reference.from_kind
                && text(from, "namespace") == reference.from_namespace
        }) && to.any(|to| {
            text(to, "group") == reference.group
                && text(to, "kind") == reference.kind
                && (text(to, "name").is_empty() || text(to, "name") == reference.name)
        })
    })
}

/// R-G-010, R-G-021: the namespaces that `{from, selector}` opens to, `*` for all.
pub(super) fn open_to(resources: &[Yaml], said: &Yaml, own: &str, default: &str) -> Vec<String> {
    match or(said, "from", default) {
        "All" => vec!["*".to_owned()],
        "Same" => vec![own.to_owned()],
        "None" => vec![],
        _ if !said["selector"].is_object() => vec!["*".to_owned()],
        _ => {
            let mut out = Vec::new();
            for resource in resources {
                let is_namespace =
                    text(resource, "kind") == "Namespace" && text(resource, "apiVersion") == "v1";
                let name = text(&resource["metadata"], "name");
                let mut labels = resource["metadata"]["labels"].clone();
                if !labels.is_object() {
                    labels = serde_json::json!({});
                }
                labels["kubernetes.io/metadata.name"] = name.into();
                if is_namespace && selects(&said["selector"], &labels) {
                    out.push(name.to_owned());
                }
            }
            out.sort();
            out
        }
    }
}

/// A label selector of Kubernetes. One that says nothing selects everything.
pub fn selects(selector: &Yaml, labels: &Yaml) -> bool {
    let wanted = entries(selector, "matchLabels");
    wanted.iter().all(|(key, value)| labels[*key] == **value)
        && list(selector, "matchExpressions").iter().all(|one| {
            let value = labels[text(one, "key")].as_str();
            let among = texts(one, "values")
                .iter()
                .any(|known| value == Some(known.as_str()));
            match text(one, "operator") {
                "In" => among,
                "NotIn" => !among,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}
