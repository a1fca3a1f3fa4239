//! The endpoint set of a cluster: which endpoints of its service a proxy is told of, in which groups (R-M-124..R-M-128,
//! R-M-132..R-M-135).
//!
//! Istio: `EndpointBuilder.BuildClusterLoadAssignment`, and `FromServiceEndpoints` for what DNS resolves.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::mesh::config::MeshConfig;
use crate::mesh::service::{Endpoint, Health, Service, ServicePort, TrafficDistribution};
use crate::router::{ClusterSettings, Discovery, EndpointSet, Group, Member};
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

use crate::compile::scope::Scope;

use super::locality::{self, Client, LocalityGroup};
use super::settings::ClusterInputs;
use super::tls::TlsInputs;

/// Labels of a service whose sessions stay with their endpoint: it keeps endpoints that end.
const PERSISTENT_SESSION: [&str; 2] = [
    "istio.io/persistent-session",
    "istio.io/persistent-session-header",
];

/// The endpoints of all services with one host name and namespace: Istio keeps them together.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub endpoints: Arc<[Endpoint]>,
    /// Where they are of several services: each with the end of its own.
    services: Vec<(u32, Arc<Service>)>,
    /// How many subsets have been found by a walk over all.
    walks: Cell<u32>,
    by_label: OnceCell<ByLabel>,
}

/// Places of endpoints by label.
type ByLabel = HashMap<(Box<str>, Box<str>), Vec<u32>>;

/// So many subsets are found by a walk over all endpoints before these are put in lists by label.
const WALKS: u32 = 8;

impl Pool {
    /// Of `service` and those that have its name.
    pub(super) fn of(scope: &Scope<'_>, service: &Arc<Service>) -> Self {
        let mut services: SmallVec<[&Arc<Service>; 2]> = SmallVec::new();
        for twin in scope.mesh().service_index.twins(service) {
            let is_same =
                |service: &&Arc<Service>| Arc::ptr_eq(&service.endpoints, &twin.endpoints);
            let is_known = services.iter().any(is_same);
            if !is_known && !twin.endpoints.is_empty() && twin.registry == service.registry {
                services.push(twin);
            }
        }
        match services.as_slice() {
            [] => Pool::default(),
            [only] => Pool {
                endpoints: Arc::clone(&only.endpoints),
                ..Pool::default()
            },
            several => {
                let all = several.iter().flat_map(|service| service.endpoints.iter());
                let mut end = 0;
                let services = several.iter().map(|service| {
                    end += service.endpoints.len() as u32;
                    (end, Arc::clone(service))
                });
                Pool {
                    services: services.collect(),
                    endpoints: all.cloned().collect(),
                    ..Pool::default()
                }
            }
        }
    }

    /// The places of those that may have the labels of a subset (`None`: of all), in order.
    fn candidates(&self, labels: Option<&Labels>) -> impl Iterator<Item = u32> {
        let some = labels.and_then(|labels| self.with_rarest(labels));
        let all = match some {
            None => 0..self.endpoints.len() as u32,
            Some(_) => 0..0,
        };
        all.chain(some.into_iter().flatten().copied())
    }

    /// The places of those with the rarest of these labels; `None`: not worth looking up.
    fn with_rarest(&self, labels: &Labels) -> Option<&[u32]> {
        self.walks.set(self.walks.get().saturating_add(1));
        if self.walks.get() <= WALKS {
            return None;
        }
        let by_label = self.by_label.get_or_init(|| {
            let mut by_label = ByLabel::default();
            for (place, endpoint) in (0..).zip(self.endpoints.iter()) {
                for (key, value) in endpoint.labels.iter() {
                    let list = by_label.entry((key.into(), value.into())).or_default();
                    list.push(place);
                }
            }
            by_label
        });
        let lists = labels.iter().map(|(key, value)| {
            let list = by_label.get(&(key.into(), value.into()));
            list.map_or(&[][..], Vec::as_slice)
        });
        lists.min_by_key(|list| list.len())
    }

    /// Whether the service that an endpoint is of has this very port.
    fn has_port(&self, place: u32, port: &ServicePort) -> bool {
        let service = self.services.iter().find(|(end, _)| place < *end);
        service.is_none_or(|(_, service)| {
            let mut ports = service.ports.numbered(port.number);
            ports.any(|own| own.name == port.name)
        })
    }
}

/// The sets that were made for services without a DestinationRule: those that select the same endpoints for a port of one name
/// share their set.
#[derive(Debug, Default)]
pub(super) struct SharedSets(HashMap<SetInputs, Arc<EndpointSet>>);

/// All that such a set depends on that differs from cluster to cluster of a proxy.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SetInputs {
    /// The endpoints, by where they stand: a mesh does not change.
    endpoints: *const Endpoint,
    port_name: Box<str>,
    /// Where the policies for peers of endpoints without a workload stand.
    namespace: Box<str>,
    traffic_distribution: Option<TrafficDistribution>,
    keeps_draining: bool,
    discovery: Discovery,
    is_panicking: bool,
    detects_outliers: bool,
}

impl SharedSets {
    /// The set of a cluster.
    pub(super) fn of(&mut self, behind: &Behind<'_>) -> Arc<EndpointSet> {
        match behind.set_inputs() {
            Some(inputs) => {
                let set = self.0.entry(inputs);
                Arc::clone(set.or_insert_with(|| Arc::new(behind.set())))
            }
            None => Arc::new(behind.set()),
        }
    }
}

/// What the endpoints of a cluster depend on.
pub(super) struct Behind<'a> {
    pub pool: &'a Pool,
    pub inputs: ClusterInputs<'a>,
    pub settings: &'a ClusterSettings,
    pub tls: &'a TlsInputs<'a>,
    /// Of the subset.
    pub labels: Option<&'a Arc<Labels>>,
    pub client: Client<'a>,
    pub config: &'a MeshConfig,
}

impl Behind<'_> {
    /// `None`: the set is like no other.
    fn set_inputs(&self) -> Option<SetInputs> {
        let service = self.inputs.service;
        let has_no_rule = self.tls.rule.is_none() && self.labels.is_none();
        let of_one_service = self.pool.services.is_empty() && self.pool.endpoints.len() > 1;
        (has_no_rule && of_one_service).then(|| SetInputs {
            endpoints: self.pool.endpoints.as_ptr(),
            port_name: self.inputs.port.name.clone(),
            namespace: service.namespace().into(),
            traffic_distribution: service.traffic_distribution,
            keeps_draining: keeps_draining(service),
            discovery: self.settings.discovery,
            is_panicking: self.settings.panic_threshold == 0,
            detects_outliers: self.settings.outlier_detection.is_some(),
        })
    }

    /// The set of the cluster.
    fn set(&self) -> EndpointSet {
        let mut by_locality: BTreeMap<&str, Vec<(u32, &Endpoint)>> = BTreeMap::new();
        let mut untold = Vec::new();
        for place in self.pool.candidates(self.labels.map(|labels| &**labels)) {
            let endpoint = &self.pool.endpoints[place as usize];
            if !self.has(place, endpoint) {
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
            members.extend(
                own.map(|(place, endpoint)| Member::new(*place, self.tls.is_mutual(endpoint))),
            );
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
            pool: Arc::clone(&self.pool.endpoints),
            port_name: self.inputs.port.name.clone(),
            groups: rows.into(),
            members: members.into(),
        }
    }

    /// The groups with their weights and priorities.
    fn placed<'e>(&self, groups: Vec<LocalityGroup<'e>>) -> Vec<LocalityGroup<'e>> {
        let balancer = self
            .inputs
            .policy
            .and_then(|policy| policy.load_balancer.as_deref());
        match locality::effective(self.config, balancer, self.inputs.service) {
            Some(locality) => {
                let detects = self.settings.outlier_detection.is_some();
                let by_label = self.settings.discovery == Discovery::Eds;
                locality.apply(groups, self.client, detects, by_label)
            }
            None => groups,
        }
    }

    /// Whether it serves the port and has the subset's labels; with DNS only of a service that has the port's number, too
    /// (R-M-135).
    fn has(&self, place: u32, endpoint: &Endpoint) -> bool {
        let by_number = matches!(
            self.settings.discovery,
            Discovery::StrictDns | Discovery::LogicalDns
        );
        let port = self.inputs.port;
        endpoint.port(&port.name).is_some()
            && (!by_number || self.pool.has_port(place, port))
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
                address.ip().is_some() || endpoint.port(&self.inputs.port.name) == Some(0)
            }
            Discovery::StrictDns | Discovery::LogicalDns => true,
            _ => false,
        };
        let service = self.inputs.service;
        is_reachable
            && match endpoint.health {
                Health::Unhealthy => self.settings.panic_threshold == 0,
                Health::Draining => keeps_draining(service),
                Health::Terminating => false,
                _ => true,
            }
    }
}

fn keeps_draining(service: &Service) -> bool {
    let mut labels = PERSISTENT_SESSION.iter();
    labels.any(|label| service.labels.get(label).is_some_and(|one| !one.is_empty()))
}
