//! ServiceEntries: one service for each host and each address (R-M-131, R-M-132).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::service::ServicePorts;
use crate::mesh::service::{
    Endpoint, EndpointFacts, EndpointPort, Health, Protocol, Registry, Resolution, ServicePort,
};
use crate::mesh::{Service, Visibility};
use crate::resolve::{Context, Sink, creation, not_empty};
use crate::resource::{self as raw, Document, ServiceEntryLocation, ServiceEntryResolution};
use crate::terms::address::Address;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::subnet;

use super::kubernetes::push_too_many;
use super::service_entry_checks;
use super::workload_entry::{has_sidecar, inline_labels};
use super::workloads::{
    SelectedBy, SelectedPort, Selection, Workload, WorkloadKind, Workloads, pair,
};

/// Adds the services of a ServiceEntry to `out`; none if it is invalid.
pub(super) fn services(
    document: &Document<raw::ServiceEntry>,
    workloads: &Workloads,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
    out: &mut Vec<Service>,
) {
    let (meta, spec) = (&document.meta, &document.spec);
    service_entry_checks::check(meta, spec, &At::ROOT.field("spec"), sink);
    let ports = spec.addresses.len().max(1).saturating_mul(spec.ports.len());
    let ports = ports.saturating_mul(spec.hosts.len());
    if let Err(most) = cx.count_service_ports(ports) {
        sink.push_with_help(
            &At::ROOT.field("spec").field("hosts"),
            Code::SERVICES_TOO_LARGE,
            format!("the services of ServiceEntries have more than {most} ports"),
            "every host has every address and port: give hosts that need fewer a ServiceEntry of their own",
        );
    }
    if sink.failed() {
        return;
    }
    let resource = meta.qualified_name();
    let resolution = match spec.resolution {
        ServiceEntryResolution::None => Resolution::Passthrough,
        ServiceEntryResolution::Static => Resolution::Eds,
        ServiceEntryResolution::Dns => Resolution::Dns,
        ServiceEntryResolution::DnsRoundRobin => Resolution::DnsRoundRobin,
        ServiceEntryResolution::DynamicDns => Resolution::DynamicDns,
    };
    let selector = spec.workload_selector.as_ref();
    let selector: Option<Arc<Labels>> =
        selector.map(|selector| Arc::new(selector.labels.iter().map(pair).collect()));
    let endpoint_ports = EndpointPorts::new(spec);
    let endpoints = match &selector {
        Some(selector) => selected(
            &endpoint_ports,
            resolution,
            selector,
            &resource,
            workloads,
            cx,
        ),
        None => Ok(listed(spec, &endpoint_ports).into()),
    };
    let endpoints: Arc<[Endpoint]> = match endpoints {
        Ok(endpoints) => endpoints,
        Err(most) => {
            let at = At::ROOT.field("spec");
            return push_too_many(&at.field("workloadSelector"), most, sink);
        }
    };
    let is_named_by_host = endpoints.is_empty()
        && selector.is_none()
        && matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    let ports: ServicePorts = spec.ports.iter().filter_map(port).collect();
    let labels: Arc<Labels> = Arc::new(meta.labels.iter().map(pair).collect());
    let names = spec.subject_alt_names.iter();
    let subject_alt_names: Arc<[Box<str>]> = names.map(|name| name.as_str().into()).collect();
    let default = &cx.config.default_service_export_to;
    let cap = cx.config.service_entry_visibility.of(&meta.namespace);
    let visibility =
        Visibility::resolve(&spec.export_to, default, &meta.namespace).below(cap, &meta.namespace);
    for host in &spec.hosts {
        let endpoints = if is_named_by_host {
            [by_host(host, &endpoint_ports)].into()
        } else {
            Arc::clone(&endpoints)
        };
        let service = Service {
            hostname: cx.intern(host),
            resource: resource.clone(),
            registry: Registry::External,
            creation: creation(meta),
            visibility: visibility.clone(),
            addresses: Vec::new(),
            ports: ports.clone(),
            resolution,
            mesh_external: spec.location == ServiceEntryLocation::MeshExternal,
            external_name: None,
            selector: selector.clone().unwrap_or_default(),
            labels: Arc::clone(&labels),
            endpoints,
            aliases: Arc::default(),
            subject_alt_names: Arc::clone(&subject_alt_names),
            traffic_distribution: None,
        };
        let addresses = spec.addresses.iter();
        let mut addresses = addresses.filter_map(|text| subnet::parse(text)).peekable();
        if addresses.peek().is_none() {
            out.push(service);
        } else {
            out.extend(addresses.map(|address| Service {
                addresses: vec![address],
                ..service.clone()
            }));
        }
    }
}

fn port(written: &raw::ServicePort) -> Option<ServicePort> {
    let number = u16::try_from(written.number).ok()?;
    Some(ServicePort {
        name: written.name.as_str().into(),
        number,
        protocol: Protocol::parse(&written.protocol),
        target_port: Some(default_target(written)?),
        target_port_name: None,
    })
}

fn default_target(port: &raw::ServicePort) -> Option<u16> {
    let target = Some(port.target_port).filter(|target| *target > 0);
    u16::try_from(target.unwrap_or(port.number)).ok()
}

/// The ports of a ServiceEntry as its endpoints serve them (R-M-131): one list for all that name no ports of their own.
struct EndpointPorts<'a> {
    spec: &'a raw::ServiceEntry,
    default: Arc<[EndpointPort]>,
}

impl<'a> EndpointPorts<'a> {
    fn new(spec: &'a raw::ServiceEntry) -> Self {
        let default = Self::made(spec, |_| None);
        EndpointPorts { spec, default }
    }

    /// Each port with the number that `own` gives it, else its target port, else its number.
    fn with(&self, own: impl Fn(&str) -> Option<u16>) -> Arc<[EndpointPort]> {
        Self::made(self.spec, own)
    }

    fn made(spec: &raw::ServiceEntry, own: impl Fn(&str) -> Option<u16>) -> Arc<[EndpointPort]> {
        let ports = spec.ports.iter().filter_map(|port| {
            Some(EndpointPort {
                service_port: port.name.as_str().into(),
                number: own(&port.name).or_else(|| default_target(port))?,
            })
        });
        ports.collect()
    }
}

/// The inline endpoints.
fn listed(spec: &raw::ServiceEntry, ports: &EndpointPorts<'_>) -> Vec<Endpoint> {
    let endpoints = spec.endpoints.iter().map(|entry| {
        let is_unix = entry.address.starts_with("unix://");
        let own = |name: &str| match entry.ports.get(name) {
            _ if is_unix => Some(0),
            Some(number) if *number > 0 => u16::try_from(*number).ok(),
            _ => None,
        };
        let ports = match entry.ports.is_empty() && !is_unix {
            true => Arc::clone(&ports.default),
            false => ports.with(own),
        };
        let labels = inline_labels(entry);
        let facts = EndpointFacts {
            workload: None,
            address: Address::parse(&entry.address),
            has_sidecar: has_sidecar(&labels, entry),
            service_account: not_empty(&entry.service_account),
            labels: Arc::new(labels),
            weight: entry.weight.max(1),
            locality: not_empty(&entry.locality),
            network: not_empty(&entry.network),
            health: Health::Healthy,
        };
        facts.serving(ports)
    });
    endpoints.collect()
}

/// The workloads of the namespace that the selector selects; names instead of addresses only with DNS (R-M-132).
fn selected(
    ports: &EndpointPorts<'_>,
    resolution: Resolution,
    selector: &Arc<Labels>,
    resource: &ResourceName,
    workloads: &Workloads,
    cx: &Context<'_>,
) -> Result<Arc<[Endpoint]>, usize> {
    let takes_names = matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    let selected_ports = ports.spec.ports.iter().map(|port| SelectedPort {
        name: port.name.as_str().into(),
        target: default_target(port),
        target_name: None,
        is_udp: false,
    });
    let selection = Selection {
        namespace: Arc::clone(&resource.namespace),
        selector: Arc::clone(selector),
        ports: selected_ports.collect(),
        by: SelectedBy::ServiceEntry { takes_names },
    };
    workloads.shared(selection, cx, |selected| {
        let selected = selected.iter().filter_map(|place| workloads.at(*place));
        let taken = selected.filter(|workload| {
            workload.kind != WorkloadKind::WorkloadEntry || takes_names || workload.has_ip()
        });
        let endpoint = |workload: &Workload| {
            let own = |name: &str| match workload.kind {
                WorkloadKind::WorkloadEntry => workload.named_port(name, false),
                WorkloadKind::Pod | WorkloadKind::Deployment => None,
            };
            let ports = match workload.kind == WorkloadKind::WorkloadEntry
                && !workload.named_ports.is_empty()
            {
                true => ports.with(own),
                false => Arc::clone(&ports.default),
            };
            workload.endpoint(ports, workload.health)
        };
        taken.map(endpoint).collect()
    })
}

/// The host itself, which DNS resolves: without labels, so that no labelled subset has it (R-M-131, R-M-139).
fn by_host(host: &str, ports: &EndpointPorts<'_>) -> Endpoint {
    let facts = EndpointFacts {
        workload: None,
        address: Address::parse(host),
        labels: Arc::default(),
        weight: 1,
        locality: None,
        network: None,
        health: Health::Healthy,
        has_sidecar: false,
        service_account: None,
    };
    facts.serving(Arc::clone(&ports.default))
}
