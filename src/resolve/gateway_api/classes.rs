//! Whose a Gateway is (R-G-004..R-G-006).

use std::collections::HashMap;

use crate::resource::Document;
use crate::resource::gateway_api as raw;

/// What istiod does for a Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Listeners of a workload that istiod makes, or of one that is there.
    Gateway,
    /// Of another cluster: nothing.
    Remote,
    /// A waypoint: its listeners are no servers.
    Waypoint,
}

/// The classes by name.
pub(super) struct Classes<'a> {
    written: HashMap<&'a str, &'a str>,
}

impl<'a> Classes<'a> {
    pub(super) fn new(documents: &[&'a Document<raw::GatewayClass>]) -> Self {
        let pairs = documents
            .iter()
            .map(|document| (&*document.meta.name, &*document.spec.controller_name));
        Classes {
            written: pairs.collect(),
        }
    }

    /// The class of this name; `None`: another controller's, or unknown.
    pub(super) fn of(&self, name: &str) -> Option<Class> {
        let controller = match (self.written.get(name), name) {
            (Some(&written), _) => written,
            (None, "istio") => "istio.io/gateway-controller",
            (None, "istio-remote") => "istio.io/unmanaged-gateway",
            (None, "istio-waypoint") => "istio.io/mesh-controller",
            (None, _) => return None,
        };
        match controller {
            "istio.io/gateway-controller" => Some(Class::Gateway),
            "istio.io/unmanaged-gateway" => Some(Class::Remote),
            "istio.io/mesh-controller" => Some(Class::Waypoint),
            _ => None,
        }
    }
}
