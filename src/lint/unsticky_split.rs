//! `unsticky-split` (MR0327).
//!
//! **What it does**: finds rules with several weighted destinations of which one is balanced by a consistent hash.
//!
//! **Why is this bad**: the hash chooses an endpoint of the destination that was drawn; the draw itself is made anew for each
//! request, so that a client goes back and forth between the versions (R-H-113, R-H-115).
//!
//! **Example**
//! ```yaml
//! - route:   # the DestinationRule hashes by cookie
//!   - {destination: {host: web, subset: v1}, weight: 90}
//!   - {destination: {host: web, subset: v2}, weight: 10}
//! ```
//! **Use instead**: a rule before it that matches a cookie or header of those who are to stay.

use crate::diagnostic::{Code, Report};
use crate::mesh::virtual_service::HttpAction;

use super::{Facts, author, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        let namespace = &*from.resource().namespace;
        for rule in &from.http {
            let HttpAction::Route(route) = &rule.action else {
                continue;
            };
            let drawn = route.iter().filter(|one| one.weight > 0);
            if drawn.clone().count() < 2 {
                continue;
            }
            let hashed = drawn.into_iter().find_map(|one| {
                let destination = &one.destination;
                let holds = facts.registry.rule(&destination.host, namespace)?;
                let key = holds.hash_key(destination.subset.as_deref(), destination.port);
                key.map(|_| (&destination.host, holds))
            });
            let Some((host, holds)) = hashed else {
                continue;
            };
            let message = format!(
                "the consistent hash of `{host}` does not keep a client at one of these destinations: the weights are drawn anew for each request"
            );
            let field = rule.origin.field().path().field("route");
            let about = author(&rule.origin.author);
            report.push(
                finding(Code::UNSTICKY_SPLIT, about, field, message)
                    .with_help("put a rule before it that matches a cookie or header of those who are to stay")
                    .with_related(destination_rule(&holds.sources()[0]), "hashes", None),
            );
        }
    }
}
