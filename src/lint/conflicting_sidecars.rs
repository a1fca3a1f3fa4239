//! `conflicting-sidecars` (MR0319; istioctl's IST0110 and IST0111, R-M-208).
//!
//! **What it does**: finds Sidecars that no workload ever uses, because an older one of their namespace is for all their
//! workloads.
//!
//! **Why is this bad**: a workload uses one Sidecar only, the oldest that selects it (R-M-070).
//!
//! **Example**
//! ```yaml
//! metadata: {name: first, namespace: shop}
//! spec: {egress: [{hosts: ["./*"]}]}
//! ---
//! metadata: {name: second, namespace: shop}
//! spec: {egress: [{hosts: ["*/*"]}]}
//! ```
//! **Use instead**: one Sidecar per namespace without a selector, and selectors that do not overlap for the others.

use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::Sidecar;
use crate::terms::hash::HashMap;

use super::{Facts, finding, reference};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut older: HashMap<&str, Vec<&Arc<Sidecar>>> = HashMap::default();
    for sidecar in &facts.mesh.sidecars {
        let before = older.entry(&sidecar.resource.namespace).or_default();
        let owner =
            before.iter().find(
                |one| match (&one.workload_selector, &sidecar.workload_selector) {
                    (None, None) => true,
                    (Some(older), Some(newer)) => older.selects(newer),
                    _ => false,
                },
            );
        if let Some(owner) = owner {
            let name = |one: &Sidecar| reference("Sidecar", &one.resource);
            let message = format!(
                "no workload uses this Sidecar: `{}` is older and is for all of them",
                owner.resource
            );
            let field = FieldPath::from("spec").field("workloadSelector");
            report.push(
                finding(Code::CONFLICTING_SIDECARS, name(sidecar), field, message)
                    .with_help("merge them, or give them selectors that do not overlap")
                    .with_related(name(owner), "is used instead", None),
            );
        }
        before.push(sidecar);
    }
}
