//! TCP filters: the weighted clusters of a `tcp` or `tls` route and what DestinationRules say to connections
//! (R-M-115, R-M-120, R-M-140).

use std::cell::RefCell;
use std::sync::Arc;

use crate::mesh::service::Service;
use crate::mesh::virtual_service::WeightedRef;
use crate::router::{ClusterId, Split, TcpProxy, WeightedCluster};
use crate::terms::origin::Origin;

use super::clusters::Clusters;
use super::gateway_tcp::TcpFilters;
use super::sidecar_tcp::ServiceFilters;

/// Makes the TCP filters of one proxy; it sees services whole, whatever the listener (R-M-138).
pub(super) struct FilterMaker<'a> {
    clusters: &'a RefCell<Clusters<'a>>,
}

impl<'a> FilterMaker<'a> {
    pub(super) fn new(clusters: &'a RefCell<Clusters<'a>>) -> Self {
        FilterMaker { clusters }
    }

    fn proxy_to(&self, split: Split, host: &Arc<str>, subset: Option<&str>) -> TcpProxy {
        let settings = self
            .clusters
            .borrow_mut()
            .rule(host)
            .map(|rule| rule.tcp_settings(subset))
            .unwrap_or_default();
        TcpProxy {
            split,
            origin: None,
            idle_timeout: settings.idle_timeout,
            max_connection_duration: settings.max_connection_duration,
            hash_source_ip: settings.hash_source_ip,
            tunnel: settings.tunnel,
        }
    }
}

impl TcpFilters for FilterMaker<'_> {
    fn filter(&self, route: &[WeightedRef], port: u16, origin: Origin) -> TcpProxy {
        let weighted = route.len() > 1;
        let mut clusters = self.clusters.borrow_mut();
        let split = route
            .iter()
            .filter(|entry| !weighted || entry.weight > 0)
            .map(|entry| {
                let destination = &entry.destination;
                let service = clusters.service(&destination.host);
                WeightedCluster {
                    cluster: clusters.destination(destination, service.as_ref(), port),
                    weight: if weighted { entry.weight } else { 1 },
                    headers: None,
                }
            });
        let split = Split::new(split, weighted);
        let split = split.unwrap_or_else(|| Split::single(clusters.unknown_service()));
        drop(clusters);
        // Several destinations listen to the top level of the first one's DestinationRule.
        let (host, subset) = match route {
            [only] => (&only.destination.host, only.destination.subset.as_deref()),
            [first, ..] => (&first.destination.host, None),
            [] => (&Arc::default(), None),
        };
        TcpProxy {
            origin: Some(origin),
            ..self.proxy_to(split, host, subset)
        }
    }
}

impl ServiceFilters for FilterMaker<'_> {
    fn service_filter(&self, service: &Service, port: u16) -> TcpProxy {
        let cluster = self
            .clusters
            .borrow_mut()
            .cluster(&service.hostname, port, None);
        self.proxy_to(Split::single(cluster), &service.hostname, None)
    }
}

impl TcpProxy {
    /// Forwards everything to `cluster`.
    pub(super) fn to(cluster: ClusterId) -> Self {
        TcpProxy {
            split: Split::single(cluster),
            origin: None,
            idle_timeout: None,
            max_connection_duration: None,
            hash_source_ip: false,
            tunnel: None,
        }
    }
}
