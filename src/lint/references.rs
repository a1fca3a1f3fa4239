//! Every destination that a VirtualService names, with the field that names it.

use crate::diagnostic::FieldPath;
use crate::mesh::VirtualService;
use crate::mesh::virtual_service::{DestinationRef, HttpAction, Semantics, WeightedRef};
use crate::terms::origin::{Author, RouteOrigin};

/// One destination.
pub(super) struct Reference<'a> {
    pub destination: &'a DestinationRef,
    /// The resource that names it: the one that was asked, or a delegate of it.
    pub author: &'a Author,
    /// The `destination`.
    pub field: FieldPath,
    /// A mirror: it gets copies.
    pub is_mirror: bool,
    /// In `http`.
    pub is_http: bool,
}

/// All of them, in order.
pub(super) fn references(virtual_service: &VirtualService) -> Vec<Reference<'_>> {
    let mut references = Vec::new();
    for rule in &virtual_service.http {
        if let HttpAction::Route(route) = &rule.action {
            weighted(route, &rule.origin, true, &mut references);
        }
        references.extend(rule.mirrors.iter().map(|mirror| Reference {
            destination: &mirror.destination,
            author: &rule.origin.author,
            field: rule.origin.field().path(),
            is_mirror: true,
            is_http: true,
        }));
    }
    for rule in &virtual_service.tls {
        weighted(&rule.route, &rule.origin, false, &mut references);
    }
    for rule in &virtual_service.tcp {
        weighted(&rule.route, &rule.origin, false, &mut references);
    }
    if virtual_service.semantics == Semantics::GatewayApi {
        // A backend that leads nowhere was told of when its route was resolved.
        references
            .retain(|one| !one.destination.host.is_empty() && one.destination.subset.is_none());
    }
    references
}

fn weighted<'a>(
    route: &'a [WeightedRef],
    origin: &'a RouteOrigin,
    is_http: bool,
    references: &mut Vec<Reference<'a>>,
) {
    let at = origin.field().path().field("route");
    for (index, entry) in route.iter().enumerate() {
        references.push(Reference {
            destination: &entry.destination,
            author: &origin.author,
            field: at.index(index).field("destination"),
            is_mirror: false,
            is_http,
        });
    }
}

impl Reference<'_> {
    /// How a message speaks of it.
    pub(super) fn noun(&self) -> &'static str {
        if self.is_mirror {
            "mirror"
        } else {
            "destination"
        }
    }
}
