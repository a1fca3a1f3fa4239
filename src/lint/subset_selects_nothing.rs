//! `subset-selects-nothing` (MR0308; istioctl's IST0173, R-M-202).
//!
//! **What it does**: finds subsets whose labels no workload of the service has. It is silent about services without any known
//! workload, and about labels that come from a workload's place (`topology.*`, `kubernetes.io/hostname`).
//!
//! **Why is this bad**: the cluster exists and has no endpoints: requests are answered 503 `UH` (R-M-139).
//!
//! **Example**
//! ```yaml
//! subsets:
//! - {name: v2, labels: {version: v2}}   # all pods have `version: v1`
//! ```
//! **Use instead**: the labels of the pods (of a Deployment: `spec.template.metadata.labels`, R-M-133).

use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::Service;
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

use super::label_sets::LabelSets;
use super::{Facts, destination_rule, finding, reference as resource, registry};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut by_host: HashMap<&str, LabelSets<'_>> = HashMap::default();
    for rule in &facts.mesh.destination_rules {
        let services = facts.mesh.service_index.named(&rule.host);
        let Some(first) = services.first() else {
            continue;
        };
        let endpoints = by_host.entry(&rule.host).or_insert_with(|| {
            let labels = services
                .iter()
                .flat_map(|service| all_labels(facts, service));
            labels.collect()
        });
        if endpoints.is_empty() {
            continue;
        }
        for (index, subset) in rule.subsets.iter().enumerate() {
            let wanted: Labels = subset
                .labels
                .iter()
                .filter(|(key, _)| !is_place(key))
                .collect();
            if endpoints.has_selected(&wanted) {
                continue;
            }
            let message = format!(
                "no workload of `{}` has the labels `{}` of subset `{}`",
                rule.host, subset.labels, subset.name
            );
            let field = FieldPath::from("spec")
                .field("subsets")
                .index(index)
                .field("labels");
            report.push(
                finding(
                    Code::SUBSET_SELECTS_NOTHING,
                    destination_rule(&rule.resource),
                    field,
                    message,
                )
                .with_related(
                    resource(registry::kind(first), &first.resource),
                    "has the workloads",
                    None,
                ),
            );
        }
    }
}

fn all_labels<'a>(
    facts: &'a Facts<'_>,
    service: &'a Arc<Service>,
) -> impl Iterator<Item = &'a Labels> {
    facts
        .mesh
        .service_index
        .twins(service)
        .iter()
        .flat_map(|twin| twin.endpoints.iter())
        .map(|endpoint| &*endpoint.labels)
}

fn is_place(key: &str) -> bool {
    key.starts_with("topology.") || key == "kubernetes.io/hostname"
}
