//! Every destination that a VirtualService names, with the field that names it.

use crate::diagnostic::FieldPath;
use crate::mesh::VirtualService;
use crate::mesh::virtual_service::{DestinationRef, HttpAction, HttpRoute, WeightedRef};
use crate::terms::name::ResourceName;

/// One destination.
pub(super) struct Reference<'a> {
    pub destination: &'a DestinationRef,
    /// The VirtualService that names it: the one that was asked, or a delegate of it.
    pub resource: &'a ResourceName,
    /// The `destination`.
    pub field: FieldPath,
    /// A mirror: it gets copies.
    pub is_mirror: bool,
    /// In `http`.
    pub is_http: bool,
}

/// The VirtualService that has the text of a rule, and where it has it.
pub(super) fn place<'a>(
    virtual_service: &'a VirtualService,
    rule: &'a HttpRoute,
) -> (&'a ResourceName, FieldPath) {
    let delegate = rule.source.delegate.as_ref();
    let field = FieldPath::from("spec")
        .field("http")
        .index(rule.source.index);
    (delegate.unwrap_or(&virtual_service.resource), field)
}

/// All of them, in order.
pub(super) fn references(virtual_service: &VirtualService) -> Vec<Reference<'_>> {
    let mut references = Vec::new();
    let spec = FieldPath::from("spec");
    let own = &virtual_service.resource;
    for rule in &virtual_service.http {
        let (resource, at) = place(virtual_service, rule);
        if let HttpAction::Route(route) = &rule.action {
            weighted(route, resource, &at, true, &mut references);
        }
        for mirror in &rule.mirrors {
            references.push(Reference {
                destination: &mirror.destination,
                resource,
                field: at.clone(),
                is_mirror: true,
                is_http: true,
            });
        }
    }
    for (index, rule) in virtual_service.tls.iter().enumerate() {
        weighted(
            &rule.route,
            own,
            &spec.field("tls").index(index),
            false,
            &mut references,
        );
    }
    for (index, rule) in virtual_service.tcp.iter().enumerate() {
        weighted(
            &rule.route,
            own,
            &spec.field("tcp").index(index),
            false,
            &mut references,
        );
    }
    references
}

fn weighted<'a>(
    route: &'a [WeightedRef],
    resource: &'a ResourceName,
    at: &FieldPath,
    is_http: bool,
    references: &mut Vec<Reference<'a>>,
) {
    for (index, one) in route.iter().enumerate() {
        references.push(Reference {
            destination: &one.destination,
            resource,
            field: at.field("route").index(index).field("destination"),
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
