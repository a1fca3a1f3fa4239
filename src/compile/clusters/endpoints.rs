//! The endpoint set of a cluster: which endpoints of its service a proxy is told of, in which groups (R-M-124..R-M-128,
//! R-M-132..R-M-135).
//!
//! Istio: `EndpointBuilder.BuildClusterLoadAssignment`, and `FromServiceEndpoints` for what DNS resolves.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mesh::config::MeshConfig;
use crate::mesh::service::{Endpoint, Health};
use crate::router::{ClusterSettings, Discovery, EndpointSet, Group, Member};
use crate::terms::labels::Labels;

use super::locality::{self, Client, LocalityGroup};
use super::settings::Subject;

/// Labels of a service whose sessions stay with their endpoint: it keeps endpoints that end.
const PERSISTENT_SESSION: [&str; 2] = [
    "istio.io/persistent-session",
    "istio.io/persistent-session-header",
];

/// What the endpoints of a cluster depend on.
pub(super) struct Behind<'a> {
    pub pool: &'a Arc<[Endpoint]>,
    pub subject: Subject<'a>,
    pub settings: &'a ClusterSettings,
    /// Of the subset.
    pub labels: Option<&'a Arc<Labels>>,
    pub client: Client<'a>,
    pub config: &'a MeshConfig,
}

impl Behind<'_> {
    /// The set of the cluster.
    pub(super) fn set(&self) -> EndpointSet {
        let mut by_locality: BTreeMap<&str, Vec<(u32, &Endpoint)>> = BTreeMap::new();
        let mut untold = Vec::new();
        for (place, endpoint) in (0..).zip(self.pool.iter()) {
            if !self.has(endpoint) {
                continue;
            }
            if self.is_told(endpoint) {
                let group = by_locality
                    .entry(endpoint.locality.as_deref().unwrap_or_default())
                    .or_default();
                group.push((place, endpoint));
            } else {
                untold.push(Member::new(place, false));
            }
        }
        let groups = by_locality.into_iter();
        let groups = groups.map(|(locality, endpoints)| LocalityGroup::new(locality, endpoints));
        let groups = self.placed(groups.collect());
        let mut members = Vec::new();
        let mut rows = Vec::with_capacity(groups.len());
        for group in groups {
            let own = group.endpoints.iter();
            members
                .extend(own.map(|(place, endpoint)| Member::new(*place, self.is_mutual(endpoint))));
            rows.push(Group {
                locality: group.locality.into(),
                priority: group.priority,
                weight: group.weight,
                end: members.len() as u32,
            });
        }
        members.extend(untold);
        if members.is_empty() && rows.is_empty() {
            return EndpointSet::default();
        }
        EndpointSet {
            pool: Arc::clone(self.pool),
            port_name: self.subject.port.name.clone(),
            groups: rows.into(),
            members: members.into(),
        }
    }

    /// The groups with their weights and priorities.
    fn placed<'e>(&self, groups: Vec<LocalityGroup<'e>>) -> Vec<LocalityGroup<'e>> {
        let balancer = self
            .subject
            .policy
            .and_then(|policy| policy.load_balancer.as_deref());
        match locality::effective(self.config, balancer, self.subject.service) {
            Some(locality) => {
                let detects = self.settings.outlier_detection.is_some();
                let by_label = self.settings.discovery == Discovery::Eds;
                locality.apply(groups, self.client, detects, by_label)
            }
            None => groups,
        }
    }

    /// Whether it serves the port and has the subset's labels (R-M-135).
    fn has(&self, endpoint: &Endpoint) -> bool {
        endpoint.port(&self.subject.port.name).is_some()
            && self
                .labels
                .is_none_or(|labels| labels.selects(&endpoint.labels))
    }

    /// Whether a proxy is told of it (R-M-134).
    fn is_told(&self, endpoint: &Endpoint) -> bool {
        let Some(address) = &endpoint.address else {
            return false;
        };
        let is_reachable = match self.settings.discovery {
            Discovery::Eds | Discovery::Static => {
                address.ip().is_some() || endpoint.port(&self.subject.port.name) == Some(0)
            }
            Discovery::StrictDns | Discovery::LogicalDns => true,
            _ => false,
        };
        let service = self.subject.service;
        is_reachable
            && match endpoint.health {
                Health::Unhealthy => self.settings.panic_threshold == 0,
                Health::Draining => PERSISTENT_SESSION
                    .iter()
                    .any(|label| service.labels.get(label).is_some_and(|one| !one.is_empty())),
                _ => true,
            }
    }

    fn is_mutual(&self, _endpoint: &Endpoint) -> bool {
        false
    }
}
