//! The registry: placeholder until its resolver lands.

use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh;
use crate::resource::{self as raw, Document};

use super::Context;

/// All documents that make up the registry, each kind in config order.
#[derive(Default)]
pub(crate) struct Documents<'a> {
    pub(crate) services: Vec<&'a Document<raw::Service>>,
    pub(crate) deployments: Vec<&'a Document<raw::Deployment>>,
    pub(crate) pods: Vec<&'a Document<raw::Pod>>,
    pub(crate) endpoint_slices: Vec<&'a Document<raw::EndpointSlice>>,
    pub(crate) service_entries: Vec<&'a Document<raw::ServiceEntry>>,
    pub(crate) workload_entries: Vec<&'a Document<raw::WorkloadEntry>>,
}

/// The services of the mesh, in the order in which Istio sorts them, each with what stands behind it.
pub(crate) fn services(
    _documents: &Documents<'_>,
    _cx: &Context<'_>,
    _report: &mut Report,
) -> Vec<Arc<mesh::Service>> {
    Vec::new()
}
