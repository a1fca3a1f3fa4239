//! How a mesh differs from the one before it: what compile needs to know to make anew only what that touches.

use std::sync::Arc;

use super::service::Service;
use super::virtual_service::VirtualService;

/// A resource as it was and as it is; either may be missing.
pub(crate) type Change<T> = (Option<Arc<T>>, Option<Arc<T>>);

/// The differences of two meshes.
#[derive(Clone, Debug, Default)]
pub(crate) struct MeshChange {
    pub virtual_services: Vec<Change<VirtualService>>,
    pub services: Vec<Change<Service>>,
    /// Hosts, also wildcards, of DestinationRules that changed, came or went.
    pub destination_rules: Vec<Arc<str>>,
    /// More is another: settings, Gateways or Sidecars, or nothing was registered and now something is.
    pub whole: bool,
}

impl MeshChange {
    /// Everything.
    pub(crate) fn whole() -> Self {
        MeshChange {
            whole: true,
            ..MeshChange::default()
        }
    }
}
