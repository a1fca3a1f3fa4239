//! Hosts that some namespaces have to themselves, as those of servers and of VirtualServices: whether one overlaps another.

use crate::terms::hash::HashMap;
use crate::terms::host_index::HostSet;

/// Hosts, each of one namespace or of all.
pub(super) struct HostsByNamespace {
    /// Those of all namespaces.
    shared: HostSet,
    by_namespace: HashMap<Box<str>, HostSet>,
    /// Of whatever namespace.
    any: HostSet,
}

impl HostsByNamespace {
    /// Hosts with their namespaces; `None`: of all namespaces. O(n log n).
    pub(super) fn new<'a>(hosts: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) -> Self {
        let mut shared = Vec::new();
        let mut named: HashMap<&str, Vec<&str>> = HashMap::default();
        let mut any = Vec::new();
        for (namespace, host) in hosts {
            match namespace {
                None => shared.push(host),
                Some(namespace) => named.entry(namespace).or_default().push(host),
            }
            any.push(host);
        }
        let named = named.into_iter();
        HostsByNamespace {
            shared: shared.into_iter().collect(),
            by_namespace: named
                .map(|(namespace, hosts)| (namespace.into(), hosts.into_iter().collect()))
                .collect(),
            any: any.into_iter().collect(),
        }
    }

    /// Whether some host fits both `host` and one of those that `namespace` has; `None`: one of any namespace (R-M-002).
    pub(super) fn overlaps(&self, namespace: Option<&str>, host: &str) -> bool {
        let Some(namespace) = namespace else {
            return self.any.overlaps(host);
        };
        let own = self.by_namespace.get(namespace);
        self.shared.overlaps(host) || own.is_some_and(|own| own.overlaps(host))
    }
}
