//! VirtualServices by gateway and by who may see them (R-H-022, R-H-023, R-M-039).

use std::sync::Arc;

use smallvec::SmallVec;

use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;

use super::virtual_service::VirtualService;
use super::visibility::Visibility;

/// The VirtualServices of a mesh by the gateways that they name; each bucket keeps config order.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualServiceIndex {
    by_gateway: HashMap<GatewayName, Buckets>,
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
    /// Of the private and of the public ones, those that come before the rest of them.
    private_first: Vec<Arc<VirtualService>>,
    public_first: Vec<Arc<VirtualService>>,
    private: Vec<Arc<VirtualService>>,
    exported: Vec<Arc<VirtualService>>,
}

impl VirtualServiceIndex {
    /// Sorts `virtual_services`, which are in config order, into their buckets. O(n).
    pub(crate) fn new(virtual_services: &[Arc<VirtualService>]) -> Self {
        let mut index = VirtualServiceIndex::default();
        for virtual_service in virtual_services {
            index.for_each_list(virtual_service, |list| {
                list.push(Arc::clone(virtual_service));
            });
        }
        index
    }

    /// Adds one, where config order puts it.
    pub(crate) fn insert(&mut self, virtual_service: &Arc<VirtualService>) {
        self.for_each_list(virtual_service, |list| put_in(list, virtual_service));
    }

    /// Removes the one of this name and age.
    pub(crate) fn remove(&mut self, virtual_service: &VirtualService) {
        self.for_each_list(virtual_service, |list| take_out(list, virtual_service));
    }

    /// What a proxy of `namespace` sees of `gateway`: private, exported to it, public.
    pub(crate) fn bound_to<'i>(
        &'i self,
        gateway: &GatewayName,
        namespace: &str,
    ) -> impl Iterator<Item = &'i Arc<VirtualService>> + use<'i> {
        let buckets = self.by_gateway.get(gateway);
        let own = buckets.and_then(|buckets| buckets.by_namespace.get(namespace));
        let list = |of: fn(&Own) -> &Vec<Arc<VirtualService>>| own.map_or(&[][..], |own| of(own));
        let private = list(|own| &own.private_first).iter();
        let private = private.chain(list(|own| &own.private));
        let first = list(|own| &own.public_first);
        let public = buckets.map_or(&[][..], |buckets| &buckets.public);
        let own = first
            .first()
            .map(|virtual_service| &*virtual_service.resource().namespace);
        let rest = public.iter().filter(move |virtual_service| {
            own.is_none_or(|own| !virtual_service.is_first_for(own))
        });
        let exported = list(|own| &own.exported);
        private.chain(exported).chain(first).chain(rest)
    }

    /// Calls `act` with each list that the VirtualService belongs to.
    fn for_each_list(
        &mut self,
        virtual_service: &VirtualService,
        mut act: impl FnMut(&mut Vec<Arc<VirtualService>>),
    ) {
        let namespaces = match &virtual_service.visibility {
            Visibility::None => return,
            Visibility::Public => None,
            Visibility::Namespaces(namespaces) => Some(namespaces),
        };
        let mut gateways: SmallVec<[&GatewayName; 2]> = virtual_service.gateways.iter().collect();
        gateways.sort_unstable();
        gateways.dedup();
        for gateway in gateways {
            let buckets = self.by_gateway.entry(gateway.clone()).or_default();
            let own = &*virtual_service.resource().namespace;
            let is_first = virtual_service.is_first_for(own);
            let Some(namespaces) = namespaces else {
                act(&mut buckets.public);
                if is_first {
                    let own = buckets.by_namespace.entry(own.into()).or_default();
                    act(&mut own.public_first);
                }
                continue;
            };
            for namespace in namespaces.iter() {
                let own = buckets.by_namespace.entry(namespace.into()).or_default();
                if *namespace == *virtual_service.resource().namespace {
                    act(match is_first {
                        true => &mut own.private_first,
                        false => &mut own.private,
                    });
                } else {
                    act(&mut own.exported);
                }
            }
        }
    }
}

/// Adds one to a list in config order.
pub(super) fn put_in(list: &mut Vec<Arc<VirtualService>>, virtual_service: &Arc<VirtualService>) {
    let place = list.partition_point(|other| other.config_key() < virtual_service.config_key());
    list.insert(place, Arc::clone(virtual_service));
}

/// Removes the one with this name and age from a list in config order.
pub(super) fn take_out(list: &mut Vec<Arc<VirtualService>>, virtual_service: &VirtualService) {
    if let Ok(place) =
        list.binary_search_by(|other| other.config_key().cmp(&virtual_service.config_key()))
    {
        list.remove(place);
    }
}
