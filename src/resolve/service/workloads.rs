//! The workloads that selectors choose from: Deployments (by the labels of their pods), Pods and WorkloadEntries.
//!
//! They stand in one list per namespace, and beside it by each label pair, so that a selector looks only at those that have
//! its rarest pair.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::service::{Endpoint, EndpointFacts, EndpointPort, Health};
use crate::resolve::{Context, Sink};
use crate::resource;
use crate::terms::address::Address;
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

/// What a workload takes: `istio` is mutual TLS.
const TLS_MODE: &str = "security.istio.io/tlsMode";
/// What a workload that ends may say.
const DRAINING: &str = "istio.io/draining";
/// A pod says by it where it is, whatever its node says.
const LOCALITY: &str = "istio-locality";
/// Of region, zone and subzone.
pub(super) const PLACE_LABELS: [&str; 3] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
];
/// The same of a node, each with its old name.
const NODE_LABELS: [[&str; 2]; 3] = [
    [
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/region",
    ],
    [
        "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/zone",
    ],
    ["topology.istio.io/subzone", "topology.istio.io/subzone"],
];

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
    /// What selectors see.
    pub labels: Arc<Labels>,
    /// The same with those that follow from where it runs.
    pub endpoint_labels: Arc<Labels>,
    /// Of its containers, or of the WorkloadEntry.
    pub named_ports: Vec<NamedPort>,
    pub weight: u32,
    pub locality: Option<Arc<str>>,
    pub network: Option<Arc<str>>,
    pub health: Health,
    pub has_sidecar: bool,
    pub service_account: Option<Arc<str>>,
    /// As an endpoint, made when it is first one.
    pub facts: OnceCell<Arc<EndpointFacts>>,
}

/// A port by name.
#[derive(Clone, Debug)]
pub(super) struct NamedPort {
    pub name: Box<str>,
    pub number: u16,
    pub udp: bool,
}

impl Workload {
    /// As an endpoint that serves `ports`: what is said of it stands once for all services, but for one that says otherwise of its
    /// health.
    pub(super) fn endpoint(&self, ports: Arc<[EndpointPort]>, health: Health) -> Endpoint {
        let facts = self.facts.get_or_init(|| Arc::new(self.facts(self.health)));
        Endpoint {
            facts: match health == self.health || facts.health == Health::Draining {
                true => Arc::clone(facts),
                false => Arc::new(self.facts(health)),
            },
            ports,
        }
    }

    fn facts(&self, health: Health) -> EndpointFacts {
        EndpointFacts {
            workload: Some(self.resource.clone()),
            address: self.address.clone(),
            labels: Arc::clone(&self.endpoint_labels),
            weight: self.weight,
            locality: self.locality.clone(),
            network: self.network.clone(),
            health: match is_draining(&self.labels) {
                true => Health::Draining,
                false => health,
            },
            has_sidecar: self.has_sidecar,
            service_account: self.service_account.clone(),
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

/// Namespace and selector.
type Selecting = (Arc<str>, Arc<Labels>);

/// All workloads, by namespace and label.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    all: Vec<Workload>,
    by_namespace: HashMap<Arc<str>, Vec<u32>>,
    by_pair: HashMap<Pair, Vec<u32>>,
    pods: HashMap<ResourceName, u32>,
    /// What was selected already: services that select the same, for the same ports, share their endpoints.
    shared: RefCell<HashMap<Selection, Arc<[Endpoint]>>>,
    /// Whom each selector selects in each namespace.
    selected: RefCell<HashMap<Selecting, Arc<[u32]>>>,
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
    ///
    /// # Errors
    /// How many endpoints all services may have together, where these are too many: see [`Context::count_endpoints`].
    pub(super) fn shared(
        &self,
        by: Selection,
        cx: &Context<'_>,
        make: impl FnOnce(&[u32]) -> Vec<Endpoint>,
    ) -> Result<Arc<[Endpoint]>, usize> {
        if let Some(known) = self.shared.borrow().get(&by) {
            return Ok(Arc::clone(known));
        }
        let selected = self.places(&by.namespace, &by.selector);
        cx.count_endpoints(selected.len())?;
        let made: Arc<[Endpoint]> = make(&selected).into();
        self.shared.borrow_mut().insert(by, Arc::clone(&made));
        Ok(made)
    }

    /// The workload at a place.
    pub(super) fn at(&self, place: u32) -> Option<&Workload> {
        self.all.get(place as usize)
    }

    /// The places of those that [`selected`](Self::selected) finds, found once.
    pub(super) fn places(&self, namespace: &Arc<str>, selector: &Arc<Labels>) -> Arc<[u32]> {
        let key = (Arc::clone(namespace), Arc::clone(selector));
        if let Some(known) = self.selected.borrow().get(&key) {
            return Arc::clone(known);
        }
        let places = self.candidates(namespace, selector).iter().copied();
        let is_selected = |one: &Workload| selector.selects(&one.labels);
        let places: Arc<[u32]> = places
            .filter(|place| self.at(*place).is_some_and(is_selected))
            .collect();
        self.selected.borrow_mut().insert(key, Arc::clone(&places));
        places
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
        let candidates = self.candidates(namespace, selector).iter();
        candidates
            .filter_map(|place| self.at(*place))
            .filter(|workload| selector.selects(&workload.labels))
    }

    fn candidates(&self, namespace: &Arc<str>, selector: &Labels) -> &[u32] {
        let of_pair = |(key, value): (&str, &str)| {
            self.by_pair
                .get(&(Arc::clone(namespace), key.into(), value.into()))
                .map_or(&[][..], Vec::as_slice)
        };
        let rarest = selector.iter().map(of_pair).min_by_key(|all| all.len());
        rarest.unwrap_or_else(|| {
            let all = self.by_namespace.get(namespace);
            all.map_or(&[][..], Vec::as_slice)
        })
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
    let labels = Arc::new(labels);
    let spec = template.map(|template| &template.spec);
    Workload {
        kind: WorkloadKind::Deployment,
        resource: document.meta.qualified_name(),
        address: None,
        endpoint_labels: Arc::clone(&labels),
        has_sidecar: tls_mode(&labels).is_some_and(takes_mutual_tls),
        labels,
        named_ports: spec.map_or_else(Vec::new, container_ports),
        weight: 1,
        locality: None,
        network: None,
        health: Health::ready(document.spec.replicas != Some(0)),
        service_account: spec.map(service_account),
        facts: OnceCell::new(),
    }
}

/// A pod; `None` if it has ended (R-M-134).
pub(super) fn pod(document: &resource::Document<resource::Pod>, nodes: &Nodes) -> Option<Workload> {
    let pod = &document.spec;
    if has_ended(pod) {
        return None;
    }
    let labels = Arc::new(pod_labels(document));
    let locality = match labels.get(LOCALITY) {
        Some(written) if !written.is_empty() => Some(written.replace('.', "/").into()),
        _ => nodes.locality(&pod.spec.node_name),
    };
    Some(Workload {
        kind: WorkloadKind::Pod,
        resource: document.meta.qualified_name(),
        address: Address::parse(&pod.status.pod_ip),
        endpoint_labels: with_place(&labels, locality.as_deref()),
        has_sidecar: tls_mode(&labels).is_some_and(takes_mutual_tls),
        labels,
        named_ports: container_ports(&pod.spec),
        weight: 1,
        locality,
        network: None,
        health: Health::ready(pod.status.phase != "Pending"),
        service_account: Some(service_account(&pod.spec)),
        facts: OnceCell::new(),
    })
}

/// The labels that selectors see of a pod.
pub(super) fn pod_labels(document: &resource::Document<resource::Pod>) -> Labels {
    let mut labels: Labels = document.meta.labels.iter().map(pair).collect();
    let node = &*document.spec.spec.node_name;
    if !node.is_empty() {
        labels.insert("kubernetes.io/hostname", node);
    }
    labels
}

pub(super) fn has_ended(pod: &resource::Pod) -> bool {
    matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
}

/// The label that says whether a workload has a sidecar.
pub(super) fn tls_mode(labels: &Labels) -> Option<&str> {
    labels.get(TLS_MODE)
}

pub(super) fn takes_mutual_tls(tls_mode: &str) -> bool {
    tls_mode == "istio"
}

/// Whether the label says that a workload ends.
pub(super) fn is_draining(labels: &Labels) -> bool {
    labels.get(DRAINING).is_some_and(|value| !value.is_empty())
}

/// Kubernetes gives every pod one.
fn service_account(spec: &resource::PodSpec) -> Arc<str> {
    match spec.service_account_name.as_str() {
        "" => "default".into(),
        name => name.into(),
    }
}

/// Labels with those that follow from a place (R-M-133).
pub(super) fn with_place(labels: &Arc<Labels>, locality: Option<&str>) -> Arc<Labels> {
    let Some(locality) = locality else {
        return Arc::clone(labels);
    };
    let mut labels = Labels::clone(labels);
    for (key, part) in PLACE_LABELS.into_iter().zip(locality.splitn(3, '/')) {
        if !part.is_empty() {
            labels.insert(key, part);
        }
    }
    Arc::new(labels)
}

/// Where the nodes are, by name.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    localities: HashMap<Box<str>, Arc<str>>,
}

impl Nodes {
    /// Of these nodes, by their labels; the old names of the labels count where the new ones are missing.
    pub(super) fn new(documents: &[&resource::Document<resource::Node>]) -> Self {
        let locality = |labels: &resource::Labels| -> Option<Arc<str>> {
            let part = |names: [&str; 2]| {
                let mut values = names.into_iter().filter_map(|name| labels.get(name));
                values
                    .find(|value| !value.is_empty())
                    .map_or("", |value| value)
            };
            let [region, zone, subzone] = NODE_LABELS.map(part);
            let whole = format!("{region}/{zone}/{subzone}");
            Some(whole.trim_end_matches('/').into()).filter(|place: &Arc<str>| !place.is_empty())
        };
        let localities = documents.iter().filter_map(|node| {
            let name = node.meta.name.as_str().into();
            Some((name, locality(&node.meta.labels)?))
        });
        Nodes {
            localities: localities.collect(),
        }
    }

    /// Where a node is, if that is known.
    fn locality(&self, name: &str) -> Option<Arc<str>> {
        self.localities.get(name).cloned()
    }
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
