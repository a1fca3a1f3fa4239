//! VirtualServices with `tls` or `tcp` rules by host.

use std::sync::Arc;

use crate::mesh::virtual_service::VirtualService;
use crate::terms::hash::HashMap;
use crate::terms::host;

use super::scope::EgressListener;

/// VirtualServices by host, so that a service finds its own without a walk over all.
pub(super) struct BoundServices<'a> {
    all: Vec<&'a Arc<VirtualService>>,
    exact: HashMap<&'a str, Vec<usize>>,
    wildcards: Vec<(usize, &'a str)>,
}

impl<'a> BoundServices<'a> {
    pub(super) fn new(egress: &EgressListener<'a>) -> Self {
        let all = egress.virtual_services();
        let mut index = BoundServices {
            all: all
                .filter(|virtual_service| !virtual_service.is_http_only())
                .collect(),
            exact: HashMap::default(),
            wildcards: Vec::new(),
        };
        for (place, service) in index.all.iter().enumerate() {
            for name in &service.hosts {
                if host::is_wildcard(name) {
                    index.wildcards.push((place, name));
                } else {
                    index.exact.entry(name).or_default().push(place);
                }
            }
        }
        index
    }

    /// Those with a host that overlaps `hostname`, in order.
    pub(super) fn of_host(&self, hostname: &str) -> Vec<&'a Arc<VirtualService>> {
        let mut places: Vec<usize> = self
            .wildcards
            .iter()
            .filter(|(_, name)| host::overlaps(name, hostname))
            .map(|(place, _)| *place)
            .collect();
        if host::is_wildcard(hostname) {
            let overlapping = self
                .exact
                .iter()
                .filter(|(name, _)| host::overlaps(name, hostname));
            places.extend(overlapping.flat_map(|(_, own)| own));
        } else {
            places.extend(self.exact.get(hostname).into_iter().flatten());
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| self.all[place]).collect()
    }
}
