//! The noun between resolve and compile: all valid resources, typed and linked; not yet anyone's view.
//!
//! Names are FQDNs, gateway references are `namespace/name` or `mesh`, delegates are merged, regexes and durations are
//! parsed. Everything is in Istio's config order (creation time, name, namespace; R-H-021) and shared by `Arc`.

use std::sync::Arc;

pub mod config;
pub mod destination_rule;
pub mod destination_rule_index;
pub mod gateway;
pub mod service;
pub mod sidecar;
pub mod virtual_service;
pub mod visibility;

pub use config::MeshConfig;
pub use destination_rule::DestinationRule;
pub use destination_rule_index::{DestinationRuleIndex, EffectiveRule, TcpSettings};
pub use gateway::Gateway;
pub use service::Service;
pub use sidecar::Sidecar;
pub use virtual_service::VirtualService;
pub use visibility::Visibility;

/// All valid resources of a mesh. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mesh {
    pub(crate) inner: Arc<Inner>,
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
}
