//! The noun between resolve and compile: all valid resources, typed and linked; not yet anyone's view.
//!
//! Names are FQDNs, gateway references are `namespace/name` or `mesh`, delegates are merged, regexes and durations are
//! parsed. Everything is in Istio's config order (creation time, name, namespace; R-H-021) and shared by `Arc`.

use std::sync::Arc;

pub mod config;
pub mod destination_rule;
pub mod destination_rule_index;
pub mod gateway;
pub(crate) mod gateway_merge;
pub mod service;
pub(crate) mod service_index;
pub mod sidecar;
pub(crate) mod sidecar_index;
pub mod virtual_service;
pub(crate) mod virtual_service_index;
pub mod visibility;

pub use config::MeshConfig;
pub use destination_rule::DestinationRule;
pub use destination_rule_index::{DestinationRuleIndex, EffectiveRule, TcpSettings};
pub use gateway::Gateway;
pub use service::Service;
pub use sidecar::Sidecar;
pub use virtual_service::VirtualService;
pub use visibility::Visibility;

use service_index::ServiceIndex;
use sidecar_index::SidecarIndex;
use virtual_service_index::VirtualServiceIndex;

/// All valid resources of a mesh. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mesh {
    pub(crate) inner: Arc<Inner>,
}

impl Mesh {
    /// The settings of the whole mesh: what a policy leaves open (`connectTimeout`, keep-alive, locality) is here.
    pub fn config(&self) -> &MeshConfig {
        &self.inner.config
    }
}

/// What a [`Mesh`] holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inner {
    pub config: Arc<MeshConfig>,
    /// Kubernetes services and those that ServiceEntries make, in the order in which Istio sorts them.
    pub services: Vec<Arc<Service>>,
    /// Roots only, delegates merged in, in config order.
    pub virtual_services: Vec<Arc<VirtualService>>,
    /// Those with a workload selector first, then config order (R-M-075).
    pub destination_rules: Vec<Arc<DestinationRule>>,
    /// The same rules, merged, by host and by who may see them.
    pub destination_rule_index: DestinationRuleIndex,
    /// In config order.
    pub gateways: Vec<Arc<Gateway>>,
    /// In config order.
    pub sidecars: Vec<Arc<Sidecar>>,
    /// Of `services`; made by [`Inner::link`].
    pub service_index: ServiceIndex,
    /// Of `virtual_services`; made by [`Inner::link`].
    pub virtual_service_index: VirtualServiceIndex,
    /// Of `sidecars`; made by [`Inner::link`].
    pub sidecar_index: SidecarIndex,
}

impl Inner {
    /// Finishes a mesh whose lists are complete and in order: makes the indexes that every view starts from. O(n).
    pub(crate) fn link(mut self) -> Mesh {
        self.service_index = ServiceIndex::new(&self.services);
        self.virtual_service_index = VirtualServiceIndex::new(&self.virtual_services);
        self.sidecar_index = SidecarIndex::new(&self.sidecars, &self.config.root_namespace);
        Mesh {
            inner: Arc::new(self),
        }
    }
}
