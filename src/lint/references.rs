//! Every destination that a VirtualService names, with the field that names it.

use crate::diagnostic::FieldPath;
use crate::mesh::VirtualService;
use crate::mesh::virtual_service::{DestinationRef, HttpAction, WeightedRef};

/// One destination.
pub(super) struct Reference<'a> {
    pub destination: &'a DestinationRef,
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
    let spec = FieldPath::from("spec");
    for (index, rule) in virtual_service.http.iter().enumerate() {
        let at = spec.field("http").index(index);
        if let HttpAction::Route(route) = &rule.action {
            weighted(route, &at, true, &mut references);
        }
        for mirror in &rule.mirrors {
            references.push(Reference {
                destination: &mirror.destination,
                field: at.clone(),
                is_mirror: true,
                is_http: true,
            });
        }
    }
    for (index, rule) in virtual_service.tls.iter().enumerate() {
        weighted(
            &rule.route,
            &spec.field("tls").index(index),
            false,
            &mut references,
        );
    }
    for (index, rule) in virtual_service.tcp.iter().enumerate() {
        weighted(
            &rule.route,
            &spec.field("tcp").index(index),
            false,
            &mut references,
        );
    }
    references
}

fn weighted<'a>(
    route: &'a [WeightedRef],
    at: &FieldPath,
    is_http: bool,
    references: &mut Vec<Reference<'a>>,
) {
    for (index, one) in route.iter().enumerate() {
        references.push(Reference {
            destination: &one.destination,
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
