//! Names of resources: `namespace/name`, and which texts may be a name or a label at all (R-M-142, R-M-144).

use std::sync::Arc;

/// The name of a namespaced resource; prints `namespace/name`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ResourceName {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

short_debug! { ResourceName {namespace, name} }

impl ResourceName {
    /// The name `namespace/name`.
    pub fn new(namespace: &str, name: &str) -> Self {
        ResourceName {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for ResourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a VirtualService is bound to: all sidecars, or a Gateway. Prints `mesh` or `namespace/name`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GatewayName {
    /// The reserved name `mesh`.
    Mesh,
    /// A Gateway resource.
    Named(ResourceName),
}

short_debug! { enum GatewayName {Mesh, Named(part)} }

impl GatewayName {
    /// How [`Mesh`](Self::Mesh) is written.
    pub const MESH: &'static str = "mesh";
}

impl std::fmt::Display for GatewayName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GatewayName::Mesh => f.write_str(Self::MESH),
            GatewayName::Named(name) => name.fmt(f),
        }
    }
}
