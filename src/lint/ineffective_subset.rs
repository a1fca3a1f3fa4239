//! `ineffective-subset` (MR0306; istioctl's IST0140, R-M-191).
//!
//! **What it does**: finds VirtualServices of a gateway that route to a host without a subset, where another VirtualService
//! of the mesh splits that host into subsets.
//!
//! **Why is this bad**: a gateway does not look at the other VirtualService: its destination is a cluster, not a host to be
//! routed again. Its requests go to all endpoints.
//!
//! **Example**
//! ```yaml
//! # VirtualService of gateway `public`
//! - route: [{destination: {host: reviews}}]
//! # VirtualService of the mesh, `hosts: [reviews]`
//! - route: [{destination: {host: reviews, subset: v1}}]
//! ```
//! **Use instead**: name the subset in the gateway's VirtualService too.

use std::sync::Arc;

use crate::diagnostic::{Code, Report};
use crate::mesh::VirtualService;
use crate::terms::hash::HashMap;

use super::references::references;
use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut splitting: HashMap<&str, &Arc<VirtualService>> = HashMap::default();
    for virtual_service in &facts.mesh.virtual_services {
        if !virtual_service.is_in_mesh() {
            continue;
        }
        for reference in references(virtual_service) {
            let destination = reference.destination;
            let is_own_host = virtual_service.hosts.contains(&destination.host);
            if destination.subset.is_some() && !reference.is_mirror && is_own_host {
                splitting
                    .entry(&destination.host)
                    .or_insert(virtual_service);
            }
        }
    }
    for from in &facts.mesh.virtual_services {
        if !from.is_at_gateways() {
            continue;
        }
        for reference in references(from) {
            let destination = reference.destination;
            if destination.subset.is_some() || !reference.is_http || reference.is_mirror {
                continue;
            }
            let Some(other) = splitting.get(&*destination.host) else {
                continue;
            };
            if Arc::ptr_eq(from, other) {
                continue;
            }
            let message = format!(
                "gateways send to all endpoints of `{}`: they do not look at the subsets of another VirtualService",
                destination.host
            );
            report.push(
                finding(
                    Code::INEFFECTIVE_SUBSET,
                    author(reference.author),
                    reference.field,
                    message,
                )
                .with_help("name a subset here too")
                .with_related(
                    author(&other.author),
                    "splits the host into subsets",
                    None,
                ),
            );
        }
    }
}
