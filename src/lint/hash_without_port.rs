//! `hash-without-port` (MR0317; R-M-121).
//!
//! **What it does**: finds `http` destinations without a port whose DestinationRule hashes in `portLevelSettings` only.
//!
//! **Why is this bad**: the cluster hashes, but the route says what is hashed only where the destination names its port:
//! nothing is, and the endpoint is random.
//!
//! **Example**
//! ```yaml
//! # DestinationRule
//! portLevelSettings:
//! - {port: {number: 80}, loadBalancer: {consistentHash: {httpHeaderName: x-user}}}
//! # VirtualService
//! - route: [{destination: {host: reviews}}]
//! ```
//! **Use instead**: `port: {number: 80}` in the destination, or hash at the top level.

use crate::diagnostic::{Code, Report};

use super::references::references;
use super::{Facts, author, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        for reference in references(from) {
            let destination = reference.destination;
            if destination.port.is_some() || !reference.is_http || reference.is_mirror {
                continue;
            }
            let namespace = &*from.resource().namespace;
            let Some(rule) = facts.registry.rule(&destination.host, namespace) else {
                continue;
            };
            let subset = destination.subset.as_deref();
            let hashed = rule.port_with_hash(subset);
            let (Some(port), None) = (hashed, rule.hash_key(subset, None)) else {
                continue;
            };
            let message = format!(
                "nothing is hashed for `{}`: its rule hashes on port {port} only, and the destination names no port",
                destination.host
            );
            report.push(
                finding(
                    Code::HASH_WITHOUT_PORT,
                    author(reference.author),
                    reference.field,
                    message,
                )
                .with_help(format!("add `port: {{number: {port}}}`"))
                .with_related(
                    destination_rule(&rule.sources()[0]),
                    "hashes on that port",
                    None,
                ),
            );
        }
    }
}
