//! What every resource has: a name, a namespace, labels, annotations, an age, and a place in a source.

use std::fmt;

use super::{Labels, ProxyConfig};
use crate::terms::field_path::FieldPath;
use crate::terms::name::ResourceName;
use crate::terms::short::limited;
use crate::terms::source::{Location, SourceDocument};

/// A resource's metadata.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// Whether the document named no namespace, so that `namespace` is the reader's default.
    pub namespace_defaulted: bool,
    /// Labels.
    pub labels: Labels,
    /// Annotations.
    pub annotations: Labels,
    /// The time of creation in seconds since 1970.
    pub creation_timestamp: Option<i64>,
}

short_debug! {
    Metadata {name, namespace, namespace_defaulted, labels, annotations, creation_timestamp}
}

impl Metadata {
    /// The metadata of a resource without labels.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            ..Self::default()
        }
    }

    /// Namespace and name in one value.
    pub fn qualified_name(&self) -> ResourceName {
        ResourceName::new(&self.namespace, &self.name)
    }
}

/// One resource as written: metadata, content and where it stands.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Document<T> {
    /// The metadata.
    pub meta: Metadata,
    /// The content: `spec` of the Istio kinds, Service and Deployment; the whole rest of the others.
    pub spec: T,
    /// Of a Pod, or of a Deployment's pods: what annotation `proxy.istio.io/config` says of the proxy beside them.
    pub proxy_config: Option<Box<ProxyConfig>>,
    /// The place in the source.
    pub source: SourceDocument,
}

impl<T: fmt::Debug> fmt::Debug for Document<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document {
            meta,
            spec,
            source,
            proxy_config: _,
        } = self;
        limited(f, |f| {
            let mut parts = f.debug_struct("Document");
            parts.field("meta", meta).field("spec", spec);
            parts.field("source", source).finish()
        })
    }
}

impl<T> Document<T> {
    /// A resource that was not read from a text.
    pub fn new(meta: Metadata, spec: T) -> Self {
        Self {
            meta,
            spec,
            proxy_config: None,
            source: SourceDocument::default(),
        }
    }

    /// Where a field of this resource is written.
    pub fn locate(&self, field: impl Into<FieldPath>) -> Option<Location> {
        self.source.locate(&field.into())
    }
}
