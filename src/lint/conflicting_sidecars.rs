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
use crate::terms::labels::Labels;
use crate::terms::selector_index::SelectorIndex;

use super::{Facts, finding, reference};

/// Sidecars of one namespace.
#[derive(Default)]
struct Own<'m> {
    general: Option<&'m Arc<Sidecar>>,
    selecting: Vec<(&'m Labels, &'m Arc<Sidecar>)>,
}

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut by_namespace: HashMap<&str, Own<'_>> = HashMap::default();
    for sidecar in &facts.mesh.sidecars {
        let own = by_namespace.entry(&sidecar.resource.namespace).or_default();
        if let Some(selector) = &sidecar.workload_selector {
            own.selecting.push((selector, sidecar));
        } else {
            own.general.get_or_insert(sidecar);
        }
    }
    // Where each Sidecar stands among those of its namespace with a selector.
    let mut indexes: HashMap<&str, (SelectorIndex<'_>, usize)> = HashMap::default();
    for sidecar in &facts.mesh.sidecars {
        let namespace = &*sidecar.resource.namespace;
        let own = &by_namespace[namespace];
        let owner = match &sidecar.workload_selector {
            None => own.general.filter(|general| !Arc::ptr_eq(general, sidecar)),
            Some(selector) => {
                let (index, place) = indexes.entry(namespace).or_insert_with(|| {
                    let selectors = own.selecting.iter().map(|(selector, _)| *selector);
                    (SelectorIndex::new(selectors), 0)
                });
                let older = index.selecting(selector).min();
                let older = older.filter(|older| older < place);
                *place += 1;
                older.map(|older| own.selecting[older].1)
            }
        };
        if let Some(owner) = owner {
            let name = |sidecar: &Sidecar| reference("Sidecar", &sidecar.resource);
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
    }
}
