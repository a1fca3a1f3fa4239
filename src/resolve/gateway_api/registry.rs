//! The services of the mesh by what routes name them by.

use std::collections::HashMap;
use std::sync::Arc;

use crate::mesh::Service;
use crate::mesh::services_by_name::ServicesByName;

/// Services by host, by name of the Service, and by name of the ServiceEntry.
pub(crate) struct Registry<'a> {
    by_host: HashMap<&'a str, Vec<&'a Service>>,
    kubernetes: HashMap<(&'a str, &'a str), &'a Service>,
    entries: HashMap<(&'a str, &'a str), Vec<&'a Service>>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(services: &'a [Arc<Service>]) -> Self {
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
}

impl ServicesByName for Registry<'_> {
    fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        self.kubernetes.get(&(namespace, name)).copied()
    }

    fn entry(&self, namespace: &str, name: &str) -> Vec<&Service> {
        let known = self.entries.get(&(namespace, name));
        known.cloned().unwrap_or_default()
    }

    fn has_host(&self, host: &str, namespace: &str) -> bool {
        let mut known = self.by_host.get(host).into_iter().flatten();
        known.any(|service| service.namespace() == namespace)
    }
}
