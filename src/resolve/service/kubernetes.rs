//! Kubernetes Services (R-M-129, R-M-130, R-M-133..R-M-135).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::diagnostic::{At, Code};
use crate::mesh::service::{
    Endpoint, EndpointPort, Health, Protocol, Registry, Resolution, ServicePort,
    TrafficDistribution,
};
use crate::mesh::{Service, Visibility};
use crate::resolve::check::network;
use crate::resolve::{Context, Sink, creation};
use crate::resource::{self as raw, Document, IntOrString};
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

use super::endpoint_slices::Slices;
use super::kubernetes_checks;
use super::workloads::{
    SelectedBy, SelectedPort, Selection, Workload, WorkloadKind, Workloads, pair,
};

/// Names of Kubernetes services always end in a domain, also where short names are completed without one.
const DEFAULT_DOMAIN: &str = "cluster.local";
const EXPORT_TO: &str = "networking.istio.io/exportTo";
/// Says what the field of that name says in newer versions of Kubernetes.
const TRAFFIC_DISTRIBUTION: &str = "networking.istio.io/traffic-distribution";
/// Ports of protocols in which the server speaks first: not sniffed (R-M-129).
const SERVER_FIRST_PORTS: [u16; 4] = [25, 53, 3306, 27017];

/// The service of a Kubernetes Service; `None` iff it is invalid.
pub(super) fn service(
    document: &Document<raw::Service>,
    workloads: &Workloads,
    slices: &Slices<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<Service> {
    let (meta, spec) = (&document.meta, &document.spec);
    let at = At::ROOT.field("spec");
    let resource = meta.qualified_name();
    let domain = match &*cx.config.domain {
        "" => DEFAULT_DOMAIN,
        domain => domain,
    };
    let hostname = cx.intern(&format!("{}.{}.svc.{domain}", meta.name, meta.namespace));
    let is_alias = spec.r#type == "ExternalName" && !spec.external_name.is_empty();
    let is_headless = spec.cluster_ip == "None";
    sink.as_kubernetes(|sink| kubernetes_checks::service(spec, &at, sink));
    let ports = ports(&spec.ports, &at, sink);
    report_unused(spec, &at, sink);
    if sink.failed() {
        return None;
    }
    let selector: Arc<Labels> = Arc::new(spec.selector.iter().map(pair).collect());
    let endpoints = if is_alias {
        Arc::default()
    } else {
        let behind = Behind {
            spec,
            ports: &ports,
            selector: &selector,
        };
        match behind.endpoints(&resource, workloads, slices, cx, sink) {
            Ok(endpoints) => endpoints,
            Err(most) => {
                push_too_many(&at.field("selector"), most, sink);
                return None;
            }
        }
    };
    Some(Service {
        hostname,
        registry: Registry::Kubernetes,
        creation: creation(meta),
        visibility: visibility(document, cx),
        addresses: addresses(spec),
        ports: ports.into_iter().collect(),
        resolution: match (is_alias, is_headless) {
            (true, _) => Resolution::Alias,
            (false, true) => Resolution::Passthrough,
            (false, false) => Resolution::Eds,
        },
        mesh_external: false,
        external_name: is_alias.then(|| cx.intern(&spec.external_name)),
        selector,
        labels: Arc::new(meta.labels.iter().map(pair).collect()),
        endpoints,
        aliases: Arc::default(),
        subject_alt_names: Arc::default(),
        traffic_distribution: traffic_distribution(document),
        resource,
    })
}

fn visibility(document: &Document<raw::Service>, cx: &Context<'_>) -> Visibility {
    let export_to: Vec<String> = match document.meta.annotations.get(EXPORT_TO) {
        Some(list) if !list.is_empty() => {
            list.split(',').map(|text| text.trim().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let default = &cx.config.default_service_export_to;
    Visibility::resolve(&export_to, default, &document.meta.namespace)
}

fn traffic_distribution(document: &Document<raw::Service>) -> Option<TrafficDistribution> {
    let text = match document.spec.traffic_distribution.as_str() {
        "" => document.meta.annotations.get(TRAFFIC_DISTRIBUTION)?,
        written => written,
    };
    match text {
        "PreferSameZone" | "PreferClose" => Some(TrafficDistribution::SameZone),
        "PreferSameNode" => Some(TrafficDistribution::SameNode),
        _ => None,
    }
}

fn addresses(spec: &raw::Service) -> Vec<IpNet> {
    let several = spec.cluster_ips.iter();
    let mut all: Vec<IpAddr> = several.filter_map(|text| text.parse().ok()).collect();
    if let (true, Ok(address)) = (all.is_empty(), spec.cluster_ip.parse()) {
        all.push(address);
    }
    all.into_iter().map(IpNet::from).collect()
}

fn ports(
    written: &[raw::KubernetesServicePort],
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Vec<ServicePort> {
    let list = at.field("ports");
    let mut ports: Vec<ServicePort> = Vec::with_capacity(written.len());
    let mut names = BTreeSet::new();
    for (index, port) in written.iter().enumerate() {
        let at = list.index(index);
        let number = u32::try_from(port.port).unwrap_or(0);
        if !sink.check(&at.field("port"), Code::INVALID_PORT, network::port(number)) {
            continue;
        }
        let number = u16::try_from(number).unwrap_or(0);
        if !port.name.is_empty() && !names.insert(port.name.as_str()) {
            let message = format!("port name `{}` is used by another port", port.name);
            sink.push(&at.field("name"), Code::DUPLICATE_PORT, message);
        }
        ports.push(ServicePort {
            name: port.name.as_str().into(),
            number,
            protocol: protocol(port, number),
            target_port: match &port.target_port {
                Some(IntOrString::Int(target)) if *target != 0 => u16::try_from(*target).ok(),
                Some(IntOrString::String(_)) => None,
                _ => Some(number),
            },
            target_port_name: match &port.target_port {
                Some(IntOrString::String(name)) => Some(name.as_str().into()),
                _ => None,
            },
        });
    }
    ports
}

/// The protocol of a port, from `protocol`, `appProtocol` or the name (R-M-129).
fn protocol(port: &raw::KubernetesServicePort, number: u16) -> Protocol {
    if port.protocol == "UDP" {
        return Protocol::Udp;
    }
    let text = match port.app_protocol.as_deref() {
        Some("kubernetes.io/h2c") => return Protocol::Http2,
        Some("kubernetes.io/ws") => return Protocol::Http,
        Some("kubernetes.io/wss") => return Protocol::Https,
        Some(written) => written,
        None => &port.name,
    };
    let grpc_web = "grpc-web";
    if text
        .get(..grpc_web.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(grpc_web))
    {
        return Protocol::GrpcWeb;
    }
    let prefix = text.split('-').next().unwrap_or(text);
    match Protocol::parse(prefix) {
        Protocol::Unsupported if SERVER_FIRST_PORTS.contains(&number) => Protocol::Tcp,
        protocol => protocol,
    }
}

fn report_unused(spec: &raw::Service, at: &At<'_>, sink: &mut Sink<'_>) {
    if !spec.external_ips.is_empty() {
        sink.push(
            &at.field("externalIPs"),
            Code::FIELD_WITHOUT_EFFECT,
            "`externalIPs` have no effect on routing",
        );
    }
    if let Some(index) = spec.ports.iter().position(|port| port.node_port != 0) {
        let list = at.field("ports");
        let message = "`nodePort` has no effect on routing";
        let port = list.index(index);
        sink.push(&port.field("nodePort"), Code::FIELD_WITHOUT_EFFECT, message);
    }
}

/// What finds the endpoints of a Service.
struct Behind<'a> {
    spec: &'a raw::Service,
    ports: &'a [ServicePort],
    selector: &'a Arc<Labels>,
}

impl Behind<'_> {
    /// Its EndpointSlices' endpoints, or the Pods that it selects where there are no slices; then the WorkloadEntries that it
    /// selects. A Deployment stands for pods that nobody has listed: as an endpoint without an address, where there are
    /// neither slices nor Pods with its labels. A Service without selector has only its slices.
    fn endpoints(
        &self,
        resource: &crate::terms::name::ResourceName,
        workloads: &Workloads,
        slices: &Slices<'_>,
        cx: &Context<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Arc<[Endpoint]>, usize> {
        let publish = self.spec.publish_not_ready_addresses;
        let sliced = slices.endpoints(resource, self.ports, publish, workloads, sink);
        match (sliced, self.selector.is_empty()) {
            (sliced, true) => Ok(sliced.unwrap_or_default().into()),
            (Some(mut all), false) => {
                let selected = workloads.places(&resource.namespace, self.selector);
                cx.count_endpoints(selected.len())?;
                self.select(&resource.namespace, &selected, workloads, true, &mut all);
                Ok(all.into())
            }
            (None, false) => {
                let ports = self.ports.iter().map(|port| SelectedPort {
                    name: port.name.clone(),
                    target: port.target_port,
                    target_name: port.target_port_name.clone(),
                    is_udp: port.protocol == Protocol::Udp,
                });
                let selection = Selection {
                    namespace: Arc::clone(&resource.namespace),
                    selector: Arc::clone(self.selector),
                    ports: ports.collect(),
                    by: SelectedBy::Service {
                        publishes_not_ready: publish,
                    },
                };
                workloads.shared(selection, cx, |selected| {
                    let mut all = Vec::new();
                    self.select(&resource.namespace, selected, workloads, false, &mut all);
                    all
                })
            }
        }
    }

    fn select(
        &self,
        namespace: &Arc<str>,
        selected: &[u32],
        workloads: &Workloads,
        has_slices: bool,
        all: &mut Vec<Endpoint>,
    ) {
        let publish = self.spec.publish_not_ready_addresses;
        let fixed = self.numbered_ports();
        let of = |place: &u32| workloads.at(*place);
        let mut listed = selected.iter().filter_map(of);
        let has_pods = listed.any(|workload| workload.kind == WorkloadKind::Pod);
        let mut known: HashMap<Arc<Labels>, bool> = HashMap::default();
        let mut is_listed = |labels: &Arc<Labels>| {
            if !has_pods {
                return false;
            }
            *known.entry(Arc::clone(labels)).or_insert_with(|| {
                let mut with_labels = workloads.selected(namespace, labels);
                with_labels
                    .any(|one| one.kind == WorkloadKind::Pod && self.selector.selects(&one.labels))
            })
        };
        for workload in selected.iter().filter_map(of) {
            let counts = match workload.kind {
                WorkloadKind::Pod => !has_slices,
                WorkloadKind::Deployment => !has_slices && !is_listed(&workload.labels),
                // Only one with an IP address can stand behind a Kubernetes Service (R-M-132).
                WorkloadKind::WorkloadEntry => workload.has_ip(),
            };
            if counts {
                let ports = match &fixed {
                    Some(ports) if workload.kind != WorkloadKind::WorkloadEntry => {
                        Arc::clone(ports)
                    }
                    _ => self.ports_of(workload),
                };
                let health = match publish {
                    true => Health::Healthy,
                    false => workload.health,
                };
                all.push(workload.endpoint(ports, health));
            }
        }
    }

    /// The ports of every workload, where all target ports are numbers.
    fn numbered_ports(&self) -> Option<Arc<[EndpointPort]>> {
        let ports = self.ports.iter().map(|port| {
            Some(EndpointPort {
                service_port: port.name.clone(),
                number: port.target_port?,
            })
        });
        ports.collect()
    }

    fn ports_of(&self, workload: &Workload) -> Arc<[EndpointPort]> {
        let ports = self.ports.iter().filter_map(|port| {
            let udp = port.protocol == Protocol::Udp;
            let own = match workload.kind {
                WorkloadKind::WorkloadEntry => workload.named_port(&port.name, false),
                _ => None,
            };
            let target = || match &port.target_port_name {
                Some(name) => workload.named_port(name, udp),
                None => port.target_port,
            };
            Some(EndpointPort {
                service_port: port.name.clone(),
                number: own.or_else(target)?,
            })
        });
        ports.collect()
    }
}

/// Says that a selector yields more endpoints than all may.
pub(super) fn push_too_many(at: &At<'_>, most: usize, sink: &mut Sink<'_>) {
    sink.push_with_help(
        at,
        Code::ENDPOINTS_TOO_LARGE,
        format!("selectors yield more than {most} endpoints"),
        "services that select the same, for the same ports, share their endpoints: give them the same ports",
    );
}
