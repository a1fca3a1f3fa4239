//! Names of resources, whatever their version.

use crate::resource::{Kind, Resource};
use crate::terms::name::ResourceName;

/// What makes two resources versions of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    kind: Kind,
    namespace: Box<str>,
    name: Box<str>,
}

impl Key {
    /// A node is in no namespace, whatever is said of one.
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Key {
            kind,
            namespace: match kind {
                Kind::Node => Box::default(),
                _ => namespace.into(),
            },
            name: name.into(),
        }
    }

    pub(super) fn of(resource: &Resource) -> Self {
        let meta = resource.meta();
        Key::new(resource.kind(), &meta.namespace, &meta.name)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Namespace and name.
    pub(super) fn resource_name(&self) -> ResourceName {
        ResourceName::new(&self.namespace, &self.name)
    }

    /// The name alone.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a diagnostic that says these words means this resource.
    pub(super) fn names(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let is_there = self.kind == Kind::Node || &*self.namespace == namespace;
        self.kind.as_str() == kind && is_there && &*self.name == name
    }
}
