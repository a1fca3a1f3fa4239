//! What was read: every resource in the order of writing, and what there is to say about the reading.

use super::{
    Deployment, DestinationRule, Document, EndpointSlice, Gateway, MeshConfig, Metadata, Pod,
    Service, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
};
use crate::diagnostic::{Report, ResourceRef};
use crate::terms::origin::Written;
use crate::terms::source::{Location, SourceDocument};
use std::collections::HashMap;
use std::fmt;

/// A resource of one of the kinds that have a part in routing.
// A resource is moved once, into the list; a box for each would cost more than the bytes that it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Resource {
    /// Routes.
    VirtualService(Document<VirtualService>),
    /// Policies and subsets.
    DestinationRule(Document<DestinationRule>),
    /// Listeners at the edge.
    Gateway(Document<Gateway>),
    /// A service outside of the platform's registry.
    ServiceEntry(Document<ServiceEntry>),
    /// A sidecar's view.
    Sidecar(Document<Sidecar>),
    /// A workload outside of the platform's registry.
    WorkloadEntry(Document<WorkloadEntry>),
    /// A Kubernetes service.
    Service(Document<Service>),
    /// A Kubernetes deployment.
    Deployment(Document<Deployment>),
    /// A Kubernetes pod.
    Pod(Document<Pod>),
    /// Endpoints of a Kubernetes service.
    EndpointSlice(Document<EndpointSlice>),
}

/// The kinds of [`Resource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `networking.istio.io` VirtualService.
    VirtualService,
    /// `networking.istio.io` DestinationRule.
    DestinationRule,
    /// `networking.istio.io` Gateway.
    Gateway,
    /// `networking.istio.io` ServiceEntry.
    ServiceEntry,
    /// `networking.istio.io` Sidecar.
    Sidecar,
    /// `networking.istio.io` WorkloadEntry.
    WorkloadEntry,
    /// Kubernetes Service.
    Service,
    /// Kubernetes Deployment.
    Deployment,
    /// Kubernetes Pod.
    Pod,
    /// Kubernetes EndpointSlice.
    EndpointSlice,
}

impl Kind {
    /// Whether it has a part in the registry: services and what stands behind them.
    pub const fn is_of_registry(self) -> bool {
        matches!(
            self,
            Self::Service
                | Self::Deployment
                | Self::Pod
                | Self::EndpointSlice
                | Self::ServiceEntry
                | Self::WorkloadEntry
        )
    }

    /// Whether it is a kind of Kubernetes, which Istio's admission does not see.
    pub const fn is_of_kubernetes(self) -> bool {
        matches!(
            self,
            Self::Service | Self::Deployment | Self::Pod | Self::EndpointSlice
        )
    }

    /// The name in YAML.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
            Self::Gateway => "Gateway",
            Self::ServiceEntry => "ServiceEntry",
            Self::Sidecar => "Sidecar",
            Self::WorkloadEntry => "WorkloadEntry",
            Self::Service => "Service",
            Self::Deployment => "Deployment",
            Self::Pod => "Pod",
            Self::EndpointSlice => "EndpointSlice",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! each_kind {
    ($($kind:ident)*) => {
        impl Resource {
            /// The kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// The metadata.
            pub fn meta(&self) -> &Metadata {
                match self { $(Self::$kind(document) => &document.meta,)* }
            }

            /// The metadata, to be changed.
            pub fn meta_mut(&mut self) -> &mut Metadata {
                match self { $(Self::$kind(document) => &mut document.meta,)* }
            }

            /// The place in the source, to be set.
            pub(crate) fn source_mut(&mut self) -> &mut SourceDocument {
                match self { $(Self::$kind(document) => &mut document.source,)* }
            }

            /// The place in the source.
            pub fn source(&self) -> &SourceDocument {
                match self { $(Self::$kind(document) => &document.source,)* }
            }
        }

        $(
            impl From<Document<$kind>> for Resource {
                fn from(document: Document<$kind>) -> Self {
                    Self::$kind(document)
                }
            }
        )*
    };
}

each_kind!(VirtualService DestinationRule Gateway ServiceEntry Sidecar WorkloadEntry Service Deployment Pod EndpointSlice);

impl Resource {
    /// How diagnostics name it.
    pub fn reference(&self) -> ResourceRef {
        let meta = self.meta();
        ResourceRef::new(self.kind().as_str(), &*meta.namespace, &*meta.name)
    }
}

/// Everything that was read.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Resources {
    /// The resources, in the order of writing.
    pub documents: Vec<Resource>,
    /// Settings of the whole mesh, if any were given.
    pub mesh_config: Option<Document<MeshConfig>>,
    /// What there is to say about the reading. Strict doors leave no error in here.
    pub notes: Report,
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("documents", &self.documents.len())
            .field("mesh_config", &self.mesh_config.is_some())
            .field("notes", &self.notes.len())
            .finish()
    }
}

impl Resources {
    /// Nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resource that was made by a program.
    pub fn push(&mut self, resource: impl Into<Resource>) {
        self.documents.push(resource.into());
    }

    /// The place of what a [decision's origin](crate::decision::Decision::origin) names; `None`: no such resource is here, or it
    /// was not read from a text.
    ///
    /// # Complexity
    /// Linear in the number of resources, and in the text of the document.
    pub fn locate_written(&self, written: &Written<'_>) -> Option<Location> {
        let author = written.author();
        let is_meant = |resource: &&Resource| {
            let (name, meta) = (author.resource(), resource.meta());
            resource.kind().as_str() == author.kind()
                && *meta.namespace == *name.namespace
                && *meta.name == *name.name
        };
        let resource = self.documents.iter().find(is_meant)?;
        resource.source().locate(&written.field().path())
    }

    /// The report with a place for each diagnostic that names one of these resources and has none: those of
    /// [`lint`](crate::lint::lint), which reads a mesh that no longer knows its sources.
    ///
    /// # Complexity
    /// Linear in the number of resources and of diagnostics.
    #[must_use]
    pub fn locate(&self, report: Report) -> Report {
        let by_name: HashMap<ResourceRef, &SourceDocument> = self
            .documents
            .iter()
            .map(|resource| (resource.reference(), resource.source()))
            .collect();
        report.located(|resource, field| by_name.get(resource)?.locate(field))
    }
}
