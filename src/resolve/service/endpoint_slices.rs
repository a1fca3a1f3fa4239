//! EndpointSlices: the endpoints of a Kubernetes Service as the cluster sees them (R-M-133, R-M-134).

use std::sync::Arc;

use crate::diagnostic::{At, Code, Report};
use crate::mesh::service::{Endpoint, EndpointFacts, EndpointPort, Health, ServicePort};
use crate::resolve::Sink;
use crate::resource::{self as raw, Document};
use crate::terms::address::Address;
use crate::terms::hash::HashMap;
use crate::terms::name::ResourceName;

use super::workloads::{Workloads, is_draining, with_place};

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// EndpointSlices by the service that they belong to.
#[derive(Default)]
pub(super) struct Slices<'a> {
    by_service: HashMap<ResourceName, Vec<&'a Document<raw::EndpointSlice>>>,
}

impl<'a> Slices<'a> {
    /// Sorts slices by their service; says which belong to none.
    pub(super) fn new(
        documents: &[&'a Document<raw::EndpointSlice>],
        services: &[&Document<raw::Service>],
        report: &mut Report,
    ) -> Self {
        let mut slices = Slices::default();
        if documents.is_empty() {
            return slices;
        }
        let known: std::collections::HashSet<ResourceName> = services
            .iter()
            .map(|service| service.meta.qualified_name())
            .collect();
        for document in documents {
            if document.spec.address_type == "FQDN" {
                let at = At::ROOT.field("addressType");
                let message = "an EndpointSlice of names is not read, as Istio does not";
                Sink::of(document, report).push(&at, Code::FIELD_WITHOUT_EFFECT, message);
                continue;
            }
            let name = document.meta.labels.get(SERVICE_NAME);
            let service =
                ResourceName::new(&document.meta.namespace, name.map_or("", String::as_str));
            if known.contains(&service) {
                slices.by_service.entry(service).or_default().push(document);
            } else {
                let message = match name {
                    Some(name) => format!("no Service `{name}` is given"),
                    None => format!("the label `{SERVICE_NAME}` is missing"),
                };
                let at = At::ROOT.field("metadata");
                Sink::of(document, report).push(&at, Code::SLICE_WITHOUT_SERVICE, message);
            }
        }
        slices
    }

    /// The endpoints that the slices of `service` list; `None` if it has no slices. Those whose pod is not given are
    /// left out. One that is not ready ends, unless it says that it does not.
    pub(super) fn endpoints(
        &self,
        service: &ResourceName,
        ports: &[ServicePort],
        publish_not_ready: bool,
        workloads: &Workloads,
        sink: &mut Sink<'_>,
    ) -> Option<Vec<Endpoint>> {
        let slices = self.by_service.get(service)?;
        let mut all = Vec::new();
        for slice in slices {
            let served = served_ports(&slice.spec, ports);
            for written in &slice.spec.endpoints {
                let conditions = &written.conditions;
                let health = match publish_not_ready || conditions.ready != Some(false) {
                    true => Health::Healthy,
                    false if conditions.terminating == Some(false) => Health::Unhealthy,
                    false if conditions.serving == Some(false) => Health::Terminating,
                    false => Health::Draining,
                };
                match endpoint(written, &slice.meta.namespace, health, workloads) {
                    Ok(endpoints) => {
                        all.extend(endpoints.map(|facts| facts.serving(Arc::clone(&served))));
                    }
                    Err(pod) => {
                        let message = format!(
                            "EndpointSlice `{}` lists the pod `{pod}`, which is not given",
                            slice.meta.name
                        );
                        sink.push(&At::ROOT, Code::ENDPOINT_WITHOUT_POD, message);
                    }
                }
            }
        }
        Some(all)
    }
}

/// The slice's number for each port of the service, by name.
fn served_ports(slice: &raw::EndpointSlice, ports: &[ServicePort]) -> Arc<[EndpointPort]> {
    let served = ports.iter().filter_map(|port| {
        let own = slice.ports.iter().find(|own| *own.name == *port.name)?;
        Some(EndpointPort {
            service_port: port.name.clone(),
            number: match own.port {
                Some(number) => u16::try_from(number).ok()?,
                None => port.target_port?,
            },
        })
    });
    served.collect()
}

/// One endpoint per address.
///
/// # Errors
/// The name of its pod, if that is not given.
fn endpoint(
    written: &raw::Endpoint,
    namespace: &str,
    health: Health,
    workloads: &Workloads,
) -> Result<impl Iterator<Item = EndpointFacts>, ResourceName> {
    let target = written.target_ref.as_ref();
    let pod_name = target.filter(|target| target.kind == "Pod").map(|target| {
        let own = if target.namespace.is_empty() {
            namespace
        } else {
            &target.namespace
        };
        ResourceName::new(own, &target.name)
    });
    let pod = match &pod_name {
        Some(name) => Some(workloads.pod(name).ok_or_else(|| name.clone())?),
        None => None,
    };
    // Kubernetes says of the node what a Node that is not given would.
    let zone = Some(written.zone.as_str()).filter(|zone| !zone.is_empty());
    let place: Option<Arc<str>> = pod.and_then(|pod| {
        let of_slice = || Some(format!("/{}", zone?).into());
        pod.locality.clone().or_else(of_slice)
    });
    let labels = match pod {
        Some(pod) if pod.locality.is_none() => with_place(&pod.endpoint_labels, place.as_deref()),
        Some(pod) => Arc::clone(&pod.endpoint_labels),
        None => Arc::default(),
    };
    let is_draining = is_draining(&labels);
    let has_sidecar = pod.is_some_and(|pod| pod.has_sidecar);
    let service_account = pod.and_then(|pod| pod.service_account.clone());
    Ok(written.addresses.iter().map(move |address| EndpointFacts {
        workload: pod_name.clone(),
        address: Address::parse(address),
        labels: Arc::clone(&labels),
        weight: 1,
        locality: place.clone(),
        network: None,
        health: match is_draining {
            true => Health::Draining,
            false => health,
        },
        has_sidecar,
        service_account: service_account.clone(),
    }))
}
