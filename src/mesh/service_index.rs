//! Services by who may see them and by host name: what every scope starts from, computed once for a mesh.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::terms::hash::HashMap;
use crate::terms::overlap_index::OverlapIndex;

use super::service::Service;
use super::visibility::Visibility;

/// The services of a mesh in Istio's buckets (R-M-141) and by name; each list keeps the order of the mesh.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceIndex {
    public: Vec<Arc<Service>>,
    by_namespace: HashMap<Box<str>, Buckets>,
    /// By lower-case host name.
    folded: HashMap<Arc<str>, SmallVec<[Arc<Service>; 1]>>,
    by_hostname: HashMap<Arc<str>, Named>,
    /// By the numbers of their ports.
    by_port: HashMap<u16, Vec<Arc<Service>>>,
    /// Every service with its host name and namespace, where there are several.
    twins: HashMap<Key, Vec<Arc<Service>>>,
    /// The lower-case host names, for who asks by a pattern.
    names: OnceLock<OverlapIndex<Arc<str>>>,
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
            [only] => (only.namespace() == namespace).then_some(0),
            _ => self.places.get(namespace).copied(),
        }
    }

    fn push(&mut self, service: &Arc<Service>) {
        self.all.push(Arc::clone(service));
        if self.all.len() > 1 {
            for (place, service) in self.all.iter().enumerate().skip(self.places.len()) {
                self.places
                    .insert(Arc::clone(&service.resource.namespace), place);
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
    pub(crate) fn new(services: &[Arc<Service>]) -> Self {
        let mut index = ServiceIndex::default();
        for service in services {
            index.for_each_list(service, |list| list.push(Arc::clone(service)));
            let folded = index.folded.entry(name_of(service)).or_default();
            folded.push(Arc::clone(service));
            for number in port_numbers(service) {
                let list = index.by_port.entry(number).or_default();
                list.push(Arc::clone(service));
            }
            index.name(service);
        }
        index
    }

    /// Adds one, where the mesh's order puts it. In proportion to the services of its name, and a move of pointers.
    pub(crate) fn insert(&mut self, service: &Arc<Service>) {
        self.for_each_list(service, |list| put_in(list, service));
        for number in port_numbers(service) {
            put_in(self.by_port.entry(number).or_default(), service);
        }
        let name = name_of(service);
        let folded = self.folded.entry(Arc::clone(&name)).or_default();
        let place = folded.partition_point(|other| other.config_key() <= service.config_key());
        folded.insert(place, Arc::clone(service));
        let is_first = folded.len() == 1;
        if let Some(names) = self.names.get_mut().filter(|_| is_first) {
            names.insert(&name, Arc::clone(&name));
        }
        self.name_anew(&name, service);
    }

    /// Removes one. In proportion to the services of its name, and a move of pointers.
    pub(crate) fn remove(&mut self, service: &Arc<Service>) {
        self.for_each_list(service, |list| take_out(list, service));
        for number in port_numbers(service) {
            if let Some(list) = self.by_port.get_mut(&number) {
                take_out(list, service);
            }
        }
        let name = name_of(service);
        let Some(folded) = self.folded.get_mut(&name) else {
            return;
        };
        folded.retain(|folded_service| !Arc::ptr_eq(folded_service, service));
        if folded.is_empty() {
            self.folded.remove(&name);
            if let Some(names) = self.names.get_mut() {
                names.remove(&name, &name);
            }
        }
        self.name_anew(&name, service);
    }

    /// Finds the services with the host name of `changed` anew; `name` is that in lower case.
    fn name_anew(&mut self, name: &str, changed: &Service) {
        if let Some(named) = self.by_hostname.remove(&changed.hostname) {
            named.all.iter().for_each(|service| {
                self.twins.remove(&key(service));
            });
        }
        let all = self.folded.get(name).cloned().unwrap_or_default();
        let same = all
            .iter()
            .filter(|service| service.hostname == changed.hostname);
        same.for_each(|service| self.name(service));
    }

    fn name(&mut self, service: &Arc<Service>) {
        let hostname = Arc::clone(&service.hostname);
        let named = self.by_hostname.entry(hostname).or_default();
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

    /// What `namespace` sees: its own private services, those exported to it, then the public ones (R-M-073).
    pub(crate) fn visible_to(&self, namespace: &str) -> impl Iterator<Item = &Arc<Service>> {
        let own = self.by_namespace.get(namespace);
        let private = own.map_or(&[][..], |buckets| &buckets.private);
        let exported = own.map_or(&[][..], |buckets| &buckets.exported);
        private.iter().chain(exported).chain(&self.public)
    }

    /// The services of which the host name is `name` but for case, in the mesh's order.
    pub(crate) fn folded(&self, name: &str) -> &[Arc<Service>] {
        let found = self.folded.get(&*lower_case(name));
        found.map_or(&[], SmallVec::as_slice)
    }

    /// The same of those that `namespace` sees, in the order of [`visible_to`](Self::visible_to).
    pub(crate) fn folded_visible<'s>(
        &'s self,
        name: &str,
        namespace: &str,
    ) -> SmallVec<[&'s Arc<Service>; 2]> {
        visible_among(self.folded(name), namespace)
    }

    /// What `namespace` sees of the services with this port, in the order of [`visible_to`](Self::visible_to).
    pub(crate) fn visible_on<'s>(
        &'s self,
        port: u16,
        namespace: &str,
    ) -> SmallVec<[&'s Arc<Service>; 2]> {
        let all = self.by_port.get(&port).map_or(&[][..], Vec::as_slice);
        visible_among(all, namespace)
    }

    /// Lower-case names of services that overlap `pattern` (R-M-002), itself lower-case; each once, in no order.
    pub(crate) fn names_overlapping<'i>(
        &'i self,
        pattern: &str,
    ) -> impl Iterator<Item = &'i Arc<str>> + use<'i> {
        let names = self.names.get_or_init(|| {
            let mut names = OverlapIndex::default();
            for name in self.folded.keys() {
                names.insert(name, Arc::clone(name));
            }
            names
        });
        names.overlapping(pattern)
    }

    /// The services named `hostname`, one per namespace: a Kubernetes one before others, else the oldest (R-M-073).
    pub(crate) fn named(&self, hostname: &str) -> &[Arc<Service>] {
        self.by_hostname
            .get(hostname)
            .map_or(&[], |named| &named.all)
    }

    /// The service named `hostname` in `namespace`.
    pub(crate) fn in_namespace(&self, hostname: &str, namespace: &str) -> Option<&Arc<Service>> {
        let named = self.by_hostname.get(hostname)?;
        named.all.get(named.place(namespace)?)
    }

    /// All services with the host name and namespace of `service`: their endpoints are one pool.
    pub(crate) fn twins<'a>(&'a self, service: &'a Arc<Service>) -> &'a [Arc<Service>] {
        self.twins
            .get(&key(service))
            .map_or(std::slice::from_ref(service), Vec::as_slice)
    }

    /// Calls `act` with each list that the service belongs to.
    fn for_each_list(&mut self, service: &Service, mut act: impl FnMut(&mut Vec<Arc<Service>>)) {
        let namespaces = match &service.visibility {
            Visibility::Public => return act(&mut self.public),
            Visibility::None => return,
            Visibility::Namespaces(namespaces) => namespaces,
        };
        for namespace in namespaces.iter() {
            let buckets = self.by_namespace.entry(namespace.into()).or_default();
            match *namespace == *service.namespace() {
                true => act(&mut buckets.private),
                false => act(&mut buckets.exported),
            }
        }
    }
}

/// Those of a list in the mesh's order that `namespace` sees: its own private ones, those exported to it, the public ones.
fn visible_among<'s>(all: &'s [Arc<Service>], namespace: &str) -> SmallVec<[&'s Arc<Service>; 2]> {
    let visible = all.iter();
    let mut visible: SmallVec<[&'s Arc<Service>; 2]> = visible
        .filter(|service| service.visibility.includes(namespace))
        .collect();
    visible.sort_by_key(|service| match service.visibility {
        Visibility::Public => 2,
        _ if service.namespace() != namespace => 1,
        _ => 0,
    });
    visible
}

/// Each once.
fn port_numbers(service: &Service) -> SmallVec<[u16; 4]> {
    let mut numbers: SmallVec<[u16; 4]> = service.ports.iter().map(|port| port.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Adds one to a list in the mesh's order.
pub(super) fn put_in(list: &mut Vec<Arc<Service>>, service: &Arc<Service>) {
    let place = list.partition_point(|other| other.config_key() <= service.config_key());
    list.insert(place, Arc::clone(service));
}

/// Removes one from a list in the mesh's order.
pub(super) fn take_out(list: &mut Vec<Arc<Service>>, service: &Arc<Service>) {
    let from = list.partition_point(|other| other.config_key() < service.config_key());
    let place = list[from..]
        .iter()
        .position(|other| Arc::ptr_eq(other, service));
    if let Some(place) = place {
        list.remove(from + place);
    }
}

fn key(service: &Service) -> Key {
    (
        Arc::clone(&service.hostname),
        Arc::clone(&service.resource.namespace),
    )
}

fn name_of(service: &Service) -> Arc<str> {
    match lower_case(&service.hostname) {
        Cow::Borrowed(_) => Arc::clone(&service.hostname),
        Cow::Owned(name) => name.into(),
    }
}

fn lower_case(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}
