//! VirtualServices by gateway and by who may see them (R-H-022, R-H-023, R-M-039).

use std::sync::Arc;

use crate::terms::hash::HashMap;

use super::virtual_service::VirtualService;
use super::visibility::Visibility;

/// The gateway name that stands for all sidecars.
pub(crate) const MESH_GATEWAY: &str = "mesh";

/// The VirtualServices of a mesh by the gateways that they name; each bucket keeps config order.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualServiceIndex {
    by_gateway: HashMap<Arc<str>, Buckets>,
}

/// VirtualServices of one gateway.
#[derive(Clone, Debug, Default)]
struct Buckets {
    public: Vec<Arc<VirtualService>>,
    by_namespace: HashMap<Box<str>, Own>,
}

/// What only one namespace sees.
#[derive(Clone, Debug, Default)]
struct Own {
    private: Vec<Arc<VirtualService>>,
    exported: Vec<Arc<VirtualService>>,
}

impl VirtualServiceIndex {
    /// Sorts `virtual_services`, which are in config order, into their buckets. O(n).
    pub fn new(virtual_services: &[Arc<VirtualService>]) -> Self {
        let mut index = VirtualServiceIndex::default();
        for virtual_service in virtual_services {
            for (at, gateway) in virtual_service.gateways.iter().enumerate() {
                if !virtual_service.gateways[..at].contains(gateway) {
                    index.place(gateway, virtual_service);
                }
            }
        }
        index
    }

    /// What a proxy of `namespace` sees of `gateway` (`mesh` or `namespace/name`): private, exported to it, public.
    pub fn bound_to(
        &self,
        gateway: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &Arc<VirtualService>> {
        let buckets = self.by_gateway.get(gateway);
        let own = buckets.and_then(|buckets| buckets.by_namespace.get(namespace));
        let private = own.map_or(&[][..], |own| &own.private);
        let exported = own.map_or(&[][..], |own| &own.exported);
        let public = buckets.map_or(&[][..], |buckets| &buckets.public);
        private.iter().chain(exported).chain(public)
    }

    fn place(&mut self, gateway: &Arc<str>, virtual_service: &Arc<VirtualService>) {
        let namespaces = match &virtual_service.visibility {
            Visibility::None => return,
            Visibility::Public => None,
            Visibility::Namespaces(namespaces) => Some(namespaces),
        };
        let buckets = self.by_gateway.entry(Arc::clone(gateway)).or_default();
        let Some(namespaces) = namespaces else {
            buckets.public.push(Arc::clone(virtual_service));
            return;
        };
        for (at, namespace) in namespaces.iter().enumerate() {
            if namespaces[..at].contains(namespace) {
                continue;
            }
            let own = buckets.by_namespace.entry(namespace.clone()).or_default();
            if **namespace == *virtual_service.resource.namespace {
                own.private.push(Arc::clone(virtual_service));
            } else {
                own.exported.push(Arc::clone(virtual_service));
            }
        }
    }
}
