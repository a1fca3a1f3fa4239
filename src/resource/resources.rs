//! What was read: every resource in the order of writing, and what there is to say about the reading.

use super::{Document, MeshConfig, Resource};
use crate::diagnostic::{Report, ResourceRef};
use crate::terms::origin::Written;
use crate::terms::source::{Location, SourceDocument};
use std::collections::HashMap;
use std::fmt;

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
