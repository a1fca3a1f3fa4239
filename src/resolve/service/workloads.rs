//! The workloads that selectors choose from: Deployments (by the labels of their pods), Pods and WorkloadEntries.
//!
//! They stand in one list per namespace, and beside it by each label pair, so that a selector looks only at those that have
//! its rarest pair.

use std::cell::RefCell;
use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::service::{Endpoint, EndpointPort, Health};
use crate::resolve::Sink;
use crate::resource;
use crate::terms::address::Address;
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

/// What kind of resource a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkloadKind {
    Deployment,
    Pod,
    WorkloadEntry,
}

/// Something that can stand behind a service.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub kind: WorkloadKind,
    pub resource: ResourceName,
    /// None for a Deployment.
    pub address: Option<Address>,
    pub labels: Arc<Labels>,
    /// Of its containers, or of the WorkloadEntry.
    pub named_ports: Vec<NamedPort>,
    pub weight: u32,
    pub locality: Option<Arc<str>>,
    pub network: Option<Arc<str>>,
    pub health: Health,
}

/// A port by name.
#[derive(Clone, Debug)]
pub(super) struct NamedPort {
    pub name: Box<str>,
    pub number: u16,
    pub udp: bool,
}

impl Workload {
    /// As an endpoint that serves `ports`.
    pub(super) fn endpoint(&self, ports: Arc<[EndpointPort]>, health: Health) -> Endpoint {
        Endpoint {
            workload: Some(self.resource.clone()),
            address: self.address.clone(),
            labels: Arc::clone(&self.labels),
            ports,
            weight: self.weight,
            locality: self.locality.clone(),
            network: self.network.clone(),
            health,
        }
    }

    /// Whether its address is one that needs no resolving.
    pub(super) fn has_ip(&self) -> bool {
        self.address
            .as_ref()
            .is_some_and(|address| address.ip().is_some())
    }

    /// The number of the port called `name`.
    pub(super) fn named_port(&self, name: &str, udp: bool) -> Option<u16> {
        self.named_ports
            .iter()
            .find(|port| *port.name == *name && port.udp == udp)
            .map(|port| port.number)
    }
}

/// Namespace, label key and label value.
type Pair = (Arc<str>, Box<str>, Box<str>);

/// All workloads, by namespace and label.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    all: Vec<Workload>,
    by_namespace: HashMap<Arc<str>, Vec<u32>>,
    by_pair: HashMap<Pair, Vec<u32>>,
    pods: HashMap<ResourceName, u32>,
    /// What was selected already: services that select the same, for the same ports, share their endpoints.
    shared: RefCell<HashMap<Selection, Arc<[Endpoint]>>>,
}

/// All that the endpoints of a service depend on that has but those that it selects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Selection {
    pub namespace: Arc<str>,
    pub selector: Arc<Labels>,
    pub ports: Box<[SelectedPort]>,
    pub by: SelectedBy,
}

/// A port for which something is selected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SelectedPort {
    pub name: Box<str>,
    pub target: Option<u16>,
    pub target_name: Option<Box<str>>,
    pub is_udp: bool,
}

/// What selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SelectedBy {
    /// A Kubernetes Service, which may publish what is not ready.
    Service { publishes_not_ready: bool },
    /// A ServiceEntry, which with DNS takes workloads that have a name instead of an address.
    ServiceEntry { takes_names: bool },
}

impl Workloads {
    /// Adds a workload.
    pub(super) fn push(&mut self, workload: Workload) {
        let at = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let namespace = &workload.resource.namespace;
        for (key, value) in workload.labels.iter() {
            let pair = (Arc::clone(namespace), key.into(), value.into());
            self.by_pair.entry(pair).or_default().push(at);
        }
        self.by_namespace
            .entry(Arc::clone(namespace))
            .or_default()
            .push(at);
        if workload.kind == WorkloadKind::Pod {
            self.pods.insert(workload.resource.clone(), at);
        }
        self.all.push(workload);
    }

    /// The endpoints of this selection, made at the first time.
    pub(super) fn shared(
        &self,
        by: Selection,
        make: impl FnOnce() -> Vec<Endpoint>,
    ) -> Arc<[Endpoint]> {
        let known = self.shared.borrow().get(&by).cloned();
        known.unwrap_or_else(|| {
            let made: Arc<[Endpoint]> = make().into();
            self.shared.borrow_mut().insert(by, Arc::clone(&made));
            made
        })
    }

    /// The pod of this name.
    pub(super) fn pod(&self, name: &ResourceName) -> Option<&Workload> {
        self.all.get(*self.pods.get(name)? as usize)
    }

    /// The workloads of `namespace` that `selector` selects, in the order of writing; an empty one selects all (R-M-059).
    /// O(candidates that have the selector's rarest pair).
    pub(super) fn selected<'a>(
        &'a self,
        namespace: &Arc<str>,
        selector: &'a Labels,
    ) -> impl Iterator<Item = &'a Workload> {
        let of_pair = |(key, value): (&str, &str)| {
            self.by_pair
                .get(&(Arc::clone(namespace), key.into(), value.into()))
                .map_or(&[][..], Vec::as_slice)
        };
        let rarest = selector.iter().map(of_pair).min_by_key(|all| all.len());
        let candidates = rarest.unwrap_or_else(|| {
            let all = self.by_namespace.get(namespace);
            all.map_or(&[][..], Vec::as_slice)
        });
        candidates
            .iter()
            .filter_map(|at| self.all.get(*at as usize))
            .filter(|workload| selector.selects(&workload.labels))
    }
}

/// The pods of a Deployment, as one workload without an address (R-M-133).
pub(super) fn deployment(
    document: &resource::Document<resource::Deployment>,
    sink: &mut Sink<'_>,
) -> Workload {
    let template = document.spec.template.as_ref();
    let labels = template.map(|template| &template.metadata.labels);
    let labels: Labels = labels.into_iter().flatten().map(pair).collect();
    let selector = document.spec.selector.as_ref();
    let selector = selector.map(|selector| selector.match_labels.iter().map(pair).collect());
    if selector.is_some_and(|selector: Labels| !selector.selects(&labels)) {
        sink.push(
            &At::ROOT.field("spec").field("selector"),
            Code::WITHOUT_EFFECT,
            "the selector does not select the pods of the template; Kubernetes refuses that",
        );
    }
    Workload {
        kind: WorkloadKind::Deployment,
        resource: document.meta.qualified_name(),
        address: None,
        labels: Arc::new(labels),
        named_ports: template.map_or_else(Vec::new, |template| container_ports(&template.spec)),
        weight: 1,
        locality: None,
        network: None,
        health: Health::ready(document.spec.replicas != Some(0)),
    }
}

/// A pod; `None` if it has ended (R-M-134).
pub(super) fn pod(document: &resource::Document<resource::Pod>) -> Option<Workload> {
    let pod = &document.spec;
    if matches!(pod.status.phase.as_str(), "Succeeded" | "Failed") {
        return None;
    }
    let mut labels: Labels = document.meta.labels.iter().map(pair).collect();
    if !pod.spec.node_name.is_empty() {
        labels.insert("kubernetes.io/hostname", &*pod.spec.node_name);
    }
    Some(Workload {
        kind: WorkloadKind::Pod,
        resource: document.meta.qualified_name(),
        address: Address::parse(&pod.status.pod_ip),
        labels: Arc::new(labels),
        named_ports: container_ports(&pod.spec),
        weight: 1,
        locality: None,
        network: None,
        health: Health::ready(pod.status.phase != "Pending"),
    })
}

fn container_ports(spec: &resource::PodSpec) -> Vec<NamedPort> {
    let ports = spec
        .containers
        .iter()
        .flat_map(|container| &container.ports);
    ports
        .filter_map(|port| {
            Some(NamedPort {
                name: port.name.as_str().into(),
                number: u16::try_from(port.container_port).ok()?,
                udp: port.protocol == "UDP",
            })
        })
        .collect()
}

pub(in crate::resolve) fn pair((key, value): (&String, &String)) -> (Box<str>, Box<str>) {
    (key.as_str().into(), value.as_str().into())
}
