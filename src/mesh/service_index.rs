//! Services by who may see them and by host name: what every scope starts from, computed once for a mesh.

use std::sync::Arc;

use crate::terms::hash::HashMap;

use super::service::{Protocol, Service};
use super::visibility::Visibility;

/// The services of a mesh in Istio's buckets (R-M-141); each bucket keeps the order of the mesh.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceIndex {
    public: Vec<Arc<Service>>,
    by_namespace: HashMap<Box<str>, Buckets>,
    by_hostname: HashMap<Arc<str>, Named>,
    /// Every service with its host name and namespace, where there are several.
    twins: HashMap<Key, Vec<Arc<Service>>>,
    /// Some service has a name with upper-case letters, or a port that is an HTTP proxy.
    odd: bool,
}

/// Host name and namespace.
type Key = (Arc<str>, Arc<str>);

/// The services of one host name, one per namespace.
#[derive(Clone, Debug, Default)]
struct Named {
    all: Vec<Arc<Service>>,
    /// Their places by namespace, where there are several.
    places: HashMap<Arc<str>, usize>,
}

impl Named {
    fn place(&self, namespace: &str) -> Option<usize> {
        match &*self.all {
            [] => None,
            [one] => (one.namespace() == namespace).then_some(0),
            _ => self.places.get(namespace).copied(),
        }
    }

    fn push(&mut self, service: &Arc<Service>) {
        self.all.push(Arc::clone(service));
        if self.all.len() > 1 {
            for (place, one) in self.all.iter().enumerate().skip(self.places.len()) {
                self.places
                    .insert(Arc::clone(&one.resource.namespace), place);
            }
        }
    }
}

/// What only one namespace sees.
#[derive(Clone, Debug, Default)]
struct Buckets {
    private: Vec<Arc<Service>>,
    exported: Vec<Arc<Service>>,
}

impl ServiceIndex {
    /// Sorts `services`, which are in the mesh's order, into their buckets. O(n).
    pub fn new(services: &[Arc<Service>]) -> Self {
        let mut index = ServiceIndex::default();
        for service in services {
            index.place(service);
            index.name(service);
            let mut ports = service.ports.iter();
            index.odd |= ports.any(|port| port.protocol == Protocol::HttpProxy)
                || service
                    .hostname
                    .bytes()
                    .any(|byte| byte.is_ascii_uppercase());
        }
        index
    }

    /// What `namespace` sees: its own private services, those exported to it, then the public ones (R-M-073).
    pub fn visible_to(&self, namespace: &str) -> impl Iterator<Item = &Arc<Service>> {
        let own = self.by_namespace.get(namespace);
        let private = own.map_or(&[][..], |buckets| &buckets.private);
        let exported = own.map_or(&[][..], |buckets| &buckets.exported);
        private.iter().chain(exported).chain(&self.public)
    }

    /// The services named `hostname`, one per namespace: a Kubernetes one before others, else the oldest (R-M-073).
    pub fn named(&self, hostname: &str) -> &[Arc<Service>] {
        self.by_hostname
            .get(hostname)
            .map_or(&[], |named| &named.all)
    }

    /// The service named `hostname` in `namespace`.
    pub fn in_namespace(&self, hostname: &str, namespace: &str) -> Option<&Arc<Service>> {
        let named = self.by_hostname.get(hostname)?;
        named.all.get(named.place(namespace)?)
    }

    /// All services with the host name and namespace of `service`: their endpoints are one pool.
    pub fn twins<'a>(&'a self, service: &'a Arc<Service>) -> &'a [Arc<Service>] {
        self.twins
            .get(&key(service))
            .map_or(std::slice::from_ref(service), Vec::as_slice)
    }

    /// Whether a service's virtual hosts depend on its own ports and its own name only: no name has upper-case letters,
    /// which would make two names one, and no port is an HTTP proxy, where all services meet.
    pub fn is_plain(&self) -> bool {
        !self.odd
    }

    fn place(&mut self, service: &Arc<Service>) {
        let namespaces = match &service.visibility {
            Visibility::Public => {
                self.public.push(Arc::clone(service));
                return;
            }
            Visibility::None => return,
            Visibility::Namespaces(namespaces) => namespaces,
        };
        for namespace in namespaces.iter() {
            let buckets = self.by_namespace.entry(namespace.into()).or_default();
            if *namespace == *service.namespace() {
                buckets.private.push(Arc::clone(service));
            } else {
                buckets.exported.push(Arc::clone(service));
            }
        }
    }

    fn name(&mut self, service: &Arc<Service>) {
        let named = self
            .by_hostname
            .entry(Arc::clone(&service.hostname))
            .or_default();
        let Some(place) = named.place(service.namespace()) else {
            named.push(service);
            return;
        };
        let first = &mut named.all[place];
        self.twins
            .entry(key(service))
            .or_insert_with(|| vec![Arc::clone(first)])
            .push(Arc::clone(service));
        if service.is_kubernetes() && !first.is_kubernetes() {
            *first = Arc::clone(service);
        }
    }
}

fn key(service: &Service) -> Key {
    (
        Arc::clone(&service.hostname),
        Arc::clone(&service.resource.namespace),
    )
}
