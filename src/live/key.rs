//! Names of resources, whatever their version.

use std::collections::HashMap;

use crate::resource::{Kind, Resource};
use crate::terms::name::ResourceName;

/// What makes two resources versions of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    kind: Kind,
    namespace: Box<str>,
    name: Box<str>,
}

/// A resource that changes, and what it was.
pub(super) type Before = (Key, Option<Resource>);

/// What each of them was.
pub(super) fn by_key(before: &[Before]) -> HashMap<&Key, Option<&Resource>> {
    let all = before.iter();
    all.map(|(key, old)| (key, old.as_ref())).collect()
}

/// Whether it is a route of the Gateway API.
pub(super) fn is_route(kind: Kind) -> bool {
    let all = [
        Kind::HttpRoute,
        Kind::GrpcRoute,
        Kind::TcpRoute,
        Kind::TlsRoute,
    ];
    all.contains(&kind)
}

impl Key {
    /// What is the whole cluster's is in no namespace, whatever is said of one.
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Key {
            kind,
            namespace: match kind.is_namespaced() {
                true => namespace.into(),
                false => Box::default(),
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
        let is_there = !self.kind.is_namespaced() || &*self.namespace == namespace;
        self.kind.as_str() == kind && is_there && &*self.name == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_whole_clusters_is_one_resource_whatever_its_namespace() {
        let scoped = Kind::ALL.iter().filter(|kind| !kind.is_namespaced());
        let scoped: Vec<Kind> = scoped.copied().collect();
        assert_eq!(scoped, [Kind::Node, Kind::GatewayClass, Kind::Namespace]);
        for &kind in Kind::ALL {
            let [unnamed, named] = ["", "shop"].map(|namespace| Key::new(kind, namespace, "x"));
            assert_eq!(unnamed == named, scoped.contains(&kind), "{kind}");
            assert_eq!(
                unnamed.names(kind.as_str(), "shop", "x"),
                scoped.contains(&kind)
            );
            assert!(named.names(kind.as_str(), "shop", "x"));
        }
    }
}
