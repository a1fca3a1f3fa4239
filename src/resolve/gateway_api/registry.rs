//! The services of the mesh by what routes name them by.

use std::collections::HashMap;
use std::sync::Arc;

use crate::mesh::Service;

/// Services by host, by name of the Service, and by name of the ServiceEntry.
pub(super) struct Registry<'a> {
    by_host: HashMap<&'a str, Vec<&'a Service>>,
    kubernetes: HashMap<(&'a str, &'a str), &'a Service>,
    entries: HashMap<(&'a str, &'a str), Vec<&'a Service>>,
}

impl<'a> Registry<'a> {
    pub(super) fn new(services: &'a [Arc<Service>]) -> Self {
        let mut registry = Registry {
            by_host: HashMap::new(),
            kubernetes: HashMap::new(),
            entries: HashMap::new(),
        };
        for service in services {
            let name = (service.namespace(), &*service.resource.name);
            let hosts = registry.by_host.entry(&service.hostname).or_default();
            hosts.push(service);
            if service.is_kubernetes() {
                registry.kubernetes.insert(name, service);
            } else {
                registry.entries.entry(name).or_default().push(service);
            }
        }
        registry
    }

    /// The Service of this name.
    pub(super) fn service(&self, namespace: &str, name: &str) -> Option<&'a Service> {
        self.kubernetes.get(&(namespace, name)).copied()
    }

    /// The hosts of the ServiceEntry of this name; none: it does not exist.
    pub(super) fn entry(&self, namespace: &str, name: &str) -> Vec<&'a Service> {
        let known = self.entries.get(&(namespace, name));
        known.cloned().unwrap_or_default()
    }

    /// Whether there is a service of this host in `namespace`; those that other namespaces export do not count.
    pub(super) fn has_host(&self, host: &str, namespace: &str) -> bool {
        let mut known = self.by_host.get(host).into_iter().flatten();
        known.any(|service| service.namespace() == namespace)
    }
}
