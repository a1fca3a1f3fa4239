//! The registry: services that Kubernetes Services and ServiceEntries make, each with what stands behind it.
//!
//! Workloads (Deployments, Pods, WorkloadEntries) are collected first, so that selectors can choose from them; then each
//! Service and each host of a ServiceEntry becomes one service; last come the links between services.

use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh;
use crate::resource::{self as raw, Document};
use crate::terms::labels::Labels;

use super::{Context, Sink};

pub(super) mod aliases;
pub(super) mod conflicts;
mod endpoint_slices;
mod kubernetes;
mod kubernetes_checks;
mod service_entry;
mod service_entry_checks;
#[cfg(all(test, feature = "yaml"))]
mod service_entry_tests;
#[cfg(all(test, feature = "yaml"))]
mod tests;
pub(super) mod workload_entry;
mod workloads;

pub(super) use service_entry_checks::{check_protocol, check_selector_labels};

use endpoint_slices::Slices;
pub(super) use workloads::pair;
use workloads::{Nodes, Workloads};

/// All documents that make up the registry, each kind in config order.
#[derive(Default)]
pub(crate) struct Documents<'a> {
    pub(crate) services: Vec<&'a Document<raw::Service>>,
    pub(crate) deployments: Vec<&'a Document<raw::Deployment>>,
    pub(crate) nodes: Vec<&'a Document<raw::Node>>,
    pub(crate) pods: Vec<&'a Document<raw::Pod>>,
    pub(crate) endpoint_slices: Vec<&'a Document<raw::EndpointSlice>>,
    pub(crate) service_entries: Vec<&'a Document<raw::ServiceEntry>>,
    pub(crate) workload_entries: Vec<&'a Document<raw::WorkloadEntry>>,
}

/// The services of the mesh, in the order in which Istio sorts them: creation time, name (of a ServiceEntry: the host),
/// namespace.
pub(crate) fn services(
    documents: &Documents<'_>,
    cx: &Context<'_>,
    report: &mut Report,
) -> Vec<Arc<mesh::Service>> {
    let mut services = made(documents, cx, report);
    services.sort_by(|a, b| a.config_key().cmp(&b.config_key()));
    let names = aliases::names(&services, report);
    for service in &mut services {
        service.aliases = names.get(&service.hostname).cloned().unwrap_or_default();
    }
    let services: Vec<Arc<mesh::Service>> = services.into_iter().map(Arc::new).collect();
    conflicts::report(&services, documents, report);
    services
}

/// The services that these documents make, in no particular order, and without the links between them: each depends on
/// its own document, its slices with their pods, and the workloads that it selects.
pub(crate) fn made(
    documents: &Documents<'_>,
    cx: &Context<'_>,
    report: &mut Report,
) -> Vec<mesh::Service> {
    let workloads = workloads(documents, report);
    for document in &documents.endpoint_slices {
        let mut sink = Sink::of(document, report);
        sink.as_kubernetes(|sink| kubernetes_checks::endpoint_slice(&document.spec, sink));
    }
    let slices = Slices::new(&documents.endpoint_slices, &documents.services, report);
    let mut services = Vec::with_capacity(documents.services.len());
    for document in &documents.services {
        let mut sink = Sink::of(document, report);
        let made = kubernetes::service(document, &workloads, &slices, cx, &mut sink);
        services.extend(made);
    }
    for document in &documents.service_entries {
        let mut sink = Sink::of(document, report);
        service_entry::services(document, &workloads, cx, &mut sink, &mut services);
    }
    services
}

/// The labels that selectors see of a workload; `None`: the document is none.
pub(super) fn workload_labels(document: &raw::Resource) -> Option<Arc<Labels>> {
    // What there is to say about it is said when it is resolved.
    let report = &mut Report::new();
    let workload = match document {
        raw::Resource::Deployment(deployment) => {
            workloads::deployment(deployment, &mut Sink::of(deployment, report))
        }
        raw::Resource::Pod(pod) if workloads::has_ended(&pod.spec) => return None,
        raw::Resource::Pod(pod) => return Some(Arc::new(workloads::pod_labels(pod))),
        raw::Resource::WorkloadEntry(entry) => {
            workload_entry::workload_entry(entry, &mut Sink::of(entry, report))?
        }
        _ => return None,
    };
    Some(workload.labels)
}

fn workloads(documents: &Documents<'_>, report: &mut Report) -> Workloads {
    let mut all = Workloads::default();
    for document in &documents.deployments {
        let mut sink = Sink::of(document, report);
        sink.as_kubernetes(|sink| kubernetes_checks::deployment(&document.spec, sink));
        all.push(workloads::deployment(document, &mut sink));
    }
    let nodes = Nodes::new(&documents.nodes);
    for document in &documents.pods {
        let mut sink = Sink::of(document, report);
        sink.as_kubernetes(|sink| kubernetes_checks::pod(&document.spec, sink));
        workloads::pod(document, &nodes)
            .into_iter()
            .for_each(|pod| all.push(pod));
    }
    for document in &documents.workload_entries {
        let mut sink = Sink::of(document, report);
        workload_entry::workload_entry(document, &mut sink)
            .into_iter()
            .for_each(|workload| all.push(workload));
    }
    all
}
